/** Rows of `session_spending`: which session a generation counts in. What it costs stands in `spending`. */
import { type Totals, toTotals } from './caps.ts'
import type { Connection } from './connection.ts'
import type { Money } from './records.ts'

/** What the generations of one session may cost together. */
export interface SpendingSession {
  /** With the token that it belongs to: equal names of different tokens are different sessions. */
  name: string
  cap: Money
  /** After a pause of this length the name means a new session; it never does where this is undefined. */
  idleMs?: number
}

export function createSessionSpendingRepository(db: Connection) {
  return {
    /** When the session that a request of this time belongs to began: with it, where it is the first. */
    async findStart({ name, idleMs }: SpendingSession, timestamp: string): Promise<string> {
      const newest = await db
        .selectFrom('session_spending')
        .select(['began_at', 'timestamp'])
        .where('session', '=', name)
        .orderBy('timestamp', 'desc')
        .limit(1)
        .executeTakeFirst()
      const isOver = newest && idleMs !== undefined && Date.parse(timestamp) - Date.parse(newest.timestamp) >= idleMs
      return newest && !isOver ? newest.began_at : timestamp
    },

    /** Spent and reserved since then. */
    async totals({ name }: SpendingSession, start: string): Promise<Totals> {
      const rows = await db
        .selectFrom('session_spending as counted')
        .innerJoin('spending', 'spending.generation_id', 'counted.generation_id')
        .select(({ fn }) => ['currency', fn.sum('images').as('images'), fn.sum('amount').as('amount')])
        .where('counted.session', '=', name)
        .where('counted.began_at', '=', start)
        .groupBy('currency')
        .execute()
      return toTotals(rows)
    },

    async insert(generationId: string, { name }: SpendingSession, start: string, timestamp: string) {
      await db
        .insertInto('session_spending')
        .values({ generation_id: generationId, session: name, began_at: start, timestamp })
        .execute()
    },
  }
}
