import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

export const tokensAndSpending: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('access_tokens')
      .addColumn('id', 'text', column => column.primaryKey())
      .addColumn('name', 'text', column => column.notNull())
      .addColumn('role', 'text', column => column.notNull())
      .addColumn('hash', 'text', column => column.unique())
      .addColumn('monthly_cap_amount', 'bigint')
      .addColumn('monthly_cap_currency', 'text')
      .addColumn('monthly_images', 'integer')
      .addColumn('models', 'text')
      .addColumn('created_at', 'text', column => column.notNull())
      .addColumn('last_used_at', 'text')
      .addColumn('revoked_at', 'text')
      .execute()

    await db.schema.alterTable('chat_history').addColumn('token_id', 'text').execute()
    await db.schema
      .createIndex('chat_history_token')
      .on('chat_history')
      .columns(['token_id', 'timestamp', 'id'])
      .execute()
    await db.schema.alterTable('removals').addColumn('token_id', 'text').execute()
    for (const [name, type] of [
      ['monthly_cap_amount', 'bigint'],
      ['monthly_cap_currency', 'text'],
      ['monthly_images', 'integer'],
    ] as const) {
      await db.schema.alterTable('configurations').addColumn(name, type).execute()
    }

    await db.schema
      .createTable('reference_owners')
      .addColumn('image_id', 'text', column => column.notNull().references('images.id').onDelete('cascade'))
      .addColumn('token_id', 'text', column => column.notNull())
      .addPrimaryKeyConstraint('reference_owners_key', ['image_id', 'token_id'])
      .execute()
    await sql`insert into reference_owners (image_id, token_id) select id, '' from images where role = 'reference'`.execute(
      db,
    )

    await db.schema
      .createTable('spending')
      .addColumn('generation_id', 'text', column => column.primaryKey())
      .addColumn('timestamp', 'text', column => column.notNull())
      .addColumn('token_id', 'text')
      .addColumn('config_id', 'text', column => column.notNull())
      .addColumn('model', 'text', column => column.notNull())
      .addColumn('state', 'text', column => column.notNull())
      .addColumn('images', 'integer', column => column.notNull())
      .addColumn('calls', 'integer', column => column.notNull())
      .addColumn('amount', 'bigint')
      .addColumn('currency', 'text')
      .addColumn('is_unknown', 'integer', column => column.notNull().defaultTo(0))
      .execute()
    // Covering indexes: the sum of a busy month is read from the index alone.
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
    await copyPast(db)
    await sql`insert into counters (name, value) values ('spending', 0)`.execute(db)
  },
}

/** Generations from before caps existed count too. Rows of the previous program have no calls, and their cost is unknown. */
async function copyPast(db: Kysely<unknown>) {
  await sql`
    insert into spending
      (generation_id, timestamp, config_id, model, state, images, calls, amount, currency, is_unknown)
    select h.id, h.timestamp, coalesce(h.config_id, ''), coalesce(h.model, ''),
      case when h.status in ('queued', 'running') then 'reserved' else 'settled' end,
      case
        when h.status in ('queued', 'running') or h.charge = 'unknown'
          then (select coalesce(sum(c.images), 0) from provider_calls c where c.generation_id = h.id and c.attempt = 1)
        else (select count(*) from images i where i.generation_id = h.id)
      end,
      (select count(*) from provider_calls c where c.generation_id = h.id and c.charge <> 'none'),
      cast(round(h.cost_amount * 1000000) as bigint),
      h.cost_currency,
      case when h.charge = 'unknown' or (h.charge = 'charged' and h.cost_amount is null) then 1 else 0 end
    from chat_history h
    where h.resolved is not null`.execute(db)
}
