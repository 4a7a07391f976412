/** What was spent in a period, from the sums of its days and months, is what a look at every row says, on both databases. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/storage/connection.ts'
import { openDatabase } from '../../src/storage/database.ts'
import type { TokenRecord } from '../../src/storage/records.ts'
import { createSeal } from '../../src/storage/secrets/seal.ts'
import type { UsageGroup } from '../../src/storage/spending-sums.ts'
import { createStore, type Store } from '../../src/storage/store.ts'
import { createDatabase } from '../support/postgres.ts'

interface Row {
  timestamp: string
  token: string | null
  config: string
  model: string
  currency: string | null
  images: number
  calls: number
  amount: number
  unknown: number
}

/** Chance of its own, so that a failure comes again. */
let seed = 7
function pickOf<T>(values: readonly T[]): T {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return values[Math.floor((seed / 2 ** 32) * values.length)]!
}

/** A token of a user, beside one that stands for itself. */
const token: TokenRecord = {
  ...{ id: 'ada', userId: 'eve', name: 'ada', role: 'member', monthlyCap: null, monthlyImages: null, models: null },
  ...{ createdAt: '2026-01-01T00:00:00.000Z', lastUsedAt: null, revokedAt: null },
}

const hours = ['00:00:00.000', '00:00:00.001', '11:59:59.999', '12:00:00.000', '23:59:59.999']
const days = ['2025-12-31', '2026-01-01', '2026-01-31', '2026-02-01', '2026-02-28', '2026-03-01', '2026-12-31']

describe.each(['sqlite', 'postgresql'] as const)('%s', kind => {
  const folder = mkdtempSync(path.join(tmpdir(), 'webimgui-sums-'))
  let database: Database
  let store: Store
  const rows: Row[] = []

  beforeAll(async () => {
    const place =
      kind === 'sqlite'
        ? { kind, path: path.join(folder, 'chat_history.db') }
        : ({ kind, url: await createDatabase() } as const)
    database = await openDatabase(place, createSeal('a secret of this test, long enough'))
    store = createStore(database)
    await store.tokens.insert(token, 'a hash')
    for (let count = 0; count < 120; count++) rows.push(await write())
  })
  afterAll(async () => {
    await database.close()
    rmSync(folder, { recursive: true })
  })

  /** One that is reserved, moved, settled, or settled twice, as a late answer does it. */
  async function write(): Promise<Row> {
    const { spending } = store
    const row: Row = {
      timestamp: `${pickOf(days)}T${pickOf(hours)}Z`,
      token: pickOf([null, 'ada', 'bob']),
      config: pickOf(['one', 'two']),
      model: pickOf(['lantern', 'dragon']),
      ...{ currency: 'CNY', images: 3, calls: 2, amount: 0.6, unknown: 0 },
    }
    const generationId = randomUUID()
    await spending.reserve({
      ...{ generationId, timestamp: row.timestamp, spenderId: row.token, configId: row.config, model: row.model },
      ...{ images: 3, calls: 2, cost: { amount: 0.6, currency: 'CNY' } },
    })
    const settle = async (images: number, cost: { amount: number; currency: string } | null) => {
      const isUnknown = cost === null
      await spending.settle(generationId, row.config, { images, calls: images, cost, isUnknown })
      Object.assign(row, { images, calls: images, amount: cost?.amount ?? 0, currency: cost?.currency ?? null })
      row.unknown = isUnknown ? 1 : 0
    }
    switch (pickOf(['reserved', 'moved', 'kept', 'settled', 'unpriced', 'free', 'late'])) {
      case 'moved': {
        const to = row.config === 'one' ? 'two' : 'one'
        await spending.shift((await spending.partOf(generationId, row.config, 3))!, to)
        row.config = to
        await settle(1, { amount: 0.2, currency: 'USD' })
        break
      }
      case 'kept':
        await spending.settle(generationId, row.config, 'keep')
        row.unknown = 1
        break
      case 'settled':
        await settle(2, { amount: 0.4, currency: 'CNY' })
        break
      case 'unpriced':
        await settle(2, null)
        break
      case 'free':
        await spending.settle(generationId, row.config, { images: 0, calls: 0, cost: null, isUnknown: false })
        Object.assign(row, { images: 0, calls: 0, amount: 0, currency: null })
        break
      case 'late':
        await spending.settle(generationId, row.config, 'keep')
        await settle(3, { amount: 0.6, currency: 'CNY' })
        await settle(3, { amount: 0.6, currency: 'CNY' })
        break
    }
    return row
  }

  function look(from: string, to: string, group: UsageGroup, owner?: string) {
    const keys = { day: (row: Row) => row.timestamp.slice(0, 10), model: (row: Row) => row.model }
    const userOf = (row: Row) => (row.token === 'ada' ? 'eve' : row.token)
    const tokens = { token: (row: Row) => row.token, user: userOf }
    const keyOf = { ...keys, ...tokens, configuration: (row: Row) => row.config }[group]
    const found = new Map<string, ReturnType<typeof toSum>>()
    for (const row of rows) {
      if (
        row.timestamp < from ||
        row.timestamp >= to ||
        (owner !== undefined && ![row.token, userOf(row)].includes(owner))
      )
        continue
      const name = `${keyOf(row) ?? ''} ${row.currency ?? ''}`
      const before = found.get(name)
      const sum = before ?? toSum(keyOf(row), row.currency)
      sum.images += row.images
      sum.calls += row.calls
      sum.amount = Math.round((sum.amount + row.amount) * 10) / 10
      sum.unknown += row.unknown
      found.set(name, sum)
    }
    return [...found.keys()]
      .sort()
      .map(name => found.get(name)!)
      .filter(({ images, calls, unknown }) => images > 0 || calls > 0 || unknown > 0)
  }

  function toSum(key: string | null, currency: string | null) {
    return { key, currency, images: 0, calls: 0, amount: 0, unknown: 0 }
  }

  test.each([
    ['0001-01-01T00:00:00.000Z', '+010000-01-01T00:00:00.000Z'],
    ['2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['2025-12-31T12:00:00.000Z', '2026-12-31T12:00:00.000Z'],
    ['2026-01-31T00:00:00.000Z', '2026-02-28T00:00:00.000Z'],
    ['2026-01-31T11:59:59.999Z', '2026-03-01T00:00:00.001Z'],
    ['2026-02-01T00:00:00.000Z', '2026-02-01T12:00:00.000Z'],
    ['2026-02-01T12:00:00.000Z', '2026-02-02T00:00:00.000Z'],
    ['2026-02-01T00:00:00.001Z', '2026-02-01T11:59:59.999Z'],
    ['2026-03-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z'],
  ])('from %s to %s', async (from, to) => {
    const until = to.startsWith('+') ? '9999' : to
    for (const group of ['day', 'model', 'configuration', 'token', 'user'] as const) {
      expect(await store.spending.usage({ from, to }, group), group).toEqual(look(from, until, group))
      expect(await store.spending.usage({ from, to }, group, 'ada'), group).toEqual(look(from, until, group, 'ada'))
      expect(await store.spending.usage({ from, to }, group, 'eve'), group).toEqual(look(from, until, group, 'eve'))
    }
    const all = look(from, until, 'model')
    const totals = await store.spending.totals({ from, to }, {})
    expect(totals.images).toBe(all.reduce((sum, { images }) => sum + images, 0))
  })

  test('sums that something else has changed are found, and counted anew from the rows', async () => {
    expect(await store.spending.countWrongSums()).toBe(0)
    const before = await database.kysely.selectFrom('spending_sums').selectAll().execute()

    await database.kysely.deleteFrom('spending_sums').where('start', '=', '2026-02-01').execute()
    await database.kysely.updateTable('spending_sums').set({ amount: 7 }).where('start', '=', '2026-01').execute()
    await database.kysely
      .insertInto('spending_sums')
      .values({ ...before[0]!, start: '2027-01-01', images: 1 })
      .execute()

    expect(await store.spending.mendSums()).toBe(3)
    expect(await store.spending.countWrongSums()).toBe(0)
    expect(await store.spending.usage({ from: '2026', to: '2027' }, 'model')).toEqual(look('2026', '2027', 'model'))
  })
})
