import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Pictures that were made elsewhere: where they come from, and what recognises them when they are imported again. */
export const imports: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('chat_history').addColumn('imported_from', 'text').execute()
    await db.schema
      .createTable('imports')
      .addColumn('source', 'text', column => column.notNull())
      .addColumn('identity', 'text', column => column.notNull())
      .addColumn('generation_id', 'text', column => column.notNull().references('chat_history.id').onDelete('cascade'))
      .addColumn('recipe_hash', 'text', column => column.notNull())
      .addColumn('imported_at', 'text', column => column.notNull())
      .addPrimaryKeyConstraint('imports_key', ['source', 'identity'])
      .execute()
    await db.schema.createIndex('imports_generation').on('imports').column('generation_id').execute()
  },
}
