/** Subscription keys, whose address has no list of models and serves two models under ids of its own (docs/providers.md, Doubao). */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Model } from '../../src/api/models.ts'
import { doubaoKeys } from '../../src/simulators/doubao/keys.ts'
import { openApp, type TestApp } from '../support/app.ts'

let app: TestApp

beforeAll(async () => {
  app = await openApp()
  const stored = await app.call('POST', '/api/config', {
    name: 'Agent Plan',
    provider: 'doubao',
    base_url: app.doubao.planBaseUrl,
    api_key: doubaoKeys.plan,
  })
  expect(stored.status, JSON.stringify(stored.body)).toBe(201)
})
afterAll(() => app.close())
beforeEach(() => app.doubao.reset())

const pixels = (model: string) => (model.includes('pro') ? '960x960' : '2560x1440')

test.each([
  'doubao-seedream-5.0-pro',
  'doubao-seedream-5-0-pro',
  'doubao-seedream-5-0-pro-260628',
  'doubao-seedream-5.0-lite',
  'doubao-seedream-5-0-lite-260128',
])('%s is sent as it is spelled, and made', async model => {
  const parameters = { size: pixels(model) }
  const generation = await app.generate({ prompt: 'a paper boat', model, parameters })

  const [sent] = app.doubao.requests.filter(({ method }) => method === 'POST')
  expect(sent).toMatchObject({ path: '/api/plan/v3/images/generations', keyName: 'plan', body: { model } })
  expect(generation).toMatchObject({ status: 'succeeded', charge: 'charged', model })
})

test('a group is streamed there too', async () => {
  const request = { model: 'doubao-seedream-5.0-lite', parameters: { n: 2, size: '2560x1440' } }
  const generation = await app.generate({ prompt: '2 pictures of a boat', ...request })

  expect(generation.images).toHaveLength(2)
  expect(app.doubao.billed).toHaveLength(2)
})

test.each(['doubao-seedream-4-5-251128', 'doubao-seedream-4-0-20260415', 'doubao-seedream-5-0-flash-260915'])(
  '%s is not served, and the refusal says what is',
  async model => {
    const answer = await app.call('POST', '/api/generate', { prompt: 'a paper boat', model })

    expect(answer).toMatchObject({ status: 422, body: { code: 'provider_rejected' } })
    expect(answer.body.detail).toContain('doubao-seedream-5-0-lite-260128')
    expect(app.doubao.billed).toEqual([])
    const { successor } = answer.body.reason_values
    expect(await app.generate({ prompt: 'a paper boat', model: successor })).toMatchObject({ status: 'succeeded' })
  },
)

test.each([
  [doubaoKeys.plan, undefined, 'ok'],
  [doubaoKeys.plan, 'doubao-seedream-5.0-pro', 'ok'],
  [doubaoKeys.plan, 'doubao-seedream-5-0-lite-260128', 'ok'],
  // Under the id of the catalogue, which the plan does not know.
  [doubaoKeys.plan, 'doubao-seedream-5-0-260128', 'ok'],
  [doubaoKeys.plan, 'doubao-seedream-4-5-251128', 'provider_access_denied'],
  [doubaoKeys.good, undefined, 'provider_key_rejected'],
  [doubaoKeys.unknown, 'doubao-seedream-5.0-pro', 'provider_key_rejected'],
])('the check of %s with %s is %s, and free', async (api_key, model, code) => {
  const asked = { provider: 'doubao', api_key, base_url: app.doubao.planBaseUrl, ...(model && { model }) }
  const answer = await app.call('POST', '/api/config/test', asked)

  expect(answer).toMatchObject({ status: 200, body: { code, ok: code === 'ok' } })
  expect(app.doubao.billed).toEqual([])
})

test('GET /api/models says which models the address of the plan does not serve', async () => {
  const { items } = (await app.call('GET', '/api/models')).body
  const served = items.filter((model: Model) => model.provider === 'doubao' && model.is_served)

  expect(served.map(({ family }: Model) => family).toSorted()).toEqual(['seedream-5.0-lite', 'seedream-5.0-pro'])
})
