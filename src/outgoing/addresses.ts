/** Where requests may go: public addresses, and what the settings name. */

import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { refused } from './broken-exchange.ts'
import type { ExchangeError } from './failure.ts'

interface Target {
  url: URL
  /** Path and query unchanged: a signature covers every character. */
  path: string
}

export function parseTarget(text: string): Target {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') {
    throw refused('The address is not a http:// or https:// URL. Give a whole URL.')
  }
  if (url.username !== '' || url.password !== '') {
    throw refused(`The address of ${url.host} holds a user name or password. Leave them out.`)
  }
  // URL would rewrite dot segments and some characters; the original text is used wherever it can be sent unchanged.
  const asWritten = /^https?:\/\/[^/?#\\@]+([/?][\x21\x22\x24-\x7e]*)?(?:#.*)?$/i.exec(text)
  const path = asWritten ? (asWritten[1] ?? '/') : url.pathname + url.search
  return { url, path: path.startsWith('/') ? path : `/${path}` }
}

/** A location is kept unchanged too; only missing parts are taken from the redirecting address. */
export function resolveRedirect(from: string, location: string): string {
  if (/^https?:\/\//i.test(location)) return location
  if (!URL.canParse(location, from)) throw refused(`${readHost(from)} redirected to something that is not an address.`)
  const base = new URL(from)
  return location.startsWith('/') && !location.startsWith('//') ? base.origin + location : new URL(location, base).href
}

export function readHost(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'the address'
}

/** Without brackets and without the dot that ends a rooted name. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

/** Private addresses that are allowed. */
export interface AllowedPlaces {
  /** `host`, `host:port`, or `.suffix` of names. */
  allowedHosts: readonly string[]
  /** Exact origins, such as `http://127.0.0.1:9101`. */
  allowedOrigins: readonly string[]
}

export function allowList(options: AllowedPlaces): (url: URL) => boolean {
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

export function parseAddresses(found: unknown): string[] {
  const list = Array.isArray(found) ? found : found === undefined || found === null ? [] : [found]
  return list.map(item => (typeof item === 'string' ? item : String(Object(item).address)))
}

/** The address is only for the log, as the cause: a caller who names references must not learn which internal machines exist. */
export function blockedAt(host: string, address: string): ExchangeError {
  return refused(describeBlocked(host), new Error(`${host} leads to ${address}`))
}

export function describeBlocked(host: string): string {
  const what = isIP(host) ? `${host} is not a public address` : `${host} has an address that is not a public address`
  return `${what}, so nothing was sent there. If it is a service of your own, or the DNS of a proxy answers for the services, name it (or a suffix such as .aliyuncs.com) in ALLOWED_HOSTS.`
}
