/** One request to a simulator and its answer, with everything that can go wrong between them at hand. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { NamedRefusals, Refusal } from './refusal.ts'

export interface LoggedRequest {
  method: string
  /** As it stood on the wire, with query. */
  path: string
  /** Names in lower case, `authorization` left out. */
  headers: IncomingHttpHeaders
  /** The known key it came with; null when it came with none or an unknown one. */
  keyName: string | null
  /** Parsed when it was JSON, otherwise text; null when it was empty. */
  body: unknown
  /** Milliseconds since 1970. */
  at: number
  /** Null while, and when, nothing was answered. */
  status: number | null
}

/** How a service words what every answer has. */
export interface Wording {
  newRequestId(): string
  headersOf(exchange: Exchange): Record<string, string>
  /** The members of an error, without an object around them. */
  describeRefusal(refusal: Refusal, exchange: Exchange): object
  /** The members of an error stand in one that is named `error`. */
  wrapsErrors: boolean
  refusals: NamedRefusals
  /** Real seconds until it says no, where a refusal does not say. */
  refusalSeconds: number
}

const compress = promisify(gzip)

export class Exchange {
  readonly response: ServerResponse
  readonly method: string
  /** Without query, still encoded. */
  readonly path: string
  /** Raw, without `?`; empty when there is none. */
  readonly query: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown
  readonly log: LoggedRequest
  readonly requestId: string
  readonly wording: Wording
  readonly #request: IncomingMessage
  readonly #closing: AbortSignal

  constructor(parts: {
    request: IncomingMessage
    response: ServerResponse
    body: Buffer
    log: LoggedRequest
    wording: Wording
    closing: AbortSignal
  }) {
    const { request, response, body, log, wording } = parts
    const mark = log.path.indexOf('?')
    this.response = response
    this.method = log.method
    this.path = mark < 0 ? log.path : log.path.slice(0, mark)
    this.query = mark < 0 ? '' : log.path.slice(mark + 1)
    this.headers = request.headers
    this.body = body
    this.json = parseJson(body)
    this.log = log
    this.wording = wording
    this.requestId = wording.newRequestId()
    this.#request = request
    this.#closing = parts.closing
  }

  /** The key that it came with; empty when it came with none. */
  get key(): string {
    return /^Bearer (.+)$/.exec(this.headers.authorization ?? '')?.[1] ?? ''
  }

  /** Answers once: objects as JSON, gzip when the client takes it (never for a Buffer). */
  async send(status: number, body: string | object | Buffer, headers: Record<string, string> = {}): Promise<void> {
    const mayCompress = /\bgzip\b/.test(String(this.headers['accept-encoding'] ?? ''))
    const answer = await encode(body, headers, mayCompress)
    if (!this.begin(status, answer.headers)) return
    this.response.end(this.method === 'HEAD' ? undefined : answer.bytes)
  }

  /** The same with the headers that the service sends with everything. */
  answer(body: string | object, status = 200, headers: Record<string, string> = {}): Promise<void> {
    return this.send(status, body, { ...this.wording.headersOf(this), ...headers })
  }

  /** An error in the words of the service. */
  refuse(refusal: Refusal): Promise<void> {
    return this.answer(this.describe(refusal), refusal.status, refusal.details.headers)
  }

  /** The body of an error. */
  describe(refusal: Refusal): object {
    const members = this.wording.describeRefusal(refusal, this)
    return this.wording.wrapsErrors ? { error: members } : members
  }

  /** Writes status and headers, once; false when nobody is there any more. */
  begin(status: number, headers: Record<string, string>): boolean {
    if (this.response.destroyed) return false
    if (this.response.headersSent) return true
    this.log.status = status
    this.response.writeHead(status, headers)
    return true
  }

  /** Writes a piece of a body that was begun; resolves when it is on its way. */
  write(piece: string | Buffer): Promise<void> {
    const { response } = this
    return new Promise(resolve => {
      if (response.destroyed) return resolve()
      response.once('close', resolve)
      response.write(piece, () => {
        response.off('close', resolve)
        resolve()
      })
    })
  }

  /** The same in many small pieces that fall inside characters and lines. */
  async writeSplit(piece: string): Promise<void> {
    this.#request.socket.setNoDelay(true)
    const bytes = Buffer.from(piece)
    // Seven bytes never fall together with three-byte characters for long. A picture in base64 has megabytes: only its ends are worth
    // the patience.
    let offset = 0
    while (offset < bytes.length && !this.response.destroyed) {
      const left = bytes.length - offset
      const length = offset < 2048 || left < 1024 ? 7 : Math.min(65_521, left - 1000)
      await this.write(bytes.subarray(offset, offset + length))
      offset += length
      await nextTurn()
    }
  }

  /** Cuts the connection at once. */
  cut(): void {
    this.#request.socket.destroy()
  }

  /** Cuts the connection when what was written has left: only then both ends see it. */
  async cutLater(): Promise<void> {
    await pause(15)
    this.cut()
  }

  /** Answers, but cuts the connection after the headers or after half of the body. */
  async sendHalf(body: string | object, headers: Record<string, string>, after: 'headers' | 'half-body') {
    const answer = await encode(body, headers, false)
    if (!this.begin(200, answer.headers)) return
    this.response.flushHeaders()
    if (after === 'half-body') await this.write(firstHalf(answer.bytes))
    await this.cutLater()
  }

  /** Sleeps, whether or not the client stays: a service that is busy does not notice. Rejects when the simulator closes. */
  async wait(ms: number): Promise<void> {
    if (ms > 0) await pause(ms, undefined, { signal: this.#closing })
  }

  /** Never answers; resolves when the connection has ended. */
  async hang(): Promise<void> {
    if (this.response.closed) return
    await new Promise<void>(resolve => this.response.once('close', () => resolve()))
  }
}

export function firstHalf(bytes: Buffer): Buffer {
  return bytes.subarray(0, Math.ceil(bytes.length / 2))
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

async function encode(body: string | object | Buffer, headers: Record<string, string>, mayCompress: boolean) {
  const isBytes = Buffer.isBuffer(body)
  const plain = isBytes ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const isZipped = mayCompress && !isBytes && plain.length > 0
  const bytes = isZipped ? await compress(plain, { level: constants.Z_BEST_SPEED }) : plain
  const encoding: Record<string, string> = isZipped ? { 'content-encoding': 'gzip' } : {}
  const type: Record<string, string> = isBytes ? {} : { 'content-type': contentTypeOf(body) }
  return { bytes, headers: { ...type, ...headers, ...encoding, 'content-length': String(bytes.length) } }
}

function contentTypeOf(body: string | object): string {
  if (typeof body !== 'string') return 'application/json; charset=utf-8'
  return body.startsWith('<') ? 'text/html' : 'text/plain; charset=utf-8'
}
