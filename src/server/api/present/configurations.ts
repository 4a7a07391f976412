/** Configurations: in full for administrators, in short for members. */

import type { Configuration } from '../../../api/configurations.ts'
import type { ConfigurationState } from '../../../coordination/pool.ts'
import type { Standing } from '../../../offers/lives.ts'
import type { ConfigurationRecord } from '../../../storage/records.ts'
import { presentLife } from './models.ts'

export function presentConfiguration(
  record: ConfigurationRecord,
  state: ConfigurationState,
  life: Standing | undefined,
  isLocal: boolean,
): Configuration {
  return {
    ...presentShortConfiguration(record, isLocal),
    base_url: record.baseUrl,
    source: record.source,
    has_key: record.hasKey,
    key_hint: record.keyHint,
    monthly_cap: record.monthlyCap,
    monthly_images: record.monthlyImages,
    weight: record.weight,
    most_running: record.maxRunning,
    requests_per_minute: record.requestsPerMinute,
    state: {
      status: state.status,
      until: state.until === undefined ? null : new Date(state.until).toISOString(),
      since: record.suspension?.at ?? null,
      code: record.suspension?.code ?? null,
      detail: record.suspension?.message ?? null,
      running: state.running,
    },
    life: life ? presentLife(life) : null,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
  }
}

/** What a member may know of it. */
export function presentShortConfiguration(record: ConfigurationRecord, isLocal: boolean) {
  const { id, name, provider, model, isActive } = record
  return { id, name, provider, model, is_active: isActive, is_local: isLocal }
}
