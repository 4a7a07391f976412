/** SQLite in a world: every statement is an instant at which the program may die, and a database may have no room left. */
import { createRequire, syncBuiltinESMExports } from 'node:module'
import type { DatabaseSync as Database, StatementSync as Statement } from 'node:sqlite'
import { presentDisk } from './disk.ts'
import { Crashed, present } from './world.ts'

const require = createRequire(import.meta.url)

const handles = new Set<Database>()

/** What a database does to its program at the moment. */
export const databaseWeather = { isFull: false }

/** Between two of them a program may die. */
const instants = new Set(['begin', 'insert', 'update', 'delete', 'commit'])

function before(text: string) {
  const { world } = present
  if (!world) return
  if (world.isCrashed) throw new Crashed(text)
  const word = /^\s*(\w+)/.exec(text)?.[1]?.toLowerCase() ?? ''
  if (instants.has(word)) {
    world.onInstant(word)
    if (world.isCrashed) throw new Crashed(text)
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
        before(this.sourceSQL)
        return real.apply(this, values)
      },
    })
  }
  const RealDatabase = sqlite.DatabaseSync
  sqlite.DatabaseSync = class extends RealDatabase {
    private readonly file: string

    constructor(...values: ConstructorParameters<typeof RealDatabase>) {
      if (present.world?.isCrashed) throw new Crashed(`open ${values[0]}`)
      super(...values)
      this.file = String(values[0])
      if (present.world) handles.add(this)
    }

    override exec(text: string) {
      before(text)
      super.exec(text)
      const { disk } = presentDisk
      if (!disk || !this.file.endsWith('.db') || !/synchronous/i.test(text)) return
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
  for (const handle of [...handles]) if (handle.isOpen) handle.close()
  handles.clear()
}
