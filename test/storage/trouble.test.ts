/** What the embedded database says when it is damaged, full or locked. */
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../src/storage/database.ts'
import { insertGeneration } from '../../src/storage/ledger/generation-rows.ts'
import { createSeal } from '../../src/storage/secrets/seal.ts'
import { createStore } from '../../src/storage/store.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { databaseTrouble } from '../../src/storage/trouble.ts'

const seal = createSeal('a secret of this test, long enough')

test('damage in the middle is one sentence at the start after a server that did not end in order', async () => {
  const { file, database, insert } = await begin()
  await insert(500)
  await database.close()
  forgetEnd(file)
  const handle = await open(file, 'r+')
  const { size } = await handle.stat()
  await handle.write(Buffer.alloc(16_384, 0xab), 0, 16_384, Math.floor(size / 2))
  await handle.close()

  await expect(openDatabase({ kind: 'sqlite', path: file }, seal)).rejects.toThrow(
    /damaged or not an SQLite file \([^\n*]+\)\. Nothing was changed.*chat_history\.db-wal.*restore a backup/,
  )
})

test('a full disk is told as what it is, and nothing of the step stays', async () => {
  const { database, store, insert } = await begin()
  await sql`PRAGMA max_page_count = 1`.execute(database.kysely)

  const error = await insert(500).catch((error: unknown) => error)

  expect(error).toMatchObject({ message: 'database or disk is full' })
  expect(databaseTrouble(error)).toMatch(/full. Make room/)
  expect(await store.generations.list({ limit: 1 })).toEqual([])
})

test('the check proves that something can be written', async () => {
  const { file, database } = await begin()
  await database.check()
  const other = new DatabaseSync(file)
  const data = () => other.prepare('PRAGMA data_version').get()?.data_version
  const before = data()

  await database.check()

  expect(data()).not.toBe(before)
  other.exec('BEGIN IMMEDIATE')
  await expect(database.check()).rejects.toThrow(/locked/)
  other.close()
})

/** As if the server had been killed. */
function forgetEnd(file: string) {
  const handle = new DatabaseSync(file)
  expect(handle.prepare("delete from meta where name = 'ended'").run().changes).toBe(1)
  handle.close()
}

async function begin() {
  const folder = mkdtempSync(path.join(tmpdir(), 'webimgui-trouble-'))
  const file = path.join(folder, 'chat_history.db')
  const database = await openDatabase({ kind: 'sqlite', path: file }, seal)
  onTestFinished(async () => {
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const store = createStore(database)
  const insert = (count: number) =>
    inTransaction(database.kysely, async transaction => {
      for (let number = 0; number < count; number++) {
        await insertGeneration(transaction, {
          ...{ id: `g${number}`, prompt: 'long '.repeat(100), timestamp: new Date().toISOString() },
          ...{ provider: 'doubao', model: 'm', configId: 'c', ownerId: null, parameters: {}, resolved: {} },
          ...{ warnings: [], retryOf: null, requestId: 'r' },
        })
      }
    })
  return { file, database, store, insert }
}
