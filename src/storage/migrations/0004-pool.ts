import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Configurations share the work: the limits of each, which are suspended, and what was spent with each. */
export const pool: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('configurations')
      .addColumn('weight', 'integer', column => column.notNull().defaultTo(1))
      .execute()
    await db.schema.alterTable('configurations').addColumn('most_running', 'integer').execute()
    await db.schema.alterTable('configurations').addColumn('requests_per_minute', 'integer').execute()
    await db.schema
      .createTable('taken_out_configurations')
      .addColumn('config_id', 'text', column => column.primaryKey())
      .addColumn('code', 'text', column => column.notNull())
      .addColumn('message', 'text', column => column.notNull())
      .addColumn('taken_out_at', 'text', column => column.notNull())
      .execute()
    // Existing calls stay with the configuration that they were written for.
    await db.schema
      .alterTable('provider_calls')
      .addColumn('may_move', 'integer', column => column.notNull().defaultTo(0))
      .execute()
    await spendByConfiguration(db)
  },
}

/** The calls of one generation may be made with several configurations, so it may have several rows. */
async function spendByConfiguration(db: Kysely<unknown>) {
  await sql`alter table spending rename to spending_before`.execute(db)
  for (const index of ['spending_time', 'spending_token', 'spending_configuration'])
    await db.schema.dropIndex(index).execute()
  await db.schema
    .createTable('spending')
    .addColumn('generation_id', 'text', column => column.notNull())
    .addColumn('config_id', 'text', column => column.notNull())
    .addColumn('timestamp', 'text', column => column.notNull())
    .addColumn('token_id', 'text')
    .addColumn('model', 'text', column => column.notNull())
    .addColumn('state', 'text', column => column.notNull())
    .addColumn('images', 'integer', column => column.notNull())
    .addColumn('calls', 'integer', column => column.notNull())
    .addColumn('amount', 'bigint')
    .addColumn('currency', 'text')
    .addColumn('is_unknown', 'integer', column => column.notNull().defaultTo(0))
    .addPrimaryKeyConstraint('spending_key', ['generation_id', 'config_id'])
    .execute()
  const columns = sql.raw(
    'generation_id, config_id, timestamp, token_id, model, state, images, calls, amount, currency, is_unknown',
  )
  await sql`insert into spending (${columns}) select ${columns} from spending_before`.execute(db)
  await db.schema.dropTable('spending_before').execute()
  const summed = ['timestamp', 'currency', 'amount', 'images']
  await db.schema.createIndex('spending_time').on('spending').columns(summed).execute()
  await db.schema
    .createIndex('spending_token')
    .on('spending')
    .columns(['token_id', ...summed])
    .execute()
  await db.schema
    .createIndex('spending_configuration')
    .on('spending')
    .columns(['config_id', ...summed])
    .execute()
}
