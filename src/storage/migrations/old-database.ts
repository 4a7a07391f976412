/**
 * Takes over the database that users had before: `configurations` and `chat_history` with only the columns id, name, provider,
 * api_key, model, is_active and id, prompt, image_urls, timestamp, model, parameters. The rows are copied into our tables.
 */
import { randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import type { Seal } from '../seal.ts'

type Row = Record<string, unknown>

export interface OldTables {
  configurations: boolean
  history: boolean
}

/** Gives old tables another name, so that ours can be made. A table is old when it lacks a column that ours has. */
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
  const target = db as Kysely<Record<string, Row>>
  if (old.configurations) {
    const { rows } = await sql<Row>`select * from old_configurations`.execute(db)
    for (const row of rows) await target.insertInto('configurations').values(configuration(row, seal)).execute()
    await sql`drop table old_configurations`.execute(db)
  }
  if (old.history) {
    const { rows } = await sql<Row>`select * from old_chat_history`.execute(db)
    for (const row of rows) await target.insertInto('chat_history').values(historyEntry(row)).execute()
    await sql`drop table old_chat_history`.execute(db)
  }
}

function configuration(row: Row, seal: Seal): Row {
  const id = text(row.id) || randomUUID()
  const key = text(row.api_key).trim()
  const now = new Date().toISOString()
  return {
    id,
    name: text(row.name) || text(row.provider) || 'Configuration',
    provider: text(row.provider).trim().toLowerCase(),
    api_key: seal.seal(key, `configurations/${id}`),
    model: text(row.model) || null,
    is_active: isTrue(row.is_active) ? 1 : 0,
    base_url: null,
    key_hint: key === '' ? null : key.slice(-4),
    created_at: time(row.created_at) ?? now,
    updated_at: now,
  }
}

function historyEntry(row: Row): Row {
  const prompt = text(row.prompt)
  const timestamp = time(row.timestamp) ?? new Date(0).toISOString()
  return {
    id: text(row.id) || randomUUID(),
    prompt,
    image_urls: JSON.stringify(urls(row.image_urls)),
    timestamp,
    model: text(row.model) || null,
    parameters: JSON.stringify(parameters(row.parameters)),
    provider: providerOf(text(row.model)),
    status: 'succeeded',
    charge: 'unknown',
    finished_at: timestamp,
    search_text: prompt.normalize('NFC').toLowerCase(),
  }
}

function text(value: unknown) {
  return value === null || value === undefined ? '' : String(value)
}

function isTrue(value: unknown) {
  return value === true || ['1', 'true', 't', 'yes'].includes(text(value).toLowerCase())
}

/** SQLAlchemy writes `2024-05-01 08:00:00.000000` in UTC without a zone; other writers ISO 8601 or seconds. */
function time(value: unknown): string | undefined {
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'number') return new Date(value < 1e11 ? value * 1000 : value).toISOString()
  const written = text(value).trim()
  if (written === '') return undefined
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(written) ? written : `${written.replace(' ', 'T')}Z`
  const parsed = new Date(zoned.replace(/(\.\d{3})\d+/, '$1'))
  return Number.isNaN(parsed.getTime()) ? undefined : parsed.toISOString()
}

function urls(value: unknown): string[] {
  const parsed = json(value)
  if (Array.isArray(parsed)) return parsed.map(item => (typeof item === 'string' ? item : JSON.stringify(item)))
  const written = text(value).trim()
  return written === '' ? [] : [written]
}

function parameters(value: unknown): unknown {
  const parsed = json(value)
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : {}
}

function json(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}

function providerOf(model: string) {
  if (/doubao|seedream|seededit|^ep-/i.test(model)) return 'doubao'
  if (/^(qwen|wanx?\d|wanx|z-image)/i.test(model)) return 'qwen'
  return null
}
