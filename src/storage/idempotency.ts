/** Rows of `idempotency_keys`: which generation a client's key stands for. They outlive their generation. */
import type { Connection } from './connection.ts'
import { presentDay } from './days.ts'

export interface UsedKey {
  key: string
  bodyHash: string
  generationId: string
}

export function createIdempotencyRepository(db: Connection) {
  return {
    async find(key: string): Promise<UsedKey | undefined> {
      const row = await db.selectFrom('idempotency_keys').selectAll().where('key', '=', key).executeTakeFirst()
      return row && { key: row.key, bodyHash: row.body_hash, generationId: row.generation_id }
    },

    /** False when the key is already in use. */
    async insert(used: UsedKey, at: string): Promise<boolean> {
      const result = await db
        .insertInto('idempotency_keys')
        .values({
          key: used.key,
          body_hash: used.bodyHash,
          generation_id: used.generationId,
          created_at: at,
          day: presentDay,
        })
        .onConflict(conflict => conflict.column('key').doNothing())
        .executeTakeFirst()
      return Number(result.numInsertedOrUpdatedRows ?? 0) > 0
    },

    /** `before` is a day of `days.ts`. */
    async forget(before: number) {
      await db.deleteFrom('idempotency_keys').where('day', '<', before).execute()
    },
  }
}
