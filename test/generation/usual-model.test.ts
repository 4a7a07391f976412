/** A request that names no model, over HTTP: what the address of its configuration makes it with. */
import type { LookupFunction } from 'node:net'
import { expect, test } from 'vitest'
import { DOUBAO_DEMO_KEY, doubaoKeys } from '../../src/simulators/doubao/keys.ts'
import { startApp, type TestApp } from '../support/app.ts'

const lookup: LookupFunction = (_host, options, callback) =>
  options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)

async function add(app: TestApp, body: Record<string, unknown>) {
  const answer = await app.call('POST', '/api/config', { name: 'one', ...body })
  expect(answer.status).toBe(201)
  return answer.body.id as string
}

async function defaults(app: TestApp): Promise<string[]> {
  const { items } = (await app.call('GET', '/api/models')).body
  return items.flatMap((one: { id: string; is_default: boolean }) => (one.is_default ? [one.id] : []))
}

test('on the usual addresses it is the cheapest current general model, which is told and made with', async () => {
  const app = await startApp()
  const told = await defaults(app)

  const seedream = await app.generate({ prompt: 'a boat', parameters: { size: '960x960' } })
  const qwen = await app.generate({ prompt: 'a boat', provider: 'qwen' })

  expect(told).toEqual(['doubao-seedream-5-0-flash-260915', 'qwen-image-3.0', 'gpt-image-2'])
  expect([seedream.model, seedream.status, seedream.warnings]).toEqual([told[0], 'succeeded', []])
  expect([qwen.model, qwen.status, qwen.warnings]).toEqual([told[1], 'succeeded', []])
})

test('on the plan it is what the plan has, and lite goes out as the plan spells it', async () => {
  const app = await startApp()
  const id = await add(app, { provider: 'doubao', base_url: app.doubao.planBaseUrl, api_key: doubaoKeys.plan })

  const made = await app.generate({ prompt: 'a boat', config_id: id, parameters: { size: '960x960' } })
  const lite = await app.generate({ prompt: 'a boat', config_id: id, model: 'doubao-seedream-5-0-260128' })

  expect([made.model, made.status]).toEqual(['doubao-seedream-5-0-pro-260628', 'succeeded'])
  expect([lite.model, lite.status]).toEqual(['doubao-seedream-5-0-lite-260128', 'succeeded'])
})

test('on BytePlus every id of the catalogue goes out as BytePlus spells it, and what ended in China lives on', async () => {
  const host = 'ark.ap-southeast.bytepluses.com'
  const app = await startApp({ lookup, environment: { ALLOWED_HOSTS: host } })
  const { port, pathname } = new URL(app.doubao.baseUrl)
  const address = { provider: 'doubao', base_url: `http://${host}:${port}${pathname}`, api_key: doubaoKeys.byteplus }
  const id = await add(app, address)
  const parameters = { size: '2560x1440' }

  const made = [await app.generate({ prompt: 'a boat', config_id: id, parameters })]
  for (const model of ['doubao-seedream-5-5-261028', 'doubao-seedream-4-5-251128', 'seedream-4-0-250828']) {
    made.push(await app.generate({ prompt: 'a boat', config_id: id, model, parameters }))
  }

  expect(made.map(({ model, status, cost }) => [model, status, cost])).toEqual([
    ['dola-seedream-5-0-flash-260915', 'succeeded', { amount: 0.018, currency: 'USD' }],
    ['seedream-5-5-261028', 'succeeded', { amount: 0.035, currency: 'USD' }],
    ['seedream-4-5-251128', 'succeeded', { amount: 0.04, currency: 'USD' }],
    ['seedream-4-0-250828', 'succeeded', { amount: 0.03, currency: 'USD' }],
  ])
  expect(made.flatMap(({ warnings }) => warnings)).toEqual([])
  const sent = app.doubao.requests
    .filter(({ method }) => method === 'POST')
    .map(({ body }) => body as { model: string })
  expect(sent.map(({ model }) => model)).toEqual(made.map(({ model }) => model))
})

test('a model that ended at this address is sent when somebody insists, with a warning and at no cost', async () => {
  const app = await startApp()
  const id = await add(app, { provider: 'doubao', api_key: DOUBAO_DEMO_KEY })
  const body = { prompt: 'a boat', config_id: id, model: 'doubao-seedream-4-5-251128', parameters: { size: '2K' } }

  const answer = await app.call('POST', '/api/generate', body)

  const record = (await app.call('GET', `/api/history/${answer.body.generation_id ?? answer.body.id}`)).body
  expect(record).toMatchObject({ status: 'failed', charge: 'none', model: body.model })
  expect(record.warnings.map(({ code }: { code: string }) => code)).toEqual(['model_retired'])
  expect(app.doubao.billed).toEqual([])
})
