/** What makes `node:sqlite` fit for Kysely. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { SqliteAdapter, SqliteDialect } from 'kysely'
import type { DirectAdapter, OnStatement } from '../connection.ts'

export class TransactionalSqlite extends SqliteDialect {
  private readonly database: KyselyDatabase

  constructor(config: { database: KyselyDatabase }) {
    super(config)
    this.database = config.database
  }

  override createAdapter() {
    return new DirectSqliteAdapter(this.database)
  }
}

class DirectSqliteAdapter extends SqliteAdapter implements DirectAdapter {
  private readonly database: KyselyDatabase

  constructor(database: KyselyDatabase) {
    super()
    this.database = database
  }

  /** SQLite can change tables in a transaction. Kysely does not assume so, and a killed start would leave half a migration. */
  override get supportsTransactionalDdl() {
    return true
  }

  ask(text: string, parameters: readonly unknown[]) {
    const statement = this.database.prepare(text)
    if (statement.reader) return { rows: statement.all(parameters) }
    return { rows: [], numAffectedRows: BigInt(statement.run(parameters).changes) }
  }
}

type KyselyDatabase = ReturnType<typeof asKyselyDatabase>

/** Enough for every statement of this program, with room for lists of different lengths. */
const maxStatements = 250

/**
 * Kysely's SQLite dialect expects the interface of better-sqlite3. Statements are kept: to prepare one takes longer than most of them
 * run. `onWrite` is called before each that may change something.
 */
export function asKyselyDatabase(
  handle: DatabaseSync,
  { onStatement = () => {}, onWrite = () => {} }: { onStatement?: OnStatement; onWrite?(): void } = {},
) {
  const kept = new Map<string, ReturnType<typeof prepared>>()

  function prepared(text: string) {
    const statement = handle.prepare(text)
    return {
      reader: statement.columns().length > 0,
      writes: !readsOnly.test(text),
      all: (parameters: readonly unknown[]) =>
        statement.all(...(parameters as SQLInputValue[])).map(row => ({ ...row })),
      run: (parameters: readonly unknown[]) => statement.run(...(parameters as SQLInputValue[])),
      // A statement of its own, because it stays open between two rows.
      iterate: (parameters: readonly unknown[]) => handle.prepare(text).iterate(...(parameters as SQLInputValue[])),
    }
  }

  return {
    close: () => handle.close(),
    prepare(text: string) {
      onStatement(text)
      // SQLite rolls a transaction back automatically when the disk is full; the error of a second rollback would hide the cause.
      if (text === 'rollback' && !handle.isTransaction) return nothingToDo
      const statement = kept.get(text) ?? keep(text)
      if (statement.writes) onWrite()
      return statement
    },
  }

  function keep(text: string) {
    const [oldest] = kept.keys()
    if (oldest !== undefined && kept.size >= maxStatements) kept.delete(oldest)
    const statement = prepared(text)
    kept.set(text, statement)
    return statement
  }
}

const readsOnly = /^(select|begin|pragma)\b/i

const nothingToDo = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [].values(),
}
