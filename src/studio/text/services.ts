/** Addresses and console pages of a service. */
import type { Provider } from '../../api/providers.ts'

export function withoutSlash(url: string) {
  return url.trim().replace(/\/+$/, '')
}

export function hostOf(url: string) {
  return URL.parse(url)?.host ?? url
}

/** What the address is commonly called, in both languages; undefined for one that nobody knows. */
export function labelOf(provider: Provider | undefined, url: string) {
  return provider?.addresses.find(address => address.url === withoutSlash(url))?.label
}

/** Where accounts are looked after; undefined for an address that nobody knows. `baseUrl` null: the usual one. */
export function consoleOf(provider: Provider | undefined, baseUrl: string | null): string | undefined {
  const host = hostOf(baseUrl ?? provider?.addresses[0]?.url ?? '')
  return provider?.consoles.find(({ hosts }) => hosts === null || hosts.some(part => host.includes(part)))?.url
}
