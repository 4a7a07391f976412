/**
 * What was spent in a period: the sums of its whole months and days, which triggers keep (`migrations/0014-spending-sums.ts`), the rows of
 * a day that it begins or ends in, and what is still reserved.
 */
import { type RawBuilder, sql } from 'kysely'
import type { Connection } from './connection.ts'
import { nextDay, nextMonth, type Period, splitPeriod } from './periods.ts'

export type UsageGroup = 'day' | 'model' | 'configuration' | 'token' | 'user'

export interface SpentSum {
  /** Empty where nothing is grouped, and for the access token of the server. */
  key: string
  /** Null where no price is known. */
  currency: string | null
  images: number
  calls: number
  /** Millionths. */
  amount: number
  unknown: number
}

/** Rows of one owner with all that belongs to it, of one token, or of one configuration. */
export interface SpentBy {
  ownerId?: string
  tokenId?: string
  configId?: string
}

/** A row for each key and currency that has anything to count, in their order. */
export async function sumSpending(
  db: Connection,
  { from, to }: Period,
  { group, ...by }: SpentBy & { group?: UsageGroup },
): Promise<SpentSum[]> {
  // The form of a time beyond the year 9999 is another one.
  const period = { from, to: /^\d/.test(to) ? to : '9999-12-31T00:00:00.000Z' }
  const { months, days, added, taken } = splitPeriod(period, group === 'day' ? 'day' : 'month')
  const key = groupKey(group)
  const only = restrict(by)
  const sums = (unit: 'day' | 'month', { from, to }: Period) => sql`
    select ${key.ofSums} as key, currency, sum(images) as images, sum(calls) as calls, sum(amount) as amount, sum(unknown) as unknown
    from spending_sums where unit = ${sql.lit(unit)} and start >= ${from} and start < ${to}${only} group by 1, 2`
  const rows = (state: 'settled' | 'reserved', { from, to }: Period, sign = sql``) => sql`
    select ${key.ofRows} as key, coalesce(currency, '') as currency, ${sign}images as images, ${sign}calls as calls,
      ${sign}coalesce(amount, 0) as amount, ${sign}is_unknown as unknown
    from spending
    where state = ${sql.lit(state)} and timestamp >= ${from} and timestamp < ${to}${only}`
  const parts = [
    ...months.map(part => sums('month', part)),
    ...days.map(part => sums('day', part)),
    rows('reserved', period),
    ...added.map(part => rows('settled', part)),
    ...taken.map(part => rows('settled', part, sql`-`)),
  ]
  const { rows: found } = await sql<
    Record<keyof SpentSum, string | number>
  >`select key, currency, sum(images) as images, sum(calls) as calls, sum(amount) as amount, sum(unknown) as unknown
    from (${sql.join(parts, sql` union all `)}) as parts
    group by key, currency
    having sum(images) > 0 or sum(calls) > 0 or sum(unknown) > 0
    order by key, currency`.execute(db)
  // PostgreSQL returns sums as text.
  return found.map(row => ({
    key: String(row.key),
    currency: row.currency === '' ? null : String(row.currency),
    images: Number(row.images),
    calls: Number(row.calls),
    amount: Number(row.amount),
    unknown: Number(row.unknown),
  }))
}

function restrict({ ownerId, tokenId, configId }: SpentBy): RawBuilder<unknown> {
  const conditions = [
    ...(ownerId === undefined
      ? []
      : [sql`(token_id = ${ownerId} or token_id in (select id from access_tokens where user_id = ${ownerId}))`]),
    ...(tokenId === undefined ? [] : [sql`token_id = ${tokenId}`]),
    ...(configId === undefined ? [] : [sql`config_id = ${configId}`]),
  ]
  return conditions.length === 0 ? sql`` : sql` and ${sql.join(conditions, sql` and `)}`
}

/** Every sum of a day beside its rows, a month at a time. Stops at `signal` with what it has found so far. */
export async function findWrongDays(db: Connection, signal?: AbortSignal): Promise<string[]> {
  const wrong: string[] = []
  for (let at = ''; !signal?.aborted; ) {
    const { rows } = await sql<{ time: string | null }>`select min(time) as time from (
        select min(timestamp) as time from spending where timestamp >= ${at}
        union all select min(start) as time from spending_sums where unit = 'day' and start >= ${at}
      ) as next`.execute(db)
    const time = rows[0]?.time
    if (!time) break
    const month = time.slice(0, 7)
    const after = nextMonth(month)
    // A time of another form would never end.
    if (after <= at) break
    at = after
    const entries = sql`
      select ${sumColumns}, images, calls, amount, unknown from spending_sums where unit = 'day' and start >= ${month} and start < ${at}
      union all select ${rowColumns}, -images, -calls, -coalesce(amount, 0), -is_unknown from spending
        where state = 'settled' and timestamp >= ${month} and timestamp < ${at}`
    wrong.push(...(await findDifferences(db, entries)))
  }
  return wrong
}

/** Every sum of a month beside those of its days. */
export function findWrongMonths(db: Connection): Promise<string[]> {
  return findDifferences(
    db,
    sql`
    select ${sumColumns}, images, calls, amount, unknown from spending_sums where unit = 'month'
    union all select substr(start, 1, 7), currency, token_id, config_id, model, -images, -calls, -amount, -unknown
      from spending_sums where unit = 'day'`,
  )
}

/** The days or months whose entries do not come to nothing. */
async function findDifferences(db: Connection, entries: RawBuilder<unknown>): Promise<string[]> {
  const { rows } = await sql<{ start: string }>`select distinct start from (
      select start from (${entries}) as entries
      group by ${sumColumns}
      having sum(images) <> 0 or sum(calls) <> 0 or sum(amount) <> 0 or sum(unknown) <> 0
    ) as differing`.execute(db)
  return rows.map(({ start }) => start)
}

/** Makes the sums of a day anew from its rows. */
export function recountDay(db: Connection, day: string): Promise<void> {
  return replaceSums(
    db,
    { unit: 'day', start: day },
    sql`
    select ${rowColumns}, sum(images), sum(calls), sum(coalesce(amount, 0)), sum(is_unknown) from spending
    where state = 'settled' and timestamp >= ${day} and timestamp < ${nextDay(day)} group by 1, 2, 3, 4, 5`,
  )
}

/** Makes the sums of a month anew from those of its days. */
export function recountMonth(db: Connection, month: string): Promise<void> {
  return replaceSums(
    db,
    { unit: 'month', start: month },
    sql`
    select substr(start, 1, 7), currency, token_id, config_id, model, sum(images), sum(calls), sum(amount), sum(unknown)
    from spending_sums where unit = 'day' and start >= ${month} and start < ${nextMonth(month)} group by 1, 2, 3, 4, 5`,
  )
}

async function replaceSums(
  db: Connection,
  { unit, start }: { unit: 'day' | 'month'; start: string },
  entries: RawBuilder<unknown>,
) {
  await db.deleteFrom('spending_sums').where('unit', '=', unit).where('start', '=', start).execute()
  await sql`insert into spending_sums (unit, ${sumColumns}, images, calls, amount, unknown)
    select ${sql.lit(unit)}, entries.* from (${entries}) as entries`.execute(db)
}

const sumColumns = sql`start, currency, token_id, config_id, model`

const rowColumns = sql`substr(timestamp, 1, 10) as start, coalesce(currency, '') as currency, coalesce(token_id, '') as token_id,
  config_id, model`

/** What rows are grouped by, in the sums and in the rows themselves. */
function groupKey(group: UsageGroup | undefined): { ofSums: RawBuilder<unknown>; ofRows: RawBuilder<unknown> } {
  const both = (key: RawBuilder<unknown>) => ({ ofSums: key, ofRows: key })
  switch (group) {
    case 'day':
      return { ofSums: sql`start`, ofRows: sql`substr(timestamp, 1, 10)` }
    case 'model':
      return both(sql`model`)
    case 'configuration':
      return both(sql`config_id`)
    case 'token':
      return { ofSums: sql`token_id`, ofRows: sql`coalesce(token_id, '')` }
    case 'user':
      // What a token of a user spent, the user spent; a token without a user stands for itself.
      return both(sql`coalesce((select user_id from access_tokens where access_tokens.id = token_id), token_id, '')`)
    default:
      return both(sql`''`)
  }
}
