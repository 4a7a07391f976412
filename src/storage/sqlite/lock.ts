/** One process a database file: its lock, and the watch over both of them. */
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { OwnershipLost, ownerName } from '../ownership.ts'
import { DatabaseError } from '../trouble.ts'

export interface Lock {
  /** Is the file that is locked still the one that others find? */
  isThere(): boolean
  /** Locks it again if the lock was removed. @throws OwnershipLost if another process has locked it */
  retake(): void
  release(): void
}

/** @throws DatabaseError while another process has it */
export function lockFor(file: string, isTool: boolean): Lock {
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
export function tryLock(file: string): Lock | undefined {
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
    identity = identify(lockFile)
    return true
  }

  if (!take()) return undefined
  return {
    isThere: () => identify(lockFile) === identity,
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
export function createWatch({ file, owner, lock }: { file: string; owner: string; lock: Lock }) {
  let identity = identify(file)

  /** @throws OwnershipLost */
  function look() {
    if (identify(file) !== identity) {
      if (ownerIn(file) !== owner) throw new OwnershipLost(...moved)
      // The same database after all: some file systems renumber their files.
      identity = identify(file)
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
      // Reported where it matters.
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
    using handle = new DatabaseSync(file, { readOnly: true })
    return handle.prepare('select value from meta where name = ?').get(ownerName)?.value
  } catch {
    return undefined
  }
}

function identify(file: string) {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  return found && `${found.dev} ${found.ino}`
}

export function isBusy(error: unknown) {
  return error instanceof Error && 'errcode' in error && (error.errcode === 5 || error.errcode === 6)
}
