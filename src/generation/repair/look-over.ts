/** What is looked at after a start, in the background and in small steps: whether the database is whole, and files and rows agree. */
import type { Database } from '../../storage/connection.ts'
import type { Files } from '../../storage/files/folder.ts'
import type { Removals } from '../../storage/files/removals.ts'
import type { Store } from '../../storage/store.ts'
import { compareFiles, compareRows } from './reconcile.ts'

/** `checked` of `images` have been looked at, and the files of `missing` are not there. */
export interface Check {
  state: 'waiting' | 'running' | 'done' | 'failed'
  images: number
  checked: number
  missing: number
}

/**
 * Writes its progress into `check`, until `signal`. Removes what a crash has left of deletions, and counts anew what was spent where the
 * sums are not those of the rows. @returns how many files nobody knows, and of how many days and months the sums were wrong
 * @throws DatabaseError when the database is damaged; nothing is removed then
 */
export async function lookOver(
  check: Check,
  parts: { database: Database; store: Store; files: Files; removals: Removals; signal: AbortSignal },
): Promise<{ orphanedFiles: number; wrongSums: number }> {
  const { database, store, files, removals, signal } = parts
  try {
    Object.assign(check, { state: 'running', images: await store.images.count() })
    await database.verify()
    const wrongSums = await store.spending.mendSums(signal)
    const count = (_: unknown, isMissing: boolean) => {
      check.checked++
      if (isMissing) check.missing++
    }
    await compareRows({ store, files }, count, signal)
    const { stale, orphanedFiles } = await compareFiles({ store, files }, signal)
    signal.throwIfAborted()
    // A deletion that a power cut could take back would leave rows without files.
    await store.whenDurable()
    for (const key of stale) await removals.make(() => files.remove(key))
    Object.assign(check, { state: 'done', images: check.checked })
    return { orphanedFiles: orphanedFiles.size, wrongSums }
  } catch (error) {
    check.state = 'failed'
    throw error
  }
}
