/** The whole program on PostgreSQL, as it is on SQLite. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'

let postgres: Postgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres.stop())

test('makes, finds, goes on after a restart and deletes', async () => {
  const app = await startApp({ environment: { DATABASE_URL: await postgres.createDatabase('whole') } })
  const group = {
    prompt: '四张图：春夏秋冬里的小舟 100%',
    model: 'doubao-seedream-4-0-250828',
    parameters: { size: '960x960', n: 4 },
  }
  const made = await app.generate(group, { 'idempotency-key': 'k' })
  app.qwen.holdTasks('RUNNING')
  const task = { prompt: 'a Boat', model: 'wan2.7-image', parameters: { size: '768x768' } }
  const running = await app.generate(task, { prefer: 'respond-async' })
  await app.restart()
  app.qwen.releaseTasks()
  const events = await (await fetch(`${app.url}/api/history/${running.id}/events`)).text()
  const find = async (query: string) =>
    (await app.call('GET', `/api/history?${query}`)).body.items.map((item: { id: string }) => item.id)

  expect(made).toMatchObject({ status: 'succeeded', charge: 'charged', images: [{}, {}, {}, {}] })
  expect(events).toContain('"status":"succeeded"')
  expect(await find(`q=${encodeURIComponent('舟 100%')}`)).toEqual([made.id])
  expect(await find('q=bOAT&provider=qwen&status=succeeded')).toEqual([running.id])
  expect(await find('limit=1')).toEqual([running.id])
  expect((await app.generate(group, { 'idempotency-key': 'k' })).id).toBe(made.id)
  expect((await app.call('GET', '/api/status')).body).toMatchObject({ database: { kind: 'postgresql', state: 'ok' } })
  expect((await app.call('DELETE', '/api/history')).body).toEqual({ deleted: 2 })
  expect(await find('')).toEqual([])
})
