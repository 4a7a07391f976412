/**
 * Outgoing HTTP, to public addresses only.
 *
 * Every exchange has a connection of its own. It costs a handshake, little beside a picture, and buys certainty: what
 * failed before the connection stood was never sent, and every connection was checked for where it leads.
 */
import { lookup as systemLookup } from 'node:dns'
import { type IncomingMessage, type OutgoingHttpHeaders, request as startRequest } from 'node:http'
import { isIP, type LookupFunction, type Socket } from 'node:net'
import type { Duplex, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import ipaddr from 'ipaddr.js'
import { buildConnector, Response as UndiciResponse } from 'undici'
import packageFile from '../../package.json' with { type: 'json' }
import { decoded } from './decode.ts'
import { ExchangeError, type FailureCode, type ProviderFailure } from './errors.ts'
import { isInsideName, type ProxySettings, proxyFor, proxyOutOfReach, tunnelThrough } from './proxy.ts'

export interface Http {
  /**
   * One exchange; redirects are not followed. Every POST uses a connection of its own, because a request on a kept
   * connection that the other side just closed could not be told from one that arrived.
   * @throws ExchangeError `retry_safe` when the request cannot have arrived (name, connect, TLS), `refused` when trying
   * again would not help either (refused address, unknown name, certificate), `maybe_billed` for anything later. Abort
   * errors of `signal` pass as they are.
   */
  request(request: HttpRequest): Promise<HttpResponse>
}

export interface HttpRequest {
  method: 'GET' | 'POST'
  url: string
  headers?: Record<string, string>
  body?: string | Uint8Array | FormData
  signal?: AbortSignal
  /** Until the headers of the answer. */
  headersTimeoutMs: number
  /** Between two pieces of the body. */
  idleTimeoutMs: number
  /** Until the end of the body, however slowly it comes; then it counts as cut. When absent `headersTimeoutMs` and ten minutes. */
  timeoutMs?: number
  /** Is given the decoded body, of which its reader gets what comes out. */
  through?(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
}

export interface HttpResponse {
  status: number
  /** Names in lower case; of repeated ones the first. */
  headers: Record<string, string>
  /** Decoded. @throws ExchangeError `maybe_billed` with what came when it is cut or larger than `maxBytes`. */
  text(maxBytes?: number): Promise<string>
  /** Pieces of the decoded body; throws like `text`. */
  body: AsyncIterable<Uint8Array>
  /** Reads nothing more and lets the connection go. */
  discard(): void
}

/** What the program holds; adapters see `Http` alone. */
export interface OutgoingHttp extends Http {
  /**
   * Fetches what a URL names, letter for letter, without any key, following redirects; each hop is checked like a first
   * request. Timers are coarse, about a second.
   * @throws ExchangeError like `request` (of a GET, so it may always be repeated), BodyTooLarge
   */
  download(url: string, options: DownloadOptions): Promise<HttpResponse>
  /**
   * Why requests to this address would be refused, as a sentence; undefined when they would not. A name that cannot be
   * looked up now is not refused. For checking input: the check that counts is made when connecting.
   */
  refusal(url: string): Promise<string | undefined>
  /** Ends all exchanges. */
  close(): Promise<void>
}

export interface DownloadOptions {
  signal?: AbortSignal
  /** Of the decoded body. */
  maxBytes: number
  headersTimeoutMs: number
  idleTimeoutMs: number
  /** 3 when absent. */
  maxRedirects?: number
}

export interface HttpOptions {
  /** `host`, `host:port`, or `.suffix` of names, that may be private. */
  allowedHosts: readonly string[]
  /** Exact origins, such as `http://127.0.0.1:9101`, that may be private. */
  allowedOrigins: readonly string[]
  /** For what is neither loopback nor among `allowedHosts`; none when absent. */
  proxy?: ProxySettings
  /** Name, TCP and TLS together; 10 s when absent. */
  connectTimeoutMs?: number
  /** How names become addresses; the system's way when absent. */
  lookup?: LookupFunction
  /** Opens connections in place of undici's connector; `lookup` is then unused. */
  connector?: buildConnector.connector
}

/** A body that is larger than its reader takes. */
export class BodyTooLarge extends ExchangeError {
  override name = 'BodyTooLarge'
}

/** Of an answer that is read whole into memory. */
const largestText = 128 * 1024 * 1024
/** Gateways put traces and policies there. An answer that cost money is not lost with them. */
const largestHeaders = 16 * 1024 * 1024
/** For the body, where nothing else is said. */
const usualBodyMs = 10 * 60_000

/** For the addresses of a name that a proxy will look up as well. */
const longestLookupMs = 3_000

/** To tell other programs, and the rules of hosts that answer nobody who does not say who it is. */
const userAgent = `webimgui/${packageFile.version}`

export function createHttp(options: HttpOptions): OutgoingHttp {
  const connectTimeoutMs = options.connectTimeoutMs ?? 10_000
  const isAllowedHost = allowList({ ...options, allowedOrigins: [] })
  const isAllowed = allowList(options)
  const lookup = options.lookup ?? systemLookup
  const guarded = options.connector ?? connectorWith(publicOnly(lookup), connectTimeoutMs)
  const unguarded = options.connector ?? connectorWith(lookup, connectTimeoutMs)
  const exchanges = new Set<AbortController>()

  async function exchange(request: HttpRequest): Promise<HttpResponse> {
    request.signal?.throwIfAborted()
    const target = targetOf(request.url)
    const { body, headers } = await encoded(request)
    const { signal, headersTimeoutMs, idleTimeoutMs, timeoutMs = headersTimeoutMs + usualBodyMs } = request
    const { host } = target.url
    const ending = new AbortController()
    const abort = () => ending.abort(signal?.reason)
    const deadline = setTimeout(() => ending.abort(new TimeoutError()), timeoutMs)
    const release = () => {
      clearTimeout(deadline)
      signal?.removeEventListener('abort', abort)
      exchanges.delete(ending)
      ending.abort(new Error('The connection was let go'))
    }
    exchanges.add(ending)
    signal?.addEventListener('abort', abort)
    let isConnected = false
    try {
      const connection = await connect(target.url, ending.signal)
      isConnected = true
      const message = { method: request.method, path: target.path, headers: { host, ...headers }, body }
      const answer = await answerTo(message, connection, headersTimeoutMs, ending.signal)
      const key = /^Bearer (\S{8,})$/.exec(headers.authorization ?? headers.Authorization ?? '')?.[1]
      return responseOf(answer, { release, host, signal, key, idleTimeoutMs, through: request.through })
    } catch (error) {
      release()
      if (signal?.aborted) throw signal.reason
      if (error instanceof ExchangeError) throw error
      throw isConnected ? lost(error, host, 'headers') : unsent(error, host)
    }
  }

  async function connect(url: URL, signal: AbortSignal): Promise<Duplex> {
    const proxy = proxyOf(url)
    if (!proxy) return opened(isAllowed(url) ? unguarded : checkingPeer(guarded), url, signal)
    await refuseInside(url)
    const patience = AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)])
    const socket = await opened(unguarded, proxy, patience).catch(error => {
      throw proxyOutOfReach(error)
    })
    const tunnel = await tunnelThrough(socket, proxy, url, patience)
    if (url.protocol === 'http:') return tunnel
    // TLS goes on top of the tunnel, so that the proxy sees nothing but a name.
    return opened(unguarded, url, signal, tunnel as Socket)
  }

  /** What is named as allowed is inside, where no proxy has to help. The services themselves are not. */
  function proxyOf(url: URL): URL | undefined {
    return options.proxy && !isAllowedHost(url) ? proxyFor(url, options.proxy) : undefined
  }

  /**
   * Behind a proxy nobody sees where a connection ends. What can be known is checked: literal addresses, names that are inside by their
   * form, and what the own DNS says, where it says something.
   */
  async function refuseInside(url: URL) {
    if (isAllowed(url)) return
    const host = bareHost(url)
    const isInside = isIP(host) ? !isPublic(host) : isInsideName(host) || !(await addressesFor(host)).every(isPublic)
    if (isInside) throw refused(blockedSentence(host))
  }

  async function addressesFor(host: string): Promise<string[]> {
    const found = new Promise<string[]>(resolve =>
      lookup(host, { all: true }, (_error, found) => resolve(addressesOf(found))),
    )
    // Machines behind a proxy often have no DNS for the rest of the world.
    return Promise.race([found, sleep(longestLookupMs, [], { ref: false })])
  }

  return {
    request: exchange,

    async download(url, { maxRedirects = 3, maxBytes, ...options }) {
      let next = url
      for (let hops = 0; ; hops++) {
        const response = await exchange({ method: 'GET', url: next, ...options })
        const location = response.headers.location
        if (![301, 302, 303, 307, 308].includes(response.status) || !location) return limited(response, maxBytes, next)
        response.discard()
        if (hops === maxRedirects) {
          throw refused(`${hostOf(url)} redirected more than ${maxRedirects} times. Use the address that it leads to.`)
        }
        next = redirected(next, location)
      }
    },

    async refusal(url) {
      try {
        const target = targetOf(url)
        if (isAllowed(target.url)) return undefined
        if (proxyOf(target.url)) await refuseInside(target.url)
        const host = bareHost(target.url)
        if (isIP(host)) return isPublic(host) ? undefined : blockedSentence(host)
        return (await addressesFor(host)).every(isPublic) ? undefined : blockedSentence(host)
      } catch (error) {
        if (error instanceof ExchangeError) return error.message
        throw error
      }
    },

    async close() {
      for (const ending of exchanges) ending.abort(new Error('The server ends'))
      exchanges.clear()
    },
  }
}

// ── Addresses ───────────────────────────────────────────────────────────────────────────────────────────────────────

interface Target {
  url: URL
  /** Path and query as they stood in the text: a signature covers every letter. */
  path: string
}

function targetOf(text: string): Target {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') {
    throw refused('The address is not a http:// or https:// URL. Give a whole URL.')
  }
  if (url.username !== '' || url.password !== '') {
    throw refused(`The address of ${url.host} holds a user name or password. Leave them out.`)
  }
  // URL would rewrite dot segments and some characters; the text is used wherever it can go on the wire as it is.
  const asWritten = /^https?:\/\/[^/?#\\@]+([/?][\x21\x22\x24-\x7e]*)?(?:#.*)?$/i.exec(text)
  const path = asWritten ? (asWritten[1] ?? '/') : url.pathname + url.search
  return { url, path: path.startsWith('/') ? path : `/${path}` }
}

/** A location keeps its letters too; only what is missing is taken from the address it came from. */
function redirected(from: string, location: string): string {
  if (/^https?:\/\//i.test(location)) return location
  if (!URL.canParse(location, from)) throw refused(`${hostOf(from)} redirected to something that is not an address.`)
  const base = new URL(from)
  return location.startsWith('/') && !location.startsWith('//') ? base.origin + location : new URL(location, base).href
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'the address'
}

/** Without brackets and without the dot that ends a rooted name. */
function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

function allowList(options: HttpOptions): (url: URL) => boolean {
  const origins = new Set(
    options.allowedOrigins.filter(origin => URL.canParse(origin)).map(origin => new URL(origin).origin),
  )
  const suffixes = options.allowedHosts.filter(entry => entry.startsWith('.')).map(entry => entry.toLowerCase())
  const hosts = options.allowedHosts.flatMap(entry => {
    if (entry.startsWith('.')) return []
    const isBareIpv6 = isIP(entry) === 6
    const text = `http://${isBareIpv6 ? `[${entry}]` : entry}`
    if (!URL.canParse(text)) return []
    const port = isBareIpv6 ? undefined : /:(\d+)$/.exec(entry)?.[1]
    return [{ host: bareHost(new URL(text)), port: port === undefined ? undefined : Number(port) }]
  })
  return url => {
    const host = bareHost(url)
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
    return (
      origins.has(url.origin) ||
      hosts.some(entry => entry.host === host && (entry.port ?? port) === port) ||
      suffixes.some(suffix => host.endsWith(suffix))
    )
  }
}

/** Public unicast. Of IPv6 that is 2000::/3 less what is set aside in it, which leaves out ::a.b.c.d as well. */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  if (parsed.range() !== 'unicast') return false
  return parsed.kind() === 'ipv4' || (parsed.toByteArray()[0]! & 0xe0) === 0x20
}

function addressesOf(found: unknown): string[] {
  const list = Array.isArray(found) ? found : found === undefined || found === null ? [] : [found]
  return list.map(item => (typeof item === 'string' ? item : String(Object(item).address)))
}

/** A lookup that fails when any of the answers is not public: a name must not have it both ways. */
function publicOnly(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, [])
      const answers = Array.isArray(found) ? found : [{ address: found, family: isIP(found) }]
      const blocked = answers.find(answer => !isPublic(answer.address))
      if (blocked) return callback(blockedAt(hostname, blocked.address), [])
      const first = answers[0]
      if (options.all || !first) return callback(null, answers)
      callback(null, first.address, first.family)
    })
  }
}

/** Literal addresses never reach a lookup, and what a connector did is believed only after a look at the other end. */
function checkingPeer(connect: buildConnector.connector): buildConnector.connector {
  return (wanted, callback) => {
    const host = wanted.hostname.replace(/^\[(.*)\]$/, '$1')
    if (isIP(host) && !isPublic(host)) return callback(refused(blockedSentence(host)), null)
    connect(wanted, (...result) => {
      const [error, socket] = result
      if (error !== null) return callback(error, null)
      const peer = socket.remoteAddress
      if (peer !== undefined && isPublic(peer)) return callback(null, socket)
      socket.destroy()
      callback(blockedAt(host, peer ?? 'an unknown address'), null)
    })
  }
}

function connectorWith(lookup: LookupFunction, timeout: number): buildConnector.connector {
  // 250 ms, the default for each address of a name, is too short for a service on the other side of the earth.
  return buildConnector({ lookup, timeout, allowH2: false, autoSelectFamilyAttemptTimeout: Math.ceil(timeout / 3) })
}

/** @throws errors of the connector, and the reason of `signal`, as they are. */
function opened(
  connector: buildConnector.connector,
  { protocol, hostname, host, port }: URL,
  signal: AbortSignal,
  httpSocket?: Socket,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort)
    const wanted = { protocol, hostname: hostname.replace(/^\[(.*)\]$/, '$1'), host, port, httpSocket }
    connector(wanted, (error, socket) => {
      signal.removeEventListener('abort', abort)
      if (error) return reject(error)
      // Nobody waits for it any more.
      if (signal.aborted) return void socket.destroy()
      resolve(socket as Socket)
    })
  })
}

/** The address is for the log, as the cause: whoever may name a reference must not read from the answers which machines are inside. */
function blockedAt(host: string, address: string): ExchangeError {
  return refused(blockedSentence(host), new Error(`${host} leads to ${address}`))
}

function blockedSentence(host: string): string {
  const what = isIP(host) ? `${host} is not a public address` : `${host} has an address that is not a public address`
  return `${what}, so nothing was sent there. If it is a service of your own, or the DNS of a proxy answers for the services, name it (or a suffix such as .aliyuncs.com) in ALLOWED_HOSTS.`
}

// ── Bodies ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Sent as whole bytes, so that the length is known. A form is spelled by the implementation that it comes from. */
async function encoded(request: HttpRequest): Promise<{ body?: string | Uint8Array; headers: Record<string, string> }> {
  const headers: Record<string, string> = { 'user-agent': userAgent, ...request.headers }
  const { body } = request
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return { body, headers }
  const form = body instanceof globalThis.FormData ? new globalThis.Response(body) : new UndiciResponse(body)
  headers['content-type'] = form.headers.get('content-type') ?? 'multipart/form-data'
  return { body: new Uint8Array(await form.arrayBuffer()), headers }
}

/**
 * Sends a request and waits for the head of its answer. The parser takes what servers and gateways really write (line ends, signs in
 * heads, two lengths that agree, an unasked `100 Continue`): nothing else travels on this connection that a lenient one could mix up.
 */
function answerTo(
  { body, ...message }: { method: string; path: string; headers: OutgoingHttpHeaders; body?: string | Uint8Array },
  connection: Duplex,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const asked = (() => {
    try {
      return startRequest({
        ...message,
        setHost: false,
        createConnection: () => connection,
        insecureHTTPParser: true,
        maxHeaderSize: largestHeaders,
      })
    } catch (error) {
      connection.destroy()
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
    asked.on('error', reject)
    asked.on('close', () => {
      clearTimeout(timer)
      reject(new Error('The connection was closed'))
    })
    asked.end(body)
  })
}

function responseOf(
  answer: IncomingMessage,
  exchange: {
    release(): void
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
  const received = collected(answer, exchange.idleTimeoutMs)
  // Some services repeat the ends of a key that they refuse, with stars between.
  const withoutStars = (text: string) =>
    exchange.key === undefined || status < 400 ? text : text.replace(/[\w-]*\*{3,}[\w-]*/g, '(key)')

  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      const body = withoutKey(decoded(received, headers['content-encoding']), exchange.key)
      yield* exchange.through ? exchange.through(body) : body
    } catch (error) {
      if (exchange.signal?.aborted) throw exchange.signal.reason
      throw lost(error, exchange.host, 'body')
    } finally {
      exchange.release()
    }
  }

  const body = pieces()
  return {
    status,
    headers,
    body,
    async text(maxBytes = largestText) {
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
    discard: exchange.release,
  }
}

/** Some services repeat the key, and what they say is kept, logged and shown. Only what may be its beginning waits for what follows. */
async function* withoutKey(pieces: AsyncIterable<Uint8Array>, key: string | undefined): AsyncGenerator<Uint8Array> {
  if (key === undefined) return yield* pieces
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
    // It takes its turn behind what came.
    failure = { error }
  }
  if (rest.length > 0) yield rest
  if (failure) throw failure.error
}

/** The body may not grow beyond `maxBytes`, and is not even begun when it says so itself. */
function limited(response: HttpResponse, maxBytes: number, url: string): HttpResponse {
  if (response.headers['content-encoding'] === undefined && Number(response.headers['content-length']) > maxBytes) {
    response.discard()
    throw tooLarge(hostOf(url), maxBytes)
  }
  async function* body() {
    let bytes = 0
    for await (const piece of response.body) {
      bytes += piece.length
      if (bytes > maxBytes) throw tooLarge(hostOf(url), maxBytes)
      yield piece
    }
  }
  return { ...response, body: body(), text: (fewer = maxBytes) => response.text(Math.min(fewer, maxBytes)) }
}

/**
 * The pieces as they came. An error takes its turn behind them, where a stream by itself would throw away what nobody
 * read yet; up to a megabyte waits here for its reader.
 */
function collected(stream: Readable, idleTimeoutMs: number): AsyncIterable<Uint8Array> {
  const pieces: Buffer[] = []
  let waiting = 0
  let ended: { failure?: unknown } | undefined
  let wake = () => {}
  // Who waits for a slow reader is not idle.
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
    if (waiting > 1024 * 1024) stream.pause()
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

// ── What an error proves ────────────────────────────────────────────────────────────────────────────────────────────

function refused(message: string, cause?: unknown): ExchangeError {
  return new ExchangeError({ code: 'provider_unavailable', disposition: 'refused', message }, { cause })
}

function tooLarge(host: string, maxBytes: number): BodyTooLarge {
  return new BodyTooLarge({
    code: 'outcome_unknown',
    disposition: 'maybe_billed',
    message: `The answer of ${host} is larger than ${maxBytes} bytes, which is more than is taken.`,
  })
}

/** No connection stood, so nothing was sent. */
function unsent(error: unknown, host: string): ExchangeError {
  const code = codeOf(error)
  if (code === 'ENOTFOUND' || code === 'ENODATA' || code === 'EAI_NONAME') {
    return refused(`The name of ${host} is unknown. Check the address.`, error)
  }
  if (/CERT|SIGNATURE|^UNABLE_TO|^DEPTH_ZERO|^HOSTNAME_MISMATCH|^INVALID_CA|^PATH_LENGTH/.test(code)) {
    return refused(`The certificate of ${host} was not accepted (${code}). Check the address and the clock.`, error)
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) {
    return refused(
      `${host} does not speak TLS as https needs it (${code}). Check scheme and port of the address.`,
      error,
    )
  }
  const failure: ProviderFailure = {
    code: 'provider_unavailable',
    disposition: 'retry_safe',
    message: `${host} could not be reached${code ? ` (${code})` : ''}. Nothing was sent.`,
  }
  return new ExchangeError(failure, { cause: error })
}

/** The request may have arrived. */
function lost(error: unknown, host: string, waitingFor: 'headers' | 'body'): ExchangeError {
  if (error instanceof ExchangeError) return error
  const isTimeout = error instanceof TimeoutError
  const code: FailureCode = isTimeout ? 'provider_timeout' : 'outcome_unknown'
  const detail = codeOf(error)
  const what = isTimeout
    ? waitingFor === 'headers'
      ? 'did not answer in time'
      : 'stopped in the middle of its answer'
    : `broke the connection ${waitingFor === 'headers' ? 'before its answer' : 'in the middle of its answer'}${detail ? ` (${detail})` : ''}`
  return new ExchangeError(
    { code, disposition: 'maybe_billed', message: `${host} ${what}. What was asked may have been done.` },
    { cause: error },
  )
}

/** The head of an answer, its next piece, or its end did not come in time. */
class TimeoutError extends Error {
  override name = 'TimeoutError'
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
