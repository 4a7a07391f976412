/** Opens the database. The two dialects show only here and in the migrations. */
import { randomUUID } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { backup, DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { Kysely, PostgresDialect, SqliteAdapter, SqliteDialect, type Transaction } from 'kysely'
import { Migrator } from 'kysely/migration'
import pg from 'pg'
import { createMigrations } from './migrations/index.ts'
import { type Seal, SealError } from './seal.ts'
import { provenSeal, type SealCandidate } from './seal-check.ts'
import type { Tables } from './tables.ts'

export type DatabaseLocation = { kind: 'sqlite'; path: string } | { kind: 'postgresql'; url: string }

export interface Database {
  kind: 'sqlite' | 'postgresql'
  kysely: Kysely<Tables>
  /** The one that its keys are sealed with. */
  seal: Seal
  /** Where the copy was put that was made before a migration, if one was. */
  backupPath?: string
  /** Proves that the database answers and can write. */
  check(): Promise<void>
  close(): Promise<void>
}

export type Connection = Kysely<Tables> | Transaction<Tables>

export class DatabaseError extends Error {
  override name = 'DatabaseError'
}

/**
 * Opens the database, keeps other processes out, and brings it to the present form; a copy is kept before a change.
 * Of several seals the one is taken that its keys were sealed with; with `anySeal` the first, whatever they were sealed with.
 * With `isTool` it must be there: a command that looks after a database makes none.
 * @throws DatabaseError with one sentence for people when it cannot be opened, is in use, or is damaged. SealError when none of the
 * seals is the right one; nothing was changed then.
 */
export async function openDatabase(
  location: DatabaseLocation,
  seals: Seal | readonly [SealCandidate, ...SealCandidate[]],
  { anySeal = false, isTool = false }: { anySeal?: boolean; isTool?: boolean } = {},
): Promise<Database> {
  const candidates: readonly [SealCandidate, ...SealCandidate[]] =
    'keyId' in seals ? [{ seal: seals, keep() {} }] : seals
  const prove = async (kysely: Kysely<Tables>) => {
    const proven = anySeal ? candidates[0] : await provenSeal(kysely, candidates)
    proven.keep()
    return proven.seal
  }
  return location.kind === 'sqlite' ? openSqlite(location.path, prove, isTool) : openPostgresql(location.url, prove)
}

type Prove = (kysely: Kysely<Tables>) => Promise<Seal>

/**
 * Why a query failed, as a sentence, when that lies with the database and not with the query: its disk, a lock, a connection. The codes
 * are those of SQLite (sqlite.org/rescode.html) and of PostgreSQL (appendix A of its manual), 2026-11.
 */
export function databaseTrouble(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if (/pool after calling end/.test(error.message)) return takenOver
  const { errcode, code } = error as { errcode?: unknown; code?: unknown }
  // Above the lowest byte stands which kind of it.
  if (typeof errcode === 'number') return sqliteTroubles[errcode & 0xff]
  if (typeof code !== 'string') return undefined
  if (code === '53100') return 'The disk of the database is full. Make room on it.'
  const isAway = /^(08|57P0)/.test(code) || ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'].includes(code)
  return isAway ? 'The database does not answer. Look whether PostgreSQL runs.' : undefined
}

const takenOver = 'Another server has taken over this database. Stop one of the two, and start the other again.'
const locked = 'The database is locked by another program. Close that program.'
const sqliteTroubles: Record<number, string> = {
  5: locked,
  6: locked,
  8: 'The database is read-only. Give this program the right to its file and its folder.',
  10: 'The disk of the database cannot be read or written. Look whether it is full, and at its health.',
  11: 'The database is damaged. Stop the server and restore a backup.',
  13: 'The disk of the database is full. Make room on it.',
  14: 'The file of the database cannot be opened. Look whether its folder is there.',
}

// ── SQLite ──────────────────────────────────────────────────────────────────────────────────────────────────────────

async function openSqlite(file: string, prove: Prove, isTool: boolean): Promise<Database> {
  if (isTool && !existsSync(file)) {
    throw new DatabaseError(
      `There is no database at ${file}. Look at DATA_DIR and DATABASE_URL: they must be those of the server.`,
    )
  }
  const unlock = lock(file, isTool)
  let handle: DatabaseSync | undefined
  try {
    const isNew = !existsSync(file) || statSync(file).size === 0
    handle = new DatabaseSync(file)
    if (!isNew) mustBeWhole(handle, file)
    // Prompts are nobody else's business on a shared machine.
    if (isNew) chmodSync(file, 0o600)
    // Everything stands still for as long as a query waits for another program, so that is short: who must not give up asks again.
    // FULL: a step of the ledger that was committed survives a power cut, not only a crash of the process.
    handle.exec(
      'PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 1000',
    )
    const kysely = new Kysely<Tables>({ dialect: new TransactionalSqlite({ database: asKyselyDatabase(handle) }) })
    const seal = await prove(kysely)
    const backupPath = await migrate(kysely, seal, isNew ? undefined : () => copyAside(handle!, file))
    // A migration may have sealed keys that stood here in plain: without this they would still be legible in free pages.
    if (backupPath) handle.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)')
    return {
      kind: 'sqlite',
      kysely,
      seal,
      backupPath,
      check: () => checkWrite(kysely),
      async close() {
        await kysely.destroy()
        unlock()
      },
    }
  } catch (error) {
    if (handle?.isOpen) handle.close()
    unlock()
    throw error instanceof DatabaseError || error instanceof SealError
      ? error
      : new DatabaseError(explain(file, error), { cause: error })
  }
}

/**
 * One process a database file. The lock is a transaction held on a second, tiny database beside it: the operating system lets go
 * of it however the process ends, so there is no stale lock to clear away.
 */
function lock(file: string, isTool: boolean) {
  const lockFile = `${file}.lock`
  let handle: DatabaseSync | undefined
  try {
    mkdirSync(path.dirname(file), { recursive: true })
    handle = new DatabaseSync(lockFile)
    handle.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
  } catch (error) {
    if (handle?.isOpen) handle.close()
    if (isBusy(error)) {
      const advice = isTool
        ? 'Stop the server first, then run this again.'
        : 'Stop that one first, or give this one a DATABASE_URL of its own.'
      const message = `The database ${file} is in use by another running server. ${advice}`
      throw new DatabaseError(message, { cause: error })
    }
    throw new DatabaseError(explain(file, error), { cause: error })
  }
  return () => {
    if (handle.isOpen) handle.close()
  }
}

function isBusy(error: unknown) {
  return error instanceof Error && 'errcode' in error && (error.errcode === 5 || error.errcode === 6)
}

/** Damage in the middle shows only when somebody comes there, hours later perhaps. About two seconds a gigabyte. */
function mustBeWhole(handle: DatabaseSync, file: string) {
  handle.exec('PRAGMA busy_timeout = 1000')
  const found = handle.prepare('PRAGMA quick_check(1)').get()?.quick_check
  if (found !== 'ok') throw new DatabaseError(damaged(file, String(found).replace(/^\*\*\*.*\n/, '')))
}

function damaged(file: string, reason: string) {
  const name = path.basename(file)
  return `The database ${file} is damaged or not an SQLite file (${reason}). Nothing was changed. Move it away, together with ${name}-wal and ${name}-shm where they are there, and restore a backup; then start again.`
}

function explain(file: string, error: unknown) {
  const reason = error instanceof Error ? error.message : String(error)
  if (/not a database|malformed/.test(reason)) return damaged(file, reason)
  if (isBusy(error))
    return `The database ${file} is locked by another program (${reason}). Close that program and start again.`
  return `The database ${file} cannot be opened (${reason}). Check that the folder exists, that this user may write to it, and that the disk has room.`
}

async function copyAside(handle: DatabaseSync, file: string) {
  const stamp = new Date().toISOString().replace(/[:.]/g, '-')
  const target = `${file}.before-${stamp}`
  await backup(handle, target)
  // It may hold keys in plain, as the old database did.
  chmodSync(target, 0o600)
  return target
}

/** SQLite can change tables in a transaction; Kysely does not use that, and a start that is killed would leave half of a migration. */
class TransactionalSqlite extends SqliteDialect {
  override createAdapter() {
    return new (class extends SqliteAdapter {
      override get supportsTransactionalDdl() {
        return true
      }
    })()
  }
}

/** As many as this program ever writes, and room for lists of every length. */
const mostStatements = 250

/**
 * Kysely's SQLite dialect expects the interface of better-sqlite3. Statements are kept: to prepare one takes longer than most of them
 * run, and a generation of one picture takes about a hundred.
 */
function asKyselyDatabase(handle: DatabaseSync) {
  const kept = new Map<string, ReturnType<typeof prepared>>()

  function prepared(text: string) {
    const statement = handle.prepare(text)
    return {
      reader: statement.columns().length > 0,
      all: (parameters: readonly unknown[]) =>
        statement.all(...(parameters as SQLInputValue[])).map(row => ({ ...row })),
      run: (parameters: readonly unknown[]) => statement.run(...(parameters as SQLInputValue[])),
      // One of its own, because it stands still between two rows.
      iterate: (parameters: readonly unknown[]) => handle.prepare(text).iterate(...(parameters as SQLInputValue[])),
    }
  }

  return {
    close: () => handle.close(),
    prepare(text: string) {
      // SQLite takes back a transaction by itself when the disk is full; that this cannot be done twice would hide why.
      if (text === 'rollback' && !handle.isTransaction) return nothingToDo
      const known = kept.get(text)
      if (known) return known
      const [oldest] = kept.keys()
      if (oldest !== undefined && kept.size >= mostStatements) kept.delete(oldest)
      const statement = prepared(text)
      kept.set(text, statement)
      return statement
    },
  }
}

const nothingToDo = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [].values(),
}

// ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Held for the life of the process; any number that no other program on the database uses. */
const serverLock = 7_309_421_186
const guardPauseMs = 1000

async function openPostgresql(url: string, prove: Prove): Promise<Database> {
  const int8 = 20
  const types = {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
  }
  const pool = new pg.Pool({ connectionString: url, types: types as pg.CustomTypesConfig, max: 10 })
  // An idle connection that the server closes must not end the process; the next query opens another.
  pool.on('error', () => {})
  // Two servers on one database would both send what waits. Whoever lost the guard to another must not write any more.
  const guard = createGuard(url, () => void pool.end())
  try {
    if (!(await guard.take())) {
      throw new DatabaseError(
        'Another server already works on this PostgreSQL database. Stop that one first, or use another database.',
      )
    }
    const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
    const seal = await prove(kysely)
    await migrate(kysely, seal)
    return {
      kind: 'postgresql',
      kysely,
      seal,
      check: () => checkWrite(kysely),
      async close() {
        await guard.leave()
        if (!pool.ending) await kysely.destroy()
      },
    }
  } catch (error) {
    await guard.leave()
    await pool.end().catch(() => {})
    if (error instanceof DatabaseError || error instanceof SealError) throw error
    const reason =
      error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error)
    const message = `PostgreSQL cannot be reached or refuses us (${reason}). Check DATABASE_URL: host, port, user, password and database name.`
    throw new DatabaseError(message, { cause: error })
  }
}

/** Keeps other servers out for as long as its connection lives, and comes back when the connection was cut. */
function createGuard(url: string, onLost: () => void) {
  let isLeaving = false
  let client: pg.Client | undefined
  let again: NodeJS.Timeout | undefined

  /** False: somebody else has it. Rejects when the database cannot be reached. */
  async function take(): Promise<boolean> {
    const next = new pg.Client({ connectionString: url })
    next.on('error', () => {})
    try {
      await next.connect()
      const { rows } = await next.query('select pg_try_advisory_lock($1) as held', [serverLock])
      if (!rows[0]?.held) {
        await next.end()
        return false
      }
    } catch (error) {
      await next.end().catch(() => {})
      throw error
    }
    client = next
    next.once('end', () => void comeBack())
    if (isLeaving) await next.end()
    return true
  }

  async function comeBack() {
    if (isLeaving) return
    try {
      if (!(await take())) onLost()
    } catch {
      // While the database is away nobody else can have it either.
      again = setTimeout(() => void comeBack(), guardPauseMs)
    }
  }

  return {
    take,
    async leave() {
      isLeaving = true
      clearTimeout(again)
      await client?.end().catch(() => {})
    },
  }
}

// ── Both ────────────────────────────────────────────────────────────────────────────────────────────────────────────

async function migrate(kysely: Kysely<Tables>, seal: Seal, copy?: () => Promise<string>) {
  const migrations = createMigrations(seal)
  const migrator = new Migrator({ db: kysely, provider: { getMigrations: async () => migrations } })
  const pending = (await migrator.getMigrations()).some(migration => !migration.executedAt)
  if (!pending) return undefined
  const backupPath = await copy?.()
  const { error } = await migrator.migrateToLatest()
  if (error) {
    // It was one transaction: the database is what it was, and who starts again and again needs no copy of it each time.
    if (backupPath) rmSync(backupPath, { force: true })
    const reason = error instanceof Error ? error.message : String(error)
    throw new DatabaseError(`The database could not be brought to the present form (${reason}). Nothing was changed.`, {
      cause: error,
    })
  }
  return backupPath
}

async function checkWrite(kysely: Kysely<Tables>) {
  // Something new each time, also twice in a millisecond: what stands there already is not written.
  const value = `${new Date().toISOString()} ${randomUUID()}`
  await kysely
    .insertInto('meta')
    .values({ name: 'last-check', value })
    .onConflict(conflict => conflict.column('name').doUpdateSet({ value }))
    .execute()
}
