/** One request for pictures of any route of `/v1`: begun or joined, and waited for. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ProblemCode } from '../../api/problems.ts'
import { endProblemCodes } from '../../api/problems.ts'
import { Refusal } from '../../errors.ts'
import type { GenerationRequest, RepeatOptions } from '../../generation/services.ts'
import type { GenerationRecord, JsonValue } from '../../storage/records.ts'
import { getCaller } from '../access/access.ts'
import { idempotencyProblems, newGenerationProblems, releaseBody } from '../api/generate.ts'
import { adviceFor } from '../api/present/generations.ts'
import { hashJson } from '../bodies/json.ts'
import { GenerationFailed, HttpRefusal } from '../errors/refusals.ts'
import type { Parts } from '../parts.ts'
import { listOffers, modelNotFound } from './models.ts'
import type { ReadRequest } from './request.ts'

export type AskParts = Pick<Parts, 'services' | 'settings' | 'limits' | 'closing'>

export const askProblems: ProblemCode[] = [
  'not_found',
  ...newGenerationProblems,
  ...idempotencyProblems,
  ...endProblemCodes,
]

export interface Asked {
  generation: GenerationRecord
  /** Waits for the end. @throws GenerationFailed, HttpRefusal `shutting_down` */
  ended(): Promise<GenerationRecord>
  /** The answer that is being written says how it ended, so an equal request from now on is another one. */
  noteEnd(): void
}

/**
 * Begins the generation, or joins the one that this request repeats. `named`: the model as the client wrote it.
 * @throws Refusal, HttpRefusal
 */
export async function ask(
  parts: AskParts,
  request: FastifyRequest,
  reply: FastifyReply,
  { read, named }: { read: ReadRequest; named: string | undefined },
): Promise<Asked> {
  const { services, limits, closing } = parts
  const { generations } = services
  const left = new AbortController()
  let generation: GenerationRecord | undefined
  let isEnd = false
  // Limits, the body and a stream that is sent listen to it as well.
  reply.raw.setMaxListeners(20).once('close', () => {
    // Before the caller counts as gone: what it got is no longer joined.
    if (generation && isEnd && reply.raw.writableFinished) {
      void generations
        .noteAnswered(generation.id)
        .catch(error => request.log.warn({ err: error }, 'an answer could not be noted'))
    }
    left.abort()
  })

  const bodyHash = hashJson(comparable(request))
  const caller = getCaller(request)
  const options: RepeatOptions = {
    caller,
    requestId: request.id,
    fingerprint: hashJson([caller.ownerId, request.routeOptions.url ?? '', bodyHash]),
    repeats: readRepeats(request),
    left: left.signal,
  }
  const key = request.headers['idempotency-key']
  const joined = await begin(parts, request, read.request, named, {
    ...options,
    idempotency: key === undefined ? undefined : { key: String(key), bodyHash },
  })
  generation = joined.generation
  await releaseBody(request, limits)
  setHeaders(reply, joined, read.ignored)
  const { id } = generation

  async function ended(): Promise<GenerationRecord> {
    for (;;) {
      const record = await generations.whenEnded(id, { signal: left.signal })
      if (record.status === 'succeeded') return record
      if (record.status === 'failed' || record.status === 'cancelled') {
        isEnd = true
        throw new GenerationFailed(record, adviceFor(record, services.catalogue))
      }
      // Pictures that are made and cannot be fetched yet are waited for as well, for as long as the client does.
      if (left.signal.aborted) return record
      if (closing.aborted) throw stopping()
    }
  }
  return {
    generation,
    ended,
    noteEnd: () => {
      isEnd = true
    },
  }
}

/** With a key, the client itself says what is a repeat. */
async function begin(
  parts: AskParts,
  request: FastifyRequest,
  wanted: GenerationRequest,
  named: string | undefined,
  options: RepeatOptions,
) {
  const { generations } = parts.services
  try {
    if (options.idempotency === undefined) return await generations.createUnlessRepeated(wanted, options)
    const { fingerprint: _, ...withKey } = options
    return { generation: await generations.create(wanted, withKey), isJoined: false }
  } catch (error) {
    const isOfModel =
      error instanceof Refusal &&
      ((error.violations.length > 0 && error.violations.every(({ path }) => path === 'model')) ||
        (error.code === 'configuration_missing' && error.name === 'Refusal'))
    if (isOfModel && named !== undefined) throw modelNotFound(named, await listOffers(parts, getCaller(request)))
    throw error
  }
}

function setHeaders(
  reply: FastifyReply,
  { generation, isJoined }: { generation: GenerationRecord; isJoined: boolean },
  ignored: string[],
) {
  const leftOut = generation.warnings.filter(({ code }) => code === 'left_out').map(({ parameter }) => parameter)
  const names = [...new Set([...ignored, ...leftOut])].filter(name => /^[\w.-]+$/.test(name))
  const size = generation.resolved?.size
  reply.header('x-webimgui-generation', generation.id)
  if (isJoined) reply.header('x-webimgui-joined', generation.id)
  if (typeof size === 'string' && /^[\w:.-]+$/.test(size)) reply.header('x-webimgui-size', size)
  if (names.length > 0) reply.header('x-webimgui-ignored', names.join(', '))
}

function readRepeats({ headers }: FastifyRequest): RepeatOptions['repeats'] {
  if (String(headers['x-webimgui-join'] ?? '').toLowerCase() === 'never') return 'never'
  return Number(headers['x-stainless-retry-count'] ?? 0) > 0 ? 'said' : 'unsaid'
}

/** The request in the form that is compared: files by their content. */
function comparable({ body, uploads }: FastifyRequest): JsonValue {
  const withFiles = (_: string, value: unknown) => {
    const upload = typeof value === 'string' ? uploads?.get(value) : undefined
    return upload ? { file: upload.sha256 } : value
  }
  return JSON.parse(JSON.stringify(body, withFiles)) as JsonValue
}

function stopping() {
  return new HttpRefusal(
    'shutting_down',
    'The server is stopping. The pictures are still being made: send the same request again in a moment to get them.',
  )
}
