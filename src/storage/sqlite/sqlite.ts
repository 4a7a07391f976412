/** The embedded database: one file. */
import { randomUUID } from 'node:crypto'
import { chmodSync, existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { Kysely, sql } from 'kysely'
import type { Database, OpenOptions, ReadDatabase } from '../connection.ts'
import { checkWrite, migrate, mustBePresent, type Prove } from '../migrate.ts'
import { endName, findOwner, noteEnd, ownerName, takeOwnership } from '../ownership.ts'
import { SealError } from '../secrets/seal.ts'
import type { Tables } from '../tables.ts'
import { DatabaseError, noDatabaseAt } from '../trouble.ts'
import { createCheckpoints } from './checkpoints.ts'
import { asKyselyDatabase, TransactionalSqlite } from './dialect.ts'
import { createJournal, type Journal } from './journal.ts'
import { createWatch, isBusy, type Lock, lockFor, tryLock } from './lock.ts'
import { mustHaveOneName, resolveDatabasePath } from './place.ts'
import { createReaders, ReadingSqlite } from './readers.ts'
import { adoptIndex, createSearchIndex } from './search-index.ts'

/** Resolved through links: the journal and the lock are beside the file itself. */
export async function openSqlite(
  given: string,
  prove: Prove,
  {
    isTool = false,
    onStatement,
    onProgress,
    onIndexTrouble = () => {},
    syncJournal,
    isReadInline = false,
  }: OpenOptions,
): Promise<Database> {
  if (isTool && !existsSync(given)) {
    throw noDatabaseAt(given)
  }
  let file = given
  let lock: Lock | undefined
  let handle: DatabaseSync | undefined
  let journal: Journal | undefined
  try {
    file = resolveDatabasePath(given)
    mustHaveOneName(file)
    lock = lockFor(file, isTool)
    const isNew = !existsSync(file) || statSync(file).size === 0
    handle = new DatabaseSync(file)
    const wasClosed = !isNew && !isTool && wasClosedInOrder(handle)
    if (!isNew && !wasClosed) mustBeWhole(handle, file)
    // Owner-only permissions: the file holds prompts.
    if (isNew) chmodSync(file, 0o600)
    // The whole process blocks while a query waits for another program, so the wait is short; callers that must not give up retry.
    // NORMAL: a commit survives a crash of the process; a power cut only after the sync that whoever needs that waits for.
    handle.exec(
      'PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 1000',
    )
    let onWrite = () => {}
    const database = asKyselyDatabase(handle, { onStatement, onWrite: () => onWrite() })
    const kysely = new Kysely<Tables>({ dialect: new TransactionalSqlite({ database }) })
    const seal = await prove(kysely)
    const needsVacuum = mayHoldRemains(handle)
    handle.exec('PRAGMA cache_size = -16384')
    const backupPath = await migrate(
      kysely,
      seal,
      onProgress,
      isNew ? undefined : () => prepareMigration(handle!, file, { isChecked: !wasClosed }),
    )
    handle.exec('PRAGMA cache_size = -4096')
    if (backupPath) endMigration(handle, needsVacuum)
    const owner = isTool ? '' : randomUUID()
    const indexFile = `${file}.search`
    if (!isTool) adoptIndex(indexFile, await findOwner(kysely), owner)
    if (!isTool) await takeOwnership(kysely, owner)
    const watch = createWatch({ file, owner, lock })
    const readers = createReaders(file, indexFile)
    const reading = isReadInline ? kysely : new Kysely<Tables>({ dialect: new ReadingSqlite(readers) })
    const repair = { onTrouble: onIndexTrouble, renewReaders: readers.renew }
    const search = isTool || isReadInline ? undefined : createSearchIndex({ file, indexFile, owner }, reading, repair)
    journal = createJournal(file, { rewrite: () => moveIntoDatabase(handle!), sync: syncJournal })
    const checkpoints = isReadInline ? undefined : takeOverCheckpoints(file, handle, kysely)
    onWrite = () => {
      journal?.written()
      checkpoints?.written()
    }
    // Opening has written as well.
    onWrite()
    let damage: DatabaseError | undefined
    const mustBeOurs = () => {
      if (damage) throw damage
      watch.look()
    }
    return {
      kind: 'sqlite',
      kysely,
      reading,
      search,
      seal,
      owner,
      backupPath,
      async verify() {
        if (!wasClosed) return
        damage = describeDamage(await checkWhole(reading), file)
        if (damage) throw damage
      },
      mustBeOurs,
      whenDurable: journal.whenDurable,
      async check() {
        mustBeOurs()
        await checkWrite(kysely, owner)
        await journal?.whenDurable()
      },
      async close() {
        watch.end()
        await search?.close()
        await Promise.all([readers.close(), checkpoints?.close()])
        // Without this note the next start reads the whole database before its first answer.
        if (!isTool && !damage) await noteClosed(kysely, owner, journal).catch(() => {})
        // The last connection moves what is left of the journal into the database.
        await kysely.destroy()
        await journal?.close()
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

/** Nothing may be written after it. It is not made beside a disk that does not confirm what is written. */
async function noteClosed(kysely: Kysely<Tables>, owner: string, journal: Journal | undefined) {
  await journal?.whenDurable()
  await noteEnd(kysely, owner)
}

/** Commits make no checkpoints any more, unless the thread that makes them fails. */
function takeOverCheckpoints(file: string, handle: DatabaseSync, kysely: Kysely<Tables>) {
  handle.exec('PRAGMA wal_autocheckpoint = 0')
  return createCheckpoints(file, {
    hold: work => kysely.connection().execute(work),
    fallBack: () => handle.exec('PRAGMA wal_autocheckpoint = 1000'),
  })
}

/** False while a transaction or a reader stands in the way. */
function moveIntoDatabase(handle: DatabaseSync): boolean {
  if (handle.isTransaction) return false
  return handle.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.busy === 0
}

/** Read-only, also beside a running server. */
export async function readSqlite(given: string): Promise<ReadDatabase> {
  if (!existsSync(given)) throw noDatabaseAt(given)
  let lock: Lock | undefined
  let handle: DatabaseSync | undefined
  try {
    const file = resolveDatabasePath(given)
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
  const damage = describeDamage(handle.prepare('PRAGMA quick_check(1)').get()?.quick_check, file)
  if (damage) throw damage
}

/** Like `mustBeWhole`, in a thread. Some damage is an error and no answer. */
async function checkWhole(reading: Kysely<Tables>): Promise<string | undefined> {
  try {
    const { rows } = await sql<{ quick_check: string }>`pragma quick_check(1)`.execute(reading)
    return rows[0]?.quick_check
  } catch (error) {
    if (isDamaged(error)) return error.message
    throw error
  }
}

/** What a cut of the power or a crash may damage is whole then; `verify` looks at it later. */
function wasClosedInOrder(handle: DatabaseSync): boolean {
  try {
    const found = handle.prepare(
      'select 1 from meta as ended join meta as owner on owner.value = ended.value where ended.name = ? and owner.name = ?',
    )
    return found.get(endName, ownerName) !== undefined
  } catch {
    // It is of another form, or damaged.
    return false
  }
}

function describeDamage(found: unknown, file: string): DatabaseError | undefined {
  if (found === 'ok') return undefined
  return new DatabaseError(...damaged(file, String(found).replace(/^\*\*\*.*\n/, '')))
}

function damaged(file: string, reason: string): readonly [en: string, zh: string] {
  const name = path.basename(file)
  return [
    `The database ${file} is damaged or not an SQLite file (${reason}). Nothing was changed. Move it away, together with ${name}-wal and ${name}-shm if they exist, and restore a backup; then start again.`,
    `数据库 ${file} 已损坏或不是 SQLite 文件（${reason}）。没有做任何改动。请把它连同 ${name}-wal、${name}-shm（如有）一起移走并恢复备份，然后重新启动。`,
  ]
}

function isDamaged(error: unknown): error is Error {
  return error instanceof Error && /not a database|malformed/.test(error.message)
}

function explain(file: string, error: unknown): readonly [en: string, zh: string] {
  const reason = error instanceof Error ? error.message : String(error)
  if (isDamaged(error)) return damaged(file, reason)
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

/** VACUUM writes everything anew, so a large database without free pages is spared it. */
function mayHoldRemains(handle: DatabaseSync) {
  const count = (name: string) => Number(Object.values(handle.prepare(`PRAGMA ${name}`).get() ?? {})[0])
  return count('freelist_count') > 0 || count('page_count') * count('page_size') < smallDatabase
}

const smallDatabase = 64 * 2 ** 20

/** Large changes are written once and not twice with a journal that can only take them back. @returns path of a copy of the database */
function prepareMigration(handle: DatabaseSync, file: string, { isChecked }: { isChecked: boolean }): Promise<string> {
  if (!isChecked) mustBeWhole(handle, file)
  // Another program may have it open; then the journal stays as it is.
  handle.exec('PRAGMA synchronous = FULL')
  setJournal(handle, 'DELETE')
  return copyAside(handle, file)
}

function endMigration(handle: DatabaseSync, needsVacuum: boolean) {
  // A migration may have sealed keys that were stored in plain text. What it removed itself was overwritten (secure_delete); what
  // earlier programs removed is still legible in free pages.
  handle.exec(`${needsVacuum ? 'VACUUM; ' : ''}PRAGMA wal_checkpoint(TRUNCATE)`)
  setJournal(handle, 'WAL')
  handle.exec('PRAGMA synchronous = NORMAL')
}

function setJournal(handle: DatabaseSync, mode: 'WAL' | 'DELETE') {
  try {
    handle.exec(`PRAGMA journal_mode = ${mode}`)
  } catch (error) {
    if (!isBusy(error)) throw error
  }
}

async function copyAside(handle: DatabaseSync, file: string) {
  const stamp = new Date().toISOString().replace(/[:.]/g, '-')
  const target = `${file}.before-${stamp}`
  await backup(handle, target)
  // The copy may hold keys in plain text, as the old database did.
  chmodSync(target, 0o600)
  return target
}
