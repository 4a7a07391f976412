import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '../../src/storage/database.ts'
import { createSeal } from '../../src/storage/seal.ts'
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
