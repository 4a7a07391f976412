import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** A suspended configuration is tried again automatically: when, after how many refusals, and with which message it was refused. */
export const halfOpen: Migration = {
  async up(db: Kysely<unknown>) {
    const table = () => db.schema.alterTable('taken_out_configurations')
    // Those that were suspended before may be tried at once.
    await table().addColumn('retry_at', 'text').execute()
    await table()
      .addColumn('refusals', 'integer', column => column.notNull().defaultTo(1))
      .execute()
    await table().addColumn('provider_code', 'text').execute()
    await table().addColumn('provider_message', 'text').execute()
  },
}
