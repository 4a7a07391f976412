/** A server on a free port over services made by hand, to look at the contract alone. */
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { onTestFinished } from 'vitest'
import { createLives } from '../../src/configurations/lives.ts'
import { createPrices } from '../../src/configurations/prices.ts'
import type { GenerationRequest, Services } from '../../src/generation/services.ts'
import { shipped } from '../../src/providers/index.ts'
import { createServer } from '../../src/server/server.ts'
import { loadSettings } from '../../src/settings.ts'
import type { ConfigurationRecord, GenerationRecord, ImageRecord, TokenRecord } from '../../src/storage/records.ts'
import { createLog, createRecentErrors } from '../../src/telemetry/log.ts'

export interface StartOptions {
  environment?: Record<string, string>
  services?: { [Part in keyof Services]?: Partial<Services[Part]> }
  studioFolder?: string
}

export interface Created {
  request: GenerationRequest
  options: Parameters<Services['generations']['create']>[1]
}

export async function startServer({ environment = {}, services = {}, studioFolder }: StartOptions = {}) {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'webimgui-server-'))
  const settings = loadSettings({ DATA_DIR: dataDir, LOG_FILE: 'backend.log', LOG_LEVEL: 'info', ...environment })
  const lines: string[] = []
  const recentErrors = createRecentErrors()
  const log = createLog(settings, { write: line => void lines.push(line) }, recentErrors)
  const created: Created[] = []
  const app = await createServer({
    settings,
    services: fakeServices(created, services),
    log,
    recentErrors,
    studioFolder,
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  onTestFinished(async () => {
    await app.close()
    await rm(dataDir, { recursive: true, force: true })
  })
  return {
    app,
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

function fakeServices(created: Created[], parts: NonNullable<StartOptions['services']>): Services {
  const generations: Services['generations'] = {
    async create(request, options) {
      created.push({ request, options })
      return generation({ status: 'queued', finishedAt: null, images: [] })
    },
    whenEnded: async () => generation(),
    find: async id => (id === 'g1' ? generation() : undefined),
    list: async () => ({ items: [generation()], nextCursor: null }),
    change: async (_id, change) => generation(change),
    remove: async () => {},
    clear: async () => 3,
    cancel: async () => generation({ status: 'running', cancelRequested: true }),
    retry: async id => generation({ status: 'queued', retryOf: id }),
    estimateRetry: async () => estimate,
    estimate: async () => estimate,
    events: { async *follow() {} },
    ...parts.generations,
  }
  const images: Services['images'] = {
    storeReference: async () => image({ role: 'reference', generationId: null }),
    find: async id => (id === 'i1' ? image() : undefined),
    read: async (_image, range) =>
      Readable.from([picture.subarray(range?.start ?? 0, (range?.end ?? picture.length - 1) + 1)]),
    thumbnail: async () => Buffer.from('RIFF'),
    remove: async () => {},
    ...parts.images,
  }
  const token: TokenRecord = {
    ...{ id: 't1', name: 'design team', role: 'member', monthlyCap: null, monthlyImages: null, models: null },
    ...{ createdAt: '2026-11-23T08:00:00.000Z', lastUsedAt: null, revokedAt: null },
  }
  const tokens: Services['tokens'] = {
    list: async () => [token],
    make: async input => ({ token: { ...token, ...input }, text: `wig_${'x'.repeat(43)}` }),
    change: async (_id, { name = token.name }) => ({ ...token, name }),
    revoke: async () => {},
    looksLikeOne: text => text.startsWith('wig_'),
    identify: async () => undefined,
    find: async () => undefined,
    whenRevoked: () => () => {},
    remaining: async () => ({ left: null, leftImages: null, renewsAt: '2026-12-01T00:00:00.000Z' }),
    ...parts.tokens,
  }
  const configurations: Services['configurations'] = {
    list: async () => [configuration()],
    add: async () => configuration(),
    change: async () => configuration(),
    remove: async () => {},
    test: async () => ({ code: 'ok', detail: 'The key works.', latencyMs: 12 }),
    addressOf: () => 'https://ark.cn-beijing.volces.com/api/v3',
    platformOf: () => 'ark-cn',
    ...parts.configurations,
  }
  const pool: Services['pool'] = { stateOf: () => ({ status: 'ready', running: 0 }) }
  return {
    generations,
    images,
    catalogue: shipped,
    lives: createLives({ lists: { seen: () => undefined, offered: () => [] }, catalogue: shipped, standIns: [] }),
    configurations,
    pool,
    tokens,
    usage: { report: async () => [], forAll: async () => undefined, ...parts.usage },
    prices: createPrices(shipped),
    status: parts.status ?? (async () => report),
  } as Services
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
    tokenId: null,
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
    retryOf: null,
    waiting: null,
    cancelRequested: false,
    calls: { unsent: 0, sent: 0 },
    revision: 7,
    requestId: null,
    providerRequestIds: ['0217'],
    ...changes,
  }
}

function configuration(): ConfigurationRecord {
  return {
    id: 'k1',
    name: 'Doubao',
    provider: 'doubao',
    model: null,
    baseUrl: null,
    isActive: true,
    source: 'stored',
    hasKey: true,
    keyHint: '1234',
    createdAt: '2026-11-23T08:00:00.000Z',
    updatedAt: '2026-11-23T08:00:00.000Z',
    monthlyCap: null,
    monthlyImages: null,
    weight: 1,
    maxRunning: null,
    requestsPerMinute: null,
    suspension: null,
  }
}

const estimate = { model: 'm', images: 1, calls: 1, cost: null, reasons: [], warnings: [] }

const report: Awaited<ReturnType<Services['status']>> = {
  database: { state: 'ok', kind: 'sqlite' },
  storage: { state: 'ok', kind: 'folder', freeBytes: 1_000_000 },
  queue: { state: 'ok', queued: 0, running: 0, waiting: [] },
  providers: [
    { id: 'doubao', name: 'Doubao Seedream', configured: true, activeConfigurations: 1, readyConfigurations: 1 },
  ],
  ending: [],
}
