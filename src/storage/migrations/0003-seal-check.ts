import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Seal } from '../secrets/seal.ts'
import { sealCheckName, sealedCheck } from '../secrets/seal-check.ts'

/** A sealed word that only the right SECRET_KEY opens, so that a wrong one is noticed before anything is done. */
export function sealCheck(seal: Seal): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('meta')
        .addColumn('name', 'text', column => column.primaryKey())
        .addColumn('value', 'text', column => column.notNull())
        .execute()
      const meta = (db as Kysely<{ meta: { name: string; value: string } }>).insertInto('meta')
      await meta.values({ name: sealCheckName, value: sealedCheck(seal) }).execute()
    },
  }
}
