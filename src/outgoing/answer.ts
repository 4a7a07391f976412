/** Sends one request over a connection and reads its answer, head and body, with the key removed. */

import { type IncomingMessage, type OutgoingHttpHeaders, request as startRequest } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { readHost } from './addresses.ts'
import { BodyTooLarge, lost, refused, TimeoutError, tooLarge } from './broken-exchange.ts'
import { decodeBody } from './decode.ts'
import { ExchangeError } from './failure.ts'
import type { HttpRequest, HttpResponse } from './http.ts'
import type { KeptConnections, KeptRequest } from './kept-connections.ts'

/** Limit of an answer that is read into memory. */
const maxTextBytes = 128 * 1024 * 1024

/** Bytes of one body that are buffered while its reader is slower. Two hundred may arrive at once. */
const maxWaitingBytes = 128 * 1024

/** Gateways put traces and policies there. A paid answer must not be lost because of them. */
const maxHeaderBytes = 16 * 1024 * 1024

/** A connection that may have waited since an earlier request, or is opened for this one. */
export interface KeptWay extends KeptRequest {
  agent: KeptConnections
}

/** The other side may have closed it just before the request. */
export class KeptConnectionLost extends Error {
  override name = 'KeptConnectionLost'

  constructor(cause: unknown) {
    super('A connection that had waited was lost', { cause })
  }
}

/**
 * Sends a request and waits for the head of its answer. The parser takes what servers and gateways really write (line ends, signs in
 * heads, two lengths that agree, an unasked `100 Continue`): nothing else travels on this connection that a lenient one could mix up.
 */
export function sendRequest(
  { body, ...message }: { method: string; path: string; headers: OutgoingHttpHeaders; body?: string | Uint8Array },
  way: Duplex | KeptWay,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const asked = (() => {
    try {
      return startRequest({
        ...message,
        setHost: false,
        ...('agent' in way ? way : { createConnection: () => way }),
        insecureHTTPParser: true,
        maxHeaderSize: maxHeaderBytes,
      })
    } catch (error) {
      if (!('agent' in way)) way.destroy()
      const reason = error instanceof Error ? error.message : String(error)
      throw refused(`The request to ${message.headers.host} cannot be written: ${reason}.`, error)
    }
  })()
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined
    const end = (error: unknown) => {
      reject(error)
      ;(answer ?? asked).destroy(error as Error)
    }
    const timer = setTimeout(() => end(new TimeoutError()), timeoutMs)
    signal.addEventListener('abort', () => end(signal.reason), { once: true })
    asked.on('response', message => {
      clearTimeout(timer)
      answer = message
      resolve(message)
    })
    asked.on('error', error => reject(asked.reusedSocket ? new KeptConnectionLost(error) : error))
    asked.on('close', () => {
      clearTimeout(timer)
      if (!answer) reject(new Error('The connection was closed'))
    })
    asked.end(body)
  })
}

export function toResponse(
  answer: IncomingMessage,
  exchange: {
    /** `isComplete`: the whole answer has come, so its connection is at rest. */
    release(isComplete: boolean): void
    host: string
    key: string | undefined
  } & Pick<HttpRequest, 'signal' | 'idleTimeoutMs' | 'through'>,
): HttpResponse {
  const status = answer.statusCode ?? 0
  const headers = Object.fromEntries(
    Object.entries(answer.headersDistinct).flatMap(([name, values]) =>
      values?.[0] === undefined ? [] : [[name, values[0]]],
    ),
  )
  const received = collectPieces(answer, exchange.idleTimeoutMs)
  // Some services repeat a refused key, masked in the middle.
  const withoutStars = (text: string) =>
    exchange.key === undefined || status < 400 ? text : text.replace(/[\w-]*\*{3,}[\w-]*/g, '(key)')

  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      const decoded = decodeBody(received, headers['content-encoding'])
      const body = exchange.key === undefined ? decoded : removeKey(decoded, exchange.key)
      yield* exchange.through ? exchange.through(body) : body
    } catch (error) {
      if (exchange.signal?.aborted) throw exchange.signal.reason
      throw lost(error, exchange.host, 'body')
    } finally {
      exchange.release(answer.readableEnded)
    }
  }

  const body = pieces()
  return {
    status,
    headers,
    body,
    async text(maxBytes = maxTextBytes) {
      const decoder = new TextDecoder()
      const parts: string[] = []
      let bytes = 0
      try {
        for await (const piece of body) {
          bytes += piece.length
          if (bytes > maxBytes) throw tooLarge(exchange.host, maxBytes)
          parts.push(decoder.decode(piece, { stream: true }))
        }
      } catch (error) {
        if (!(error instanceof ExchangeError)) throw error
        const Kind = error instanceof BodyTooLarge ? BodyTooLarge : ExchangeError
        throw new Kind(error.failure, { cause: error.cause, partial: withoutStars(parts.join('')) })
      }
      parts.push(decoder.decode())
      return withoutStars(parts.join(''))
    },
    discard: () => exchange.release(false),
  }
}

/** Some services repeat the key, and their answers are stored, logged and shown. Only a possible beginning of it is held back. */
async function* removeKey(pieces: AsyncIterable<Uint8Array>, key: string): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0)
  let failure: { error: unknown } | undefined
  try {
    for await (const piece of pieces) {
      let bytes: Buffer =
        rest.length > 0 ? Buffer.concat([rest, piece]) : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
      for (let found = bytes.indexOf(key); found >= 0; found = bytes.indexOf(key)) {
        yield Buffer.concat([bytes.subarray(0, found), Buffer.from('(key)')])
        bytes = bytes.subarray(found + key.length)
      }
      let kept = Math.min(key.length - 1, bytes.length)
      while (kept > 0 && !key.startsWith(bytes.toString('latin1', bytes.length - kept))) kept--
      rest = bytes.subarray(bytes.length - kept)
      if (bytes.length > kept) yield bytes.subarray(0, bytes.length - kept)
    }
  } catch (error) {
    // Delivered after the chunks before it.
    failure = { error }
  }
  if (rest.length > 0) yield rest
  if (failure) throw failure.error
}

/** The body may not exceed `maxBytes`, and is not read at all if its declared length does. */
export function limitBody(response: HttpResponse, maxBytes: number, url: string): HttpResponse {
  if (response.headers['content-encoding'] === undefined && Number(response.headers['content-length']) > maxBytes) {
    response.discard()
    throw tooLarge(readHost(url), maxBytes)
  }
  async function* body() {
    let bytes = 0
    for await (const piece of response.body) {
      bytes += piece.length
      if (bytes > maxBytes) throw tooLarge(readHost(url), maxBytes)
      yield piece
    }
  }
  return { ...response, body: body(), text: (fewer = maxBytes) => response.text(Math.min(fewer, maxBytes)) }
}

/**
 * The pieces as they came. An error takes its turn behind them, where a stream by itself would throw away what nobody
 * read yet.
 */
function collectPieces(stream: Readable, idleTimeoutMs: number): AsyncIterable<Uint8Array> {
  const pieces: Buffer[] = []
  let waiting = 0
  let ended: { failure?: unknown } | undefined
  let wake = () => {}
  // Waiting for a slow reader does not count as idle.
  const idle = setTimeout(() => stream.isPaused() || stream.destroy(new TimeoutError()), idleTimeoutMs)
  const end = (how: { failure?: unknown }) => {
    clearTimeout(idle)
    ended ??= how
    wake()
  }
  stream.on('data', (piece: Buffer) => {
    idle.refresh()
    pieces.push(piece)
    waiting += piece.length
    if (waiting > maxWaitingBytes) stream.pause()
    wake()
  })
  stream.on('error', failure => end({ failure }))
  stream.on('close', () => end(stream.readableEnded ? {} : { failure: new Error('The body was left unread') }))
  stream.on('end', () => end({}))
  return {
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const piece = pieces.shift()
        if (piece) {
          waiting -= piece.length
          if (stream.isPaused()) {
            idle.refresh()
            stream.resume()
          }
          yield piece
        } else if (!ended) {
          await new Promise<void>(resolve => {
            wake = resolve
          })
        } else if ('failure' in ended) {
          throw ended.failure
        } else {
          return
        }
      }
    },
  }
}
