/** What a refusal without a charge leads to: how often it is sent again, and what a waiting client hears meanwhile. */
import { describe, expect, onTestFinished, test } from 'vitest'
import type { DoubaoKeyRule } from '../../src/simulators/doubao/keys.ts'
import { addOpenai, startApp, type TestApp } from '../support/app.ts'
import { setClock } from '../support/clock.ts'

const image = { prompt: 'a boat', model: 'doubao-seedream-5-0-pro-260628', parameters: { size: '1024x1024' } }
const page = '<html><body>503 Service Temporarily Unavailable</body></html>'

async function ended(app: TestApp, path: string) {
  await expect.poll(async () => (await app.call('GET', path)).body.finished_at).not.toBeNull()
  return (await app.call('GET', path)).body
}

test('a page of a proxy that says 503 is answered with one more request, not three', async () => {
  const app = await startApp()
  const openai = await addOpenai(app)
  app.doubao.misbehave({ kind: 'status', status: 503, body: page }, { times: 10 })
  app.openai.misbehave({ kind: 'status', status: 503, body: page }, { times: 10 })

  const ark = await app.call('POST', '/api/generate', image)
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

  const answer = await app.call('POST', '/api/generate', image)

  expect(answer.body).toMatchObject({ code: 'provider_unavailable', charge: 'none' })
  expect(app.doubao.requests).toHaveLength(2)
})

test('a client that waits hears of a request that waits to be sent again, which goes on and is made', async () => {
  const app = await startApp({ timeScale: 0.05 })
  const busy = { error: { code: 'ModelAccountIpmRateLimitExceeded', message: 'later' } }
  app.doubao.misbehave({ kind: 'status', status: 429, body: busy, headers: { 'retry-after': '90' } })

  const answer = await app.call('POST', '/api/generate', image)

  expect(answer.status).toBe(202)
  expect(answer.body).toMatchObject({ status: 'running', charge: 'none', waiting_code: 'sent_again' })
  expect(await ended(app, answer.headers.get('location') ?? '')).toMatchObject({ status: 'succeeded' })
  expect(app.doubao.billed).toHaveLength(1)
})

test('one that is refused again and again ends as such, and is told of while it waits', async () => {
  const app = await startApp({ timeScale: 0.02 })
  const busy = { error: { code: 'ModelAccountIpmRateLimitExceeded', message: 'later' } }
  app.doubao.misbehave({ kind: 'status', status: 429, body: busy }, { times: 10 })

  const answer = await app.call('POST', '/api/generate', image)

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

  const answer = await app.call('POST', '/api/generate', { ...image, config_id: body.id })

  expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_request', errors: [{ path: 'config_id' }] } })
  expect(app.doubao.requests).toHaveLength(0)
})

describe('a configuration that its service refused', () => {
  const keyOf = (name: string) => `ark-pool-0000-${name}`

  /** Stored configurations of these names, whose keys the service knows, and no other. */
  async function startWith(names: string[]) {
    const rules: Record<string, DoubaoKeyRule> = Object.fromEntries(names.map(name => [keyOf(name), { name }]))
    const app = await startApp({
      timeScale: 1,
      doubaoKeys: rules,
      environment: { DOUBAO_API_KEY: undefined, QWEN_API_KEY: undefined, DRAIN_SECONDS: '0' },
    })
    const ids: Record<string, string> = {}
    for (const name of names) {
      const body = { name, provider: 'doubao', api_key: keyOf(name), base_url: app.doubao.baseUrl }
      ids[name] = (await app.call('POST', '/api/config', body)).body.id
    }
    const states = async () => {
      const { items } = (await app.call('GET', '/api/config')).body
      return items.map(({ state }: { state: { status: string } }) => state.status)
    }
    onTestFinished(() => setClock(0))
    let passedMs = 0
    /** Longer than the longest suspension. */
    const passTime = () => {
      passedMs += 15 * 60_000
      setClock(passedMs)
    }
    const all = (members: Pick<DoubaoKeyRule, 'state'>) => {
      for (const rule of Object.values(rules)) Object.assign(rule, members)
    }
    const posts = () => app.doubao.requests.filter(({ method }) => method === 'POST')
    const generate = () => app.call('POST', '/api/generate', image)
    return { app, rules, ids, states, passTime, all, posts, generate }
  }

  test('answers at once in the words of the service when there is no other, and is tried by itself later', async () => {
    const { app, states, passTime, all, posts, generate } = await startWith(['a', 'b'])
    all({ state: 'overdue' })
    const first = await generate()
    const before = posts().length

    const next = await generate()
    const estimate = await app.call('POST', '/api/estimate', image)

    expect(first).toMatchObject({ status: 402, body: { code: 'provider_quota_exhausted', charge: 'none' } })
    expect(next).toMatchObject({
      status: 409,
      body: { code: 'configuration_missing', provider_code: 'AccountOverdueError' },
    })
    expect(next.body.detail).toMatch(
      /balance of the account is negative.*Nothing was sent.*it can be tried again in \d+ s/s,
    )
    expect(Number(next.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(next.body.generation_id).toBeUndefined()
    expect(estimate.status).toBe(200)
    expect([before, posts().length]).toEqual([2, 2])
    expect(await states()).toEqual(['taken_out', 'taken_out'])

    passTime()
    all({ state: undefined })
    const made = await Promise.all(Array.from({ length: 6 }, generate))

    expect(made.map(({ status }) => status)).toEqual(Array(6).fill(200))
    expect(await states()).toContain('ready')
  })

  test('is tried by one request at a time, and each refusal doubles the pause', async () => {
    const { app, passTime, all, posts, generate } = await startWith(['a', 'b'])
    all({ state: 'overdue' })
    await generate()
    passTime()
    app.doubao.reset()
    const asked = Promise.withResolvers<void>()
    app.doubao.misbehave({ kind: 'held', until: asked.promise }, { times: 10 })
    const made = (await app.call('GET', '/api/history')).body.items.length

    const asking = Array.from({ length: 8 }, generate)
    await expect.poll(async () => (await app.call('GET', '/api/history')).body.items).toHaveLength(made + 8)
    asked.resolve()
    const answers = await Promise.all(asking)

    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(402))
    // One for each configuration; the others waited for what these would bring.
    expect(posts()).toHaveLength(2)
    const { items } = (await app.call('GET', '/api/config')).body
    for (const { state } of items) {
      expect(Math.round((Date.parse(state.until) - Date.parse(state.since)) / 1000)).toBe(60)
    }
  })

  test('is tried again beside others that work, and comes back', async () => {
    const { rules, states, passTime, posts, generate } = await startWith(['a', 'b'])
    rules[keyOf('a')]!.state = 'overdue'
    for (let count = 0; count < 4; count++) expect((await generate()).status).toBe(200)
    const whileOut = posts().filter(({ keyName }) => keyName === 'a').length

    rules[keyOf('a')]!.state = undefined
    passTime()
    for (let count = 0; count < 4; count++) expect((await generate()).status).toBe(200)

    expect(whileOut).toBe(1)
    expect(await states()).toEqual(['ready', 'ready'])
    expect(posts().filter(({ keyName }) => keyName === 'a').length).toBeGreaterThan(1)
  })

  test('for its key is tested first, which costs nothing', async () => {
    const { app, rules, states, passTime, posts, generate } = await startWith(['a', 'b'])
    for (const name of ['a', 'b']) delete rules[keyOf(name)]
    expect((await generate()).status).toBe(502)
    const before = posts().length
    passTime()

    const refused = await generate()
    passTime()
    rules[keyOf('a')] = { name: 'a' }
    rules[keyOf('b')] = { name: 'b' }
    const made = await generate()

    expect(refused).toMatchObject({ status: 502, body: { code: 'provider_key_rejected', charge: 'none' } })
    expect(made.status).toBe(200)
    expect([before, posts().length]).toEqual([2, 3])
    expect(app.doubao.billed).toHaveLength(1)
    expect(await states()).toContain('ready')
  })

  test('is tried whenever it is named', async () => {
    const { app, ids, all, posts, generate } = await startWith(['a', 'b'])
    all({ state: 'overdue' })
    await generate()
    all({ state: undefined })

    const named = await app.call('POST', '/api/generate', { ...image, config_id: ids.a })

    expect(named.status).toBe(200)
    expect(posts()).toHaveLength(3)
  })

  test('by a page that the service did not write is left aside the second time', async () => {
    const { app, states, posts, generate } = await startWith(['a', 'b'])
    const proxy = { kind: 'status', status: 402, body: '<html>Payment required</html>' } as const
    app.doubao.misbehave(proxy)
    const first = await generate()
    const afterOne = await states()
    app.doubao.misbehave(proxy, { times: 3 })
    const second = await generate()

    expect([first.status, afterOne]).toEqual([200, ['ready', 'ready']])
    expect(second.status).toBe(402)
    expect(await states()).toContain('taken_out')
    expect(posts().length).toBeGreaterThan(2)
  })

  test('passes a test that says what it does not prove', async () => {
    const { app, ids, all, generate } = await startWith(['a'])
    all({ state: 'overdue' })
    await generate()

    const tested = await app.call('POST', '/api/config/test', { id: ids.a })

    expect(tested.body).toMatchObject({
      ok: true,
      detail: expect.stringContaining('balance or quota left cannot be tested'),
    })
  })
})
