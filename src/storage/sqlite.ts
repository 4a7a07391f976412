/** The embedded database: its file, its lock, and what makes it fit for Kysely. */
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { backup, DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { Kysely, SqliteAdapter, SqliteDialect } from 'kysely'
import type { Database, ReadDatabase } from './database.ts'
import { checkWrite, migrate, mustBePresent, type Prove } from './migrate.ts'
import { SealError } from './seal.ts'
import type { Tables } from './tables.ts'
import { DatabaseError, noDatabaseAt } from './trouble.ts'

export async function openSqlite(file: string, prove: Prove, isTool: boolean): Promise<Database> {
  if (isTool && !existsSync(file)) {
    throw noDatabaseAt(file)
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
      : new DatabaseError(...explain(file, error), { cause: error })
  }
}

/** Reads it and changes nothing, also beside a server. */
export async function readSqlite(file: string): Promise<ReadDatabase> {
  if (!existsSync(file)) throw noDatabaseAt(file)
  const unlock = tryLock(file)
  let handle: DatabaseSync | undefined
  try {
    handle = new DatabaseSync(file, { readOnly: true })
    mustBeWhole(handle, file)
    const kysely = new Kysely<Tables>({ dialect: new TransactionalSqlite({ database: asKyselyDatabase(handle) }) })
    await mustBePresent(kysely)
    return {
      kind: 'sqlite',
      kysely,
      isAlone: unlock !== undefined,
      async close() {
        await kysely.destroy()
        unlock?.()
      },
    }
  } catch (error) {
    if (handle?.isOpen) handle.close()
    unlock?.()
    throw error instanceof DatabaseError ? error : new DatabaseError(...explain(file, error), { cause: error })
  }
}

/**
 * One process a database file. The lock is a transaction held on a second, tiny database beside it: the operating system lets go
 * of it however the process ends, so there is no stale lock to clear away.
 */
function lock(file: string, isTool: boolean) {
  const unlock = tryLock(file)
  if (unlock) return unlock
  throw isTool
    ? new DatabaseError(
        `The database ${file} is in use by another running server. Stop the server first, then run this again.`,
        `数据库 ${file} 正被运行中的服务器使用。请先停止服务器，再重新执行。`,
      )
    : new DatabaseError(
        `The database ${file} is in use by another running server. Stop that one first, or give this one a DATABASE_URL of its own.`,
        `数据库 ${file} 正被另一台运行中的服务器使用。请先停止那一台，或为这一台设置另外的 DATABASE_URL。`,
      )
}

/** Undefined while another process has it. */
function tryLock(file: string): (() => void) | undefined {
  const lockFile = `${file}.lock`
  let handle: DatabaseSync | undefined
  try {
    mkdirSync(path.dirname(file), { recursive: true })
    handle = new DatabaseSync(lockFile)
    handle.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
  } catch (error) {
    if (handle?.isOpen) handle.close()
    if (isBusy(error)) return undefined
    throw new DatabaseError(...explain(file, error), { cause: error })
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
  if (found !== 'ok') throw new DatabaseError(...damaged(file, String(found).replace(/^\*\*\*.*\n/, '')))
}

function damaged(file: string, reason: string): readonly [en: string, zh: string] {
  const name = path.basename(file)
  return [
    `The database ${file} is damaged or not an SQLite file (${reason}). Nothing was changed. Move it away, together with ${name}-wal and ${name}-shm where they are there, and restore a backup; then start again.`,
    `数据库 ${file} 已损坏或不是 SQLite 文件（${reason}）。没有做任何改动。请把它连同 ${name}-wal、${name}-shm（如有）一起移走并恢复备份，然后重新启动。`,
  ]
}

function explain(file: string, error: unknown): readonly [en: string, zh: string] {
  const reason = error instanceof Error ? error.message : String(error)
  if (/not a database|malformed/.test(reason)) return damaged(file, reason)
  if (isBusy(error)) {
    return [
      `The database ${file} is locked by another program (${reason}). Close that program and start again.`,
      `数据库 ${file} 被其他程序锁定（${reason}）。请关闭该程序后重新启动。`,
    ]
  }
  return [
    `The database ${file} cannot be opened (${reason}). Check that the folder exists, that this user may write to it, and that the disk has room.`,
    `数据库 ${file} 无法打开（${reason}）。请检查文件夹是否存在、当前用户能否写入、磁盘是否有空间。`,
  ]
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
