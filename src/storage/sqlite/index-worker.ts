/**
 * The thread that keeps the search index of a history in step with it: it reads what changed, by revision, and writes it down in a
 * database of its own beside the history. So no step of the ledger waits for the index, and one that is lost is made again. Imports
 * nothing of the program, so that it is there within milliseconds.
 */
import { chmodSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'
import type { IndexPlaces } from './search-index.ts'

const { file, indexFile, owner } = workerData as IndexPlaces

/** Changes in one transaction. */
const changesAtOnce = 500
/** Rows of an older history in one transaction: the more, the fewer parts of the index have to be merged. */
const olderAtOnce = 5000
/** Generations of one millisecond that have a place of their own in it. */
const placesPerMs = 1024
/** A text ends with two of them, so that also its last character begins three. No word contains one. */
const padding = '\n\n'

const history = new DatabaseSync(file, { readOnly: true })
const index = new DatabaseSync(indexFile)
// Owner-only permissions: the file holds words of prompts.
chmodSync(indexFile, 0o600)
history.exec('PRAGMA busy_timeout = 5000')
index.exec(
  'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000; PRAGMA cache_size = -16384',
)

/**
 * `entries`: where the text of a generation stands; a place begins with its time, so that newest first is a walk of the index.
 * `state`: the history is indexed up to this revision, and what has not changed since the index was begun from now back to this time.
 */
index.exec(`
  create table if not exists entries (place integer primary key, id text not null unique);
  create virtual table if not exists trigrams using
    fts5(text, content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1');
  create virtual table if not exists terms using fts5vocab(trigrams, row);
  create table if not exists state
    (owner text not null, revision integer not null, older_than text, older_than_id text, lowest_place integer not null,
     spill integer not null)`)
if (!index.prepare('select 1 from state').get()) {
  index.exec("insert into trigrams (trigrams, rank) values ('hashsize', 8388608), ('automerge', 8)")
  // Later than every timestamp.
  index
    .prepare('insert into state values (?, ?, ?, ?, ?, 0)')
    .run(owner, newestRevision(), '~', '', Number.MAX_SAFE_INTEGER)
}

const changed = history.prepare(
  'select id, timestamp, search_text, revision from chat_history where revision > ? and revision <= ? order by revision limit ?',
)
const removed = history.prepare(
  'select generation_id as id, revision from removals where revision > ? and revision <= ? order by revision limit ?',
)
const older = history.prepare(
  `select id, timestamp, search_text from chat_history where (timestamp, id) < (?, ?)
   order by timestamp desc, id desc limit ?`,
)
const state = index.prepare('select * from state')
const placeOf = index.prepare('select place from entries where id = ?')
const isTaken = index.prepare('select 1 from entries where place = ?')
const addEntry = index.prepare('insert into entries (place, id) values (?, ?)')
const addText = index.prepare('insert into trigrams (rowid, text) values (?, ?)')
const removeEntry = index.prepare('delete from entries where place = ?')
const removeText = index.prepare('delete from trigrams where rowid = ?')

interface State {
  revision: number
  older_than: string | null
  older_than_id: string
  lowest_place: number
}

interface Entry {
  id: string
  timestamp: string
  search_text: string
}

// Between two transactions the readers see how far it has come, and the thread may be ended.
while (inTransaction(followChanges) || inTransaction(goBack));
if (!index.prepare('select 1 from entries').get()) {
  // Words of what was removed stay in the parts of the index until those are put together.
  index.exec("insert into trigrams (trigrams) values ('delete-all')")
  index.exec('VACUUM')
}
index.close()
history.close()

function inTransaction(work: () => boolean): boolean {
  index.exec('begin immediate')
  try {
    const isMore = work()
    index.exec('commit')
    return isMore
  } catch (error) {
    if (index.isTransaction) index.exec('rollback')
    throw error
  }
}

/** What changed since; false when there is nothing left. */
function followChanges(): boolean {
  const { revision } = state.get() as unknown as State
  const newest = newestRevision()
  const changes = changed.all(revision, newest, changesAtOnce) as unknown as (Entry & { revision: number })[]
  const removals = removed.all(revision, newest, changesAtOnce) as unknown as { id: string; revision: number }[]
  // What follows a full page is not known yet, so its last revision is the end.
  const ends = [changes, removals].map(page => (page.length < changesAtOnce ? newest : page.at(-1)!.revision))
  const end = Math.min(...ends)
  for (const change of changes) if (change.revision <= end) put(change)
  for (const { id, revision } of removals) if (revision <= end) take(id)
  index.prepare('update state set revision = ?').run(end)
  return end < newest
}

/** What was there before the index, from the newest to the oldest; false when there is nothing left. */
function goBack(): boolean {
  const { older_than, older_than_id, lowest_place } = state.get() as unknown as State
  if (older_than === null) return false
  const rows = older.all(older_than, older_than_id, olderAtOnce) as unknown as Entry[]
  let lowest = lowest_place
  const placed = rows.flatMap(row => {
    if (placeOf.get(row.id)) return []
    lowest = Math.min(lowest, firstPlace(row.timestamp) + placesPerMs) - 1
    while (isTaken.get(lowest)) lowest--
    return [{ row, place: lowest }]
  })
  // The index takes them faster in its own order.
  for (const { place, row } of placed.reverse()) add(place, row)
  const last = rows.length === olderAtOnce ? rows.at(-1) : undefined
  index
    .prepare('update state set older_than = ?, older_than_id = ?, lowest_place = ?')
    .run(last?.timestamp ?? null, last?.id ?? null, lowest)
  return last !== undefined
}

function put(entry: Entry) {
  const known = placeOf.get(entry.id) as { place: number } | undefined
  if (known) take(entry.id)
  add(known?.place ?? freePlace(entry.timestamp), entry)
}

function add(place: number, { id, timestamp, search_text: text }: Entry) {
  addEntry.run(place, id)
  // FTS5 takes no other numbers for places.
  addText.run(BigInt(place), text + padding)
  const early = firstPlace(timestamp) - place
  if (early > 0) index.prepare('update state set spill = max(spill, ?)').run(early)
}

function take(id: string) {
  const known = placeOf.get(id) as { place: number } | undefined
  if (!known) return
  removeText.run(BigInt(known.place))
  removeEntry.run(known.place)
}

function firstPlace(timestamp: string) {
  return (Date.parse(timestamp) || 0) * placesPerMs
}

/** A free rowid within the millisecond, or before it where that is full: never after it. */
function freePlace(timestamp: string): number {
  const first = firstPlace(timestamp)
  const { last } = index
    .prepare('select max(place) as last from entries where place between ? and ?')
    .get(first, first + placesPerMs - 1) as { last: number | null }
  let place = last === null ? first : Math.min(last + 1, first + placesPerMs - 1)
  while (isTaken.get(place)) place--
  return place
}

function newestRevision(): number {
  return Number(history.prepare("select value from counters where name = 'revision'").get()?.value)
}
