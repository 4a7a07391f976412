/** What the rest of the program asks of the database: repositories to read and to keep what is not a generation, and the ledger. */
import { createCallRepository } from './calls.ts'
import { createConfigurationRepository } from './configurations.ts'
import type { Database } from './connection.ts'
import { createDayRepository } from './days.ts'
import { createDeliveryRepository } from './deliveries.ts'
import { createFingerprintRepository } from './fingerprints.ts'
import { createGenerationRepository } from './generations.ts'
import { createIdempotencyRepository } from './idempotency.ts'
import { createImageRepository } from './images.ts'
import { createImportRepository } from './imports.ts'
import { createLedger } from './ledger/ledger.ts'
import { createListedModelRepository } from './listed-models.ts'
import { createSessionSpendingRepository } from './session-spending.ts'
import { createSpendingRepository } from './spending.ts'
import { createTokenRepository } from './tokens.ts'
import { createUserRepository } from './users.ts'
import { createWebhookRepository } from './webhooks.ts'

export type Store = ReturnType<typeof createStore>

export function createStore(database: Parameters<typeof createLedger>[0] & Pick<Database, 'reading' | 'search'>) {
  const { kysely, reading, search, whenDurable = async () => {} } = database
  return {
    ...createLedger(database),
    /** Resolves when everything that is committed now survives a power cut. @throws DatabaseError when that is not certain */
    whenDurable,
    generations: createGenerationRepository(kysely, reading, search),
    calls: createCallRepository(kysely),
    days: createDayRepository(kysely),
    images: createImageRepository(kysely, reading),
    imports: createImportRepository(kysely),
    configurations: createConfigurationRepository(kysely),
    listedModels: createListedModelRepository(kysely),
    fingerprints: createFingerprintRepository(kysely),
    idempotency: createIdempotencyRepository(kysely),
    tokens: createTokenRepository(kysely),
    users: createUserRepository(kysely),
    webhooks: createWebhookRepository(kysely),
    deliveries: createDeliveryRepository(kysely),
    spending: createSpendingRepository(kysely, reading),
    sessionSpending: createSessionSpendingRepository(kysely),
  }
}
