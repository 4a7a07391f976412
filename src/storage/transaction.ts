/** Transactions: all or nothing, and made again where it is certain that nothing of them counts. */
import type { Transaction } from 'kysely'
import type { Connection } from './connection.ts'
import type { Tables } from './tables.ts'
import { ConnectionBroken, isConflict } from './trouble.ts'

/** More are broken at once where a whole pool of connections was cut, which is noticed at the next turn of the event loop. */
const maxTries = 3

/**
 * Nothing but queries may be awaited inside: on SQLite everyone else waits meanwhile. Work that is in a transaction already joins it.
 * @throws CommitUnknown when it is unknown whether it was committed
 */
export async function inTransaction<T>(
  db: Connection,
  work: (transaction: Transaction<Tables>) => Promise<T>,
): Promise<T> {
  if (db.isTransaction) return work(db as Transaction<Tables>)
  for (let tries = 1; ; tries++) {
    try {
      return await db.transaction().execute(work)
    } catch (error) {
      // A connection that broke, or two transactions in each other's way.
      const isUndone = error instanceof ConnectionBroken || isConflict(error)
      if (!isUndone || tries >= maxTries) throw error
    }
  }
}
