/** Clients that repeat a request by themselves pay once; equal requests side by side are different pictures. */
import http from 'node:http'
import { expect, test, vi } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { maxWaitMs } from '../support/patience.ts'
import { createDatabase } from '../support/postgres.ts'
import { clientOf, generationsOf, model } from './client.ts'

const body = { model, prompt: 'a boat', response_format: 'url' as const }
const slow = { kind: 'slow', ms: 2_500 } as const

function ask(app: TestApp, headers: Record<string, string> = {}) {
  return fetch(`${app.url}/v1/images/generations`, {
    ...{ method: 'POST', body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json', ...headers },
  })
}

function paidRequests(app: TestApp) {
  return app.doubao.requests.filter(({ method }) => method === 'POST')
}

function connectionsOf({ app }: TestApp) {
  return new Promise<number>(resolve => app.server.server.getConnections((_, count) => resolve(count)))
}

/** Asks on a connection of its own, leaves once the service has been asked, and waits until the server has noticed. */
async function askAndLeave(app: TestApp, count = 1) {
  const before = await connectionsOf(app)
  const asked = http.request(`${app.url}/v1/images/generations`, {
    ...{ method: 'POST', agent: false },
    headers: { 'content-type': 'application/json' },
  })
  asked.on('error', () => {}).end(JSON.stringify(body))
  await vi.waitUntil(() => paidRequests(app).length === count, maxWaitMs)
  asked.destroy()
  await vi.waitUntil(async () => (await connectionsOf(app)) <= before, maxWaitMs)
}

test('a client with a short time limit that asks again four times pays once', async () => {
  const app = await startApp()
  app.doubao.misbehave(slow)

  const { data, response } = await clientOf(app, { timeout: 1_000, maxRetries: 4 }).images.generate(body).withResponse()

  const [generation, ...others] = await generationsOf(app)
  expect(others).toEqual([])
  expect(data.data![0]!.url).toBe(app.url + generation.images[0].url)
  expect(response.headers.get('x-webimgui-joined')).toBe(generation.id)
  expect(paidRequests(app)).toHaveLength(1)
  expect(app.doubao.billed).toHaveLength(1)
})

test('two equal requests at the same time are two pictures, and so are two that follow one another', async () => {
  const app = await startApp()
  const { images } = clientOf(app)

  await Promise.all([images.generate(body), images.generate(body)])
  await images.generate(body)

  expect(app.doubao.billed).toHaveLength(3)
})

test('two clients that both ask again get each their own', async () => {
  const app = await startApp()
  app.doubao.misbehave(slow, { times: 2 })
  const { images } = clientOf(app, { timeout: 1_000, maxRetries: 4 })

  const made = await Promise.all([images.generate(body), images.generate(body)])

  expect(new Set(made.map(({ data }) => data![0]!.url)).size).toBe(2)
  expect(app.doubao.billed).toHaveLength(2)
})

test.each(['sqlite', 'postgresql'])(
  'on %s a request joins one whose caller has gone, also after a restart',
  async kind => {
    const database = kind === 'postgresql' ? { DATABASE_URL: await createDatabase() } : {}
    const app = await startApp({ environment: database })
    app.doubao.misbehave(slow, { times: 3 })
    await askAndLeave(app)

    const joined = await ask(app)
    expect(joined.status).toBe(200)
    expect(joined.headers.get('x-webimgui-joined')).toBe((await generationsOf(app))[0].id)
    expect((await ask(app)).headers.get('x-webimgui-joined')).toBeNull()
    expect(app.doubao.billed).toHaveLength(2)

    await askAndLeave(app, 3)
    await app.restart()
    const afterwards = await ask(app)
    expect(afterwards.headers.get('x-webimgui-joined')).toBe((await generationsOf(app))[0].id)
    expect(app.doubao.billed).toHaveLength(3)
  },
)

test('what may have cost money is not asked for again within minutes, unless another picture is wanted all the same', async () => {
  const app = await startApp()
  app.doubao.misbehave({ kind: 'cut', after: 'request' })

  const first = await ask(app)
  const second = await ask(app)
  const fresh = await ask(app, { 'x-webimgui-join': 'never' })
  const said = await ask(app, { 'x-webimgui-join': 'never', 'x-stainless-retry-count': '1' })

  expect([first.status, second.status]).toEqual([504, 504])
  expect(second.headers.get('x-webimgui-joined')).toBe(first.headers.get('x-webimgui-generation'))
  expect([fresh.status, said.status]).toEqual([200, 200])
  expect([fresh, said].map(({ headers }) => headers.get('x-webimgui-joined'))).toEqual([null, null])
  expect(paidRequests(app)).toHaveLength(3)
})

test('what cost nothing is made again', async () => {
  const app = await startApp()
  app.doubao.misbehave({ kind: 'refusal', name: '400' })

  const first = await ask(app)
  const second = await ask(app, { 'x-stainless-retry-count': '1' })

  expect(first.status).toBe(400)
  expect(second.status).toBe(200)
  expect(second.headers.get('x-webimgui-joined')).toBeNull()
})
