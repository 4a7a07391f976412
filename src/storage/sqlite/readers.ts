/** Threads that read: what takes long takes none of the time of the event loop. */
import { Worker } from 'node:worker_threads'
import { type CompiledQuery, type DatabaseConnection, type Driver, SqliteDialect } from 'kysely'
import { DatabaseError } from '../trouble.ts'

export interface Question {
  sql: string
  parameters: readonly unknown[]
}

/** `rows`: a JSON list of lists. */
export type Answer =
  | { columns: string[]; rows: string }
  | { error: { message: string; code?: string; errcode?: number } }

export interface Readers {
  /** Sees everything that was committed before. @throws an error like those of `node:sqlite` */
  ask(sql: string, parameters: readonly unknown[]): Promise<Record<string, unknown>[]>
  /** What is asked from now on is answered by new threads, which attach the search index anew. */
  renew(): void
  close(): Promise<void>
}

/** A long question must not hold up the short ones behind it. */
const maxReaders = 2
/** A thread holds some ten MiB, so one that is asked nothing for this long ends. */
const idleMs = 60_000

interface Asked extends Question {
  resolve(rows: Record<string, unknown>[]): void
  reject(error: unknown): void
  /** How many threads have ended with it. */
  ended: number
}

interface Reader {
  worker: Worker
  asked: Asked | undefined
  /** It is asked nothing more. */
  isLeaving: boolean
  idle?: NodeJS.Timeout
}

/**
 * The first question starts the first thread, and a second one is started when that is busy. One that dies is replaced.
 * `indexFile`: where the search index is, once there is one. `onStart` is told of each thread.
 */
export function createReaders(file: string, indexFile: string, onStart: (thread: Worker) => void = () => {}): Readers {
  const readers = new Set<Reader>()
  const queue: Asked[] = []
  let isClosed = false

  function next() {
    while (queue.length > 0) {
      const present = [...readers].filter(({ isLeaving }) => !isLeaving)
      const idle = present.find(({ asked }) => asked === undefined)
      if (!idle && present.length >= maxReaders) return
      give(idle ?? start(), queue.shift()!)
    }
  }

  function give(reader: Reader, asked: Asked) {
    reader.asked = asked
    clearTimeout(reader.idle)
    // A program may end while nothing is asked, and not before an answer.
    reader.worker.ref()
    reader.worker.postMessage({ sql: asked.sql, parameters: asked.parameters } satisfies Question)
  }

  function start(): Reader {
    const worker = new Worker(new URL('./read-worker.ts', import.meta.url), { workerData: { file, indexFile } })
    const reader: Reader = { worker, asked: undefined, isLeaving: false }
    readers.add(reader)
    onStart(worker)
    worker.unref()
    worker.on('message', (answer: Answer) => {
      const { asked } = reader
      reader.asked = undefined
      worker.unref()
      if (asked) settle(asked, answer)
      if (reader.isLeaving) void worker.terminate()
      else reader.idle = setTimeout(() => leave(reader), idleMs).unref()
      next()
    })
    let reason: unknown
    worker.on('error', error => (reason = error))
    worker.on('exit', () => {
      readers.delete(reader)
      if (reader.asked) endedWith(reader.asked, reason)
      next()
    })
    return reader
  }

  function leave(reader: Reader) {
    reader.isLeaving = true
    clearTimeout(reader.idle)
    if (!reader.asked) void reader.worker.terminate()
  }

  function endedWith(asked: Asked, reason: unknown) {
    if (isClosed) return asked.reject(closed())
    asked.ended++
    // To read twice changes nothing; a question that ends every thread is not asked again.
    if (asked.ended < 2) queue.unshift(asked)
    else asked.reject(reason ?? new Error('a thread that reads the database has ended'))
  }

  return {
    ask(sql, parameters) {
      if (isClosed) return Promise.reject(closed())
      return new Promise((resolve, reject) => {
        queue.push({ sql, parameters, resolve, reject, ended: 0 })
        next()
      })
    },
    renew() {
      for (const reader of readers) leave(reader)
    },
    async close() {
      isClosed = true
      for (const asked of queue.splice(0)) asked.reject(closed())
      await Promise.all([...readers].map(({ worker }) => worker.terminate()))
    },
  }
}

function settle(asked: Asked, answer: Answer) {
  if ('error' in answer) {
    const { message, ...codes } = answer.error
    return asked.reject(Object.assign(new Error(message), codes))
  }
  const { columns } = answer
  const rows = JSON.parse(answer.rows) as unknown[][]
  asked.resolve(rows.map(row => Object.fromEntries(columns.map((column, index) => [column, row[index]]))))
}

function closed() {
  return new DatabaseError('The database has been closed.', '数据库已关闭。')
}

/** Kysely writes the queries, the threads ask them. There are no transactions. */
export class ReadingSqlite extends SqliteDialect {
  readonly #readers: Readers

  constructor(readers: Readers) {
    super({ database: async () => noDatabase() })
    this.#readers = readers
  }

  override createDriver(): Driver {
    const readers = this.#readers
    const connection: DatabaseConnection = {
      executeQuery: async <Row>({ sql, parameters }: CompiledQuery) => ({
        rows: (await readers.ask(sql, parameters)) as Row[],
      }),
      streamQuery: noDatabase,
    }
    return {
      init: async () => {},
      acquireConnection: async () => connection,
      releaseConnection: async () => {},
      beginTransaction: async () => noDatabase(),
      commitTransaction: async () => noDatabase(),
      rollbackTransaction: async () => noDatabase(),
      destroy: async () => {},
    }
  }
}

function noDatabase(): never {
  throw new Error('a thread that reads has no transactions and no streams')
}
