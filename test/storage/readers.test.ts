/** What takes long is read in other threads: the event loop only waits for them. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createReaders, type Readers } from '../../src/storage/sqlite/readers.ts'

let file: string
let writer: DatabaseSync
let readers: Readers
let threads: Worker[]

beforeEach(() => {
  file = path.join(mkdtempSync(path.join(tmpdir(), 'webimgui-')), 'test.db')
  writer = new DatabaseSync(file)
  writer.exec('pragma journal_mode = wal; create table numbers (n integer)')
  threads = []
  readers = createReaders(file, `${file}.search`, thread => threads.push(thread))
})

afterEach(async () => {
  await readers.close()
  writer.close()
})

/** Counts so long that something else gets its turn meanwhile. */
const long =
  'with recursive c(n) as (select 1 union all select n + 1 from c where n < 3000000) select max(n) as n from c'

test('what was committed is seen by the next question', async () => {
  for (let n = 1; n <= 50; n++) {
    writer.prepare('insert into numbers values (?)').run(n)

    expect(await readers.ask('select count(*) as count, max(n) as last from numbers', [])).toEqual([
      { count: n, last: n },
    ])
  }
})

test('a long question leaves the event loop free and lets short ones pass', async () => {
  // Both threads are there.
  await Promise.all([readers.ask(long, []), readers.ask(long, [])])
  const order: string[] = []
  const first = readers.ask(long, []).then(() => order.push('long'))
  const second = readers.ask('select 1 as n', []).then(() => order.push('short'))
  let turns = 0
  const turning = setInterval(() => turns++, 1)

  await Promise.all([first, second])
  clearInterval(turning)

  expect(order).toEqual(['short', 'long'])
  expect(turns).toBeGreaterThan(0)
})

test('values come as node:sqlite gives them, errors with their code', async () => {
  const rows = await readers.ask("select ? as t, 0.5 as r, null as n, 9007199254740991 as i, 'ä𠮷\"' as u", ['x'])

  expect(rows).toEqual([{ t: 'x', r: 0.5, n: null, i: 9007199254740991, u: 'ä𠮷"' }])
  await expect(readers.ask('select * from nowhere', [])).rejects.toMatchObject({
    code: 'ERR_SQLITE_ERROR',
    message: 'no such table: nowhere',
  })
  await expect(readers.ask('insert into numbers values (1)', [])).rejects.toMatchObject({ errcode: 8 })
})

test('a thread that dies is replaced, and its question asked again; after the end nothing is answered', async () => {
  const asked = Promise.all([1, 2, 3, 4].map(() => readers.ask(long, [])))
  const [first, second] = threads
  await Promise.all([first!.terminate(), second!.terminate()])

  expect((await asked).flat()).toEqual([1, 2, 3, 4].map(() => ({ n: 3_000_000 })))
  expect(threads).toHaveLength(4)
  await readers.close()
  await expect(readers.ask('select 1', [])).rejects.toThrow('has been closed')
})
