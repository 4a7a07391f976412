import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What was asked for by whom, so that a client that repeats a request by itself gets the generation that it has paid for. */
export const requestFingerprints: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('request_fingerprints')
      .addColumn('generation_id', 'text', column => column.primaryKey())
      .addColumn('fingerprint', 'text', column => column.notNull())
      .addColumn('is_answered', 'integer', column => column.notNull().defaultTo(0))
      .addColumn('day', 'bigint', column => column.notNull().defaultTo(0))
      .execute()
    await db.schema
      .createIndex('request_fingerprints_fingerprint')
      .on('request_fingerprints')
      .column('fingerprint')
      .execute()
  },
}
