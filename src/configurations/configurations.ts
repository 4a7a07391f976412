/** Configurations: stored ones, and those from the environment. Keys are unsealed only to be sent. */
import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { Violation } from '../catalogue/violation.ts'
import type { Pauses } from '../coordination/pauses.ts'
import { invalid, Refusal } from '../errors.ts'
import type { ProviderFailure } from '../outgoing/errors.ts'
import type { OutgoingHttp } from '../outgoing/http.ts'
import type { CheckResult } from '../providers/provider.ts'
import type { Catalogue } from '../providers/registry.ts'
import { spelledFor } from '../providers/standard.ts'
import { type StoredConfiguration, visible } from '../storage/configurations.ts'
import type { Caps, ConfigurationRecord } from '../storage/records.ts'
import { cleanSecret, type Seal, SealError } from '../storage/secrets/seal.ts'
import { placeOfKey, placeOfSent } from '../storage/secrets/seal-check.ts'
import type { Store } from '../storage/store.ts'
import { platformOf } from './platforms.ts'
import type { ConfigurationInput, Configurations } from './services.ts'

export interface EnvironmentConfiguration extends Caps {
  provider: string
  apiKey: string
}

/** What a call needs to reach a service. */
export interface Access {
  configId: string
  provider: string
  model: string | null
  apiKey: string
  baseUrl: string
}

/** What a request was sent with. */
export type SentWith = Pick<Access, 'apiKey' | 'baseUrl'>

export interface ConfigurationRegistry extends Configurations {
  /** Those of the environment, which have no row. */
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
  /** Its service accepted a request; `wasAside`: the request was a trial of a suspended one. */
  worked(id: string, wasAside: boolean): Promise<void>
  /** Tests a refused key for free; if it is still refused, the suspension is extended. */
  isKeyStillRefused(id: string): Promise<boolean>
}

/** Suspension after the first refusal; doubled after each further one in a row, up to … */
const firstAsideMs = 30_000
const longestAsideMs = 10 * 60_000
const pagesThatCount = 2
const unproved = 'Whether the account has balance or quota left cannot be tested for free; the next request shows it.'

export function createConfigurations(parts: {
  store: Store
  seal: Seal
  http: OutgoingHttp
  catalogue: Catalogue
  fromEnvironment: readonly EnvironmentConfiguration[]
  /** The address of a provider where a configuration names none. */
  baseUrls: Readonly<Record<string, string | undefined>>
  timeoutMs: number
  pauses: Pauses
  /** Called after a change. */
  changed(): void
  /** Called when a test reached the service with this; further requests here must be free. */
  tested(access: Access, signal: AbortSignal): Promise<unknown>
}): ConfigurationRegistry {
  const { store, seal, http, pauses, catalogue } = parts
  const names = catalogue.providerIds.join(', ')
  /** Refusals of each configuration that may come from a proxy, since its last success. */
  const pages = new Map<string, number>()
  const baseUrlOf = (provider: string) =>
    withoutSlash(parts.baseUrls[provider] ?? catalogue.provider(provider).defaultBaseUrl)
  const addressOf: ConfigurationRegistry['addressOf'] = ({ provider, baseUrl }) =>
    withoutSlash(baseUrl || baseUrlOf(provider))
  const placeOf: ConfigurationRegistry['platformOf'] = place =>
    platformOf(catalogue.provider(place.provider), addressOf(place), standIns)
  const standIns = Object.values(parts.baseUrls).filter(url => url !== undefined)
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
      const suspension = await store.configurations.suspension()
      const stored = (await store.configurations.list()).map(one => visible(one, suspension.get(one.id)))
      return [
        ...stored,
        ...environment.map(({ record }) => ({ ...record, suspension: suspension.get(record.id) ?? null })),
      ]
    },

    async active() {
      return (await this.list()).filter(
        ({ isActive, hasKey, provider }) => isActive && hasKey && catalogue.findProvider(provider) !== undefined,
      )
    },

    async add(input) {
      const violations = await findViolations(input)
      if (!input.provider) violations.push({ path: 'provider', message: `Name the provider: one of ${names}.` })
      if (!input.api_key) violations.push({ path: 'api_key', message: 'Give the API key of the service.' })
      refuse(violations)
      const now = new Date().toISOString()
      const id = randomUUID()
      const provider = input.provider ?? ''
      const configuration: StoredConfiguration = {
        id,
        name: input.name?.trim() || catalogue.provider(provider).name,
        provider,
        model: input.model?.trim() || null,
        baseUrl: input.base_url ? withoutSlash(input.base_url) : null,
        isActive: input.is_active ?? true,
        ...sealed(id, input.api_key ?? ''),
        createdAt: now,
        updatedAt: now,
        monthlyCap: input.monthly_cap ?? null,
        monthlyImages: input.monthly_images ?? null,
        weight: input.weight ?? 1,
        maxRunning: input.most_running ?? null,
        requestsPerMinute: input.requests_per_minute ?? null,
      }
      await store.configurations.insert(configuration)
      parts.changed()
      return visible(configuration)
    },

    async change(id, input) {
      const found = await stored(id)
      const violations = await findViolations({ ...input, provider: input.provider ?? found.provider })
      // Otherwise a key could be sent to an address of the attacker's choice.
      const isElsewhere =
        (input.provider !== undefined && input.provider !== found.provider) ||
        (input.base_url !== undefined &&
          originOf(input.base_url, found.provider) !== originOf(found.baseUrl, found.provider))
      if (isElsewhere && !input.api_key && found.keyHint !== null) {
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
        name: input.name?.trim() || found.name,
        provider: input.provider ?? found.provider,
        model: input.model === undefined ? found.model : input.model?.trim() || null,
        baseUrl: input.base_url === undefined ? found.baseUrl : input.base_url ? withoutSlash(input.base_url) : null,
        isActive: input.is_active ?? found.isActive,
        ...(input.api_key ? sealed(id, input.api_key) : {}),
        updatedAt: new Date().toISOString(),
        monthlyCap: input.monthly_cap === undefined ? found.monthlyCap : input.monthly_cap,
        monthlyImages: input.monthly_images === undefined ? found.monthlyImages : input.monthly_images,
        weight: input.weight ?? found.weight,
        maxRunning: input.most_running === undefined ? found.maxRunning : input.most_running,
        requestsPerMinute:
          input.requests_per_minute === undefined ? found.requestsPerMinute : input.requests_per_minute,
      }
      const isOther = isElsewhere || input.api_key !== undefined
      const suspension = await store.transaction(async ({ configurations }) => {
        await configurations.replace(changed)
        if (isOther) await configurations.reinstate(id)
        return (await configurations.suspension()).get(id)
      })
      parts.changed()
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
      parts.changed()
    },

    async test(input) {
      const target = await ('id' in input ? savedTarget(input.id) : unsavedTarget(input)).catch(asUnreadableKey)
      if ('code' in target) return { ...target, latencyMs: 0 }
      const { access, model } = target
      const began = performance.now()
      const at = Date.now()
      const result = await check(access, model)
      const latencyMs = Math.round(performance.now() - began)
      if ('id' in input) {
        if (result.code === 'ok') await worked(input.id, true)
        if (result.code === 'provider_key_rejected') await leaveAside(input.id, refusedByTest(result), at)
      }
      if (passedKey.has(result.code)) await parts.tested(access, AbortSignal.timeout(parts.timeoutMs))
      if (result.code !== 'ok') return { ...result, latencyMs }
      return { ...result, detail: `${result.detail} ${unproved}`, latencyMs }
    },

    access: accessOf,
    sealSent: (callId, { apiKey, baseUrl }) => seal.seal(JSON.stringify({ apiKey, baseUrl }), placeOfSent(callId)),
    openSent: (callId, sealed) => JSON.parse(seal.open(sealed, placeOfSent(callId))) as SentWith,
    addressOf,
    platformOf: placeOf,

    async suspend(id, failure, sentAt) {
      if (failure.providerCode === undefined && !(await store.configurations.suspension()).has(id)) {
        const count = (pages.get(id) ?? 0) + 1
        pages.set(id, count)
        if (count < pagesThatCount) return
      }
      await leaveAside(id, failure, sentAt)
    },

    worked,

    async isKeyStillRefused(id) {
      const at = Date.now()
      const target = await savedTarget(id).catch(asUnreadableKey)
      const result = 'code' in target ? target : await check(target.access, target.model)
      if (result.code !== 'provider_key_rejected') return false
      await leaveAside(id, refusedByTest(result), at)
      return true
    },
  }

  async function leaveAside(id: string, failure: Refused, sentAt: number) {
    const { code, message, providerCode = null, providerMessage = null } = failure
    const known = (await store.configurations.suspension()).get(id)
    const now = Date.now()
    // A time in the future was written before the clock was put back.
    if (known && Date.parse(known.at) > sentAt && Date.parse(known.at) <= now) return
    const refusals = (known?.refusals ?? 0) + 1
    const pauseMs = pauses.scaled(Math.min(longestAsideMs, firstAsideMs * 2 ** (refusals - 1)))
    const [at, retryAt] = [now, now + pauseMs].map(ms => new Date(ms).toISOString()) as [string, string]
    await store.configurations.suspend(id, { code, message, at, retryAt, refusals, providerCode, providerMessage })
    parts.changed()
  }

  async function worked(id: string, wasAside: boolean) {
    pages.delete(id)
    if (!wasAside) return
    await store.configurations.reinstate(id)
    parts.changed()
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

  async function savedTarget(id: string) {
    const access = await accessOf(id)
    return { access, model: access.model ?? undefined }
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
    const found = await stored(id)
    if (!catalogue.findProvider(found.provider)) {
      refuse([
        {
          path: 'provider',
          message: `"${found.provider}" is not a provider here; choose one of ${names}.`,
        },
      ])
    }
    const provider = found.provider
    return {
      configId: id,
      provider,
      model: found.model,
      apiKey: seal.open(found.sealedKey, placeOfKey(id)),
      baseUrl: found.baseUrl ?? baseUrlOf(provider),
    }
  }

  async function unsavedTarget(input: ConfigurationInput) {
    const violations = await findViolations(input)
    if (!input.provider) violations.push({ path: 'provider', message: `Name the provider: one of ${names}.` })
    if (!input.api_key) violations.push({ path: 'api_key', message: 'Give the API key to test.' })
    refuse(violations)
    const provider = input.provider ?? ''
    const baseUrl = input.base_url ? withoutSlash(input.base_url) : baseUrlOf(provider)
    const access: Access = {
      configId: '',
      provider,
      model: input.model ?? null,
      apiKey: cleanSecret(input.api_key ?? ''),
      baseUrl,
    }
    return { access, model: input.model?.trim() || undefined }
  }

  function spelled({ provider, baseUrl }: Access, model: string) {
    const found = catalogue.find(model, provider)
    return found ? spelledFor(found.model, model, placeOf({ provider, baseUrl })) : model
  }

  async function check(access: Access, model: string | undefined): Promise<CheckResult> {
    const signal = AbortSignal.timeout(parts.timeoutMs)
    const context = {
      apiKey: access.apiKey,
      baseUrl: access.baseUrl,
      http,
      signal,
      reference: () => Promise.reject(new Error('a check has no references')),
    }
    try {
      return await catalogue.provider(access.provider).check(model && spelled(access, model), context)
    } catch (error) {
      if (!signal.aborted) throw error
      const detail = `${catalogue.provider(access.provider).name} did not answer within ${Math.round(parts.timeoutMs / 1000)} s. This says nothing about the key; try again later.`
      return { code: 'provider_unavailable', detail }
    }
  }

  async function findViolations(input: ConfigurationInput): Promise<Violation[]> {
    const violations: Violation[] = []
    const service = catalogue.findProvider(input.provider)
    if (input.provider !== undefined && !service) {
      violations.push({
        path: 'provider',
        message: `"${input.provider}" is not a provider here; choose one of ${names}.`,
      })
    }
    if (input.api_key !== undefined && !/^[\x21-\x7e]{1,4096}$/.test(cleanSecret(input.api_key))) {
      violations.push({
        path: 'api_key',
        message: 'The key must be plain text without spaces inside; copy it again from the console.',
      })
    }
    if (input.base_url) {
      const parsed = URL.canParse(input.base_url) ? new URL(input.base_url) : undefined
      const refusal = parsed
        ? await http.refusal(parsed.href)
        : `The base address must be a full URL such as ${(service ?? Object.values(catalogue.providers)[0])?.defaultBaseUrl}.`
      if (refusal) violations.push({ path: 'base_url', message: refusal })
      else if (parsed?.search || parsed?.hash)
        violations.push({ path: 'base_url', message: 'The base address must end with its path, without "?" or "#".' })
    }
    if (input.model && service) {
      const elsewhere = catalogue.find(input.model)
      if (
        elsewhere &&
        elsewhere.model.state !== 'unlisted' &&
        elsewhere.provider !== input.provider &&
        !service.isCommonProtocol
      ) {
        violations.push({
          path: 'model',
          message: `${input.model} is a model of ${elsewhere.provider}, not of ${input.provider}.`,
        })
      }
    }
    return violations
  }

  function originOf(baseUrl: string | null, provider: string) {
    const url = baseUrl || baseUrlOf(provider)
    return URL.canParse(url) ? new URL(url).origin : url
  }

  function sealed(id: string, key: string) {
    const clean = cleanSecret(key)
    return { sealedKey: seal.seal(clean, placeOfKey(id)), keyHint: clean.slice(-4) }
  }
}

type Refused = Pick<ProviderFailure, 'code' | 'message' | 'providerCode' | 'providerMessage'>

function refusedByTest({ detail }: CheckResult): Refused {
  return { code: 'provider_key_rejected', message: detail }
}

/** The service accepts the key, whatever it says about the model. */
const passedKey: ReadonlySet<string> = new Set<CheckResult['code']>([
  'ok',
  'provider_access_denied',
  'provider_quota_exhausted',
])

function asUnreadableKey(error: unknown): CheckResult {
  if (error instanceof SealError) return { code: 'provider_key_rejected', detail: error.message }
  throw error
}

function withoutSlash(url: string) {
  return url.trim().replace(/\/+$/, '')
}

function refuse(violations: Violation[]) {
  if (violations.length > 0) throw invalid(violations)
}
