/** Opens the database. The two dialects show only in `sqlite/`, `postgresql/`, the migrations and `trouble.ts`. */

import type { Kysely } from 'kysely'
import type { Database, OpenOptions, ReadDatabase } from './connection.ts'
import type { Seal } from './secrets/seal.ts'
import { provenSeal, type SealCandidate } from './secrets/seal-check.ts'
import { openSqlite, readSqlite } from './sqlite/sqlite.ts'
import type { Tables } from './tables.ts'

export type DatabaseLocation = { kind: 'sqlite'; path: string } | { kind: 'postgresql'; url: string }

/**
 * Opens the database, keeps other processes out, and brings it to the present form; a copy is kept before a change.
 * Among several seals, the one is taken that opens the sealed keys; with `anySeal` the first, whatever they were sealed with.
 * With `isTool` the database must exist: a maintenance command creates none.
 * @throws DatabaseError with one sentence for people when it cannot be opened, is in use, or is damaged. SealError when none of the
 * seals is the right one; nothing was changed then.
 */
export async function openDatabase(
  location: DatabaseLocation,
  seals: Seal | readonly [SealCandidate, ...SealCandidate[]],
  { anySeal = false, ...options }: OpenOptions & { anySeal?: boolean } = {},
): Promise<Database> {
  const candidates: readonly [SealCandidate, ...SealCandidate[]] =
    'keyId' in seals ? [{ seal: seals, keep() {} }] : seals
  const prove = async (kysely: Kysely<Tables>) => {
    const proven = anySeal ? candidates[0] : await provenSeal(kysely, candidates)
    proven.keep()
    return proven.seal
  }
  if (location.kind === 'sqlite') return openSqlite(location.path, prove, options)
  const { openPostgresql } = await import('./postgresql/postgresql.ts')
  return openPostgresql(location.url, prove, options)
}

/**
 * Opens the database to look at it, also while a server works on it, and whatever its keys are sealed with.
 * @throws DatabaseError when it is not there, damaged, out of reach, or of another version of this program
 */
export async function readDatabase(location: DatabaseLocation): Promise<ReadDatabase> {
  if (location.kind === 'sqlite') return readSqlite(location.path)
  const { readPostgresql } = await import('./postgresql/postgresql.ts')
  return readPostgresql(location.url)
}
