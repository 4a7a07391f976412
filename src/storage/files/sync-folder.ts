/** Makes the names of files survive a power cut. */
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What is called after a rename or a creation in `folder`. `firstMade`: what `mkdir` gave back. */
export type SyncFolders = (folder: string, firstMade?: string) => Promise<void>

/**
 * A name is durable once its folder is synced, and a folder once its parent is: so this syncs the folder, and each above it up to `top` that
 * it has not synced yet. Another process, or another write, may have made them and not come so far.
 */
export function createFolderSync(top: string): SyncFolders {
  let durable = new Set<string>()
  const syncFolder = shareSyncs(syncNow)
  return async (folder, firstMade) => {
    // Somebody has removed folders, so nothing is known of those that were made in their place.
    if (firstMade !== undefined) durable = new Set()
    const known = durable
    const last = firstMade !== undefined && dirname(firstMade).length < top.length ? dirname(firstMade) : top
    await syncFolder(folder)
    const synced: string[] = []
    for (let child = folder; child !== last && child !== dirname(child) && !known.has(child); child = dirname(child)) {
      await syncFolder(dirname(child))
      synced.push(child)
    }
    for (const child of synced) known.add(child)
  }
}

/** Whoever asks for a folder while it is being synced shares the next sync of it: the one under way may have passed their name already. */
function shareSyncs(sync: (folder: string) => Promise<void>): (folder: string) => Promise<void> {
  const running = new Map<string, Promise<void>>()
  const next = new Map<string, Promise<void>>()

  function start(folder: string) {
    next.delete(folder)
    const done = sync(folder).finally(() => running.delete(folder))
    running.set(folder, done)
    return done
  }

  return folder => {
    const present = running.get(folder)
    if (!present) return start(folder)
    const begin = () => start(folder)
    const shared = next.get(folder) ?? present.then(begin, begin)
    next.set(folder, shared)
    return shared
  }
}

async function syncNow(folder: string) {
  // Windows has no fsync for folders, and writes them through itself.
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
