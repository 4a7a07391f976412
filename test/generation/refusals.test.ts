/** What a refusal without a charge leads to: how often it is sent again, and what a waiting client hears meanwhile. */
import { expect, test } from 'vitest'
import { addOpenai, startApp, type TestApp } from '../support/app.ts'

const picture = { prompt: 'a boat', model: 'doubao-seedream-5-0-pro-260628', parameters: { size: '1024x1024' } }
const page = '<html><body>503 Service Temporarily Unavailable</body></html>'

async function ended(app: TestApp, path: string) {
  await expect.poll(async () => (await app.call('GET', path)).body.finished_at, { timeout: 20_000 }).not.toBeNull()
  return (await app.call('GET', path)).body
}

test('a page of a proxy that says 503 is answered with one more request, not three', async () => {
  const app = await startApp()
  const openai = await addOpenai(app)
  app.doubao.misbehave({ kind: 'status', status: 503, body: page }, { times: 10 })
  app.openai.misbehave({ kind: 'status', status: 503, body: page }, { times: 10 })

  const ark = await app.call('POST', '/api/generate', picture)
  const other = await app.call('POST', '/api/generate', {
    prompt: 'a boat',
    model: 'gpt-image-1',
    config_id: openai.id,
  })

  expect(ark).toMatchObject({ status: 502, body: { code: 'provider_unavailable', charge: 'none' } })
  expect(other).toMatchObject({ status: 502, body: { code: 'provider_unavailable', charge: 'none' } })
  expect([app.doubao.requests.length, app.openai.requests.length]).toEqual([2, 2])
})

test('once is once, however many configurations there are', async () => {
  const app = await startApp()
  for (const name of ['a', 'b', 'c']) {
    const body = { name, provider: 'doubao', api_key: 'ark-of-another', base_url: app.doubao.baseUrl }
    await app.call('POST', '/api/config', body)
  }
  app.doubao.misbehave({ kind: 'status', status: 503, body: page }, { times: 10 })

  const answer = await app.call('POST', '/api/generate', picture)

  expect(answer.body).toMatchObject({ code: 'provider_unavailable', charge: 'none' })
  expect(app.doubao.requests).toHaveLength(2)
})

test('a client that waits hears of a request that waits to be sent again, which goes on and is made', async () => {
  const app = await startApp({ timeScale: 0.05 })
  const busy = { error: { code: 'ModelAccountIpmRateLimitExceeded', message: 'later' } }
  app.doubao.misbehave({ kind: 'status', status: 429, body: busy, headers: { 'retry-after': '90' } })

  const answer = await app.call('POST', '/api/generate', picture)

  expect(answer.status).toBe(202)
  expect(answer.body).toMatchObject({ status: 'running', charge: 'none', waiting_code: 'sent_again' })
  expect(await ended(app, answer.headers.get('location') ?? '')).toMatchObject({ status: 'succeeded' })
  expect(app.doubao.billed).toHaveLength(1)
})

test('one that is refused again and again ends as such, and is told of while it waits', async () => {
  const app = await startApp({ timeScale: 0.02 })
  const busy = { error: { code: 'ModelAccountIpmRateLimitExceeded', message: 'later' } }
  app.doubao.misbehave({ kind: 'status', status: 429, body: busy }, { times: 10 })

  const answer = await app.call('POST', '/api/generate', picture)

  expect(answer).toMatchObject({ status: 202, body: { waiting_code: 'sent_again' } })
  const end = await ended(app, answer.headers.get('location') ?? '')
  expect(end).toMatchObject({ status: 'failed', charge: 'none', error: { code: 'rate_limited' } })
  expect(app.doubao.requests).toHaveLength(4)
})

test('a configuration that is switched off and named is a fault of the request', async () => {
  const app = await startApp()
  const { body } = await app.call('POST', '/api/config', {
    ...{ name: 'a', provider: 'doubao', api_key: 'ark-of-another', base_url: app.doubao.baseUrl, is_active: false },
  })

  const answer = await app.call('POST', '/api/generate', { ...picture, config_id: body.id })

  expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_request', errors: [{ path: 'config_id' }] } })
  expect(app.doubao.requests).toHaveLength(0)
})
