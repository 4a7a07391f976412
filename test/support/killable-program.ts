/** The program as a process of its own, and a look at what it left on its disk. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Failpoint } from '../../src/coordination/failpoints.ts'
import type { Telling, Told } from './killable.ts'
import { maxWaitMs } from './patience.ts'
import { programFile } from './program.ts'

export interface Program {
  address: string
  /** Generations that stand still at the point that was told, with how often they have come there. */
  held: { generationId: string; occurrence: number }[]
  /** From now on. With `release`, those that stand still go on. */
  hold(told: { point: Failpoint; from: number } | null, options?: { release: boolean }): Promise<void>
  /** Puts its clock so many ms off the right time. */
  setClock(offsetMs: number): Promise<void>
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  signal(signal: NodeJS.Signals): void
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  output(): string
}

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route pass here, and tests look at what they expect
  body: any
}

export async function startProgram(environment: Record<string, string>, words: string[] = []): Promise<Program> {
  const program = await programFile('killable')
  const child = spawn(process.execPath, [program.file, ...words], {
    cwd: environment.DATA_DIR,
    env: { LOG_LEVEL: 'error', ...program.environment, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', chunk => (text += chunk))
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(resolve =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  )
  const held: Program['held'] = []
  const tellings = listen(child)
  child.on('message', (telling: Telling) => {
    if (telling.type === 'held') held.push(telling)
  })
  const first = await Promise.race([tellings.next('listening'), ended.then(() => undefined)])
  if (first?.type !== 'listening') throw new Error(`the program ended at its start:\n${text}`)
  const { address } = first

  return {
    address,
    held,
    ended,
    output: () => text,
    async hold(told, options) {
      held.length = 0
      const ready = tellings.next('ready')
      child.send({ hold: told, ...options } satisfies Told)
      await ready
    },
    async setClock(offsetMs) {
      const ready = tellings.next('ready')
      child.send({ clock: offsetMs } satisfies Told)
      await ready
    },
    async call(method, path, body, headers = {}) {
      const response = await fetch(`${address}${path}`, {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
      })
      const answered = await response.text()
      const isJson = /json/.test(response.headers.get('content-type') ?? '')
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(answered) : answered }
    },
    signal: signal => void child.kill(signal),
    end(signal) {
      child.kill(signal)
      return ended
    },
  }
}

function listen(child: ChildProcess) {
  return {
    next: (type: Telling['type']) =>
      new Promise<Telling>(resolve => {
        const look = (telling: Telling) => {
          if (telling.type !== type) return
          child.off('message', look)
          resolve(telling)
        }
        child.on('message', look)
      }),
  }
}

/** Waits for a state, not for a time; what it waits for stands in the error. */
export async function until(what: () => string, isTrue: () => boolean | Promise<boolean>, maxMs = maxWaitMs) {
  for (const end = performance.now() + maxMs; ; ) {
    if (await isTrue()) return
    if (performance.now() > end) throw new Error(`waited too long: ${what()}`)
    await pause(30)
  }
}

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
  state: string
  images: number
  is_unknown: number
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
}

const queries = {
  calls: 'select * from provider_calls order by generation_id, slot, attempt',
  generations: 'select * from chat_history order by timestamp, id',
  images: 'select * from images order by generation_id, position',
  spending: 'select * from spending order by generation_id',
}

/** The rows as another process sees them, while the server runs or after it died. */
export function rowsOf(dataDir: string): Rows {
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
    }
  } finally {
    database.close()
  }
}

/** The same of a PostgreSQL database. */
export async function rowsOfPostgres(url: string): Promise<Rows> {
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
    }
  } finally {
    await client.end()
  }
}

export function faultsOnDisk(dataDir: string, looked = new Set<string>()): string[] {
  return faultsOf(rowsOf(dataDir), dataDir, looked)
}

/**
 * Everything that is not as it must be when nothing is running: in words, so that one look at a failure tells. Pictures in `looked` are
 * not read again.
 */
export function faultsOf({ calls, generations, images, spending }: Rows, dataDir: string, looked = new Set<string>()) {
  const faults: string[] = []
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
    const thumbnail = /^thumbnails\/(.*)\.webp$/.exec(file)?.[1]
    if (thumbnail === undefined ? !named.has(file) : !ids.has(thumbnail)) faults.push(`${file} has no row`)
  }
  const callIds = new Set(calls.map(call => call.id))
  for (const file of filesUnder(path.join(dataDir, 'answers'))) {
    if (!callIds.has(file.split('.')[0] ?? '')) faults.push(`answer ${file} has no call`)
  }
  for (const call of calls) if (call.state !== 'settled') faults.push(`call ${call.id} is ${call.state}`)
  for (const { id, status, charge } of generations) {
    if (status === 'queued' || status === 'running') faults.push(`generation ${id} is ${status}`)
    // What was reserved is neither lost nor left behind; it stands only where nobody knows.
    const account = accounts.get(id)
    const made = images.filter(image => image.generation_id === id).length
    if (account?.state !== 'settled') faults.push(`the reservation of ${id} is ${account?.state ?? 'not there'}`)
    else if (charge === 'unknown' && account.is_unknown !== 1) faults.push(`${id} has its uncertain money back`)
    else if (charge === 'charged' && account.images !== made) faults.push(`${id} counts ${account.images} of ${made}`)
  }
  return faults
}

export function unfinished(dataDir: string): string[] {
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
