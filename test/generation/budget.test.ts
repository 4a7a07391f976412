/** Caps and usage over HTTP: what is reserved before anything is sent, what is settled, what is refused. */
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, SqliteDialect } from 'kysely'
import { Migrator } from 'kysely/migration'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Problem } from '../../src/api/problems.ts'
import { DOUBAO_DEMO_ENDPOINT, DOUBAO_DEMO_KEY } from '../../src/simulators/doubao/keys.ts'
import { openDatabase } from '../../src/storage/database.ts'
import { createMigrations } from '../../src/storage/migrations/index.ts'
import { createSeal } from '../../src/storage/secrets/seal.ts'
import { createStore } from '../../src/storage/store.ts'
import { addOpenai, startApp, type TestApp } from '../support/app.ts'
import { createDatabase } from '../support/postgres.ts'

/** 0.2 CNY a picture. */
const image = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }
const group = { ...image, prompt: '4 pictures of a boat', parameters: { size: '960x960', n: 4 } }

async function make(app: TestApp, token: Record<string, unknown> = {}) {
  const answer = await app.call('POST', '/api/tokens', { name: 'team', ...token })
  expect(answer.status).toBe(201)
  const headers = { authorization: `Bearer ${answer.body.token}` }
  const me = async () => (await app.call('GET', '/api/me', undefined, headers)).body
  return { id: answer.body.id as string, headers, me }
}

const money = (amount: number) => ({ monthly_cap: { amount, currency: 'CNY' } })

function firstOfNextMonth() {
  const now = new Date()
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)).toISOString()
}

describe.each(['sqlite', 'postgresql'] as const)('a hundred at once on %s', kind => {
  async function start(environment: Record<string, string> = {}) {
    const database = kind === 'postgresql' ? { DATABASE_URL: await createDatabase() } : {}
    return startApp({ environment: { REQUESTS_PER_MINUTE: '0', ...database, ...environment } })
  }

  test('ten go through a cap of a token that allows ten, the others are told', async () => {
    const app = await start()
    const { headers, me } = await make(app, money(2))

    const answers = await Promise.all(
      Array.from({ length: 100 }, () => app.call('POST', '/api/generate', image, headers)),
    )

    const refused = answers.filter(({ status }) => status === 402).map(({ body }) => Problem.parse(body))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10)
    expect(refused).toHaveLength(90)
    expect(app.doubao.requests.filter(request => request.method === 'POST')).toHaveLength(10)
    expect(app.doubao.billed).toHaveLength(10)
    for (const { code, budget, detail } of refused) {
      expect(code).toBe('budget_exceeded')
      expect(budget).toEqual({
        ...{ scope: 'token', left: { amount: 0, currency: 'CNY' }, renews_at: firstOfNextMonth() },
      })
      expect(detail).toContain(firstOfNextMonth().slice(0, 10))
    }
    expect((await me()).left).toEqual({ amount: 0, currency: 'CNY' })
    await app.restart()
    expect((await app.call('POST', '/api/generate', image, headers)).status).toBe(402)
    expect((await app.call('GET', '/api/history?limit=200')).body.items).toHaveLength(10)
  })

  test('ten pictures go through a cap of a configuration, whoever asks', async () => {
    const app = await start()
    const { id } = await addOpenai(app, 'gpt-image-1')
    await app.call('PUT', `/api/config/${id}`, { monthly_images: 10 })
    const team = await Promise.all([make(app), make(app), make(app)])
    const request = { prompt: 'a boat', config_id: id }

    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        app.call('POST', '/api/generate', request, team[index % 4]?.headers ?? {}),
      ),
    )

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10)
    expect(answers.filter(({ status }) => status === 402)).toHaveLength(90)
    expect(app.openai.requests.filter(({ method }) => method === 'POST')).toHaveLength(10)
    expect(answers.find(({ status }) => status === 402)?.body.budget.scope).toBe('configuration')
  })

  test('seven pictures go through a cap of a configuration of the environment, whoever asks', async () => {
    const cap = { DOUBAO_MONTHLY_CAP: '1.5 CNY', QWEN_MONTHLY_CAP_IMAGES: '0' }
    const app = await start(cap)
    const { headers } = await make(app)

    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        app.call('POST', '/api/generate', image, index % 2 === 0 ? headers : {}),
      ),
    )

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(7)
    expect(answers.filter(({ status }) => status === 402)).toHaveLength(93)
    expect(app.doubao.requests.filter(({ method }) => method === 'POST')).toHaveLength(7)
    expect(app.doubao.billed).toHaveLength(7)
    expect(answers.find(({ status }) => status === 402)?.body.budget).toEqual({
      ...{ scope: 'configuration', left: { amount: 0.1, currency: 'CNY' }, variable: 'DOUBAO_MONTHLY_CAP' },
      renews_at: firstOfNextMonth(),
    })
    await app.restart()
    expect((await app.call('POST', '/api/generate', image)).status).toBe(402)
  })

  test('ten pictures go through a cap for all, whoever asks', async () => {
    const app = await start({ MONTHLY_CAP_IMAGES: '10' })
    const { headers } = await make(app)

    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        app.call('POST', '/api/generate', image, index % 2 === 0 ? headers : {}),
      ),
    )

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10)
    expect(app.doubao.billed).toHaveLength(10)
    const refused = answers.find(({ status }) => status === 402)?.body
    expect(refused.budget).toMatchObject({ scope: 'all', left_images: 0, variable: 'MONTHLY_CAP_IMAGES' })
    expect(refused.detail).toMatch(/raise it \(MONTHLY_CAP_IMAGES\)\.$/)
  })
})

test('a cap of a configuration counts for everybody who uses it, and can be raised', async () => {
  const app = await startApp()
  const { id } = await addOpenai(app, 'gpt-image-1')
  const request = { prompt: 'a boat', config_id: id }
  const put = (body: unknown) => app.call('PUT', `/api/config/${id}`, body)
  expect((await put({ monthly_images: 1 })).body).toMatchObject({ monthly_images: 1, monthly_cap: null })
  const key = { 'idempotency-key': 'k' }

  const first = await app.call('POST', '/api/generate', request)
  const second = await app.call('POST', '/api/generate', request, key)
  const others = await app.call('POST', '/api/generate', image)
  // A member that is left out stays.
  await put({ name: 'renamed' })
  const third = await app.call('POST', '/api/generate', request, key)
  await put({ monthly_images: null })
  // The key was not used up by what was refused.
  const fourth = await app.call('POST', '/api/generate', request, key)

  expect([first.status, second.status, others.status, third.status, fourth.status]).toEqual([200, 402, 200, 402, 200])
  expect(third.body.budget).toMatchObject({ scope: 'configuration', left_images: 0 })
  expect(third.body.detail).toContain('"renamed"')
  expect((await app.call('GET', '/api/config')).body.items[0]).toMatchObject({ monthly_images: null })
})

describe('a cap of a configuration of the environment', () => {
  test('is listed, and whoever asks for more is told its variable', async () => {
    const caps = { DOUBAO_MONTHLY_CAP: '0.5 CNY', DOUBAO_MONTHLY_CAP_IMAGES: '3', QWEN_MONTHLY_CAP_IMAGES: '1' }
    const app = await startApp({ environment: caps })
    const qwen = { prompt: 'a boat', model: 'qwen-image-plus' }

    const { items } = (await app.call('GET', '/api/config')).body
    const changed = await app.call('PUT', '/api/config/env-doubao', { monthly_images: 9 })
    const tooDear = await app.call('POST', '/api/generate', { ...image, parameters: { size: '960x960', n: 3 } })
    const tooMany = await app.call('POST', '/api/generate', group)
    await app.generate(qwen)
    const usedUp = await app.call('POST', '/api/generate', qwen)

    expect(items).toMatchObject([
      { id: 'env-doubao', monthly_cap: { amount: 0.5, currency: 'CNY' }, monthly_images: 3 },
      { id: 'env-qwen', monthly_cap: null, monthly_images: 1 },
    ])
    expect([changed.status, changed.body.code]).toEqual([403, 'read_only'])
    expect(changed.body.detail).toContain('DOUBAO_MONTHLY_CAP')
    expect([tooDear.status, tooMany.status, usedUp.status]).toEqual([402, 402, 402])
    expect(tooDear.body.detail).toMatch(
      /of the configuration "Doubao Seedream \(DOUBAO_API_KEY\)" leaves 0\.5 CNY.* the operator of the server can raise it \(DOUBAO_MONTHLY_CAP\)\.$/,
    )
    expect(tooMany.body.detail).toMatch(/leaves 3 pictures.* raise it \(DOUBAO_MONTHLY_CAP_IMAGES\)\.$/)
    expect(usedUp.body.detail).toMatch(/leaves 0 pictures.* raise it \(QWEN_MONTHLY_CAP_IMAGES\)\.$/)
    expect(app.doubao.requests).toEqual([])
  })

  test('that cannot judge a price refuses, and a restart with a cap in pictures beside it lets in', async () => {
    const app = await startApp({ environment: { DOUBAO_MONTHLY_CAP: '5 CNY' } })
    const unpriced = { ...image, model: DOUBAO_DEMO_ENDPOINT, parameters: { size: '2048x2048' } }

    const refused = await app.call('POST', '/api/generate', unpriced)
    await app.restart(async () => {
      app.environment.DOUBAO_MONTHLY_CAP_IMAGES = '1'
    })
    const made = await app.generate(unpriced)
    const second = await app.call('POST', '/api/generate', unpriced)

    expect(refused.body.detail).toContain('set a cap in pictures (DOUBAO_MONTHLY_CAP_IMAGES) beside it')
    expect(made.warnings.map(({ message }) => message).join()).toContain('in the monthly cap of the configuration')
    expect([refused.status, second.status, second.body.budget.left_images]).toEqual([402, 402, 0])
  })

  test('that is reached leaves the work to a stored one at the same address', async () => {
    const app = await startApp({ environment: { DOUBAO_MONTHLY_CAP_IMAGES: '2' } })
    const body = { name: 'stored', provider: 'doubao', api_key: DOUBAO_DEMO_KEY, monthly_images: 3 }
    const stored = (await app.call('POST', '/api/config', body)).body.id

    const answers = []
    for (let count = 0; count < 6; count++) answers.push(await app.call('POST', '/api/generate', image))

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 402])
    const { items } = (await app.call('GET', '/api/usage?group=configuration')).body
    expect(items.map(({ key, images }: { key: string; images: number }) => [key, images]).sort()).toEqual(
      [
        ['env-doubao', 2],
        [stored, 3],
      ].sort(),
    )
  })

  test('takes over from one whose key was refused only what it has room for', async () => {
    const app = await startApp({ environment: { DOUBAO_MONTHLY_CAP_IMAGES: '1' } })
    const body = { name: 'stored', provider: 'doubao', api_key: 'ark-unknown', weight: 100 }
    const id = (await app.call('POST', '/api/config', body)).body.id

    const large = await app.call('POST', '/api/generate', group)
    // Changing the key brings it back, as refused as before.
    await app.call('PUT', `/api/config/${id}`, { api_key: 'ark-unknown-too' })
    const small = await app.generate(image)

    expect([large.status, large.body.code, large.body.charge]).toEqual([502, 'provider_key_rejected', 'none'])
    expect([small.status, small.config_id]).toEqual(['succeeded', 'env-doubao'])
    expect(app.doubao.billed).toHaveLength(1)
  })
})

describe('at the end of a generation the reservation', () => {
  test('is given back when the service refused', async () => {
    const app = await startApp()
    const { headers, me } = await make(app, { ...money(0.8), monthly_images: 4 })
    app.doubao.misbehave({
      ...{ kind: 'status', status: 400 },
      body: { error: { code: 'InputTextSensitiveContentDetected', message: 'no' } },
    })

    const refused = await app.call('POST', '/api/generate', group, headers)

    expect([refused.status, refused.body.charge]).toEqual([422, 'none'])
    expect(await me()).toMatchObject({ left: { amount: 0.8 }, left_images: 4 })
    expect((await app.call('GET', '/api/usage')).body.items).toEqual([])
  })

  test('shrinks to what was made', async () => {
    const app = await startApp()
    const { headers, me } = await make(app, { ...money(0.8), monthly_images: 4 })
    app.doubao.misbehave({ kind: 'partial', failIndexes: [1, 2] })

    const made = await app.generate(group, headers)

    expect(made.cost).toEqual({ amount: 0.4, currency: 'CNY' })
    expect(await me()).toMatchObject({ left: { amount: 0.4 }, left_images: 2 })
  })

  test('stays when nobody knows whether it was billed', async () => {
    const app = await startApp()
    const { headers, me } = await make(app, { ...money(1), monthly_images: 5 })
    app.doubao.misbehave({ kind: 'cut', after: 'headers', billed: true })

    const lost = await app.call('POST', '/api/generate', image, headers)

    expect([lost.status, lost.body.charge]).toEqual([504, 'unknown'])
    expect(await me()).toMatchObject({ left: { amount: 0.8 }, left_images: 4 })
    expect((await app.call('GET', '/api/usage')).body.items).toMatchObject([{ images: 1, amount: 0.2, unknown: 1 }])
  })

  test('stands until then, across a restart, and is given back by a cancel before anything was sent', async () => {
    const app = await startApp()
    const { headers, me } = await make(app, { monthly_images: 2 })
    app.qwen.holdTasks('PENDING')
    const task = { prompt: 'a boat', model: 'wan2.7-image', parameters: { size: '768x768', n: 2 } }
    const running = await app.generate(task, { ...headers, prefer: 'respond-async' })
    await app.restart()

    expect(await me()).toMatchObject({ left_images: 0 })
    expect((await app.call('POST', '/api/generate', image, headers)).status).toBe(402)
    await app.call('POST', `/api/history/${running.id}/cancel`, undefined, headers)
    await (await fetch(`${app.url}/api/history/${running.id}/events`, { headers })).text()
    expect(await me()).toMatchObject({ left_images: 2 })
    expect((await app.call('POST', '/api/generate', image, headers)).status).toBe(200)
  })
})

test('a request that asks for more than is left is refused whole, a smaller one is not', async () => {
  const app = await startApp()
  const { headers } = await make(app, money(0.7))

  const large = await app.call('POST', '/api/generate', group, headers)
  const small = await app.call('POST', '/api/generate', image, headers)
  const retried = await app.call('POST', `/api/history/${small.body.id}/retry`, {}, headers)
  await (await fetch(`${app.url}/api/history/${retried.body.id}/events`, { headers })).text()
  const third = await app.generate(image, headers)
  const retry = await app.call('POST', `/api/history/${third.id}/retry`, {}, headers)

  expect(large.body).toMatchObject({
    ...{ status: 402, code: 'budget_exceeded' },
    budget: { left: { amount: 0.7, currency: 'CNY' } },
  })
  expect(large.body.detail).toContain('may cost up to 0.8 CNY')
  expect([small.status, retried.status, retry.status]).toEqual([200, 202, 402])
  expect(retry.body.budget.left).toEqual({ amount: 0.1, currency: 'CNY' })
})

test('deleting pictures gives no money back, and last month is over', async () => {
  const app = await startApp()
  const { id, headers, me } = await make(app, { monthly_images: 3 })
  const now = new Date()
  const lastMonth = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 0, 23, 59, 59, 999)).toISOString()
  await app.app.store.spending.reserve({
    ...{ generationId: 'old', timestamp: lastMonth, spenderId: id, configId: 'c', model: 'm' },
    ...{ images: 3, calls: 1, cost: null },
  })

  const made = await app.generate(image, headers)
  await app.call('DELETE', `/api/history/${made.id}`, undefined, headers)

  expect(await me()).toMatchObject({ left_images: 2, renews_at: firstOfNextMonth() })
})

describe('where a cap in money cannot judge a request', () => {
  const endpoint = { ...image, model: DOUBAO_DEMO_ENDPOINT, parameters: { size: '2048x2048' } }

  test('it is refused before anything is sent: no price, or one in another currency', async () => {
    const app = await startApp()
    const inYuan = await make(app, money(100))
    const inDollars = await make(app, { monthly_cap: { amount: 100, currency: 'USD' } })
    const ask = (body: unknown, headers: Record<string, string>) => app.call('POST', '/api/generate', body, headers)

    const unpriced = await ask(endpoint, inYuan.headers)
    const foreign = await ask(image, inDollars.headers)

    expect([unpriced.status, unpriced.body.code, foreign.status]).toEqual([402, 'budget_exceeded', 402])
    expect(unpriced.body.budget).toMatchObject({ scope: 'token', left: { amount: 100, currency: 'CNY' } })
    expect(unpriced.body.detail).toMatch(/no price in CNY is known for ep-\S+,.*Nothing was sent.*PRICES_FILE/)
    expect(foreign.body.detail).toContain(`no price in USD is known for ${image.model}`)
    expect(app.doubao.requests).toEqual([])
    expect(Problem.parse(unpriced.body).status).toBe(402)
    expect((await ask(image, inYuan.headers)).status).toBe(200)
  })

  test('one for all refuses it as well, and a price from the own file lets it in', async () => {
    const app = await startApp({
      environment: { MONTHLY_CAP: '1 CNY', PRICES_FILE: 'prices.json' },
      beforeStart: folder =>
        writeFileSync(
          path.join(folder, 'prices.json'),
          JSON.stringify({ [DOUBAO_DEMO_ENDPOINT]: { currency: 'CNY', image: 0.6 } }),
        ),
    })

    const priced = await app.call('POST', '/api/generate', endpoint)
    const second = await app.call('POST', '/api/generate', endpoint)
    const unpriced = await app.call('POST', '/api/generate', {
      prompt: 'a boat',
      model: 'doubao-seedream-5-5-261028',
    })

    expect([priced.status, second.status, unpriced.status]).toEqual([200, 402, 402])
    expect(second.body.budget).toMatchObject({ scope: 'all', left: { amount: 0.4, currency: 'CNY' } })
    expect(unpriced.body.detail).toContain('MONTHLY_CAP_IMAGES')
  })

  test('a cap in pictures beside it bounds it all the same, and the record says so', async () => {
    const app = await startApp({ environment: { MONTHLY_CAP: '0.1 USD', MONTHLY_CAP_IMAGES: '3' } })
    const { headers } = await make(app, { ...money(0.1), monthly_images: 1 })

    const unpriced = await app.generate(endpoint, headers)
    const foreign = await app.generate(image)
    const second = await app.call('POST', '/api/generate', endpoint, headers)

    const sentences = unpriced.warnings.filter(({ parameter }) => parameter === 'model').map(({ message }) => message)
    const start = `No price is known for ${DOUBAO_DEMO_ENDPOINT}, so its pictures cost nothing in the monthly cap of`
    expect(unpriced.cost).toBeNull()
    expect(sentences).toEqual([`${start} the token "team".`, `${start} this server.`])
    expect(foreign.warnings).toContainEqual({
      code: 'cap_in_other_currency',
      parameter: 'model',
      values: { scope: 'all', name: '', currency: 'CNY', cap_currency: 'USD' },
      message: expect.stringContaining('priced in CNY, so it does not count in the monthly cap of this server'),
    })
    expect([second.status, second.body.budget.left_images]).toEqual([402, 0])
  })
})

test('usage by day, model, configuration and token; a member sees its own', async () => {
  const app = await startApp()
  const one = await make(app, { name: '=SUM(A1:A9)"x' })
  const two = await make(app, { name: 'two' })
  await app.generate(image, one.headers)
  await app.generate(group, one.headers)
  await app.generate(image, two.headers)
  await app.generate({ prompt: 'a boat', model: 'qwen-image-plus' })
  const usage = async (query: string, headers?: Record<string, string>) =>
    (await app.call('GET', `/api/usage?${query}`, undefined, headers)).body.items
  const today = new Date().toISOString().slice(0, 10)

  expect(await usage('group=token')).toEqual(
    expect.arrayContaining([
      { key: 'admin', name: 'Access token', images: 1, calls: 1, amount: 0.2, currency: 'CNY', unknown: 0 },
      { key: one.id, name: '=SUM(A1:A9)"x', images: 5, calls: 2, amount: 1, currency: 'CNY', unknown: 0 },
      { key: two.id, name: 'two', images: 1, calls: 1, amount: 0.2, currency: 'CNY', unknown: 0 },
    ]),
  )
  expect(await usage('')).toMatchObject([{ key: today, name: today, images: 7, calls: 4, amount: 1.4 }])
  expect(await usage('group=model')).toMatchObject([
    { key: image.model, name: 'Seedream 4.0 (2026-04)', images: 6 },
    { key: 'qwen-image-plus', images: 1 },
  ])
  expect(await usage('group=configuration')).toMatchObject([
    { key: 'env-doubao', name: expect.stringContaining('DOUBAO_API_KEY'), images: 6 },
    { key: 'env-qwen', images: 1 },
  ])
  expect(await usage('group=token', two.headers)).toMatchObject([{ key: two.id, images: 1 }])
  expect(await usage('group=configuration', two.headers)).toMatchObject([{ key: 'env-doubao', images: 1 }])
  expect(await usage(`from=${today}&to=${today}`)).toHaveLength(1)
  expect(await usage('from=2020-01-01&to=2020-12-31')).toEqual([])
  expect((await app.call('GET', '/api/usage?group=name')).status).toBe(422)

  const csv = await app.call('GET', '/api/usage?group=token', undefined, { accept: 'text/csv' })
  const bytes = await (await fetch(`${app.url}/api/usage?group=token&format=csv`)).arrayBuffer()
  expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
  expect([...new Uint8Array(bytes).slice(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
  const lines = csv.body.split('\r\n')
  expect(lines[0]).toBe('key,name,images,calls,amount,currency,unknown')
  expect(lines).toContain(`"${one.id}","'=SUM(A1:A9)""x",5,2,1,"CNY",0`)
  expect(lines).toHaveLength(5)
})

test('what was made before there were caps counts too', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'webimgui-budget-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = path.join(folder, 'old.db')
  const seal = createSeal('a secret of this test, long enough')
  const handle = new DatabaseSync(file)
  const old = new Kysely<unknown>({ dialect: new SqliteDialect({ database: asDatabase(handle) }) })
  const { '0001-first-tables': first } = createMigrations(seal)
  await new Migrator({
    db: old,
    provider: { getMigrations: async () => ({ '0001-first-tables': first! }) },
  }).migrateToLatest()
  const insert = (id: string, status: string, charge: string, cost: string) => {
    handle.exec(`insert into chat_history (id, prompt, timestamp, model, provider, config_id, status, charge, resolved, cost_amount, cost_currency)
      values ('${id}', 'p', '2026-11-20T08:00:00.000Z', 'm', 'doubao', 'c', '${status}', '${charge}', '{}', ${cost})`)
    handle.exec(`insert into provider_calls (id, generation_id, slot, attempt, state, provider, config_id, model, route, body, images, first_index, timeout_ms, charge)
      values ('call-${id}', '${id}', 0, 1, 'settled', 'doubao', 'c', 'm', 'r', '{}', 3, 0, 1, '${charge}')`)
  }
  insert('made', 'succeeded', 'charged', "0.6, 'CNY'")
  handle.exec(`insert into images (id, role, generation_id, file, width, height, bytes, mime_type, sha256, created_at)
    values ('i', 'result', 'made', 'f', 1, 1, 1, 'image/png', 's', '2026-11-20T08:00:00.000Z')`)
  insert('lost', 'failed', 'unknown', 'null, null')
  insert('running', 'running', 'none', 'null, null')
  insert('refused', 'failed', 'none', 'null, null')
  await old.destroy()

  const database = await openDatabase({ kind: 'sqlite', path: file }, seal)
  onTestFinished(() => database.close())
  const { spending, generations } = createStore(database)
  const month = { from: '2026-11-01T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z' }

  expect(await spending.totals(month, {})).toEqual({ images: 7, amounts: [{ amount: 0.6, currency: 'CNY' }] })
  expect(await spending.totals(month, { ownerId: 't' })).toEqual({ images: 0, amounts: [] })
  expect((await generations.find('made'))?.ownerId).toBeNull()
})

/** What Kysely asks of a database, of `node:sqlite`. */
function asDatabase(handle: DatabaseSync) {
  return {
    close: () => handle.close(),
    prepare(text: string) {
      const statement = handle.prepare(text)
      type Values = Parameters<typeof statement.all>
      return {
        reader: statement.columns().length > 0,
        all: (values: readonly unknown[]) => statement.all(...(values as Values)),
        run: (values: readonly unknown[]) => statement.run(...(values as Values)),
        iterate: (values: readonly unknown[]) => statement.iterate(...(values as Values)),
      }
    },
  }
}

test('administrators read what is left of the caps for all, in this month whatever they ask for', async () => {
  const app = await startApp({ environment: { MONTHLY_CAP: '1 CNY', MONTHLY_CAP_IMAGES: '3' } })
  const uncapped = await startApp()
  const { headers } = await make(app)
  await app.generate(image, headers)
  await app.generate(image)

  const answers = [
    await app.call('GET', '/api/usage'),
    await app.call('GET', '/api/usage?from=2020-01-01&to=2020-01-02'),
  ]

  for (const { body } of answers) {
    expect(body.for_all).toEqual({
      ...{ monthly_cap: { amount: 1, currency: 'CNY' }, left: { amount: 0.6, currency: 'CNY' } },
      ...{ monthly_images: 3, left_images: 1, renews_at: firstOfNextMonth() },
    })
  }
  expect((await app.call('GET', '/api/usage', undefined, headers)).body).not.toHaveProperty('for_all')
  expect((await uncapped.call('GET', '/api/usage')).body).toEqual({ items: [] })
})
