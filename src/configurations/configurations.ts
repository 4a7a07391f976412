/** Configurations: stored ones, and those from the environment. Keys are unsealed only to be sent. */
import { randomUUID } from 'node:crypto'
import type { Violation } from '../catalogue/violation.ts'
import type { Pauses } from '../coordination/pauses.ts'
import { invalid, Refusal } from '../errors.ts'
import { cleanSecret } from '../operator/setting-values.ts'
import type { ProviderFailure } from '../outgoing/failure.ts'
import type { OutgoingHttp } from '../outgoing/http.ts'
import { findPlatform, withoutSlash } from '../providers/platforms.ts'
import type { CheckResult } from '../providers/provider.ts'
import type { Catalogue } from '../providers/registry.ts'
import { type StoredConfiguration, visible } from '../storage/configurations.ts'
import type { Caps, ConfigurationRecord } from '../storage/records.ts'
import type { Seal } from '../storage/secrets/seal.ts'
import { placeOfKey, placeOfSent } from '../storage/secrets/seal-check.ts'
import type { Store } from '../storage/store.ts'
import type { Access } from './access.ts'
import { type ConfigurationInput, cleanInput, findMissing, findViolations, unknownProvider } from './input.ts'
import { createRows } from './rows.ts'
import { createSuspensions } from './suspensions.ts'
import { createTrial, describeUnreadableKey } from './trial.ts'

export interface EnvironmentConfiguration extends Caps {
  provider: string
  apiKey: string
}

/** Key and address that a request was sent with. */
export type SentWith = Pick<Access, 'apiKey' | 'baseUrl'>

/** What the faces may ask of configurations. */
export interface Configurations {
  list(): Promise<ConfigurationRecord[]>
  /** Where its requests go, without a slash at the end. */
  addressOf(configuration: Pick<ConfigurationRecord, 'provider' | 'baseUrl'>): string
  /** The platform of the service that this address leads to, as `Provider.platformAt` names it; undefined for one that is not its own. */
  platformOf(configuration: Pick<ConfigurationRecord, 'provider' | 'baseUrl'>): string | undefined
  /** @throws Refusal `invalid_request` */
  add(input: ConfigurationInput): Promise<ConfigurationRecord>
  /** Members left out stay as they are. @throws Refusal `not_found`, `read_only`, `invalid_request` */
  change(id: string, input: ConfigurationInput): Promise<ConfigurationRecord>
  /** @throws Refusal `not_found`, `read_only` */
  remove(id: string): Promise<void>
  /** Proves a stored (`id`) or unsaved configuration without paying. */
  test(input: { id: string } | ConfigurationInput): Promise<CheckResult & { latencyMs: number }>
}

export interface ConfigurationRegistry extends Configurations {
  /** Configurations of the environment, which have no row. */
  ofEnvironment: readonly ConfigurationRecord[]
  /** @throws Refusal `not_found` when it was removed, SealError when its key cannot be opened. */
  access(id: string): Promise<Access>
  /** Sealed, to be kept with a call: its configuration may get another key before its task has ended. */
  sealSent(callId: string, sent: SentWith): string
  /** @throws SealError */
  openSent(callId: string, sealed: string): SentWith
  /** Active ones with a key, the newest stored first, then those of the environment; also those that are suspended. */
  active(): Promise<ConfigurationRecord[]>
  /**
   * Suspends it after its service refused the key or the account. A call that was sent before the suspension proves nothing new
   * (`sentAt`, ms since 1970); an answer that is not the service's own, such as an error page of a proxy, counts the second time.
   */
  suspend(id: string, failure: ProviderFailure, sentAt: number): Promise<void>
  /** Called when the service accepted a request; `wasTrial`: a trial of a suspended configuration. */
  noteSuccess(id: string, wasTrial: boolean): Promise<void>
  /** Tests a refused key for free; if it is still refused, the suspension is extended. */
  isKeyStillRefused(id: string): Promise<boolean>
}

export function createConfigurations(parts: {
  store: Store
  seal: Seal
  http: OutgoingHttp
  catalogue: Catalogue
  fromEnvironment: readonly EnvironmentConfiguration[]
  /** The address of a provider where a configuration names none. */
  baseUrls: Readonly<Record<string, string | undefined>>
  pauses: Pauses
  /** Called after a change. */
  changed(): void
  /** Called when a test reached the service with this; further requests here must be free. */
  tested(access: Access, signal: AbortSignal): Promise<unknown>
}): ConfigurationRegistry {
  const { store, seal, catalogue } = parts
  const rows = createRows(store)
  const suspensions = createSuspensions({ ...parts, changed: noteChange })
  const standIns = Object.values(parts.baseUrls).filter(url => url !== undefined)
  const baseUrlOf = (provider: string) =>
    withoutSlash(parts.baseUrls[provider] ?? catalogue.provider(provider).defaultBaseUrl)
  const addressOf: ConfigurationRegistry['addressOf'] = ({ provider, baseUrl }) =>
    withoutSlash(baseUrl || baseUrlOf(provider))
  const placeOf: ConfigurationRegistry['platformOf'] = place =>
    findPlatform(catalogue.provider(place.provider), addressOf(place), standIns)
  const trial = createTrial({ ...parts, platformOf: placeOf })
  const environment = parts.fromEnvironment.map(({ provider, apiKey, monthlyCap, monthlyImages }) => ({
    apiKey: cleanSecret(apiKey),
    record: {
      id: `env-${provider}`,
      name: `${catalogue.provider(provider).name} (${catalogue.provider(provider).environmentPrefix}_API_KEY)`,
      provider,
      model: null,
      baseUrl: baseUrlOf(provider),
      isActive: true,
      source: 'environment',
      hasKey: true,
      keyHint: cleanSecret(apiKey).slice(-4),
      createdAt: null,
      updatedAt: null,
      monthlyCap,
      monthlyImages,
      weight: 1,
      maxRunning: null,
      requestsPerMinute: null,
      suspension: null,
    } satisfies ConfigurationRecord,
  }))

  return {
    ofEnvironment: environment.map(({ record }) => record),

    async list() {
      const { stored, suspensions } = await rows.read()
      return [
        ...stored.map(one => visible(one, suspensions.get(one.id))),
        ...environment.map(({ record }) => ({ ...record, suspension: suspensions.get(record.id) ?? null })),
      ]
    },

    async active() {
      return (await this.list()).filter(
        ({ isActive, hasKey, provider }) => isActive && hasKey && catalogue.findProvider(provider) !== undefined,
      )
    },

    async add(input) {
      refuse([
        ...(await findViolations(input, parts)),
        ...findMissing(input, catalogue, 'Give the API key of the service.'),
      ])
      const now = new Date().toISOString()
      const id = randomUUID()
      const provider = input.provider ?? ''
      const configuration: StoredConfiguration = {
        id,
        name: catalogue.provider(provider).name,
        provider,
        model: null,
        baseUrl: null,
        isActive: true,
        monthlyCap: null,
        monthlyImages: null,
        weight: 1,
        maxRunning: null,
        requestsPerMinute: null,
        ...cleanInput(input),
        ...sealed(id, input.apiKey ?? ''),
        createdAt: now,
        updatedAt: now,
      }
      await store.configurations.insert(configuration)
      noteChange()
      return visible(configuration)
    },

    async change(id, input) {
      const found = await stored(id)
      const violations = await findViolations({ ...input, provider: input.provider ?? found.provider }, parts)
      // Otherwise a key could be sent to an address of the attacker's choice.
      const isElsewhere =
        (input.provider !== undefined && input.provider !== found.provider) ||
        (input.baseUrl !== undefined &&
          readOrigin(input.baseUrl, found.provider) !== readOrigin(found.baseUrl, found.provider))
      if (isElsewhere && !input.apiKey && found.keyHint !== null) {
        violations.push({
          path: 'api_key',
          message: 'Enter the key again: a stored key is sent only to the address that it was entered for.',
        })
      }
      refuse(violations)
      // Another address would not know the running tasks. A new key of the same account is allowed: it may be needed to poll them.
      if (isElsewhere && (await store.calls.isConfigurationInUse(id))) {
        throw new Refusal(
          'conflict',
          'Generations are still running at the current address. Wait until they end, or add the new address as another configuration.',
        )
      }
      const changed: StoredConfiguration = {
        ...found,
        ...cleanInput(input),
        ...(input.apiKey ? sealed(id, input.apiKey) : {}),
        updatedAt: new Date().toISOString(),
      }
      const isOther = isElsewhere || input.apiKey !== undefined
      const suspension = await store.configurations.replace(changed, { isOther })
      noteChange()
      return visible(changed, suspension)
    },

    async remove(id) {
      await stored(id)
      // Without the key, the paid images of a running task could no longer be fetched.
      if (await store.calls.isConfigurationInUse(id)) {
        throw new Refusal(
          'conflict',
          'Generations are still running with this configuration. Wait until they end or switch it off, then delete it.',
        )
      }
      await store.configurations.remove(id)
      noteChange()
    },

    async test(input) {
      const id = 'id' in input ? input.id : undefined
      const access = await ('id' in input ? accessOf(input.id) : unsavedAccess(input)).catch(describeUnreadableKey)
      if ('code' in access) return { ...access, latencyMs: 0 }
      const at = Date.now()
      const result = await trial.run(access)
      if (id !== undefined && result.code === 'ok') await suspensions.noteSuccess(id, true)
      if (id !== undefined) await noteRefusedKey(id, result, at)
      await trial.follow(result, access)
      return result
    },

    access: accessOf,
    sealSent: (callId, { apiKey, baseUrl }) => seal.seal(JSON.stringify({ apiKey, baseUrl }), placeOfSent(callId)),
    openSent: (callId, sealed) => JSON.parse(seal.open(sealed, placeOfSent(callId))) as SentWith,
    addressOf,
    platformOf: placeOf,
    suspend: suspensions.suspend,
    noteSuccess: suspensions.noteSuccess,

    async isKeyStillRefused(id) {
      const at = Date.now()
      const access = await accessOf(id).catch(describeUnreadableKey)
      return noteRefusedKey(id, 'code' in access ? access : await trial.check(access), at)
    },
  }

  function noteChange() {
    rows.forget()
    parts.changed()
  }

  /** True for a test that says so; the configuration is then suspended for longer. */
  async function noteRefusedKey(id: string, { code, detail }: CheckResult, at: number) {
    if (code !== 'provider_key_rejected') return false
    await suspensions.extend(id, { code, message: detail }, at)
    return true
  }

  async function stored(id: string) {
    const own = environment.find(({ record }) => record.id === id)
    if (own) {
      const prefix = catalogue.provider(own.record.provider).environmentPrefix
      throw new Refusal(
        'read_only',
        `This configuration comes from the environment of the server; change ${prefix}_API_KEY, or ${prefix}_MONTHLY_CAP and ${prefix}_MONTHLY_CAP_IMAGES for its caps, there and restart.`,
      )
    }
    const found = await store.configurations.find(id)
    if (!found) throw new Refusal('not_found', 'There is no configuration with this id.')
    return found
  }

  async function accessOf(id: string): Promise<Access> {
    const own = environment.find(({ record }) => record.id === id)
    if (own)
      return {
        configId: id,
        provider: own.record.provider,
        model: null,
        apiKey: own.apiKey,
        baseUrl: own.record.baseUrl,
      }
    const found = (await rows.read()).stored.find(one => one.id === id) ?? (await stored(id))
    if (!catalogue.findProvider(found.provider)) throw invalid([unknownProvider(found.provider, catalogue)])
    return {
      configId: id,
      provider: found.provider,
      model: found.model,
      apiKey: seal.open(found.sealedKey, placeOfKey(id)),
      baseUrl: found.baseUrl ?? baseUrlOf(found.provider),
    }
  }

  async function unsavedAccess(input: ConfigurationInput): Promise<Access> {
    refuse([...(await findViolations(input, parts)), ...findMissing(input, catalogue, 'Give the API key to test.')])
    const provider = input.provider ?? ''
    return {
      configId: '',
      provider,
      model: input.model ?? null,
      apiKey: cleanSecret(input.apiKey ?? ''),
      baseUrl: input.baseUrl ? withoutSlash(input.baseUrl) : baseUrlOf(provider),
    }
  }

  function readOrigin(baseUrl: string | null, provider: string) {
    const url = baseUrl || baseUrlOf(provider)
    return URL.canParse(url) ? new URL(url).origin : url
  }

  function sealed(id: string, key: string) {
    const clean = cleanSecret(key)
    return { sealedKey: seal.seal(clean, placeOfKey(id)), keyHint: clean.slice(-4) }
  }
}

function refuse(violations: Violation[]) {
  if (violations.length > 0) throw invalid(violations)
}
