import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Which session a generation counts in, so that the cap of a session holds in every process and across a restart. */
export const sessionSpending: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('session_spending')
      .addColumn('generation_id', 'text', column => column.primaryKey())
      .addColumn('session', 'text', column => column.notNull())
      .addColumn('began_at', 'text', column => column.notNull())
      .addColumn('timestamp', 'text', column => column.notNull())
      .execute()
    await db.schema
      .createIndex('session_spending_session')
      .on('session_spending')
      .columns(['session', 'timestamp'])
      .execute()
  },
}
