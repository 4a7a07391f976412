/** What the program left on its disk or in its database, and what of it is not as it must be. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'

// ── What is on the disk ─────────────────────────────────────────────────────────────────────────────────────────────

export interface CallRow {
  id: string
  generation_id: string
  provider: string
  model: string
  state: string
  outcome: string | null
  charge: string
  attempt: number
  images: number
  sent_at: string | null
  not_before: string | null
  task_id: string | null
  answer_body: string | null
  answer_file: string | null
  billed_images: number | null
}

interface SpendingRow {
  generation_id: string
  timestamp: string
  token_id: string | null
  config_id: string
  model: string
  calls: number
  amount: number | string | null
  currency: string | null
  state: string
  images: number
  is_unknown: number
}

/** What the settled ones come to in a day or a month. */
interface SpendingSum extends Record<'images' | 'calls' | 'amount' | 'unknown', number | string> {
  unit: string
  start: string
  token_id: string
  config_id: string
  model: string
  currency: string
}

export interface GenerationRow {
  id: string
  prompt: string
  model: string
  status: string
  charge: string
  error: string | null
  failures: string
  waiting: string | null
  imported_from: string | null
}

export interface ImageRow {
  id: string
  generation_id: string | null
  call_id: string | null
  position: number
  file: string
  bytes: number
  sha256: string
}

export interface Rows {
  calls: CallRow[]
  generations: GenerationRow[]
  images: ImageRow[]
  spending: SpendingRow[]
  sums: SpendingSum[]
}

const queries = {
  calls: 'select * from provider_calls order by generation_id, slot, attempt',
  generations: 'select * from chat_history order by timestamp, id',
  images: 'select * from images order by generation_id, position',
  spending: 'select * from spending order by generation_id',
  sums: 'select * from spending_sums',
}

/** The rows as another process sees them, while the server runs or after it died. */
export function readRows(dataDir: string): Rows {
  const database = new DatabaseSync(path.join(dataDir, 'chat_history.db'), { readOnly: true })
  try {
    const all = <Row>(text: string) =>
      database
        .prepare(text)
        .all()
        .map(row => ({ ...row }) as Row)
    return {
      calls: all<CallRow>(queries.calls),
      generations: all<GenerationRow>(queries.generations),
      images: all<ImageRow>(queries.images),
      spending: all<SpendingRow>(queries.spending),
      sums: all<SpendingSum>(queries.sums),
    }
  } finally {
    database.close()
  }
}

/** The same of a PostgreSQL database. */
export async function readPostgresRows(url: string): Promise<Rows> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    const all = async <Row>(text: string) => (await client.query(text)).rows as Row[]
    return {
      calls: await all<CallRow>(queries.calls),
      generations: await all<GenerationRow>(queries.generations),
      images: (await all<ImageRow>(queries.images)).map(image => ({ ...image, bytes: Number(image.bytes) })),
      spending: await all<SpendingRow>(queries.spending),
      sums: await all<SpendingSum>(queries.sums),
    }
  } finally {
    await client.end()
  }
}

export function findViolationsOnDisk(dataDir: string, looked = new Set<string>()): string[] {
  return findViolations(readRows(dataDir), dataDir, looked)
}

/**
 * Everything that is not as it must be when nothing is running: in words, so that one look at a failure tells. Pictures in `looked` are
 * not read again.
 */
export function findViolations(
  { calls, generations, images, spending, sums }: Rows,
  dataDir: string,
  looked = new Set<string>(),
) {
  const faults = findWrongSums({ spending, sums })
  const accounts = new Map(spending.map(row => [row.generation_id, row]))
  const files = filesUnder(path.join(dataDir, 'images'))
  const named = new Set(images.map(image => image.file))
  for (const image of images) {
    if (!files.has(image.file)) {
      faults.push(`row ${image.id} has no file`)
      continue
    }
    if (looked.has(image.id)) continue
    const bytes = readFileSync(path.join(dataDir, 'images', image.file))
    if (bytes.length !== image.bytes || sha256(bytes) !== image.sha256) faults.push(`${image.file} holds other bytes`)
    else looked.add(image.id)
  }
  const ids = new Set(images.map(image => image.id))
  for (const file of files) {
    const thumbnail = /^thumbnails\/(.*?)(?:-1024)?\.webp$/.exec(file)?.[1]
    if (thumbnail === undefined ? !named.has(file) : !ids.has(thumbnail)) faults.push(`${file} has no row`)
  }
  const callIds = new Set(calls.map(call => call.id))
  for (const file of filesUnder(path.join(dataDir, 'answers'))) {
    if (!callIds.has(file.split('.')[0] ?? '')) faults.push(`answer ${file} has no call`)
  }
  for (const call of calls) if (call.state !== 'settled') faults.push(`call ${call.id} is ${call.state}`)
  for (const { id, status, charge, imported_from } of generations) {
    if (status === 'queued' || status === 'running') faults.push(`generation ${id} is ${status}`)
    if (imported_from !== null) {
      // It was made elsewhere: no request of ours, and no money.
      if (charge !== 'none' || accounts.has(id)) faults.push(`${id} was imported and cost something`)
      if (calls.some(call => call.generation_id === id)) faults.push(`${id} was imported and has calls`)
      continue
    }
    // What was reserved is neither lost nor left behind; it stands only where nobody knows.
    const account = accounts.get(id)
    const made = images.filter(image => image.generation_id === id).length
    if (account?.state !== 'settled') faults.push(`the reservation of ${id} is ${account?.state ?? 'not there'}`)
    else if (charge === 'unknown' && account.is_unknown !== 1) faults.push(`${id} has its uncertain money back`)
    else if (charge === 'charged' && account.images !== made) faults.push(`${id} counts ${account.images} of ${made}`)
  }
  return faults
}

/** Every sum of a day and a month that is not that of its rows. */
export function findWrongSums({ spending, sums }: Pick<Rows, 'spending' | 'sums'>): string[] {
  const entries = new Map<string, number[]>()
  function add(key: (string | null)[], values: (number | string | null)[], sign: 1 | -1) {
    const name = key.map(part => part ?? '').join(' ')
    const before = entries.get(name) ?? [0, 0, 0, 0]
    const added = values.map((value, index) => before[index]! + sign * Number(value ?? 0))
    entries.set(name, added)
  }
  for (const row of sums)
    add(
      [row.unit, row.start, row.token_id, row.config_id, row.model, row.currency],
      [row.images, row.calls, row.amount, row.unknown],
      1,
    )
  for (const row of spending.filter(({ state }) => state === 'settled')) {
    const values = [row.images, row.calls, row.amount, row.is_unknown]
    const key = [row.token_id, row.config_id, row.model, row.currency]
    add(['day', row.timestamp.slice(0, 10), ...key], values, -1)
    add(['month', row.timestamp.slice(0, 7), ...key], values, -1)
  }
  const wrong = [...entries].filter(([, values]) => values.some(value => value !== 0))
  return wrong.map(([name, values]) => `the sum of ${name} differs by ${values}`)
}

export function readUnfinished(dataDir: string): string[] {
  const database = new DatabaseSync(path.join(dataDir, 'chat_history.db'), { readOnly: true })
  try {
    const rows = database.prepare("select id from chat_history where status in ('queued', 'running')").all()
    return rows.map(row => String(row.id))
  } finally {
    database.close()
  }
}

export function filesUnder(folder: string): Set<string> {
  if (!existsSync(folder)) return new Set()
  // A temporary file may be gone by the time it is looked at.
  const isFile = (name: string) => statSync(path.join(folder, name), { throwIfNoEntry: false })?.isFile() ?? false
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return new Set(names.filter(isFile).map(name => name.replaceAll('\\', '/')))
}

export function sha256(bytes: Buffer | Uint8Array) {
  return createHash('sha256').update(bytes).digest('hex')
}
