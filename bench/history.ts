/**
 * How fast the history answers when it is long. Fills a database through the repositories, asks over HTTP, and prints each time as a
 * ratio to the first page of a short history on the same machine, because only ratios travel between machines.
 *
 *   npm run bench [generations=100000] [folder to keep]
 *
 * With a folder, the data stays there: `DATA_DIR=folder npm run demo` shows it.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pino } from 'pino'
import sharp from 'sharp'
import { createApp } from '../src/app.ts'
import { loadSettings, type Settings } from '../src/settings.ts'
import type { Connection } from '../src/storage/connection.ts'
import { openDatabase } from '../src/storage/database.ts'
import { createFolderFiles } from '../src/storage/files/folder.ts'
import { createImageRepository } from '../src/storage/images.ts'
import { changeGeneration, insertGeneration } from '../src/storage/ledger/generation-rows.ts'
import type { ImageRecord } from '../src/storage/records.ts'
import { createSeal, findSecrets } from '../src/storage/secrets/seal.ts'
import { inTransaction } from '../src/storage/transaction.ts'

const count = Number(process.argv[2] ?? 100_000)
const kept = process.argv[3]
const shortCount = 1000
const rounds = 15
const perTransaction = 500
/** One every four minutes. */
const apartMs = 240_000

const subjects = [
  '水墨山水',
  '江南烟雨',
  '红梅',
  '一叶小舟',
  'a lighthouse',
  'a fox in the snow',
  '敦煌飞天',
  'neon street',
  '青花瓷',
  '竹林',
]
const styles = ['工笔', 'watercolour', '写意', 'film grain', '版画', 'ukiyo-e', '水彩', 'isometric']
const models = [
  ['doubao', 'doubao-seedream-5-0-flash-260915'],
  ['doubao', 'doubao-seedream-4-0-20260415'],
  ['qwen', 'qwen-image-plus'],
  ['qwen', 'wan2.5-t2i-preview'],
] as const
const shapes = [
  [2048, 2048],
  [2560, 1440],
  [1440, 2560],
  [2304, 1728],
  [1728, 2304],
] as const

const failure = {
  code: 'content_rejected',
  message: 'The service refused the content.',
  providerCode: 'OutputImageSensitiveContentDetected',
  providerMessage: null,
  providerRequestId: null,
  retryAfterMs: null,
}

interface StoredImage {
  file: string
  width: number
  height: number
  bytes: number
  sha256: string
}

async function measure(dataDir: string, generations: number) {
  const settings = loadSettings({ DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent' })
  await fill(settings, generations)
  const app = await createApp(settings, pino({ level: 'silent' }))
  const { address: url } = await app.listen()
  try {
    const middle = await cursorInTheMiddle(url, generations)
    const questions: [string, string][] = [
      ['first page, 100', 'limit=100'],
      ['first page, 20', 'limit=20'],
      ['a page in the middle', `limit=100&cursor=${middle}`],
      ['one character, in many (梅)', 'limit=100&q=梅'],
      ['one word, in one in 1000', 'limit=100&q=珊瑚'],
      ['a word that nobody wrote', 'limit=100&q=zzzz'],
      ['two words', `limit=100&q=${encodeURIComponent('山水 ukiyo-e')}`],
      ['favourites (one in 200)', 'limit=100&favorite=true'],
      ['failed (one in 500)', 'limit=100&status=failed'],
      ['one model', 'limit=100&model=qwen-image-plus'],
      ['a model that made nothing', 'limit=100&model=none'],
      ['one day long ago', dayLongAgo(generations)],
    ]
    const times = new Map<string, number>()
    for (const [name, query] of questions) times.set(name, await median(`${url}/api/history?${query}`))
    return { times }
  } finally {
    await app.close()
  }
}

async function median(url: string) {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now()
    const response = await fetch(url)
    await response.text()
    if (!response.ok) throw new Error(`${url} answered ${response.status}`)
    times.push(performance.now() - begun)
  }
  return times.sort((one, other) => one - other)[Math.floor(rounds / 2)]!
}

/** As far as half of it, or fifty pages. */
async function cursorInTheMiddle(url: string, generations: number) {
  let cursor = ''
  for (let page = 0; page < Math.min(50, generations / 400); page++) {
    const response = await fetch(`${url}/api/history?limit=200&cursor=${cursor}`)
    cursor = encodeURIComponent(((await response.json()) as { next_cursor: string }).next_cursor)
  }
  return cursor
}

function dayLongAgo(generations: number) {
  const day = new Date(Date.now() - generations * apartMs * 0.9).toISOString().slice(0, 10)
  return `limit=100&from=${day}&to=${day}`
}

async function fill({ dataDir, database: location, secretKey }: Settings, generations: number) {
  const images = await storeImages(path.join(dataDir, 'images'))
  const [{ text, keep }] = findSecrets(dataDir, secretKey)
  const database = await openDatabase(location, [{ seal: createSeal(text), keep }])
  const begun = performance.now()
  const now = Date.now()
  for (let first = 0; first < generations; first += perTransaction) {
    await inTransaction(database.kysely, async transaction => {
      for (let index = first; index < Math.min(first + perTransaction, generations); index++) {
        await insert(transaction, index, new Date(now - (generations - index) * apartMs).toISOString(), images)
      }
    })
  }
  await database.close()
  const seconds = (performance.now() - begun) / 1000
  console.log(`${generations} generations written in ${seconds.toFixed(1)} s`)
}

async function insert(db: Connection, index: number, timestamp: string, images: readonly StoredImage[]) {
  const id = idOf('g', index)
  const [provider, model] = models[index % models.length]!
  const isFailed = index % 500 === 250
  const rare = index % 1000 === 77 ? '，珊瑚' : ''
  const prompt = `${subjects[index % subjects.length]}，${styles[(index >> 3) % styles.length]}，第 ${index} 张${rare}`
  await insertGeneration(db, {
    ...{ id, prompt, timestamp, provider, model, configId: `env-${provider}` },
    ...{ parameters: { size: '2K', n: 1 }, resolved: { size: '2048x2048', n: 1, watermark: false } },
    ...{ warnings: [], retryOf: null, requestId: id, tokenId: null },
  })
  const made = isFailed ? 0 : index % 25 === 3 ? 4 : 1
  for (let position = 0; position < made; position++) {
    const picture = images[(index + position) % images.length]!
    const image: ImageRecord = {
      ...{ id: idOf('i', index * 4 + position), role: 'result', generationId: id, callId: null, index: position },
      ...picture,
      ...{ mimeType: 'image/png', createdAt: timestamp, details: null },
    }
    await createImageRepository(db).insert(image)
  }
  await changeGeneration(db, id, {
    status: isFailed ? 'failed' : 'succeeded',
    charge: isFailed ? 'none' : 'charged',
    cost: isFailed ? null : { amount: 0.25 * made, currency: 'CNY' },
    revisedPrompt: index % 3 === 0 ? `${prompt}，构图疏朗，留白得当，soft light` : null,
    favorite: index % 200 === 13,
    tags: index % 40 === 7 ? ['系列', `组 ${index % 9}`] : [],
    error: isFailed ? failure : null,
    finishedAt: new Date(Date.parse(timestamp) + 9000).toISOString(),
  })
}

/** In the form of ids that are drawn by lot, so that nothing is in a better order than it would be. */
function idOf(kind: string, index: number) {
  const hex = createHash('sha256').update(`${kind}${index}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

async function storeImages(folder: string): Promise<StoredImage[]> {
  const files = createFolderFiles(folder)
  const stored: StoredImage[] = []
  for (const [index, [width, height]] of shapes.entries()) {
    const hue = index * 67
    const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><defs><linearGradient id="g" x2="0" y2="1"><stop stop-color="hsl(${hue} 35% 82%)"/><stop offset="1" stop-color="hsl(${hue + 30} 40% 42%)"/></linearGradient></defs><rect width="100%" height="100%" fill="url(#g)"/><circle cx="70%" cy="25%" r="${width / 12}" fill="hsl(${hue + 180} 50% 55%)"/><path d="M0 ${height} L${width * 0.3} ${height * 0.45} L${width * 0.55} ${height * 0.8} L${width * 0.75} ${height * 0.55} L${width} ${height}Z" fill="hsl(${hue + 20} 25% 25% / 70%)"/></svg>`
    const bytes = await sharp(Buffer.from(drawing)).png().toBuffer()
    const temporary = await files.temporary()
    await writeFile(temporary, bytes)
    const file = `bench/${index}.png`
    await files.put(file, temporary)
    stored.push({ file, width, height, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
  }
  return stored
}

const shortDir = await mkdtemp(path.join(tmpdir(), 'webimgui-bench-'))
const longDir = kept ?? (await mkdtemp(path.join(tmpdir(), 'webimgui-bench-')))
try {
  const base = await measure(shortDir, shortCount)
  const long = await measure(longDir, count)
  const unit = base.times.get('first page, 100')!
  console.log(
    `\nThe first page of ${shortCount} generations: ${unit.toFixed(1)} ms here. Medians of ${rounds}, as multiples of it:\n`,
  )
  console.log(`${'question'.padEnd(34)}${String(shortCount).padStart(9)}${String(count).padStart(10)}`)
  for (const [name, time] of long.times) {
    const short = base.times.get(name)!
    console.log(
      `${name.padEnd(34)}${(short / unit).toFixed(2).padStart(9)}${(time / unit).toFixed(2).padStart(10)}   ${time.toFixed(1)} ms`,
    )
  }
} finally {
  await rm(shortDir, { recursive: true, force: true })
  if (!kept) await rm(longDir, { recursive: true, force: true })
}
