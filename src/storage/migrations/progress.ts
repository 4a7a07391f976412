/** What migrations share. */
import { type Kysely, PostgresAdapter, sql } from 'kysely'

/** A line for whoever waits for the start. */
export type Progress = (line: { en: string; zh: string }) => void

export function isPostgresql(db: Kysely<unknown>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter
}

/** A table without rows takes no time, so nobody has to be told of it. */
export async function hasRows(db: Kysely<unknown>, table: string): Promise<boolean> {
  const { rows } = await sql`select 1 from ${sql.table(table)} limit 1`.execute(db)
  return rows.length > 0
}
