/**
 * Puts the parts together that need no face: all that creates a generation, runs it and looks after what is stored. Whatever is opened here is
 * closed here, in reverse. `app.ts` adds the server; the simulation runs this alone.
 */
import type { LookupFunction } from 'node:net'
import path from 'node:path'
import type { Logger } from 'pino'
import { createConfigurations } from './configurations/configurations.ts'
import { createNotifier } from './coordination/events.ts'
import type { Reached } from './coordination/failpoints.ts'
import { createPauses } from './coordination/pauses.ts'
import { createPool } from './coordination/pool.ts'
import { createWaiting } from './coordination/waiting.ts'
import { createGenerations } from './generation/generations.ts'
import { type Check, lookOver } from './generation/repair/look-over.ts'
import {
  clearAway,
  compareAnswers,
  comparePrepared,
  findUnrecorded,
  recoverLateAnswers,
} from './generation/repair/reconcile.ts'
import { createRunner } from './generation/run.ts'
import type { Services } from './generation/services.ts'
import { createHindrances, createStatus } from './generation/status.ts'
import { createCollector } from './images/collect.ts'
import { createImages, createReferences, sweepReferences } from './images/images.ts'
import { createShrinker, type Shrinker } from './images/shrinker.ts'
import { createThumbnails } from './images/thumbnails.ts'
import { createBudget } from './members/budget.ts'
import { createTokens } from './members/tokens.ts'
import { createUsage } from './members/usage.ts'
import { createUsers } from './members/users.ts'
import { createExports } from './moving/export/exports.ts'
import { createImports } from './moving/imports.ts'
import { createLives } from './offers/lives.ts'
import { createModelLists } from './offers/model-lists.ts'
import { readModelsFile } from './offers/models-file.ts'
import { OwnFileError } from './offers/own-file.ts'
import { readPriceFile } from './offers/price-file.ts'
import { createPrices } from './offers/prices.ts'
import { createUnknownModelExplainer } from './offers/unknown-model.ts'
import { createHttp, type HttpOptions } from './outgoing/client.ts'
import { shipped } from './providers/index.ts'
import type { Catalogue } from './providers/registry.ts'
import { type Settings, SettingsError } from './settings.ts'
import { createAnswers } from './storage/answers.ts'
import type { OnStatement, OpenOptions } from './storage/connection.ts'
import { openDatabase } from './storage/database.ts'
import { createFolderFiles, StorageError } from './storage/files/folder.ts'
import { createRemovals } from './storage/files/removals.ts'
import { createSeal, findSecrets, type Secret } from './storage/secrets/seal.ts'
import { createStore, type Store } from './storage/store.ts'
import { observeLedger } from './telemetry/observed-ledger.ts'
import { nobody, type Observer } from './telemetry/observer.ts'
import { createAddresses } from './webhooks/addresses.ts'
import { createDeliverer } from './webhooks/deliverer.ts'
import type { LinkTo } from './webhooks/payload.ts'
import { createWebhooks } from './webhooks/webhooks.ts'

export interface Core {
  services: Services
  store: Store
  /** Path of the copy of the database that was made before a migration, if any. */
  backupPath: string | undefined
  /** Mends what an earlier process left half done. Nothing else may write yet. */
  mend(): Promise<void>
  /** Resumes what an earlier process left unfinished. */
  resume(): Promise<void>
  /** Sends nothing new; exchanges that cannot be resumed get time to finish, everything else waits for the next start. */
  stop(): Promise<void>
  /** Closes everything after `stop`, when nobody asks any more. */
  close(): Promise<void>
}

export interface CoreOverrides {
  /** The services, instead of those of this program. `loadSettings` takes the same. */
  catalogue?: Catalogue
  /** Shortens every pause and time limit alike. */
  timeScale?: number
  /** Told what happens on the path of a generation. */
  observer?: Observer
  /** The absolute address of a picture in a webhook; its path alone when absent. */
  linkTo?: LinkTo
  /** Called at every failpoint on the path of a generation. */
  reached?: Reached
  /** Resolves names for outgoing requests; the system's resolver when absent. */
  lookup?: LookupFunction
  /** Opens the connections of outgoing requests; `lookup` is then unused. */
  connector?: HttpOptions['connector']
  /** Called with every statement that the embedded database is given. */
  onStatement?: OnStatement
  /** Syncs the journal of the embedded database, instead of the system. */
  syncJournal?: OpenOptions['syncJournal']
  /** Reads on the event loop too, so that everything happens in one order. */
  isReadInline?: boolean
  /** Shrinks pictures, instead of a process of its own. */
  shrinker?: Shrinker
  /** How long after the start the services' lists of models are first read. */
  listsAfterMs?: number
  /** How long after the start unused references are swept, words indexed, and database and files looked over. */
  lookOverAfterMs?: number
  /** How long nothing may have been stored before thumbnails are made that nobody asked for. */
  thumbnailsAfterMs?: number
}

const hourMs = 3600 * 1000
/** Delayed, because a start has more urgent work. */
const listsAfterMs = 60_000
const lookOverAfterMs = 20_000
/** Idempotency keys are promised for 48 hours. */
const maxDays = 7
/** What was sent to a webhook can be looked at, and sent again, for so long. */
const maxDeliveryDays = 30

/** @throws DatabaseError, StorageError, SettingsError, each with one sentence for people. */
export async function openCore(settings: Settings, log: Logger, overrides: CoreOverrides = {}): Promise<Core> {
  const standIns = Object.values(settings.providerUrls)
  const { catalogue, prices: ownPrices } = readOwnFiles(settings, overrides.catalogue ?? shipped)
  const prices = createPrices(catalogue, ownPrices, standIns)
  const [first, ...others] = findSecrets(settings.dataDir, settings.secretKey)
  const candidate = ({ text, keep }: Secret) => ({ seal: createSeal(text), keep })
  const files = await openFiles(settings, log)
  const database = await openDatabase(settings.database, [candidate(first), ...others.map(candidate)], {
    onStatement: overrides.onStatement,
    syncJournal: overrides.syncJournal,
    isReadInline: overrides.isReadInline,
    onProgress: line => log.info(line.en),
    onIndexTrouble: error => log.warn({ err: error }, 'words are searched without an index until it is made again'),
  })
  const { seal } = database
  const { observer = nobody } = overrides
  const plainStore = createStore(database)
  const store = { ...plainStore, ledger: observeLedger(plainStore.ledger, observer) }
  const check: Check = { state: 'waiting', images: 0, checked: 0, missing: 0 }
  const pauses = createPauses(overrides.timeScale)
  const notifier = createNotifier()
  const waiting = createWaiting(store, notifier)
  const closing = new AbortController()
  const { allowedHosts, proxy } = settings
  const { lookup, connector } = overrides
  const allowedOrigins = standIns.map(url => new URL(url).origin)
  const http = createHttp({ allowedHosts, proxy, allowedOrigins, lookup, connector })
  // Whoever may have a webhook may not speak to the services with it.
  const webhookHttp = createHttp({ allowedHosts, proxy, allowedOrigins: [], lookup, connector })
  const modelLists = await createModelLists({ store, http, catalogue, log })
  const lives = createLives({ lists: modelLists, catalogue, standIns })
  const answers = createAnswers(path.join(settings.dataDir, 'answers'))
  const fromEnvironment = Object.entries(settings.environmentKeys).flatMap(([provider, apiKey]) => {
    const caps = settings.environmentCaps[provider]
    return apiKey && caps ? [{ provider, apiKey, ...caps }] : []
  })
  const configurations = createConfigurations({
    store,
    seal,
    http,
    catalogue,
    fromEnvironment,
    baseUrls: settings.providerUrls,
    pauses,
    changed: () => pool.refresh(),
    tested: (access, signal) =>
      modelLists.ask(access, signal).catch(error => log.warn({ err: error }, 'a list of models could not be read')),
  })
  const thumbnails = createThumbnails({
    files,
    shrinker: overrides.shrinker ?? createShrinker(),
    quietMs: overrides.thumbnailsAfterMs ?? pauses.scaled(1000),
    failed: (image, error) => log.warn({ image: image.id, err: error }, 'no thumbnail could be made'),
    observer,
  })
  const removals = createRemovals(error => log.error({ err: error }, 'a file could not be removed; trying again later'))
  const reached = overrides.reached ?? (() => {})
  const addresses = createAddresses(webhookHttp, settings)
  const { linkTo = path => path } = overrides
  const deliverer = createDeliverer({ store, seal, http: webhookHttp, addresses, pauses, observer, log, linkTo })
  const webhooks = createWebhooks({ store, seal, addresses, wake: deliverer.wake })
  const collector = createCollector({ store, files, http, pauses, reached, thumbnails, observer })
  const budget = createBudget(store, settings.caps, configurations.ofEnvironment)
  const pool = createPool({ list: configurations.list, addressOf: configurations.addressOf, catalogue, pauses })
  const runner = createRunner({
    store,
    files,
    answers,
    http,
    configurations,
    pool,
    budget,
    collector,
    notifier,
    pauses,
    waiting,
    catalogue,
    prices,
    reached,
    observer,
    log,
    announced: deliverer.wake,
    explainUnknownModel: createUnknownModelExplainer({ lives, catalogue, lists: modelLists, configurations }),
  })
  const imports = await createImports({
    store,
    files,
    folder: settings.importFolder,
    dataDir: settings.dataDir,
    reached: overrides.reached,
    changed: notifier.notify,
    failed: error => log.error({ err: error }, 'the record of an import could not be kept'),
  })
  const services: Services = {
    generations: createGenerations({
      store,
      files,
      configurations,
      runner,
      notifier,
      pauses,
      waiting,
      prices,
      lives,
      closing: closing.signal,
      catalogue,
      budget,
      references: createReferences({ store, files, http }),
      removals,
      webhooks,
      removeAnswer: name => answers.remove(name),
    }),
    images: createImages({ store, files, removals, http, thumbnails }),
    imports,
    exports: createExports({ store, files }),
    configurations,
    pool,
    catalogue,
    prices,
    lives,
    tokens: createTokens({ store, isAlone: database.kind === 'sqlite' }),
    webhooks,
    users: createUsers({ store }),
    usage: createUsage({ store, configurations, catalogue, caps: settings.caps }),
    status: createStatus({
      check,
      database,
      store,
      files,
      configurations,
      pool,
      runner,
      waiting,
      lives,
      catalogue,
      storageKind: settings.storage.kind,
    }),
    findHindrances: createHindrances({ database, files }),
    whenDurable: store.whenDurable,
  }
  let asked: Promise<void> | undefined
  let lookingOver: NodeJS.Timeout | undefined
  let dayBegan = performance.now()
  let sweeping = Promise.resolve()
  const housekeeping = setInterval(() => void tidy(), hourMs).unref()

  async function tidy() {
    await attempt(forgetOld, 'cleanup failed')
    sweeping = attempt(sweepUnused, 'cleanup failed')
    await sweeping
  }

  /** The quick part, also before the first answer. */
  async function forgetOld() {
    await removals.repeat()
    await files.sweep(hourMs)
    const hasDayPassed = performance.now() - dayBegan > 24 * hourMs
    const date = new Date().toISOString().slice(0, 10)
    const { day, isNew } = await store.days.see(date, hasDayPassed)
    if (isNew) dayBegan = performance.now()
    await store.idempotency.forget(day - maxDays)
    await store.fingerprints.forget(day - maxDays)
    await store.deliveries.forget(day - maxDeliveryDays)
    await store.generations.forgetRemovals(day - maxDays)
  }

  /** The part that may read long, in a thread. */
  async function sweepUnused() {
    await sweepReferences({ store, files, removals }, await store.days.present())
    await store.generations.followChanges().catch(error => log.warn({ err: error }, 'words cannot be indexed'))
  }

  /** What would be lost or mistaken once others write: prepared references and raw answers, of which there are few. */
  async function clearLeftovers() {
    const { stale } = await comparePrepared({ store, files })
    const { staleAnswers, orphanedAnswers } = await compareAnswers({ store, answers })
    await clearAway({ stale, staleAnswers }, { files, answers })
    await store.days.noteOrphaned(orphanedAnswers)
    if (orphanedAnswers.length > 0)
      log.warn(
        { answers: orphanedAnswers.length },
        'there are answers that belong to no request in this database; is DATABASE_URL right? They are kept for a week',
      )
  }

  async function takeUp() {
    const late = await recoverLateAnswers({ store, answers })
    if (late > 0) log.warn({ answers: late }, 'late answers are processed')
  }

  async function offerUnrecorded() {
    const unrecorded = await findUnrecorded({ store, files })
    collector.offer(unrecorded)
    if (unrecorded.size > 0) log.warn({ files: unrecorded.size }, 'picture files without a row are adopted')
  }

  /** Threads that read are not started before somebody asks, or this begins. */
  async function workLater() {
    sweeping = attempt(sweepUnused, 'cleanup failed')
    await sweeping
    await lookOverLater()
  }

  async function lookOverLater() {
    try {
      const parts = { database, store, files, removals, signal: closing.signal }
      const { orphanedFiles, wrongSums } = await lookOver(check, parts)
      if (wrongSums > 0) log.error({ periods: wrongSums }, 'sums of what was spent were wrong, and were counted anew')
      if (check.missing > 0)
        log.error({ pictures: check.missing }, 'files of stored pictures are missing; `webimgui doctor` lists them')
      if (orphanedFiles > 0)
        log.warn({ files: orphanedFiles }, 'there are picture files without a row; `webimgui doctor` lists them')
    } catch (error) {
      if (!closing.signal.aborted) log.error({ err: error }, 'database and files could not be looked over')
    }
  }

  /** The server starts all the same: what is stored can be seen meanwhile. */
  async function attempt(work: () => Promise<void>, message: string) {
    await work().catch(error => {
      if (!closing.signal.aborted) log.error({ err: error }, message)
    })
  }

  return {
    services,
    store,
    backupPath: database.backupPath,
    async mend() {
      // No other process writes here yet, so a partial file was left by a process that died.
      await files.sweep()
      await attempt(clearLeftovers, 'what an earlier process has left could not be looked at')
      await attempt(takeUp, 'late answers could not be processed')
      await attempt(offerUnrecorded, 'picture files without a row could not be looked for')
      await attempt(forgetOld, 'cleanup failed')
    },
    async resume() {
      // Configurations from the environment have just been read again; what was wrong with them may have been fixed.
      for (const { provider } of fromEnvironment) await configurations.noteSuccess(`env-${provider}`, true)
      await runner.resume()
      deliverer.start()
      modelLists.start(configurations, overrides.listsAfterMs ?? listsAfterMs)
      lookingOver = setTimeout(() => void workLater(), overrides.lookOverAfterMs ?? lookOverAfterMs).unref()
    },
    async stop() {
      clearInterval(housekeeping)
      clearTimeout(lookingOver)
      asked = modelLists.close()
      await imports.close()
      await runner.stop(settings.drainSeconds * 1000)
      await deliverer.stop()
      pool.close()
      closing.abort()
    },
    async close() {
      await asked
      await sweeping
      await http.close()
      await webhookHttp.close()
      await thumbnails.close()
      await database.close()
    },
  }
}

/** Prices in PRICES_FILE take precedence over those in MODELS_FILE. */
function readOwnFiles({ modelsFile, pricesFile }: Settings, base: Catalogue) {
  try {
    const { catalogue, prices } = modelsFile === undefined ? { catalogue: base } : readModelsFile(modelsFile, base)
    return {
      catalogue,
      prices: new Map([...(prices ?? []), ...(pricesFile === undefined ? [] : readPriceFile(pricesFile))]),
    }
  } catch (error) {
    throw error instanceof OwnFileError ? new SettingsError(error.faults, { cause: error }) : error
  }
}

async function openFiles(settings: Settings, log: Logger) {
  if (settings.storage.kind === 's3') {
    throw new SettingsError([
      {
        en: 'STORAGE_URL names an S3 bucket, which this version cannot use yet. Use a folder, such as file:./images.',
        zh: 'STORAGE_URL 指向 S3 存储桶，此版本尚不支持。请使用文件夹，例如 file:./images。',
      },
    ])
  }
  const { path: folder } = settings.storage
  const files = createFolderFiles(folder)
  try {
    await files.check()
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    // The server starts on a full disk: space may be freed while it runs, and stored images can be viewed meanwhile.
    if (error.code === 'full') log.error({ err: error }, 'the picture store is full')
    else {
      const words = {
        en: `STORAGE_URL names the folder ${folder}. ${error.message}`,
        zh: `STORAGE_URL 指向文件夹 ${folder}。${error.zh}`,
      }
      throw new SettingsError([words], { cause: error })
    }
  }
  return files
}
