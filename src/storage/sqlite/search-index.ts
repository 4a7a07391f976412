/**
 * Words in a long history: an index of all that three characters follow one another in, beside the database. It is a little behind; what it
 * does not know yet is read from the history itself, and so is every row that it names: the answer is that of a search without an index.
 */
import { existsSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { type Kysely, sql } from 'kysely'
import {
  containsWord,
  type HistoryFilter,
  type HistoryRow,
  isBefore,
  mergeNewest,
  newestFirst,
  selectFiltered,
  type WordSearch,
} from '../history-filter.ts'
import type { Tables } from '../tables.ts'

export interface IndexPlaces {
  file: string
  indexFile: string
  /** Owner of the database: an index that another server left behind may belong to another history. */
  owner: string
}

interface IndexState {
  revision: number
  /** Null where all is indexed that was there before the index. */
  older_than: string | null
  older_than_id: string
  /** How far before its time a place may stand. */
  spill: number
}

/** Rows that are read without an index in a few milliseconds. */
const fewRows = 2000
/** Enough of the newest rows to see whether a word is common. */
const sampleRows = 500
/** Changes that are read beside the index. */
const fewChanges = 300
/** More than this many combinations of three characters with one beginning are common, and found without an index. */
const maxTerms = 1000
/** Between two repairs: where the index cannot be written, as on a full disk, it is not begun again and again. */
const restMs = 10 * 60_000
/** Memory of the thread that writes the index, in MiB. */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 }
/** Rowids for a millisecond, as that thread gives them. */
const placesPerMs = 1024
/** Generations of one millisecond; the index has them in the order of their ids where there are more. */
const maxOfOneTime = 1000

/** An index is kept when it is of the server that had the database before this one. */
export function adoptIndex(indexFile: string, before: string | undefined, owner: string) {
  if (!existsSync(indexFile)) return
  try {
    using handle = new DatabaseSync(indexFile)
    const { changes } = handle.prepare('update state set owner = ? where owner = ?').run(owner, before ?? '')
    if (changes === 1) return
  } catch {
    // Damaged, or made by a version to come.
  }
  removeIndex(indexFile)
}

function removeIndex(indexFile: string) {
  for (const ending of ['', '-wal', '-shm']) rmSync(`${indexFile}${ending}`, { force: true })
}

/** `onTrouble`: the index is of no use, and is made again. `renewReaders`: those that have it open let it go. */
export function createSearchIndex(
  places: IndexPlaces,
  reading: Kysely<Tables>,
  { onTrouble, renewReaders }: { onTrouble(error: unknown): void; renewReaders(): void },
): WordSearch {
  let worker: Worker | undefined
  let isClosed = false
  let repairing: Promise<void> | undefined
  let repairs = 0
  let restsUntil = 0

  /** The thread ends when the index is up to date. */
  function wake() {
    if (worker || isClosed || repairing || performance.now() < restsUntil) return
    worker = new Worker(new URL('./index-worker.ts', import.meta.url), { workerData: places, resourceLimits })
    worker.unref()
    worker.on('error', error => void repair(error))
    worker.on('exit', () => (worker = undefined))
  }

  /** An index that cannot be read or written is made again from the history. */
  function repair(error: unknown): Promise<void> {
    repairing ??= discard(error)
      .catch(onTrouble)
      .finally(() => {
        repairing = undefined
        wake()
      })
    return repairing
  }

  async function discard(error: unknown) {
    if (isClosed) return
    onTrouble(error)
    if (repairs > 0) restsUntil = performance.now() + restMs
    repairs++
    await worker?.terminate()
    renewReaders()
    removeIndex(places.indexFile)
  }

  /** Undefined while there is none. */
  async function readState(): Promise<IndexState | undefined> {
    if (!existsSync(places.indexFile)) return undefined
    const found = sql<IndexState>`select * from search.state`.execute(reading)
    // The index is being made, so its state cannot be read.
    return (await found.catch(() => undefined))?.rows[0]
  }

  /** Without an index: from the newest on, or over the index of a column. */
  function scan(filter: HistoryFilter): Promise<HistoryRow[]> {
    return newestFirst(selectFiltered(reading, filter), filter.limit).execute()
  }

  async function find(filter: HistoryFilter): Promise<HistoryRow[]> {
    try {
      return await findByIndex(filter)
    } catch (error) {
      // Where the history cannot be read either, the index is not the cause.
      const found = await scan(filter)
      void repair(error)
      return found
    }
  }

  async function findByIndex(filter: HistoryFilter): Promise<HistoryRow[]> {
    const state = await readState()
    void wakeIfWorthIt(state).catch(() => {})
    if (!state || (await isNarrow(filter))) return scan(filter)
    const match = await matchFor(filter.words ?? [])
    if (match === undefined) return scan(filter)
    const indexed = await findIndexed(filter, match, state)
    const changed = await newestFirst(
      selectFiltered(reading, filter, changedAfter(state.revision)),
      filter.limit,
    ).execute()
    let found = mergeNewest([...indexed, ...changed], filter.limit)
    if (found.length < filter.limit && state.older_than !== null) {
      const end = { timestamp: state.older_than, id: state.older_than_id }
      const before = filter.before && isBefore(filter.before, end) ? filter.before : end
      found = mergeNewest([...found, ...(await scan({ ...filter, before }))], filter.limit)
    }
    return found
  }

  /** Do the other conditions leave few rows? */
  async function isNarrow({ words: _, before: __, limit: ___, ...others }: HistoryFilter): Promise<boolean> {
    if (Object.values(others).every(value => value === undefined)) return false
    const some = selectFiltered(reading, others).clearSelect().select('id').limit(fewRows)
    const { count } = await reading
      .selectFrom(some.as('some'))
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    return count < fewRows
  }

  /** What FTS5 is asked for; undefined where every word is so short and common that the newest rows hold enough of it. */
  async function matchFor(words: string[]): Promise<string | undefined> {
    const parts: string[] = []
    for (const word of words) {
      if ([...word].length >= 3) parts.push(quoted(word))
      else if (!(await isCommon(word))) {
        const terms = await termsOf(word)
        if (terms.length <= maxTerms) parts.push(`(${terms.map(quoted).join(' OR ') || quoted(`${word}\n\n`)})`)
      }
    }
    return parts.length === 0 ? undefined : parts.join(' AND ')
  }

  /** At least one in ten of the newest rows has it. */
  async function isCommon(word: string): Promise<boolean> {
    const newest = newestFirst(selectFiltered(reading, {}), sampleRows).clearSelect().select('search_text')
    const { count } = await reading
      .selectFrom(newest.as('chat_history'))
      .where(containsWord(word))
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    return count >= sampleRows / 10
  }

  /** The index holds three characters each; those that begin with this word stand wherever it stands. */
  async function termsOf(word: string): Promise<string[]> {
    const { rows } = await sql<{ term: string }>`
      select term from search.terms where term >= ${word} and term < ${`${word}\u{10ffff}`}
      limit ${maxTerms + 1}`.execute(reading)
    return rows.map(({ term }) => term)
  }

  /** Sorted by rowid, which is the order of the timestamps. */
  async function findIndexed(filter: HistoryFilter, match: string, state: IndexState): Promise<HistoryRow[]> {
    const latest = [filter.before?.timestamp, filter.to].filter(time => time !== undefined).sort()[0]
    const places = { from: 0, to: Number.MAX_SAFE_INTEGER }
    if (filter.from !== undefined) places.from = Date.parse(filter.from) * placesPerMs - state.spill
    if (latest !== undefined) places.to = (Date.parse(latest) + 1) * placesPerMs
    const indexed = selectFiltered(reading, filter).where('revision', '<=', state.revision)
    for (let limit = filter.limit + 8; ; limit *= 2) {
      // The join has to go in this order: from the index to its rows.
      const { rows } = await sql<HistoryRow>`
        select chat_history.* from search.trigrams
        cross join search.entries on entries.place = trigrams.rowid
        cross join ${indexed} as chat_history on chat_history.id = entries.id
        where trigrams match ${match} and trigrams.rowid >= cast(${places.from} as integer)
          and trigrams.rowid < cast(${places.to} as integer)
        order by trigrams.rowid desc limit ${limit}`.execute(reading)
      const found = mergeNewest(rows, filter.limit)
      // Rows of the same millisecond are in the order of their ids only when all of them are there.
      if (rows.length < limit || rows.at(-1)?.timestamp !== found.at(-1)?.timestamp || limit > maxOfOneTime)
        return found
    }
  }

  /** The limit keeps SQLite from walking another index than that of revisions. */
  function changedAfter(revision: number) {
    return reading.selectFrom('chat_history').selectAll().where('revision', '>', revision).limit(1e9).as('chat_history')
  }

  async function wakeIfWorthIt(state: IndexState | undefined) {
    if (state) {
      const { rows } = await sql<{ value: number }>`select value from counters where name = 'revision'`.execute(reading)
      if (state.older_than !== null || Number(rows[0]?.value) - state.revision > fewChanges) wake()
    } else {
      const rows = await reading.selectFrom('chat_history').select('id').limit(1).offset(fewRows).execute()
      if (rows.length > 0) wake()
    }
  }

  return {
    find,
    follow: async () => wakeIfWorthIt(await readState()),
    async close() {
      isClosed = true
      await Promise.all([worker?.terminate(), repairing])
    },
  }
}

function quoted(text: string) {
  return `"${text.replaceAll('"', '""')}"`
}
