/** Rows of `spending`: what generations may cost while they run, and did cost when they have ended. */
import { type Insertable, type InsertResult, sql, type Updateable, type UpdateResult } from 'kysely'
import { fromMillionths, type Totals, toMillionths, toTotals } from './caps.ts'
import type { Connection } from './connection.ts'
import type { Period } from './periods.ts'
import { pick, prepareForEach } from './prepared.ts'
import type { Money } from './records.ts'
import {
  findWrongDays,
  findWrongMonths,
  recountDay,
  recountMonth,
  type SpentBy,
  sumSpending,
  type UsageGroup,
} from './spending-sums.ts'
import type { SpendingTable } from './tables.ts'
import { inTransaction } from './transaction.ts'

export interface Reservation {
  generationId: string
  timestamp: string
  /** The named token that was sent, or the user in a session; null as in `ownerId` of a generation. */
  spenderId: string | null
  configId: string
  model: string
  images: number
  calls: number
  /** The most that it may cost; null where no price is known. */
  cost: Money | null
}

/** What moves from one configuration to another: one call, or the whole reservation there. */
export interface Part extends Reservation {
  isWhole: boolean
}

export interface Spent {
  images: number
  calls: number
  cost: Money | null
  isUnknown: boolean
}

export interface UsageRow {
  /** A day such as 2026-11-23, a model id, or the id of a configuration, token or user; null for the access token of the server. */
  key: string | null
  images: number
  calls: number
  amount: number
  /** Null: no price is known. */
  currency: string | null
  /** Generations that may have been billed, or for an unknown amount. */
  unknown: number
}

const insert = prepareForEach<Insertable<SpendingTable>, InsertResult>((db, given, columns) =>
  db.insertInto('spending').values(pick(given, columns)),
)

type RowKey = { generation_id: string; config_id: string }

const settling = prepareForEach<Updateable<SpendingTable> & RowKey, UpdateResult>((db, given, columns) =>
  db
    .updateTable('spending')
    .set({ ...pick(given, columns), state: 'settled' })
    .where('generation_id', '=', given.generation_id)
    .where('config_id', '=', given.config_id),
)

/** `reading` answers what may take long. */
export function createSpendingRepository(db: Connection, reading = db) {
  return {
    /**
     * Whoever looks at totals in order to reserve calls this first, in the same transaction: others wait until it ends, so no two
     * see the same room.
     */
    async lock() {
      await sql`update counters set value = value + 1 where name = 'spending'`.execute(db)
    },

    async reserve(reservation: Reservation) {
      const row = {
        generation_id: reservation.generationId,
        timestamp: reservation.timestamp,
        token_id: reservation.spenderId,
        config_id: reservation.configId,
        model: reservation.model,
        state: 'reserved' as const,
        images: reservation.images,
        calls: reservation.calls,
        ...moneyColumns(reservation.cost),
        is_unknown: reservation.cost === null ? 1 : 0,
      }
      await insert(Object.keys(row)).run(db, row)
    },

    /** The share of that many images in what a generation reserved with a configuration; undefined when nothing is reserved there. */
    async partOf(generationId: string, configId: string, images: number): Promise<Part | undefined> {
      const row = await find(generationId, configId)
      if (!row) return undefined
      const isWhole = row.calls <= 1 || images >= row.images
      const amount = isWhole || row.amount === null ? row.amount : Math.round((row.amount * images) / row.images)
      return {
        generationId,
        timestamp: row.timestamp,
        spenderId: row.token_id,
        configId,
        model: row.model,
        images: isWhole ? row.images : images,
        calls: isWhole ? row.calls : 1,
        cost:
          amount === null || row.currency === null ? null : { amount: fromMillionths(amount), currency: row.currency },
        isWhole,
      }
    },

    /** Moves a part that was just read to another configuration. */
    async shift({ isWhole, ...part }: Part, to: string) {
      const { generationId, configId, images, calls } = part
      const amount = part.cost === null ? 0 : toMillionths(part.cost.amount)
      const added = (sign: 1 | -1) => ({
        images: sql<number>`images + ${sign * images}`,
        calls: sql<number>`calls + ${sign * calls}`,
        amount: sql<number | null>`amount + ${sign * amount}`,
      })
      if (isWhole) {
        await db
          .deleteFrom('spending')
          .where('generation_id', '=', generationId)
          .where('config_id', '=', configId)
          .execute()
      } else await updateRow(generationId, configId).set(added(-1)).execute()
      if (await find(generationId, to)) await updateRow(generationId, to).set(added(1)).execute()
      else await this.reserve({ ...part, configId: to })
    },

    /** Replaces the reservation by what was spent with a configuration; `keep`: leaves it, because the cost is unknown. */
    async settle(generationId: string, configId: string, spent: Spent | 'keep') {
      const values =
        spent === 'keep'
          ? { is_unknown: 1 }
          : {
              images: spent.images,
              calls: spent.calls,
              ...moneyColumns(spent.cost),
              is_unknown: spent.isUnknown ? 1 : 0,
            }
      await settling(Object.keys(values)).run(db, { ...values, generation_id: generationId, config_id: configId })
    },

    /** Spent and reserved in a period, by one owner, with one token, or with one configuration. */
    async totals(period: Period, by: SpentBy): Promise<Totals> {
      return toTotals(await sumSpending(db, period, by))
    },

    /** A row for each key and currency, in the order of the keys. */
    async usage(period: Period, group: UsageGroup, owner?: string): Promise<UsageRow[]> {
      const sums = await sumSpending(reading, period, { group, ownerId: owner })
      return sums.map(sum => ({
        ...sum,
        key: (group === 'token' || group === 'user') && sum.key === '' ? null : sum.key,
        amount: fromMillionths(sum.amount),
      }))
    },

    /** Compares all sums with their rows and makes those anew that differ. @returns how many days and months did */
    async mendSums(signal?: AbortSignal): Promise<number> {
      const days = await findWrongDays(reading, signal)
      for (const day of days) await inTransaction(db, transaction => recountDay(transaction, day))
      const months = await findWrongMonths(reading)
      for (const month of months) await inTransaction(db, transaction => recountMonth(transaction, month))
      return days.length + months.length
    },

    /** How many days and months have sums that are not those of their rows. */
    async countWrongSums(): Promise<number> {
      return (await findWrongDays(reading)).length + (await findWrongMonths(reading)).length
    },
  }

  function find(generationId: string, configId: string) {
    return db
      .selectFrom('spending')
      .selectAll()
      .where('generation_id', '=', generationId)
      .where('config_id', '=', configId)
      .executeTakeFirst()
  }

  function updateRow(generationId: string, configId: string) {
    return db.updateTable('spending').where('generation_id', '=', generationId).where('config_id', '=', configId)
  }
}

function moneyColumns(cost: Money | null) {
  return { amount: cost && toMillionths(cost.amount), currency: cost?.currency ?? null }
}
