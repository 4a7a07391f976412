/** The same history on PostgreSQL: every search is that of a plain look at every row, and is answered by its index. */
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openApp, type TestApp } from '../support/app.ts'
import { ask, askAll, filters, look, rows, words } from '../support/long-history.ts'
import { maxWaitMs } from '../support/patience.ts'
import { createDatabase } from '../support/postgres.ts'

let app: TestApp
let client: pg.Client
const logLines: string[] = []

beforeAll(async () => {
  const url = await createDatabase()
  client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(
    'create table chat_history (id integer primary key, prompt text, image_urls text, timestamp text, model text, parameters text)',
  )
  await client.query(
    "insert into chat_history select id::integer, prompt, '[]', timestamp, model, '{}' from json_to_recordset($1) as row (id text, prompt text, timestamp text, model text)",
    [JSON.stringify(rows)],
  )
  app = await openApp({ environment: { REQUESTS_PER_MINUTE: '0', DATABASE_URL: url }, logLines, lookOverAfterMs: 0 })
  await vi.waitUntil(isIndexed, maxWaitMs)
}, maxWaitMs)
afterAll(async () => {
  await app.close()
  await client.end()
})

async function isIndexed() {
  const { rows } = await client.query(
    "select indisvalid from pg_index where indexrelid = to_regclass('chat_history_words')::oid",
  )
  return rows[0]?.indisvalid === true
}

test.each(words)('the word %j', async q => {
  expect(await askAll(app, { q })).toEqual(look({ q }))
})

test.each(filters)('%j', async query => {
  expect(await askAll(app, query)).toEqual(look(query))
})

test('words that are rare are found by the index', async () => {
  const used = async () => {
    const { rows } = await client.query("select pg_stat_get_numscans('chat_history_words'::regclass) as count")
    return Number(rows[0].count)
  }
  const before = await used()

  await vi.waitUntil(async () => {
    await ask(app, { q: 'zyxquill' })
    return (await used()) > before
  }, maxWaitMs)
})

test('what is new, tagged or deleted counts at once', async () => {
  const made = await app.generate({ prompt: 'Zyxquill am Abend', model: 'qwen-image' })
  const [first, second] = look({ q: 'golden' })
  await app.call('PATCH', `/api/history/${first}`, { tags: ['Meerjungfrau'] })
  await app.call('DELETE', `/api/history/${second}`)

  expect(await askAll(app, { q: 'zyxquill' })).toEqual([made.id, ...look({ q: 'zyxquill' })])
  expect(await askAll(app, { q: 'jungfrau' })).toEqual([first])
  expect((await askAll(app, { q: 'golden' })).slice(0, 20)).toEqual(
    look({ q: 'golden' })
      .filter(id => id !== second)
      .slice(0, 20),
  )
})

test('an index whose making was broken off is made again', async () => {
  await app.restart(async () => {
    await client.query("update pg_index set indisvalid = false where indexrelid = 'chat_history_words'::regclass")
  })

  await vi.waitUntil(isIndexed, maxWaitMs)
  expect(await askAll(app, { q: '麒麟' })).toEqual(look({ q: '麒麟' }))
  expect(logLines.filter(line => line.includes('until it is made again'))).toEqual([])
})
