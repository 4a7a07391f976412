/** The client without a browser, as a command line uses it: against a real server. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createClient, hasEnded, newKey } from '../../src/client/client.ts'
import type { StreamMessage } from '../../src/client/events.ts'
import { startApp } from '../support/app.ts'
import { png } from '../support/pictures.ts'

const model = 'doubao-seedream-4-0-20260415'

/** Notes what it is told until the end of the test. */
function follow(client: ReturnType<typeof createClient>) {
  const messages: StreamMessage[] = []
  const following = new AbortController()
  const ended = client.follow({ signal: following.signal }, message => messages.push(message))
  onTestFinished(async () => {
    following.abort()
    await ended
  })
  return { messages, generations: () => messages.filter(message => message.type === 'generation') }
}

test('uploads with progress, generates once with a key, and follows to the end', async () => {
  const app = await startApp()
  const client = createClient({ baseUrl: `${app.url}/` })
  const { messages, generations } = follow(client)
  const shares: number[] = []

  const reference = await client.images.upload(new Blob([await png(300, 200)]), {
    name: 'lighthouse.png',
    onProgress: share => shares.push(share),
  })
  const key = newKey()
  const body = { prompt: 'a lighthouse at dusk', model, images: [reference.id] }
  const [made, again] = [await client.generate(body, { key }), await client.generate(body, { key })]

  expect(reference).toMatchObject({ width: 300, height: 200 })
  expect(shares.at(-1)).toBe(1)
  expect(shares).toEqual(shares.toSorted((a, b) => a - b))
  expect(again.id).toBe(made.id)
  await expect.poll(() => generations().some(({ generation }) => hasEnded(generation))).toBe(true)
  expect(messages[0]).toEqual({ type: 'open', isFresh: true })
  expect(generations().at(-1)?.generation).toMatchObject({ id: made.id, status: 'succeeded' })
  expect(app.doubao.billed).toHaveLength(1)
})

test('reads and changes the history, by page and filter', async () => {
  const app = await startApp()
  const client = createClient({ baseUrl: `${app.url}/` })
  for (const prompt of ['a lighthouse', 'a harbour', 'a lighthouse again']) {
    await client.generate({ prompt, model }, { key: newKey(), isAwaited: true })
  }

  const first = await client.history.page({ q: 'lighthouse', limit: 1 })
  const second = await client.history.page({ q: 'lighthouse', limit: 1, cursor: first.next_cursor ?? '' })
  const marked = await client.history.change(first.items[0]!.id, { favorite: true, tags: ['sea'] })
  await client.history.remove(second.items[0]!.id)

  expect([...first.items, ...second.items].map(({ prompt }) => prompt)).toEqual(['a lighthouse again', 'a lighthouse'])
  expect(marked).toMatchObject({ favorite: true, tags: ['sea'] })
  expect((await client.history.page({ favorite: true })).items).toHaveLength(1)
  expect((await client.history.page({})).items).toHaveLength(2)
  expect((await client.images.archive([marked.images[0]!.id])).headers.get('content-type')).toBe('application/zip')
})

test('refusals have the code of the contract and what it says of them', async () => {
  const app = await startApp()
  const client = createClient({ baseUrl: `${app.url}/` })

  const refused = client.generate({ prompt: 'x', model, parameters: { n: 99 } }, { key: newKey() })

  await expect(refused).rejects.toMatchObject({
    name: 'ApiError',
    code: 'invalid_request',
    status: 422,
    problem: { errors: [{ path: 'parameters.n' }] },
  })
  await expect(client.history.get('nothing')).rejects.toMatchObject({ code: 'not_found', status: 404 })
  expect(await client.images.isGone('nothing')).toBe(true)
})

test('a token opens the server, and whoever has none is told', async () => {
  const app = await startApp({ environment: { ACCESS_TOKEN: 'correct-horse' } })
  const onUnauthorized = vi.fn()

  await expect(createClient({ baseUrl: `${app.url}/`, onUnauthorized }).me()).rejects.toMatchObject({
    code: 'unauthorized',
    status: 401,
  })
  expect(onUnauthorized).toHaveBeenCalledOnce()
  expect(await createClient({ baseUrl: `${app.url}/`, token: 'correct-horse' }).me()).toMatchObject({ role: 'admin' })
})

test('events go on where they were interrupted, after a restart of the server', async () => {
  const app = await startApp()
  app.environment.PORT = new URL(app.url).port
  const client = createClient({ baseUrl: `${app.url}/` })
  const { messages, generations } = follow(client)
  await expect.poll(() => messages.length).toBeGreaterThan(0)
  await app.generate({ prompt: 'before', model })
  await expect.poll(() => generations().some(({ generation }) => hasEnded(generation))).toBe(true)

  await app.restart()
  await app.generate({ prompt: 'after', model })

  await expect
    .poll(() => generations().at(-1)?.generation)
    .toMatchObject({
      prompt: 'after',
      status: 'succeeded',
    })
  expect(messages.filter(({ type }) => type === 'open')).toEqual([
    { type: 'open', isFresh: true },
    { type: 'open', isFresh: false },
  ])
  expect(messages.filter(({ type }) => type === 'interrupted')).toContainEqual({
    type: 'interrupted',
    isRefused: false,
  })
})

test('a server that is away is told as such, and an answer of somebody else as no answer of ours', async () => {
  const other = createServer((_, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<p>Bad'))
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  const client = createClient({ baseUrl: `http://127.0.0.1:${(other.address() as AddressInfo).port}/` })

  await expect(client.status()).rejects.toMatchObject({ status: 502, problem: undefined })
  await new Promise(resolve => other.close(resolve))
  await expect(client.status()).rejects.toMatchObject({ code: 'offline', status: 0 })
})
