/** A history of twenty thousand generations, taken over from an old database: every search, filter and page is that of a plain look at every row. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { searchForm } from '../../src/storage/search-text.ts'
import { openApp, type TestApp } from '../support/app.ts'
import { maxWaitMs } from '../support/patience.ts'

const count = 20_000
const models = ['qwen-image', 'doubao-seedream-4-0-250828', 'wan2.2-t2i-flash']
const english =
  'a the soft golden light morning mist city street portrait dragon quiz jazz lantern snow o’clock 100% under_score "quoted" C++ naïve'.split(
    ' ',
  )
const chinese = ['水墨', '山水', '星空', '灯塔', '少女', '城市', '雨夜', '龙', '𠮷野家', '！']

interface Row {
  id: string
  prompt: string
  timestamp: string
  model: string
}

const rows = Array.from({ length: count }, (_, index): Row => {
  const words = index % 5 < 2 ? chinese : english
  let seed = Math.imul(index + 1, 0x9e3779b1) >>> 0
  const next = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed / 2 ** 32
  }
  const prompt = Array.from({ length: 6 }, () => words[Math.floor(next() ** 2 * words.length)])
  if (index % 5000 === 4321) prompt.push('Zyxquill')
  if (index % 4000 === 1234) prompt.push('麒麟')
  // Three of a time, so that their ids decide.
  const timestamp = new Date(Date.UTC(2025, 0, 1) + Math.floor(index / 3) * 60_000).toISOString()
  return {
    ...{ id: String(index + 1), prompt: prompt.join(words === chinese ? '' : ' '), timestamp },
    model: models[index % models.length] ?? '',
  }
})

let app: TestApp
const statements: string[] = []
const databaseFile = () => path.join(app.dataDir, 'chat_history.db')

beforeAll(async () => {
  app = await openApp({
    environment: { REQUESTS_PER_MINUTE: '0' },
    onStatement: text => statements.push(text),
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

type Query = Record<string, string>

async function ask(query: Query) {
  const { status, body } = await app.call('GET', `/api/history?${new URLSearchParams({ limit: '20', ...query })}`)
  expect(status, JSON.stringify(body)).toBe(200)
  return body as { items: { id: string }[]; next_cursor: string | null }
}

/** At most so many pages. */
async function askAll(query: Query, pages = 3) {
  const ids: string[] = []
  let cursor: string | null = null
  for (let page = 0; page < pages; page++) {
    const { items, next_cursor } = await ask(cursor === null ? query : { ...query, cursor })
    ids.push(...items.map(({ id }) => id))
    cursor = next_cursor
    if (cursor === null) break
  }
  return ids
}

const newestFirst = rows.toSorted((a, b) =>
  a.timestamp === b.timestamp ? (a.id < b.id ? 1 : -1) : a.timestamp < b.timestamp ? 1 : -1,
)

function look(query: Query, pages = 3) {
  const words = searchForm(query.q ?? '')
    .split(/\s+/)
    .filter(Boolean)
  const found = newestFirst.filter(
    ({ prompt, model, timestamp }) =>
      words.every(word => searchForm(prompt).includes(word)) &&
      (query.model === undefined || query.model === model) &&
      (query.from === undefined || timestamp >= new Date(query.from).toISOString()) &&
      (query.to === undefined || timestamp <= new Date(query.to).toISOString()),
  )
  return found.slice(0, pages * 20).map(({ id }) => id)
}

const words = [
  ...[
    'golden',
    'GOLDEN',
    'zyxquill',
    'nothinglikethis',
    'z',
    'zy',
    'qu',
    'qq',
    'a',
    'o',
    'ol',
    '%',
    '100%',
    'r_s',
    '"',
    '"q',
    '+',
    '++',
    '’',
  ],
  ...['灯塔', '灯', '麒', '麒麟', '塔山', '星空下', '𠮷', '𠮷野', '！', '水墨山水', '没有'],
  ...['golden dragon', 'lantern zyxquill', 'zy golden', '灯塔 龙', '龙 golden', 'a o', 'qq a', 'naïve JAZZ', 'o’clock'],
]

function searches() {
  test.each(words)('the word %j', async q => {
    expect(await askAll({ q })).toEqual(look({ q }))
  })

  const filters: Query[] = [
    { q: 'golden', model: 'qwen-image' },
    { q: 'golden', model: 'nobody-knows' },
    { q: '龙', from: '2025-01-02T00:00:00Z', to: '2025-01-02T06:00:00Z' },
    { q: 'golden', to: '2025-01-01T03:00:00Z' },
    { q: 'zyxquill', from: '2025-01-02T00:00:00Z' },
    { model: 'wan2.2-t2i-flash' },
    { from: '2025-01-02T00:00:00Z', to: '2025-01-02T00:10:00Z' },
  ]
  test.each(filters)('%j', async query => {
    expect(await askAll(query)).toEqual(look(query))
  })
}

describe('before there is an index', searches)

describe('with the index', () => {
  beforeAll(async () => {
    await ask({ q: 'golden' })
    const file = `${databaseFile()}.search`
    await vi.waitUntil(() => {
      if (!existsSync(file)) return false
      const index = new DatabaseSync(file, { readOnly: true })
      try {
        return index.prepare('select older_than from state').get()?.older_than === null
      } catch {
        return false
      } finally {
        index.close()
      }
    }, maxWaitMs)
  }, maxWaitMs)

  searches()

  test('what is new, marked, tagged or deleted counts at once', async () => {
    const made = await app.generate({ prompt: 'Zyxquill am Abend', model: 'qwen-image' })
    const [first, second] = look({ q: 'golden' })
    await app.call('PATCH', `/api/history/${first}`, { favorite: true, tags: ['Meerjungfrau', 'ж'] })
    await app.call('DELETE', `/api/history/${second}`)

    expect(await askAll({ q: 'zyxquill' })).toEqual([made.id, ...look({ q: 'zyxquill' })])
    expect(await askAll({ q: 'golden' }, 1)).toEqual(
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
    for (const query of marked) expect(await askAll(query), JSON.stringify(query)).toEqual([first])
    expect(await askAll({ q: 'jungfrau zyxquill' })).toEqual([])
    expect(await askAll({ status: 'failed', q: 'golden' })).toEqual([])
  })

  test('an index that is lost is made again, one of another server is not believed', async () => {
    await app.restart(async () => {
      const index = new DatabaseSync(`${databaseFile()}.search`)
      index.exec("update state set owner = 'another'; delete from trigrams")
      index.close()
    })

    expect(await askAll({ q: '水墨山水' })).toEqual(look({ q: '水墨山水' }))
  })
})

test('none of it is read on the event loop', async () => {
  statements.length = 0
  await ask({ q: 'golden' })
  await ask({ favorite: 'true' })
  await app.call('GET', '/api/usage?group=model&from=2025-01-01T00:00:00Z')

  expect(statements.filter(text => /from "?(chat_history|spending|images)/.test(text))).toEqual([])
})
