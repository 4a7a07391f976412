/** What an error of the database means. */
import { SentenceError } from '../operator/sentence-error.ts'

export class DatabaseError extends SentenceError {
  override name = 'DatabaseError'
}

/** Error for maintenance commands, which create no database. */
export function noDatabaseAt(file: string) {
  return new DatabaseError(
    `There is no database at ${file}. DATA_DIR and DATABASE_URL must be those of the server; those of the demo are set with DATA_DIR=demo-data.`,
    `${file} 没有数据库。DATA_DIR 和 DATABASE_URL 必须与服务器一致；演示模式请设置 DATA_DIR=demo-data。`,
  )
}

/** The connection to the database is lost or unusable; another may work. Uncommitted changes are lost. */
export class ConnectionBroken extends DatabaseError {
  override name = 'ConnectionBroken'
}

/**
 * The connection broke between COMMIT and its answer, or the disk did not confirm a commit, so the transaction may or may not count. The
 * caller has to check before it repeats anything that must not happen twice.
 */
export class CommitUnknown extends DatabaseError {
  override name = 'CommitUnknown'

  constructor(cause: unknown, [en, zh]: readonly [en: string, zh: string] = connectionLost) {
    super(en, zh, { cause })
  }
}

const connectionLost = [
  'The connection to the database was lost during a write, and it is not known yet whether the write took effect.',
  '写入时数据库连接中断，尚不清楚是否已写入。',
] as const

/**
 * Why a query failed, as a sentence, when that lies with the database and not with the query: its disk, a lock, a connection. The codes
 * are those of SQLite (sqlite.org/rescode.html) and of PostgreSQL (appendix A of its manual), 2026-11.
 */
export function databaseTrouble(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if (error instanceof DatabaseError) return error.message
  const { errcode, code } = error as { errcode?: unknown; code?: unknown }
  // The higher bytes hold the subtype.
  if (typeof errcode === 'number') return sqliteTroubles[errcode & 0xff]
  if (typeof code !== 'string' || code.length !== 5) return undefined
  return postgresqlTroubles.find(([form]) => form.test(code))?.[1]
}

/** Two transactions were in a deadlock, and this one was rolled back. */
export function isConflict(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '40001' || error.code === '40P01')
}

/** The row that this one refers to has just been deleted. */
export function isOrphan(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { errcode, code } = error as { errcode?: unknown; code?: unknown }
  return errcode === 787 || code === '23503'
}

const locked = 'The database is locked by another program. Close that program.'
const sqliteTroubles: Record<number, string> = {
  5: locked,
  6: locked,
  8: 'The database is read-only. Give this program write access to its file and its folder.',
  10: 'The disk of the database cannot be read or written. Check its free space and its health.',
  11: 'The database is damaged. Stop the server and restore a backup.',
  13: 'The disk of the database is full. Make room on it.',
  14: 'The file of the database cannot be opened. Check that its folder exists.',
}

const postgresqlTroubles: [RegExp, string][] = [
  [/^53100$/, 'The disk of the database is full. Make room on it.'],
  [/^53/, 'PostgreSQL has no connections or memory left. Raise its limits, or close other programs that use it.'],
  [/^(28|3D)/, 'PostgreSQL refuses this server. Check user, password and database name in DATABASE_URL.'],
  [/^(40|55P03$|57014$)/, 'The database was busy with something else for too long.'],
  [/^(58|XX)/, 'PostgreSQL cannot read or write its files. Check its log and its disk.'],
]

/** For the `catch` of a query: undefined where its table was never made. */
export function whenTableMissing(error: unknown): undefined {
  const isMissing =
    error instanceof Error && (/no such table/.test(error.message) || ('code' in error && error.code === '42P01'))
  if (!isMissing) throw error
}
