/** All repositories over one database; in a transaction the same ones over its connection. */
import { createCallRepository } from './calls.ts'
import { createConfigurationRepository } from './configurations.ts'
import type { Connection, Database } from './connection.ts'
import { createDayRepository } from './days.ts'
import { createGenerationRepository } from './generations.ts'
import { createIdempotencyRepository } from './idempotency.ts'
import { createImageRepository } from './images.ts'
import { createListedModelRepository } from './listed-models.ts'
import { isOwner, OwnershipLost } from './ownership.ts'
import { createSpendingRepository } from './spending.ts'
import { createTokenRepository } from './tokens.ts'
import { ConnectionBroken, isConflict } from './trouble.ts'

function createRepositories(connection: Connection) {
  return {
    generations: createGenerationRepository(connection),
    calls: createCallRepository(connection),
    days: createDayRepository(connection),
    images: createImageRepository(connection),
    configurations: createConfigurationRepository(connection),
    listedModels: createListedModelRepository(connection),
    idempotency: createIdempotencyRepository(connection),
    tokens: createTokenRepository(connection),
    spending: createSpendingRepository(connection),
  }
}

export type Repositories = ReturnType<typeof createRepositories>

export interface Store extends Repositories {
  /**
   * All or nothing. Only queries may be awaited inside, because on SQLite everyone else waits meanwhile. The work is repeated if it
   * certainly was not committed: after a broken connection or a deadlock.
   * @throws CommitUnknown when it is unknown whether it was committed
   */
  transaction<T>(work: (repositories: Repositories) => Promise<T>): Promise<T>
  /** The same for what only the owner of the database may do, such as sending paid requests. @throws OwnershipLost */
  asOwner<T>(work: (repositories: Repositories) => Promise<T>): Promise<T>
  /** False once it has shown that another server has the database, or that its file is not the one that was opened. */
  isOurs(): boolean
}

/** More are broken at once where a whole pool of connections was cut, which is noticed at the next turn of the event loop. */
const maxTries = 3

export function createStore(
  database: Pick<Database, 'kysely'> & Partial<Pick<Database, 'owner' | 'mustBeOurs'>>,
): Store {
  let isLost = false

  async function transaction<T>(work: (repositories: Repositories, connection: Connection) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await database.kysely
          .transaction()
          .execute(connection => work(createRepositories(connection), connection))
      } catch (error) {
        const isUndone = error instanceof ConnectionBroken || isConflict(error)
        if (!isUndone || tries >= maxTries) throw error
      }
    }
  }

  /** After losing the database once, this process may have missed changes. */
  async function mustOwn(connection: Connection) {
    isLost ||= !(database.owner && (await isOwner(connection, database.owner)))
    if (isLost) throw new OwnershipLost()
  }

  return {
    ...createRepositories(database.kysely),
    transaction,
    async asOwner(work) {
      database.mustBeOurs?.()
      return transaction(async (repositories, connection) => {
        await mustOwn(connection)
        return work(repositories)
      })
    },
    isOurs() {
      try {
        database.mustBeOurs?.()
        return !isLost
      } catch {
        return false
      }
    },
  }
}
