/** The thread of one read-only connection. It imports nothing of the program, so that it is there within milliseconds. */
import { existsSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { Answer, Question } from './readers.ts'

const { file, indexFile } = workerData as { file: string; indexFile: string }
const maxStatements = 100
/** In KiB. */
const cacheSize = 8192

const handle = new DatabaseSync(file, { readOnly: true })
handle.exec(`PRAGMA busy_timeout = 5000; PRAGMA cache_size = -${cacheSize}`)
let isIndexThere = false
const prepared = new Map<string, { statement: StatementSync; columns: string[] }>()

parentPort?.on('message', (question: Question) => parentPort?.postMessage(answer(question)))

function answer({ sql, parameters }: Question): Answer {
  try {
    const { statement, columns } = prepare(sql)
    const rows = statement.all(...(parameters as SQLInputValue[]))
    // One string crosses to the other thread faster than as many values.
    return { columns, rows: JSON.stringify(rows) }
  } catch (error) {
    const { message, code, errcode } = error as Error & { code?: string; errcode?: number }
    return { error: { message, code, errcode } }
  }
}

function prepare(sql: string) {
  const known = prepared.get(sql)
  if (known) return known
  const [oldest] = prepared.keys()
  if (oldest !== undefined && prepared.size >= maxStatements) prepared.delete(oldest)
  if (!isIndexThere && sql.includes('search.')) attachIndex()
  const statement = handle.prepare(sql)
  statement.setReturnArrays(true)
  const made = { statement, columns: statement.columns().map(({ name }) => name) }
  prepared.set(sql, made)
  return made
}

function attachIndex() {
  // The index is not created here, because this connection is read-only.
  if (!existsSync(indexFile)) return
  handle.prepare('attach ? as search').run(indexFile)
  isIndexThere = true
}
