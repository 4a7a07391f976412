/** A PostgreSQL server: its connections, and the guard that keeps other servers out. */
import { randomUUID } from 'node:crypto'
import {
  type Driver,
  Kysely,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  type PostgresPool,
} from 'kysely'
import pg from 'pg'
import type { Database, OpenOptions, ReadDatabase } from '../connection.ts'
import { checkWrite, migrate, mustBePresent, type Prove } from '../migrate.ts'
import { ownerName, takeOwnership } from '../ownership.ts'
import { SealError } from '../secrets/seal.ts'
import type { Tables } from '../tables.ts'
import { CommitUnknown, ConnectionBroken, DatabaseError } from '../trouble.ts'
import { createWordIndex } from './word-index.ts'

/** Lock id, held for the life of the process; any number that no other program on the database uses. */
const serverLock = 7_309_421_186
const guardPauseMs = 1000
const connectMs = 15_000
/** No query of ours takes this long, so the connection must be dead. `?query_timeout=` in DATABASE_URL overrides it, in ms. */
const queryTimeoutMs = 60_000

export async function openPostgresql(
  url: string,
  prove: Prove,
  { isTool = false, onProgress, onIndexTrouble = () => {} }: OpenOptions,
): Promise<Database> {
  const guard = createGuard(url)
  const pool = createPool(url)
  try {
    if (!(await guard.take())) {
      throw new DatabaseError(
        'Another server is already using this PostgreSQL database. Stop that one first, or use another database.',
        '另一台服务器正在使用这个 PostgreSQL 数据库。请先停止它，或换一个数据库。',
      )
    }
    const kysely = new Kysely<Tables>({ dialect: new CarefulPostgres({ pool: asKyselyPool(pool) }) })
    const seal = await prove(kysely)
    await migrateWithoutHaste(url, seal, onProgress)
    const owner = isTool ? '' : randomUUID()
    if (!isTool) {
      await takeOwnership(kysely, owner)
      guard.holdFor(owner)
    }
    const search = isTool ? undefined : createWordIndex(url, kysely, { onTrouble: onIndexTrouble })
    return {
      kind: 'postgresql',
      kysely,
      reading: kysely,
      search,
      seal,
      owner,
      // Only the database knows.
      mustBeOurs() {},
      // A commit waits for it, see `prepare`.
      async whenDurable() {},
      // It looks after its own files.
      async verify() {},
      check: () => checkWrite(kysely, owner),
      async close() {
        await search?.close()
        await guard.leave()
        await kysely.destroy()
      },
    }
  } catch (error) {
    await guard.leave()
    await pool.end().catch(() => {})
    throw openingError(error)
  }
}

/** Read-only, also beside a running server. */
export async function readPostgresql(url: string): Promise<ReadDatabase> {
  const guard = createGuard(url)
  const pool = createPool(url)
  try {
    const isAlone = await guard.take()
    const kysely = new Kysely<Tables>({ dialect: new CarefulPostgres({ pool: asKyselyPool(pool) }) })
    await mustBePresent(kysely)
    return {
      kind: 'postgresql',
      kysely,
      reading: kysely,
      isAlone,
      async close() {
        await guard.leave()
        await kysely.destroy()
      },
    }
  } catch (error) {
    await guard.leave()
    await pool.end().catch(() => {})
    throw openingError(error)
  }
}

function openingError(error: unknown) {
  if (error instanceof SealError || (error instanceof DatabaseError && !(error instanceof ConnectionBroken)))
    return error
  const cause = error instanceof ConnectionBroken ? error.cause : error
  const reason = cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : String(cause)
  return new DatabaseError(
    `PostgreSQL cannot be reached or refuses the connection (${reason}). Check DATABASE_URL: host, port, user, password and database name.`,
    `无法连接 PostgreSQL，或被拒绝（${reason}）。请检查 DATABASE_URL 中的主机、端口、用户、密码和数据库名。`,
    { cause },
  )
}

// ── Connections ─────────────────────────────────────────────────────────────────────────────────────────────────────

function createPool(url: string, options: pg.PoolConfig = { query_timeout: queryTimeoutMs }) {
  const int8 = 20
  const types = {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
  }
  const pool = new pg.Pool({
    connectionString: url,
    types: types as pg.CustomTypesConfig,
    max: 10,
    keepAlive: true,
    connectionTimeoutMillis: connectMs,
    onConnect: prepare,
    ...options,
  })
  // An idle connection that the server closes must not end the process; the next query opens another.
  pool.on('error', () => {})
  // Nor may one that is in use: its query fails, and the caller gets the error.
  pool.on('connect', client => void client.on('error', () => {}))
  return pool
}

/** @throws what makes this connection useless */
async function prepare(client: pg.ClientBase) {
  // A step of the ledger that was committed survives a crash of PostgreSQL, whatever its settings say. A transaction whose server is cut
  // off holds its rows no longer than a minute.
  await client.query(`select
    case when current_setting('synchronous_commit') = 'off' then set_config('synchronous_commit', 'on', false) end,
    set_config('idle_in_transaction_session_timeout', '60s', false)`)
}

/** To change a large table may take long. */
async function migrateWithoutHaste(url: string, seal: Database['seal'], onProgress: OpenOptions['onProgress']) {
  const pool = createPool(url, { max: 1, query_timeout: 0 })
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  try {
    await migrate(kysely, seal, onProgress)
  } finally {
    await kysely.destroy()
  }
}

/** Distinguishes a broken connection from a failed query, and leaves no broken one in the pool. */
function asKyselyPool(pool: pg.Pool): PostgresPool {
  async function connected() {
    try {
      return await pool.connect()
    } catch (error) {
      throw asBroken(error) ?? error
    }
  }

  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      let client = await connected()
      let isBroken = false
      let isInTransaction = false

      async function ask(text: string, parameters: readonly unknown[]) {
        try {
          return await client.query(text, [...parameters])
        } catch (error) {
          const broken = asBroken(error)
          if (!broken) throw error
          isBroken = true
          // A connection that does not answer in time is still busy with the query.
          void client.end().catch(() => {})
          throw broken
        }
      }

      async function query(text: string, parameters: readonly unknown[]) {
        isInTransaction ||= text === 'begin'
        try {
          return await ask(text, parameters)
        } catch (error) {
          // A question that went down with its connection is asked once more on another.
          if (!isBroken || isInTransaction || !text.startsWith('select')) throw error
          const next = await connected()
          client.release(true)
          client = next
          isBroken = false
          return ask(text, parameters)
        }
      }

      const release = (isDiscarded?: boolean) => client.release(isBroken || isDiscarded === true)
      return { query: query as never, release }
    },
  }
}

/** Transactions whose outcome is known, or known to be unknown. */
class CarefulPostgres extends PostgresDialect {
  readonly #config: PostgresDialectConfig

  constructor(config: PostgresDialectConfig) {
    super(config)
    this.#config = config
  }

  override createDriver(): Driver {
    return new CarefulDriver(this.#config)
  }
}

class CarefulDriver extends PostgresDriver {
  override async commitTransaction(connection: Parameters<PostgresDriver['commitTransaction']>[0]) {
    try {
      await super.commitTransaction(connection)
    } catch (error) {
      throw error instanceof ConnectionBroken ? new CommitUnknown(error) : error
    }
  }

  override async rollbackTransaction(connection: Parameters<PostgresDriver['rollbackTransaction']>[0]) {
    // PostgreSQL rolls back automatically when a connection breaks; the error of a second rollback would hide the cause.
    await super.rollbackTransaction(connection).catch(error => {
      if (!(error instanceof ConnectionBroken)) throw error
    })
  }
}

function asBroken(error: unknown): ConnectionBroken | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as { code?: unknown }
  if (code === '25006') return new ConnectionBroken(...isStandby, { cause: error })
  const isBroken = typeof code === 'string' ? brokenCodes.test(code) : brokenWords.test(error.message)
  return isBroken ? new ConnectionBroken(...isAway, { cause: error }) : undefined
}

const isAway = [
  'The database does not answer. Check that PostgreSQL is running.',
  '数据库没有响应。请检查 PostgreSQL 是否在运行。',
] as const
const isStandby = [
  'PostgreSQL is read-only, as a standby is. Check whether it is failing over, and whether DATABASE_URL leads to the primary.',
  'PostgreSQL 处于只读状态（备库）。请检查是否正在切换，以及 DATABASE_URL 是否指向主库。',
] as const

/**
 * Class 08 is the connection; 57P01 to 57P05 a server that stops, crashed, starts, dropped the database or had enough of an idle
 * connection; 25P03 a transaction that stood still too long; then those of the operating system (libuv).
 */
const brokenCodes =
  /^(08...|57P0[1-5]|25P03|ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN)$/
/** Messages of the driver that have no code (pg 8.23). */
const brokenWords =
  /^(Connection terminated|Client has encountered a connection error|Client was closed and is not queryable|Query read timeout|timeout e)/

// ── Guard ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Keeps other servers out for as long as its connection lives, and comes back when the connection was cut. That somebody else has it then
 * may be our own former connection, of which PostgreSQL does not know yet that it was cut: who owns the database tells its row alone.
 */
function createGuard(url: string) {
  let owner: string | undefined
  let isLeaving = false
  let client: pg.Client | undefined
  let again: NodeJS.Timeout | undefined

  /** False: another process holds it. Rejects when the database cannot be reached. */
  async function take(): Promise<boolean> {
    const next = new pg.Client({ connectionString: url, keepAlive: true, connectionTimeoutMillis: connectMs })
    next.on('error', () => {})
    try {
      await next.connect()
      if (!(await isStillOurs(next))) isLeaving = true
      const { rows } = await next.query('select pg_try_advisory_lock($1) as held', [serverLock])
      if (isLeaving || !rows[0]?.held) {
        await next.end()
        return false
      }
    } catch (error) {
      await next.end().catch(() => {})
      throw error
    }
    client = next
    next.once('end', () => void comeBack())
    return true
  }

  /** The other process may stop and start as often as it likes. */
  async function isStillOurs(next: pg.Client) {
    if (owner === undefined) return true
    const { rows } = await next.query('select value from meta where name = $1', [ownerName])
    return rows[0]?.value === owner
  }

  async function comeBack() {
    if (isLeaving) return
    const isTaken = await take().catch(() => false)
    if (!isTaken && !isLeaving) again = setTimeout(() => void comeBack(), guardPauseMs)
  }

  return {
    take,
    /** Reconnects to take it again. */
    holdFor(id: string) {
      owner = id
    },
    async leave() {
      isLeaving = true
      clearTimeout(again)
      await client?.end().catch(() => {})
    },
  }
}
