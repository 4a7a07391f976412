/** What the faces may ask of configurations. */

import type { CheckResult } from '../providers/provider.ts'
import type { ConfigurationRecord, Money } from '../storage/records.ts'

export interface ConfigurationInput {
  name?: string
  provider?: string
  model?: string | null
  base_url?: string | null
  api_key?: string
  is_active?: boolean
  monthly_cap?: Money | null
  monthly_images?: number | null
  weight?: number
  most_running?: number | null
  requests_per_minute?: number | null
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
