/** A history of twenty thousand generations, taken over from an old database: every search, filter and page is that of a plain look at every row. */
import { existsSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openApp, type TestApp } from '../support/app.ts'
import { ask, askAll, filters, look, type Query, rows, words } from '../support/long-history.ts'
import { maxWaitMs } from '../support/patience.ts'

let app: TestApp
const statements: string[] = []
const logLines: string[] = []
const databaseFile = () => path.join(app.dataDir, 'chat_history.db')

beforeAll(async () => {
  app = await openApp({
    environment: { REQUESTS_PER_MINUTE: '0' },
    onStatement: text => statements.push(text),
    logLines,
    beforeStart(dataDir) {
      const old = new DatabaseSync(path.join(dataDir, 'chat_history.db'))
      old.exec(
        `create table chat_history (id integer primary key, prompt text, image_urls text, timestamp text, model text, parameters text)`,
      )
      const insert = old.prepare("insert into chat_history values (?, ?, '[]', ?, ?, '{}')")
      old.exec('begin')
      for (const { id, prompt, timestamp, model } of rows) insert.run(id, prompt, timestamp, model)
      old.exec('commit')
      old.close()
    },
  })
}, maxWaitMs)
afterAll(() => app.close())

function searches() {
  test.each(words)('the word %j', async q => {
    expect(await askAll(app, { q })).toEqual(look({ q }))
  })

  test.each(filters)('%j', async query => {
    expect(await askAll(app, query)).toEqual(look(query))
  })
}

describe('before there is an index', searches)

describe('with the index', () => {
  beforeAll(async () => {
    await ask(app, { q: 'golden' })
    await vi.waitUntil(isIndexed, maxWaitMs)
  }, maxWaitMs)

  searches()

  test('what is new, marked, tagged or deleted counts at once', async () => {
    const made = await app.generate({ prompt: 'Zyxquill am Abend', model: 'qwen-image' })
    const [first, second] = look({ q: 'golden' })
    await app.call('PATCH', `/api/history/${first}`, { favorite: true, tags: ['Meerjungfrau', 'ж'] })
    await app.call('DELETE', `/api/history/${second}`)

    expect(await askAll(app, { q: 'zyxquill' })).toEqual([made.id, ...look({ q: 'zyxquill' })])
    expect(await askAll(app, { q: 'golden' }, 1)).toEqual(
      look({ q: 'golden' })
        .filter(id => id !== second)
        .slice(0, 20),
    )
    const marked: Query[] = [
      { q: 'jungfrau' },
      { q: 'ж' },
      { favorite: 'true' },
      { favorite: 'true', q: 'golden' },
      { tag: 'ж' },
    ]
    for (const query of marked) expect(await askAll(app, query), JSON.stringify(query)).toEqual([first])
    expect(await askAll(app, { q: 'jungfrau zyxquill' })).toEqual([])
    expect(await askAll(app, { status: 'failed', q: 'golden' })).toEqual([])
  })

  test('an index that is lost is made again, one of another server is not believed', async () => {
    await app.restart(async () => {
      const index = new DatabaseSync(`${databaseFile()}.search`)
      index.exec("update state set owner = 'another'; delete from trigrams")
      index.close()
    })

    expect(await askAll(app, { q: '水墨山水' })).toEqual(look({ q: '水墨山水' }))
  })

  test('one that is damaged while the server runs is told in the log and made again', async () => {
    await vi.waitUntil(isIndexed, maxWaitMs)
    const file = `${databaseFile()}.search`
    writeFileSync(file, Buffer.alloc(statSync(file).size, 0xab), { flag: 'r+' })

    expect(await askAll(app, { q: 'lantern zyxquill' })).toEqual(look({ q: 'lantern zyxquill' }))

    await vi.waitUntil(() => logLines.some(line => line.includes('until it is made again')), maxWaitMs)
    await vi.waitUntil(isIndexed, maxWaitMs)
    expect(await askAll(app, { q: '麒麟' })).toEqual(look({ q: '麒麟' }))
  })
})

function isIndexed() {
  const file = `${databaseFile()}.search`
  if (!existsSync(file)) return false
  const index = new DatabaseSync(file, { readOnly: true })
  try {
    return index.prepare('select older_than from state').get()?.older_than === null
  } catch {
    return false
  } finally {
    index.close()
  }
}

test('none of it is read on the event loop', async () => {
  statements.length = 0
  await ask(app, { q: 'golden' })
  await ask(app, { favorite: 'true' })
  await app.call('GET', '/api/usage?group=model&from=2025-01-01T00:00:00Z')

  expect(statements.filter(text => /from "?(chat_history|spending|images)/.test(text))).toEqual([])
})
