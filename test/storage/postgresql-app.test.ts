/** The whole program on PostgreSQL, as it is on SQLite. */
import { readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startApp } from '../support/app.ts'
import { maxWaitMs } from '../support/patience.ts'
import { createDatabase } from '../support/postgres.ts'
import { runProgram } from '../support/program.ts'

test('makes, finds, goes on after a restart and deletes', async () => {
  const app = await startApp({ environment: { DATABASE_URL: await createDatabase() } })
  const group = {
    prompt: '四张图：春夏秋冬里的小舟 100%',
    model: 'doubao-seedream-4-0-20260415',
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

test('two who delete the same at once: one has deleted it, for the other it is gone', async () => {
  const app = await startApp({ environment: { DATABASE_URL: await createDatabase() } })
  const ids = (await Promise.all([1, 2, 3, 4].map(() => app.generate(image)))).map(({ id }) => id)
  const events = await fetch(`${app.url}/api/events`)

  const answers = await Promise.all(ids.flatMap(id => [1, 2, 3].map(() => app.call('DELETE', `/api/history/${id}`))))
  const cleared = await Promise.all([app.call('DELETE', '/api/history'), app.call('DELETE', '/api/history')])

  for (const [index] of ids.entries()) {
    const statuses = answers.slice(index * 3, index * 3 + 3).map(({ status }) => status)
    expect(statuses.sort()).toEqual([204, 404, 404])
  }
  expect(cleared.map(({ body }) => body)).toEqual([{ deleted: 0 }, { deleted: 0 }])
  await events.body?.cancel()
})

test('whoever does the same at once as somebody else is told what is, and never that the server broke', async () => {
  const app = await startApp({ environment: { DATABASE_URL: await createDatabase() } })
  const three = <T>(work: () => Promise<T>) => Promise.all([work(), work(), work()])
  const upload = async () => {
    const form = new FormData()
    form.append('file', new Blob([oneImage]), 'one.png')
    return app.call('POST', '/api/images', form)
  }
  const statuses: number[] = []
  for (let round = 0; round < 12; round++) {
    const { id } = await app.generate(image)
    const other = { name: 'A', provider: 'openai', base_url: app.openai.baseUrl, api_key: 'a-key-of-this-test' }
    const config = await app.call('POST', '/api/config', other)
    const token = await app.call('POST', '/api/tokens', { name: 'A', role: 'member' })
    const [reference] = await three(upload)
    const answers = await Promise.all([
      three(() => app.call('DELETE', `/api/history/${id}`)),
      three(() => app.call('PATCH', `/api/history/${id}`, { favorite: true, tags: ['a'] })),
      three(() => app.call('POST', `/api/history/${id}/cancel`)),
      three(() => app.call('POST', `/api/history/${id}/retry`, {}, { prefer: 'respond-async' })),
      three(() => app.call('PUT', `/api/config/${config.body.id}`, { ...other, name: 'B' })),
      three(() => app.call('DELETE', `/api/config/${config.body.id}`)),
      three(() => app.call('DELETE', `/api/tokens/${token.body.id}`)),
      three(() => app.call('DELETE', `/images/${reference?.body.id}`)),
      three(upload),
      three(() => app.generate({ ...image, prompt: `round ${round}` }, { 'idempotency-key': `round ${round}` })),
    ])
    statuses.push(...answers.flatMap(all => all.map(answer => ('headers' in answer ? answer.status : 200))))
  }

  expect(statuses.filter(status => status >= 500)).toEqual([])
})

const image = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }
/** Of the database of the test: others share its PostgreSQL. */
const guardLocks = `pg_locks where locktype = 'advisory'
  and database = (select oid from pg_database where datname = current_database())`
const guardLost = `select pg_terminate_backend(pid) from ${guardLocks} and granted`

test('the doctor looks beside a running server, and mends when it is stopped', async () => {
  const app = await startApp({ environment: { DATABASE_URL: await createDatabase() } })
  const { images } = await app.generate(image)
  const folder = path.join(app.dataDir, 'images')
  const isStored = (name: string) => name.endsWith(`${images[0]?.id}.jpg`) || name.endsWith(`${images[0]?.id}.jpeg`)
  const [file = ''] = readdirSync(folder, { recursive: true }).map(String).filter(isStored)
  rmSync(path.join(folder, file))
  const examine = () => runProgram('doctor', { dataDir: app.dataDir, environment: app.environment })

  const beside = await examine()
  const stillMade = await app.generate(image)
  await app.stop()
  const alone = await examine()

  expect([beside.code, beside.output]).toEqual([1, expect.stringMatching(/server is running[\s\S]*missing 缺失: /)])
  expect(stillMade.status).toBe('succeeded')
  expect([alone.code, alone.output]).toEqual([0, expect.stringContaining('fetched again')])
})

test('a guard whose connection was cut is taken again', async () => {
  const { app, client, guards } = await startGuarded()
  const [first] = await guards()

  await client.query(guardLost)

  await vi.waitFor(async () => expect((await guards()).filter(guard => guard !== first)).toHaveLength(1), maxWaitMs)
  expect((await app.generate(image)).status).toBe('succeeded')
})

test('a guard that a former connection still has is no other server: the work goes on', async () => {
  const { app, client, holdGuard } = await startGuarded()
  const former = await holdGuard()

  expect((await app.generate(image)).status).toBe('succeeded')
  expect((await app.call('GET', '/api/status')).body.database).toMatchObject({ state: 'ok' })
  await former.end()

  await vi.waitFor(async () => {
    const { rows } = await client.query(`select 1 from ${guardLocks} and granted`)
    expect(rows).toHaveLength(1)
  }, maxWaitMs)
})

test('who lost the database to another server sends nothing any more, says so, and keeps what it waited for', async () => {
  const { app, client, guards, holdGuard } = await startGuarded()
  app.qwen.holdTasks('RUNNING')
  const task = { prompt: 'a boat', model: 'wan2.7-image', parameters: { size: '768x768' } }
  const { id } = await app.generate(task, { prefer: 'respond-async' })
  await vi.waitFor(async () => {
    expect((await client.query('select state from provider_calls')).rows).toEqual([{ state: 'accepted' }])
  }, maxWaitMs)

  const other = await holdGuard()
  // As the start of another server does it: its own id, and what was under way is given up.
  await client.query(`update meta set value = 'another' where name = 'owner'`)
  await client.query(`update provider_calls set state = 'settled', outcome = 'unknown', charge = 'unknown'`)
  await client.query(`update chat_history set status = 'failed', charge = 'unknown', finished_at = timestamp`)

  const taken = expect.stringMatching(/Another server has taken over/)
  expect((await app.call('GET', '/api/status')).body.database).toMatchObject({ state: 'failing', detail: taken })
  expect(await app.call('POST', '/api/generate', image)).toMatchObject({ status: 507, body: { detail: taken } })
  app.qwen.releaseTasks()
  await vi.waitFor(async () => {
    expect((await app.call('GET', `/api/history/${id}`)).body).toMatchObject({
      ...{ status: 'succeeded', charge: 'charged', images: [{}], error: null },
    })
  }, maxWaitMs)
  expect(app.doubao.requests).toEqual([])
  await other.end()
  await expect(guards()).resolves.toEqual([])
})

async function startGuarded() {
  const url = await createDatabase()
  const app = await startApp({ environment: { DATABASE_URL: url } })
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())
  /** The processes of PostgreSQL that hold it. */
  const guards = async (): Promise<number[]> =>
    (await client.query(`select pid from ${guardLocks} and granted`)).rows.map(({ pid }) => pid)
  /** Cuts the guard, and takes it before the server comes back for it. */
  const holdGuard = async () => {
    const { rows } = await client.query(`select classid, objid from ${guardLocks} and granted`)
    const other = new pg.Client({ connectionString: url })
    await other.connect()
    onTestFinished(() => other.end())
    const taken = other.query('select pg_advisory_lock($1)', [rows[0].classid * 2 ** 32 + rows[0].objid])
    await vi.waitFor(async () => {
      const waiting = await client.query(`select 1 from ${guardLocks} and not granted`)
      expect(waiting.rowCount).toBe(1)
    }, maxWaitMs)
    await client.query(guardLost)
    await taken
    return other
  }
  return { app, client, guards, holdGuard }
}

/** 64 by 64 pixels of one colour. */
const oneImage = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAn0lEQVRoge2SQQkAQRDD6qkmT0tUroh7hIFCBKSh6cdpoht0A9ArdhfiLtENugHoFbsLcZfoBt0A9IrdhbhLdINuAHrF7kLcJbpBNwC9Ynch7hLdoBuAXrG7EHeJbtANQK/YXYi7RDfoBqBX7C7EXaIbdAPQK3YX4i7RDboB6BW7C3GX6AbdAPSK3YW4S3SDbgB6xe5C3CW6QTcAveIfHkv+UUtCWarsAAAAAElFTkSuQmCC',
  'base64',
)
