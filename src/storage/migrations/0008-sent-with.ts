import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What must be known of a task until it ends: the key and the address that it was sent with, and that its id was not told but found. */
export const sentWith: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('provider_calls').addColumn('sent_with', 'text').execute()
    await db.schema
      .alterTable('provider_calls')
      .addColumn('was_found', 'integer', column => column.notNull().defaultTo(0))
      .execute()
  },
}
