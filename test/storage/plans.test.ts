/** No question about a long history reads a whole table: each is answered from an index, which a list walks from its newest entry. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Database } from '../../src/storage/connection.ts'
import { openDatabase } from '../../src/storage/database.ts'
import type { HistoryFilter } from '../../src/storage/history-filter.ts'
import { findMonth } from '../../src/storage/periods.ts'
import { createSeal } from '../../src/storage/secrets/seal.ts'
import { createStore, type Store } from '../../src/storage/store.ts'

const file = path.join(mkdtempSync(path.join(tmpdir(), 'webimgui-plans-')), 'chat_history.db')
let database: Database
let store: Store
let asked: string[] = []

beforeAll(async () => {
  database = await openDatabase({ kind: 'sqlite', path: file }, createSeal('a secret of this test, long enough'), {
    isReadInline: true,
    onStatement: text => asked.push(text),
  })
  store = createStore(database)
})
afterAll(() => database.close())

/** How SQLite would answer what `ask` asks: without statistics, as on a server that has just been filled. */
async function plan(ask: () => Promise<unknown>): Promise<string[]> {
  asked = []
  await ask()
  const reader = new DatabaseSync(file, { readOnly: true })
  try {
    return asked
      .filter(text => text.startsWith('select'))
      .flatMap(text => reader.prepare(`explain query plan ${text}`).all(...Array(text.split('?').length - 1).fill('x')))
      .map(({ detail }) => String(detail))
  } finally {
    reader.close()
  }
}

const time = '2026-11-27T00:00:00.000Z'
/** It has months, days, and parts of days. */
const year = { from: '2025-11-27T08:00:00.000Z', to: '2026-11-27T08:00:00.000Z' }
const cursor = { timestamp: time, id: 'x' }

test.each<[string, Omit<HistoryFilter, 'limit'>]>([
  ['chat_history_newest', {}],
  ['chat_history_newest', { from: time, to: time }],
  ['chat_history_newest', { status: 'succeeded' }],
  ['chat_history_newest', { words: ['lantern'] }],
  ['chat_history_model', { model: 'qwen-image' }],
  ['chat_history_model', { model: 'qwen-image', words: ['lantern'] }],
  ['chat_history_provider', { provider: 'qwen' }],
  ['chat_history_unsuccessful', { status: 'failed' }],
  ['chat_history_favorite', { favorite: true }],
  ['chat_history_tagged', { tag: 'sea' }],
  ['chat_history_starred', { stars: 3 }],
  ['chat_history_rejected', { rejected: true }],
  ['chat_history_newest', { order: 'oldest' }],
  ['chat_history_token', { owner: 'somebody' }],
])('%s lists %j', async (index, filter) => {
  for (const page of [filter, { ...filter, before: cursor }]) {
    const [walk, ...others] = await plan(() => store.generations.list({ ...page, limit: 20 }))

    expect(walk).toMatch(new RegExp(`^(SCAN|SEARCH) chat_history USING (COVERING )?INDEX ${index}\\b`))
    expect(others).toEqual([])
  }
})

test.each<[string, (store: Store) => Promise<unknown>]>([
  ['what is unfinished', ({ generations }) => generations.unfinishedIds()],
  ['how much is unfinished', ({ generations }) => generations.countUnfinished()],
  ['what may have pictures without a row', ({ generations }) => generations.collectingIds()],
  ['why something waits', ({ generations }) => generations.waiting()],
  ['what changed', ({ generations }) => generations.changedSince(7, 100)],
  ['what was removed', ({ generations }) => generations.removedSince(7, 100)],
  ['what was removed last', ({ generations }) => generations.removalOf('x')],
  ['the next images', ({ images }) => images.behind('x', 100)],
  ['where images are', ({ images }) => images.places(['x', 'y'])],
  ['a reference by its hash', ({ images }) => images.findReference('x')],
  ['the month of a token', ({ spending }) => spending.totals(findMonth(time), { ownerId: 'x' })],
  ['the month of a configuration', ({ spending }) => spending.totals(findMonth(time), { configId: 'x' })],
  ['the month', ({ spending }) => spending.totals(findMonth(time), {})],
  ['usage by day', ({ spending }) => spending.usage(year, 'day')],
  ['usage by model', ({ spending }) => spending.usage(year, 'model')],
  ['usage by token', ({ spending }) => spending.usage(year, 'token', 'x')],
])('%s is found by an index', async (_, ask) => {
  const steps = await plan(() => ask(store))

  expect(steps).not.toEqual([])
  expect(
    steps.filter(step => /^SCAN (chat_history|provider_calls|images|spending|spending_sums|removals)\b/.test(step)),
  ).toEqual([])
})
