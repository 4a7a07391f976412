/** SQLite in a world: every statement is an instant at which the program may die, and a database may have no room left. */
import { createRequire, syncBuiltinESMExports } from 'node:module'
import type { DatabaseSync as Database, StatementSync as Statement } from 'node:sqlite'
import { presentDisk } from './disk.ts'
import { Crashed, present } from './world.ts'

const require = createRequire(import.meta.url)

/** Open ones, with their files. */
const handles = new Map<Database, string>()

/** What a database does to its program at the moment. */
export const databaseWeather = { isFull: false }

/** Between two of them a program may die. */
const instants = new Set(['begin', 'insert', 'update', 'delete', 'commit'])

/** By statement: to ask it for its text takes longer than many of them run. */
const words = new WeakMap<Statement, string>()

function firstWord(text: string) {
  return /^\s*(\w+)/.exec(text)?.[1]?.toLowerCase() ?? ''
}

function before(word: string) {
  const { world } = present
  if (!world) return
  if (world.isCrashed) throw new Crashed(word)
  if (instants.has(word)) {
    world.onInstant(word)
    if (world.isCrashed) throw new Crashed(word)
  }
  if (databaseWeather.isFull && (word === 'insert' || word === 'update')) {
    world.tell('  SQLITE_FULL')
    throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 })
  }
  if (word === 'commit') world.tell('commit')
}

/** Once in a process, before the program is loaded. */
export function installDatabase() {
  const sqlite = require('node:sqlite') as typeof import('node:sqlite')
  const statements = sqlite.StatementSync.prototype as Statement
  for (const name of ['run', 'all', 'get', 'iterate'] as const) {
    const real = statements[name] as (...values: unknown[]) => unknown
    Object.assign(statements, {
      [name](this: Statement, ...values: unknown[]) {
        before(words.get(this) ?? '')
        return real.apply(this, values)
      },
    })
  }
  const RealDatabase = sqlite.DatabaseSync
  sqlite.DatabaseSync = class extends RealDatabase {
    constructor(...values: ConstructorParameters<typeof RealDatabase>) {
      if (present.world?.isCrashed) throw new Crashed(`open ${values[0]}`)
      super(...values)
      if (present.world) handles.set(this, String(values[0]))
    }

    override prepare(...values: Parameters<Database['prepare']>) {
      const statement = super.prepare(...values)
      words.set(statement, firstWord(values[0]))
      return statement
    }

    override exec(text: string) {
      before(firstWord(text))
      super.exec(text)
      const { disk } = presentDisk
      if (!disk || !handles.get(this)?.endsWith('.db') || !/synchronous/i.test(text)) return
      const mode = super.prepare('PRAGMA synchronous').get()?.synchronous
      disk.isJournalSynced = Number(mode) >= 2
    }

    override close() {
      handles.delete(this)
      super.close()
    }
  }
  syncBuiltinESMExports()
}

/** Of what a crash left open. */
export function closeDatabases() {
  for (const handle of [...handles.keys()]) if (handle.isOpen) handle.close()
  handles.clear()
}

const looks = new WeakMap<Database, Map<string, Statement>>()

/** Rows as another process would see them: by the connection of the program, where that is in no transaction. */
export function lookInto(file: string, text: string, ...values: string[]) {
  const own = [...handles].find(([handle, name]) => name === file && handle.isOpen && !handle.isTransaction)?.[0]
  if (own) return lookBy(own, text).all(...values)
  const aside = new (require('node:sqlite') as typeof import('node:sqlite')).DatabaseSync(file, { readOnly: true })
  try {
    return lookBy(aside, text).all(...values)
  } finally {
    aside.close()
  }
}

function lookBy(handle: Database, text: string): Statement {
  const known = looks.get(handle) ?? new Map<string, Statement>()
  looks.set(handle, known)
  const statement = known.get(text) ?? handle.prepare(text)
  known.set(text, statement)
  return statement
}
