/** What stands in the form of a key. Everything but the key itself outlives a reload of the page. */
import type { Configuration } from '../api.ts'
import { isService, type ServiceId, services, withoutSlash } from './services.ts'

export interface ConfigurationDraft {
  service: ServiceId
  name: string
  key: string
  /** `usual`, one of the known addresses, or `other`: then `baseUrl` counts. */
  address: string
  baseUrl: string
  model: string
}

export const usualAddress = 'usual'
export const otherAddress = 'other'

/** Of this page alone: another tab may be adding another key. */
const storageKey = 'webimgui.configuration'

export function newDraft(service: ServiceId): ConfigurationDraft {
  return { service, name: '', key: '', address: usualAddress, baseUrl: '', model: '' }
}

export function draftOf({ provider, name, base_url: baseUrl, model }: Configuration): ConfigurationDraft {
  const service = isService(provider) ? provider : 'openai'
  const url = baseUrl === null ? null : withoutSlash(baseUrl)
  const isKnown = services[service].addresses.some(address => address.url === url)
  const address = url === null ? usualAddress : isKnown ? url : otherAddress
  return { service, name, key: '', address, baseUrl: isKnown ? '' : (url ?? ''), model: model ?? '' }
}

export function readDraft(): ConfigurationDraft | undefined {
  const kept = sessionStorage.getItem(storageKey)
  if (kept === null) return undefined
  const draft = JSON.parse(kept) as Partial<ConfigurationDraft>
  return isService(draft.service) ? { ...newDraft(draft.service), ...draft, key: '' } : undefined
}

export function keepDraft(draft: ConfigurationDraft | undefined) {
  if (draft) sessionStorage.setItem(storageKey, JSON.stringify({ ...draft, key: undefined }))
  else sessionStorage.removeItem(storageKey)
}

/** Null for the address that the server was set to. */
export function baseUrlOf({ address, baseUrl }: ConfigurationDraft): string | null {
  if (address === usualAddress) return null
  return address === otherAddress ? withoutSlash(baseUrl) : address
}
