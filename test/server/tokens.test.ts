/** Named tokens over HTTP: made, used, bounded to what is their own, revoked. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import { fastify } from 'fastify'
import sharp from 'sharp'
import { expect, onTestFinished, test } from 'vitest'
import type { App } from '../../src/server/route.ts'
import { requireRules } from '../../src/server/route.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { dataUri, png } from '../support/pictures.ts'
import { generation, image, startServer } from './harness.ts'

const picture = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }
const admin = { authorization: 'Bearer the-token-of-the-server' }

async function startClosed(environment: Record<string, string> = {}) {
  return startApp({ environment: { ACCESS_TOKEN: 'the-token-of-the-server', ...environment } })
}

async function make(app: TestApp, token: Record<string, unknown>) {
  const answer = await app.call('POST', '/api/tokens', token, admin)
  expect(answer.status).toBe(201)
  return {
    ...(answer.body as { id: string; token: string }),
    headers: { authorization: `Bearer ${answer.body.token}` },
  }
}

test('a token is shown once, kept as a hash, and gone with its sessions when it is revoked', async () => {
  // The use of a token is noted once a minute.
  const began = Date.now() - 60_000
  const app = await startClosed()
  const made = await make(app, {
    ...{ name: '设计组', monthly_cap: { amount: 50, currency: 'CNY' }, monthly_images: 300 },
    models: ['doubao-seedream-4-0-20260415'],
  })
  const login = await app.call('POST', '/api/login', { token: made.token })
  const session = { cookie: login.headers.get('set-cookie')!.split(';')[0]! }

  expect(made.token).toMatch(/^wig_[\w-]{43}$/)
  expect((await app.call('GET', '/api/me', undefined, session)).body).toMatchObject({
    ...{ role: 'member', name: '设计组', monthly_cap: { amount: 50, currency: 'CNY' }, monthly_images: 300 },
    ...{
      left: { amount: 50, currency: 'CNY' },
      left_images: 300,
      needs_token: true,
      models: ['doubao-seedream-4-0-20260415'],
    },
  })
  const [listed] = (await app.call('GET', '/api/tokens', undefined, admin)).body.items
  expect(listed).toMatchObject({ id: made.id, name: '设计组', role: 'member' })
  expect(Date.parse(listed.last_used_at)).toBeGreaterThanOrEqual(began)
  expect(JSON.stringify(listed)).not.toContain(made.token.slice(4))
  for (const file of ['chat_history.db', 'chat_history.db-wal']) {
    expect((await readFile(path.join(app.dataDir, file))).includes(made.token)).toBe(false)
  }
  await app.restart()
  expect((await app.call('GET', '/api/history', undefined, made.headers)).status).toBe(200)
  expect((await app.call('GET', '/api/history', undefined, session)).status).toBe(200)

  expect((await app.call('DELETE', `/api/tokens/${made.id}`, undefined, admin)).status).toBe(204)

  expect((await app.call('GET', '/api/history', undefined, made.headers)).status).toBe(401)
  expect((await app.call('GET', '/api/history', undefined, session)).status).toBe(401)
  expect((await app.call('POST', '/api/login', { token: made.token })).status).toBe(401)
  expect((await app.call('DELETE', `/api/tokens/${made.id}`, undefined, admin)).status).toBe(404)
  expect((await app.call('GET', '/api/tokens', undefined, admin)).body).toEqual({ items: [] })
})

test('a token is changed: what is left out stays, what is spent counts, and the text goes on', async () => {
  const app = await startClosed()
  const made = await make(app, { name: 'a', monthly_images: 1, models: [picture.model] })
  const change = (body: unknown, id = made.id) => app.call('PATCH', `/api/tokens/${id}`, body, admin)
  const use = (body: unknown = picture) => app.call('POST', '/api/generate', body, made.headers)
  await use()
  const refused = await use()

  const raised = await change({ monthly_images: 3 })
  const first = await use()
  const capped = await change({ name: ' b ', monthly_cap: { amount: 0.5, currency: 'CNY' }, monthly_images: null })
  const over = await use()
  const other = await use({ ...picture, model: 'doubao-seedream-5-0-flash-260915', parameters: {} })
  const opened = await change({ monthly_cap: null, models: null })
  const last = await use({ ...picture, model: 'doubao-seedream-5-0-flash-260915', parameters: {} })

  expect([refused.status, refused.body.detail]).toEqual([402, expect.stringContaining('an administrator can raise it')])
  const before = { id: made.id, name: 'a', role: 'member', monthly_cap: null, models: [picture.model] }
  expect([raised.status, raised.body]).toEqual([200, expect.objectContaining({ ...before, monthly_images: 3 })])
  expect(raised.body).not.toHaveProperty('token')
  expect(first.status).toBe(200)
  expect(capped.body).toMatchObject({
    ...before,
    ...{ name: 'b', monthly_cap: { amount: 0.5, currency: 'CNY' }, monthly_images: null },
  })
  expect([over.status, over.body.budget.left]).toEqual([402, { amount: 0.1, currency: 'CNY' }])
  expect([other.status, other.body.code]).toEqual([403, 'not_allowed'])
  expect(opened.body).toMatchObject({ name: 'b', monthly_cap: null, monthly_images: null, models: null })
  expect(last.status).toBe(200)
  expect((await app.call('GET', '/api/me', undefined, made.headers)).body).toMatchObject({ name: 'b', left: null })
  expect((await change({})).body).toEqual({ ...opened.body, last_used_at: expect.any(String) })
  expect((await change({ role: 'admin' })).status).toBe(422)
  expect((await change({ monthly_images: -1 })).body.errors[0].path).toBe('monthly_images')
  expect((await change({ name: 'x' }, 'nobody')).body.code).toBe('not_found')
  await app.call('DELETE', `/api/tokens/${made.id}`, undefined, admin)
  expect((await change({ name: 'x' })).status).toBe(404)
  expect((await change({})).status).toBe(404)
})

test('a forged session of a named token is nobody', async () => {
  const app = await startClosed()
  const made = await make(app, { name: 'a' })
  const other = await make(app, { name: 'root', role: 'admin' })
  const cookie = (await app.call('POST', '/api/login', { token: made.token })).headers.get('set-cookie')!.split(';')[0]!

  const forged = cookie.replace(made.id, other.id)

  expect(forged).not.toBe(cookie)
  expect((await app.call('GET', '/api/me', undefined, { cookie: forged })).status).toBe(401)
  expect((await app.call('GET', '/api/me', undefined, { cookie: cookie.replace(`.${made.id}`, '') })).status).toBe(401)
  expect((await app.call('GET', '/api/me', undefined, { cookie })).body.name).toBe('a')
})

test('a member sees and touches only its own; what is foreign is not there', async () => {
  const app = await startClosed()
  const [mine, foreign] = [await make(app, { name: 'mine' }), await make(app, { name: 'foreign' })]
  const own = await app.generate(picture, mine.headers)
  const other = await app.generate({ ...picture, prompt: 'a secret' }, foreign.headers)
  const ours = await app.generate(picture, admin)
  const me = (method: string, address: string, body?: unknown) => app.call(method, address, body, mine.headers)

  expect((await me('GET', '/api/history')).body.items.map((item: { id: string }) => item.id)).toEqual([own.id])
  expect((await me('GET', '/api/history?q=secret')).body.items).toEqual([])
  for (const { id, images } of [other, ours]) {
    const answers = [
      await me('GET', `/api/history/${id}`),
      await me('PATCH', `/api/history/${id}`, { favorite: true }),
      await me('DELETE', `/api/history/${id}`),
      await me('POST', `/api/history/${id}/cancel`),
      await me('POST', `/api/history/${id}/retry`),
      await me('POST', `/api/history/${id}/retry`, { dry_run: true }),
      await me('GET', `/api/history/${id}/events`),
      await me('GET', `/images/${images[0]!.id}`),
      await me('GET', `/images/${images[0]!.id}?recipe`),
      await me('GET', `/images/${images[0]!.id}/thumbnail`),
      await me('DELETE', `/images/${images[0]!.id}`),
      await me('POST', '/api/images/archive', { ids: [images[0]!.id] }),
    ]
    const reference = { ...picture, images: [images[0]!.id] }
    const uses = [await me('POST', '/api/generate', reference), await me('POST', '/api/estimate', reference)]

    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(answers.map(() => [404, 'not_found']))
    expect(uses.map(({ status, body }) => [status, body.errors[0].path])).toEqual(uses.map(() => [422, 'images.0']))
  }
  const archive = await me('POST', '/api/images/archive', { ids: [own.images[0]!.id, other.images[0]!.id] })
  expect(archive.status).toBe(200)
  expect(archive.body).not.toContain('a secret')

  expect((await me('GET', `/api/history/${own.id}`)).status).toBe(200)
  expect((await me('GET', `/images/${own.images[0]!.id}`)).status).toBe(200)
  expect((await me('POST', '/api/generate', { ...picture, images: [own.images[0]!.id] })).status).toBe(200)
  expect((await me('DELETE', '/api/history')).body).toEqual({ deleted: 2 })
  const rest = (await app.call('GET', '/api/history', undefined, admin)).body.items
  expect(rest.map((item: { id: string }) => item.id)).toEqual([ours.id, other.id])
})

test('events of others never reach a member, and a revoked one reads no more', async () => {
  const app = await startClosed()
  const [mine, foreign] = [await make(app, { name: 'mine' }), await make(app, { name: 'foreign' })]
  const early = await app.generate(picture, foreign.headers)
  const answer = await fetch(`${app.url}/api/events`, { headers: { ...mine.headers, 'last-event-id': '0' } })
  const stream = answer.text()

  const other = await app.generate(picture, foreign.headers)
  await app.call('DELETE', `/api/history/${early.id}`, undefined, foreign.headers)
  const own = await app.generate(picture, mine.headers)
  const removed = await app.generate(picture, mine.headers)
  await app.call('DELETE', `/api/history/${removed.id}`, undefined, mine.headers)
  await app.call('DELETE', `/api/tokens/${mine.id}`, undefined, admin)
  const text = await stream

  expect(text).toContain(own.id)
  expect(text).toContain(removed.id)
  expect(text).not.toContain(other.id)
  expect(text).not.toContain(early.id)
})

test('a member is kept from keys, addresses, tokens and the state of the machine', async () => {
  const app = await startClosed()
  const { headers } = await make(app, { name: 'member' })
  const refused = await Promise.all([
    app.call('GET', '/api/tokens', undefined, headers),
    app.call('POST', '/api/tokens', { name: 'x', role: 'admin' }, headers),
    app.call('DELETE', '/api/tokens/x', undefined, headers),
    app.call('POST', '/api/config', { provider: 'doubao', api_key: 'k' }, headers),
    app.call('PUT', '/api/config/env-doubao', { name: 'x' }, headers),
    app.call('DELETE', '/api/config/env-doubao', undefined, headers),
    app.call('POST', '/api/config/test', { id: 'env-doubao' }, headers),
    app.call('GET', '/api/status/errors', undefined, headers),
  ])

  expect(refused.map(({ status, body }) => [status, body.code])).toEqual(refused.map(() => [403, 'not_allowed']))
  const [configuration] = (await app.call('GET', '/api/config', undefined, headers)).body.items
  expect(Object.keys(configuration)).toEqual(['id', 'name', 'provider', 'model', 'is_active', 'is_local'])
  // A demonstration says so to members as well; an address it does not tell.
  expect(configuration.is_local).toBe(true)
  await app.call('POST', '/api/config', { provider: 'doubao', api_key: 'k', base_url: 'https://ark.example' }, admin)
  const [other] = (await app.call('GET', '/api/config', undefined, headers)).body.items
  expect(other).toMatchObject({ provider: 'doubao', is_local: false })
  const status = (await app.call('GET', '/api/status', undefined, headers)).body
  expect(Object.keys(status)).toEqual(['status', 'version', 'started_at', 'uptime_seconds', 'providers'])
  expect((await app.call('GET', '/api/models', undefined, headers)).body.items.length).toBeGreaterThan(5)
  expect((await app.call('GET', '/api/status', undefined, admin)).body).toHaveProperty('database')
})

test('a token with the role of an admin may do what the token of the server may', async () => {
  const app = await startClosed()
  const own = await app.generate(picture, admin)
  const { headers } = await make(app, { name: 'second', role: 'admin' })

  expect((await app.call('GET', `/api/history/${own.id}`, undefined, headers)).status).toBe(200)
  expect((await app.call('GET', '/api/tokens', undefined, headers)).status).toBe(200)
  expect((await app.call('GET', '/api/config', undefined, headers)).body.items[0]).toHaveProperty('key_hint')
})

test('a token uses no other models than its own', async () => {
  const app = await startClosed()
  const { headers } = await make(app, { name: 'limited', models: ['doubao-seedream-4-0-20260415', 'ep-of-ours'] })

  const other = await app.call('POST', '/api/generate', { ...picture, model: 'qwen-image-plus' }, headers)
  const estimate = await app.call('POST', '/api/estimate', { ...picture, model: 'qwen-image-plus' }, headers)
  const unlisted = await app.call('POST', '/api/generate', { ...picture, model: 'ep-another' }, headers)
  const models = (await app.call('GET', '/api/models', undefined, headers)).body.items

  expect([other.status, other.body.code]).toEqual([403, 'not_allowed'])
  expect(other.body.detail).toContain('doubao-seedream-4-0-20260415')
  expect([estimate.status, unlisted.status]).toEqual([403, 403])
  expect(models.map((model: { id: string }) => model.id)).toEqual(['doubao-seedream-4-0-20260415'])
  expect((await app.generate(picture, headers)).status).toBe('succeeded')
  expect([app.doubao.billed.length, app.qwen.requests.length]).toEqual([1, 0])
})

test('the same Idempotency-Key of two tokens is two keys', async () => {
  const app = await startClosed()
  const [one, two] = [await make(app, { name: 'one' }), await make(app, { name: 'two' })]
  const key = { 'idempotency-key': 'order-1' }

  const first = await app.generate(picture, { ...one.headers, ...key })
  const second = await app.generate(picture, { ...two.headers, ...key })
  const again = await app.generate(picture, { ...one.headers, ...key })

  expect(second.id).not.toBe(first.id)
  expect(again.id).toBe(first.id)
  expect(app.doubao.billed).toHaveLength(2)
})

test('a reference that two uploaded stays until the last gives it up', async () => {
  const app = await startClosed()
  const [one, two] = [await make(app, { name: 'one' }), await make(app, { name: 'two' })]
  const bytes = await png(400, 300)
  const upload = async (headers: Record<string, string>) => {
    const form = new FormData()
    form.set('file', new Blob([new Uint8Array(bytes)]), 'a.png')
    return app.call('POST', '/api/images', form, headers)
  }
  const id = (await upload(one.headers)).body.id
  const look = async (headers: Record<string, string>) =>
    (await app.call('GET', `/images/${id}`, undefined, headers)).status

  expect([await look(one.headers), await look(two.headers)]).toEqual([200, 404])
  expect((await upload(two.headers)).body.id).toBe(id)
  expect((await app.call('DELETE', `/images/${id}`, undefined, one.headers)).status).toBe(204)
  expect([await look(one.headers), await look(two.headers), await look(admin)]).toEqual([404, 200, 200])
  expect((await app.call('DELETE', `/images/${id}`, undefined, two.headers)).status).toBe(204)
  expect(await look(admin)).toBe(404)
})

test('a picture given with a request is its own afterwards', async () => {
  const app = await startClosed()
  const [one, two] = [await make(app, { name: 'one' }), await make(app, { name: 'two' })]

  const made = await app.generate({ ...picture, images: [dataUri(await png(400, 400))] }, one.headers)
  const reference = made.references[0]!.id

  expect((await app.call('GET', `/images/${reference}`, undefined, one.headers)).status).toBe(200)
  expect((await app.call('GET', `/images/${reference}`, undefined, two.headers)).status).toBe(404)
})

test('a token that asks too often waits, others do not', async () => {
  const app = await startClosed({ REQUESTS_PER_MINUTE: '2' })
  const [eager, calm] = [await make(app, { name: 'eager' }), await make(app, { name: 'calm' })]
  const ask = (headers: Record<string, string>) => app.call('POST', '/api/generate', { prompt: '', n: 1 }, headers)

  const answers = [await ask(eager.headers), await ask(eager.headers), await ask(eager.headers)]

  expect(answers.map(({ status }) => status)).toEqual([422, 422, 429])
  expect(answers[2]!.body.code).toBe('too_many_requests')
  expect(Number(answers[2]!.headers.get('retry-after'))).toBeGreaterThan(20)
  expect(Number(answers[2]!.headers.get('retry-after'))).toBeLessThanOrEqual(30)
  expect((await ask(calm.headers)).status).toBe(422)
  expect((await app.call('GET', '/api/history', undefined, eager.headers)).status).toBe(200)
})

test('a token has no more than 16 uploads under way', async () => {
  const app = await startClosed()
  const [slow, other] = [await make(app, { name: 'slow' }), await make(app, { name: 'other' })]
  const { port } = new URL(app.url)
  const begin = () => {
    const request = http.request({
      ...{ host: '127.0.0.1', port, path: '/api/images', method: 'POST', agent: false },
      headers: { ...slow.headers, 'content-type': 'multipart/form-data; boundary=x' },
    })
    request.on('error', () => {})
    request.write('--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n')
    return request
  }
  const begun = Array.from({ length: 16 }, begin)
  onTestFinished(() => begun.forEach(request => void request.destroy()))
  const upload = async (headers: Record<string, string>) => {
    const form = new FormData()
    form.set('file', new Blob([new Uint8Array(await png(64, 64))]), 'a.png')
    return app.call('POST', '/api/images', form, headers)
  }
  // An upload that was let in meanwhile may have taken the place of one of those that do not end, so one more begins each time.
  await expect
    .poll(async () => {
      begun.push(begin())
      return (await upload(slow.headers)).status
    })
    .toBe(429)

  const refused = await upload(slow.headers)
  const free = await upload(other.headers)
  begun.forEach(request => void request.destroy())

  expect([refused.body.code, refused.headers.get('retry-after')]).toEqual(['too_many_requests', '2'])
  expect(free.status).toBe(201)
  await expect.poll(async () => (await upload(slow.headers)).status).toBe(201)
})

test('a token has no more than 100 event streams, and a place is free again when one is closed', async () => {
  const app = await startClosed()
  const [many, other] = [await make(app, { name: 'many' }), await make(app, { name: 'other' })]
  const open = async (headers: Record<string, string>) => {
    const stop = new AbortController()
    const answer = await fetch(`${app.url}/api/events`, { headers, signal: stop.signal })
    onTestFinished(() => stop.abort())
    return { answer, close: () => stop.abort() }
  }
  const streams = await Promise.all(Array.from({ length: 100 }, () => open(many.headers)))

  const refused = await app.call('GET', '/api/events', undefined, many.headers)
  const others = await open(other.headers)
  streams[0]?.close()

  expect(streams.map(({ answer }) => answer.status)).toEqual(Array(100).fill(200))
  expect([refused.status, refused.body.code]).toEqual([429, 'too_many_requests'])
  expect(others.answer.status).toBe(200)
  await expect.poll(async () => (await open(many.headers)).answer.status).toBe(200)
})

test('an answer that nobody reads is let go, be it a stream or a picture', async () => {
  const app = await startApp()
  // More than fits into the buffers of a connection.
  const side = 2400
  const noise = randomBytes(side * side * 3)
  const large = await sharp(noise, { raw: { width: side, height: side, channels: 3 } })
    .png({ compressionLevel: 0 })
    .toBuffer()
  const form = new FormData()
  form.set('file', new Blob([new Uint8Array(large)]), 'a.png')
  const stored = await app.call('POST', '/api/images', form)
  const sockets: net.Socket[] = []
  app.app.server.server.on('connection', socket => sockets.push(socket))
  const { port } = new URL(app.url)

  for (const address of ['/api/events', stored.body.url]) {
    const client = net.connect(Number(port), '127.0.0.1')
    client.write(`GET ${address} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    await once(client, 'readable')
    const socket = sockets.at(-1)

    expect(socket?.timeout).toBe(120_000)
    socket?.setTimeout(20)
    // It may be closed before anybody listens.
    if (!socket?.destroyed) await once(socket as net.Socket, 'close')
    client.destroy()
  }
})

test('large bodies have 256 MiB of room together, and no longer than they are needed', async () => {
  const { port, call, created } = await startServer({
    environment: { ACCESS_TOKEN: 'the-token-of-the-server' },
    // Waits for as long as somebody listens.
    services: {
      generations: { whenEnded: (_, { signal }) => once(signal as AbortSignal, 'abort').then(() => generation()) },
    },
  })
  const announced = (megabytes: number) => {
    const request = http.request({
      ...{ host: '127.0.0.1', port, path: '/api/generate', method: 'POST', agent: false },
      headers: { ...admin, 'content-type': 'application/json', 'content-length': megabytes * 1024 * 1024 },
    })
    request.on('error', () => {})
    request.flushHeaders()
    onTestFinished(() => void request.destroy())
    return request
  }
  const large = { prompt: 'x', images: ['x'.repeat(40 * 1024 * 1024)] }
  const generate = (body: unknown, headers = {}) => call('POST', '/api/generate', body, { ...admin, ...headers })
  for (let count = 0; count < 3; count++) announced(64)

  // This one waits for its pictures, and its body is gone.
  const waiting = new AbortController()
  onTestFinished(() => waiting.abort())
  const url = `http://127.0.0.1:${port}/api/generate`
  const headers = { ...admin, 'content-type': 'application/json' }
  const first = fetch(url, { method: 'POST', headers, body: JSON.stringify(large), signal: waiting.signal })
  first.catch(() => {})
  await expect.poll(() => created.length).toBe(1)
  const second = await generate(large, { prefer: 'respond-async' })
  const last = announced(64)
  await expect.poll(async () => (await generate(large, { prefer: 'respond-async' })).status).toBe(429)
  const small = await generate({ prompt: 'x' }, { prefer: 'respond-async' })
  last.destroy()

  expect([second.status, small.status]).toEqual([202, 202])
  await expect.poll(async () => (await generate(large, { prefer: 'respond-async' })).status).toBe(202)
})

test('pictures with their recipe share that room, and a token has four archives at a time', async () => {
  const large = image({ bytes: 100 * 1024 * 1024 })
  const never = () => new Promise<never>(() => {})
  const { url } = await startServer({ services: { images: { find: async () => large, read: never } } })
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const begin = (address: string, body?: unknown) =>
    fetch(url + address, {
      ...(body ? { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
      signal: stop.signal,
    })
  const recipe = () => begin('/images/i1?recipe')
  const archive = () => begin('/api/images/archive', { ids: ['i1'] })
  // All but one of them wait for their pictures; the end of the test ends them.
  const firstAnswer = (asked: Promise<Response>[]) => {
    for (const one of asked) one.catch(() => {})
    return Promise.race(asked)
  }

  expect((await firstAnswer([recipe(), recipe(), recipe()])).status).toBe(429)
  const answers = [archive(), archive(), archive(), archive(), archive()].map(asked =>
    asked.then(answer => (answer.status === 429 ? answer : new Promise<never>(() => {}))),
  )
  expect((await firstAnswer(answers)).headers.get('retry-after')).toBe('5')
})

test('estimates, uploads and archives are counted as well, ten for a generation', async () => {
  const app = await startClosed({ REQUESTS_PER_MINUTE: '1' })
  const [eager, calm] = [await make(app, { name: 'eager' }), await make(app, { name: 'calm' })]
  const ask = async (headers: Record<string, string>) =>
    (await app.call('POST', '/api/estimate', { prompt: 'x' }, headers)).status

  const statuses = []
  for (let count = 0; count < 11; count++) statuses.push(await ask(eager.headers))

  expect(statuses).toEqual([...Array(10).fill(200), 429])
  expect(await ask(calm.headers)).toBe(200)
  expect((await app.call('POST', '/api/generate', picture, eager.headers)).status).toBe(200)
})

test('a form that should hold a picture has no room for long texts', async () => {
  const app = await startApp()
  const form = new FormData()
  form.set('file', 'x'.repeat(100_000))

  expect((await app.call('POST', '/api/images', form)).status).toBe(413)
})

test('where no token is needed everybody is an admin, and a named token is still what it is', async () => {
  const app = await startApp()
  const made = await app.call('POST', '/api/tokens', { name: 'script', monthly_images: 1 })
  const headers = { authorization: `Bearer ${made.body.token}` }

  expect((await app.call('GET', '/api/me')).body).toMatchObject({ role: 'admin', name: null, needs_token: false })
  expect((await app.call('GET', '/api/me', undefined, { authorization: 'Bearer sk-any' })).body.role).toBe('admin')
  expect((await app.call('GET', '/api/me', undefined, headers)).body).toMatchObject({ role: 'member', name: 'script' })
  await app.call('DELETE', `/api/tokens/${made.body.id}`)
  expect((await app.call('POST', '/api/generate', picture, headers)).status).toBe(401)
  expect(app.doubao.requests).toEqual([])
})

test.each([
  [{}, 'name'],
  [{ name: ' ' }, 'name'],
  [{ name: 'x', role: 'owner' }, 'role'],
  [{ name: 'x', monthly_cap: { amount: -1, currency: 'CNY' } }, 'monthly_cap.amount'],
  [{ name: 'x', monthly_cap: { amount: 1, currency: 'yuan' } }, 'monthly_cap.currency'],
  [{ name: 'x', monthly_cap: 5 }, 'monthly_cap'],
  [{ name: 'x', monthly_images: 1.5 }, 'monthly_images'],
  [{ name: 'x', monthly_images: -1 }, 'monthly_images'],
  [{ name: 'x', models: [''] }, 'models.0'],
  [{ name: 'x', token: 'mine' }, 'token'],
])('%j makes no token', async (body, fault) => {
  const app = await startClosed()

  const answer = await app.call('POST', '/api/tokens', body, admin)

  expect([answer.status, answer.body.errors[0].path]).toEqual([422, fault])
})

test('a route that does not say who may use it stops the start', async () => {
  const bare = fastify()
  requireRules(bare as unknown as App)

  expect(() => bare.get('/new', () => 'x')).toThrow('GET /new has no access rule')
  bare.get('/fine', { config: { access: 'admin' } }, () => 'x')
  expect(bare.accessRules).toContainEqual({ method: 'GET', url: '/fine', access: 'admin' })
})

test('every route has its rule', async () => {
  const app = await startApp()
  const rules = app.app.server.accessRules
  const open = rules.filter(({ access }) => access === 'open').map(({ method, url }) => `${method} ${url}`)

  expect(open.filter(route => !route.startsWith('HEAD')).sort()).toEqual([
    'GET /.well-known/oauth-protected-resource',
    'GET /.well-known/oauth-protected-resource/mcp',
    'GET /health',
    'GET /icons/*',
    'GET /login',
    'GET /manifest.webmanifest',
    'GET /ready',
    'GET /service-worker.js',
    'POST /api/login',
    'POST /api/logout',
  ])
  for (const { method, url, access } of rules) {
    if (/^\/api\/history\/:id/.test(url)) expect([method, url, access]).toEqual([method, url, 'own generation'])
    if (/^\/images\/:id/.test(url)) expect([method, url, access]).toEqual([method, url, 'own image'])
    if (/^\/api\/tokens/.test(url)) expect([method, url, access]).toEqual([method, url, 'own tokens'])
    if (/^\/api\/users/.test(url)) expect([method, url, access]).toEqual([method, url, 'admin'])
    const isOfConfigurations = url.startsWith('/api/config') && method !== 'GET' && method !== 'HEAD'
    if (isOfConfigurations) expect([method, url, access]).toEqual([method, url, 'admin'])
  }
})
