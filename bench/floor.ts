/**
 * The floor: the least that does the whole job in one process, one image at a time. `FLOOR=store` keeps no promise: image to the page
 * cache, one row. `FLOOR=safe` keeps both: the request is on disk before it leaves, the answer before it is read, the image before its
 * row; the commits of one turn of the event loop share one wait for the disk. Also the history by pages and by words.
 */
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Agent, request } from 'undici'

const { FLOOR, SERVICE = '', DATA_DIR = '', DATABASE_FILE = path.join(DATA_DIR, 'floor.db') } = process.env
const isSafe = FLOOR === 'safe'
const folder = path.join(DATA_DIR, 'images')
fs.mkdirSync(folder, { recursive: true })
const dispatcher = new Agent({ connections: 256 })

const database = new DatabaseSync(DATABASE_FILE)
database.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = ${isSafe ? 'FULL' : 'NORMAL'};
  PRAGMA mmap_size = 1073741824;
  CREATE TABLE IF NOT EXISTS chat_history (id INTEGER PRIMARY KEY, prompt TEXT NOT NULL, image_urls TEXT, timestamp INTEGER NOT NULL, model TEXT, parameters TEXT);
  CREATE TABLE IF NOT EXISTS calls (id INTEGER PRIMARY KEY, state TEXT NOT NULL, body TEXT, answer BLOB);
`)
const insertRow = database.prepare(
  'INSERT INTO chat_history (prompt, image_urls, timestamp, model, parameters) VALUES (?, ?, ?, ?, ?)',
)
const insertCall = database.prepare("INSERT INTO calls (id, state, body) VALUES (?, 'sending', ?)")
const keepAnswer = database.prepare("UPDATE calls SET state = 'answered', answer = ? WHERE id = ?")
const settleCall = database.prepare("UPDATE calls SET state = 'settled' WHERE id = ?")
const setImages = database.prepare('UPDATE chat_history SET image_urls = ? WHERE id = ?')
const newestFirst = database.prepare('SELECT * FROM chat_history ORDER BY id DESC LIMIT ?')
const withWords = database.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').get('words')
  ? database.prepare(
      'SELECT h.* FROM words w JOIN chat_history h ON h.id = w.rowid WHERE words MATCH ? ORDER BY w.rowid DESC LIMIT ?',
    )
  : undefined

interface Work {
  run(): number
  resolve(id: number): void
  reject(error: unknown): void
}
let batch: Work[] = []

/** In the next shared transaction; resolves when that is on disk. */
function commit(run: () => number) {
  return new Promise<number>((resolve, reject) => {
    if (batch.push({ run, resolve, reject }) === 1) setImmediate(flush)
  })
}

function flush() {
  const works = batch
  batch = []
  try {
    database.exec('BEGIN')
    const ids = works.map(({ run }) => run())
    database.exec('COMMIT')
    for (const [index, { resolve }] of works.entries()) resolve(ids[index]!)
  } catch (error) {
    for (const { reject } of works) reject(error)
  }
}

async function generate(body: string) {
  const { prompt, model, parameters } = JSON.parse(body)
  const settings = JSON.stringify(parameters ?? {})
  const insert = (images: string | null) =>
    Number(insertRow.run(prompt, images, Date.now(), model, settings).lastInsertRowid)
  let id = 0
  if (isSafe) {
    id = await commit(() => {
      const row = insert(null)
      insertCall.run(row, body)
      return row
    })
  }
  const answer = await request(`${SERVICE}/api/v3/images/generations`, {
    method: 'POST',
    dispatcher,
    headers: { 'content-type': 'application/json', authorization: 'Bearer bench' },
    body: JSON.stringify({ ...parameters, model, prompt, response_format: 'url' }),
  })
  const text = await answer.body.text()
  if (isSafe) await commit(() => Number(keepAnswer.run(text, id).changes))
  const { data } = JSON.parse(text) as { data: { url: string }[] }
  const images = await Promise.all(data.map(({ url }) => download(url)))
  const urls = JSON.stringify(images)
  if (!isSafe) id = insert(urls)
  else {
    await commit(() => {
      setImages.run(urls, id)
      return Number(settleCall.run(id).changes)
    })
  }
  return { id, image_urls: images, model }
}

async function download(url: string) {
  const name = `${randomUUID()}.png`
  const { body } = await request(url, { dispatcher })
  const file = fs.openSync(path.join(folder, `${name}.part`), 'w')
  try {
    for await (const chunk of body) fs.writeSync(file, chunk as Buffer)
    if (isSafe)
      await new Promise<void>((resolve, reject) => fs.fsync(file, error => (error ? reject(error) : resolve())))
  } finally {
    fs.closeSync(file)
  }
  fs.renameSync(path.join(folder, `${name}.part`), path.join(folder, name))
  return `/images/${name}`
}

function list(query: URLSearchParams) {
  const limit = Number(query.get('limit') ?? 20)
  const words = query.get('q')
  const rows = words && withWords ? withWords.all(`"${words}"`, limit) : newestFirst.all(limit)
  return { items: rows }
}

function send(response: ServerResponse, status: number, content: unknown) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content))
}

const server = createServer(async (incoming, response) => {
  const url = new URL(incoming.url ?? '/', 'http://floor')
  if (incoming.method === 'GET') return send(response, 200, url.pathname === '/health' ? {} : list(url.searchParams))
  try {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    send(response, 200, await generate(Buffer.concat(chunks).toString()))
  } catch (error) {
    send(response, 500, { error: String(error) })
  }
})
server.listen(Number(process.env.PORT), '127.0.0.1')
