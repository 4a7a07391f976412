/**
 * What the ledger costs: `npm run bench:ledger`. One small picture is made over and over, in turn with the ledger and bare (the same
 * exchange, the same fetch, the file put in its place as safely, and no row). A service that answers at once stands in, because drawing
 * a picture would hide what is measured.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pino } from 'pino'
import sharp from 'sharp'
import { createApp } from '../src/app.ts'
import { fetchImage } from '../src/images/download.ts'
import { createHttp } from '../src/outgoing/client.ts'
import { providers } from '../src/providers/index.ts'
import { loadSettings } from '../src/settings.ts'
import { createFolderFiles } from '../src/storage/files/folder.ts'

const rounds = Number(process.argv[2] ?? 200)
const warmUp = 20
const request = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }

const dataDir = await mkdtemp(path.join(tmpdir(), 'webimgui-bench-'))
const service = await startService()
const settings = loadSettings({
  DATA_DIR: dataDir,
  PORT: '0',
  LOG_FILE: 'off',
  LOG_LEVEL: 'silent',
  DOUBAO_API_URL: service.baseUrl,
  DOUBAO_API_KEY: 'bench',
})
const app = await createApp(settings, pino({ level: 'silent' }))
await app.listen()
const http = createHttp({ allowedHosts: [], allowedOrigins: [service.origin] })
const files = createFolderFiles(path.join(dataDir, 'bare'))
const found = providers.doubao.models.find(model => model.id === request.model)!
const { calls } = providers.doubao.plan(
  { ...request, modelId: request.model, count: 1, size: { width: 960, height: 960 }, parameters: {}, references: [] },
  found,
)

const withLedger: number[] = []
const bare: number[] = []
for (let round = 0; round < rounds + warmUp; round++) {
  const ledgerMs = await timed(makeWithLedger)
  const bareMs = await timed(() => makeBare(round))
  if (round < warmUp) continue
  withLedger.push(ledgerMs)
  bare.push(bareMs)
}
const differences = withLedger.map((ms, index) => ms - bare[index]!)
console.table({
  'with the ledger': row(withLedger),
  bare: row(bare),
  'difference of neighbours': row(differences),
})
console.log(`${rounds} rounds; ratio of the medians ${(median(withLedger) / median(bare)).toFixed(3)}`)

await app.close()
await http.close()
service.close()
await rm(dataDir, { recursive: true, force: true })

async function makeWithLedger() {
  const { generations } = app.services
  const caller = { role: 'admin', isKnown: false, tokenId: null, models: null } as const
  const { id } = await generations.create({ ...request, references: [] }, { requestId: 'bench', caller })
  const ended = await generations.whenEnded(id, {})
  if (ended.status !== 'succeeded') throw new Error(`it ended as ${ended.status}: ${ended.error?.message}`)
  return async () => {
    // The thumbnail is made after the end; it must not run into the next round.
    for (const image of ended.images) await app.services.images.thumbnail(image, 1024)
  }
}

async function makeBare(round: number) {
  const context = {
    ...{ apiKey: 'bench', baseUrl: service.baseUrl, http, signal: new AbortController().signal },
    reference: () => Promise.reject(new Error('there is none')),
  }
  for await (const learned of providers.doubao.send({ id: `bare-${round}`, ...calls[0]! }, context)) {
    if (learned.type !== 'answer') continue
    for (const picture of providers.doubao.parse(learned.answer, calls[0]!).images) {
      const fetched = await fetchImage({ http, files, source: { url: picture.url ?? '' } })
      await files.put(`2026/11/${round}.${fetched.extension}`, fetched.temporaryPath)
    }
  }
}

async function timed(work: () => Promise<(() => Promise<void>) | undefined | void>) {
  const began = performance.now()
  const after = await work()
  const ms = performance.now() - began
  await after?.()
  return ms
}

function row(values: number[]) {
  const at = (share: number) =>
    Number(values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))]?.toFixed(2))
  return { 'median ms': at(0.5), 'lower quarter': at(0.25), 'upper quarter': at(0.75) }
}

function median(values: number[]) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

/** Ark as far as one picture needs it; the picture is noise of 128 by 128 pixels, about 17 kB. */
async function startService() {
  const raw = { width: 128, height: 128, channels: 3 } as const
  const picture = await sharp(randomBytes(128 * 128 * 3), { raw })
    .jpeg()
    .toBuffer()
  const server = createServer((request, response) => {
    if (request.method === 'GET')
      return void response
        .writeHead(200, { 'content-type': 'image/jpeg', 'content-length': picture.length })
        .end(picture)
    request.resume().on('end', () => {
      const body = JSON.stringify({ model: 'bench', created: 0, data: [{ url: `${origin}/picture` }], usage: {} })
      response.writeHead(200, { 'content-type': 'application/json' }).end(body)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { origin, baseUrl: `${origin}/api/v3`, close: () => void server.close() }
}
