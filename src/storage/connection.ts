/** What an open database is to the rest of storage. */
import type { Kysely, Transaction } from 'kysely'
import type { WordSearch } from './history-filter.ts'
import type { Progress } from './migrations/progress.ts'
import type { Seal } from './secrets/seal.ts'
import type { SyncFile } from './sqlite/journal.ts'
import type { Tables } from './tables.ts'

export interface Database {
  kind: 'sqlite' | 'postgresql'
  kysely: Kysely<Tables>
  /** Connection for queries that may take long and change nothing: they never run on the event loop. It sees what was committed before. */
  reading: Kysely<Tables>
  /** Undefined where the database searches words by its own indexes. */
  search?: WordSearch
  /** The one that its keys are sealed with. */
  seal: Seal
  /** The owner id that this process wrote into it; empty for a tool, which never owns it. See `ownership.ts`. */
  owner: string
  /** Checks that the file and the lock that were opened are still those of the database. @throws OwnershipLost when they are not */
  mustBeOurs(): void
  /**
   * Resolves when everything that is committed now survives a power cut; at once where a commit itself waits for that.
   * @throws DatabaseError when that is not certain
   */
  whenDurable(): Promise<void>
  /**
   * Reads all of it, off the event loop, unless that was done when it was opened. @throws DatabaseError when it is damaged; from then on
   * `mustBeOurs` and `check` throw it too
   */
  verify(): Promise<void>
  /** Path of the copy that was made before a migration, if any. */
  backupPath?: string
  /** Proves that the database answers, can write, and is ours. */
  check(): Promise<void>
  close(): Promise<void>
}

/** What the adapter of a dialect may offer beside Kysely's own members. */
export interface DirectAdapter {
  /** Asks within the open transaction, at once. Absent where a question takes a way to a server. */
  ask?(text: string, parameters: readonly unknown[]): { rows: unknown[]; numAffectedRows?: bigint }
}

/** Called with every statement that SQLite is given, transactions and commits included. */
export type OnStatement = (text: string) => void

export interface OpenOptions {
  /** The database must exist: a maintenance command creates none, and never owns it. */
  isTool?: boolean
  onStatement?: OnStatement
  /** Syncs the journal of the embedded database, instead of the system. */
  syncJournal?: SyncFile
  /** Told how far a migration is that takes long. */
  onProgress?: Progress
  /** Told when the index of words is of no use; searches are slower until it is made again. */
  onIndexTrouble?(error: unknown): void
  /** Reads and makes checkpoints on the event loop too, so that everything happens in one order. */
  isReadInline?: boolean
}

/** A read-only connection. */
export interface ReadDatabase extends Pick<Database, 'kind' | 'kysely' | 'reading' | 'close'> {
  /** No server uses it, and none can start until it is closed. */
  isAlone: boolean
}

export type Connection = Kysely<Tables> | Transaction<Tables>
