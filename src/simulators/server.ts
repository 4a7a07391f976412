/**
 * What all simulators share: a plain HTTP server with a log, a ledger of billed pictures, result files behind signed URLs, and
 * faults on demand. Plain `node:http`, because a simulator must be able to hold back headers and to cut a connection mid-byte.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import sharp from 'sharp'
import { drawPicture, type PictureOptions } from './drawing/picture.ts'

export interface SimulatorOptions<Rule extends KeyRule = KeyRule> {
  /** 0 (the default) takes a free one. */
  port?: number
  /** Default 127.0.0.1. */
  host?: string
  /** 1 (the default): the latencies of the documents; 0: at once. */
  timeScale?: number
  /** How long result URLs live, default 86400. */
  urlLifetimeSeconds?: number
  /** Pictures of one colour, which cost a fifth of a landscape. */
  plainPictures?: boolean
  /** What each API key may do; instead of the demonstration keys of the simulator. */
  keys?: Readonly<Record<string, Rule>>
}

export interface KeyRule {
  /** Stands for the key in the log and in the ledger; the key itself when absent. */
  name?: string
}

export interface Simulator {
  /** `http://127.0.0.1:PORT` */
  origin: string
  /** What a configuration holds as the base URL of the service; without a slash at its end. */
  baseUrl: string
  /** Every request in the order of arrival. The oldest are dropped when there are very many. */
  requests: LoggedRequest[]
  /** Every picture that the service would put on the bill. */
  billed: BilledImage[]
  /** Lets the next matching requests go wrong. Faults wait in the order they were given; a request meets one at most. */
  misbehave(fault: Fault, options?: FaultOptions): void
  /** From now on every result URL given out so far answers as expired. */
  expireUrls(): void
  /** Clears log, ledger and waiting faults. */
  reset(): void
  /** Cuts open connections and ends. */
  close(): Promise<void>
}

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

export interface BilledImage {
  requestId: string
  model: string
  /** The name of the key. */
  key: string
  prompt: string
  index: number
  width: number
  height: number
  /** Milliseconds since 1970. */
  at: number
}

/** `billed` says whether the picture was made and put on the bill although its answer is lost. */
export type Fault =
  /** Any error answer; an object goes as JSON. Not billed unless it says so. */
  | { kind: 'status'; status: number; body?: string | object; headers?: Record<string, string>; billed?: boolean }
  /** Never answers. Not billed unless it says so. */
  | { kind: 'hang'; billed?: boolean }
  /** Holds back everything, headers too, for so many real milliseconds; then all is well. */
  | { kind: 'slow'; ms: number }
  /** Cuts the connection; billed unless it says otherwise. `n` events of a stream come through, default 1. */
  | { kind: 'cut'; after: 'request' | 'headers' | 'half-body' | 'n-events'; n?: number; billed?: boolean }
  /** 200 with something that is no answer. Not billed unless it says so. */
  | { kind: 'garbage'; body: string; contentType?: string; billed?: boolean }
  /** Single pictures of one call are refused. */
  | { kind: 'partial'; failIndexes: number[] }
  /** An inner failure at this picture; those after it are missing. */
  | { kind: 'stops'; atIndex: number }
  /** Makes at most so many pictures, without a word about the others. */
  | { kind: 'fewer'; count: number }
  /** Nothing is made: an error status (the default), 200 with an error at the top, 200 with error items only, 200 with no item. */
  | { kind: 'all-refused'; form?: 'status' | 'top-level' | 'items' | 'empty' }
  /** The members of the error at the top level of the body, without their `error`; default 400. */
  | { kind: 'unwrapped-error'; status?: number; code?: string; message?: string }
  | { kind: 'stream'; how: StreamFault }
  /** `ms` is how long a slow file takes, default 1000. */
  | { kind: 'download'; how: DownloadFault; ms?: number }

/**
 * `no-completed`: ends without its last event and terminator. `error-event`: a fatal error after the first picture.
 * `partial-failed-first`: one failed item and nothing after it. `split-chunks`: cut into pieces inside characters and lines.
 */
export type StreamFault = 'no-completed' | 'error-event' | 'partial-failed-first' | 'split-chunks'

/** `other-type`: a real picture of another type than announced. `huge`: does not end before 2 GiB. */
export type DownloadFault = '404' | '403' | '500' | 'cut' | 'not-a-picture' | 'other-type' | 'slow' | 'huge'

/** What a request is for: a picture, a look at a task, a result file, or anything else. */
export type FaultTarget = 'generation' | 'task' | 'download' | 'other'

export interface FaultOptions {
  /** Default 1. */
  times?: number
  /** Only requests for which this says yes; its `status` is still null then. */
  match?: (request: LoggedRequest) => boolean
  /** Default `download` for download faults, `generation` for all others. */
  target?: FaultTarget
}

// ── For the simulators themselves ───────────────────────────────────────────────────────────────────────────────────

export interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  method: string
  /** Without query, still encoded. */
  path: string
  /** Raw, without `?`; empty when there is none. */
  query: string
  headers: IncomingHttpHeaders
  body: Buffer
  /** The body as JSON; undefined when it is none. */
  json: unknown
  /** Its line in the log; the simulator sets `keyName`. */
  log: LoggedRequest
  /** Aborted when the client is gone or the simulator closes. */
  signal: AbortSignal
  /** Answers once: objects as JSON, gzip when the client takes it (never for a Buffer). */
  send(status: number, body: string | object | Buffer, headers?: Record<string, string>): Promise<void>
  /** Answers like `send`, but cuts the connection at the place that the fault names. */
  sendCut(status: number, body: string | object, headers: Record<string, string>, after: string): Promise<void>
  /** Writes a piece of a body that was begun on `response`; resolves when it is on its way. */
  write(piece: string | Buffer): Promise<void>
  /** The same in many small pieces that fall inside characters and lines. */
  writeSplit(piece: string): Promise<void>
  /** Cuts the connection. */
  cut(): void
  /** A moment for what was written to reach the client, so that a cut comes after it. */
  settle(): Promise<void>
  /** Sleeps, whether or not the client stays: a service that is busy does not notice. Rejects when the simulator closes. */
  wait(ms: number): Promise<void>
  /** Never answers; resolves when the connection has ended. */
  hang(): Promise<void>
}

export type FileRefusal = 'missing' | 'method' | 'authorization' | 'altered' | 'expired'

export interface ResultFile {
  /** Encoded, below `filesPath` of the server. */
  path: string
  /** The signed query, letter for letter as a client must send it, without `?`. */
  query: string
  contentType: 'image/png' | 'image/jpeg' | 'image/webp'
  /** Called for every download, so that nothing big is held. */
  draw: () => Promise<Buffer>
}

export interface SimulatorServer extends Omit<Simulator, 'baseUrl'> {
  timeScale: number
  urlLifetimeSeconds: number
  draw(picture: PictureOptions): Promise<Buffer>
  /** The URL of a file that will be drawn when it is fetched. */
  publish(file: ResultFile): string
  /** The fault that waits for this request, if any; it counts as used. */
  takeFault(request: LoggedRequest, target: FaultTarget): Fault | undefined
}

const maxBodyBytes = 256 * 2 ** 20
const maxLoggedRequests = 5000
const maxLoggedBytes = 256 * 2 ** 20
const maxFiles = 5000
const hugeBytes = 2 ** 31
const compress = promisify(gzip)

/**
 * Listens at once. Files below `filesPath` (begins and ends with a slash) are served here, everything else goes to `handle`;
 * `refuseFile` answers in the service's own words.
 */
export async function openServer(parts: {
  options: SimulatorOptions
  filesPath: string
  refuseFile: (exchange: Exchange, reason: FileRefusal) => Promise<void>
  handle: (exchange: Exchange, server: SimulatorServer) => Promise<void>
}): Promise<SimulatorServer> {
  const { options, filesPath } = parts
  const requests: LoggedRequest[] = []
  const loggedBytes: number[] = []
  const billed: BilledImage[] = []
  const faults: { fault: Fault; left: number; match: (request: LoggedRequest) => boolean; target: FaultTarget }[] = []
  const files = new Map<string, ResultFile & { expiresAt: number }>()
  const closing = new AbortController()
  const urlLifetimeSeconds = options.urlLifetimeSeconds ?? 86_400

  const http = createServer((request, response) => {
    void receive(request, response)
  })
  // A picture may take longer than any default of the server.
  http.requestTimeout = 0
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve)
  })
  const { address, port, family } = http.address() as AddressInfo
  const origin = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`

  const server: SimulatorServer = {
    origin,
    requests,
    billed,
    timeScale: options.timeScale ?? 1,
    urlLifetimeSeconds,
    draw: picture => drawPicture({ plain: options.plainPictures, ...picture }),
    misbehave(fault, { times = 1, match = () => true, target } = {}) {
      faults.push({
        fault,
        left: times,
        match,
        target: target ?? (fault.kind === 'download' ? 'download' : 'generation'),
      })
    },
    takeFault(request, target) {
      const waiting = faults.find(one => one.target === target && one.match(request))
      if (!waiting) return undefined
      waiting.left -= 1
      if (waiting.left <= 0) faults.splice(faults.indexOf(waiting), 1)
      return waiting.fault
    },
    publish(file) {
      const [oldest] = files.keys()
      if (oldest !== undefined && files.size >= maxFiles) files.delete(oldest)
      files.set(file.path, { ...file, expiresAt: Date.now() + urlLifetimeSeconds * 1000 })
      return `${origin}${file.path}?${file.query}`
    },
    expireUrls() {
      for (const file of files.values()) file.expiresAt = 0
    },
    reset() {
      requests.length = 0
      loggedBytes.length = 0
      billed.length = 0
      faults.length = 0
    },
    async close() {
      closing.abort()
      const closed = new Promise<void>(resolve => http.close(() => resolve()))
      http.closeAllConnections()
      await closed
    },
  }
  return server

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '/'
    const mark = target.indexOf('?')
    const { authorization: _secret, ...headers } = request.headers
    const log: LoggedRequest = {
      method: request.method ?? 'GET',
      path: target,
      headers,
      keyName: null,
      body: null,
      at: Date.now(),
      status: null,
    }
    requests.push(log)
    loggedBytes.push(0)
    // Writing to a client that has gone is no news here.
    response.on('error', () => {})
    request.on('error', () => {})
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    response.on('finish', () => request.resume())

    const pieces: Buffer[] = []
    let bytes = 0
    try {
      for await (const piece of request as AsyncIterable<Buffer>) {
        bytes += piece.length
        if (bytes > maxBodyBytes) {
          response.writeHead(413, { connection: 'close' }).end()
          log.status = 413
          return
        }
        pieces.push(piece)
      }
    } catch {
      return
    }
    const body = Buffer.concat(pieces)
    const json = parseJson(body)
    const isText = /json|text|urlencoded|^$/.test(headers['content-type'] ?? '')
    log.body = json !== undefined ? json : bytes === 0 ? null : body.toString(isText ? 'utf8' : 'latin1')
    keepLogSmall(log, bytes)

    const exchange: Exchange = {
      request,
      response,
      method: log.method,
      path: mark < 0 ? target : target.slice(0, mark),
      query: mark < 0 ? '' : target.slice(mark + 1),
      headers: request.headers,
      body,
      json,
      log,
      signal: AbortSignal.any([gone.signal, closing.signal]),
      async send(status, body, headers = {}) {
        const answer = await encode(body, headers, takesGzip(request))
        if (response.destroyed) return
        log.status = status
        response.writeHead(status, answer.headers)
        response.end(log.method === 'HEAD' ? undefined : answer.bytes)
      },
      async sendCut(status, body, headers, after) {
        if (after === 'request') return exchange.cut()
        const answer = await encode(body, headers, false)
        if (response.destroyed) return
        log.status = status
        response.writeHead(status, answer.headers)
        response.flushHeaders()
        if (after === 'half-body') await exchange.write(answer.bytes.subarray(0, Math.ceil(answer.bytes.length / 2)))
        await afterFlight()
        exchange.cut()
      },
      write(piece) {
        return new Promise(resolve => {
          if (response.destroyed) return resolve()
          response.once('close', resolve)
          response.write(piece, () => {
            response.off('close', resolve)
            resolve()
          })
        })
      },
      async writeSplit(piece) {
        request.socket.setNoDelay(true)
        const bytes = Buffer.from(piece)
        // Seven bytes never fall together with three-byte characters for long. A picture in base64 has megabytes: only its ends
        // are worth the patience.
        let offset = 0
        while (offset < bytes.length && !response.destroyed) {
          const left = bytes.length - offset
          const length = offset < 2048 || left < 1024 ? 7 : Math.min(65_521, left - 1000)
          await exchange.write(bytes.subarray(offset, offset + length))
          offset += length
          await nextTurn()
        }
      },
      cut() {
        request.socket.destroy()
      },
      settle: afterFlight,
      async wait(ms) {
        if (ms > 0) await pause(ms, undefined, { signal: closing.signal })
      },
      async hang() {
        if (gone.signal.aborted) return
        await new Promise<void>(resolve => gone.signal.addEventListener('abort', () => resolve(), { once: true }))
      },
    }
    try {
      if (exchange.path.startsWith(filesPath)) await serveFile(exchange)
      else await parts.handle(exchange, server)
    } catch (error) {
      if (closing.signal.aborted) return
      console.error('simulator:', error)
      if (response.headersSent) exchange.cut()
      else await exchange.send(500, `The simulator itself failed: ${error}`, { 'content-type': 'text/plain' })
    }
  }

  function keepLogSmall(log: LoggedRequest, bytes: number): void {
    const index = requests.indexOf(log)
    if (index >= 0) loggedBytes[index] = bytes
    let held = loggedBytes.reduce((sum, one) => sum + one, 0)
    while (requests.length > maxLoggedRequests || (held > maxLoggedBytes && requests.length > 1)) {
      requests.shift()
      held -= loggedBytes.shift() ?? 0
    }
  }

  async function serveFile(exchange: Exchange): Promise<void> {
    const file = files.get(exchange.path)
    const fault = server.takeFault(exchange.log, 'download')
    const how = fault?.kind === 'download' ? fault.how : undefined
    if (fault?.kind === 'status') return exchange.send(fault.status, fault.body ?? '', fault.headers)
    if (fault?.kind === 'hang') return exchange.hang()
    if (fault?.kind === 'slow') await exchange.wait(fault.ms)
    if (how === '404') return parts.refuseFile(exchange, 'missing')
    if (how === '403') return parts.refuseFile(exchange, 'expired')
    if (how === '500')
      return exchange.send(500, '<Error><Code>InternalError</Code></Error>', { 'content-type': 'application/xml' })
    if (!file) return parts.refuseFile(exchange, 'missing')
    // The signature covers the method, the path and every byte of the query.
    if (exchange.method !== 'GET') return parts.refuseFile(exchange, 'method')
    if (exchange.headers.authorization !== undefined) return parts.refuseFile(exchange, 'authorization')
    if (exchange.query !== file.query) return parts.refuseFile(exchange, 'altered')
    if (Date.now() >= file.expiresAt) return parts.refuseFile(exchange, 'expired')

    const type = { 'content-type': file.contentType }
    if (how === 'not-a-picture')
      return exchange.send(200, Buffer.from('<html><body>Please sign in.</body></html>'), type)
    const drawn = await file.draw()
    if (how === undefined) return sendFile(exchange, drawn, type)
    if (how === 'other-type') return exchange.send(200, await asOtherType(drawn, file.contentType), type)
    if (exchange.response.destroyed) return
    exchange.log.status = 200
    if (how === 'huge') return sendWithoutEnd(exchange, drawn, type)
    exchange.response.writeHead(200, { ...type, 'content-length': drawn.length })
    if (how === 'cut') {
      await exchange.write(drawn.subarray(0, Math.ceil(drawn.length / 2)))
      await afterFlight()
      return exchange.cut()
    }
    const steps = 10
    const step = Math.ceil(drawn.length / steps)
    for (let offset = 0; offset < drawn.length; offset += step) {
      await exchange.write(drawn.subarray(offset, offset + step))
      await exchange.wait(((fault?.kind === 'download' && fault.ms) || 1000) / steps)
    }
    exchange.response.end()
  }
}

/** The arguments of `[[name]]` and `[[name:argument]]` in a prompt: how people make a simulator misbehave from outside. */
export function triggersOf(prompt: string): Map<string, string> {
  return new Map(
    [...prompt.matchAll(/\[\[([a-z0-9-]+)(?::([^\]]*))?\]\]/gi)].map(found => [
      found[1]!.toLowerCase(),
      found[2] ?? '',
    ]),
  )
}

/** Both ends of a cut see the bytes before it only when those have left first. */
async function afterFlight(): Promise<void> {
  await pause(15)
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

function takesGzip(request: IncomingMessage): boolean {
  return /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
}

async function encode(body: string | object | Buffer, headers: Record<string, string>, mayCompress: boolean) {
  if (Buffer.isBuffer(body)) return { bytes: body, headers: { ...headers, 'content-length': String(body.length) } }
  const plain = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8'
  const all: Record<string, string> = { 'content-type': type, ...headers }
  if (!mayCompress || plain.length === 0)
    return { bytes: plain, headers: { ...all, 'content-length': String(plain.length) } }
  const bytes = await compress(plain, { level: constants.Z_BEST_SPEED })
  return { bytes, headers: { ...all, 'content-encoding': 'gzip', 'content-length': String(bytes.length) } }
}

/** Object stores serve single ranges, so a client may go on with a broken download. */
async function sendFile(exchange: Exchange, bytes: Buffer, headers: Record<string, string>): Promise<void> {
  const range = /^bytes=(\d+)-(\d*)$/.exec(exchange.headers.range ?? '')
  const all = { ...headers, 'accept-ranges': 'bytes' }
  if (!range) return exchange.send(200, bytes, all)
  const from = Number(range[1])
  const to = Math.min(range[2] ? Number(range[2]) : bytes.length - 1, bytes.length - 1)
  if (from > to) return exchange.send(416, Buffer.alloc(0), { 'content-range': `bytes */${bytes.length}` })
  const part = bytes.subarray(from, to + 1)
  return exchange.send(206, part, { ...all, 'content-range': `bytes ${from}-${to}/${bytes.length}` })
}

async function sendWithoutEnd(exchange: Exchange, begin: Buffer, headers: Record<string, string>): Promise<void> {
  exchange.response.writeHead(200, headers)
  await exchange.write(begin)
  const piece = Buffer.alloc(2 ** 20)
  for (let sent = 0; sent < hugeBytes && !exchange.response.destroyed; sent += piece.length) await exchange.write(piece)
  exchange.response.end()
}

async function asOtherType(bytes: Buffer, contentType: ResultFile['contentType']): Promise<Buffer> {
  const picture = sharp(bytes)
  return contentType === 'image/png'
    ? picture.flatten({ background: '#fff' }).jpeg().toBuffer()
    : picture.png({ compressionLevel: 1 }).toBuffer()
}
