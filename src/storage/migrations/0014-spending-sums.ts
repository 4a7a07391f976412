import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { hasRows, isPostgresql, type Progress } from './progress.ts'

/**
 * What was spent in a day and in a month is known without reading its rows: triggers keep the sums in the transactions that settle, so
 * nothing can write the one without the other. What is still reserved is not among them, because `create` would otherwise lock the row
 * of a day before the counter of revisions, and `finish` after it.
 */
export function spendingSums(progress: Progress): Migration {
  return {
    async up(db: Kysely<unknown>) {
      if (await hasRows(db, 'spending')) progress({ en: 'What was spent is summed up.', zh: '正在汇总以往的用量。' })
      const isPostgres = isPostgresql(db)
      const table = db.schema
        .createTable('spending_sums')
        .addColumn('unit', 'text', column => column.notNull())
        .addColumn('start', 'text', column => column.notNull())
        .addColumn('token_id', 'text', column => column.notNull())
        .addColumn('config_id', 'text', column => column.notNull())
        .addColumn('model', 'text', column => column.notNull())
        .addColumn('currency', 'text', column => column.notNull())
        .addColumn('images', 'bigint', column => column.notNull())
        .addColumn('calls', 'bigint', column => column.notNull())
        .addColumn('amount', 'bigint', column => column.notNull())
        .addColumn('unknown', 'bigint', column => column.notNull())
        .addPrimaryKeyConstraint('spending_sums_key', [...keyColumns])
      // Room beside each row, where PostgreSQL writes it anew without a change of the index.
      await table.modifyEnd(isPostgres ? sql`with (fillfactor = 60)` : sql`without rowid`).execute()
      const days = `select 'day', substr(timestamp, 1, 10), coalesce(currency, ''), coalesce(token_id, ''), config_id, model,
          sum(images), sum(calls), sum(coalesce(amount, 0)), sum(is_unknown)
        from spending where state = 'settled'
        group by substr(timestamp, 1, 10), coalesce(currency, ''), coalesce(token_id, ''), config_id, model`
      await sql`insert into spending_sums ${sql.raw(`(${columns}) ${days}`)}`.execute(db)
      // The sums of the days are much fewer than the rows.
      const sums = summed.map(name => `sum(${name})`).join(', ')
      const months = `select 'month', substr(start, 1, 7), currency, token_id, config_id, model, ${sums} from spending_sums
        group by substr(start, 1, 7), currency, token_id, config_id, model`
      await sql`insert into spending_sums ${sql.raw(`(${columns}) ${months}`)}`.execute(db)
      for (const text of isPostgres ? postgresqlTriggers : sqliteTriggers) await sql.raw(text).execute(db)
      await sql`create index spending_reserved on spending (timestamp) where state = 'reserved'`.execute(db)
      // Sums were read from these; now a day at most is read by its time, and a row that is settled changes no index of all rows.
      for (const name of ['spending_token', 'spending_configuration', 'spending_time'])
        await db.schema.dropIndex(name).execute()
      await sql`create index spending_time on spending (timestamp)`.execute(db)
    },
  }
}

/** In this order a period by day is read as it stands. */
const keyColumns = ['unit', 'start', 'currency', 'token_id', 'config_id', 'model'] as const
const summed = ['images', 'calls', 'amount', 'unknown']
const columns = [...keyColumns, ...summed].join(', ')

/** Adds a row to the sums of its day and of its month, or takes it away. */
function add(row: 'new' | 'old') {
  const sign = row === 'new' ? '' : '-'
  const values = (unit: string, length: number) =>
    `('${unit}', substr(${row}.timestamp, 1, ${length}), coalesce(${row}.currency, ''), coalesce(${row}.token_id, ''), ${row}.config_id, ${row}.model,
      ${sign}${row}.images, ${sign}${row}.calls, ${sign}coalesce(${row}.amount, 0), ${sign}${row}.is_unknown)`
  const sums = summed.map(name => `${name} = spending_sums.${name} + excluded.${name}`).join(', ')
  return `insert into spending_sums (${columns}) values ${values('day', 10)}, ${values('month', 7)}
    on conflict (${keyColumns.join(', ')}) do update set ${sums};`
}

const sqliteTriggers = [
  `create trigger spending_inserted after insert on spending when new.state = 'settled' begin ${add('new')} end`,
  `create trigger spending_settled after update on spending when new.state = 'settled' begin ${add('new')} end`,
  `create trigger spending_resettled after update on spending when old.state = 'settled' begin ${add('old')} end`,
  `create trigger spending_deleted after delete on spending when old.state = 'settled' begin ${add('old')} end`,
]

const postgresqlTriggers = [
  `create function sum_spending() returns trigger language plpgsql as $$
    begin
      if tg_op <> 'INSERT' then
        if old.state = 'settled' then ${add('old')} end if;
      end if;
      if tg_op <> 'DELETE' then
        if new.state = 'settled' then ${add('new')} end if;
      end if;
      return null;
    end $$`,
  'create trigger spending_summed after insert or update or delete on spending for each row execute function sum_spending()',
]
