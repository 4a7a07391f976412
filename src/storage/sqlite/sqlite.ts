/** The embedded database: its file, its lock, and what makes it fit for Kysely. */
import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs'
import path from 'node:path'
import { backup, DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { Kysely, SqliteAdapter, SqliteDialect } from 'kysely'
import type { Database, ReadDatabase } from '../connection.ts'
import { checkWrite, migrate, mustBePresent, type Prove } from '../migrate.ts'
import { OwnershipLost, ownerName, takeOwnership } from '../ownership.ts'
import { SealError } from '../secrets/seal.ts'
import type { Tables } from '../tables.ts'
import { DatabaseError, noDatabaseAt } from '../trouble.ts'

/** Resolved through links: the journal and the lock are beside the file itself. */
export async function openSqlite(given: string, prove: Prove, isTool: boolean): Promise<Database> {
  if (isTool && !existsSync(given)) {
    throw noDatabaseAt(given)
  }
  let file = given
  let lock: Lock | undefined
  let handle: DatabaseSync | undefined
  try {
    file = placeOf(given)
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
    const kysely = new Kysely<Tables>({ dialect: new TransactionalSqlite({ database: asKyselyDatabase(handle) }) })
    const seal = await prove(kysely)
    const backupPath = await migrate(kysely, seal, isNew ? undefined : () => copyAside(handle!, file))
    // A migration may have sealed keys that were stored in plain text: without VACUUM they would still be legible in free pages.
    if (backupPath) handle.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)')
    const owner = isTool ? '' : randomUUID()
    if (!isTool) await takeOwnership(kysely, owner)
    const watch = createWatch({ file, owner, lock })
    return {
      kind: 'sqlite',
      kysely,
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
    const file = placeOf(given)
    lock = tryLock(file)
    handle = new DatabaseSync(file, { readOnly: true })
    mustBeWhole(handle, file)
    const kysely = new Kysely<Tables>({ dialect: new TransactionalSqlite({ database: asKyselyDatabase(handle) }) })
    await mustBePresent(kysely)
    return {
      kind: 'sqlite',
      kysely,
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

// ── Whose file it is ────────────────────────────────────────────────────────────────────────────────────────────────

/** Resolves a name through every link, even if no file exists yet. */
function placeOf(name: string): string {
  try {
    return realpathSync(name)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  const link = lstatSync(name, { throwIfNoEntry: false })
  if (link?.isSymbolicLink()) return placeOf(path.resolve(path.dirname(name), readlinkSync(name)))
  mkdirSync(path.dirname(name), { recursive: true })
  return path.join(realpathSync(path.dirname(name)), path.basename(name))
}

/**
 * SQLite keeps its journal beside the file, under the name that it was opened with: by two names it has two, and they destroy it
 * (sqlite.org/howtocorrupt.html §2.5).
 */
function mustHaveOneName(file: string) {
  const names = statSync(file, { throwIfNoEntry: false })?.nlink ?? 1
  if (names > 1) {
    throw new DatabaseError(
      `The database ${file} has ${names} names (hard links), and two programs that use two of them would destroy it. Keep one name: find the others with find -samefile, and remove or copy them.`,
      `数据库 ${file} 有 ${names} 个名字（硬链接），两个程序用不同的名字打开会损坏它。请只保留一个名字：用 find -samefile 找出其余的，删除或改为复制。`,
    )
  }
  if (isMountedAlone(file)) {
    throw new DatabaseError(
      `The file ${file} is mounted without its folder, so its journal would be left behind with the container. Mount the folder that it lies in.`,
      `只挂载了文件 ${file} 而没有挂载它所在的文件夹，日志文件会留在容器里。请改为挂载整个文件夹。`,
    )
  }
}

function isMountedAlone(file: string) {
  try {
    const written = file.replace(/[ \t\n\\]/g, sign => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`)
    return readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .some(line => line.split(' ')[4] === written)
  } catch {
    // Only Linux can tell.
    return false
  }
}

interface Lock {
  /** Is the file that is locked still the one that others find? */
  isThere(): boolean
  /** Locks it again if the lock was removed. @throws OwnershipLost if another process has locked it */
  retake(): void
  release(): void
}

/** @throws DatabaseError while another process has it */
function lockFor(file: string, isTool: boolean): Lock {
  const lock = tryLock(file)
  if (lock) return lock
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

/**
 * One process a database file. The lock is a transaction held on a second, tiny database beside it: the operating system lets go
 * of it however the process ends, so there is no stale lock to clear away. Undefined while another process has it.
 */
function tryLock(file: string): Lock | undefined {
  const lockFile = `${file}.lock`
  const handles: DatabaseSync[] = []
  let identity: string | undefined

  /** False while another process holds it. */
  function take(): boolean {
    const handle = new DatabaseSync(lockFile)
    try {
      handle.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
    } catch (error) {
      handle.close()
      if (isBusy(error)) return false
      throw error
    }
    // A removed lock file stays open too: closing it could release the other lock.
    handles.push(handle)
    identity = identityOf(lockFile)
    return true
  }

  if (!take()) return undefined
  return {
    isThere: () => identityOf(lockFile) === identity,
    retake() {
      if (!take()) throw new OwnershipLost()
    },
    release() {
      for (const handle of handles) if (handle.isOpen) handle.close()
    },
  }
}

const watchMs = 1000

/** Notices that the file or its lock was moved, removed or replaced while the server runs. */
function createWatch({ file, owner, lock }: { file: string; owner: string; lock: Lock }) {
  let identity = identityOf(file)

  /** @throws OwnershipLost */
  function look() {
    if (identityOf(file) !== identity) {
      if (ownerIn(file) !== owner) throw new OwnershipLost(...moved)
      // The same database after all: some file systems renumber their files.
      identity = identityOf(file)
    }
    if (lock.isThere()) return
    // The other process may stop and start as often as it likes.
    if (ownerIn(file) !== owner) throw new OwnershipLost()
    lock.retake()
  }

  // The sooner the lock is back, the smaller the window for a second server.
  const timer = setInterval(() => {
    try {
      look()
    } catch {
      // Told where it matters.
    }
  }, watchMs).unref()
  return { look, end: () => clearInterval(timer) }
}

const moved = [
  'The file of the database was moved, removed or replaced while the server ran, so nothing is sent. Put it back or restore a backup, and start the server again; answers that were paid for are kept in the folder answers.',
  '服务器运行期间数据库文件被移动、删除或替换，因此不再发送任何请求。请放回该文件或恢复备份，再重新启动；已付费的应答保存在 answers 文件夹中。',
] as const

/** The owner of the database that is at this path now; undefined when there is none. */
function ownerIn(file: string): unknown {
  try {
    const handle = new DatabaseSync(file, { readOnly: true })
    try {
      return handle.prepare('select value from meta where name = ?').get(ownerName)?.value
    } finally {
      handle.close()
    }
  } catch {
    return undefined
  }
}

function identityOf(file: string) {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  return found && `${found.dev} ${found.ino}`
}

// ── What can be wrong with it ───────────────────────────────────────────────────────────────────────────────────────

function isBusy(error: unknown) {
  return error instanceof Error && 'errcode' in error && (error.errcode === 5 || error.errcode === 6)
}

function isMissing(error: unknown) {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
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

// ── For Kysely ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** SQLite can change tables in a transaction. Kysely does not assume so, and a killed start would leave half a migration. */
class TransactionalSqlite extends SqliteDialect {
  override createAdapter() {
    return new (class extends SqliteAdapter {
      override get supportsTransactionalDdl() {
        return true
      }
    })()
  }
}

/** Enough for every statement of this program, with room for lists of different lengths. */
const maxStatements = 250

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
      // A statement of its own, because it stays open between two rows.
      iterate: (parameters: readonly unknown[]) => handle.prepare(text).iterate(...(parameters as SQLInputValue[])),
    }
  }

  return {
    close: () => handle.close(),
    prepare(text: string) {
      // SQLite rolls a transaction back automatically when the disk is full; the error of a second rollback would hide the cause.
      if (text === 'rollback' && !handle.isTransaction) return nothingToDo
      const known = kept.get(text)
      if (known) return known
      const [oldest] = kept.keys()
      if (oldest !== undefined && kept.size >= maxStatements) kept.delete(oldest)
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
