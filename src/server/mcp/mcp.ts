/**
 * The face of agents: the Model Context Protocol over streamable HTTP at `/mcp`, in its revision 2026-07-28, which has no sessions, and in
 * the ones before it, which have.
 */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { problemCodes } from '../../api/problems.ts'
import type { Connection } from '../../mcp/connection.ts'
import type { Caller } from '../../members/caller.ts'
import type { SpendingSession } from '../../storage/session-spending.ts'
import { getCaller } from '../access/access.ts'
import { baseFor } from '../access/signed-links.ts'
import { chooseCap, nameSession } from '../access/spending-session.ts'
import type { ErrorAnswer } from '../errors/answer.ts'
import { errorTable } from '../errors/codes.ts'
import { refuseMethod } from '../errors/refusals.ts'
import type { Face } from '../face.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import type { Routing } from '../routing.ts'
import { operateInside } from './operations.ts'
import type { createProtocol } from './protocol.ts'

/** References are inside the calls. */
const maxCallBytes = 32 * 1024 * 1024
/** Where the protocol has no sessions, a pause of this length begins a new one. */
const idleMs = 3600_000
const metadataPath = '/.well-known/oauth-protected-resource'

export function createMcpFace(routing: Routing): Face {
  return {
    prefixes: ['/mcp', metadataPath],
    isForPeople: false,
    errorType: 'application/json; charset=utf-8',
    errorSchema: RpcError,
    presentError: presentRpcError,
    async answerNotFound(request) {
      throw refuseMethod(request, routing)
    },
  }
}

const RpcError = z
  .object({
    jsonrpc: z.literal('2.0'),
    id: z.null(),
    error: z.object({ code: z.int(), message: z.string(), data: z.looseObject({ code: z.enum(problemCodes) }) }),
  })
  .meta({ id: 'RpcError' })

/** JSON-RPC 2.0 §5.1. Numbers of its own are only those of a body that cannot be read. */
function presentRpcError({ code, detail, members }: ErrorAnswer, requestId: string) {
  const numbers: Partial<Record<ErrorAnswer['code'], number>> = { invalid_json: -32_700, bad_request: -32_600 }
  const number = numbers[code] ?? (errorTable[code].status >= 500 ? -32_603 : -32_000)
  return {
    jsonrpc: '2.0',
    id: null,
    error: { code: number, message: detail, data: { code, request_id: requestId, ...members } },
  }
}

export function addMcp(app: App, parts: Parts) {
  const { access, closing, settings, version } = parts
  let loading: Promise<ReturnType<typeof createProtocol>> | undefined
  const load = async () => (await import('./protocol.ts')).createProtocol(version)

  app.addHook('onSend', async (request, reply) => {
    if (reply.statusCode !== 401) return
    const metadata = `${baseFor(settings, request)}${metadataPath}/mcp`
    reply.header('www-authenticate', `Bearer realm="webimgui", resource_metadata="${metadata}"`)
  })
  app.addHook('onClose', async () => {
    await (await loading)?.close()
  })

  const options = {
    bodyLimit: maxCallBytes,
    config: { access: 'member', rateLimit: 'other', accepts: 'large json' },
    schema: { hide: true },
  } as const
  app.post('/mcp', options, serve)
  app.delete('/mcp', { config: { access: 'member' }, schema: { hide: true } }, serve)
  for (const path of [metadataPath, `${metadataPath}/mcp`]) {
    app.get(path, { config: { access: 'open' }, schema: { hide: true } }, async request => ({
      resource: `${baseFor(settings, request)}/mcp`,
      resource_name: 'webimgui',
      // No authorization server, also where people log in with OpenID Connect: tokens are made in the studio, and sent as they are.
      bearer_methods_supported: ['header'],
      resource_documentation: `${baseFor(settings, request)}/docs`,
    }))
  }

  /** What the calls of a session spend together. Where the protocol has none, a pause begins a new one. */
  function findSession({ headers }: FastifyRequest, caller: Caller, isLegacy: boolean): SpendingSession | undefined {
    const cap = chooseCap(headers['x-spending-cap']?.toString(), settings.mcpSessionCap)
    if (!cap) return undefined
    // The first request of a session has no id yet, and spends nothing.
    const name = (isLegacy ? headers['mcp-session-id'] : headers['x-session'])?.toString() ?? ''
    const session = { name: nameSession(caller, isLegacy ? 'mcp session' : 'mcp', name), cap }
    return isLegacy ? session : { ...session, idleMs }
  }

  async function serve(request: FastifyRequest, reply: FastifyReply) {
    const gone = new AbortController()
    // Whoever lost access cancels nothing by that.
    const revoked = new AbortController()
    const stopListening = access.onAccessEnd(request, () => revoked.abort())
    reply.raw.once('close', () => {
      stopListening()
      if (!reply.raw.writableFinished) gone.abort()
    })
    const exchange = toExchange(request, gone.signal)
    loading ??= load()
    const protocol = await loading
    const isLegacy = await protocol.isLegacy(exchange, request.body)
    const caller = getCaller(request)
    const owner = nameOwner(caller)
    const connection: Connection = {
      operations: operateInside(parts, request, findSession(request, caller, isLegacy)),
      owner,
      sessionId: isLegacy ? request.headers['mcp-session-id']?.toString() : undefined,
      isCancelledByLeaving: !isLegacy,
      gone: AbortSignal.any([gone.signal, revoked.signal, closing]),
      closing,
    }
    const response = await protocol.serve({ request: exchange, body: request.body, isLegacy }, connection)
    return send(reply, response)
  }
}

/** The body was read already, within its limit. */
function toExchange({ method, headers, url }: FastifyRequest, signal: AbortSignal) {
  const told = Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map(text => [name, text] as [string, string]),
  )
  return new Request(new URL(url, 'http://localhost'), { method, headers: told, signal })
}

function send(reply: FastifyReply, response: Response) {
  reply.code(response.status)
  for (const [name, value] of response.headers) reply.header(name, value)
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) reply.header('x-accel-buffering', 'no')
  return reply.send(response.body ? Readable.fromWeb(response.body as never) : undefined)
}

/** Whose sessions these are. */
function nameOwner({ ownerId, isKnown }: Caller) {
  return ownerId ?? (isKnown ? 'administrator' : 'anybody')
}
