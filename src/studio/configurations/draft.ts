/** What stands in the form of a key. Everything but the key itself outlives a reload of the page. */
import type { Configuration } from '../data/api.ts'
import { keep, readKept } from '../data/store.ts'
import { type CapDraft, type CapFault, capDraftOf, capFaultsOf, capsBodyOf, noCaps } from '../forms/cap-draft.ts'
import { isService, type ServiceId, services, withoutSlash } from '../text/services.ts'

export interface ConfigurationDraft extends CapDraft {
  service: ServiceId
  name: string
  key: string
  /** `usual`, one of the known addresses, or `other`: then `baseUrl` counts. */
  address: string
  baseUrl: string
  model: string
  /** As written; empty for the usual. */
  weight: string
  maxRunning: string
  perMinute: string
}

export const usualAddress = 'usual'
export const otherAddress = 'other'

/** Of this page alone: another tab may be adding another key. */
const keptName = 'configuration'

export function newDraft(service: ServiceId): ConfigurationDraft {
  return {
    ...{ service, name: '', key: '', address: usualAddress, baseUrl: '', model: '' },
    ...{ ...noCaps, weight: '', maxRunning: '', perMinute: '' },
  }
}

export function draftOf(configuration: Configuration): ConfigurationDraft {
  const { provider, name, base_url: baseUrl, model } = configuration
  const { weight, most_running: maxRunning, requests_per_minute: perMinute } = configuration
  const service = isService(provider) ? provider : 'openai'
  const url = baseUrl === null ? null : withoutSlash(baseUrl)
  const isKnown = services[service].addresses.some(address => address.url === url)
  const address = url === null ? usualAddress : isKnown ? url : otherAddress
  return {
    ...{ service, name, key: '', address, baseUrl: isKnown ? '' : (url ?? ''), model: model ?? '' },
    ...capDraftOf(configuration),
    weight: weight === 1 ? '' : String(weight),
    maxRunning: maxRunning === null ? '' : String(maxRunning),
    perMinute: perMinute === null ? '' : String(perMinute),
  }
}

export function readDraft(): ConfigurationDraft | undefined {
  const kept = readKept(keptName, sessionStorage)
  if (kept === null) return undefined
  const draft = JSON.parse(kept) as Partial<ConfigurationDraft>
  return isService(draft.service) ? { ...newDraft(draft.service), ...draft, key: '' } : undefined
}

export function keepDraft(draft: ConfigurationDraft | undefined) {
  keep(keptName, draft ? JSON.stringify({ ...draft, key: undefined }) : null, sessionStorage)
}

/** Null for the address that the server was set to. */
export function baseUrlOf({ address, baseUrl }: ConfigurationDraft): string | null {
  if (address === usualAddress) return null
  return address === otherAddress ? withoutSlash(baseUrl) : address
}

export type LimitFault = 'weight' | 'maxRunning' | 'perMinute' | CapFault

/** Where the server reports a fault of each. */
export const limitPaths = {
  weight: 'weight',
  maxRunning: 'most_running',
  perMinute: 'requests_per_minute',
  amount: 'monthly_cap',
  images: 'monthly_images',
} as const

/** How many of the limits are set. */
export function limitCount({ weight, maxRunning, perMinute, amount, images }: ConfigurationDraft) {
  return [weight, maxRunning, perMinute, amount, images].filter(text => text.trim() !== '').length
}

/** How large a number may be is the server's to say. */
export function limitFaultsOf(draft: ConfigurationDraft): LimitFault[] {
  const numbers = ['weight', 'maxRunning', 'perMinute'] as const
  return [...numbers.filter(name => !/^\d*$/.test(draft[name].trim())), ...capFaultsOf(draft)]
}

/** As the server takes them, of a draft without faults. */
export function limitsBodyOf(draft: ConfigurationDraft) {
  const number = (text: string) => (text.trim() === '' ? null : Number(text.trim()))
  return {
    weight: number(draft.weight) ?? 1,
    most_running: number(draft.maxRunning),
    requests_per_minute: number(draft.perMinute),
    ...capsBodyOf(draft),
  }
}
