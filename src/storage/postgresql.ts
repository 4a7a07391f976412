/** A PostgreSQL server: its connections, and the guard that keeps other servers out. */
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Database } from './database.ts'
import { checkWrite, migrate, type Prove } from './migrate.ts'
import { SealError } from './seal.ts'
import type { Tables } from './tables.ts'
import { DatabaseError } from './trouble.ts'

/** Held for the life of the process; any number that no other program on the database uses. */
const serverLock = 7_309_421_186
const guardPauseMs = 1000

export async function openPostgresql(url: string, prove: Prove): Promise<Database> {
  const int8 = 20
  const types = {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
  }
  const pool = new pg.Pool({ connectionString: url, types: types as pg.CustomTypesConfig, max: 10 })
  // An idle connection that the server closes must not end the process; the next query opens another.
  pool.on('error', () => {})
  // Two servers on one database would both send what waits. Whoever lost the guard to another must not write any more.
  const guard = createGuard(url, () => void pool.end())
  try {
    if (!(await guard.take())) {
      throw new DatabaseError(
        'Another server already works on this PostgreSQL database. Stop that one first, or use another database.',
      )
    }
    const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
    const seal = await prove(kysely)
    await migrate(kysely, seal)
    return {
      kind: 'postgresql',
      kysely,
      seal,
      check: () => checkWrite(kysely),
      async close() {
        await guard.leave()
        if (!pool.ending) await kysely.destroy()
      },
    }
  } catch (error) {
    await guard.leave()
    await pool.end().catch(() => {})
    if (error instanceof DatabaseError || error instanceof SealError) throw error
    const reason =
      error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error)
    const message = `PostgreSQL cannot be reached or refuses us (${reason}). Check DATABASE_URL: host, port, user, password and database name.`
    throw new DatabaseError(message, { cause: error })
  }
}

/** Keeps other servers out for as long as its connection lives, and comes back when the connection was cut. */
function createGuard(url: string, onLost: () => void) {
  let isLeaving = false
  let client: pg.Client | undefined
  let again: NodeJS.Timeout | undefined

  /** False: somebody else has it. Rejects when the database cannot be reached. */
  async function take(): Promise<boolean> {
    const next = new pg.Client({ connectionString: url })
    next.on('error', () => {})
    try {
      await next.connect()
      const { rows } = await next.query('select pg_try_advisory_lock($1) as held', [serverLock])
      if (!rows[0]?.held) {
        await next.end()
        return false
      }
    } catch (error) {
      await next.end().catch(() => {})
      throw error
    }
    client = next
    next.once('end', () => void comeBack())
    if (isLeaving) await next.end()
    return true
  }

  async function comeBack() {
    if (isLeaving) return
    try {
      if (!(await take())) onLost()
    } catch {
      // While the database is away nobody else can have it either.
      again = setTimeout(() => void comeBack(), guardPauseMs)
    }
  }

  return {
    take,
    async leave() {
      isLeaving = true
      clearTimeout(again)
      await client?.end().catch(() => {})
    },
  }
}
