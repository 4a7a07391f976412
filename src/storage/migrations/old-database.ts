/**
 * Takes over the database that users had before: `configurations` and `chat_history` with only the columns id, name, provider,
 * api_key, model, is_active and id, prompt, image_urls, timestamp, model, parameters. The rows are copied into our tables.
 */
import { randomUUID } from 'node:crypto'
import { CompiledQuery, type Kysely, type RawBuilder, sql } from 'kysely'
import type { Seal } from '../secrets/seal.ts'
import { isPostgresql, type Progress } from './progress.ts'

type Row = Record<string, unknown>

/** The text of each column. */
type OldRow = Record<string, string | null> & { id: string }

/** Databases take about 30,000 values in one statement. */
const rowsAtOnce = 200
/** Rows between two lines about the progress. */
const rowsPerLine = 100_000

export interface OldTables {
  configurations: boolean
  history: boolean
}

/** Renames old tables, so that ours can be created. A table is old when it lacks a column that ours has. */
export async function setOldTablesAside(db: Kysely<unknown>): Promise<OldTables> {
  const tables = await db.introspection.getTables()
  const isOld = (name: string, newColumn: string) => {
    const table = tables.find(table => table.name === name)
    return table !== undefined && !table.columns.some(column => column.name === newColumn)
  }
  const old = { configurations: isOld('configurations', 'key_hint'), history: isOld('chat_history', 'search_text') }
  if (old.configurations) await sql`alter table configurations rename to old_configurations`.execute(db)
  if (old.history) await sql`alter table chat_history rename to old_chat_history`.execute(db)
  return old
}

export async function copyOldRows(db: Kysely<unknown>, old: OldTables, seal: Seal, progress: Progress) {
  if (old.configurations) await copyTable(db, 'configurations', row => configuration(row, seal), progress)
  if (old.history) await copyTable(db, 'chat_history', historyEntry, progress)
}

async function copyTable(db: Kysely<unknown>, name: string, newRow: (row: OldRow) => Row, progress: Progress) {
  const oldName = `old_${name}`
  const insert = inserter(db, name)
  let done = 0
  for await (const rows of pagesOf(db, oldName)) {
    for (const row of rows) row.id ||= randomUUID()
    await sql`savepoint page`.execute(db)
    if ((await insert(rows.map(newRow))) < rows.length) {
      await sql`rollback to page`.execute(db)
      for (const row of rows) {
        // Our ids are unique; the previous table may have had no such constraint. A key is sealed for its id, so the row is made anew.
        if ((await insert([newRow(row)])) === 0) await insert([newRow({ ...row, id: randomUUID() })])
      }
    }
    await sql`release page`.execute(db)
    done += rows.length
    if (done % rowsPerLine === 0) {
      const shown = done.toLocaleString('en')
      progress({
        en: `${shown} entries of the old database were taken over.`,
        zh: `已接管旧数据库的 ${shown} 条记录。`,
      })
    }
  }
  await sql`drop table ${sql.table(oldName)}`.execute(db)
}

/** Tells how many rows were inserted: an id may be there already. */
function inserter(db: Kysely<unknown>, name: string) {
  // To write the same statement again and again takes longer than to run it.
  const written = new Map<number, { text: string; columns: string[] }>()
  return async (rows: Row[]): Promise<number> => {
    let statement = written.get(rows.length)
    if (!statement) {
      const tables = db as Kysely<Record<string, Row>>
      const { sql: text } = tables
        .insertInto(name)
        .values(rows)
        .onConflict(conflict => conflict.doNothing())
        .compile()
      statement = { text, columns: Object.keys(rows[0] ?? {}) }
      written.set(rows.length, statement)
    }
    const values = rows.flatMap(row => statement.columns.map(column => row[column]))
    const { numAffectedRows } = await db.executeQuery(CompiledQuery.raw(statement.text, values))
    return Number(numAffectedRows ?? 0)
  }
}

/** The rows of an old table, some at a time: all of them need not fit into memory. */
async function* pagesOf(db: Kysely<unknown>, table: string): AsyncGenerator<OldRow[]> {
  const found = (await db.introspection.getTables()).find(({ name }) => name === table)
  // Everything as text: ids and times may be larger than numbers can be here, JSON may be bytes.
  const columns = sql.join(
    (found?.columns ?? []).map(({ name }) => sql`cast(${sql.ref(name)} as text) as ${sql.ref(name)}`),
  )
  if (isPostgresql(db)) {
    await sql`declare old_rows no scroll cursor for select ${columns} from ${sql.table(table)}`.execute(db)
    yield* pages(() => sql<OldRow>`fetch ${sql.lit(rowsAtOnce)} from old_rows`)
    await sql`close old_rows`.execute(db)
  } else {
    let last = '-9223372036854775808'
    const page = () =>
      sql<OldRow & { place: string }>`select cast(rowid as text) as place, ${columns} from ${sql.table(table)}
        where rowid > cast(${last} as integer) order by rowid limit ${sql.lit(rowsAtOnce)}`
    for await (const rows of pages(page)) {
      last = rows.at(-1)?.place ?? last
      yield rows
    }
  }

  async function* pages<T>(page: () => RawBuilder<T>): AsyncGenerator<T[]> {
    for (;;) {
      const { rows } = await page().execute(db)
      if (rows.length === 0) return
      yield rows
    }
  }
}

function configuration(row: OldRow, seal: Seal): Row {
  const { id } = row
  const key = text(row.api_key).trim()
  const now = new Date().toISOString()
  return {
    id,
    name: row.name || row.provider || 'Configuration',
    provider: providerNamed(text(row.provider)),
    api_key: seal.seal(key, `configurations/${id}`),
    model: row.model || null,
    is_active: isTrue(row.is_active) ? 1 : 0,
    base_url: null,
    key_hint: key === '' ? null : key.slice(-4),
    created_at: time(row.created_at) ?? now,
    updated_at: now,
  }
}

function historyEntry(row: OldRow): Row {
  const prompt = text(row.prompt)
  const timestamp = time(row.timestamp) ?? new Date(0).toISOString()
  return {
    id: row.id,
    prompt,
    image_urls: JSON.stringify(urls(row.image_urls)),
    timestamp,
    model: row.model || null,
    parameters: JSON.stringify(parameters(row.parameters)),
    provider: providerOf(text(row.model)),
    status: 'succeeded',
    charge: 'unknown',
    finished_at: timestamp,
    search_text: prompt.normalize('NFC').toLowerCase(),
  }
}

function text(value: string | null | undefined) {
  return value ?? ''
}

function isTrue(value: string | null | undefined) {
  return ['1', '1.0', 'true', 't', 'yes'].includes(text(value).trim().toLowerCase())
}

/**
 * SQLAlchemy writes `2024-05-01 08:00:00.000000` in UTC without a zone, PostgreSQL `2024-05-01 08:00:00+08`; other writers ISO 8601, or
 * seconds, milli-, micro- or nanoseconds.
 */
function time(value: string | null | undefined): string | undefined {
  const written = text(value).trim()
  if (written === '') return undefined
  if (/^\d+(\.\d+)?$/.test(written)) {
    let milliseconds = Number(written) * 1000
    // The year 5138 in milliseconds: what is later was no count of seconds.
    while (milliseconds >= 1e14) milliseconds /= 1000
    return new Date(milliseconds).toISOString()
  }
  const zone = /(?:Z|[+-]\d\d(?::?\d\d)?)$/.exec(written.slice(10))?.[0] ?? ''
  const parsed = new Date(
    written
      .slice(0, written.length - zone.length)
      .replace(' ', 'T')
      .replace(/(\.\d{3})\d+$/, '$1')
      .trim() + (zone === '' ? 'Z' : zone.length === 3 ? `${zone}:00` : zone),
  )
  return Number.isNaN(parsed.getTime()) ? undefined : parsed.toISOString()
}

function urls(value: string | null | undefined): string[] {
  const parsed = json(value)
  if (Array.isArray(parsed)) return parsed.map(addressIn)
  const written = text(value).trim()
  return written === '' ? [] : [written]
}

function addressIn(item: unknown) {
  if (typeof item === 'string') return item
  const { url } = Object(item) as { url?: unknown }
  return typeof url === 'string' ? url : JSON.stringify(item)
}

function parameters(value: string | null | undefined): unknown {
  const parsed = json(value)
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : {}
}

function json(value: string | null | undefined): unknown {
  try {
    return JSON.parse(text(value))
  } catch {
    return undefined
  }
}

/** A configuration is usable only with a provider id; an unrecognised name stays for a person to change. */
function providerNamed(name: string) {
  const written = name.trim().toLowerCase()
  if (/doubao|seedream|volc|\bark\b|豆包|火山|方舟/.test(written)) return 'doubao'
  if (/qwen|dashscope|tongyi|bailian|aliyun|alibaba|\bwan|通义|千问|百炼|万相|阿里/.test(written)) return 'qwen'
  return written
}

function providerOf(model: string) {
  if (/doubao|seedream|seededit|^ep-/i.test(model)) return 'doubao'
  if (/^(qwen|wanx?\d|wanx|z-image)/i.test(model)) return 'qwen'
  return null
}
