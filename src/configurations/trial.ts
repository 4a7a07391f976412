/** Trying a configuration without paying: does its service accept the key, at this address, for this model? */
import { performance } from 'node:perf_hooks'
import type { OutgoingHttp } from '../outgoing/http.ts'
import { spelledFor } from '../providers/default-model.ts'
import type { CheckResult } from '../providers/provider.ts'
import type { Catalogue } from '../providers/registry.ts'
import type { ConfigurationRecord } from '../storage/records.ts'
import { SealError } from '../storage/secrets/seal.ts'
import type { Access } from './access.ts'

const unproved = 'Whether the account has balance or quota left cannot be tested for free; the next request shows it.'

/** The service accepts the key, whatever it says about the model. */
const passedKey: ReadonlySet<string> = new Set<CheckResult['code']>([
  'ok',
  'provider_access_denied',
  'provider_quota_exhausted',
])

const timeoutMs = 20_000

export function createTrial(parts: {
  http: OutgoingHttp
  catalogue: Catalogue
  platformOf(configuration: Pick<ConfigurationRecord, 'provider' | 'baseUrl'>): string | undefined
  tested(access: Access, signal: AbortSignal): Promise<unknown>
}) {
  const { http, catalogue, platformOf } = parts

  async function check(access: Access): Promise<CheckResult> {
    const { provider, apiKey, baseUrl } = access
    const model = access.model?.trim()
    const found = model ? catalogue.find(model, provider) : undefined
    const spelled = found && model ? spelledFor(found.model, model, platformOf({ provider, baseUrl })) : model
    const signal = AbortSignal.timeout(timeoutMs)
    const reference = () => Promise.reject(new Error('a check has no references'))
    try {
      return await catalogue
        .provider(provider)
        .check(spelled || undefined, { apiKey, baseUrl, http, signal, reference })
    } catch (error) {
      if (!signal.aborted) throw error
      const seconds = Math.round(timeoutMs / 1000)
      const detail = `${catalogue.provider(provider).name} did not answer within ${seconds} s. This says nothing about the key; try again later.`
      return { code: 'provider_unavailable', detail }
    }
  }

  return {
    check,

    /** A test for people: with its duration, and with what no test can tell. */
    async run(access: Access) {
      const began = performance.now()
      const result = await check(access)
      const latencyMs = Math.round(performance.now() - began)
      const detail = result.code === 'ok' ? `${result.detail} ${unproved}` : result.detail
      return { ...result, detail, latencyMs }
    },

    /** Follows a test: what else the service says of this key. */
    async follow({ code }: CheckResult, access: Access) {
      if (passedKey.has(code)) await parts.tested(access, AbortSignal.timeout(timeoutMs))
    },
  }
}

/** The result of a test for which the key could not even be opened. */
export function describeUnreadableKey(error: unknown): CheckResult {
  if (error instanceof SealError) return { code: 'provider_key_rejected', detail: error.message }
  throw error
}
