/** Which platform of a service an address leads to. */
import { isIP } from 'node:net'
import { isPublic } from '../outgoing/addresses.ts'
import type { Provider } from './provider.ts'

/**
 * Pure. An address that stands in for the service counts as the usual one: a gateway or a simulator in the own network, and `standIns`,
 * which whoever runs the server put in its place. Undefined for a reseller or somebody else's gateway.
 */
export function findPlatform(
  {
    platformAt,
    defaultBaseUrl,
    isCommonProtocol,
  }: Pick<Provider, 'platformAt' | 'defaultBaseUrl' | 'isCommonProtocol'>,
  address: string,
  standIns: readonly string[] = [],
): string | undefined {
  const own = platformAt(address)
  // Others speak a common protocol too, so that a private address is as likely one of theirs.
  if (own !== undefined || isCommonProtocol) return own
  const isStandIn = isPrivate(readHost(address)) || standIns.some(url => withoutSlash(url) === withoutSlash(address))
  if (!isStandIn) return undefined
  // The path may tell platforms of one host apart, such as those of plans.
  const path = URL.parse(address)?.pathname ?? ''
  return platformAt(`${new URL(defaultBaseUrl).origin}${path}`)
}

function isPrivate(host: string) {
  if (isIP(host)) return !isPublic(host)
  return !host.includes('.') || /\.(localhost|local|internal|lan|home\.arpa)$/.test(host)
}

function readHost(address: string) {
  const host = URL.parse(address)?.hostname ?? address
  return host.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

export function withoutSlash(url: string) {
  return url.trim().replace(/\/+$/, '')
}
