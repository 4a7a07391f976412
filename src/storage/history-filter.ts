/** Which generations of a history are asked for, and how a query says so. */
import { type AliasedExpression, type Kysely, type Selectable, type SelectQueryBuilder, sql } from 'kysely'
import type { GenerationStatus } from './records.ts'
import type { ChatHistoryTable, Tables } from './tables.ts'

export interface HistoryFilter {
  limit: number
  before?: { timestamp: string; id: string }
  /** All of these words must occur, in any case. */
  words?: string[]
  provider?: string
  model?: string
  status?: GenerationStatus
  favorite?: boolean
  /** The tag as it was written. */
  tag?: string
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
  const { before } = filter
  if (before) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('timestamp', 'id'), '<', tuple(before.timestamp, before.id)),
    )
  }
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
  if (filter.from !== undefined) query = query.where('timestamp', '>=', filter.from)
  if (filter.to !== undefined) query = query.where('timestamp', '<=', filter.to)
  if (filter.owner !== undefined) query = query.where('token_id', '=', filter.owner)
  return query
}

export function newestFirst(query: HistoryQuery, limit: number): HistoryQuery {
  return query.orderBy('timestamp', 'desc').orderBy('id', 'desc').limit(limit)
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
