/** Names, addresses and console pages of services. */
import { type Provider, useProviders } from '../data/providers.ts'
import { useLanguage } from './text.ts'

/** The name of a service in the language of the page, or the one that the server has for it. */
export function useProviderName(): (id: string, name?: string) => string {
  const language = useLanguage()
  const providers = useProviders()
  return (id, name = id) => providers.find(one => one.id === id)?.title[language] ?? name
}

export function withoutSlash(url: string) {
  return url.trim().replace(/\/+$/, '')
}

export function parseHost(url: string) {
  return URL.parse(url)?.host ?? url
}

/** The console of a service; undefined for an unknown address. `baseUrl` null: the default one. */
export function findConsole(provider: Provider | undefined, baseUrl: string | null): string | undefined {
  const host = parseHost(baseUrl ?? provider?.addresses[0]?.url ?? '')
  return provider?.consoles.find(({ hosts }) => hosts === null || hosts.some(part => host.includes(part)))?.url
}
