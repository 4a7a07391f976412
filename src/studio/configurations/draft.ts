/** What stands in the form of a key. Everything but the key itself outlives a reload of the page. */
import type { Configuration } from '../data/configurations.ts'
import type { Provider } from '../data/providers.ts'
import { createKept } from '../data/store.ts'
import { type CapDraft, capPaths, capsToBody, findCapFaults, noCaps, toCapDraft } from '../forms/cap-draft.ts'
import { parseHost, withoutSlash } from '../text/providers.ts'
import { t } from '../text/text.ts'

export interface ConfigurationDraft extends CapDraft {
  service: string
  name: string
  key: string
  /** `usual`, one of the known addresses, or `other`: then `baseUrl` counts. */
  address: string
  baseUrl: string
  model: string
  /** Limits as written; empty for the default. */
  weight: string
  maxRunning: string
  perMinute: string
}

export const usualAddress = 'usual'
export const otherAddress = 'other'

export function newDraft(service: string): ConfigurationDraft {
  return {
    service,
    name: '',
    key: '',
    address: usualAddress,
    baseUrl: '',
    model: '',
    ...noCaps,
    weight: '',
    maxRunning: '',
    perMinute: '',
  }
}

export function toDraft(configuration: Configuration, providers: readonly Provider[]): ConfigurationDraft {
  const { provider: service, name, base_url: baseUrl, model } = configuration
  const { weight, most_running: maxRunning, requests_per_minute: perMinute } = configuration
  const url = baseUrl === null ? null : withoutSlash(baseUrl)
  const isKnown = providers.some(
    ({ id, addresses }) => id === service && addresses.some(address => address.url === url),
  )
  const address = url === null ? usualAddress : isKnown ? url : otherAddress
  return {
    service,
    name,
    key: '',
    address,
    baseUrl: isKnown ? '' : (url ?? ''),
    model: model ?? '',
    ...toCapDraft(configuration),
    weight: weight === 1 ? '' : String(weight),
    maxRunning: maxRunning === null ? '' : String(maxRunning),
    perMinute: perMinute === null ? '' : String(perMinute),
  }
}

/** The draft of a new key, kept by the tab: another tab may be adding another key. */
const kept = createKept('configuration', json => json as Partial<ConfigurationDraft> | undefined, { isOfTab: true })

/** The draft from before a reload, unless another service was asked for. */
export function startingDraft(service: string): ConfigurationDraft {
  const draft = kept.read()
  return draft?.service === service ? { ...newDraft(service), ...draft, key: '' } : newDraft(service)
}

export function keepDraft(draft: ConfigurationDraft | undefined) {
  kept.write(draft && { ...draft, key: undefined })
}

/** Null for the address that the server was set to. */
export function chosenBaseUrl({ address, baseUrl }: ConfigurationDraft): string | null {
  if (address === usualAddress) return null
  return address === otherAddress ? withoutSlash(baseUrl) : address
}

/** The path at which the server reports a fault of each field. */
export const limitPaths = {
  weight: 'weight',
  maxRunning: 'most_running',
  perMinute: 'requests_per_minute',
  ...capPaths,
} as const
export const paths = { key: 'api_key', baseUrl: 'base_url', model: 'model', name: 'name', ...limitPaths } as const

export type LimitField = keyof typeof limitPaths

/** How many of the limits are set. */
export function limitCount({ weight, maxRunning, perMinute, amount, images }: ConfigurationDraft) {
  return [weight, maxRunning, perMinute, amount, images].filter(text => text.trim() !== '').length
}

/** How large a number may be is the server's to say. `configuration` is the one that is changed. */
export function findFaults(draft: ConfigurationDraft, configuration: Configuration | undefined) {
  const number = (text: string) => !/^\d*$/.test(text.trim()) && t('configurations.numberFault')
  const isBaseUrlMissing = draft.address === otherAddress && !/^https?:\/\/[^\s/]+/i.test(draft.baseUrl.trim())
  return {
    key: draft.key.trim() === '' && findKeyFault(draft, configuration),
    baseUrl: isBaseUrlMissing && t('configurations.addressNeeded'),
    weight: number(draft.weight),
    maxRunning: number(draft.maxRunning),
    perMinute: number(draft.perMinute),
    ...findCapFaults(draft),
  }
}

function findKeyFault(draft: ConfigurationDraft, configuration: Configuration | undefined) {
  if (!configuration?.has_key) return t('configurations.keyNeeded')
  // The server refuses it as well: a key must not be led to an address of somebody's choice.
  const isElsewhere = parseHost(chosenBaseUrl(draft) ?? '') !== parseHost(configuration.base_url ?? '')
  return isElsewhere && t('configurations.keyAgain')
}

/** Turns a draft without faults into what the server takes. An empty field stays as it was, or is chosen by the server. */
export function toBody(draft: ConfigurationDraft) {
  const number = (text: string) => (text.trim() === '' ? null : Number(text.trim()))
  const { name, key } = draft
  return {
    base_url: chosenBaseUrl(draft),
    model: draft.model.trim() || null,
    weight: number(draft.weight) ?? 1,
    most_running: number(draft.maxRunning),
    requests_per_minute: number(draft.perMinute),
    ...capsToBody(draft),
    ...(name.trim() ? { name: name.trim() } : {}),
    ...(key.trim() ? { api_key: key.trim() } : {}),
  }
}
