/** A history of twenty thousand generations, with what a plain look at every row finds in it. */
import { expect } from 'vitest'
import { searchForm } from '../../src/storage/search-text.ts'
import type { TestApp } from './app.ts'

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

export const rows = Array.from({ length: count }, (_, index): Row => {
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

export type Query = Record<string, string>

const newestFirst = rows.toSorted((a, b) =>
  a.timestamp === b.timestamp ? (a.id < b.id ? 1 : -1) : a.timestamp < b.timestamp ? 1 : -1,
)

export function look(query: Query, pages = 3) {
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

export async function ask(app: TestApp, query: Query) {
  const { status, body } = await app.call('GET', `/api/history?${new URLSearchParams({ limit: '20', ...query })}`)
  expect(status, JSON.stringify(body)).toBe(200)
  return body as { items: { id: string }[]; next_cursor: string | null }
}

/** At most so many pages. */
export async function askAll(app: TestApp, query: Query, pages = 3) {
  const ids: string[] = []
  let cursor: string | null = null
  for (let page = 0; page < pages; page++) {
    const { items, next_cursor } = await ask(app, cursor === null ? query : { ...query, cursor })
    ids.push(...items.map(({ id }) => id))
    cursor = next_cursor
    if (cursor === null) break
  }
  return ids
}

export const words = [
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

export const filters: Query[] = [
  { q: 'golden', model: 'qwen-image' },
  { q: 'golden', model: 'nobody-knows' },
  { q: '龙', from: '2025-01-02T00:00:00Z', to: '2025-01-02T06:00:00Z' },
  { q: 'golden', to: '2025-01-01T03:00:00Z' },
  { q: 'zyxquill', from: '2025-01-02T00:00:00Z' },
  { model: 'wan2.2-t2i-flash' },
  { from: '2025-01-02T00:00:00Z', to: '2025-01-02T00:10:00Z' },
]
