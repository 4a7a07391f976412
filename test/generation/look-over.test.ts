/** What is looked at in the background after a start: whether the database is whole, and files and rows agree. */

import { closeSync, existsSync, openSync, writeSync } from 'node:fs'
import { cp, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

test('files of stored pictures that are gone are counted while the server answers', async () => {
  const app = await startApp({ lookOverAfterMs: 0 })
  await app.generate({ prompt: 'a boat' })

  await app.restart()
  await expect.poll(() => readCheck(app)).toEqual({ state: 'done', images: 1, checked: 1, missing: 0 })

  await app.restart(() => rm(path.join(app.dataDir, 'images'), { recursive: true }))
  await expect.poll(() => readCheck(app)).toEqual({ state: 'done', images: 1, checked: 1, missing: 1 })
})

test('files that a deletion has left are removed, those that nobody knows are not', async () => {
  const app = await startApp({ lookOverAfterMs: 0 })
  const { id } = await app.generate({ prompt: 'a boat' })
  const images = path.join(app.dataDir, 'images')
  const before = path.join(app.dataDir, 'before')
  await cp(images, before, { recursive: true })
  const month = path.join(images, new Date().toISOString().slice(0, 7).replace('-', '/'))
  await app.call('DELETE', `/api/history/${id}`)
  expect(await readdir(month)).toEqual([])

  await app.restart(async () => {
    await cp(before, images, { recursive: true })
    await writeFile(path.join(month, 'nobody.png'), 'something')
  })
  await expect.poll(() => readCheck(app)).toMatchObject({ state: 'done', missing: 0 })

  expect(await readdir(month)).toEqual(['nobody.png'])
})

test('a database that was damaged after an orderly end is noticed, and nothing more is sent', async () => {
  const app = await startApp({ lookOverAfterMs: 0 })
  await app.generate({ prompt: 'a boat' })
  const billed = app.doubao.billed.length

  await app.restart(() => damage(path.join(app.dataDir, 'chat_history.db')))
  await expect.poll(() => readCheck(app)).toMatchObject({ state: 'failed' })

  const { body } = await app.call('GET', '/api/status')
  expect(body.database).toMatchObject({ state: 'failing', detail: expect.stringContaining('is damaged') })
  expect((await app.call('POST', '/api/generate', { prompt: 'another' })).status).toBe(507)
  expect(app.doubao.billed).toHaveLength(billed)
})

test('a server that was not looked over yet says so, and answers', async () => {
  const app = await startApp({ lookOverAfterMs: 3_600_000 })
  await app.generate({ prompt: 'a boat' })

  await app.restart()

  const { status, body } = await app.call('GET', '/api/status')
  expect([status, body.check.state]).toEqual([200, 'waiting'])
})

async function readCheck(app: TestApp) {
  return (await app.call('GET', '/api/status')).body.check
}

/** Overwrites an index that a start does not use. */
async function damage(file: string) {
  expect(existsSync(`${file}-wal`)).toBe(false)
  const database = new DatabaseSync(file, { readOnly: true })
  const { rootpage } = database.prepare("select rootpage from sqlite_master where name = 'images_role'").get()!
  const { page_size: size } = database.prepare('pragma page_size').get()!
  database.close()
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.alloc(Number(size), 0xff), 0, Number(size), (Number(rootpage) - 1) * Number(size))
  closeSync(descriptor)
}
