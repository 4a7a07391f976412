/** All repositories over one database; in a transaction the same ones over its connection. */
import { createCallRepository } from './calls.ts'
import { createConfigurationRepository } from './configurations.ts'
import type { Connection, Database } from './database.ts'
import { createGenerationRepository } from './generations.ts'
import { createIdempotencyRepository } from './idempotency.ts'
import { createImageRepository } from './images.ts'
import { createSpendingRepository } from './spending.ts'
import { createTokenRepository } from './tokens.ts'

function createRepositories(connection: Connection) {
  return {
    generations: createGenerationRepository(connection),
    calls: createCallRepository(connection),
    images: createImageRepository(connection),
    configurations: createConfigurationRepository(connection),
    idempotency: createIdempotencyRepository(connection),
    tokens: createTokenRepository(connection),
    spending: createSpendingRepository(connection),
  }
}

export type Repositories = ReturnType<typeof createRepositories>

export interface Store extends Repositories {
  /** All or nothing. Nothing but queries may be awaited inside: on SQLite everyone else waits meanwhile. */
  transaction<T>(work: (repositories: Repositories) => Promise<T>): Promise<T>
}

export function createStore(database: Database): Store {
  return {
    ...createRepositories(database.kysely),
    transaction: work => database.kysely.transaction().execute(connection => work(createRepositories(connection))),
  }
}
