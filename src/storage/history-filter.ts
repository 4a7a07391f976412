/** Which generations of a history are asked for, and how a query says so. */
import { type AliasedExpression, type Kysely, type Selectable, type SelectQueryBuilder, sql } from 'kysely'
import type { GenerationStatus, Ratings } from './records.ts'
import type { ChatHistoryTable, Tables } from './tables.ts'

export interface HistoryFilter {
  limit: number
  /** The last one of the page before, with what it was sorted by where that is not its time. */
  before?: { timestamp: string; id: string; value?: number }
  /** Undefined: newest first. Stars and costs begin with the most, and the newest of as much. */
  order?: 'oldest' | 'stars' | 'cost'
  /** All of these words must occur, in any case. */
  words?: string[]
  provider?: string
  model?: string
  status?: GenerationStatus
  favorite?: boolean
  /** The tag as it was written. */
  tag?: string
  /** At least one picture has at least so many. */
  stars?: number
  /** True: a picture of it is rejected. False: there is more than rejected pictures. */
  rejected?: boolean
  from?: string
  to?: string
  /** Only generations that this token asked for. */
  owner?: string
}

export type HistoryRow = Selectable<ChatHistoryTable>
type HistoryQuery = SelectQueryBuilder<Tables, 'chat_history', HistoryRow>

/** Finds the newest that satisfy a filter with words, like a search of every row. */
export interface WordSearch {
  find(filter: HistoryFilter): Promise<HistoryRow[]>
  /** Brings an index up to date, where one is worth it. */
  follow(): Promise<void>
  close(): Promise<void>
}

/** All that satisfy it, in no order; of `rows` where not the whole history is meant. */
export function selectFiltered(
  db: Kysely<Tables>,
  filter: Omit<HistoryFilter, 'limit'>,
  rows?: AliasedExpression<HistoryRow, 'chat_history'>,
): HistoryQuery {
  let query = (rows ? db.selectFrom(rows) : db.selectFrom('chat_history')).selectAll() as HistoryQuery
  if (filter.before) query = query.where(isBehind(filter.before, filter.order))
  for (const word of filter.words ?? []) query = query.where(containsWord(word))
  if (filter.provider !== undefined) query = query.where('provider', '=', filter.provider)
  if (filter.model !== undefined) query = query.where('model', '=', filter.model)
  // The second conditions are those of partial indexes, which a parameter alone does not reach.
  if (filter.status !== undefined) {
    query = query.where('status', '=', filter.status)
    if (filter.status !== 'succeeded') query = query.where(sql<boolean>`status <> 'succeeded'`)
  }
  if (filter.favorite !== undefined) query = query.where(sql<boolean>`favorite = ${sql.lit(filter.favorite ? 1 : 0)}`)
  if (filter.tag !== undefined) {
    // In a list of JSON an entry follows a comma, here also the first; quotes within an entry are escaped.
    const list = sql<string>`',' || substr(tags, 2)`
    query = query
      .where(sql<boolean>`tags <> '[]'`)
      .where(sql<boolean>`replace(${list}, ${`,${JSON.stringify(filter.tag)}`}, '') <> ${list}`)
  }
  if (filter.stars !== undefined) query = query.where('stars', '>=', filter.stars).where(sql<boolean>`stars > 0`)
  if (filter.rejected === true) query = query.where(sql<boolean>`rejected > 0`)
  if (filter.rejected === false) {
    const count = sql`(select count(*) from images where images.generation_id = chat_history.id)`
    query = query.where(sql<boolean>`(rejected = 0 or rejected < ${count})`)
  }
  if (filter.from !== undefined) query = query.where('timestamp', '>=', filter.from)
  if (filter.to !== undefined) query = query.where('timestamp', '<=', filter.to)
  if (filter.owner !== undefined) query = query.where('token_id', '=', filter.owner)
  return query
}

export function newestFirst(query: HistoryQuery, limit: number): HistoryQuery {
  return query.orderBy('timestamp', 'desc').orderBy('id', 'desc').limit(limit)
}

/** What it is sorted by before its time. */
const sortedBy = { stars: sql<number>`stars`, cost: sql<number>`coalesce(cost_amount, -1)` }

export function sortValue(order: HistoryFilter['order'], row: { stars: number; cost: number | undefined }) {
  if (order === 'stars') return row.stars
  return order === 'cost' ? (row.cost ?? -1) : undefined
}

export function inOrder(query: HistoryQuery, { order, limit }: Pick<HistoryFilter, 'order' | 'limit'>): HistoryQuery {
  if (order === undefined) return newestFirst(query, limit)
  if (order === 'oldest') return query.orderBy('timestamp').orderBy('id').limit(limit)
  return newestFirst(query.orderBy(sortedBy[order], 'desc'), limit)
}

function isBehind({ timestamp, id, value }: NonNullable<HistoryFilter['before']>, order: HistoryFilter['order']) {
  if (order === undefined) return sql<boolean>`(timestamp, id) < (${timestamp}, ${id})`
  if (order === 'oldest') return sql<boolean>`(timestamp, id) > (${timestamp}, ${id})`
  return sql<boolean>`(${sortedBy[order]}, timestamp, id) < (${value ?? 0}, ${timestamp}, ${id})`
}

export interface HistoryCounts {
  generations: number
  /** Those of them that the filter means: with stars only pictures that have them. */
  images: number
}

export type HistoryCountFilter = Omit<HistoryFilter, 'limit' | 'before' | 'order'>

export async function countFiltered(db: Kysely<Tables>, filter: HistoryCountFilter): Promise<HistoryCounts> {
  const matching = selectFiltered(db, filter).clearSelect().select('id')
  const generations = db.selectFrom(matching.as('matching')).select(({ fn }) => fn.countAll<number>().as('count'))
  const images = db
    .selectFrom('images')
    .where('generation_id', 'in', matching)
    .select(({ fn }) => fn.countAll<number>().as('count'))
  const [generationCount, imageCount, rated] = await Promise.all([
    generations.executeTakeFirstOrThrow(),
    filter.stars === undefined && filter.rejected !== true ? images.executeTakeFirstOrThrow() : { count: 0 },
    filter.stars === undefined && filter.rejected === undefined ? [] : selectRatings(db, filter).execute(),
  ])
  const ratings = rated.flatMap(row => Object.values(JSON.parse(row.ratings) as Ratings))
  const meant = ratings.filter(({ stars, isRejected }) => {
    if (filter.stars === undefined) return isRejected
    return stars >= filter.stars && (filter.rejected === undefined || filter.rejected === isRejected)
  })
  const all = Number(imageCount.count)
  const isRest = filter.stars === undefined && filter.rejected === false
  return {
    generations: Number(generationCount.count),
    images: rated.length === 0 ? all : isRest ? all - meant.length : meant.length,
  }
}

/** Only of those that have any: they are few, as people give them by hand. */
function selectRatings(db: Kysely<Tables>, filter: HistoryCountFilter) {
  return selectFiltered(db, filter).clearSelect().select('ratings').where(sql<boolean>`(stars > 0 or rejected > 0)`)
}

/** The newest of rows that may stand there twice. */
export function mergeNewest(rows: readonly HistoryRow[], limit: number): HistoryRow[] {
  const byId = new Map(rows.map(row => [row.id, row]))
  return [...byId.values()].sort((a, b) => (isBefore(a, b) ? 1 : -1)).slice(0, limit)
}

/** As the database compares them: ids are plain ASCII. */
export function isBefore(a: { timestamp: string; id: string }, b: { timestamp: string; id: string }) {
  return a.timestamp < b.timestamp || (a.timestamp === b.timestamp && a.id < b.id)
}

export function containsWord(word: string) {
  return sql<boolean>`search_text like ${`%${word.replace(/[!%_]/g, '!$&')}%`} escape '!'`
}
