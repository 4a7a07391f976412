/**
 * Words in a long history on PostgreSQL: an index of all that one, two or three characters stand side by side in, of ended generations. It
 * needs no extension and no locale, is made beside the running server, and every row that it names is compared with the words.
 */
import { type Kysely, sql } from 'kysely'
import pg from 'pg'
import {
  type HistoryFilter,
  type HistoryRow,
  mergeNewest,
  newestFirst,
  selectFiltered,
  type WordSearch,
} from '../history-filter.ts'
import type { Tables } from '../tables.ts'

const indexName = 'chat_history_words'
/** Rows that are read without an index in a few milliseconds: a word that is common is found among the newest of them. */
const fewRows = 3000

/** Pieces of that many characters, from that one on. */
const pieces = (length: number, from: number) =>
  `string_to_array(regexp_replace(substr(search_text, ${from}), '(${'.'.repeat(length)})', '\\1' || chr(1), 'g'), chr(1))`

/** The text of an index and of a query have to be the same. */
const grams = sql.raw(
  `(string_to_array(search_text, null) || ${pieces(2, 1)} || ${pieces(2, 2)} || ${pieces(3, 1)} || ${pieces(3, 2)} || ${pieces(3, 3)})`,
)
/** An index that each step of a running generation had to write would cost more than it saves. */
const hasEnded = sql<boolean>`chat_history.status <> 'queued' and chat_history.status <> 'running'`
const hasNotEnded = sql<boolean>`chat_history.status in ('queued', 'running') and chat_history.status <> 'succeeded'`

/** `onTrouble`: the index could not be made; it is tried again at the next `follow`. */
export function createWordIndex(
  url: string,
  reading: Kysely<Tables>,
  { onTrouble }: { onTrouble(error: unknown): void },
): WordSearch {
  let isReady = false
  let isClosed = false
  let making: Promise<void> | undefined
  let client: pg.Client | undefined

  /** Without an index. */
  function scan(filter: HistoryFilter): Promise<HistoryRow[]> {
    return newestFirst(selectFiltered(reading, filter), filter.limit).execute()
  }

  async function find(filter: HistoryFilter): Promise<HistoryRow[]> {
    if (!isReady) return scan(filter)
    const { words = [], ...others } = filter
    const newest = newestFirst(selectFiltered(reading, others), fewRows)
    const near = await newestFirst(
      selectFiltered(reading, { words }, newest.as('chat_history')),
      filter.limit,
    ).execute()
    if (near.length === filter.limit || (await isAll(others))) return near
    const unfinished = newestFirst(selectFiltered(reading, filter).where(hasNotEnded), filter.limit).execute()
    return mergeNewest([...(await findIndexed(filter, words)), ...(await unfinished)], filter.limit)
  }

  /** Were the newest rows all that there are with these conditions? */
  async function isAll(others: Omit<HistoryFilter, 'words'>): Promise<boolean> {
    const some = selectFiltered(reading, others).clearSelect().select('id').orderBy('timestamp', 'desc').limit(fewRows)
    const { count } = await reading
      .selectFrom(some.as('some'))
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    return Number(count) < fewRows
  }

  /** Materialized, so that PostgreSQL does not walk the history from its newest row in the hope of finding enough soon. */
  async function findIndexed(filter: HistoryFilter, words: readonly string[]): Promise<HistoryRow[]> {
    const terms = words.flatMap(cutWord)
    const matching = selectFiltered(reading, filter)
      .where(sql<boolean>`${grams} @> ${terms}::text[]`)
      .where(hasEnded)
      .clearSelect()
      .select(['id', 'timestamp'])
    const { rows } = await sql<{ id: string }>`
      with matching as materialized (${matching})
      select id from matching order by timestamp desc, id desc limit ${filter.limit}`.execute(reading)
    if (rows.length === 0) return []
    const ids = rows.map(({ id }) => id)
    return selectFiltered(reading, {}).where('id', 'in', ids).execute()
  }

  /** Beside all that goes on: nothing waits for it, and it may take minutes. */
  async function make() {
    client = new pg.Client({ connectionString: url, keepAlive: true })
    client.on('error', () => {})
    try {
      await client.connect()
      const { rows } = await client.query(
        'select indisvalid as is_valid from pg_index where indexrelid = to_regclass($1)::oid',
        [indexName],
      )
      // One whose making was broken off stays as a rest that is of no use.
      if (rows.length > 0 && !rows[0].is_valid) await client.query(`drop index concurrently ${indexName}`)
      if (isClosed) return
      if (!rows[0]?.is_valid) {
        const { sql: text } =
          sql`create index concurrently ${sql.raw(indexName)} on chat_history using gin (${grams}) where ${hasEnded}`.compile(
            reading,
          )
        await client.query(text.replaceAll('chat_history.status', 'status'))
        await client.query('analyze chat_history')
      }
      isReady = true
    } catch (error) {
      if (!isClosed) onTrouble(error)
    } finally {
      await client.end().catch(() => {})
      client = undefined
    }
  }

  return {
    find,
    async follow() {
      if (isReady || isClosed || making) return
      const rows = await reading.selectFrom('chat_history').select('id').limit(1).offset(fewRows).execute()
      if (rows.length > 0 && !isClosed) making = make().finally(() => (making = undefined))
    },
    async close() {
      isClosed = true
      const { processID } = (client ?? {}) as { processID?: number }
      if (processID) await sql`select pg_cancel_backend(${processID})`.execute(reading).catch(() => {})
      await making
    },
  }
}

/** A word of three characters and more is looked for by all three that stand side by side in it. */
function cutWord(word: string): string[] {
  const characters = [...word]
  const length = Math.min(3, characters.length)
  return characters.slice(0, characters.length - length + 1).map((_, at) => characters.slice(at, at + length).join(''))
}
