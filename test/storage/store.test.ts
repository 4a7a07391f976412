import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../../src/storage/connection.ts'
import { type DatabaseLocation, openDatabase } from '../../src/storage/database.ts'
import { insertCall as writeCall } from '../../src/storage/ledger/call-rows.ts'
import {
  changeGeneration,
  type GenerationChange,
  insertGeneration,
  type NewGeneration,
} from '../../src/storage/ledger/generation-rows.ts'
import { createSeal } from '../../src/storage/secrets/seal.ts'
import { sealAnew } from '../../src/storage/secrets/seal-check.ts'
import { createStore, type Store } from '../../src/storage/store.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { createDatabase } from '../support/postgres.ts'

const seal = createSeal('a secret of this test, long enough')

describe.each(['sqlite', 'postgresql'] as const)('the store on %s', kind => {
  let folder: string
  let number = 0
  let location: DatabaseLocation
  let database: Database
  let store: Store

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'webimgui-store-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })
  beforeEach(async () => {
    location =
      kind === 'postgresql'
        ? { kind, url: await createDatabase() }
        : { kind, path: path.join(folder, `test${number++}.db`) }
    database = await openDatabase(location, seal)
    store = createStore(database)
  })
  afterEach(() => database.close())

  test('reads why a generation waits also as earlier versions wrote it, and warnings without a code', async () => {
    await insert('g', { warnings: [{ parameter: 'n', message: 'Cut.' }] })
    const reason = { code: 'sent_again', message: 'Sent again.', values: { at: time(1) } }
    await change('g', { waiting: reason })
    const ours = await store.generations.waiting()
    await database.kysely.updateTable('chat_history').set({ waiting: 'The disk is full.' }).execute()

    expect(ours).toEqual([{ id: 'g', reason }])
    expect(await store.generations.waiting()).toEqual([{ id: 'g', reason: { message: 'The disk is full.' } }])
    expect(await store.generations.find('g')).toMatchObject({
      waiting: { message: 'The disk is full.' },
      warnings: [{ parameter: 'n', message: 'Cut.' }],
    })
  })

  test('keeps what a list said of a model, and since when', async () => {
    const model = { provider: 'doubao', place: 'ark-cn', id: 'a', word: '', told: { name: 'A' } }
    await store.listedModels.keep({ ...model, status: 'offered', seenAt: time(1) })
    await store.listedModels.keep({ ...model, status: 'offered', seenAt: time(2) })
    await store.listedModels.keep({ ...model, place: 'byteplus', status: 'ended', seenAt: time(2) })
    const offered = await store.listedModels.all()
    await store.listedModels.keep({ ...model, status: 'retiring', word: 'Retiring', seenAt: time(3) })
    const retiring = await store.listedModels.all()
    await store.listedModels.keepList({ provider: 'doubao', place: 'ark-cn', askedAt: time(1), answeredAt: null })
    await store.listedModels.keepList({ provider: 'doubao', place: 'ark-cn', askedAt: time(2), answeredAt: time(2) })

    expect(offered.find(({ place }) => place === 'ark-cn')).toEqual({
      ...{ ...model, status: 'offered' },
      ...{ since: null, seenAt: time(2) },
    })
    expect(retiring.find(({ place }) => place === 'ark-cn')).toMatchObject({ status: 'retiring', since: time(3) })
    expect(retiring).toHaveLength(2)
    expect(await store.listedModels.lists()).toEqual([
      { provider: 'doubao', place: 'ark-cn', askedAt: time(2), answeredAt: time(2) },
    ])
  })

  test('pages through the history newest first without missing or repeating a row', async () => {
    for (let index = 0; index < 25; index++)
      await insert(`g${String(index).padStart(2, '0')}`, { timestamp: time(index % 5) })

    const seen: string[] = []
    let before: { timestamp: string; id: string } | undefined
    for (;;) {
      const page = await store.generations.list({ limit: 4, before })
      seen.push(...page.map(generation => generation.id))
      const last = page.at(-1)
      if (!last) break
      before = { timestamp: last.timestamp, id: last.id }
    }

    const expected = Array.from({ length: 25 }, (_, index) => ({
      id: `g${String(index).padStart(2, '0')}`,
      at: index % 5,
    }))
      .sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
      .map(row => row.id)
    expect(seen).toEqual(expected)
  })

  test('finds any substring in any case, one Chinese character, and wildcards as themselves', async () => {
    await insert('boat', { prompt: '水墨山水，远处一叶小舟' })
    await insert('sale', { prompt: 'A SALE of 100% off_now! Äpfel' })
    await change('boat', { tags: ['Lieblings-Bild'], revisedPrompt: 'ink wash' })
    const find = async (...words: string[]) =>
      (await store.generations.list({ limit: 10, words })).map(generation => generation.id)

    expect(await find('舟')).toEqual(['boat'])
    expect(await find('ink', 'lieblings')).toEqual(['boat'])
    expect(await find('100%')).toEqual(['sale'])
    expect(await find('0%o')).toEqual([])
    expect(await find('off_now!')).toEqual(['sale'])
    expect(await find('offxnow')).toEqual([])
    expect(await find('äpfel')).toEqual(['sale'])
  })

  test('filters by provider, model, status, favourite and time', async () => {
    await insert('a', { timestamp: time(1), provider: 'doubao', model: 'x' })
    await insert('b', { timestamp: time(2), provider: 'qwen', model: 'y' })
    await change('b', { favorite: true, status: 'succeeded' })
    const ids = async (filter: object) =>
      (await store.generations.list({ limit: 10, ...filter })).map(generation => generation.id)

    expect(await ids({ provider: 'doubao' })).toEqual(['a'])
    expect(await ids({ model: 'y' })).toEqual(['b'])
    expect(await ids({ status: 'queued' })).toEqual(['a'])
    expect(await ids({ favorite: true })).toEqual(['b'])
    expect(await ids({ favorite: false })).toEqual(['a'])
    expect(await ids({ from: time(2) })).toEqual(['b'])
    expect(await ids({ to: time(1) })).toEqual(['a'])
  })

  test('filters, sorts and counts by stars and rejections, which stand beside pictures that still come', async () => {
    for (const id of ['a', 'b', 'c', 'd']) {
      await insert(id, { timestamp: time(id.charCodeAt(0)) })
      for (const index of [0, 1]) await store.images.insert(image(`${id}${index}`, id, index))
    }
    await change('a', { cost: { amount: 0.5, currency: 'CNY' } })
    await change('c', { cost: { amount: 2, currency: 'CNY' } })
    await store.ledger.mark({ id: 'a', ratings: [{ index: 0, stars: 5, isRejected: true }] })
    await store.ledger.mark({ id: 'a', ratings: [{ index: 0, isRejected: false }], cover: 1 })
    await store.ledger.mark({
      id: 'b',
      ratings: [
        { index: 0, stars: 3 },
        { index: 1, isRejected: true },
      ],
    })
    await store.ledger.mark({ id: 'c', ratings: [0, 1].map(index => ({ index, isRejected: true })) })
    await store.ledger.mark({ id: 'd', ratings: [{ index: 0, stars: 2 }] })
    await store.ledger.mark({ id: 'd', ratings: [{ index: 0, stars: 0 }] })
    const page = (filter: object) => store.generations.list({ limit: 10, ...filter })
    const ids = async (filter: object) => (await page(filter)).map(({ id }) => id).join('')

    expect((await store.generations.find('a'))?.ratings).toEqual({ 0: { stars: 5, isRejected: false } })
    expect((await store.generations.find('a'))?.cover).toBe(1)
    expect((await store.generations.find('d'))?.ratings).toEqual({})
    expect(await ids({ stars: 3 })).toBe('ba')
    expect(await ids({ rejected: true })).toBe('cb')
    expect(await ids({ rejected: false })).toBe('dba')
    expect(await ids({ order: 'oldest' })).toBe('abcd')
    expect(await ids({ order: 'oldest', before: { timestamp: time(98), id: 'b' } })).toBe('cd')
    expect(await ids({ order: 'stars', words: ['prompt'] })).toBe('abdc')
    expect(await ids({ order: 'stars', before: { timestamp: time(98), id: 'b', value: 3 } })).toBe('dc')
    expect(await ids({ order: 'cost' })).toBe('cadb')
    expect(await ids({ order: 'cost', before: { timestamp: time(97), id: 'a', value: 0.5 } })).toBe('db')
    expect(await store.generations.count({})).toEqual({ generations: 4, images: 8 })
    expect(await store.generations.count({ words: ['nowhere'] })).toEqual({ generations: 0, images: 0 })
    expect(await store.generations.count({ stars: 4 })).toEqual({ generations: 1, images: 1 })
    expect(await store.generations.count({ rejected: false })).toEqual({ generations: 3, images: 5 })
    expect(await store.generations.count({ rejected: true })).toEqual({ generations: 2, images: 3 })
    // One more of a group of which all were rejected.
    await store.images.insert(image('c2', 'c', 2))
    expect(await ids({ rejected: false })).toBe('dcba')
  })

  test('finds a tag as a whole, whatever characters it has', async () => {
    for (const [id, tags] of Object.entries({
      one: ['ink', '山水'],
      two: ['inkwell', 'a "quoted" 100%'],
      three: ['Ink'],
    })) {
      await insert(id)
      await change(id, { tags })
    }
    const ids = async (tag: string) =>
      (await store.generations.list({ limit: 10, tag })).map(generation => generation.id)

    expect(await ids('ink')).toEqual(['one'])
    expect(await ids('山水')).toEqual(['one'])
    expect(await ids('山')).toEqual([])
    expect(await ids('a "quoted" 100%')).toEqual(['two'])
    expect(await ids('quoted')).toEqual([])
    expect(await ids(',')).toEqual([])
  })

  test('a call only moves forward, and the very same step twice is one', async () => {
    await insert('g')
    await insertCall('c', 'g', 1)
    const at = time(0)
    const step = { callId: 'c', generationId: 'g', at }
    const { ledger } = store
    const settlement = { outcome: 'made', charge: 'charged' } as const
    const unknown = { outcome: 'unknown', charge: 'unknown' } as const
    await ledger.send({ ...step, sentWith: null })
    await ledger.send({ ...step, sentWith: null })
    await expect(ledger.send({ ...step, at: time(1), sentWith: null })).rejects.toThrow('cannot move')
    await ledger.accept({ ...step, taskId: 'task-1', requestId: 'request-1', wasFound: false })
    await ledger.answer({ ...step, answer: { status: 200, complete: true, body: '{}' } })
    await expect(ledger.accept({ ...step, taskId: 'task-2', wasFound: false })).rejects.toThrow('cannot move')
    await ledger.settle({ callId: 'c', at, settlement })
    await ledger.settle({ callId: 'c', at, settlement })
    await expect(ledger.settle({ callId: 'c', at, settlement: unknown })).rejects.toThrow('cannot move')

    const call = await store.calls.find('c')

    expect(call).toMatchObject({
      state: 'settled',
      taskId: 'task-1',
      providerRequestId: 'request-1',
      outcome: 'made',
      charge: 'charged',
    })
    await expect(insertCall('d', 'g', 1)).rejects.toThrow()
  })

  test('stores one picture a position, however often it is offered', async () => {
    await insert('g')

    expect(await store.images.insert(image('i1', 'g', 0))).toBe(true)
    expect(await store.images.insert(image('i2', 'g', 0))).toBe(false)

    expect((await store.generations.find('g'))?.images.map(stored => stored.id)).toEqual(['i1'])
  })

  test('every change has a revision of its own, removals too', async () => {
    await insert('a')
    await insert('b')
    const seen = await store.generations.revision()
    await change('a', { favorite: true })
    await store.ledger.remove({ ids: ['b'] })

    const changed = await store.generations.changedSince(seen, 10)
    const removed = await store.generations.removedSince(seen, 10)

    expect(changed.map(generation => generation.id)).toEqual(['a'])
    expect(removed).toEqual([{ id: 'b', revision: (changed[0]?.revision ?? 0) + 1 }])
    expect(await store.generations.find('b')).toBeUndefined()
  })

  test('a key stands for one generation, also when it comes twice at once', async () => {
    const used = (id: string) => ({ key: 'k', bodyHash: 'h', generationId: id })

    const taken = await Promise.all([
      store.idempotency.insert(used('a'), time(0)),
      store.idempotency.insert(used('b'), time(0)),
    ])

    expect(taken.filter(Boolean)).toHaveLength(1)
  })

  test('nothing of a failed transaction stays', async () => {
    const call = { slot: 0, route: 'r', body: {}, images: 1, firstIndex: 0, mayMakeFewer: false, mayMove: false }
    const noCaps = { monthlyCap: null, monthlyImages: null }
    const work = store.ledger.create({
      generation: newGeneration('half'),
      // Two calls cannot be the first attempt of the same slot.
      calls: ['a', 'b'].map(id => ({ ...call, id, timeoutMs: 1000 })),
      images: 2,
      references: [],
      cost: null,
      candidates: [{ configId: 'c', warnings: [] }],
      spenderId: null,
      fixedCaps: { all: noCaps, configurations: {} },
    })

    await expect(work).rejects.toThrow(/unique/i)
    expect(await store.generations.find('half')).toBeUndefined()
  })

  test('another secret is refused before anything is changed; sealed anew, only the new one opens it', async () => {
    const other = createSeal('another secret, just as long')
    const values = { name: 'Mine', provider: 'doubao', created_at: time(0), updated_at: time(0) }
    const sealed = seal.seal('the-key', 'configurations/c')
    await database.kysely
      .insertInto('configurations')
      .values({ id: 'c', api_key: sealed, is_active: 1, ...values } as never)
      .execute()
    await database.close()
    await expect(openDatabase(location, other)).rejects.toThrow('SECRET_KEY is not the one')

    database = await openDatabase(location, seal)
    expect(await sealAnew(database, other, { dropUnreadable: false })).toEqual({ sealed: 1, dropped: [] })
    await database.close()

    await expect(openDatabase(location, seal)).rejects.toThrow('SECRET_KEY is not the one')
    database = await openDatabase(location, [
      { seal, keep: () => expect.fail('the old one') },
      { seal: other, keep() {} },
    ])
    const [row] = await database.kysely.selectFrom('configurations').select('api_key').execute()
    expect(database.seal.open(row?.api_key ?? '', 'configurations/c')).toBe('the-key')
  })

  test('a second process is kept out until the first has ended', async () => {
    await expect(openDatabase(location, seal)).rejects.toThrow(/in use by another|already using/)

    await database.close()
    database = await openDatabase(location, seal)

    expect(await store.generations.revision().catch(() => 'closed')).toBe('closed')
    expect(await createStore(database).generations.revision()).toBe(0)
  })

  function insert(id: string, options: Partial<NewGeneration> = {}) {
    return insertGeneration(database.kysely, { ...newGeneration(id), ...options })
  }

  function change(id: string, change: GenerationChange) {
    return inTransaction(database.kysely, transaction => changeGeneration(transaction, id, change))
  }

  function insertCall(id: string, generationId: string, attempt: number) {
    return writeCall(database.kysely, {
      ...{ id, generationId, slot: 0, attempt, provider: 'doubao', configId: 'c', model: 'm', route: 'r', body: {} },
      ...{ images: 1, firstIndex: 0, mayMakeFewer: false, mayMove: false, timeoutMs: 1000, notBefore: null },
    })
  }
})

function newGeneration(id: string): NewGeneration {
  return {
    ...{ id, prompt: 'a prompt', timestamp: time(0), provider: 'doubao', model: 'm', configId: 'c' },
    ...{ parameters: {}, resolved: {}, warnings: [], ownerId: null, retryOf: null, requestId: 'r' },
  }
}

function image(id: string, generationId: string, index: number) {
  return {
    ...{
      id,
      role: 'result' as const,
      generationId,
      callId: null,
      index,
      file: `${id}.png`,
      width: 1,
      height: 1,
      bytes: 1,
    },
    ...{ mimeType: 'image/png', sha256: id, createdAt: time(0), details: null },
  }
}

function time(seconds: number) {
  return new Date(Date.UTC(2026, 10, 1, 8, 0, seconds)).toISOString()
}
