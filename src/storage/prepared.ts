/**
 * Queries that are compiled once: to build and to compile one takes longer than most of them run. Written like any other query, with values
 * that come from `given` alone; they may be handed on, but not looked at, because they are known only when it is asked.
 */
import type { Compilable, CompiledQuery, DialectAdapter, QueryResult } from 'kysely'
import type { Connection, DirectAdapter } from './connection.ts'

class GivenValue {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  [Symbol.toPrimitive](): never {
    throw new Error(`the value of "${this.name}" is not known while its query is built`)
  }
}

const givenValues = new Proxy({}, { get: (_, name) => new GivenValue(String(name)) })

export interface Prepared<Given, Row> {
  rows(db: Connection, given: Given): Promise<Row[]>
  first(db: Connection, given: Given): Promise<Row | undefined>
  /** How many rows it has changed. */
  run(db: Connection, given: Given): Promise<number>
}

export function prepare<Given extends object, Row>(
  build: (db: Connection, given: Given) => Compilable<Row>,
): Prepared<Given, Row> {
  // Compiled queries by dialect: each has a class of adapters, with one for each connection.
  const compiled = new WeakMap<object, CompiledQuery<Row>>()

  function ask(db: Connection, given: Given): QueryResult<Row> | Promise<QueryResult<Row>> {
    const adapter: DialectAdapter & DirectAdapter = db.getExecutor().adapter
    let query = compiled.get(adapter.constructor)
    if (!query) {
      query = build(db, givenValues as Given).compile()
      compiled.set(adapter.constructor, query)
    }
    const values = given as Record<string, unknown>
    const parameters = query.parameters.map(value => (value instanceof GivenValue ? values[value.name] : value))
    // Outside of a transaction it has to wait for that of somebody else.
    if (adapter.ask && db.isTransaction) return adapter.ask(query.sql, parameters) as QueryResult<Row>
    return db.executeQuery<Row>({ ...query, parameters })
  }

  return {
    rows: async (db, given) => (await ask(db, given)).rows,
    first: async (db, given) => (await ask(db, given)).rows[0],
    run: async (db, given) => Number((await ask(db, given)).numAffectedRows ?? 0),
  }
}

/** Prepares a query for each list of columns. */
export function prepareForEach<Given extends object, Row>(
  build: (db: Connection, given: Given, columns: readonly string[]) => Compilable<Row>,
) {
  const prepared = new Map<string, Prepared<Given, Row>>()
  return (columns: readonly string[]): Prepared<Given, Row> => {
    const key = columns.join()
    const known = prepared.get(key)
    if (known) return known
    const made = prepare<Given, Row>((db, given) => build(db, given, columns))
    prepared.set(key, made)
    return made
  }
}

/** The columns of a row that is given. */
export function pick<Given extends object>(given: Given, columns: readonly string[]): Given {
  const values = given as Record<string, unknown>
  return Object.fromEntries(columns.map(name => [name, values[name]])) as Given
}
