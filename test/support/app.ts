/** A real server with a real database in a temporary folder, and simulators on free ports. */
import { rmSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import type { LookupFunction } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { multistream, pino } from 'pino'
import { onTestFinished, vi } from 'vitest'
import type { Generation } from '../../src/api/generations.ts'
import { type App, createApp, type Overrides } from '../../src/app.ts'
import { inlineShrinker } from '../../src/images/shrinker.ts'
import { createCatalogue, type Registry } from '../../src/providers/registry.ts'
import { loadSettings } from '../../src/settings.ts'
import {
  type DoubaoSimulator,
  type DoubaoSimulatorOptions,
  startDoubaoSimulator,
} from '../../src/simulators/doubao/doubao.ts'
import { DOUBAO_DEMO_KEY } from '../../src/simulators/doubao/keys.ts'
import { OPENAI_DEMO_KEY } from '../../src/simulators/openai/keys.ts'
import { type OpenaiSimulator, startOpenaiSimulator } from '../../src/simulators/openai/openai.ts'
import { QWEN_DEMO_KEY } from '../../src/simulators/qwen/keys.ts'
import { type QwenSimulator, startQwenSimulator } from '../../src/simulators/qwen/qwen.ts'
import { openDatabase } from '../../src/storage/database.ts'
import { createSeal, findSecrets } from '../../src/storage/secrets/seal.ts'
import { createRecentErrors } from '../../src/telemetry/log.ts'
import { maxWaitMs } from './patience.ts'

export interface TestApp {
  url: string
  app: App
  dataDir: string
  environment: Record<string, string>
  doubao: DoubaoSimulator
  qwen: QwenSimulator
  openai: OpenaiSimulator
  /** JSON in, JSON out; every header can be set. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** The generation at its end, also where its picture came so late that the waiting client was told to look again; with `prefer` as answered. */
  generate(body: unknown, headers?: Record<string, string>): Promise<Generation>
  /** The record of a request at its end, whatever that is. */
  end(body: unknown): Promise<Generation>
  /** Stops the server well and starts it again on the same data; `whileDown` runs in between. */
  restart(whileDown?: () => Promise<void>): Promise<void>
  stop(): Promise<void>
  /** Stops everything and removes the data. */
  close(): Promise<void>
}

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route pass here, and tests look at what they expect
  body: any
}

export interface TestOptions {
  /** The services, instead of those of the program. */
  registry?: Registry
  environment?: Record<string, string | undefined>
  timeScale?: number
  /** A built studio, instead of the one in the tree. */
  studioFolder?: string
  /** After so long without progress the body of a request is ended. */
  slowBodyAfterMs?: number
  /** How names become addresses for outgoing requests. */
  lookup?: LookupFunction
  urlLifetimeSeconds?: number
  /** How long after the start the services' lists of models are looked at. */
  listsAfterMs?: number
  /** How long after the start database and files are looked over. */
  lookOverAfterMs?: number
  /** How long nothing may have been stored before thumbnails are made that nobody asked for; a day, because few tests look at them. */
  thumbnailsAfterMs?: number
  /** Instead of the demonstration keys of the Doubao simulator. */
  doubaoKeys?: DoubaoSimulatorOptions['keys']
  logLines?: string[]
  /** Told of every statement that the database is given. */
  onStatement?(text: string): void
  syncJournal?: Overrides['syncJournal']
  reached?: Overrides['reached']
  /** Puts files into the data folder first. */
  beforeStart?(dataDir: string): void
}

/** Closes itself at the end of the test. */
export async function startApp(options: TestOptions = {}): Promise<TestApp> {
  const app = await openApp(options)
  onTestFinished(() => app.close())
  return app
}

/** For several tests; whoever opens it closes it. */
export async function openApp(options: TestOptions = {}): Promise<TestApp> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'webimgui-'))
  if (mayBePrepared(options)) await cp(await prepared(), dataDir, { recursive: true })
  options.beforeStart?.(dataDir)
  const simulation = { timeScale: 0, urlLifetimeSeconds: options.urlLifetimeSeconds, plainImages: true }
  const [doubao, qwen, openai] = await Promise.all([
    startDoubaoSimulator({ ...simulation, keys: options.doubaoKeys }),
    startQwenSimulator(simulation),
    startOpenaiSimulator(simulation),
  ])
  const environment = Object.fromEntries(
    Object.entries({
      DATA_DIR: dataDir,
      PORT: '0',
      LOG_LEVEL: 'silent',
      DOUBAO_API_URL: doubao.baseUrl,
      DOUBAO_API_KEY: DOUBAO_DEMO_KEY,
      QWEN_API_URL: qwen.baseUrl,
      QWEN_API_KEY: QWEN_DEMO_KEY,
      ALLOWED_HOSTS: new URL(openai.origin).host,
      ...options.environment,
    }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )

  async function begin() {
    const recentErrors = createRecentErrors()
    const log = pino(
      { level: options.logLines ? 'trace' : 'error' },
      multistream([
        { level: 'trace', stream: { write: line => void options.logLines?.push(line) } },
        { level: 'error', stream: recentErrors.stream },
      ]),
    )
    const app = await createApp(loadSettings(environment, options.registry), log, {
      catalogue: options.registry && createCatalogue(options.registry),
      timeScale: options.timeScale ?? 0.01,
      lookup: options.lookup,
      slowBodyAfterMs: options.slowBodyAfterMs,
      listsAfterMs: options.listsAfterMs,
      lookOverAfterMs: options.lookOverAfterMs,
      thumbnailsAfterMs: options.thumbnailsAfterMs ?? 24 * 3600 * 1000,
      // A process more for each server would cost the tests more than the pictures; the programs of other tests have it.
      shrinker: inlineShrinker,
      recentErrors,
      onStatement: options.onStatement,
      syncJournal: options.syncJournal,
      reached: options.reached,
      studioFolder: options.studioFolder,
    })
    return { app, url: (await app.listen()).address }
  }
  let running = await begin()
  let isStopped = false

  const whenEnded = (id: string) =>
    vi.waitUntil(async () => {
      const { body } = await testApp.call('GET', `/api/history/${id}`)
      return body.finished_at === null ? undefined : (body as Generation)
    }, maxWaitMs)

  const testApp: TestApp = {
    get url() {
      return running.url
    },
    get app() {
      return running.app
    },
    dataDir,
    environment,
    doubao,
    qwen,
    openai,
    call: (method, path, body, headers) => call(`${running.url}${path}`, method, body, headers),
    async generate(body, headers) {
      const answer = await testApp.call('POST', '/api/generate', body, headers)
      if (answer.status >= 300) throw new Error(`generate answered ${answer.status}: ${JSON.stringify(answer.body)}`)
      if (answer.status !== 202 || headers?.prefer) return answer.body as Generation
      return whenEnded(answer.body.id)
    },
    async end(body) {
      const { id } = await testApp.generate(body, { prefer: 'respond-async' })
      return whenEnded(id)
    },
    async restart(whileDown) {
      await running.app.close()
      await whileDown?.()
      running = await begin()
    },
    async stop() {
      if (isStopped) return
      isStopped = true
      await running.app.close()
    },
    async close() {
      await testApp.stop()
      await Promise.all([doubao.close(), qwen.close(), openai.close()])
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  return testApp
}

let preparing: Promise<string> | undefined

/** A data folder whose database has all its tables and nothing in them, made once in a process: a sixth of a start is making them. */
function prepared() {
  preparing ??= prepare()
  return preparing
}

async function prepare() {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'webimgui-prepared-'))
  process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }))
  const settings = loadSettings({ DATA_DIR: dataDir })
  const [secret] = findSecrets(dataDir, undefined)
  const database = await openDatabase(settings.database, [{ seal: createSeal(secret.text), keep: secret.keep }])
  await database.close()
  return dataDir
}

/** Whoever looks at the beginning of a database gets an empty folder. */
function mayBePrepared({ environment = {}, beforeStart, onStatement, syncJournal }: TestOptions) {
  const hasOwn = ['SECRET_KEY', 'DATABASE_URL', 'DATA_DIR'].some(name => environment[name] !== undefined)
  return !hasOwn && !beforeStart && !onStatement && !syncJournal
}

export async function call(
  url: string,
  method: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const isRaw = typeof body === 'string' || body instanceof FormData || body === undefined
  const response = await fetch(url, {
    method,
    headers: {
      ...(body !== undefined && !(body instanceof FormData) ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    body: isRaw ? (body as string | FormData | undefined) : JSON.stringify(body),
  })
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, headers: response.headers, body: isJson && text !== '' ? JSON.parse(text) : text }
}

/** Stores a configuration for the OpenAI-style simulator. */
export async function addOpenai(test: TestApp, model?: string) {
  const answer = await test.call('POST', '/api/config', {
    name: 'OpenAI style',
    provider: 'openai',
    base_url: test.openai.baseUrl,
    api_key: OPENAI_DEMO_KEY,
    ...(model ? { model } : {}),
  })
  if (answer.status !== 201) throw new Error(`the configuration was refused: ${JSON.stringify(answer.body)}`)
  return answer.body as { id: string }
}
