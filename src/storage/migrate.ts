/** What both dialects do when they are opened. */
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { type Kysely, sql } from 'kysely'
import { migrationNames } from './migrations/names.ts'
import type { Progress } from './migrations/progress.ts'
import { isOwner, OwnershipLost } from './ownership.ts'
import type { Seal } from './secrets/seal.ts'
import type { Tables } from './tables.ts'
import { DatabaseError, whenTableMissing } from './trouble.ts'

/** Finds the secret with which the keys of the database were sealed. */
export type Prove = (kysely: Kysely<Tables>) => Promise<Seal>

/** For read-only access. @throws DatabaseError when the tables are of another version of this program */
export async function mustBePresent(kysely: Kysely<Tables>) {
  if (await isPresent(kysely)) return
  throw new DatabaseError(
    'The database belongs to an earlier version of this program. Start the server once to upgrade it, then run this again.',
    '数据库属于本程序的较早版本。请先启动一次服务器完成升级，再重新执行。',
  )
}

/** Brings the tables to the present form, all or nothing. `copy` is called before a change. @returns what it returned */
export async function migrate(
  kysely: Kysely<Tables>,
  seal: Seal,
  progress: Progress | undefined,
  copy?: () => Promise<string>,
) {
  if (await isPresent(kysely)) return undefined
  const migrator = await createMigrator(kysely, seal, progress)
  const backupPath = await copy?.()
  const { error } = await migrator.migrateToLatest()
  if (error) {
    // The migration was one transaction, so the database is unchanged; without this, repeated starts would pile up copies.
    if (backupPath) rmSync(backupPath, { force: true })
    const reason = error instanceof Error ? error.message : String(error)
    throw new DatabaseError(
      `The database could not be upgraded (${reason}). Nothing was changed.`,
      `数据库升级失败（${reason}）。没有做任何改动。`,
      { cause: error },
    )
  }
  return backupPath
}

/** Have all migrations been made? @throws DatabaseError when there are others, whose tables this version does not know */
async function isPresent(kysely: Kysely<Tables>) {
  const rows = await sql<{ name: string }>`select name from kysely_migration`.execute(kysely).catch(whenTableMissing)
  const made = new Set(rows?.rows.map(({ name }) => name))
  const known: ReadonlySet<string> = new Set(migrationNames)
  if (![...made].every(name => known.has(name))) {
    throw new DatabaseError(
      'The database belongs to a newer version of this program. Nothing was changed. Start that version, or go back to the copy that it kept beside the database when it upgraded it (docs/operating.md says how).',
      '数据库属于本程序的较新版本，没有做任何改动。请启动新版本，或退回升级时留在旁边的副本（做法见 docs/operating.zh-CN.md）。',
    )
  }
  return migrationNames.every(name => made.has(name))
}

async function createMigrator(kysely: Kysely<Tables>, seal: Seal, progress?: Progress) {
  const [{ Migrator }, { createMigrations }] = await Promise.all([
    import('kysely/migration'),
    import('./migrations/index.ts'),
  ])
  const migrations = createMigrations(seal, progress)
  return new Migrator({ db: kysely, provider: { getMigrations: async () => migrations } })
}

/** Proves that the database answers, can write, and belongs to this owner, unless that is empty. @throws OwnershipLost */
export async function checkWrite(kysely: Kysely<Tables>, owner: string) {
  // A new value each time, even twice in a millisecond: an unchanged value would not be written.
  const value = `${new Date().toISOString()} ${randomUUID()}`
  await kysely
    .insertInto('meta')
    .values({ name: 'last-check', value })
    .onConflict(conflict => conflict.column('name').doUpdateSet({ value }))
    .execute()
  if (owner !== '' && !(await isOwner(kysely, owner))) throw new OwnershipLost()
}
