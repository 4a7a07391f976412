/**
 * A real server over a real database on a free port, in which generations and images are played: for answers of the HTTP contract that the
 * real ones cannot be brought to give, such as every failure of a service, a wait of a day, or an error inside. All else is real. Whatever
 * the real ones can be brought to give is tested with `startApp` instead.
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { onTestFinished } from 'vitest'
import { createApp } from '../../src/app.ts'
import type { GenerationRequest, Services } from '../../src/generation/services.ts'
import { loadSettings } from '../../src/settings.ts'
import type { GenerationRecord, ImageRecord } from '../../src/storage/records.ts'
import { createLog, createRecentErrors } from '../../src/telemetry/log.ts'

export interface StartOptions {
  environment?: Record<string, string>
  services?: { [Part in keyof Services]?: Partial<Services[Part]> }
  studioFolder?: string
  /** Instead of the pause before a wrong token is answered. */
  pauseBeforeRefusal?(ms: number): Promise<unknown>
}

export interface Created {
  request: GenerationRequest
  options: Parameters<Services['generations']['create']>[1]
}

export async function startServer(options: StartOptions = {}) {
  const { environment = {}, services = {}, studioFolder, pauseBeforeRefusal } = options
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'webimgui-server-'))
  const settings = loadSettings({
    DATA_DIR: dataDir,
    // Servers that share a data folder in a test do not share its database.
    DATABASE_URL: `sqlite:///${path.join(dataDir, `${randomUUID()}.db`)}`,
    DOUBAO_API_KEY: 'a-key',
    LOG_FILE: 'backend.log',
    LOG_LEVEL: 'info',
    ...environment,
  })
  const lines: string[] = []
  const recentErrors = createRecentErrors()
  const log = createLog(settings, { write: line => void lines.push(line) }, recentErrors)
  const created: Created[] = []
  const {
    server,
    services: real,
    close,
  } = await createApp(settings, log, { recentErrors, studioFolder, pauseBeforeRefusal })
  Object.assign(real.generations, playedGenerations(created))
  Object.assign(real.images, playedImages())
  for (const [part, played] of Object.entries(services)) {
    if (typeof played === 'function') Object.assign(real, { [part]: played })
    else Object.assign(real[part as keyof Services], played)
  }
  await server.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  onTestFinished(async () => {
    await close()
    await rm(dataDir, { recursive: true, force: true })
  })
  return {
    app: server,
    url,
    port,
    dataDir,
    settings,
    created,
    lines,
    log,
    /** Sends JSON when there is a body. */
    call(method: string, target: string, body?: unknown, headers: Record<string, string> = {}) {
      const json = body === undefined ? {} : { 'content-type': 'application/json' }
      return fetch(url + target, {
        method,
        headers: { ...json, ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
        redirect: 'manual',
      })
    },
  }
}

function playedGenerations(created: Created[]): Services['generations'] {
  return {
    async create(request, options) {
      created.push({ request, options })
      return generation({ status: 'queued', finishedAt: null, images: [] })
    },
    async createUnlessRepeated(request, options) {
      created.push({ request, options })
      return { generation: generation({ status: 'queued', finishedAt: null, images: [] }), isJoined: false }
    },
    retryUnlessRepeated: async id => ({ generation: generation({ status: 'queued', retryOf: id }), isJoined: false }),
    noteAnswered: async () => {},
    whenEnded: async () => generation(),
    find: async id => (id === 'g1' ? generation() : undefined),
    list: async () => ({ items: [generation()], nextCursor: null }),
    count: async () => ({ generations: 1, images: 1 }),
    change: async (_id, { favorite = false, tags = [] }) => generation({ favorite, tags }),
    remove: async () => {},
    clear: async () => 3,
    cancel: async () => generation({ status: 'running', cancelRequested: true }),
    retry: async id => generation({ status: 'queued', retryOf: id }),
    estimateRetry: async () => estimate,
    estimate: async () => estimate,
    sessionLeft: async ({ cap }) => cap,
    events: { async *follow() {} },
  }
}

function playedImages(): Services['images'] {
  return {
    storeReference: async () => image({ role: 'reference', generationId: null }),
    find: async id => (id === 'i1' ? image() : undefined),
    read: async (_image, range) =>
      Readable.from([picture.subarray(range?.start ?? 0, (range?.end ?? picture.length - 1) + 1)]),
    thumbnail: async () => Buffer.from('RIFF'),
    convert: async () => undefined,
    remove: async () => {},
  }
}

export const picture = Buffer.from('0123456789abcdef')

export function image(changes: Partial<ImageRecord> = {}): ImageRecord {
  return {
    id: 'i1',
    role: 'result',
    generationId: 'g1',
    callId: 'c1',
    index: 0,
    file: 'i1.png',
    width: 2048,
    height: 1024,
    bytes: picture.length,
    mimeType: 'image/png',
    sha256: 'ab'.repeat(32),
    createdAt: '2026-11-23T08:00:05.000Z',
    details: null,
    ...changes,
  }
}

export function generation(changes: Partial<GenerationRecord> = {}): GenerationRecord {
  return {
    id: 'g1',
    status: 'succeeded',
    prompt: '水墨山水',
    revisedPrompt: null,
    provider: 'doubao',
    model: 'doubao-seedream-4-0-20260415',
    configId: 'env-doubao',
    ownerId: null,
    parameters: { n: 1 },
    resolved: { n: 1, watermark: false },
    timestamp: '2026-11-23T08:00:00.000Z',
    startedAt: '2026-11-23T08:00:00.100Z',
    finishedAt: '2026-11-23T08:00:08.123Z',
    images: [image()],
    references: [],
    oldImageUrls: [],
    failures: [],
    warnings: [],
    error: null,
    charge: 'charged',
    cost: { amount: 0.25, currency: 'CNY' },
    favorite: false,
    tags: [],
    ratings: {},
    cover: null,
    retryOf: null,
    waiting: null,
    cancelRequested: false,
    calls: { unsent: 0, sent: 0 },
    revision: 7,
    importedFrom: null,
    requestId: null,
    providerRequestIds: ['0217'],
    ...changes,
  }
}

const estimate = { model: 'm', images: 1, calls: 1, cost: null, reasons: [], warnings: [] }
