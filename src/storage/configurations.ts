/** Rows of `configurations`: address, model and sealed key of a service. */
import type { Selectable, Updateable } from 'kysely'
import { capColumns, toCaps } from './caps.ts'
import type { Connection } from './connection.ts'
import type { ConfigurationRecord, Suspension } from './records.ts'
import type { ConfigurationsTable, SuspensionsTable } from './tables.ts'
import { inTransaction } from './transaction.ts'

/** As it is stored, with its key sealed. */
export interface StoredConfiguration
  extends Omit<ConfigurationRecord, 'source' | 'hasKey' | 'suspension' | 'createdAt' | 'updatedAt'> {
  sealedKey: string
  createdAt: string
  updatedAt: string
}

export function createConfigurationRepository(db: Connection) {
  return {
    /** Newest first. */
    async list(): Promise<StoredConfiguration[]> {
      const rows = await db
        .selectFrom('configurations')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .execute()
      return rows.map(toConfiguration)
    },

    async find(id: string): Promise<StoredConfiguration | undefined> {
      const row = await db.selectFrom('configurations').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toConfiguration(row)
    },

    async insert(configuration: StoredConfiguration) {
      await db
        .insertInto('configurations')
        .values({ id: configuration.id, created_at: configuration.createdAt, ...toColumns(configuration) })
        .execute()
    },

    /** @returns why it is suspended; `isOther`: what it leads to is something else now, so it no longer is. */
    replace(configuration: StoredConfiguration, { isOther }: { isOther: boolean }): Promise<Suspension | undefined> {
      const { id } = configuration
      return inTransaction(db, async transaction => {
        const repository = createConfigurationRepository(transaction)
        await transaction.updateTable('configurations').set(toColumns(configuration)).where('id', '=', id).execute()
        if (isOther) await repository.reinstate(id)
        return (await repository.suspension()).get(id)
      })
    },

    async remove(id: string): Promise<boolean> {
      const result = await db.deleteFrom('configurations').where('id', '=', id).executeTakeFirst()
      await this.reinstate(id)
      return Number(result.numDeletedRows) > 0
    },

    /** Suspensions by configuration id, those of the environment included. */
    async suspension(): Promise<Map<string, Suspension>> {
      const rows = await db.selectFrom('taken_out_configurations').selectAll().execute()
      return new Map(rows.map(row => [row.config_id, suspensionFrom(row)]))
    },

    async suspend(id: string, { code, message, at, retryAt, refusals, providerCode, providerMessage }: Suspension) {
      const columns = {
        code,
        message,
        refusals,
        taken_out_at: at,
        retry_at: retryAt,
        provider_code: providerCode,
        provider_message: providerMessage,
      }
      await db
        .insertInto('taken_out_configurations')
        .values({ config_id: id, ...columns })
        .onConflict(conflict => conflict.column('config_id').doUpdateSet(columns))
        .execute()
    },

    async reinstate(id: string) {
      await db.deleteFrom('taken_out_configurations').where('config_id', '=', id).execute()
    },
  }
}

function suspensionFrom(row: Selectable<SuspensionsTable>): Suspension {
  return {
    code: row.code,
    message: row.message,
    at: row.taken_out_at,
    retryAt: row.retry_at ?? row.taken_out_at,
    refusals: row.refusals,
    providerCode: row.provider_code,
    providerMessage: row.provider_message,
  }
}

function toColumns(configuration: StoredConfiguration) {
  return {
    name: configuration.name,
    provider: configuration.provider,
    api_key: configuration.sealedKey,
    model: configuration.model,
    is_active: configuration.isActive ? 1 : 0,
    base_url: configuration.baseUrl,
    key_hint: configuration.keyHint,
    updated_at: configuration.updatedAt,
    weight: configuration.weight,
    most_running: configuration.maxRunning,
    requests_per_minute: configuration.requestsPerMinute,
    ...capColumns(configuration),
  } satisfies Updateable<ConfigurationsTable>
}

function toConfiguration(row: Selectable<ConfigurationsTable>): StoredConfiguration {
  return {
    id: row.id,
    name: row.name,
    provider: row.provider,
    model: row.model,
    baseUrl: row.base_url,
    isActive: row.is_active === 1,
    sealedKey: row.api_key,
    keyHint: row.key_hint,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    weight: row.weight,
    maxRunning: row.most_running,
    requestsPerMinute: row.requests_per_minute,
    ...toCaps(row),
  }
}

/** What clients may see of a stored configuration. */
export function visible(
  { sealedKey: _, ...configuration }: StoredConfiguration,
  suspension: Suspension | null = null,
): ConfigurationRecord {
  return { ...configuration, source: 'stored', hasKey: configuration.keyHint !== null, suspension }
}
