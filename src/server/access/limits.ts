/** How much of the server one token may take at a time. Counted in this process. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../../members/caller.ts'
import { HttpRefusal } from '../errors/refusals.ts'
import { type RouteFacts, takesFiles } from '../route.ts'

/** Each may hold 16 files of 20 MB on disk until it ends. */
const maxUploads = 16
/** A body with references inside takes as much room as a form. */
const largeBodyBytes = 1024 * 1024
/** Bytes of large bodies in memory, over all callers; while it is parsed, each takes more than twice its size. */
const maxBytesInMemory = 256 * 1024 * 1024
/** Share of one named token, so that a slow client leaves room for others. */
const maxBytesOfOne = maxBytesInMemory / 2
/** Each reads images for as long as its client downloads. */
const maxArchives = 4
/** Enough for the tabs and scripts of a team that shares a token. */
const maxStreams = 100
/** Other expensive requests: estimates fetch references, archives read every image. */
const otherWorkFactor = 10
/** An answer without progress is ended after this. Heartbeats of a stream count as progress while the connection accepts them. */
const stalledAfterMs = 120_000

/** Connections beyond this are closed at once: storing paid images needs file handles. */
export const maxConnections = 4_000

export interface Limits {
  /** Counts a request before its body is read. @throws HttpRefusal `too_many_requests` */
  check(request: FastifyRequest, reply: FastifyReply): void
  /** Counts work that is asked for inside a body. @throws HttpRefusal `too_many_requests` */
  pace(kind: NonNullable<RouteFacts['rateLimit']>, caller: Caller): void
  /** Reserves memory for an answer that is held as a whole until it is sent. @throws HttpRefusal `too_many_requests` */
  hold(bytes: number, request: Pick<FastifyRequest, 'caller'>, reply: Pick<FastifyReply, 'raw'>): () => void
  /** When the body has been read. */
  received(request: FastifyRequest): void
  /** When the body in memory is no longer needed, at the latest at the end of the answer. */
  forgotten(request: FastifyRequest): void
  /** When the answer begins: it is ended if the client does not read. */
  answering(reply: Pick<FastifyReply, 'raw'>): void
}

/** @param generationsPerMinute of one token; 0: any number. Where no token is needed nobody is counted. */
export function createLimits({
  generationsPerMinute,
  maxBodyBytes,
}: {
  generationsPerMinute: number
  /** Memory that is counted for a body of unknown length. */
  maxBodyBytes: number
}): Limits {
  const paces = {
    generation: createPace(generationsPerMinute),
    other: createPace(generationsPerMinute * otherWorkFactor),
  }
  const uploads = createPlaces(maxUploads)
  const streams = createPlaces(maxStreams)
  const archives = createPlaces(maxArchives)
  const memory = createPlaces(maxBytesInMemory)
  const memoryOfOne = createPlaces(maxBytesOfOne)
  const received = new WeakMap<FastifyRequest, () => void>()
  const forgotten = new WeakMap<FastifyRequest, () => void>()

  function pace(kind: keyof typeof paces, caller: Caller) {
    if (!caller.isKnown) return
    const waitSeconds = paces[kind](caller.ownerId ?? '')
    if (waitSeconds === 0) return
    throw tooMany(
      kind === 'generation'
        ? `This token may ask for ${generationsPerMinute} generations a minute; ask again in ${waitSeconds} s.`
        : `This token made too many requests at once; ask again in ${waitSeconds} s.`,
      waitSeconds,
    )
  }

  function hold(bytes: number, { caller }: Pick<FastifyRequest, 'caller'>, { raw }: Pick<FastifyReply, 'raw'>) {
    const ownerId = caller?.ownerId ?? null
    const ofOne = ownerId === null ? () => {} : memoryOfOne.take(ownerId, bytes)
    const ofAll = ofOne && memory.take('', bytes)
    const free = () => {
      ofOne?.()
      ofAll?.()
    }
    if (!ofAll) {
      free()
      const message =
        'Too many large requests are under way; ask again in a moment, or upload references first with POST /api/images.'
      throw tooMany(message, 2)
    }
    raw.once('close', free)
    return free
  }

  return {
    hold,
    pace,
    check(request, reply) {
      const { config } = request.routeOptions
      const { caller } = request
      if (!caller) return
      if (config.rateLimit !== undefined) pace(config.rateLimit, caller)
      const key = caller.ownerId ?? ''
      if (config.longAnswer === 'stream') {
        const leave = streams.take(key)
        if (!leave) throw tooMany(`At most ${maxStreams} event streams at a time; close some of yours.`, 5)
        reply.raw.once('close', leave)
      }
      if (config.longAnswer === 'archive') {
        const leave = archives.take(key)
        if (!leave) throw tooMany(`At most ${maxArchives} archives at a time; wait until one of yours has arrived.`, 5)
        reply.raw.once('close', leave)
      }
      if (!(takesFiles(config) || config.accepts === 'large json') || !isLarge(request)) return
      const leave = uploads.take(key)
      if (!leave) {
        throw tooMany(`At most ${maxUploads} uploads at a time; wait until some of yours have arrived.`, 2)
      }
      received.set(request, leave)
      // The client disconnected, or was refused before its body was read.
      reply.raw.once('close', leave)
      // Files alone are streamed to the disk.
      if (config.accepts === 'files') return
      forgotten.set(request, hold(Math.min(declaredLength(request) ?? maxBodyBytes, maxBodyBytes), request, reply))
    },
    received: request => received.get(request)?.(),
    forgotten: request => forgotten.get(request)?.(),
    answering: ({ raw }) => void raw.setTimeout(stalledAfterMs),
  }
}

/** A quota for each key; `take` returns a function that gives it back, or undefined if there is not enough. */
function createPlaces(most: number) {
  const taken = new Map<string, number>()
  return {
    take(key: string, size = 1) {
      const before = taken.get(key) ?? 0
      if (before + size > most) return undefined
      taken.set(key, before + size)
      let isGivenBack = false
      return () => {
        if (isGivenBack) return
        isGivenBack = true
        const left = (taken.get(key) ?? size) - size
        if (left > 0) taken.set(key, left)
        else taken.delete(key)
      }
    },
  }
}

function isLarge(request: FastifyRequest) {
  const isForm = request.headers['content-type']?.startsWith('multipart/') ?? false
  return isForm || (declaredLength(request) ?? Number.POSITIVE_INFINITY) > largeBodyBytes
}

/** Undefined where nobody says how much comes. */
function declaredLength({ headers }: FastifyRequest) {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : undefined
}

function tooMany(message: string, seconds: number) {
  return new HttpRefusal('too_many_requests', message, { 'retry-after': String(seconds) })
}

/** A token bucket for each key: a minute's worth may come at once. Returns the seconds to wait, 0 for none. */
export function createPace(perMinute: number) {
  const buckets = new Map<string, { left: number; at: number }>()
  return (key: string) => {
    if (perMinute === 0) return 0
    const now = performance.now()
    const bucket = buckets.get(key) ?? { left: perMinute, at: now }
    const left = Math.min(perMinute, bucket.left + ((now - bucket.at) / 60_000) * perMinute)
    buckets.set(key, { left: left >= 1 ? left - 1 : left, at: now })
    return left >= 1 ? 0 : Math.max(1, Math.ceil(((1 - left) / perMinute) * 60))
  }
}
