import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '../../src/storage/database.ts'
import { createSeal } from '../../src/storage/secrets/seal.ts'
import { createStore } from '../../src/storage/store.ts'

const seal = createSeal('a secret of this test, long enough')
let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'webimgui-old-'))
  file = path.join(folder, 'chat_history.db')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function writeOldDatabase() {
  const old = new DatabaseSync(file)
  old.exec(`
    create table configurations (id integer primary key, name varchar, provider varchar, api_key varchar, model varchar, is_active boolean);
    create table chat_history (id integer primary key, prompt text, image_urls text, timestamp datetime, model varchar, parameters text);
    insert into configurations values (1, '豆包', 'doubao', 'plain-key-0001', 'doubao-seedream-4-0-250828', 1), (2, 'Qwen', 'Qwen', 'sk-plain-0002', null, 0);
    insert into chat_history values
      (1, '一只猫', '["https://old.example.com/a.jpeg?sig=1"]', '2025-03-01 08:09:10.123456', 'doubao-seedream-4-0-250828', '{"size": "1024x1024"}'),
      (2, 'a dog', 'https://old.example.com/b.png', '2025-03-02T08:00:00+08:00', 'qwen-image', 'not json'),
      (3, 'nothing', null, null, null, null);
  `)
  old.close()
}

test('takes over a database that has only the old columns, and keeps a copy of it', async () => {
  writeOldDatabase()

  const database = await openDatabase({ kind: 'sqlite', path: file }, seal)
  const store = createStore(database)
  const history = await store.generations.list({ limit: 10 })
  const configurations = await store.configurations.list()
  await database.close()

  expect(history.map(({ id, timestamp }) => ({ id, timestamp }))).toEqual([
    { id: '2', timestamp: '2025-03-02T00:00:00.000Z' },
    { id: '1', timestamp: '2025-03-01T08:09:10.123Z' },
    { id: '3', timestamp: '1970-01-01T00:00:00.000Z' },
  ])
  expect(history[1]).toMatchObject({
    ...{ prompt: '一只猫', provider: 'doubao', status: 'succeeded', charge: 'unknown', cost: null, images: [] },
    ...{ oldImageUrls: ['https://old.example.com/a.jpeg?sig=1'], parameters: { size: '1024x1024' } },
  })
  expect(history[0]).toMatchObject({
    provider: 'qwen',
    oldImageUrls: ['https://old.example.com/b.png'],
    parameters: {},
  })
  const doubao = configurations.find(configuration => configuration.id === '1')
  expect(doubao).toMatchObject({ name: '豆包', provider: 'doubao', isActive: true, keyHint: '0001' })
  expect(seal.open(doubao?.sealedKey ?? '', 'configurations/1')).toBe('plain-key-0001')
  expect(configurations.find(configuration => configuration.id === '2')).toMatchObject({
    provider: 'qwen',
    isActive: false,
    model: null,
  })
  const copy = path.join(folder, readdirSync(folder).find(name => name.includes('.before-')) ?? 'no copy')
  expect(
    new DatabaseSync(copy, { readOnly: true }).prepare('select count(*) as count from chat_history').get(),
  ).toEqual({ count: 3 })
})

test('a takeover that breaks off leaves the old rows where they were, and the next start takes them over', async () => {
  writeOldDatabase()
  let sealed = 0
  const breaking: typeof seal = {
    ...seal,
    seal(plain, place) {
      if (++sealed === 2) throw new Error('the power went off')
      return seal.seal(plain, place)
    },
  }
  await expect(openDatabase({ kind: 'sqlite', path: file }, breaking)).rejects.toThrow(
    /the power went off.*Nothing was changed/,
  )
  // A service manager that starts it again and again must not fill the disk with copies.
  expect(readdirSync(folder).filter(name => name.includes('.before-'))).toEqual([])

  const database = await openDatabase({ kind: 'sqlite', path: file }, seal)
  const store = createStore(database)
  const [history, configurations] = [await store.generations.list({ limit: 10 }), await store.configurations.list()]
  await database.close()

  expect([history.length, configurations.length]).toEqual([3, 2])
})

test('takes what other programs write: large ids, the same id twice, JSON as bytes, seconds, and objects with addresses', async () => {
  const old = new DatabaseSync(file)
  old.exec(`
    create table configurations (id bigint, name text, provider text, api_key text, model text, is_active text);
    create table chat_history (id bigint, prompt text, image_urls blob, timestamp, model text, parameters blob);
    insert into configurations values
      (1790000000000000001, '方舟', '火山引擎', 'plain-key-0001', null, 'True'), (1790000000000000002, 'b', 'DashScope', null, null, 'f'),
      (1790000000000000003, 'c', '通义千问', ' sk-plain-0003 ', null, 't'), (4, 'd', 'midjourney', 'plain-key-0004', null, 1);
    insert into chat_history values
      (1790000000000000001, '月', cast('["https://old.example.com/a.png"]' as blob), 1735689600.5, 'wan2.2-t2i', cast('{"n":1}' as blob)),
      (1790000000000000001, '月', '[{"url":"https://old.example.com/b.png"},{"b64":1}]', 1735689601000, 'ep-1', '[]'),
      (null, '猫', '', 1735689602000000, 'flux', null), (7, x'e7bbb4', null, 1735689603000000000, null, null),
      (8, 'a', null, '2025-01-01 08:00:04+08', null, null), (9, 'b', null, 'yesterday', null, null);
  `)
  old.close()

  const database = await openDatabase({ kind: 'sqlite', path: file }, seal)
  const store = createStore(database)
  const history = await store.generations.list({ limit: 10 })
  const configurations = await store.configurations.list()
  await database.close()

  expect(
    history.map(({ prompt, timestamp, provider, oldImageUrls }) => [prompt, timestamp, provider, oldImageUrls]),
  ).toEqual([
    ['a', '2025-01-01T00:00:04.000Z', null, []],
    ['维', '2025-01-01T00:00:03.000Z', null, []],
    ['猫', '2025-01-01T00:00:02.000Z', null, []],
    ['月', '2025-01-01T00:00:01.000Z', 'doubao', ['https://old.example.com/b.png', '{"b64":1}']],
    ['月', '2025-01-01T00:00:00.500Z', 'qwen', ['https://old.example.com/a.png']],
    ['b', '1970-01-01T00:00:00.000Z', null, []],
  ])
  expect(new Set(history.map(({ id }) => id)).size).toBe(6)
  expect(history[4]?.id).toBe('1790000000000000001')
  expect(configurations.map(({ id, provider, isActive, keyHint }) => [id, provider, isActive, keyHint]).sort()).toEqual(
    [
      ['1790000000000000001', 'doubao', true, '0001'],
      ['1790000000000000002', 'qwen', false, null],
      ['1790000000000000003', 'qwen', true, '0003'],
      ['4', 'midjourney', true, '0004'],
    ],
  )
})

test('no plain key is left in the database that was taken over', async () => {
  writeOldDatabase()

  const database = await openDatabase({ kind: 'sqlite', path: file }, seal)
  await database.close()

  const bytes = readdirSync(folder)
    .filter(name => !name.includes('.before-'))
    .map(name => readFileSync(path.join(folder, name), 'latin1'))
    .join('')
  expect(bytes.includes('plain-key-0001')).toBe(false)
})

test('only a database with rows tells how far its migration is', async () => {
  const linesOf = async (name: string) => {
    const lines: string[] = []
    const onProgress = (line: { en: string }) => void lines.push(line.en)
    await (await openDatabase({ kind: 'sqlite', path: path.join(folder, name) }, seal, { onProgress })).close()
    return lines
  }
  expect(await linesOf('new.db')).toEqual([])
  writeOldDatabase()
  expect(await linesOf('chat_history.db')).toContain('The history gets its indexes.')
})

test('an opened database is not copied or changed again', async () => {
  writeOldDatabase()
  await (await openDatabase({ kind: 'sqlite', path: file }, seal)).close()

  const database = await openDatabase({ kind: 'sqlite', path: file }, seal)
  await database.close()

  expect(database.backupPath).toBeUndefined()
  expect(readdirSync(folder).filter(name => name.includes('.before-'))).toHaveLength(1)
})

test('a file that is no database is left alone, with a sentence that says what to do', async () => {
  writeFileSync(file, 'this is a text, long enough to be no empty database file, and surely not SQLite')

  await expect(openDatabase({ kind: 'sqlite', path: file }, seal)).rejects.toThrow(
    /damaged or not an SQLite file.*Nothing was changed/,
  )

  expect(readFileSync(file, 'utf8')).toContain('this is a text')
})

test('a folder that cannot be made is one clear sentence', async () => {
  writeFileSync(path.join(folder, 'blocker'), '')

  const opening = openDatabase({ kind: 'sqlite', path: path.join(folder, 'blocker', 'chat_history.db') }, seal)

  await expect(opening).rejects.toThrow(/cannot be opened.*Check that the folder exists/)
})
