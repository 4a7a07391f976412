/** All repositories over one database; in a transaction the same ones over its connection. */
import { createCallRepository } from './calls.ts'
import { createConfigurationRepository } from './configurations.ts'
import type { Connection, Database } from './database.ts'
import { createGenerationRepository } from './generations.ts'
import { createIdempotencyRepository } from './idempotency.ts'
import { createImageRepository } from './images.ts'
import { createSpendingRepository } from './spending.ts'
import { createTokenRepository } from './tokens.ts'
import { ConnectionBroken, isConflict } from './trouble.ts'

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
  /**
   * All or nothing. Nothing but queries may be awaited inside: on SQLite everyone else waits meanwhile. The work is done again where it
   * is certain that nothing of it counts: a connection that broke, two transactions in each other's way.
   * @throws CommitUnknown when nobody knows whether it counts
   */
  transaction<T>(work: (repositories: Repositories) => Promise<T>): Promise<T>
}

/** More are broken at once where a whole pool of connections was cut, which is noticed at the next turn of the event loop. */
const maxTries = 3

export function createStore(database: Pick<Database, 'kysely'>): Store {
  return {
    ...createRepositories(database.kysely),
    async transaction(work) {
      for (let tries = 1; ; tries++) {
        try {
          return await database.kysely.transaction().execute(connection => work(createRepositories(connection)))
        } catch (error) {
          const isUndone = error instanceof ConnectionBroken || isConflict(error)
          if (!isUndone || tries >= maxTries) throw error
        }
      }
    },
  }
}
