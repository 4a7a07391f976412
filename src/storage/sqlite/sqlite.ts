/** The embedded database: one file. */
import { randomUUID } from 'node:crypto'
import { chmodSync, existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import type { Database, OpenOptions, ReadDatabase } from '../connection.ts'
import { checkWrite, migrate, mustBePresent, type Prove } from '../migrate.ts'
import { takeOwnership } from '../ownership.ts'
import { SealError } from '../secrets/seal.ts'
import type { Tables } from '../tables.ts'
import { DatabaseError, noDatabaseAt } from '../trouble.ts'
import { asKyselyDatabase, TransactionalSqlite } from './dialect.ts'
import { createWatch, isBusy, type Lock, lockFor, tryLock } from './lock.ts'
import { findPlace, mustHaveOneName } from './place.ts'
import { createReaders, ReadingSqlite } from './readers.ts'

/** Resolved through links: the journal and the lock are beside the file itself. */
export async function openSqlite(
  given: string,
  prove: Prove,
  { isTool = false, onStatement, isReadInline = false }: OpenOptions,
): Promise<Database> {
  if (isTool && !existsSync(given)) {
    throw noDatabaseAt(given)
  }
  let file = given
  let lock: Lock | undefined
  let handle: DatabaseSync | undefined
  try {
    file = findPlace(given)
    mustHaveOneName(file)
    lock = lockFor(file, isTool)
    const isNew = !existsSync(file) || statSync(file).size === 0
    handle = new DatabaseSync(file)
    if (!isNew) mustBeWhole(handle, file)
    // Owner-only permissions: the file holds prompts.
    if (isNew) chmodSync(file, 0o600)
    // The whole process blocks while a query waits for another program, so the wait is short; callers that must not give up retry.
    // FULL: a step of the ledger that was committed survives a power cut, not only a crash of the process.
    handle.exec(
      'PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 1000',
    )
    const kysely = new Kysely<Tables>({
      dialect: new TransactionalSqlite({ database: asKyselyDatabase(handle, onStatement) }),
    })
    const seal = await prove(kysely)
    const backupPath = await migrate(kysely, seal, isNew ? undefined : () => copyAside(handle!, file))
    // A migration may have sealed keys that were stored in plain text: without VACUUM they would still be legible in free pages.
    if (backupPath) handle.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)')
    const owner = isTool ? '' : randomUUID()
    if (!isTool) await takeOwnership(kysely, owner)
    const watch = createWatch({ file, owner, lock })
    const readers = createReaders(file)
    const reading = isReadInline ? kysely : new Kysely<Tables>({ dialect: new ReadingSqlite(readers) })
    return {
      kind: 'sqlite',
      kysely,
      reading,
      seal,
      owner,
      backupPath,
      mustBeOurs: watch.look,
      async check() {
        watch.look()
        await checkWrite(kysely, owner)
      },
      async close() {
        watch.end()
        await readers.close()
        await kysely.destroy()
        lock?.release()
      },
    }
  } catch (error) {
    if (handle?.isOpen) handle.close()
    lock?.release()
    throw error instanceof DatabaseError || error instanceof SealError
      ? error
      : new DatabaseError(...explain(given, error), { cause: error })
  }
}

/** Read-only, also beside a running server. */
export async function readSqlite(given: string): Promise<ReadDatabase> {
  if (!existsSync(given)) throw noDatabaseAt(given)
  let lock: Lock | undefined
  let handle: DatabaseSync | undefined
  try {
    const file = findPlace(given)
    lock = tryLock(file)
    handle = new DatabaseSync(file, { readOnly: true })
    mustBeWhole(handle, file)
    const kysely = new Kysely<Tables>({ dialect: new TransactionalSqlite({ database: asKyselyDatabase(handle) }) })
    await mustBePresent(kysely)
    return {
      kind: 'sqlite',
      kysely,
      reading: kysely,
      isAlone: lock !== undefined,
      async close() {
        await kysely.destroy()
        lock?.release()
      },
    }
  } catch (error) {
    if (handle?.isOpen) handle.close()
    lock?.release()
    throw error instanceof DatabaseError ? error : new DatabaseError(...explain(given, error), { cause: error })
  }
}

/** Damage in the middle would show only when it is read, perhaps hours later. Takes about two seconds per gigabyte. */
function mustBeWhole(handle: DatabaseSync, file: string) {
  handle.exec('PRAGMA busy_timeout = 1000')
  const found = handle.prepare('PRAGMA quick_check(1)').get()?.quick_check
  if (found !== 'ok') throw new DatabaseError(...damaged(file, String(found).replace(/^\*\*\*.*\n/, '')))
}

function damaged(file: string, reason: string): readonly [en: string, zh: string] {
  const name = path.basename(file)
  return [
    `The database ${file} is damaged or not an SQLite file (${reason}). Nothing was changed. Move it away, together with ${name}-wal and ${name}-shm if they exist, and restore a backup; then start again.`,
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
