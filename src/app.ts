/** Puts the parts together. Whatever is opened here is closed here, in reverse. */
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { createCollector } from './generation/collect.ts'
import { createConfigurations } from './generation/configurations.ts'
import { createDoorbell } from './generation/events.ts'
import { createGenerations } from './generation/generations.ts'
import { createImages, createReferences, sweepReferences } from './generation/images.ts'
import { createPauses } from './generation/pauses.ts'
import { createRunner } from './generation/run.ts'
import type { Services } from './generation/services.ts'
import { createStatus } from './generation/status.ts'
import { createThumbnails } from './generation/thumbnails.ts'
import { createHttp } from './providers/http.ts'
import type { ProviderId } from './providers/index.ts'
import { addressOf, loginLink } from './server/access.ts'
import { createServer } from './server/app.ts'
import { type Settings, SettingsError } from './settings.ts'
import { createAnswers } from './storage/answers.ts'
import { openDatabase } from './storage/database.ts'
import { createFolderFiles } from './storage/files.ts'
import { createSeal, readSecret } from './storage/seal.ts'
import { createStore, type Store } from './storage/store.ts'

export interface App {
  server: FastifyInstance
  services: Services
  store: Store
  /** Where a copy of the database was put before it was changed, if it was. */
  backupPath: string | undefined
  /** Begins to answer, and goes on with what a former process left unfinished. */
  listen(): Promise<Listening>
  /** Ends well: nothing new is sent, what cannot be asked for again gets its time, everything else waits for the next start. */
  close(): Promise<void>
}

export interface Listening {
  /** Where the server is, without a slash at the end. */
  address: string
  /** What to open in a browser; logs in by itself where a token is needed. */
  link: string
}

export interface Overrides {
  /** Shortens every pause and time limit alike. */
  timeScale?: number
}

const hourMs = 3600 * 1000
/** Promised are 48 hours. */
const idempotencyLifeMs = 7 * 24 * hourMs
const removalLifeMs = 7 * 24 * hourMs

/** @throws DatabaseError, StorageError, SettingsError: one sentence for people each. */
export async function createApp(settings: Settings, log: Logger, overrides: Overrides = {}): Promise<App> {
  const secret = readSecret(settings.dataDir, settings.secretKey)
  const seal = createSeal(secret)
  const files = await openFiles(settings)
  const database = await openDatabase(settings.database, seal)
  const store = createStore(database)
  const pauses = createPauses(overrides.timeScale)
  const doorbell = createDoorbell()
  const closing = new AbortController()
  const { doubao, qwen } = settings.providerUrls
  const http = createHttp({
    allowedHosts: settings.allowedHosts,
    allowedOrigins: [doubao, qwen].map(url => new URL(url).origin),
  })
  const answers = createAnswers(path.join(settings.dataDir, 'answers'))
  const environmentKeys = Object.entries(settings.environmentKeys) as [ProviderId, string | undefined][]
  const configurations = createConfigurations({
    store,
    seal,
    http,
    fromEnvironment: environmentKeys.flatMap(([provider, apiKey]) => (apiKey ? [{ provider, apiKey }] : [])),
    baseUrls: { doubao, qwen },
    timeoutMs: pauses.scaled(20_000),
  })
  const thumbnails = createThumbnails(files)
  const shrinking = new Set<Promise<unknown>>()
  const collector = createCollector({
    ...{ store, files, http, doorbell, pauses },
    onStored(image) {
      const made = thumbnails
        .get(image)
        .catch(error => log.warn({ image: image.id, err: error }, 'no thumbnail could be made'))
        .finally(() => shrinking.delete(made))
      shrinking.add(made)
    },
  })
  const runner = createRunner({ store, files, answers, http, configurations, collector, doorbell, pauses, log })
  const services: Services = {
    generations: createGenerations({
      ...{ store, files, configurations, runner, doorbell, pauses, closing: closing.signal },
      references: createReferences({ store, files, http }),
      removeAnswer: name => answers.remove(name),
    }),
    images: createImages({ store, files, http, thumbnails }),
    configurations,
    status: createStatus({ database, store, files, configurations, runner, storageKind: settings.storage.kind }),
  }
  const server = await createServer({ settings, services, log })
  const housekeeping = setInterval(() => void tidy(), hourMs).unref()

  async function tidy() {
    try {
      await files.sweep(hourMs)
      await sweepReferences({ store, files })
      await store.idempotency.forget(new Date(Date.now() - idempotencyLifeMs).toISOString())
      await store.generations.forgetRemovals(new Date(Date.now() - removalLifeMs).toISOString())
    } catch (error) {
      log.error({ err: error }, 'tidying up failed')
    }
  }

  return {
    server,
    services,
    store,
    backupPath: database.backupPath,
    async listen() {
      // Nobody else writes here yet: whatever is half written was left by a process that died.
      await files.sweep()
      await tidy()
      await server.listen({ host: settings.host, port: settings.port })
      await runner.resume()
      const { port } = server.server.address() as AddressInfo
      return { address: addressOf(settings, port), link: loginLink(settings, port) }
    },
    async close() {
      clearInterval(housekeeping)
      const closed = server.close()
      await runner.stop(settings.drainSeconds * 1000)
      closing.abort()
      await closed
      await http.close()
      await Promise.all(shrinking)
      await database.close()
    },
  }
}

async function openFiles(settings: Settings) {
  if (settings.storage.kind === 's3') {
    throw new SettingsError([
      'STORAGE_URL names an S3 bucket, which this version cannot use yet. Use a folder, such as file:./images.',
    ])
  }
  const files = createFolderFiles(settings.storage.path)
  await files.check()
  return files
}
