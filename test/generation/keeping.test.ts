/** Pictures that were paid for are kept, whatever happens on the way from the service to the disk. */
import { fdatasync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Generation } from '../../src/api/generations.ts'
import type { Fault } from '../../src/simulators/faults.ts'
import { startApp, type TestApp } from '../support/app.ts'

const small = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }

test('a request that the disk did not confirm waits, and nobody is told to send it again as if it were not there', async () => {
  let isFailing = false
  const app = await startApp({
    async syncJournal(descriptor) {
      if (isFailing) throw new Error('EIO: i/o error, fdatasync')
      await promisify(fdatasync)(descriptor)
    },
  })

  isFailing = true
  const answer = await app.call('POST', '/api/generate', small, { prefer: 'respond-async' })

  expect(answer).toMatchObject({
    status: 507,
    body: { code: 'storage_failed', detail: expect.stringContaining('Check what exists before you retry') },
  })
  const [made] = (await app.call('GET', '/api/history')).body.items
  expect(app.doubao.billed).toEqual([])
  isFailing = false
  expect(await end(app, made.id)).toMatchObject({ status: 'succeeded', charge: 'charged' })
  expect(app.doubao.billed).toHaveLength(1)
})

describe('a result that cannot be fetched', () => {
  test('is fetched again until it is there', async () => {
    const app = await startApp()
    app.doubao.misbehave({ kind: 'download', how: '500' }, { times: 4 })

    const generation = await app.generate(small)

    expect(generation).toMatchObject({ status: 'succeeded', charge: 'charged', waiting: null })
    expect(app.doubao.requests.filter(request => request.method === 'POST')).toHaveLength(1)
  })

  test('for a minute: whoever waits gets the record meanwhile, and the generation goes on by itself', async () => {
    const app = await startApp()
    app.doubao.misbehave({ kind: 'download', how: '500' }, { times: 12 })

    const answer = await app.call('POST', '/api/generate', small)

    expect(answer).toMatchObject({
      status: 202,
      body: { status: 'running', charge: 'charged', waiting: expect.stringMatching(/not stored yet/) },
    })
    expect(await end(app, answer.body.id)).toMatchObject({ status: 'succeeded', waiting: null })
  })

  test('again, after the disk did not take it, is stored from its first copy', async () => {
    const app = await startApp()
    const inTheWay = path.join(app.dataDir, 'images', String(new Date().getUTCFullYear()))
    await rm(inTheWay, { recursive: true, force: true })
    await writeFile(inTheWay, 'a file where a folder has to be')
    const started = await app.generate(small, { prefer: 'respond-async' })
    await waitFor(app, started.id, ({ waiting }) => /not stored yet/.test(waiting ?? ''))

    app.doubao.expireUrls()
    await expect.poll(() => app.doubao.requests.some(({ status }) => status === 403), { interval: 5 }).toBe(true)
    await rm(inTheWay)

    expect(await end(app, started.id)).toMatchObject({ status: 'succeeded', charge: 'charged', warnings: [] })
  })

  test('again, after only its name was not made durable, is found where it lies', async () => {
    let isFailing = true
    const app = await startApp({
      async reached(point) {
        if (point !== 'picture-put' || !isFailing) return
        isFailing = false
        app.doubao.expireUrls()
        throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' })
      },
    })

    expect(await app.generate(small)).toMatchObject({ status: 'succeeded', charge: 'charged', warnings: [] })
  })

  test('and whose address has expired is given up with a word about the money', async () => {
    const app = await startApp({ urlLifetimeSeconds: 1 })
    app.doubao.misbehave({ kind: 'download', how: '403' }, { times: 1000 })

    const answer = await app.call('POST', '/api/generate', small, { prefer: 'respond-async' })
    const generation = await end(app, answer.body.id)

    expect(generation).toMatchObject({ status: 'failed', charge: 'charged', error: { code: 'storage_failed' } })
  })

  test('because it is no picture for a long time is given up, and the answer is kept for a look', async () => {
    const app = await startApp()
    app.doubao.misbehave({ kind: 'download', how: 'not-a-picture' }, { times: 1000 })

    const started = await app.generate(small, { prefer: 'respond-async' })
    const generation = await end(app, started.id)

    expect(generation).toMatchObject({ status: 'failed', charge: 'charged', error: { code: 'provider_rejected' } })
    const [call] = await app.app.store.calls.ofGeneration(started.id)
    expect(call?.answer?.body).toContain('"url"')
  })

  test('because it is no picture for a while is fetched again', async () => {
    const app = await startApp()
    app.doubao.misbehave({ kind: 'download', how: 'not-a-picture' }, { times: 3 })

    expect(await app.generate(small)).toMatchObject({ status: 'succeeded', charge: 'charged' })
  })

  test('after the server was stopped is fetched at the next start', async () => {
    const app = await startApp()
    app.doubao.misbehave({ kind: 'download', how: '500' }, { times: 1_000_000 })
    const started = await app.generate(small, { prefer: 'respond-async' })
    await waitFor(app, started.id, generation => generation.waiting !== null)

    app.doubao.reset()
    await app.restart()

    expect(await end(app, started.id)).toMatchObject({ status: 'succeeded', charge: 'charged' })
    expect(app.doubao.requests.filter(request => request.method === 'POST')).toEqual([])
  })
})

test('a task is followed on after a restart', async () => {
  const app = await startApp()
  app.qwen.holdTasks('RUNNING')
  const started = await app.generate(
    { prompt: 'a boat', model: 'wan2.7-image', parameters: { size: '768x768', n: 2 } },
    { prefer: 'respond-async' },
  )
  await waitFor(app, started.id, () => app.qwen.tasks().length === 1)

  await app.restart()
  app.qwen.releaseTasks()

  expect(await end(app, started.id)).toMatchObject({ status: 'succeeded', images: [{}, {}] })
  expect(app.qwen.requests.filter(request => request.method === 'POST')).toHaveLength(1)
})

test.each<[string, Fault]>([
  ['a page of a gateway', { kind: 'status', status: 502, body: '<html></html>', billed: true }],
  ['a deadline of a gateway', { kind: 'status', status: 504, body: '', billed: true }],
  ['a deadline as old pages have it', { kind: 'status', status: 408, body: '', billed: true }],
  ['a page that says all is well', { kind: 'garbage', body: '<html>welcome</html>', billed: true }],
  ['JSON without a task', { kind: 'garbage', body: '{"request_id":"x"}', billed: true }],
])('a task whose id was lost behind %s is found in the list and followed', async (_, fault) => {
  const app = await startApp()
  app.qwen.misbehave(fault)

  const generation = await app.generate({ prompt: 'a boat', model: 'wan2.7-image', parameters: { size: '768x768' } })

  // The picture is there; that the task was ours is not proved, so nobody says what it cost.
  expect(generation).toMatchObject({ status: 'succeeded', charge: 'unknown', images: [{}] })
  expect(app.qwen.requests.filter(request => request.method === 'POST')).toHaveLength(1)
  expect(app.qwen.billed).toHaveLength(1)
})

test('a pending task is cancelled at the service, and nothing is charged', async () => {
  const app = await startApp()
  app.qwen.holdTasks('PENDING')
  const started = await app.generate(
    { prompt: 'a boat', model: 'wan2.7-image', parameters: { size: '768x768' } },
    { prefer: 'respond-async' },
  )
  await waitFor(app, started.id, () => app.qwen.tasks().length === 1)

  const cancelled = await app.call('POST', `/api/history/${started.id}/cancel`)

  expect(cancelled).toMatchObject({ status: 202, body: { cancel_requested: true } })
  expect(await end(app, started.id)).toMatchObject({ status: 'cancelled', charge: 'none', images: [] })
  expect(app.qwen.billed).toEqual([])
  expect(await app.call('POST', `/api/history/${started.id}/cancel`)).toMatchObject({
    status: 409,
    body: { code: 'conflict' },
  })
})

test('a cancel that is answered just before a request is noted as sent keeps it back', async () => {
  const [isReached, isCancelled] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const app = await startApp({
    async reached(point) {
      if (point !== 'before-sending') return
      isReached.resolve()
      await isCancelled.promise
    },
  })
  const started = await app.generate(small, { prefer: 'respond-async' })
  await isReached.promise

  const cancelled = await app.call('POST', `/api/history/${started.id}/cancel`)
  isCancelled.resolve()

  expect(cancelled).toMatchObject({ status: 202, body: { status: 'queued', cancel_requested: true } })
  expect(await end(app, started.id)).toMatchObject({ status: 'cancelled', charge: 'none' })
  expect(app.doubao.requests.filter(request => request.method === 'POST')).toEqual([])
})

test('a task that is running already is collected although it was cancelled, because it was paid for', async () => {
  const app = await startApp()
  app.qwen.holdTasks('RUNNING')
  const started = await app.generate(
    { prompt: 'a boat', model: 'wan2.7-image', parameters: { size: '768x768' } },
    { prefer: 'respond-async' },
  )
  await waitFor(app, started.id, () => app.qwen.tasks().some(task => task.status === 'RUNNING'))

  await app.call('POST', `/api/history/${started.id}/cancel`)
  app.qwen.releaseTasks()

  expect(await end(app, started.id)).toMatchObject({
    status: 'succeeded',
    charge: 'charged',
    cancel_requested: true,
    images: [{}],
  })
})

describe('an Idempotency-Key', () => {
  const key = { 'idempotency-key': 'order-4711' }

  test('that comes many times at once makes one generation', async () => {
    const app = await startApp()

    const made = await Promise.all(Array.from({ length: 8 }, () => app.generate(small, key)))

    expect(new Set(made.map(generation => generation.id)).size).toBe(1)
    expect(app.doubao.billed).toHaveLength(1)
  })

  test('is remembered over a restart, whatever the order of the members', async () => {
    const app = await startApp()
    const first = await app.generate(small, key)
    await app.restart()

    const { prompt, ...rest } = small
    const second = await app.generate({ ...rest, prompt }, key)

    expect(second.id).toBe(first.id)
    expect(app.doubao.billed).toHaveLength(1)
  })

  test('with another body is refused', async () => {
    const app = await startApp()
    await app.generate(small, key)

    const answer = await app.call('POST', '/api/generate', { ...small, prompt: 'another' }, key)

    expect(answer).toMatchObject({ status: 422, body: { code: 'idempotency_mismatch' } })
  })

  test('is not used up by a request that was refused before it was recorded', async () => {
    const app = await startApp()
    await app.call('POST', '/api/generate', { ...small, parameters: { n: 99 } }, key)

    expect((await app.call('POST', '/api/generate', small, key)).status).toBe(200)
  })

  test('of a deleted generation is gone', async () => {
    const app = await startApp()
    const made = await app.generate(small, key)
    await app.call('DELETE', `/api/history/${made.id}`)

    expect(await app.call('POST', '/api/generate', small, key)).toMatchObject({ status: 410, body: { code: 'gone' } })
  })
})

test('deleting removes the files too, and a running generation cannot be deleted', async () => {
  const app = await startApp()
  const made = await app.generate(small)
  app.qwen.holdTasks('PENDING')
  const running = await app.generate(
    { prompt: 'a boat', model: 'wan2.7-image', parameters: { size: '768x768' } },
    { prefer: 'respond-async' },
  )

  const answers = [
    await app.call('DELETE', `/api/history/${running.id}`),
    await app.call('DELETE', `/api/history/${made.id}`),
  ]

  expect(answers.map(answer => answer.status)).toEqual([409, 204])
  expect((await fetch(`${app.url}${made.images[0]?.url}`)).status).toBe(404)
  const cleared = await app.call('DELETE', '/api/history')
  expect(cleared).toMatchObject({ status: 200, body: { deleted: 0 } })
  expect((await app.call('GET', `/api/history/${running.id}`)).status).toBe(200)
})

test('a file that went missing is a clear answer, and the server lives', async () => {
  const app = await startApp()
  const made = await app.generate(small)
  await rm(path.join(app.dataDir, 'images'), { recursive: true, maxRetries: 20 })

  const answer = await app.call('GET', made.images[0]?.url ?? '')

  expect(answer).toMatchObject({ status: 404, body: { code: 'not_found', detail: expect.stringMatching(/missing/) } })
  expect((await app.call('GET', '/health')).status).toBe(200)
})

test('a picture store that cannot be written to is told by the status, and the generation ends when it can', async () => {
  const app = await startApp()
  const images = path.join(app.dataDir, 'images')
  await rm(images, { recursive: true, maxRetries: 20 })
  await writeFile(images, 'a file in place of the folder')
  const started = await app.generate(small, { prefer: 'respond-async' })
  await waitFor(app, started.id, generation => generation.waiting !== null)

  const status = await app.call('GET', '/api/status')
  const readiness = await app.call('GET', '/ready')
  await rm(images)

  expect(status.body).toMatchObject({ storage: { state: 'failing' }, queue: { state: 'waiting' } })
  expect(readiness).toMatchObject({
    status: 503,
    body: { code: 'not_ready', detail: expect.stringMatching(/^The picture store cannot be written\. GET/) },
  })
  expect(await end(app, started.id)).toMatchObject({ status: 'succeeded', waiting: null })
  await expect.poll(async () => (await app.call('GET', '/ready')).status).toBe(200)
  expect(app.doubao.billed).toHaveLength(1)
})

test('a database whose file is gone is told by the readiness, and not where it was', async () => {
  const app = await startApp()
  expect(await app.call('GET', '/ready')).toMatchObject({ status: 200, body: { status: 'ok' } })
  await rm(path.join(app.dataDir, 'chat_history.db'))

  await expect
    .poll(async () => (await app.call('GET', '/ready')).body)
    .toMatchObject({ code: 'not_ready', detail: 'The database cannot be written. GET /api/status says why.' })
  expect((await app.call('GET', '/health')).status).toBe(200)
})

/** The last state that the stream of events tells. */
async function end(app: TestApp, id: string): Promise<Generation> {
  const response = await fetch(`${app.url}/api/history/${id}/events`)
  const data = [...(await response.text()).matchAll(/^data: (.*)$/gm)].at(-1)?.[1]
  return JSON.parse(data ?? 'null')
}

/** Looks at each state that the stream of events tells until one is as wished. */
async function waitFor(app: TestApp, id: string, isAsWished: (generation: Generation) => boolean) {
  await expect
    .poll(async () => isAsWished((await app.call('GET', `/api/history/${id}`)).body), { interval: 5 })
    .toBe(true)
}
