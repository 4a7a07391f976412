/**
 * When a commit survives a power cut. A commit writes to the journal (`-wal`) and waits for nothing; whoever depends on it waits here, for
 * one sync of the journal that everybody who waits shares. It runs on another thread, so the event loop goes on meanwhile.
 */
import { closeSync, fdatasync, fsyncSync, openSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { CommitUnknown } from '../trouble.ts'

export interface Journal {
  /** Called with every commit, when or before it is made. */
  written(): void
  /** Resolves when everything that is committed now is on disk. @throws CommitUnknown when that is not certain */
  whenDurable(): Promise<void>
  /** Once the database is closed: everything is in its file then, and the journal is gone. */
  close(): Promise<void>
}

interface Sync {
  /** Position in the journal up to which this sync makes everything durable. */
  written: number
  done: Promise<void>
}

/** Resolves when what was written to the file is on its disk. */
export type SyncFile = (descriptor: number) => Promise<void>

/**
 * SQLite has created the journal, and keeps that one file as long as `file` is open: a checkpoint starts it anew from its beginning.
 * `rewrite` puts everything into the database itself, which is synced then, and empties the journal; false when it could not.
 */
export function createJournal(
  file: string,
  { rewrite, sync = promisify(fdatasync) }: { rewrite(): boolean; sync?: SyncFile },
): Journal {
  // SQLite's locks are on `-shm` and on the database, so closing a descriptor of the journal releases none. Windows syncs only writable descriptors.
  const descriptor = openSync(`${file}-wal`, 'r+')
  syncFolder(path.dirname(file))
  let written = 0
  let durable = 0
  let running: Sync | undefined
  let next: Promise<void> | undefined
  /** After a failed sync the system may forget what it could not write, and call the next one a success. */
  let isSuspect = false

  function start(): Promise<void> {
    next = undefined
    const begun = written
    const done = syncUpTo(begun).finally(() => {
      running = undefined
    })
    running = { written: begun, done }
    return done
  }

  async function syncUpTo(begun: number) {
    try {
      if (isSuspect && !rewrite()) throw new Error('a sync has failed before')
      await sync(descriptor)
      isSuspect = false
      durable = Math.max(durable, begun)
    } catch (error) {
      isSuspect = true
      throw new CommitUnknown(error, notSynced)
    }
  }

  return {
    written: () => void written++,
    whenDurable() {
      if (durable >= written) return Promise.resolve()
      if (!running) return start()
      if (running.written >= written) return running.done
      // A sync that is under way may have passed the position of this commit already.
      next ??= running.done.then(start, start)
      return next
    },
    async close() {
      if (durable === Number.POSITIVE_INFINITY) return
      durable = Number.POSITIVE_INFINITY
      await running?.done.catch(() => {})
      closeSync(descriptor)
    },
  }
}

const notSynced = [
  'The disk of the database did not confirm that it has written. Check its free space and its health.',
  '数据库所在磁盘没有确认写入。请检查可用空间和磁盘状况。',
] as const

/** The name of a new file is durable once its folder is synced. Windows does that itself. */
function syncFolder(folder: string) {
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
