/** docs/add-a-provider.md, followed once: a service that the program has never heard of, from its folder to a stored picture. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { providers } from '../../src/providers/index.ts'
import { loadSettings } from '../../src/settings.ts'
import { startApp } from '../support/app.ts'
import { dataUri, png } from '../support/pictures.ts'
import { easel } from './easel/easel.ts'

const registry = { ...providers, easel }
const key = 'easel-key-1'

/** The service: knows one key, refuses one word, and keeps what it was asked. */
async function startEasel() {
  const image = await png(64, 64, { color: '#335577' })
  const asked: { path: string; key: string | undefined; body: Record<string, unknown> }[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const body = parts.length > 0 ? JSON.parse(Buffer.concat(parts).toString()) : {}
    asked.push({ path: request.url ?? '', key: request.headers.authorization, body })
    const answer = (status: number, json: object) => void response.writeHead(status).end(JSON.stringify(json))
    if (request.headers.authorization !== `Bearer ${key}`) return answer(401, { error: { code: 'bad_key' } })
    if (String(body.prompt).includes('rude')) return answer(400, { error: { code: 'not_nice', message: 'No.' } })
    answer(200, request.url === '/paint' ? { images: [{ b64_json: image.toString('base64') }] } : { me: 'you' })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { image, asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function startWithEasel() {
  const service = await startEasel()
  const environment = { EASEL_API_URL: service.url, EASEL_API_KEY: key, EASEL_MONTHLY_CAP_IMAGES: '2' }
  return { service, app: await startApp({ registry, environment }) }
}

test('its settings are read by the names that its folder gives them', () => {
  const environment = { EASEL_API_URL: 'https://gateway.example/v1/', EASEL_API_KEY: key, EASEL_MONTHLY_CAP: '5 USD' }

  const settings = loadSettings(environment, registry)

  expect(settings.providerUrls.easel).toBe('https://gateway.example/v1')
  expect(settings.environmentKeys.easel).toBe(key)
  expect(settings.environmentCaps.easel).toEqual({ monthlyCap: { amount: 5, currency: 'USD' }, monthlyImages: null })
})

test('a prompt becomes a stored picture, with what its model takes and costs', async () => {
  const { app, service } = await startWithEasel()

  const request = { model: 'easel-1', prompt: 'a hill', parameters: { size: '128x64', texture: 'chalk' } }
  const generation = await app.generate({ ...request, images: [dataUri(await png(32, 32))] })
  const stored = await fetch(`${app.url}${generation.images[0]?.url}`)

  expect(generation).toMatchObject({ status: 'succeeded', provider: 'easel', cost: { amount: 0.01, currency: 'USD' } })
  expect(Buffer.from(await stored.arrayBuffer()).equals(service.image)).toBe(true)
  expect(service.asked).toMatchObject([
    {
      path: '/paint',
      key: `Bearer ${key}`,
      body: { model: 'easel-1', prompt: 'a hill', size: '128x64', texture: 'chalk' },
    },
  ])
  expect(service.asked[0]?.body.over).toMatch(/^data:image\/png;base64,/)
})

test('what it refuses is told in the words of its folder, and what it does not take is refused before', async () => {
  const { app, service } = await startWithEasel()

  const refused = await app.call('POST', '/api/generate', { model: 'easel-1', prompt: 'a rude hill' })
  const checked = await app.call('POST', '/api/generate', { model: 'easel-1', prompt: 'x', parameters: { n: 5 } })
  const capped = await app.call('POST', '/api/generate', { model: 'easel-1', prompt: 'x', parameters: { n: 3 } })

  expect(refused).toMatchObject({ status: 422, body: { code: 'content_rejected', provider_code: 'not_nice' } })
  expect(refused.body.detail).toContain('Change the prompt')
  expect(checked).toMatchObject({ status: 422, body: { code: 'invalid_request' } })
  expect(capped).toMatchObject({ status: 402, body: { code: 'budget_exceeded' } })
  expect(service.asked).toHaveLength(1)
})

test('people see it wherever services are named', async () => {
  const { app } = await startWithEasel()

  const { items: shown } = (await app.call('GET', '/api/providers')).body
  const { items: models } = (await app.call('GET', '/api/models')).body
  const { items: configurations } = (await app.call('GET', '/api/config')).body
  const { providers: states } = (await app.call('GET', '/api/status')).body

  expect(shown.map((one: { id: string }) => one.id)).toEqual(['doubao', 'qwen', 'openai', 'easel'])
  expect(shown.at(-1)).toMatchObject({ title: { zh: '画架' }, key_variable: 'EASEL_API_KEY' })
  expect(models.find((model: { id: string }) => model.id === 'easel-1')).toMatchObject({
    ...{ provider: 'easel', provider_name: 'Easel', configured: true, is_default: true },
  })
  expect(configurations.find((one: { provider: string }) => one.provider === 'easel')).toMatchObject({
    ...{ id: 'env-easel', name: 'Easel (EASEL_API_KEY)', source: 'environment', monthly_images: 2 },
  })
  expect(states.at(-1)).toMatchObject({ id: 'easel', state: 'configured' })
})

test('its keys are stored and tested like others', async () => {
  const { app, service } = await startWithEasel()
  const wrong = { provider: 'easel', api_key: 'another-key' }

  const tested = await app.call('POST', '/api/config/test', wrong)
  const passed = await app.call('POST', '/api/config/test', { ...wrong, api_key: key })
  const added = await app.call('POST', '/api/config', { ...wrong, api_key: key, model: 'easel-1' })

  expect(tested.body).toMatchObject({ ok: false, code: 'provider_key_rejected' })
  expect(passed.body).toMatchObject({ ok: true })
  expect(added).toMatchObject({ status: 201, body: { name: 'Easel', provider: 'easel' } })
  expect(service.asked.every(({ path }) => path === '/me')).toBe(true)
})
