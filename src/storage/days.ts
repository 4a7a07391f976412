/**
 * The days that a database has seen, counted. What is kept for some days is kept by this count and not by a clock: one that was years
 * behind and is put right makes everything old at once.
 */
import { sql } from 'kysely'
import type { Connection } from './connection.ts'
import { inTransaction } from './transaction.ts'

const name = 'last-day'
const orphanedName = 'strange-answers'

/** The value of the column `day` in a new row. */
export const presentDay = sql<number>`(select value from counters where name = 'day')`

export function createDayRepository(db: Connection) {
  return {
    /**
     * Counts a day when its date is later than any before, or when this process has run for a whole day, whatever the clock says.
     * @param date such as `2026-11-27` @returns the number of the present day
     */
    see(date: string, hasDayPassed: boolean): Promise<{ day: number; isNew: boolean }> {
      return inTransaction(db, async transaction => {
        const last = await transaction.selectFrom('meta').select('value').where('name', '=', name).executeTakeFirst()
        const isNew = last !== undefined && (date > last.value || hasDayPassed)
        if (last === undefined || isNew) {
          await transaction
            .insertInto('meta')
            .values({ name, value: date })
            .onConflict(conflict => conflict.column('name').doUpdateSet({ value: date }))
            .execute()
        }
        const row = await transaction
          .updateTable('counters')
          .set(({ eb }) => ({ value: eb('value', '+', isNew ? 1 : 0) }))
          .where('name', '=', 'day')
          .returning('value')
          .executeTakeFirstOrThrow()
        return { day: Number(row.value), isNew }
      })
    },

    async present(): Promise<number> {
      const row = await db.selectFrom('counters').select('value').where('name', '=', 'day').executeTakeFirstOrThrow()
      return Number(row.value)
    },

    /** The day on which orphaned answer files were first seen. */
    async orphanedSince(): Promise<Map<string, number>> {
      const row = await db.selectFrom('meta').select('value').where('name', '=', orphanedName).executeTakeFirst()
      return new Map(Object.entries(JSON.parse(row?.value ?? '{}') as Record<string, number>))
    },

    /** All that are there now. */
    async noteOrphaned(names: readonly string[]) {
      const [day, since] = [await this.present(), await this.orphanedSince()]
      const value = JSON.stringify(Object.fromEntries(names.map(name => [name, since.get(name) ?? day])))
      await db
        .insertInto('meta')
        .values({ name: orphanedName, value })
        .onConflict(conflict => conflict.column('name').doUpdateSet({ value }))
        .execute()
    },
  }
}
