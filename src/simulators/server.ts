/**
 * What all simulators share: a plain HTTP server with a log, a ledger of billed pictures, keys, result files behind signed URLs, and
 * faults on demand. Plain `node:http`, because a simulator must be able to hold back headers and to cut a connection mid-byte.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { drawImage, type ImageOptions } from './drawing/picture.ts'
import { Exchange, type LoggedRequest, type Wording } from './exchange.ts'
import type { Fault } from './faults.ts'
import { createFiles, type FileRefusal, type ResultFile } from './files.ts'
import { Refusal } from './refusal.ts'

export interface SimulatorOptions<Rule extends KeyRule = KeyRule> {
  /** 1 (the default): the latencies of the documents; 0: at once. */
  timeScale?: number
  /** How long result URLs live, default 86400. */
  urlLifetimeSeconds?: number
  /** Pictures of one colour, which cost a tenth of a landscape; `grain`: of many, in files as large as those of a landscape are. */
  plainImages?: boolean | 'grain'
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

export interface SimulatorServer<Rule extends KeyRule> extends Omit<Simulator, 'baseUrl'> {
  timeScale: number
  urlLifetimeSeconds: number
  /** What the key of a request may do; undefined for a key that nobody has. */
  findRule(exchange: Exchange): Rule | undefined
  /** The fault that waits for this request, if any; it counts as used. */
  takeFault(exchange: Exchange, target: FaultTarget): Fault | undefined
  draw(image: ImageOptions): Promise<Buffer>
  /** The URL of a file that will be drawn when it is fetched. */
  publish(file: ResultFile): string
  bill(call: Pick<BilledImage, 'requestId' | 'key' | 'model'>, image: ImageOptions): void
}

const maxBodyBytes = 256 * 2 ** 20
const maxLoggedRequests = 5000
const maxLoggedBytes = 256 * 2 ** 20

/**
 * Listens at once. Files below `filesPath` (begins and ends with a slash) are served here, everything else goes to `handle`, whose
 * refusals are worded and sent; `refuseFile` answers in the words of the service's object store.
 */
export async function openServer<Rule extends KeyRule>(parts: {
  options: SimulatorOptions<Rule>
  demoKeys: Readonly<Record<string, Rule>>
  wording: Wording
  filesPath: string
  refuseFile: (exchange: Exchange, reason: FileRefusal) => Promise<void>
  handle: (exchange: Exchange, server: SimulatorServer<Rule>) => Promise<void>
}): Promise<SimulatorServer<Rule>> {
  const { options, wording } = parts
  const keys = options.keys ?? parts.demoKeys
  const timeScale = options.timeScale ?? 1
  const urlLifetimeSeconds = options.urlLifetimeSeconds ?? 86_400
  const log = createLog()
  const billed: BilledImage[] = []
  const faults: { fault: Fault; left: number; match: (request: LoggedRequest) => boolean; target: FaultTarget }[] = []
  const closing = new AbortController()
  const draw = (image: ImageOptions) => drawImage({ plain: options.plainImages, ...image })
  const files = createFiles({ lifetimeSeconds: urlLifetimeSeconds, draw, refuse: parts.refuseFile })

  const http = createServer((request, response) => {
    void receive(request, response)
  })
  // A picture may take longer than any default of the server.
  http.requestTimeout = 0
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(0, '127.0.0.1', resolve)
  })
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`

  const server: SimulatorServer<Rule> = {
    origin,
    requests: log.requests,
    billed,
    timeScale,
    urlLifetimeSeconds,
    draw,
    findRule: ({ key }) => (Object.hasOwn(keys, key) ? keys[key] : undefined),
    misbehave(fault, { times = 1, match = () => true, target } = {}) {
      const usual = fault.kind === 'download' ? 'download' : 'generation'
      faults.push({ fault, left: times, match, target: target ?? usual })
    },
    takeFault(exchange, target) {
      const waiting = faults.find(each => each.target === target && each.match(exchange.log))
      if (!waiting) return undefined
      waiting.left -= 1
      if (waiting.left <= 0) faults.splice(faults.indexOf(waiting), 1)
      return waiting.fault
    },
    publish(file) {
      files.add(file)
      return `${origin}${file.path}?${file.query}`
    },
    bill({ requestId, key, model }, { prompt, index, width, height }) {
      billed.push({ requestId, model, key, prompt, index, width, height, at: Date.now() })
    },
    expireUrls: files.expireAll,
    reset() {
      log.clear()
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
    const entry = log.begin(request)
    // Writing to a client that has gone is no news here.
    response.on('error', () => {})
    request.on('error', () => {})
    response.on('finish', () => request.resume())
    const body = await readBody(request)
    if (body === 'gone') return
    if (body === 'too-large') {
      entry.status = 413
      response.writeHead(413, { connection: 'close' }).end()
      return
    }
    const exchange = new Exchange({ request, response, body, log: entry, wording, closing: closing.signal })
    const rule = server.findRule(exchange)
    if (rule) entry.keyName = rule.name ?? exchange.key
    log.keep(entry, exchange)
    try {
      await respond(exchange)
    } catch (error) {
      if (closing.signal.aborted) return
      console.error('simulator:', error)
      if (response.headersSent) exchange.cut()
      else await exchange.send(500, `The simulator itself failed: ${error}`, { 'content-type': 'text/plain' })
    }
  }

  async function respond(exchange: Exchange): Promise<void> {
    try {
      if (!exchange.path.startsWith(parts.filesPath)) return await parts.handle(exchange, server)
      await files.serve(exchange, server.takeFault(exchange, 'download'))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      await exchange.wait((error.details.seconds ?? wording.refusalSeconds) * 1000 * timeScale)
      await exchange.refuse(error)
    }
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer | 'too-large' | 'gone'> {
  const pieces: Buffer[] = []
  let bytes = 0
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      bytes += piece.length
      if (bytes > maxBodyBytes) return 'too-large'
      pieces.push(piece)
    }
  } catch {
    return 'gone'
  }
  return Buffer.concat(pieces)
}

/** Holds the last requests, and no more bytes of them than a test machine can spare. */
function createLog() {
  const requests: LoggedRequest[] = []
  const sizes: number[] = []

  return {
    requests,

    begin(request: IncomingMessage): LoggedRequest {
      const { authorization: _secret, ...headers } = request.headers
      const entry: LoggedRequest = {
        method: request.method ?? 'GET',
        path: request.url ?? '/',
        headers,
        keyName: null,
        body: null,
        at: Date.now(),
        status: null,
      }
      requests.push(entry)
      sizes.push(0)
      return entry
    },

    keep(entry: LoggedRequest, { json, body }: Exchange): void {
      const isText = /json|text|urlencoded|^$/.test(entry.headers['content-type'] ?? '')
      const text = () => (body.length === 0 ? null : body.toString(isText ? 'utf8' : 'latin1'))
      entry.body = json === undefined ? text() : json
      const index = requests.indexOf(entry)
      if (index >= 0) sizes[index] = body.length
      let held = sizes.reduce((sum, size) => sum + size, 0)
      while (requests.length > maxLoggedRequests || (held > maxLoggedBytes && requests.length > 1)) {
        requests.shift()
        held -= sizes.shift() ?? 0
      }
    },

    clear(): void {
      requests.length = 0
      sizes.length = 0
    },
  }
}
