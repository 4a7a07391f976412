/**
 * Takes over the database that users had before: `configurations` and `chat_history` with only the columns id, name, provider,
 * api_key, model, is_active and id, prompt, image_urls, timestamp, model, parameters. The rows are copied into our tables.
 */
import { randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import type { Seal } from '../secrets/seal.ts'

type Row = Record<string, unknown>

/** The text of each column. */
type OldRow = Record<string, string | null> & { id: string }

/** Databases take about 30,000 values in one statement. */
const rowsAtOnce = 500

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

export async function copyOldRows(db: Kysely<unknown>, old: OldTables, seal: Seal) {
  if (old.configurations) await copyTable(db, 'configurations', row => configuration(row, seal))
  if (old.history) await copyTable(db, 'chat_history', historyEntry)
}

async function copyTable(db: Kysely<unknown>, name: string, newRow: (row: OldRow) => Row) {
  const oldName = `old_${name}`
  const table = (await db.introspection.getTables()).find(table => table.name === oldName)
  // Everything as text: ids and times may be larger than numbers can be here, JSON may be bytes.
  const columns = (table?.columns ?? []).map(
    column => sql`cast(${sql.ref(column.name)} as text) as ${sql.ref(column.name)}`,
  )
  const { rows } = await sql<OldRow>`select ${sql.join(columns)} from ${sql.table(oldName)}`.execute(db)
  const seen = new Set<string>()
  for (let start = 0; start < rows.length; start += rowsAtOnce) {
    const batch = rows.slice(start, start + rowsAtOnce).map(old => {
      // Our ids are unique; the previous table may have had no such constraint.
      const id = old.id && !seen.has(old.id) ? old.id : randomUUID()
      seen.add(id)
      return newRow({ ...old, id })
    })
    await (db as Kysely<Record<string, Row>>).insertInto(name).values(batch).execute()
  }
  await sql`drop table ${sql.table(oldName)}`.execute(db)
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
