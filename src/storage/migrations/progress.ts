/** What migrations share. */
import { type Kysely, PostgresAdapter } from 'kysely'

/** A line for whoever waits for the start. */
export type Progress = (line: { en: string; zh: string }) => void

export function isPostgresql(db: Kysely<unknown>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter
}
