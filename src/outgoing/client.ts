/**
 * The client behind `Http`. Every exchange that can cost money has a connection of its own. It costs a handshake, little beside a
 * picture, and buys certainty: what failed before the connection stood was never sent. Downloads may follow each other on one. Every
 * connection was checked for where it leads.
 */

import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { buildConnector } from 'undici'
import packageFile from '../../package.json' with { type: 'json' }
import {
  type AllowedPlaces,
  allowList,
  bareHost,
  describeBlocked,
  isPublic,
  parseAddresses,
  parseTarget,
  readHost,
  resolveRedirect,
} from './addresses.ts'
import { KeptConnectionLost, type KeptWay, limitBody, sendRequest, toResponse } from './answer.ts'
import { lost, refused, TimeoutError, unsent } from './broken-exchange.ts'
import { checkPeer, createConnector, openConnection, publicOnly } from './connect.ts'
import { ExchangeError } from './failure.ts'
import type { HttpRequest, HttpResponse, OutgoingHttp } from './http.ts'
import { KeptConnections } from './kept-connections.ts'
import { isInsideName, type ProxySettings, proxyFor, proxyOutOfReach, tunnelThrough } from './proxy.ts'

export interface HttpOptions extends AllowedPlaces {
  /** Used for addresses that are neither loopback nor in `allowedHosts`; none when absent. */
  proxy?: ProxySettings
  /** Name, TCP and TLS together; 10 s when absent. */
  connectTimeoutMs?: number
  /** Resolves names; the system's resolver when absent. */
  lookup?: LookupFunction
  /** Opens connections in place of undici's connector; `lookup` is then unused. */
  connector?: buildConnector.connector
}

/** Default for the body. */
const usualBodyMs = 10 * 60_000

/** Limit for resolving a name that the proxy will resolve as well. */
const maxLookupMs = 3_000

/** Identifies this program; some hosts refuse requests without a user agent. */
const userAgent = `webimgui/${packageFile.version}`

export function createHttp(options: HttpOptions): OutgoingHttp {
  const connectTimeoutMs = options.connectTimeoutMs ?? 10_000
  const isAllowedHost = allowList({ ...options, allowedOrigins: [] })
  const isAllowed = allowList(options)
  const lookup = options.lookup ?? systemLookup
  const guarded = options.connector ?? createConnector(publicOnly(lookup), connectTimeoutMs)
  const unguarded = options.connector ?? createConnector(lookup, connectTimeoutMs)
  const exchanges = new Set<AbortController>()
  const kept = new KeptConnections()

  async function exchange(request: HttpRequest, isFree = false): Promise<HttpResponse> {
    request.signal?.throwIfAborted()
    const target = parseTarget(request.url)
    const { body, headers } = await encodeBody(request)
    const { signal, headersTimeoutMs, idleTimeoutMs, timeoutMs = headersTimeoutMs + usualBodyMs } = request
    const { host } = target.url
    const ending = new AbortController()
    const abort = () => ending.abort(signal?.reason)
    const deadline = setTimeout(() => ending.abort(new TimeoutError()), timeoutMs)
    const release = (isComplete: boolean) => {
      clearTimeout(deadline)
      signal?.removeEventListener('abort', abort)
      exchanges.delete(ending)
      if (!isComplete) ending.abort(new Error('The connection was let go'))
    }
    exchanges.add(ending)
    signal?.addEventListener('abort', abort)
    let isConnected = false
    const open = async () => {
      const connection = await connect(target.url, ending.signal)
      isConnected = true
      return connection
    }
    try {
      const message = { method: request.method, path: target.path, headers: { host, ...headers }, body }
      const send = (way: Duplex | KeptWay) => sendRequest(message, way, headersTimeoutMs, ending.signal)
      const answer = isFree
        ? await send({ agent: kept, origin: target.url.origin, open }).catch(async error => {
            if (error instanceof KeptConnectionLost && !ending.signal.aborted) return send(await open())
            throw error
          })
        : await send(await open())
      const key = /^Bearer (\S{8,})$/.exec(headers.authorization ?? headers.Authorization ?? '')?.[1]
      return toResponse(answer, { release, host, signal, key, idleTimeoutMs, through: request.through })
    } catch (error) {
      release(false)
      if (signal?.aborted) throw signal.reason
      if (error instanceof ExchangeError) throw error
      throw isConnected ? lost(error, host, 'headers') : unsent(error, host)
    }
  }

  async function connect(url: URL, signal: AbortSignal): Promise<Duplex> {
    const proxy = chooseProxy(url)
    if (!proxy) return openConnection(isAllowed(url) ? unguarded : checkPeer(guarded), url, signal)
    await refuseInside(url)
    const patience = AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)])
    const socket = await openConnection(unguarded, proxy, patience).catch(error => {
      throw proxyOutOfReach(error)
    })
    const tunnel = await tunnelThrough(socket, proxy, url, patience)
    if (url.protocol === 'http:') return tunnel
    // TLS runs inside the tunnel, so that the proxy sees only the host name.
    return openConnection(unguarded, url, signal, tunnel as Socket)
  }

  /** What is named as allowed is inside, where no proxy has to help. The services themselves are not. */
  function chooseProxy(url: URL): URL | undefined {
    return options.proxy && !isAllowedHost(url) ? proxyFor(url, options.proxy) : undefined
  }

  /**
   * Behind a proxy the final address is unknown. What can be known is checked: literal addresses, names that are internal by their
   * form, and what the own DNS says, where it says something.
   */
  async function refuseInside(url: URL) {
    if (isAllowed(url)) return
    const host = bareHost(url)
    const isInside = isIP(host) ? !isPublic(host) : isInsideName(host) || !(await addressesFor(host)).every(isPublic)
    if (isInside) throw refused(describeBlocked(host))
  }

  async function addressesFor(host: string): Promise<string[]> {
    const found = new Promise<string[]>(resolve =>
      lookup(host, { all: true }, (_error, found) => resolve(parseAddresses(found))),
    )
    // Machines behind a proxy often have no public DNS.
    return Promise.race([found, sleep(maxLookupMs, [], { ref: false })])
  }

  return {
    request: request => exchange(request),

    async download(url, { maxRedirects = 3, maxBytes, ...options }) {
      let next = url
      for (let hops = 0; ; hops++) {
        const response = await exchange({ method: 'GET', url: next, ...options }, true)
        const location = response.headers.location
        if (![301, 302, 303, 307, 308].includes(response.status) || !location)
          return limitBody(response, maxBytes, next)
        response.discard()
        if (hops === maxRedirects) {
          throw refused(
            `${readHost(url)} redirected more than ${maxRedirects} times. Use the address that it leads to.`,
          )
        }
        next = resolveRedirect(next, location)
      }
    },

    async refusal(url) {
      try {
        const target = parseTarget(url)
        if (isAllowed(target.url)) return undefined
        if (chooseProxy(target.url)) await refuseInside(target.url)
        const host = bareHost(target.url)
        if (isIP(host)) return isPublic(host) ? undefined : describeBlocked(host)
        return (await addressesFor(host)).every(isPublic) ? undefined : describeBlocked(host)
      } catch (error) {
        if (error instanceof ExchangeError) return error.message
        throw error
      }
    },

    async close() {
      for (const ending of exchanges) ending.abort(new Error('The server ends'))
      exchanges.clear()
      kept.destroy()
    },
  }
}

/** Sent as one buffer, so that the length is known. FormData is encoded by the implementation that it comes from. */
async function encodeBody(
  request: HttpRequest,
): Promise<{ body?: string | Uint8Array; headers: Record<string, string> }> {
  const headers: Record<string, string> = { 'user-agent': userAgent, ...request.headers }
  const { body } = request
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return { body, headers }
  const form =
    body instanceof globalThis.FormData ? new globalThis.Response(body) : new (await import('undici')).Response(body)
  headers['content-type'] = form.headers.get('content-type') ?? 'multipart/form-data'
  return { body: new Uint8Array(await form.arrayBuffer()), headers }
}
