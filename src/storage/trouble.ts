/** What an error of the database means. */

/** One sentence for people. */
export class DatabaseError extends Error {
  override name = 'DatabaseError'
}

/**
 * Why a query failed, as a sentence, when that lies with the database and not with the query: its disk, a lock, a connection. The codes
 * are those of SQLite (sqlite.org/rescode.html) and of PostgreSQL (appendix A of its manual), 2026-11.
 */
export function databaseTrouble(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if (/pool after calling end/.test(error.message)) return takenOver
  const { errcode, code } = error as { errcode?: unknown; code?: unknown }
  // Above the lowest byte stands which kind of it.
  if (typeof errcode === 'number') return sqliteTroubles[errcode & 0xff]
  if (typeof code !== 'string') return undefined
  if (code === '53100') return 'The disk of the database is full. Make room on it.'
  const isAway = /^(08|57P0)/.test(code) || ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'].includes(code)
  return isAway ? 'The database does not answer. Look whether PostgreSQL runs.' : undefined
}

const takenOver = 'Another server has taken over this database. Stop one of the two, and start the other again.'
const locked = 'The database is locked by another program. Close that program.'
const sqliteTroubles: Record<number, string> = {
  5: locked,
  6: locked,
  8: 'The database is read-only. Give this program the right to its file and its folder.',
  10: 'The disk of the database cannot be read or written. Look whether it is full, and at its health.',
  11: 'The database is damaged. Stop the server and restore a backup.',
  13: 'The disk of the database is full. Make room on it.',
  14: 'The file of the database cannot be opened. Look whether its folder is there.',
}
