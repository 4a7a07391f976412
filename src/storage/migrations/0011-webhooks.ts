import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Who is told of the end of a generation, and what was sent to whom: a delivery is written with the end that it tells. */
export const webhooks: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('chat_history').addColumn('callback_url', 'text').execute()
    await db.schema
      .createTable('webhooks')
      .addColumn('id', 'text', column => column.primaryKey())
      .addColumn('owner_id', 'text', column => column.notNull())
      .addColumn('url', 'text')
      .addColumn('name', 'text', column => column.notNull())
      .addColumn('state', 'text', column => column.notNull())
      .addColumn('secret', 'text', column => column.notNull())
      .addColumn('former_secret', 'text')
      .addColumn('former_until', 'text')
      .addColumn('created_at', 'text', column => column.notNull())
      .execute()
    await db.schema.createIndex('webhooks_owner').on('webhooks').column('owner_id').execute()
    await db.schema
      .createTable('webhook_deliveries')
      .addColumn('id', 'text', column => column.primaryKey())
      .addColumn('webhook_id', 'text', column => column.notNull())
      .addColumn('generation_id', 'text')
      .addColumn('url', 'text', column => column.notNull())
      .addColumn('host', 'text', column => column.notNull())
      .addColumn('event', 'text', column => column.notNull())
      .addColumn('state', 'text', column => column.notNull())
      .addColumn('tries', 'text', column => column.notNull())
      .addColumn('due_at', 'text')
      .addColumn('lease', 'text')
      .addColumn('created_at', 'text', column => column.notNull())
      .addColumn('tried_since', 'text', column => column.notNull())
      .addColumn('day', 'bigint', column => column.notNull().defaultTo(0))
      .execute()
    await db.schema
      .createIndex('webhook_deliveries_webhook')
      .on('webhook_deliveries')
      .columns(['webhook_id', 'created_at', 'id'])
      .execute()
    // Of few rows: what was delivered is never due again.
    await sql`create index webhook_deliveries_due on webhook_deliveries (due_at) where due_at is not null`.execute(db)
  },
}
