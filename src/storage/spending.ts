/** Rows of `spending`: what generations may cost while they run, and did cost when they have ended. */
import { sql } from 'kysely'
import { millionthsOf, wholeOf } from './caps.ts'
import type { Connection } from './database.ts'
import type { Money } from './records.ts'

export interface Reservation {
  generationId: string
  timestamp: string
  tokenId: string | null
  configId: string
  model: string
  images: number
  calls: number
  /** The most that it may cost; null where no price is known. */
  cost: Money | null
}

export interface Spent {
  images: number
  calls: number
  cost: Money | null
  isUnknown: boolean
}

/** Inclusive, exclusive; ISO 8601 in UTC. */
export interface Period {
  from: string
  to: string
}

export interface Totals {
  images: number
  amounts: Money[]
}

export type UsageGroup = 'day' | 'model' | 'configuration' | 'token'

export interface UsageRow {
  /** A day such as 2026-11-23, a model id, or the id of a configuration or token; null for the access token of the server. */
  key: string | null
  images: number
  calls: number
  amount: number
  /** Null: no price is known. */
  currency: string | null
  /** Generations of which nobody knows whether they were billed, or for how much. */
  unknown: number
}

const groupColumns = {
  day: sql<string | null>`substr(timestamp, 1, 10)`,
  model: sql<string | null>`model`,
  configuration: sql<string | null>`config_id`,
  token: sql<string | null>`token_id`,
}

export function createSpendingRepository(db: Connection) {
  return {
    /**
     * Whoever looks at totals in order to reserve calls this first, in the same transaction: others wait until it ends, so no two
     * see the same room.
     */
    async lock() {
      await sql`update counters set value = value + 1 where name = 'spending'`.execute(db)
    },

    async reserve(reservation: Reservation) {
      await db
        .insertInto('spending')
        .values({
          generation_id: reservation.generationId,
          timestamp: reservation.timestamp,
          token_id: reservation.tokenId,
          config_id: reservation.configId,
          model: reservation.model,
          state: 'reserved',
          images: reservation.images,
          calls: reservation.calls,
          ...moneyColumns(reservation.cost),
          is_unknown: reservation.cost === null ? 1 : 0,
        })
        .execute()
    },

    /** Replaces the reservation by what was spent; `keep`: leaves it as it is, because nobody knows better. */
    async settle(generationId: string, spent: Spent | 'keep') {
      const values =
        spent === 'keep'
          ? { is_unknown: 1 }
          : {
              images: spent.images,
              calls: spent.calls,
              ...moneyColumns(spent.cost),
              is_unknown: spent.isUnknown ? 1 : 0,
            }
      await db
        .updateTable('spending')
        .set({ ...values, state: 'settled' })
        .where('generation_id', '=', generationId)
        .execute()
    },

    /** Spent and reserved in a period, by one token or with one configuration. */
    async totals(period: Period, by: { tokenId?: string; configId?: string }): Promise<Totals> {
      let query = db
        .selectFrom('spending')
        .select(({ fn }) => ['currency', fn.sum('images').as('images'), fn.sum('amount').as('amount')])
        .where('timestamp', '>=', period.from)
        .where('timestamp', '<', period.to)
        .groupBy('currency')
      if (by.tokenId !== undefined) query = query.where('token_id', '=', by.tokenId)
      if (by.configId !== undefined) query = query.where('config_id', '=', by.configId)
      const rows = await query.execute()
      return {
        images: rows.reduce((sum, row) => sum + Number(row.images), 0),
        amounts: rows.flatMap(({ currency, amount }) =>
          currency === null ? [] : [{ amount: wholeOf(amount ?? 0), currency }],
        ),
      }
    },

    /** A row for each key and currency, in the order of the keys. */
    async usage(period: Period, group: UsageGroup, owner?: string): Promise<UsageRow[]> {
      const key = groupColumns[group]
      let query = db
        .selectFrom('spending')
        .select(({ fn }) => [
          key.as('key'),
          'currency',
          fn.sum('images').as('images'),
          fn.sum('calls').as('calls'),
          fn.sum('amount').as('amount'),
          fn.sum('is_unknown').as('unknown'),
        ])
        .where('timestamp', '>=', period.from)
        .where('timestamp', '<', period.to)
        // What was given back left nothing to tell.
        .where(({ or, eb }) => or([eb('images', '>', 0), eb('calls', '>', 0), eb('is_unknown', '=', 1)]))
        .groupBy([key, 'currency'])
        .orderBy(key)
        .orderBy('currency')
      if (owner !== undefined) query = query.where('token_id', '=', owner)
      const rows = await query.execute()
      return rows.map(row => ({
        key: row.key,
        images: Number(row.images),
        calls: Number(row.calls),
        amount: wholeOf(row.amount ?? 0),
        currency: row.currency,
        unknown: Number(row.unknown),
      }))
    },
  }
}

function moneyColumns(cost: Money | null) {
  return { amount: cost && millionthsOf(cost.amount), currency: cost?.currency ?? null }
}
