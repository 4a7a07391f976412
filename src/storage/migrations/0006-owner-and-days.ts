import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Whose the database is, and a count of the days that it has seen: a clock may be wrong, and put right by years. */
export const ownerAndDays: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`insert into meta (name, value) values ('owner', '')`.execute(db)
    await sql`insert into counters (name, value) values ('day', 0)`.execute(db)
    for (const table of ['idempotency_keys', 'removals', 'former_tasks', 'images']) {
      await db.schema
        .alterTable(table)
        .addColumn('day', 'bigint', column => column.notNull().defaultTo(0))
        .execute()
    }
  },
}
