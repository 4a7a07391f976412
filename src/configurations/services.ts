/** What the faces may ask of configurations. */

import type { CheckResult } from '../providers/provider.ts'
import type { Caps, ConfigurationRecord, Share } from '../storage/records.ts'

export interface ConfigurationInput extends Partial<Caps>, Partial<Share> {
  name?: string
  provider?: string
  /** Of requests that name none. */
  model?: string | null
  /** Null: the usual address of the provider. */
  baseUrl?: string | null
  apiKey?: string
  isActive?: boolean
}

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

/** What a call needs to reach a service. */
export interface Access {
  configId: string
  provider: string
  model: string | null
  apiKey: string
  baseUrl: string
}
