import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** A configuration that its service refused is tried again by itself: when, after how many refusals, and in whose words it was refused. */
export const halfOpen: Migration = {
  async up(db: Kysely<unknown>) {
    const table = () => db.schema.alterTable('taken_out_configurations')
    // Those that were left aside before may be tried at once.
    await table().addColumn('retry_at', 'text').execute()
    await table()
      .addColumn('refusals', 'integer', column => column.notNull().defaultTo(1))
      .execute()
    await table().addColumn('provider_code', 'text').execute()
    await table().addColumn('provider_message', 'text').execute()
  },
}
