/** How much of the server one token may take at a time. Counted in this process. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { HttpRefusal } from './errors.ts'

/** Each may hold 16 files of 20 MB on the disk until it is read to its end. */
const mostUploads = 16
/** A body with references inside takes as much room as a form. */
const largeBodyBytes = 1024 * 1024

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Counts as a request for a generation. */
    isPaced?: boolean
  }
}

export interface Limits {
  /** Before the body is read. @throws HttpRefusal `too_many_requests` */
  check(request: FastifyRequest, reply: FastifyReply): void
  /** When the body has been read. */
  received(request: FastifyRequest): void
}

/** @param generationsPerMinute of one token; 0: any number. Where no token is needed nobody is counted. */
export function createLimits({ generationsPerMinute }: { generationsPerMinute: number }): Limits {
  const pace = createPace(generationsPerMinute)
  const uploads = new Map<string, number>()
  const releases = new WeakMap<FastifyRequest, () => void>()

  function begin(key: string, request: FastifyRequest, reply: FastifyReply) {
    const count = uploads.get(key) ?? 0
    if (count >= mostUploads) {
      throw tooMany(`At most ${mostUploads} uploads at a time; wait until some of yours have arrived.`, 2)
    }
    uploads.set(key, count + 1)
    const release = () => {
      if (!releases.delete(request)) return
      const left = (uploads.get(key) ?? 1) - 1
      if (left > 0) uploads.set(key, left)
      else uploads.delete(key)
    }
    releases.set(request, release)
    // A client that goes away in the middle, or is refused before its body was read.
    reply.raw.once('close', release)
  }

  return {
    check(request, reply) {
      const { config } = request.routeOptions
      const { caller } = request
      if (!caller) return
      if (config.isPaced && caller.isKnown) {
        const waitSeconds = pace(caller.tokenId ?? '')
        if (waitSeconds > 0) {
          throw tooMany(
            `This token may ask for ${generationsPerMinute} generations a minute; ask again in ${waitSeconds} s.`,
            waitSeconds,
          )
        }
      }
      if ((config.multipart || config.onlyMultipart) && isLarge(request)) begin(caller.tokenId ?? '', request, reply)
    },
    received: request => releases.get(request)?.(),
  }
}

function isLarge({ headers }: FastifyRequest) {
  const isForm = headers['content-type']?.startsWith('multipart/') ?? false
  return isForm || headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > largeBodyBytes
}

function tooMany(message: string, seconds: number) {
  return new HttpRefusal('too_many_requests', message, { 'retry-after': String(seconds) })
}

/** A bucket each that fills evenly: a minute's worth may come at once. Answers how many seconds to wait, 0 for none. */
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
