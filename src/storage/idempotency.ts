/** Rows of `idempotency_keys`: which generation a client's key stands for. They outlive their generation. */
import type { Insertable } from 'kysely'
import type { Connection } from './connection.ts'
import { presentDay } from './days.ts'
import { prepare } from './prepared.ts'
import type { IdempotencyKeysTable } from './tables.ts'

export interface UsedKey {
  key: string
  bodyHash: string
  generationId: string
}

const byKey = prepare((db, given: { key: string }) =>
  db.selectFrom('idempotency_keys').selectAll().where('key', '=', given.key),
)

const insert = prepare((db, given: Omit<Insertable<IdempotencyKeysTable>, 'day'>) =>
  db
    .insertInto('idempotency_keys')
    .values({
      key: given.key,
      body_hash: given.body_hash,
      generation_id: given.generation_id,
      created_at: given.created_at,
      day: presentDay,
    })
    .onConflict(conflict => conflict.column('key').doNothing()),
)

export function createIdempotencyRepository(db: Connection) {
  return {
    async find(key: string): Promise<UsedKey | undefined> {
      const row = await byKey.first(db, { key })
      return row && { key: row.key, bodyHash: row.body_hash, generationId: row.generation_id }
    },

    /** False when the key is already in use. */
    async insert(used: UsedKey, at: string): Promise<boolean> {
      const inserted = await insert.run(db, {
        key: used.key,
        body_hash: used.bodyHash,
        generation_id: used.generationId,
        created_at: at,
      })
      return inserted > 0
    },

    /** `before` is a day of `days.ts`. */
    async forget(before: number) {
      await db.deleteFrom('idempotency_keys').where('day', '<', before).execute()
    },
  }
}
