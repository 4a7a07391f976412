/** A database that is briefly unavailable does not make the client retry. */
import { CommitUnknown, ConnectionBroken } from '../storage/trouble.ts'
import type { GenerationParts } from './parts.ts'

/** How long a client waits for the database. */
export const patienceMs = 10_000

/** Reads what is there already. */
export function readPatiently<T>(parts: GenerationParts, read: () => Promise<T>): Promise<T> {
  const late = AbortSignal.any([AbortSignal.timeout(patienceMs), parts.closing])
  return retryWhileAway(parts, read, late).catch(error => {
    throw error instanceof ConnectionBroken ? new CommitUnknown(error) : error
  })
}

/** Retries while the database is unavailable. @throws its last error when `signal` aborts */
export async function retryWhileAway<T>(
  { pauses }: GenerationParts,
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ConnectionBroken || error instanceof CommitUnknown)) throw error
      await pauses.wait(pauses.storing(tries), signal).catch(() => {})
      if (signal.aborted) throw error
    }
  }
}
