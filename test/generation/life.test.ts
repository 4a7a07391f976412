/** The life of a model from the first word of its end to its heir, over HTTP. */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import path from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Model } from '../../src/api/models.ts'
import { doubaoKeys } from '../../src/simulators/doubao/keys.ts'
import { addOpenai, startApp, type TestApp, type TestOptions } from '../support/app.ts'
import { maxWaitMs } from '../support/patience.ts'

/** Stays on Ark as far as anybody knows, so that its end can be played. */
const model = 'doubao-seedream-4-0-20260415'
const heir = 'doubao-seedream-5-0-pro-260628'
const body = { prompt: 'a boat', model, parameters: { size: '2048x2048' } }
/** Where a key is tested the clock runs as it does. */
const real = { timeScale: 1 }

function startWith(options: TestOptions & { life?: object } = {}): Promise<TestApp> {
  const { life, ...rest } = options
  return startApp({
    ...rest,
    environment: { ...(life ? { MODELS_FILE: 'models.json' } : {}), ...rest.environment },
    beforeStart: dataDir =>
      writeFileSync(path.join(dataDir, 'models.json'), JSON.stringify({ items: [{ id: model, life }] })),
  })
}

/** Every name leads to this machine. */
const lookup: LookupFunction = (_host, options, callback) =>
  options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)

async function lifeOf(app: TestApp, id = model) {
  const { body } = await app.call('GET', '/api/models')
  return body.items.find((item: Model) => item.id === id)?.life
}

/** The record of one that fails, which a waiting client gets as a problem. */
async function refusedAs(app: TestApp, request: object) {
  const { status, body: problem } = await app.call('POST', '/api/generate', request)
  expect(status).toBeGreaterThanOrEqual(400)
  const { body: record } = await app.call('GET', `/api/history/${problem.generation_id}`)
  expect(problem).toMatchObject({ detail: record.error.message, reason_code: record.error.reason_code })
  return record
}

const estimate = (app: TestApp, id = model) => app.call('POST', '/api/estimate', { ...body, model: id })
const testKey = (app: TestApp, id = 'env-doubao') => app.call('POST', '/api/config/test', { id })

const inAMonth = new Date(Date.now() + 30 * 24 * 3600 * 1000).toISOString()
const announced = { announced_at: '2026-11-01T00:00+08:00', ends_at: inAMonth, successors: [heir], source: 'a notice' }

test('announced, retiring, ended, and then its heir: each is said before money moves', async () => {
  const app = await startWith({ ...real, life: announced })
  await app.call('POST', '/api/config', { name: 'mine', provider: 'doubao', api_key: doubaoKeys.good, model })
  const warnings = async () => (await estimate(app)).body.warnings
  const configuration = async () => (await app.call('GET', '/api/config')).body.items[0]
  const status = async () => (await app.call('GET', '/api/status')).body.ending.find((one: Model) => one.id === model)

  expect(await lifeOf(app)).toMatchObject({
    ...{ stage: 'announced', ends_at: inAMonth, successors: [heir], source: 'a notice', learned_at: null },
  })
  expect(await warnings()).toMatchObject([
    { code: 'model_ending', parameter: 'model', values: { stage: 'announced', ends_at: inAMonth, successor: heir } },
  ])
  expect(await configuration()).toMatchObject({ life: { stage: 'announced', ends_at: inAMonth } })
  expect(await status()).toMatchObject({ life: { stage: 'announced', successors: [heir] } })
  const made = await app.generate(body)
  expect(made).toMatchObject({ status: 'succeeded', model, warnings: [{ code: 'model_ending' }] })

  app.doubao.retire(model, 'Retiring')
  expect((await testKey(app)).body).toMatchObject({ ok: true })
  expect(await lifeOf(app)).toMatchObject({ stage: 'retiring', ends_at: inAMonth, learned_at: expect.any(String) })
  expect(await warnings()).toMatchObject([{ code: 'model_ending', values: { stage: 'retiring' } }])
  expect(await configuration()).toMatchObject({ life: { stage: 'retiring' } })
  expect(await app.generate(body)).toMatchObject({ status: 'succeeded' })

  // Nobody asks the list meanwhile: that it ended shows when it is refused, for nothing.
  app.doubao.retire(model, 'Shutdown')
  const billed = app.doubao.billed.length
  const refused = await refusedAs(app, body)
  expect(refused).toMatchObject({
    ...{ status: 'failed', model, charge: 'none', images: [] },
    error: {
      code: 'provider_rejected',
      provider_code: 'InvalidEndpointOrModel.NotFound',
      reason_code: 'model_ended',
      reason_values: { model, successor: heir, since: expect.any(String) },
      message: expect.stringMatching(
        /was retired on this host; it has been unavailable since .*does the same there\. Nothing was/,
      ),
    },
  })
  expect(app.doubao.billed).toHaveLength(billed)
  expect(await lifeOf(app)).toMatchObject({ stage: 'ended', ends_at: null, successors: [heir] })
  expect(await warnings()).toMatchObject([{ code: 'model_retired', values: { successor: heir } }])
  expect(await configuration()).toMatchObject({ life: { stage: 'ended', successors: [heir] } })
  expect(await status()).toMatchObject({ life: { stage: 'ended' } })
  // What was made with it says so as before.
  expect((await app.call('GET', `/api/history/${made.id}`)).body).toMatchObject({ model, status: 'succeeded' })

  const next = await app.generate({ ...body, model: refused.error.reason_values.successor })
  expect(next).toMatchObject({ status: 'succeeded', model: heir, warnings: [] })
  await app.call('PUT', `/api/config/${(await configuration()).id}`, { model: heir })
  expect(await configuration()).toMatchObject({ model: heir, life: { stage: 'current' } })
})

test('an ended model is sent as it was asked for, and to no other', async () => {
  const app = await startWith()
  app.doubao.retire(model, 'Shutdown')

  await refusedAs(app, body)

  const sent = app.doubao.requests.filter(({ path }) => path.endsWith('/images/generations'))
  expect(sent.map(({ body }) => (body as { model: string }).model)).toEqual([model])
})

describe('what the list says outranks what is written down', () => {
  test('a model that should have ended and is listed as offered is not ended, and may be the default again', async () => {
    const app = await startWith({ ...real, life: { ends_at: '2026-11-01T00:00+08:00', successors: [heir] } })
    expect(await lifeOf(app)).toMatchObject({ stage: 'ended', ended_at: '2026-11-01T00:00+08:00' })

    await testKey(app)

    expect(await lifeOf(app)).toMatchObject({ stage: 'current', ends_at: null, learned_at: expect.any(String) })
  })

  test('a default that was shut down today is not taken for requests that name no model', async () => {
    const app = await startApp(real)
    const standard = async () =>
      (await app.call('GET', '/api/models')).body.items.find(
        (one: Model) => one.provider === 'doubao' && one.is_default,
      )
    const before = await standard()
    app.doubao.retire(before.id, 'Shutdown')

    await testKey(app)

    expect((await standard()).id).not.toBe(before.id)
    const made = await app.generate({ prompt: 'a boat', provider: 'doubao' })
    expect(made).toMatchObject({ status: 'succeeded', model: (await standard()).id })
  })

  test('it is kept over a restart, and holds where its service was asked, not elsewhere', async () => {
    const app = await startWith(real)
    app.doubao.retire(model, 'Shutdown')
    await testKey(app)
    await app.restart()

    expect(await lifeOf(app)).toMatchObject({ stage: 'ended' })
    await app.call('POST', '/api/config', {
      ...{ name: 'abroad', provider: 'doubao', base_url: app.doubao.bytePlusBaseUrl, api_key: doubaoKeys.byteplus },
    })
    expect(await lifeOf(app)).toMatchObject({ stage: 'current' })
  })
})

describe('words for a model that the service does not know', () => {
  test('a wrong id has three readings, and one that is to be had', async () => {
    const app = await startWith()

    const refused = await refusedAs(app, { ...body, model: 'doubao-seedream-4-5-999999' })

    expect(refused.error).toMatchObject({
      ...{ reason_code: 'model_unknown', reason_values: { model: 'doubao-seedream-4-5-999999' } },
      message: expect.stringMatching(/the id is wrong, or the model was retired, or it is closed to accounts/),
    })
    const offered = refused.error.reason_values.successor
    expect(await app.generate({ ...body, model: offered })).toMatchObject({ status: 'succeeded' })
  })

  test('of a service that is not in the catalogue nobody knows what else it has', async () => {
    const app = await startApp()
    await addOpenai(app)

    const refused = await refusedAs(app, { prompt: 'a boat', model: 'gpt-image-999', provider: 'openai' })

    expect(refused.error).toMatchObject({ reason_code: 'model_unknown', reason_values: { model: 'gpt-image-999' } })
    expect(refused.error.reason_values).not.toHaveProperty('successor')
  })

  test('what is to be had abroad can be had there', async () => {
    const host = 'ark.ap-southeast.bytepluses.com'
    const app = await startApp({ lookup, environment: { DOUBAO_API_KEY: undefined, ALLOWED_HOSTS: host } })
    const { port, pathname } = new URL(app.doubao.baseUrl)
    await app.call('POST', '/api/config', {
      ...{ name: 'abroad', provider: 'doubao', api_key: doubaoKeys.byteplus },
      base_url: `http://${host}:${port}${pathname}`,
    })

    const refused = await refusedAs(app, { ...body, model: 'seedream-4-5-999999', provider: 'doubao' })

    const { successor } = refused.error.reason_values
    expect(await app.generate({ ...body, model: successor })).toMatchObject({ status: 'succeeded' })
  })

  test('one that is closed to new accounts says so', async () => {
    const app = await startWith({ environment: { DOUBAO_API_KEY: doubaoKeys.newcomer } })
    app.doubao.retire(model, 'Retiring')

    const refused = await refusedAs(app, body)

    expect(refused.error).toMatchObject({ reason_code: 'model_closed', reason_values: { model } })
  })

  test.each(['denied', 'missing'] as const)('DashScope, which has no list: %s', async form => {
    const app = await startApp()
    app.qwen.retire('qwen-image-2.0', form)

    const refused = await refusedAs(app, { prompt: 'a boat', model: 'qwen-image-2.0' })

    expect(refused).toMatchObject({
      ...{ status: 'failed', charge: 'none' },
      error: {
        reason_code: 'model_unknown',
        reason_values: { model: 'qwen-image-2.0', successor: expect.any(String) },
      },
    })
    const { successor } = refused.error.reason_values
    expect(await app.generate({ prompt: 'a boat', model: successor })).toMatchObject({ status: 'succeeded' })
  })
})

describe('the list is asked', () => {
  const lists = (app: TestApp) => app.doubao.requests.filter(({ path }) => path.endsWith('/models'))

  test('a while after the start, once for all keys of a place, and not at the next start', async () => {
    const app = await startApp({ listsAfterMs: 0 })
    await app.call('POST', '/api/config', { name: 'second', provider: 'doubao', api_key: doubaoKeys.good })
    await vi.waitUntil(async () => (await lifeOf(app)).learned_at !== null, maxWaitMs)

    await app.restart()
    for (let times = 0; times < 20; times++) await lifeOf(app)

    expect(lists(app)).toHaveLength(1)
    expect(app.doubao.billed).toEqual([])
  })

  test('a service that hangs holds up neither start nor stop', async () => {
    const hanging = createServer(() => {})
    await once(hanging.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void hanging.close().closeAllConnections())
    const asked = once(hanging, 'request')
    const url = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}/api/v3`

    const app = await startApp({ listsAfterMs: 0, environment: { DOUBAO_API_URL: url } })
    await asked

    expect((await app.call('GET', '/health')).status).toBe(200)
    // The list may take 20 s; a stop breaks it off.
    await app.stop()
  })

  test('a new image model of it is offered in the form of its family, and can be used', async () => {
    const app = await startWith(real)
    const id = 'doubao-seedream-6-0-270101'
    app.doubao.offer(id)
    expect(await lifeOf(app, id)).toBeUndefined()

    await testKey(app)

    const { items } = (await app.call('GET', '/api/models')).body
    expect(items.find((one: Model) => one.id === id)).toMatchObject({
      ...{ state: 'unlisted', configured: true, family: 'seedream', is_default: false },
      life: { stage: 'current', learned_at: expect.any(String) },
    })
    expect(items.filter((one: Model) => /embedding|seedance|seed-2/.test(one.id))).toEqual([])
    expect((await estimate(app, id)).status).toBe(200)
  })
})

test('a key never stands in what is kept of a list', async () => {
  const app = await startWith(real)
  await testKey(app)
  await app.stop()

  const database = readFileSync(path.join(app.dataDir, 'chat_history.db'), 'latin1')
  expect(database).toContain('ImageGeneration')
  expect(database).not.toContain(doubaoKeys.good)
})
