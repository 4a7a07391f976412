/** Keys: kept sealed, shown never, tested without paying. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DOUBAO_DEMO_ENDPOINT, doubaoKeys } from '../../src/simulators/doubao/keys.ts'
import {
  QWEN_ARREARS_KEY,
  QWEN_DEMO_KEY,
  QWEN_FREE_TIER_KEY,
  QWEN_INVALID_KEY,
  QWEN_UNPURCHASED_KEY,
  QWEN_WRONG_REGION_KEY,
} from '../../src/simulators/qwen/keys.ts'
import { openApp, startApp, type TestApp } from '../support/app.ts'

describe('the test of a configuration', () => {
  const flash = 'doubao-seedream-5-0-flash-260915'
  const cases: [
    string,
    { provider: string; api_key: string; model?: string; base?: (app: TestApp) => string },
    string,
  ][] = [
    ['a good Doubao key', { provider: 'doubao', api_key: doubaoKeys.good }, 'ok'],
    [
      'a good Doubao key pasted with its header word',
      { provider: 'doubao', api_key: ` Bearer ${doubaoKeys.good} ` },
      'ok',
    ],
    [
      'a model that the Doubao account opened',
      { provider: 'doubao', api_key: doubaoKeys.partlyActivated, model: 'doubao-seedream-4-0-20260415' },
      'ok',
    ],
    [
      'a model that it did not open',
      { provider: 'doubao', api_key: doubaoKeys.partlyActivated, model: flash },
      'provider_access_denied',
    ],
    ['an unknown Doubao key', { provider: 'doubao', api_key: doubaoKeys.unknown }, 'provider_key_rejected'],
    [
      'an overdue Doubao account',
      { provider: 'doubao', api_key: doubaoKeys.overdue, model: flash },
      'provider_quota_exhausted',
    ],
    [
      'a paused Doubao model',
      { provider: 'doubao', api_key: doubaoKeys.paused, model: flash },
      'provider_quota_exhausted',
    ],
    [
      'a Doubao key that may not call',
      { provider: 'doubao', api_key: doubaoKeys.denied, model: flash },
      'provider_access_denied',
    ],
    ['a plan key on the ordinary address', { provider: 'doubao', api_key: doubaoKeys.plan }, 'provider_key_rejected'],
    [
      'a wrong path at Ark',
      { provider: 'doubao', api_key: doubaoKeys.good, base: app => `${app.doubao.origin}/api/v9` },
      'wrong_address',
    ],
    ['a good Qwen key', { provider: 'qwen', api_key: QWEN_DEMO_KEY }, 'ok'],
    ['a good Qwen key with a model', { provider: 'qwen', api_key: QWEN_DEMO_KEY, model: 'qwen-image-2.0' }, 'ok'],
    ['an unknown Qwen key', { provider: 'qwen', api_key: QWEN_INVALID_KEY }, 'provider_key_rejected'],
    ['a Qwen key of another region', { provider: 'qwen', api_key: QWEN_WRONG_REGION_KEY }, 'provider_key_rejected'],
    [
      'a Qwen account in arrears',
      { provider: 'qwen', api_key: QWEN_ARREARS_KEY, model: 'qwen-image-2.0' },
      'provider_quota_exhausted',
    ],
    [
      'a used up free tier',
      { provider: 'qwen', api_key: QWEN_FREE_TIER_KEY, model: 'qwen-image-2.0' },
      'provider_quota_exhausted',
    ],
    [
      'a Qwen service that was not opened',
      { provider: 'qwen', api_key: QWEN_UNPURCHASED_KEY, model: 'qwen-image-2.0' },
      'provider_access_denied',
    ],
    [
      'a wrong path at DashScope',
      { provider: 'qwen', api_key: QWEN_DEMO_KEY, base: app => `${app.qwen.origin}/api/v9` },
      'wrong_address',
    ],
    [
      'a host that nobody is at',
      { provider: 'qwen', api_key: QWEN_DEMO_KEY, base: () => 'https://nobody.invalid/api/v1' },
      'provider_unavailable',
    ],
  ]
  let app: TestApp
  beforeAll(async () => {
    app = await openApp()
  })
  afterAll(() => app.close())

  test.each(cases)('%s', async (_, { base, ...configuration }, code) => {
    const service = configuration.provider === 'doubao' ? app.doubao : app.qwen
    const base_url = base?.(app) ?? service.baseUrl

    const answer = await app.call('POST', '/api/config/test', { ...configuration, base_url })

    expect(answer).toMatchObject({ status: 200, body: { ok: code === 'ok', detail: expect.stringMatching(/\w/) } })
    expect(code === 'provider_unavailable' ? ['provider_unavailable', 'wrong_address'] : [code]).toContain(
      answer.body.code,
    )
    expect(JSON.stringify(answer.body)).not.toContain(configuration.api_key.trim())
    expect([...app.doubao.billed, ...app.qwen.billed]).toEqual([])
  })
})

test('a stored key is sealed in the file and shown by its last four characters only', async () => {
  const app = await startApp()
  const key = 'ark-planted-key-7777'
  const added = await app.call('POST', '/api/config', {
    name: '豆包',
    provider: 'doubao',
    api_key: key,
    model: 'doubao-seedream-4-0-20260415',
  })
  await app.call('PUT', `/api/config/${added.body.id}`, { name: 'Doubao', is_active: false })

  const listed = await app.call('GET', '/api/config')
  await app.stop()

  expect(added).toMatchObject({
    status: 201,
    body: { has_key: true, key_hint: '7777', source: 'stored', is_active: true },
  })
  expect(listed.body.items[0]).toMatchObject({
    id: added.body.id,
    name: 'Doubao',
    is_active: false,
    key_hint: '7777',
    model: 'doubao-seedream-4-0-20260415',
  })
  expect(JSON.stringify([added.body, listed.body])).not.toContain(key)
  expect(readFileSync(path.join(app.dataDir, 'chat_history.db'), 'latin1').includes(key)).toBe(false)
})

test('configurations of the environment are listed, usable and read-only', async () => {
  const app = await startApp()
  const { items } = (await app.call('GET', '/api/config')).body
  const doubao = items.find((one: { provider: string }) => one.provider === 'doubao')

  const answers = [
    await app.call('PUT', `/api/config/${doubao.id}`, { name: 'x' }),
    await app.call('DELETE', `/api/config/${doubao.id}`),
  ]

  expect(doubao).toMatchObject({ source: 'environment', has_key: true, key_hint: 'good' })
  expect(answers.map(answer => [answer.status, answer.body.code])).toEqual([
    [403, 'read_only'],
    [403, 'read_only'],
  ])
})

test('the newest active configuration of the provider is used, then the one of the environment', async () => {
  const app = await startApp()
  const request = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }
  const add = (name: string) =>
    app.call('POST', '/api/config', { name, provider: 'doubao', api_key: doubaoKeys.partlyActivated })
  const first = (await add('first')).body.id
  const second = (await add('second')).body.id

  const used = [(await app.generate(request)).config_id]
  await app.call('PUT', `/api/config/${second}`, { is_active: false })
  used.push((await app.generate(request)).config_id)
  await app.call('DELETE', `/api/config/${first}`)
  used.push((await app.generate(request)).config_id)

  expect(used).toEqual([second, first, 'env-doubao'])
  expect(await app.call('POST', '/api/generate', { ...request, config_id: second })).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'config_id' }] },
  })
})

test('the model of a configuration is the default, an endpoint id too', async () => {
  const app = await startApp()
  await app.call('POST', '/api/config', {
    name: 'endpoint',
    provider: 'doubao',
    api_key: doubaoKeys.good,
    model: DOUBAO_DEMO_ENDPOINT,
  })

  const generation = await app.generate({ prompt: 'a boat' })

  expect(generation).toMatchObject({ model: DOUBAO_DEMO_ENDPOINT, status: 'succeeded' })
})

test.each([
  ['another address', { base_url: 'https://elsewhere.example/api/v3' }],
  ['another provider', { provider: 'openai' }],
])('a stored key does not go to %s without being entered again', async (_, change) => {
  const app = await startApp()
  const { body } = await app.call('POST', '/api/config', { name: 'a', provider: 'doubao', api_key: doubaoKeys.good })

  const answer = await app.call('PUT', `/api/config/${body.id}`, change)

  expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'api_key' }] } })
})

test.each([
  'http://127.0.0.1:1/v1',
  'http://localhost/v1',
  'http://169.254.169.254/latest',
  'http://[::1]/v1',
  'http://2130706433/v1',
  'ftp://example.org/',
  'not an address',
])('the base address %s is refused', async base_url => {
  const app = await startApp()

  const answer = await app.call('POST', '/api/config', { name: 'a', provider: 'openai', api_key: 'sk-1', base_url })

  expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'base_url' }] } })
})

test('a database of the old form is listed through the API, with its addresses as found', async () => {
  const app = await startApp({
    beforeStart: dataDir => {
      const old = new DatabaseSync(path.join(dataDir, 'chat_history.db'))
      old.exec(`
        create table configurations (id integer primary key, name text, provider text, api_key text, model text, is_active boolean);
        create table chat_history (id integer primary key, prompt text, image_urls text, timestamp datetime, model text, parameters text);
        insert into configurations values (7, '旧的', 'doubao', '${doubaoKeys.partlyActivated}', 'doubao-seedream-4-0-20260415', 1);
        insert into chat_history values (1, '一只旧猫', '["https://old.example.com/a.jpeg?sig=1"]', '2025-03-01 08:09:10', 'doubao-seedream-4-0-250828', '{}');`)
      old.close()
    },
  })

  const history = await app.call('GET', `/api/history?q=${encodeURIComponent('旧猫')}`)
  const generation = await app.generate({ prompt: 'a boat', parameters: { size: '960x960' } })

  expect(history.body.items).toMatchObject([
    {
      id: '1',
      status: 'succeeded',
      charge: 'unknown',
      cost: null,
      images: [],
      image_urls: ['https://old.example.com/a.jpeg?sig=1'],
    },
  ])
  expect(generation).toMatchObject({ config_id: '7', model: 'doubao-seedream-4-0-20260415', status: 'succeeded' })
})
