/**
 * Connects through the proxy of the environment. Always by CONNECT, for `http://` too: its answer distinguishes what the proxy
 * says from what the service says, and so what was never sent from what may have arrived.
 */
import { request } from 'node:http'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import ipaddr from 'ipaddr.js'
import { ExchangeError } from './failure.ts'

export interface ProxySettings {
  /** For `http://` and `https://` addresses; may hold a user name and password. */
  http: URL | undefined
  https: URL | undefined
  /** Hosts that are reached directly: `host`, `host:port`, suffixes with or without a dot before them, addresses, networks, or `*`. */
  noProxy: readonly string[]
}

/** The proxy for an address; undefined where it is reached directly, as this machine always is. */
export function proxyFor(url: URL, { http, https, noProxy }: ProxySettings): URL | undefined {
  const proxy = url.protocol === 'https:' ? https : http
  if (!proxy) return undefined
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
  const isOwnMachine = /^(?:.+\.)?localhost$/.test(host) || (isIP(host) && ipaddr.process(host).range() === 'loopback')
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return isOwnMachine || noProxy.some(entry => isNamedBy(entry, host, port)) ? undefined : proxy
}

function isNamedBy(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  const [, name = entry, itsPort] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? []
  if (itsPort !== undefined && itsPort !== port) return false
  const bare = name.replace(/^\[(.*)\]$/, '$1').replace(/^\*?\./, '')
  if (!isIP(host)) return host === bare || host.endsWith(`.${bare}`)
  const address = ipaddr.process(host)
  if (isIP(bare)) return address.toString() === ipaddr.process(bare).toString()
  if (!ipaddr.isValidCIDR(bare)) return false
  const [network, bits] = ipaddr.parseCIDR(bare)
  return network.kind() === address.kind() && address.match(network, bits)
}

/** Names that are meaningful only inside a network, however the DNS of the proxy resolves them. */
export function isInsideName(host: string): boolean {
  return (
    !host.includes('.') || /\.(?:local|localhost|localdomain|lan|internal|intranet|corp|home|private|arpa)$/.test(host)
  )
}

/** The proxy for messages: without user name and password. */
export function shownProxy(proxy: URL): string {
  return `${proxy.protocol}//${proxy.host}`
}

/**
 * Asks the proxy at the other end of `socket` for a connection to `url`; what is written to it then arrives there.
 * @throws ExchangeError `retry_safe` or `refused`: whatever goes wrong here, nothing was sent. Reason of `signal` as it is.
 */
export function tunnelThrough(socket: Duplex, proxy: URL, url: URL, signal: AbortSignal): Promise<Duplex> {
  const authority = `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`
  const headers: Record<string, string> = { host: authority }
  if (proxy.username !== '' || proxy.password !== '') {
    const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
    headers['proxy-authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`
  }
  return new Promise((resolve, reject) => {
    const abort = () => socket.destroy(signal.reason)
    const asked = request({
      method: 'CONNECT',
      path: authority,
      headers,
      setHost: false,
      createConnection: () => socket,
      insecureHTTPParser: true,
    })
    asked.on('connect', (answer, connection, head) => {
      signal.removeEventListener('abort', abort)
      const status = answer.statusCode ?? 0
      if (status >= 200 && status < 300) {
        if (head.length > 0) connection.unshift(head)
        return resolve(connection)
      }
      socket.destroy()
      reject(refusedBy(status, url.host))
    })
    asked.on('error', error => {
      signal.removeEventListener('abort', abort)
      reject(signal.aborted ? signal.reason : proxyOutOfReach(error))
    })
    signal.addEventListener('abort', abort)
    asked.end()
  })
}

function refusedBy(status: number, host: string): ExchangeError {
  const isPassing = status >= 500 || status === 408 || status === 429
  const message =
    status === 407
      ? 'The proxy of this server wants another user name and password. Check HTTPS_PROXY.'
      : isPassing
        ? `The proxy of this server could not reach ${host} (${status}). Nothing was sent.`
        : `The proxy of this server lets nothing through to ${host} (${status}). Nothing was sent.`
  const disposition = isPassing ? 'retry_safe' : 'refused'
  return new ExchangeError({ code: 'provider_unavailable', disposition, message })
}

/** The address of the proxy is only logged. */
export function proxyOutOfReach(cause: unknown): ExchangeError {
  const code = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : ''
  const message = `The proxy of this server could not be reached${code}. Nothing was sent.`
  return new ExchangeError({ code: 'provider_unavailable', disposition: 'retry_safe', message }, { cause })
}
