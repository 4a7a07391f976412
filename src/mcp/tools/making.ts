/** Tools that make pictures: the order, its price before, the wait, a cancel. */
import { createHash } from 'node:crypto'
import type { CallToolResult, ServerContext } from '@modelcontextprotocol/server'
import { SdkError } from '@modelcontextprotocol/server'
import type { Generation } from '../../api/generations.ts'
import { hasEnded } from '../../client/client.ts'
import { answerGeneration, decodeId } from '../answers.ts'
import type { Connection } from '../connection.ts'
import { ToolRefusal } from '../errors.ts'
import type { GenerationInput, Made, MakeOptions, Operations } from '../operations.ts'
import { progressTeller, usualWaitSeconds, waitForEnd } from '../waiting.ts'
import { isUsable } from './models.ts'

/** Arguments of `generate_image` and `edit_image` in common. */
export interface Order {
  prompt: string
  references?: string[]
  mask?: string
  model?: string
  size?: string
  n?: number
  negative_prompt?: string
  seed?: number
  parameters?: Record<string, unknown>
}

export interface MakingOptions {
  idempotency_key?: string
  wait_seconds?: number
  thumbnails?: boolean
}

/** The request to the API. @throws ToolRefusal */
export async function toBody(order: Order, operations: Operations): Promise<GenerationInput> {
  const { prompt, references = [], mask, model, parameters = {}, size, n, negative_prompt, seed } = order
  const own = Object.entries({ size, n, negative_prompt, seed }).filter(([, value]) => value !== undefined)
  const doubled = own.find(([name]) => Object.hasOwn(parameters, name))
  if (doubled) {
    const message = `Give "${doubled[0]}" as an argument of its own, and leave it out of parameters.`
    throw new ToolRefusal('invalid_request', message)
  }
  const images = await Promise.all(references.map(text => toReference(text, operations)))
  return {
    prompt,
    ...(model === undefined ? {} : { model }),
    parameters: { ...parameters, ...Object.fromEntries(own) },
    ...(images.length > 0 ? { images } : {}),
    ...(mask === undefined ? {} : { mask: await toReference(mask, operations) }),
  }
}

/** The usual model, or the first that can edit where that one cannot. */
export async function modelThatEdits(operations: Pick<Operations, 'models'>, { hasMask }: { hasMask: boolean }) {
  const usable = (await operations.models()).filter(isUsable)
  const able = usable.filter(({ references, mask }) => references.max > 0 && (!hasMask || mask !== null))
  const chosen = able.find(one => one.is_default) ?? able.find(({ state }) => state === 'current') ?? able[0]
  return chosen?.id
}

/** Ids, our own addresses, addresses elsewhere, data URIs; files where the tools run beside the client. */
async function toReference(text: string, operations: Operations) {
  const own = decodeId(/^webimgui:\/\/images\/([^/?#]+)$/.exec(text)?.[1] ?? '')
  if (own) return own
  if (/^webimgui:/.test(text)) {
    const message = `"${shorten(text)}" is no picture. Use an id of images[] in an earlier result, or webimgui://images/ID.`
    throw new ToolRefusal('invalid_request', message)
  }
  const linked = /\/images\/([\w-]{8,})(?:\/thumbnail)?(?:\?[^/]*)?$/.exec(text)?.[1]
  if (
    linked !== undefined &&
    text.startsWith(operations.link({ id: linked, url: `/images/${linked}` }).split('?', 1)[0]!)
  ) {
    return linked
  }
  if (!/^(file:|[./~]|[A-Za-z]:[\\/])/.test(text)) return text
  if (operations.uploadFile) return operations.uploadFile(text)
  const message = `"${shorten(text)}" is a file of your machine, and this server runs elsewhere. Give the picture as a data URI, or use an id of a stored picture.`
  throw new ToolRefusal('invalid_request', message)
}

function shorten(text: string) {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

/** Makes what is ordered, and waits for it. @throws ToolRefusal */
export async function makeOrder(connection: Connection, context: ServerContext, order: Order, options: MakingOptions) {
  const { operations } = connection
  const body = await toBody(order, operations)
  return make(connection, context, body, given => operations.generate(body, given), options)
}

/** Makes what `body` asks for, once, and waits for it. */
export async function make(
  connection: Connection,
  context: ServerContext,
  body: object,
  send: (options: MakeOptions) => Promise<Made>,
  options: MakingOptions,
): Promise<CallToolResult> {
  const key = chooseKey(connection, context, body, options)
  const isOwnKey = options.idempotency_key !== undefined
  const over = new AbortController()
  try {
    const { generation, isJoined } = await send({ key, isOwnKey, left: over.signal })
    const seconds = options.wait_seconds ?? usualWaitSeconds
    const end = await wait(connection, context, generation, seconds, { mayCancel: true })
    const answer = await answerGeneration(end, connection, { isJoined, thumbnails: options.thumbnails })
    await noteDelivered(connection, context, end)
    return answer
  } finally {
    over.abort()
  }
}

/** From now on the same words mean another picture. */
export async function noteDelivered({ operations, gone }: Connection, { mcpReq }: ServerContext, end: Generation) {
  if (!hasEnded(end) || mcpReq.signal.aborted || gone.aborted) return
  // An equal request that joins for nothing costs nothing.
  await operations.noteDelivered(end.id).catch(() => {})
}

/** Waits, and cancels the generation when the client cancels the call that made it, unless another call waits for it too. */
export async function wait(
  connection: Connection,
  context: ServerContext,
  begun: Generation,
  seconds: number,
  { mayCancel }: { mayCancel: boolean },
) {
  const { operations, gone } = connection
  const { signal } = context.mcpReq
  const stopWatching = watch(begun.id)
  const end = await waitForEnd(operations, begun, {
    ms: seconds * 1000,
    signal: AbortSignal.any([signal, gone]),
    tell: progressTeller(context),
  }).finally(stopWatching)
  const isCancelled = mayCancel && signal.aborted && isCancel(connection, signal.reason)
  if (!isCancelled || hasEnded(end) || watchers.has(begun.id)) return end
  return operations.cancel(begun.id).catch(() => end)
}

/** By generation, the calls that wait for it. */
const watchers = new Map<string, number>()

function watch(id: string) {
  watchers.set(id, (watchers.get(id) ?? 0) + 1)
  return () => {
    const left = (watchers.get(id) ?? 1) - 1
    if (left > 0) watchers.set(id, left)
    else watchers.delete(id)
  }
}

/** A client whose time is up, or that lost its connection, does not mean to cancel, except where the protocol cannot tell these apart. */
function isCancel({ isCancelledByLeaving, closing }: Connection, reason: unknown) {
  if (closing.aborted) return false
  if (reason instanceof SdkError) return isCancelledByLeaving
  return !/tim(ed?|e)[\s-]?out/i.test(String(reason ?? ''))
}

/** Names the order for the server: by the caller's own key, or by the request within its session. */
function chooseKey({ sessionId }: Connection, { mcpReq }: ServerContext, body: object, options: MakingOptions) {
  if (options.idempotency_key !== undefined) return `mcp:${options.idempotency_key}`
  if (sessionId === undefined) return `mcp/${crypto.randomUUID()}`
  return `mcp/${sessionId}/${hashBody({ request: mcpReq.id })}/${hashBody(body)}`
}

function hashBody(body: object) {
  return createHash('sha256').update(JSON.stringify(body)).digest('base64url')
}
