import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What a service's own list said of its models: which there are, and which end. */
export const listedModels: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('model_lists')
      .addColumn('provider', 'text', column => column.notNull())
      .addColumn('place', 'text', column => column.notNull())
      .addColumn('asked_at', 'text', column => column.notNull())
      .addColumn('answered_at', 'text')
      .addPrimaryKeyConstraint('model_lists_key', ['provider', 'place'])
      .execute()
    await db.schema
      .createTable('listed_models')
      .addColumn('provider', 'text', column => column.notNull())
      .addColumn('place', 'text', column => column.notNull())
      .addColumn('model_id', 'text', column => column.notNull())
      .addColumn('status', 'text', column => column.notNull())
      .addColumn('word', 'text', column => column.notNull())
      .addColumn('told', 'text', column => column.notNull())
      .addColumn('status_since', 'text')
      .addColumn('seen_at', 'text', column => column.notNull())
      .addPrimaryKeyConstraint('listed_models_key', ['provider', 'place', 'model_id'])
      .execute()
  },
}
