import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** The key and the address that a task was sent with stay with it until it ends. */
export const sentWith: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('provider_calls').addColumn('sent_with', 'text').execute()
  },
}
