/** Answers that were paid for are read however they are written, and what they name is kept as it is. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Generation } from '../../src/api/generations.ts'
import { addOpenai, openApp as openServer, startApp, type TestApp } from '../support/app.ts'
import { writeAndCut } from '../support/cut.ts'
import { maxWaitMs } from '../support/patience.ts'
import { bmp, dataUri, heic } from '../support/pictures.ts'
import { passTime } from '../support/time.ts'

let png: Buffer
let shared: TestApp
beforeAll(async () => {
  shared = await openServer({ environment: { ALLOWED_HOSTS: '127.0.0.1' } })
  const create = { width: 64, height: 48, channels: 3, background: '#c87828' } as const
  png = await sharp({ create: { ...create, noise: { type: 'gaussian', mean: 128, sigma: 40 } } })
    .png()
    .toBuffer()
})

afterAll(() => shared.close())

const ask = { prompt: 'a paper boat', model: 'some-image' }

interface Service {
  origin: string
  /** Paid requests. */
  posts: string[]
  gets: string[]
}

type Handle = (request: IncomingMessage, response: ServerResponse, origin: string) => void

interface ServiceOptions {
  answer: Handle
  get?: Handle
  files?: Record<string, Buffer>
}

/** A service made by hand; pictures are at `/files/NAME`, GETs elsewhere go to `get`. */
async function openService(options: ServiceOptions): Promise<Service> {
  const posts: string[] = []
  const gets: string[] = []
  const server = createServer(async (request, response) => {
    for await (const _ of request);
    const { method, url = '' } = request
    if (method === 'POST') {
      posts.push(url)
      return options.answer(request, response, origin)
    }
    gets.push(url)
    const name = /\/files\/([^?]+)/.exec(url)?.[1]
    if (name === undefined && options.get) return options.get(request, response, origin)
    const file = options.files?.[name ?? ''] ?? png
    response.setHeader('content-length', file.length).end(file)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin, posts, gets }
}

/** And its configuration for as long as the test, in a server that knows no other of its model. */
async function openGateway(options: ServiceOptions & { provider?: string }): Promise<Service & { app: TestApp }> {
  const service = await openService(options)
  const app = shared
  const { status, body } = await app.call('POST', '/api/config', {
    name: 'Gateway',
    provider: options.provider ?? 'openai',
    base_url: `${service.origin}/v1`,
    api_key: 'sk-1234567890',
    model: ask.model,
  })
  expect(status, JSON.stringify(body)).toBe(201)
  onTestFinished(async () => void (await app.call('DELETE', `/api/config/${body.id}`)))
  return { ...service, app }
}

const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Handle =>
  (_request, response, origin) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(text.replaceAll('ORIGIN', origin))
  }

/** The record at its end, whatever that was. */
async function ended(app: TestApp, body: object = ask): Promise<Generation> {
  const { body: started } = await app.call('POST', '/api/generate', body, { prefer: 'respond-async' })
  return endOf(app, started.id)
}

function endOf(app: TestApp, id: string): Promise<Generation> {
  return vi.waitUntil(async () => {
    const { body } = await app.call('GET', `/api/history/${id}`)
    return body.finished_at === null ? undefined : (body as Generation)
  }, maxWaitMs)
}

const url = 'ORIGIN/files/a.png'

describe('a picture is taken wherever and however an answer names it', () => {
  const base64 = () => png.toString('base64')
  const cases: [string, () => unknown, number?][] = [
    ['a relative address', () => ({ data: [{ url: '/v1/files/a.png?sig=%2B' }] })],
    ['an address relative to the endpoint', () => ({ data: [{ url: '../files/a.png' }] })],
    ['an address without its scheme', () => ({ data: [{ url: 'ORIGIN/files/a.png'.replace('ORIGIN', '//HOST') }] })],
    ['base64 without padding', () => ({ data: [{ b64_json: base64().replace(/=+$/, '') }] })],
    ['base64url', () => ({ data: [{ b64_json: png.toString('base64url') }] })],
    ['base64 in place of an address', () => ({ data: [{ url: base64() }] })],
    ['a data URI in `url`', () => ({ data: [{ url: `DATA:image/PNG;name=x;BASE64,${base64()}` }] })],
    ['a data URI in `b64_json`', () => ({ data: [{ b64_json: `data:image/png;base64,${base64()}` }] })],
    ['an address in `b64_json`', () => ({ data: [{ b64_json: url }] })],
    ['`image`', () => ({ data: [{ image: base64() }] })],
    ['`image_url` with an object', () => ({ data: [{ image_url: { url } }] })],
    ['`images`', () => ({ images: [{ url }] })],
    ['`images` of texts', () => ({ images: [url, url] }), 2],
    ['texts alone', () => ({ data: [url] })],
    ['one object', () => ({ data: { url } })],
    ['`output`', () => ({ id: 'x', output: [url] })],
    ['`output` of one', () => ({ id: 'x', status: 'succeeded', output: url })],
    ['`result`', () => ({ result: { images: [{ url: [url, url] }] } }), 2],
    ['a list of addresses under `url`', () => ({ data: [{ url: [url, url] }] }), 2],
    ['a list at the top', () => [{ url }]],
    ['an object at the top', () => ({ url, seed: 1 })],
    ['members that stand twice', () => `{"data":[{"url":"${url}"}],"data":[]}`],
    [
      'members that stand twice with pictures in both',
      () => `{"data":[{"url":"${url}"}],"data":[{"url":"${url}"}]}`,
      2,
    ],
    ['the same pictures in two lists', () => ({ data: [{ url }], images: [{ url }] })],
    [
      'the references of the request beside it',
      () => ({ images: [`${url}?1`, `${url}?2`], result: { image_url: url } }),
    ],
    ['words of success around it', () => ({ code: 0, message: 'success', data: [{ url }] })],
    ['a byte order mark before it', () => `\uFEFF{"data":[{"url":"${url}"}]}`],
    ['events, though none were asked for', () => `data: {"data":[{"url":"${url}"}]}\n\ndata: [DONE]\n\n`],
  ]

  test.each(cases)('OpenAI style: %s', async (_name, body, count = 1) => {
    const { app, posts } = await openGateway({
      answer: (request, response, origin) => {
        const written = body()
        const text = typeof written === 'string' ? written : JSON.stringify(written)
        json(text.replaceAll('//HOST', origin.replace('http:', '')))(request, response, origin)
      },
    })

    const generation = await ended(app)

    expect(generation).toMatchObject({ status: 'succeeded', failures: [], warnings: [] })
    expect(generation.images).toHaveLength(count)
    expect(generation.images[0]).toMatchObject({ width: 64, height: 48, bytes: png.length })
    expect(posts).toHaveLength(1)
  })

  test.each<[string, string, string, () => unknown]>([
    ['doubao', 'Ark', 'a data URI in `url`', () => ({ data: [{ url: `data:image/png;base64,${base64()}` }] })],
    ['doubao', 'Ark', 'base64url', () => ({ data: [{ b64_json: png.toString('base64url') }] })],
    ['doubao', 'Ark', 'a relative address', () => ({ data: [{ url: '/files/a.png' }] })],
    ['doubao', 'Ark', '`images`', () => ({ images: [{ url }], usage: { generated_images: 1 } })],
    ['qwen', 'DashScope', 'a data URI', () => choices(`DATA:image/png;base64,${base64()}`)],
    ['qwen', 'DashScope', 'a relative address', () => choices('/files/a.png')],
    ['qwen', 'DashScope', 'the form of OpenAI', () => ({ created: 1, data: [{ url }] })],
    ['qwen', 'DashScope', 'an address in `output`', () => ({ output: { image_url: url } })],
  ])('%s: %s with %s', async (provider, _name, _what, body) => {
    const { app, posts } = await openGateway({ provider, answer: json(body()) })
    const model = provider === 'qwen' ? 'qwen-image-2.0' : 'doubao-seedream-4-0-250828'

    const generation = await ended(app, { ...ask, model, config_id: await configId(app) })

    expect(generation).toMatchObject({ status: 'succeeded', images: [{ width: 64, bytes: png.length }] })
    expect(posts).toHaveLength(1)
  })

  const choices = (image: string) => ({
    output: { choices: [{ message: { role: 'assistant', content: [{ image }] } }] },
    usage: { image_count: 1 },
  })
})

async function configId(app: TestApp): Promise<string> {
  const { body } = await app.call('GET', '/api/config')
  return body.items.find((item: { name: string }) => item.name === 'Gateway').id
}

describe('an answer that cannot be read says so at once', () => {
  test.each<[string, unknown]>([
    ['an address of no kind', { data: [{ url: 'ftp://example.org/a.png' }] }],
    ['an address with a password', { data: [{ url: 'https://me:secret@example.org/a.png' }] }],
    ['base64 of no alphabet', { data: [{ b64_json: '!!! no picture !!!' }] }],
    ['a page in base64', { data: [{ b64_json: Buffer.from('<html><p>Sign in</p></html>').toString('base64') }] }],
  ])('%s, and the answer is kept', async (_name, body) => {
    const { app, posts } = await openGateway({ answer: json(body) })

    const generation = await ended(app)

    expect(generation).toMatchObject({ status: 'failed', charge: 'charged', error: { code: 'provider_rejected' } })
    expect(posts).toHaveLength(1)
    const [call] = await app.app.store.calls.ofGeneration(generation.id)
    expect(call?.answer?.body).toBe(JSON.stringify(body))
  })

  test.each<[string, string, unknown]>([
    ['openai', 'an empty list beside something new', { data: [], pictures: ['https://e.org/a.png'] }],
    ['openai', 'a list without a name', []],
    ['doubao', 'an empty list beside something new', { data: [], pictures: ['https://e.org/a.png'] }],
    ['doubao', 'words of success', { code: 0, message: 'success', picture: 'x' }],
  ])('%s: nobody says that it was free: %s', async (provider, _name, body) => {
    const { app, posts } = await openGateway({ provider, answer: json(body) })
    const model = provider === 'doubao' ? 'doubao-seedream-4-0-250828' : ask.model

    const generation = await ended(app, { ...ask, model, config_id: await configId(app) })

    expect(generation).toMatchObject({ status: 'failed', charge: 'unknown' })
    expect(posts).toHaveLength(1)
  })
})

describe('a bill beside an error is a bill', () => {
  const error = { code: 'rate_limit_exceeded', message: 'Try again', type: 'requests' }
  const overloaded = { code: 'ServerOverloaded', message: 'Try again', param: '', type: 'TooManyRequests' }
  const tokens = { output_tokens: 4096, total_tokens: 4100 }
  const stream = (billed: number) =>
    [
      `event: error\ndata: ${JSON.stringify({ error: overloaded })}`,
      `event: image_generation.completed\ndata: ${JSON.stringify({ type: 'image_generation.completed', usage: { generated_images: billed } })}`,
      'data: [DONE]\n\n',
    ].join('\n\n')

  test.each<[string, string, number, unknown]>([
    ['openai', 'with 200', 200, { error, usage: tokens }],
    ['openai', 'with 429', 429, { error, usage: tokens }],
    ['openai', 'with 503', 503, { error: { message: 'overloaded' }, usage: { total_tokens: 1 } }],
    ['doubao', 'with 200', 200, { error: overloaded, usage: { generated_images: 1 } }],
    ['doubao', 'with 429', 429, { error: overloaded, usage: { generated_images: 1 } }],
    ['doubao', 'in tokens', 429, { error: overloaded, usage: tokens }],
    ['doubao', 'in a stream', 200, stream(2)],
    ['qwen', 'with 429', 429, { code: 'Throttling', message: 'x', usage: { image_count: 1 } }],
    ['qwen', 'with 200', 200, { code: 'Throttling', message: 'x', usage: { image_count: 1 } }],
  ])('%s: %s, and is never asked for again', async (provider, _name, status, body) => {
    const { app, posts } = await openGateway({ provider, answer: json(body, status) })
    const model = { doubao: 'doubao-seedream-4-0-250828', qwen: 'qwen-image-2.0' }[provider] ?? ask.model

    const generation = await ended(app, { ...ask, model, config_id: await configId(app) })

    expect(generation).toMatchObject({ status: 'failed', charge: 'unknown', error: { code: 'outcome_unknown' } })
    expect(posts).toHaveLength(1)
  })

  test('and an error beside a bill of nothing is sent again', async () => {
    let count = 0
    const { app, posts } = await openGateway({
      provider: 'doubao',
      answer: (...exchange) =>
        ++count === 1
          ? json({ error: overloaded, usage: { generated_images: 0, output_tokens: 0 } }, 429)(...exchange)
          : json({ data: [{ url }] })(...exchange),
    })

    const asked = { ...ask, model: 'doubao-seedream-4-0-250828', config_id: await configId(app) }

    expect(await ended(app, asked)).toMatchObject({ status: 'succeeded', charge: 'charged' })
    expect(posts).toHaveLength(2)
  })
})

describe('what came is kept', () => {
  test('half a picture is fetched again until it is whole', async () => {
    let fetches = 0
    const { app, gets } = await openGateway({
      answer: json({ data: [{ url: 'ORIGIN/picture' }] }),
      get: (_request, response) => {
        const bytes = ++fetches < 3 ? png.subarray(0, png.length / 2) : png
        response.setHeader('content-length', bytes.length).end(bytes)
      },
    })

    expect(await ended(app)).toMatchObject({ status: 'succeeded', warnings: [], images: [{ bytes: png.length }] })
    expect(gets).toHaveLength(3)
  })

  test.each([true, false])(
    'the longest is kept of a picture that never comes whole (length told: %s)',
    async isTold => {
      let fetches = 0
      const { app } = await openGateway({
        answer: json({ data: [{ url: 'ORIGIN/picture' }] }),
        get: (_request, response) => {
          const bytes = png.subarray(0, Math.floor(png.length * (++fetches === 2 ? 0.8 : 0.5)))
          if (isTold) response.setHeader('content-length', bytes.length)
          response.end(bytes)
        },
      })

      const generation = await ended(app)

      expect(generation).toMatchObject({
        status: 'succeeded',
        charge: 'charged',
        images: [{ bytes: Math.floor(png.length * 0.8), width: 64, height: 48 }],
        warnings: [{ code: 'picture_damaged', values: { number: 1 } }],
      })
      const thumbnail = await fetch(`${app.url}${generation.images[0]?.thumbnail_url}`)
      expect(thumbnail.headers.get('content-type')).toBe('image/webp')
    },
  )

  test('half a picture in base64 is kept at once', async () => {
    const base64 = png.toString('base64')
    const { app } = await openGateway({ answer: json({ data: [{ b64_json: base64.slice(0, base64.length / 2) }] }) })

    expect(await ended(app)).toMatchObject({ status: 'succeeded', warnings: [{ code: 'picture_damaged' }] })
  })

  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
  test.each<[string, string, Buffer]>([
    ['SVG', 'image/svg+xml', svg],
    ['HEIC', 'image/heic', heic],
    ['JPEG XL', 'image/jxl', Buffer.concat([Buffer.from('0000000c4a584c200d0a870a', 'hex'), Buffer.alloc(64, 9)])],
    ['bytes of no known type', 'application/octet-stream', Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 0xfe])],
  ])('%s can be downloaded, and is never shown', async (_name, type, bytes) => {
    const { app } = await openGateway({ answer: json({ data: [{ url }] }), files: { 'a.png': bytes } })

    const generation = await ended(app)

    const [image] = generation.images
    expect(generation).toMatchObject({
      status: 'succeeded',
      charge: 'charged',
      images: [{ mime_type: type, bytes: bytes.length }],
      warnings: [{ code: 'picture_not_shown', values: { number: 1, type } }],
    })
    const file = await fetch(`${app.url}${image?.url}`)
    expect(Object.fromEntries(file.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': expect.stringMatching(/^attachment; filename="/),
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
    })
    expect(Buffer.from(await file.arrayBuffer())).toEqual(bytes)
    expect((await fetch(`${app.url}${image?.thumbnail_url}`)).status).toBe(404)
  })

  test('BMP is shown like any other', async () => {
    const file = bmp(40, 30, Buffer.alloc(3600, 99))
    const { app } = await openGateway({ answer: json({ data: [{ url }] }), files: { 'a.png': file } })

    const generation = await ended(app)

    const images = [{ mime_type: 'image/bmp', width: 40, height: 30 }]
    expect(generation).toMatchObject({ status: 'succeeded', warnings: [], images })
    const thumbnail = await fetch(`${app.url}${generation.images[0]?.thumbnail_url}`)
    expect(await sharp(await thumbnail.arrayBuffer()).metadata()).toMatchObject({ format: 'webp', width: 40 })
  })

  test('a page in place of a picture is fetched again, and never kept', async () => {
    const page = Buffer.from('<!doctype html><html><body>Please sign in</body></html>')
    const { app, gets } = await openGateway({ answer: json({ data: [{ url }] }), files: { 'a.png': page } })

    const generation = await ended(app)

    expect(generation).toMatchObject({ status: 'failed', charge: 'charged', error: { code: 'provider_rejected' } })
    expect(gets.length).toBeGreaterThan(2)
  })
})

describe('a gateway that answers with a task', () => {
  const dialects = ['list', 'object', 'plain', 'location']
  const task = (dialect: string, more: object = {}) => ({
    ...ask,
    provider: 'openai',
    model: `task-image-${dialect}`,
    ...more,
  })
  const asks = (app: TestApp) => app.openai.requests.filter(({ method }) => method === 'POST')

  async function openApp(): Promise<TestApp> {
    const app = await startApp()
    await addOpenai(app, 'task-image-list')
    return app
  }

  async function working(app: TestApp, body: object) {
    const started = await app.generate(body, { prefer: 'respond-async' })
    await vi.waitUntil(() => app.openai.requests.some(({ method }) => method === 'GET'), maxWaitMs)
    return started
  }

  test.each(dialects)('is asked until the pictures are there (%s)', async dialect => {
    const app = await openApp()

    const generation = await app.generate(task(dialect))

    expect(generation).toMatchObject({ status: 'succeeded', charge: 'charged', images: [{ width: 1024 }] })
    expect(asks(app)).toHaveLength(1)
    expect(app.openai.billed).toHaveLength(1)
  })

  test.each(dialects)('is asked on after a restart (%s)', async dialect => {
    const app = await openApp()
    app.openai.holdTasks()
    const started = await working(app, task(dialect))

    await app.restart()
    app.openai.releaseTasks()

    expect(await endOf(app, started.id)).toMatchObject({ status: 'succeeded', charge: 'charged', images: [{}] })
    expect(asks(app)).toHaveLength(1)
  })

  test('edits are tasks too', async () => {
    const app = await openApp()

    const generation = await app.generate(task('plain', { images: [dataUri(png)] }))

    expect(generation).toMatchObject({ status: 'succeeded', charge: 'charged', images: [{}] })
    expect(asks(app)).toMatchObject([{ path: '/v1/images/edits' }])
  })

  test('the address that knows the task is found once', async () => {
    const app = await openApp()
    app.openai.holdTasks()
    const started = await working(app, task('object'))
    await vi.waitUntil(() => app.openai.requests.length > 5, maxWaitMs)
    app.openai.releaseTasks()
    await endOf(app, started.id)

    const lost = app.openai.requests.filter(({ path, status }) => path.startsWith('/v1/tasks/') && status === 404)
    expect(lost).toHaveLength(1)
  })

  test('a word that nobody knows, a busy service and one that breaks are reasons to look again', async () => {
    const app = await openApp()
    app.openai.misbehave({ kind: 'status', status: 429, body: '' }, { target: 'task' })
    app.openai.misbehave({ kind: 'status', status: 502, body: '<html>' }, { target: 'task' })
    app.openai.misbehave({ kind: 'cut', after: 'half-body' }, { target: 'task' })
    app.openai.misbehave({ kind: 'garbage', body: '{}' }, { target: 'task' })
    app.openai.misbehave({ kind: 'garbage', body: 'null' }, { target: 'task' })
    app.openai.holdTasks('Warming-Up')
    const started = await app.generate(task('list'), { prefer: 'respond-async' })
    await vi.waitUntil(
      () => app.openai.requests.filter(({ path }) => path.startsWith('/v1/tasks/')).length > 7,
      maxWaitMs,
    )
    const { waiting } = (await app.call('GET', `/api/history/${started.id}`)).body

    app.openai.releaseTasks()

    expect(waiting).toMatch(/is working on it, but its result cannot be fetched/)
    expect(await endOf(app, started.id)).toMatchObject({ status: 'succeeded', waiting: null, images: [{}] })
    expect(asks(app)).toHaveLength(1)
  })

  test.each(dialects)('one that failed tells why, and is not sent again (%s)', async dialect => {
    const app = await openApp()

    const generation = await ended(app, task(dialect, { prompt: 'a boat [[fail-task]]' }))

    expect(generation).toMatchObject({
      status: 'failed',
      charge: 'unknown',
      error: { message: expect.stringContaining('no channel is available') },
    })
    expect(asks(app)).toHaveLength(1)
  })

  test('one that never ends is given up after a day, with a word about the money', async () => {
    const app = await openApp()
    app.openai.holdTasks()
    const started = await working(app, task('list'))

    passTime(25 * 3600 * 1000)

    expect(await endOf(app, started.id)).toMatchObject({
      status: 'failed',
      charge: 'unknown',
      error: { code: 'outcome_unknown', message: expect.stringContaining('in a day') },
    })
  })

  test('a cancel does not lose what is being made', async () => {
    const app = await openApp()
    app.openai.holdTasks()
    const started = await working(app, task('plain'))

    expect((await app.call('POST', `/api/history/${started.id}/cancel`)).status).toBe(202)
    app.openai.releaseTasks()

    expect(await endOf(app, started.id)).toMatchObject({ status: 'succeeded', charge: 'charged', images: [{}] })
  })

  test.each<[string, unknown, number, Record<string, string>]>([
    ['several tasks of one request', { data: [{ task_id: 'a' }, { task_id: 'b' }] }, 2, {}],
    ['a number as id', { task_id: 17 }, 1, {}],
    ['a task inside `output`', { output: { task_id: 'a', task_status: 'PENDING' } }, 1, {}],
    ['an address of the task in its body', { id: 'a', status: 'queued', status_url: '/v1/tasks/a' }, 1, {}],
    ['an address with its id', { id: 'a', task_id: 'a', status: 'processing', poll_url: '/v1/tasks/a' }, 1, {}],
    ['an address of the task as its `url`', { task_id: 'a', status: 'queued', url: '/v1/tasks/a' }, 1, {}],
  ])('%s', async (_name, submitted, count, headers) => {
    const { app, posts } = await openGateway({
      answer: json(submitted, 200, headers),
      get: (request, ...rest) =>
        /^\/v1\/tasks\/\w+$/.test(request.url ?? '')
          ? json({ status: 'Succeeded', images: ['/files/a.png'] })(request, ...rest)
          : json({ error: { message: 'no such page' } }, 404)(request, ...rest),
    })

    const generation = await ended(app)

    expect(generation).toMatchObject({ status: 'succeeded', charge: 'charged' })
    expect(generation.images).toHaveLength(count)
    expect(posts).toHaveLength(1)
  })

  test.each<[string, unknown]>([
    ['sub2api', { status: 'completed', http_status: 200, image_url: url, result: { created: 1, data: [{ url }] } }],
    [
      'Qianfan',
      { code: 0, message: '', data: { task_status: 'succeed', task_result: { images: [{ index: 0, url }] } } },
    ],
    ['no word at all', { data: [{ url }] }],
    ['a list of one', [{ status: 'done', url }]],
  ])('an end as %s writes it', async (_name, end) => {
    const { app } = await openGateway({ answer: json({ task_id: 'a' }), get: json(end) })

    expect(await ended(app)).toMatchObject({ status: 'succeeded', images: [{ bytes: png.length }] })
  })

  test('an answer that is cut behind the id of its task', async () => {
    const { app, posts } = await openGateway({
      answer: (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 500 })
        writeAndCut(response, '{"data":[{"task_id":"a","status":"subm')
      },
      get: json({ data: { status: 'success', url } }),
    })

    expect(await ended(app)).toMatchObject({ status: 'succeeded', images: [{ bytes: png.length }] })
    expect(posts).toHaveLength(1)
  })

  test('the key goes to no other host, wherever an answer leads', async () => {
    const keys: unknown[] = []
    const elsewhere = await openService({
      answer: json({}),
      get: (request, ...rest) => {
        keys.push(request.headers.authorization)
        json({ status: 'done', output: [`${elsewhere.origin}/files/a.png`] })(request, ...rest)
      },
    })
    const { app } = await openGateway({
      answer: json('', 202, { location: `${elsewhere.origin}/v1/jobs/7` }),
    })

    expect(await ended(app)).toMatchObject({ status: 'succeeded', images: [{ bytes: png.length }] })
    expect(keys).toEqual([undefined])
  })
})

describe('references', () => {
  test('HEIC goes to a model that takes it as it is', async () => {
    const app = await startApp()
    const model = 'doubao-seedream-5-0-pro-260628'
    const images = [`DATA:image/heic;BASE64,${heic.toString('base64url')}`]

    const generation = await app.generate({ ...ask, model, images })

    expect(generation).toMatchObject({ status: 'succeeded', references: [{ mime_type: 'image/heic', width: 64 }] })
    const { body } = app.doubao.requests.find(({ method }) => method === 'POST')!
    expect((body as { image: string }).image).toBe(dataUri(heic, 'image/heic'))
  })

  test('HEIC is refused for a model that does not, with what works', async () => {
    const app = await startApp()
    const images = [dataUri(heic, 'image/heic')]

    const answer = await app.call('POST', '/api/generate', { ...ask, model: 'qwen-image-2.0', images })

    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_request' } })
    expect(answer.body.detail).toMatch(/save it as JPEG first/)
    expect(app.qwen.requests).toEqual([])
  })

  test('BMP goes to any model', async () => {
    const app = await startApp()
    const images = [dataUri(bmp(400, 400, Buffer.alloc(480_000, 99)), 'image/bmp')]

    expect(await app.generate({ ...ask, model: 'qwen-image-2.0', images })).toMatchObject({ status: 'succeeded' })
  })
})
