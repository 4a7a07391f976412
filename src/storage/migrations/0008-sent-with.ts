import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What a task needs until it ends: the key and the address that it was sent with, and whether its id was found in a list. */
export const sentWith: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('provider_calls').addColumn('sent_with', 'text').execute()
    await db.schema
      .alterTable('provider_calls')
      .addColumn('was_found', 'integer', column => column.notNull().defaultTo(0))
      .execute()
  },
}
