import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * Stars and rejections of pictures, and the cover of a group. They stand in the row of the generation, so that a change of them has a
 * revision as every other has; `stars` and `rejected` sum them up for filters.
 */
export const ratings: Migration = {
  async up(db: Kysely<unknown>) {
    const history = () => db.schema.alterTable('chat_history')
    await history()
      .addColumn('ratings', 'text', column => column.notNull().defaultTo('{}'))
      .execute()
    await history()
      .addColumn('stars', 'integer', column => column.notNull().defaultTo(0))
      .execute()
    await history()
      .addColumn('rejected', 'integer', column => column.notNull().defaultTo(0))
      .execute()
    await history().addColumn('cover', 'integer').execute()
    // Of few rows, as most are neither starred nor rejected.
    await sql`create index chat_history_starred on chat_history (timestamp, id) where stars > 0`.execute(db)
    await sql`create index chat_history_rejected on chat_history (timestamp, id) where rejected > 0`.execute(db)
  },
}
