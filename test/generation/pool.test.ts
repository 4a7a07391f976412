/** Configurations that share the work of one service: who sends what, who rests, who is left aside, and what is never sent twice. */
import { describe, expect, test } from 'vitest'
import { startApp, type TestApp, type TestOptions } from '../support/app.ts'
import { createDatabase } from '../support/postgres.ts'

/** 0.2 CNY a picture. */
const image = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }
/** Two paid requests, 0.3 CNY each. */
const two = { prompt: 'boats', model: 'doubao-seedream-5-0-pro-260628', parameters: { size: '1024x1024', n: 2 } }
const async = { prefer: 'respond-async' }

type Rules = Record<
  string,
  { name: string; state?: 'overdue'; activated?: string[]; endpoints?: Record<string, string> }
>

/** A server without keys of its own beside a service that knows these. */
async function startPool(names: string[], options: TestOptions = {}) {
  const rules: Rules = Object.fromEntries(names.map(name => [keyOf(name), { name }]))
  const environment = { DOUBAO_API_KEY: undefined, QWEN_API_KEY: undefined, ...options.environment }
  const app = await startApp({ ...options, doubaoKeys: rules, environment })
  const add = async (name: string, members: Record<string, unknown> = {}) => {
    const body = { name, provider: 'doubao', api_key: keyOf(name), base_url: app.doubao.baseUrl, ...members }
    const answer = await app.call('POST', '/api/config', body)
    expect(answer.status, JSON.stringify(answer.body)).toBe(201)
    return answer.body.id as string
  }
  return { app, rules, add }
}

const keyOf = (name: string) => `ark-pool-0000-${name}`

function posts({ doubao }: TestApp) {
  return doubao.requests.filter(({ method }) => method === 'POST').map(({ keyName }) => keyName)
}

function billed({ doubao }: TestApp) {
  return doubao.billed.map(({ key }) => key)
}

async function states(app: TestApp) {
  const { items } = (await app.call('GET', '/api/config')).body
  return Object.fromEntries(
    items.map((item: { name: string; state: { status: string } }) => [item.name, item.state.status]),
  )
}

async function ended(app: TestApp, id: string) {
  await expect.poll(async () => (await app.call('GET', `/api/history/${id}`)).body.finished_at).not.toBeNull()
  return (await app.call('GET', `/api/history/${id}`)).body
}

describe('the work', () => {
  test('is shared by weight', async () => {
    const { app, add } = await startPool(['heavy', 'light'])
    await add('heavy', { weight: 3 })
    await add('light')

    for (let count = 0; count < 8; count++) await app.generate(image)

    expect(posts(app).filter(name => name === 'heavy')).toHaveLength(6)
    expect(posts(app).filter(name => name === 'light')).toHaveLength(2)
  })

  test('goes to whoever is free, and no more to one than it may do at a time', async () => {
    const { app, add } = await startPool(['a', 'b'], { environment: { DRAIN_SECONDS: '0' } })
    await add('a', { most_running: 1 })
    await add('b', { most_running: 2 })
    app.doubao.misbehave({ kind: 'hang' }, { times: 10 })

    const asked = await Promise.all(Array.from({ length: 5 }, () => app.generate(image, async)))
    await expect.poll(() => posts(app).sort()).toEqual(['a', 'b', 'b'])

    const all = await Promise.all(
      asked.map(async ({ id }) => (await app.call('GET', `/api/history/${id}`)).body.status),
    )
    expect(all.sort()).toEqual(['queued', 'queued', 'running', 'running', 'running'])
    const { items } = (await app.call('GET', '/api/config')).body
    expect(items.map((item: { state: { running: number } }) => item.state.running)).toEqual([2, 1])
    expect(posts(app)).toHaveLength(3)
  })

  test('keeps to the requests a minute of a configuration, until that is changed', async () => {
    const { app, add } = await startPool(['a'], { timeScale: 1 })
    const a = await add('a', { requests_per_minute: 2 })
    const queued = [1, 2, 3, 4].map(() => app.generate(image, async))
    const ids = (await Promise.all(queued)).map(({ id }) => id)
    const all = async () => (await app.call('GET', '/api/history')).body.items as { id: string; status: string }[]
    await expect.poll(async () => (await all()).filter(one => one.status === 'succeeded')).toHaveLength(2)

    const waiting = (await all()).filter(one => one.status === 'queued')
    const before = posts(app).length
    await app.call('PUT', `/api/config/${a}`, { requests_per_minute: null })

    expect(waiting).toHaveLength(2)
    expect(before).toBe(2)
    for (const id of ids) expect((await ended(app, id)).status).toBe('succeeded')
    expect(posts(app)).toHaveLength(4)
  })

  test('is not shared with another address of the service', async () => {
    const { app, add } = await startPool(['a', 'plan'])
    await add('plan', { base_url: app.doubao.planBaseUrl })
    await add('a')

    for (let count = 0; count < 3; count++) await app.generate(image)

    expect(posts(app)).toEqual(['a', 'a', 'a'])
  })

  test('stays with the configuration that a request names', async () => {
    const { app, add } = await startPool(['a', 'b'])
    const a = await add('a')
    await add('b')

    const made = await Promise.all([1, 2, 3].map(() => app.generate({ ...image, config_id: a })))

    expect(posts(app)).toEqual(['a', 'a', 'a'])
    expect(made.map(one => one.config_id)).toEqual([a, a, a])
  })

  test('with an endpoint goes to the configurations that name it', async () => {
    const { app, rules, add } = await startPool(['a', 'b'])
    rules[keyOf('a')]!.endpoints = { 'ep-20261101120000-aaaaa': image.model }
    await add('a', { model: 'ep-20261101120000-aaaaa' })
    await add('b')

    for (let count = 0; count < 3; count++)
      await app.generate({ prompt: 'a boat', model: 'ep-20261101120000-aaaaa', parameters: { size: '2048x2048' } })

    expect(posts(app)).toEqual(['a', 'a', 'a'])
  })

  test('that waits for its turn is dropped when it is cancelled', async () => {
    const { app, add } = await startPool(['a'], { environment: { DRAIN_SECONDS: '0' } })
    await add('a', { most_running: 1 })
    app.doubao.misbehave({ kind: 'hang' })
    const first = await app.generate(image, async)
    await expect.poll(() => posts(app)).toEqual(['a'])
    const second = await app.generate(image, async)

    await app.call('POST', `/api/history/${second.id}/cancel`)

    expect(await ended(app, second.id)).toMatchObject({ status: 'cancelled', charge: 'none' })
    expect(posts(app)).toEqual(['a'])
    expect((await app.call('GET', `/api/history/${first.id}`)).body.status).toBe('running')
  })
})

describe('a refusal that proves that nothing was made', () => {
  test('for too many requests lets one rest, and another makes the picture at once', async () => {
    const { app, add } = await startPool(['a', 'b'], { timeScale: 1 })
    const b = await add('b')
    await add('a')
    app.doubao.misbehave({ kind: 'status', status: 429, body: { error: { code: 'RequestBurstTooFast' } } })

    const first = await app.generate(image)
    const whileResting = await states(app)
    const second = await app.generate(image)

    expect(posts(app)).toEqual(['a', 'b', 'b'])
    expect(billed(app)).toEqual(['b', 'b'])
    expect(whileResting).toEqual({ a: 'resting', b: 'ready' })
    expect([first.config_id, second.config_id]).toEqual([b, b])
    expect(first).toMatchObject({ status: 'succeeded', charge: 'charged', cost: { amount: 0.2 } })
  })

  test('of the key takes a configuration out until a test of it passes', async () => {
    const { app, rules, add } = await startPool(['b'])
    await add('b')
    const a = await add('a')

    const first = await app.generate(image)
    const second = await app.generate(image)
    const out = await states(app)
    const failing = await app.call('POST', '/api/config/test', { id: a })
    const stillOut = await states(app)
    await app.restart()
    const afterRestart = await states(app)
    rules[keyOf('a')] = { name: 'a' }
    const passing = await app.call('POST', '/api/config/test', { id: a })
    const back = await states(app)
    app.doubao.reset()
    for (let count = 0; count < 2; count++) await app.generate(image)

    expect([first.status, second.status]).toEqual(['succeeded', 'succeeded'])
    expect([out, stillOut, afterRestart]).toEqual(Array(3).fill({ a: 'taken_out', b: 'ready' }))
    expect([failing.body.code, passing.body.code]).toEqual(['provider_key_rejected', 'ok'])
    expect(back).toEqual({ a: 'ready', b: 'ready' })
    expect(posts(app).sort()).toEqual(['a', 'b'])
  })

  test('for want of money is told with every request where there is no other, until there is money', async () => {
    const { app, rules, add } = await startPool(['a'])
    rules[keyOf('a')]!.state = 'overdue'
    const a = await add('a')

    const refused = await app.call('POST', '/api/generate', image)
    const next = await app.call('POST', '/api/generate', image)
    const named = await app.call('POST', '/api/generate', { ...image, config_id: a })
    const { items } = (await app.call('GET', '/api/config')).body
    rules[keyOf('a')]!.state = undefined
    const made = await app.generate(image)

    for (const { status, body } of [refused, next, named]) {
      expect([status, body.code, body.charge]).toEqual([402, 'provider_quota_exhausted', 'none'])
      expect(body.provider_code).toBe('AccountOverdueError')
    }
    expect(posts(app)).toEqual(['a', 'a', 'a', 'a'])
    expect([made.status, (await states(app)).a]).toEqual(['succeeded', 'ready'])
    expect(items[0].state).toMatchObject({ status: 'taken_out', code: 'provider_quota_exhausted', running: 0 })
    expect(items[0].state.detail).toContain('Top it up')
    expect(billed(app)).toEqual(['a'])
  })

  test('another key brings a configuration back that was taken out', async () => {
    const { app, add } = await startPool(['b'])
    const a = await add('a')
    await app.call('POST', '/api/generate', image)
    const out = await states(app)

    await app.call('PUT', `/api/config/${a}`, { api_key: keyOf('b') })

    expect(out).toEqual({ a: 'taken_out' })
    expect(await states(app)).toEqual({ a: 'ready' })
    expect((await app.generate(image)).status).toBe('succeeded')
  })

  test('of what was planned already ends it without a request', async () => {
    const { app, add } = await startPool(['b'])
    const a = await add('a', { most_running: 1 })
    const planned = Promise.withResolvers<void>()
    app.doubao.misbehave({ kind: 'held', until: planned.promise })

    const asked = Array.from({ length: 3 }, () => app.call('POST', '/api/generate', { ...image, config_id: a }))
    await expect.poll(async () => (await app.call('GET', '/api/history')).body.items).toHaveLength(3)
    planned.resolve()
    const answers = await Promise.all(asked)

    expect(answers.map(({ body }) => body.code)).toEqual(Array(3).fill('provider_key_rejected'))
    expect(app.doubao.requests).toHaveLength(1)
    expect(answers.filter(({ body }) => /Nothing was sent/.test(body.detail))).toHaveLength(2)
  })

  test('of a model goes on to the others, and they are asked first from then on', async () => {
    const { app, rules, add } = await startPool(['a', 'b'])
    rules[keyOf('a')]!.activated = ['doubao-seedream-5-0-flash-260915']
    await add('b')
    await add('a')

    const made = [await app.generate(image), await app.generate(image), await app.generate(image)]

    expect(made.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded'])
    expect(posts(app)).toEqual(['a', 'b', 'b', 'b'])
    expect(await states(app)).toEqual({ a: 'ready', b: 'ready' })
  })

  test('by everybody is told as the last one said it', async () => {
    const { app, rules, add } = await startPool(['a', 'b'])
    for (const name of ['a', 'b']) {
      rules[keyOf(name)]!.activated = []
      await add(name)
    }

    const answer = await app.call('POST', '/api/generate', image)

    expect([answer.status, answer.body.code]).toEqual([502, 'provider_access_denied'])
    expect(posts(app).sort()).toEqual(['a', 'b'])
  })

  test('of several is told by the one that says most', async () => {
    const { app, rules, add } = await startPool(['b'])
    rules[keyOf('b')]!.activated = []
    for (const name of ['wrong', 'b', 'wronger']) await add(name)

    const answer = await app.call('POST', '/api/generate', image)

    expect([answer.status, answer.body.code]).toEqual([502, 'provider_access_denied'])
    expect(app.doubao.requests.length).toBeLessThanOrEqual(3)
    expect(billed(app)).toEqual([])
  })

  test('of the key in a test takes a stored configuration out as well', async () => {
    const { app, add } = await startPool(['b'])
    const a = await add('a')
    await add('b')

    const tested = await app.call('POST', '/api/config/test', { id: a })

    expect(tested.body.code).toBe('provider_key_rejected')
    expect(await states(app)).toEqual({ a: 'taken_out', b: 'ready' })
  })

  test('is told while it waits to be sent again, and costs nothing meanwhile', async () => {
    const { app, add } = await startPool(['a'], { timeScale: 1, environment: { DRAIN_SECONDS: '0' } })
    await add('a')
    app.doubao.misbehave({ kind: 'status', status: 429, body: { error: { code: 'RequestBurstTooFast' } } })
    const { id } = await app.generate(image, async)
    const now = async () => (await app.call('GET', `/api/history/${id}`)).body

    await expect
      .poll(async () => (await now()).waiting)
      .toMatch(/Nothing was charged; it is sent again automatically at/)
    expect(await now()).toMatchObject({ status: 'running', charge: 'none' })
    await app.call('POST', `/api/history/${id}/cancel`)

    expect(await ended(app, id)).toMatchObject({ status: 'cancelled', charge: 'none', waiting: null })
    expect(posts(app)).toEqual(['a'])
  })

  test('of the environment lasts until the server reads it again', async () => {
    const { app } = await startPool([], { environment: { DOUBAO_API_KEY: keyOf('a') } })
    await app.call('POST', '/api/generate', image)
    const out = Object.values(await states(app))

    await app.restart()

    expect(out).toEqual(['taken_out'])
    expect(Object.values(await states(app))).toEqual(['ready'])
  })
})

describe('what is never tried with another key', () => {
  test.each([
    ['an answer that was cut off', { kind: 'cut', after: 'half-body' }, 'outcome_unknown'],
    ['a connection that was cut', { kind: 'cut', after: 'request' }, 'outcome_unknown'],
    [
      'an internal error',
      { kind: 'status', status: 500, body: { error: { code: 'InternalServiceError' } } },
      undefined,
    ],
    ['a gateway that gave up', { kind: 'status', status: 504, body: '<html>' }, 'provider_timeout'],
    [
      'a picture that was blocked',
      { kind: 'status', status: 400, body: { error: { code: 'OutputImageSensitiveContentDetected' } } },
      'content_rejected',
    ],
    [
      'a request that is refused for what it asks',
      { kind: 'status', status: 400, body: { error: { code: 'InvalidParameter' } } },
      'provider_rejected',
    ],
  ] as const)('%s', async (_, fault, code) => {
    const { app, add } = await startPool(['a', 'b'])
    await add('a')
    await add('b')
    app.doubao.misbehave(fault)

    const answer = await app.call('POST', '/api/generate', image)

    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.body.code).toBe(code ?? 'provider_unavailable')
    expect(posts(app)).toHaveLength(1)
    expect(await states(app)).toEqual({ a: 'ready', b: 'ready' })
  })
})

describe.each(['sqlite', 'postgresql'] as const)('money on %s', kind => {
  async function start(names: string[]) {
    const environment = kind === 'postgresql' ? { DATABASE_URL: await createDatabase() } : {}
    return startPool(names, { environment })
  }

  async function usage(app: TestApp) {
    const { items } = (await app.call('GET', '/api/usage?group=configuration')).body
    return Object.fromEntries(
      items.map((item: { name: string; images: number; calls: number; amount: number }) => [
        item.name,
        [item.images, item.calls, item.amount],
      ]),
    )
  }

  test('counts with the configuration that a call was made with', async () => {
    const { app, add } = await start(['a', 'b'])
    await add('b')
    await add('a')
    app.doubao.misbehave(
      { kind: 'status', status: 429, body: { error: { code: 'RequestBurstTooFast' } } },
      { match: ({ keyName }) => keyName === 'a' },
    )

    const first = await app.generate(two)

    expect(first).toMatchObject({ status: 'succeeded', cost: { amount: 0.6 } })
    expect(billed(app)).toEqual(['b', 'b'])
    expect(await usage(app)).toEqual({ b: [2, 2, 0.6] })
  })

  test('of two calls of one picture each lies where they were made', async () => {
    const { app, add } = await start(['a', 'b'])
    await add('a', { most_running: 1 })
    await add('b', { most_running: 1 })
    const sent = Promise.withResolvers<void>()
    app.doubao.misbehave({ kind: 'held', until: sent.promise }, { times: 2 })

    const making = app.generate(two)
    await expect.poll(() => app.doubao.requests).toHaveLength(2)
    sent.resolve()
    const generation = await making

    expect(generation).toMatchObject({ status: 'succeeded', cost: { amount: 0.6 } })
    expect(billed(app).sort()).toEqual(['a', 'b'])
    expect(await usage(app)).toEqual({ a: [1, 1, 0.3], b: [1, 1, 0.3] })
  })

  test('a cap of one that is reached leaves the work to the others', async () => {
    const { app, add } = await start(['a', 'b'])
    await add('b', { monthly_images: 3 })
    await add('a', { monthly_cap: { amount: 0.4, currency: 'CNY' } })

    const answers = []
    for (let count = 0; count < 6; count++) answers.push(await app.call('POST', '/api/generate', image))

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 402])
    expect(answers[5]!.body.code).toBe('budget_exceeded')
    expect(billed(app).sort()).toEqual(['a', 'a', 'b', 'b', 'b'])
    expect(await usage(app)).toEqual({ a: [2, 2, 0.4], b: [3, 3, 0.6] })
  })

  test('many at once do not go over the cap of one, wherever they were planned', async () => {
    const { app, add } = await start(['a', 'b'])
    await add('b')
    await add('a', { monthly_images: 5 })

    const answers = await Promise.all(Array.from({ length: 24 }, () => app.call('POST', '/api/generate', image)))

    expect(answers.map(({ status }) => status)).toEqual(Array(24).fill(200))
    expect(billed(app).filter(name => name === 'a').length).toBeLessThanOrEqual(5)
    expect(billed(app)).toHaveLength(24)
  })
})

test('a configuration refuses a share that makes no sense', async () => {
  const { app, add } = await startPool(['a'])
  const a = await add('a', { weight: 5, most_running: 2, requests_per_minute: 30 })

  const wrong = await app.call('PUT', `/api/config/${a}`, { weight: 0, most_running: 1.5, requests_per_minute: -1 })
  const changed = await app.call('PUT', `/api/config/${a}`, { most_running: null })

  expect(wrong.status).toBe(422)
  expect(wrong.body.errors.map((error: { path: string }) => error.path)).toEqual([
    'weight',
    'most_running',
    'requests_per_minute',
  ])
  expect(changed.body).toMatchObject({ weight: 5, most_running: null, requests_per_minute: 30 })
})
