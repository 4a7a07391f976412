import { once } from 'node:events'
import net from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Configuration, ConfigurationList, ConfigurationTestResult } from '../../src/api/configurations.ts'
import { Generation } from '../../src/api/generations.ts'
import { HistoryPage } from '../../src/api/history.ts'
import { ModelList } from '../../src/api/models.ts'
import { Problem } from '../../src/api/problems.ts'
import { Status } from '../../src/api/system.ts'
import { invalid, Refusal } from '../../src/errors.ts'
import { generation, startServer } from './harness.ts'

/** Sends bytes as they are and returns the whole answer. */
async function raw(port: number, text: string | Buffer) {
  const socket = net.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(text)
  let answer = ''
  for await (const chunk of socket) answer += chunk
  return answer
}

describe('addresses and methods', () => {
  test('unknown paths are 404, wrong methods 405 with Allow, both before the body is looked at', async () => {
    const { call, url } = await startServer()

    const unknown = await fetch(`${url}/api/nothing`, {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json' },
    })
    const wrong = await call('GET', '/api/generate')
    const wrongWithId = await call('POST', '/api/history/g1', {})
    const options = await call('OPTIONS', '/api/history/g1')

    expect(unknown.status).toBe(404)
    expect(Problem.parse(await unknown.json()).code).toBe('not_found')
    expect(wrong.status).toBe(405)
    expect(wrong.headers.get('allow')).toBe('POST, OPTIONS')
    expect(Problem.parse(await wrong.json()).code).toBe('method_not_allowed')
    expect(wrongWithId.status).toBe(405)
    expect(wrongWithId.headers.get('allow')?.split(', ').sort()).toEqual(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH'])
    expect(options.status).toBe(204)
    expect(options.headers.get('allow')).toContain('PATCH')
  })

  test.each([
    '/api/history/%ZZ',
    '/api/history/%',
    `/api/history/${'x'.repeat(2000)}`,
    '/api/history/%00',
    '/api/history/a%0Ab',
    '/images/..%2f..%2fetc',
    '//api//history',
    '/api/history/g1/'.repeat(3),
  ])('a strange address is refused: %s', async target => {
    const { url } = await startServer()

    const response = await fetch(url + target)

    expect([400, 404]).toContain(response.status)
    expect(response.headers.get('x-request-id')).toBeTruthy()
    Problem.parse(await response.json())
  })

  test('Chinese that was not percent-encoded is refused with what to do', async () => {
    const { port } = await startServer()

    const answer = await raw(port, Buffer.from(`GET /api/history?q=山水 HTTP/1.1\r\nHost: localhost\r\n\r\n`))

    expect(answer).toMatch(/^HTTP\/1.1 400 /)
    expect(answer).toMatch(/percent-encod.*--data-urlencode/)
  })

  test.each(['/assets/../../package.json', '/assets/%2e%2e/%2e%2e/package.json', '/assets/..%2f..%2fpackage.json'])(
    'there is nothing outside of the folder of the studio: %s',
    async target => {
      const { port } = await startServer()

      const answer = await raw(port, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)

      expect(answer).toMatch(/^HTTP\/1.1 404 /)
      expect(answer).toContain('"code":"not_found"')
    },
  )

  test('a slash at the end makes no difference', async () => {
    const { call } = await startServer()

    expect((await call('GET', '/api/history/')).status).toBe(200)
  })
})

describe('every answer', () => {
  test('carries a request id: a sane one of the client, else one of ours', async () => {
    const { call } = await startServer()

    const own = await call('GET', '/health', undefined, { 'x-request-id': 'trace-1.2:3' })
    const evil = await call('GET', '/nope', undefined, { 'x-request-id': 'a b"c' })

    expect(own.headers.get('x-request-id')).toBe('trace-1.2:3')
    expect(evil.headers.get('x-request-id')).toMatch(/^[\w-]{36}$/)
    expect(Problem.parse(await evil.json()).request_id).toBe(evil.headers.get('x-request-id'))
  })

  test('is never sniffed and never run', async () => {
    const { call } = await startServer()

    for (const target of ['/health', '/login', '/images/i1', '/nope', '/api/models']) {
      const { headers } = await call('GET', target)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('content-security-policy')).not.toContain('script-src')
    }
  })
})

describe('bodies', () => {
  const post = async (body: string | Buffer, type: string | null = 'application/json', target = '/api/generate') => {
    const server = await startServer()
    const response = await fetch(server.url + target, {
      method: 'POST',
      headers: type === null ? {} : { 'content-type': type },
      body: typeof body === 'string' ? Buffer.from(body) : body,
    })
    const problem = response.status >= 400 ? Problem.parse(await response.json()) : undefined
    return { status: response.status, problem, created: server.created }
  }

  test.each([
    ['malformed', '{"prompt": "x",}', 400, 'invalid_json'],
    ['cut', '{"prompt": "x', 400, 'invalid_json'],
    ['Latin-1', Buffer.from('{"prompt": "\xe9"}', 'latin1'), 400, 'invalid_json'],
    ['a list', '[]', 422, 'invalid_request'],
    ['null', 'null', 422, 'invalid_request'],
    ['a text', '"x"', 422, 'invalid_request'],
    ['empty', '', 422, 'invalid_request'],
    ['a NUL', '{"prompt": "a\\u0000b"}', 422, 'invalid_request'],
    ['a lone surrogate', '{"prompt": "a\\ud800b"}', 422, 'invalid_request'],
    ['a lone surrogate as a name', '{"prompt": "a", "parameters": {"\\udc00": 1}}', 422, 'invalid_request'],
    ['a number without end', '{"prompt": "a", "parameters": {"seed": 1e999}}', 422, 'invalid_request'],
    ['a prototype', '{"prompt": "a", "parameters": {"__proto__": {"n": 9}}}', 422, 'invalid_request'],
    [
      'deep nesting',
      `{"prompt": "a", "parameters": {"x": ${'['.repeat(200_000)}${']'.repeat(200_000)}}}`,
      422,
      'invalid_request',
    ],
    [
      'a hundred thousand values',
      `{"prompt": "a", "parameters": {"x": [${'1,'.repeat(100_001)}1]}}`,
      422,
      'invalid_request',
    ],
    ['too many references', JSON.stringify({ prompt: 'a', images: Array(17).fill('x') }), 422, 'invalid_request'],
  ])('%s is refused', async (_name, body, status, code) => {
    const { status: got, problem, created } = await post(body)

    expect([got, problem?.code]).toEqual([status, code])
    expect(created).toEqual([])
  })

  test('a quote that hides brackets or a backslash fools nobody', async () => {
    const { status, created } = await post(
      `{"prompt": "[[\\"{{\\\\", "parameters": {"note": "\\\\\\"${'['.repeat(100)}"}}`,
    )

    expect(status).toBe(200)
    expect(created[0]?.request.prompt).toBe('[["{{\\')
  })

  test.each([
    ['text/plain', 'x'],
    ['application/x-www-form-urlencoded', 'prompt=x'],
    ['application/json; charset=gbk', '{"prompt":"x"}'],
    ['nonsense', 'x'],
    [null, 'x'],
  ])('the type %s is 415', async (type, body) => {
    const { status, problem } = await post(body, type)

    expect([status, problem?.code]).toEqual([415, 'unsupported_media_type'])
  })

  test('a form on a route that takes none is 415, and so is a compressed body', async () => {
    const { url } = await startServer()
    const form = new FormData()
    form.append('name', 'x')

    const answers = [
      await fetch(`${url}/api/config`, { method: 'POST', body: form }),
      await fetch(`${url}/api/config`, {
        method: 'POST',
        body: 'x',
        headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' },
      }),
    ]

    expect(answers.map(answer => answer.status)).toEqual([415, 415])
  })

  test('JSON with a suffix or in another spelling is JSON', async () => {
    expect((await post('{"prompt":"x"}', 'Application/JSON; Charset="UTF-8"')).status).toBe(200)
    expect((await post('{"prompt":"x"}', 'application/vnd.api+json')).status).toBe(200)
  })

  test('a large reference inside JSON is taken, 64 MB are not', async () => {
    const large = JSON.stringify({ prompt: 'x', images: [`data:image/png;base64,${'A'.repeat(20_000_000)}`] })

    expect((await post(large)).status).toBe(200)
    const { status, problem } = await post(Buffer.alloc(65 * 1024 * 1024, ' '))
    expect([status, problem?.code]).toEqual([413, 'too_large'])
  })

  test('other routes take a megabyte', async () => {
    const { status } = await post(JSON.stringify({ name: 'x'.repeat(2_000_000) }), 'application/json', '/api/config')

    expect(status).toBe(413)
  })
})

describe('what is hardly HTTP', () => {
  test('gets a problem and an id all the same', async () => {
    const { port } = await startServer()

    const broken = await raw(port, 'NONSENSE\r\n\r\n')
    const overflow = await raw(port, `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)
    const host = await raw(port, 'GET /docs/ HTTP/1.1\r\nhost: a b[\r\nconnection: close\r\n\r\n')

    expect(broken).toMatch(/^HTTP\/1.1 400 .*application\/problem\+json.*bad_request/s)
    expect(overflow).toMatch(/^HTTP\/1.1 431 .*headers_too_large/s)
    expect(host).toMatch(/^HTTP\/1.1 400 .*bad_request/s)
  })

  test('nothing that a client sends gives a 500', async () => {
    const { url } = await startServer({
      services: { generations: { create: async () => generation({ status: 'queued' }) } },
    })
    const paths = [
      '/api/generate',
      '/api/config',
      '/api/config/k1',
      '/api/config/test',
      '/api/history/g1',
      '/api/history/g1/cancel',
      '/api/login',
      '/api/logout',
      '/api/history',
    ]
    const types = [
      'application/json',
      'multipart/form-data; boundary=b',
      'application/x-www-form-urlencoded',
      'text/plain',
    ]
    const body = fc.oneof(
      fc.json({ maxDepth: 4 }),
      fc.string({ unit: 'binary' }),
      fc
        .record(
          {
            prompt: fc.anything(),
            parameters: fc.anything(),
            images: fc.anything(),
            id: fc.anything(),
            api_key: fc.anything(),
            tags: fc.anything(),
            favorite: fc.anything(),
            token: fc.anything(),
            provider: fc.anything(),
            name: fc.anything(),
          },
          { requiredKeys: [] },
        )
        .map(value => {
          try {
            return JSON.stringify(value) ?? ''
          } catch {
            return '{}'
          }
        }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE'),
        fc.constantFrom(...paths),
        fc.constantFrom(...types),
        fc.webQueryParameters(),
        body,
        async (method, path, type, query, text) => {
          const response = await fetch(`${url}${path}?${query}`, {
            method,
            headers: { 'content-type': type },
            body: text,
            redirect: 'manual',
          })
          expect(response.status, `${method} ${path} ${type} ${query} ${text}`).toBeLessThan(500)
          const answer = await response.text()
          if (response.status >= 400 && path !== '/api/login') Problem.parse(JSON.parse(answer))
        },
      ),
      { numRuns: 400 },
    )
  })
})

describe('history', () => {
  test('reads every filter', async () => {
    const queries: unknown[] = []
    const { call } = await startServer({
      services: {
        generations: {
          async list(query) {
            queries.push(query)
            return { items: [generation()], nextCursor: 'next' }
          },
        },
      },
    })

    const response = await call(
      'GET',
      '/api/history?limit=5&cursor=c&q=%E5%B1%B1%20x&provider=qwen&model=m&status=failed&favorite=true&tag=%E5%B1%B1&stars=3&rejected=false&sort=stars&from=2026-11-01&to=2026-11-23',
    )
    await call('GET', '/api/history?q=&provider=&from=2026-11-23T08:00:00%2B08:00')

    expect(HistoryPage.parse(await response.json()).next_cursor).toBe('next')
    expect(queries).toEqual([
      {
        limit: 5,
        cursor: 'c',
        q: '山 x',
        provider: 'qwen',
        model: 'm',
        status: 'failed',
        favorite: true,
        tag: '山',
        stars: 3,
        rejected: false,
        sort: 'stars',
        from: new Date('2026-11-01T00:00:00Z'),
        to: new Date('2026-11-23T23:59:59.999Z'),
      },
      { limit: 20, from: new Date('2026-11-23T00:00:00Z') },
    ])
  })

  test.each([
    'limit=0',
    'limit=201',
    'limit=1e1',
    'limit=-1',
    'limit=5&limit=6',
    'status=done',
    'favorite=yes',
    'stars=6',
    'rejected=2',
    'sort=best',
    'from=yesterday',
    'from=2026-02-31',
    'to=0000-00-00',
    'q=%00',
    'favourite=true',
    'from=%2B275760-09-13',
  ])('refuses ?%s', async query => {
    const { call } = await startServer()

    const response = await call('GET', `/api/history?${query}`)

    expect(response.status).toBe(422)
    expect(Problem.parse(await response.json()).errors).toHaveLength(1)
  })

  test('marks, and takes tags without repetition', async () => {
    const changes: unknown[] = []
    const { call } = await startServer({
      services: {
        generations: {
          async change(_id, change) {
            changes.push(change)
            return generation({ favorite: change.favorite, tags: change.tags })
          },
        },
      },
    })

    const response = await call('PATCH', '/api/history/g1', { favorite: true, tags: [' 山 ', '山', 'b'] })
    const empty = await call('PATCH', '/api/history/g1', {})
    const wrong = await call('PATCH', '/api/history/g1', { tags: ['', 5], favourite: true })

    expect(response.status).toBe(200)
    expect(changes).toEqual([{ favorite: true, tags: ['山', 'b'] }])
    expect(empty.status).toBe(422)
    expect(
      Problem.parse(await wrong.json())
        .errors?.map(fault => fault.path)
        .sort(),
    ).toEqual(['favourite', 'tags.0', 'tags.1'])
  })

  test('deletes one, clears all, and never clears all by a filter it does not know', async () => {
    let clears = 0
    const { call } = await startServer({
      services: {
        generations: {
          async clear() {
            clears++
            return 3
          },
          async remove(id) {
            if (id !== 'g1') throw new Refusal('not_found', 'There is no generation with this id.')
          },
        },
      },
    })

    expect((await call('DELETE', '/api/history/g1')).status).toBe(204)
    expect((await call('DELETE', '/api/history/g2')).status).toBe(404)
    expect((await call('DELETE', '/api/history?provider=qwen')).status).toBe(422)
    expect(clears).toBe(0)
    expect(await (await call('DELETE', '/api/history')).json()).toEqual({ deleted: 3 })
  })

  test('cancel answers 202 with the record; with or without an empty body', async () => {
    const { call, url } = await startServer()

    const bare = await fetch(`${url}/api/history/g1/cancel`, { method: 'POST' })
    const typed = await fetch(`${url}/api/history/g1/cancel`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
    const empty = await call('POST', '/api/history/g1/cancel', {})

    expect([bare.status, typed.status, empty.status]).toEqual([202, 202, 202])
    expect(await bare.json()).toMatchObject({ cancel_requested: true })
  })

  test('rows of an old database show the addresses as found', async () => {
    const find = async () =>
      generation({
        images: [],
        oldImageUrls: ['https://old.example/1.png'],
        charge: 'unknown',
        cost: null,
        finishedAt: null,
        provider: null,
      })
    const { call } = await startServer({
      environment: { PUBLIC_URL: 'https://example.org/app' },
      services: { generations: { find } },
    })

    const body = await (await call('GET', '/api/history/g1', undefined, { host: 'localhost' })).json()

    expect(body).toMatchObject({ images: [], image_urls: ['https://old.example/1.png'], duration_ms: null })
  })
})

describe('configurations', () => {
  test('never show a key, and take back what they showed', async () => {
    const { call } = await startServer()
    const made = await call('POST', '/api/config', { provider: 'qwen', api_key: 'sk-of-this-test', name: 'Old' })
    const { id } = Configuration.parse(await made.json())
    const { items } = ConfigurationList.parse(await (await call('GET', '/api/config')).json())
    const shown = items.find(item => item.id === id)

    const response = await call('PUT', `/api/config/${id}`, { ...shown, name: 'New' })

    expect(response.status).toBe(200)
    const text = await response.text()
    expect(text).not.toContain('sk-of-this-test')
    const { updated_at: _, ...unchanged } = { ...shown, name: 'New' }
    expect(JSON.parse(text)).toMatchObject(unchanged)
    expect(JSON.parse(text)).not.toHaveProperty('api_key')
  })

  test('a new one needs a provider and a key', async () => {
    const { call } = await startServer()

    const missing = await call('POST', '/api/config', { name: 'x', key: 'y' })
    const made = await call('POST', '/api/config', { provider: 'doubao', api_key: 'k' })

    expect(
      Problem.parse(await missing.json())
        .errors?.map(fault => fault.path)
        .sort(),
    ).toEqual(['api_key', 'key', 'provider'])
    expect(made.status).toBe(201)
    expect(made.headers.get('location')).toBe(`/api/config/${Configuration.parse(await made.json()).id}`)
  })

  test('a test takes an id or an unsaved configuration, not both', async () => {
    const tested: unknown[] = []
    const { call } = await startServer({
      services: {
        configurations: {
          async test(input) {
            tested.push(input)
            return { code: 'wrong_address', detail: 'Another region.', latencyMs: 3 }
          },
        },
      },
    })

    const stored = await call('POST', '/api/config/test', { id: 'k1' })
    await call('POST', '/api/config/test', { provider: 'qwen', api_key: 'k' })
    const both = await call('POST', '/api/config/test', { id: 'k1', api_key: 'k' })
    const neither = await call('POST', '/api/config/test', {})

    expect(ConfigurationTestResult.parse(await stored.json())).toEqual({
      ok: false,
      code: 'wrong_address',
      detail: 'Another region.',
      latency_ms: 3,
    })
    expect(tested).toEqual([{ id: 'k1' }, { provider: 'qwen', apiKey: 'k' }])
    expect([both.status, neither.status]).toEqual([422, 422])
  })

  test('one from the environment cannot be changed', async () => {
    const { call } = await startServer()

    const response = await call('DELETE', '/api/config/env-doubao')

    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ code: 'read_only' })
  })
})

describe('models and state', () => {
  test('every model of the catalogue has a schema to draw a form from', async () => {
    const { call } = await startServer()

    const { items } = ModelList.parse(await (await call('GET', '/api/models')).json())

    expect(items.length).toBeGreaterThan(10)
    expect(new Set(items.map(item => item.id)).size).toBe(items.length)
    for (const model of items) {
      expect(model.parameters).toMatchObject({
        type: 'object',
        additionalProperties: false,
        properties: { n: { minimum: 1 } },
      })
      expect(model.configured).toBe(model.provider === 'doubao')
    }
  })

  test('status names every part', async () => {
    const { call } = await startServer()

    const status = Status.parse(await (await call('GET', '/api/status')).json())

    expect(status).toMatchObject({
      status: 'ok',
      database: { state: 'ok' },
    })
    expect(status.providers.map(({ id, state }) => [id, state])).toContainEqual(['doubao', 'configured'])
  })
})

describe('PUBLIC_URL with a path', () => {
  const environment = { PUBLIC_URL: 'https://example.org/images/' }

  test('routes answer with and without it, answers carry it', async () => {
    const { call } = await startServer({ environment })

    const made = await call('POST', '/images/api/generate', { prompt: 'x' })
    const plain = await call('POST', '/api/generate', { prompt: 'x' })

    for (const response of [made, plain]) {
      expect(response.status).toBe(200)
      expect(response.headers.get('location')).toBe('/images/api/history/g1')
      expect(Generation.parse(await response.json()).images[0]).toMatchObject({
        url: 'https://example.org/images/images/i1',
        thumbnail_url: 'https://example.org/images/images/i1/thumbnail',
      })
    }
    expect((await call('GET', '/images/images/i1')).status).toBe(200)
    expect((await call('GET', '/images/i1')).status).toBe(200)
    expect((await call('GET', '/images/health?x=1')).status).toBe(200)
    expect((await call('GET', '/images')).headers.get('content-type')).toContain('text/html')
    expect((await call('GET', '/images/docs')).headers.get('location')).toBe('/images/docs/')
    expect((await call('GET', '/imagesque/health')).status).toBe(404)
  })
})

describe('stopping', () => {
  test('is not held up by a client whose body was refused', async () => {
    const { call, app } = await startServer()
    const response = await call('POST', '/api/config', { name: 'x'.repeat(2_000_000) })
    expect(response.status).toBe(413)
    await response.text()

    await app.close()
  })

  test('lets waiting clients have their answer and holds nothing up', async () => {
    let end = () => {}
    const waiting = Promise.withResolvers<void>()
    const { call, app } = await startServer({
      services: {
        generations: {
          whenEnded: () => {
            waiting.resolve()
            return new Promise(resolve => {
              end = () => resolve(generation({ status: 'running', finishedAt: null, images: [] }))
            })
          },
        },
      },
    })
    const answer = call('POST', '/api/generate', { prompt: 'x' })
    await waiting.promise

    const closed = app.close()
    // Then it has closed the connections that were idle.
    await expect.poll(() => app.server.listening).toBe(false)
    end()

    expect((await answer).status).toBe(202)
    await closed
  })
})

describe('faults', () => {
  test('what the form lacks and what the model refuses are told together', async () => {
    const asked: unknown[] = []
    const { call } = await startServer({
      services: {
        generations: {
          estimate: async request => {
            asked.push(request)
            throw invalid([
              { path: 'parameters.n', message: 'n must be at most 10.' },
              { path: 'prompt', message: 'Say in "prompt" what to draw.' },
              { path: 'images', message: 'Give it a reference.' },
            ])
          },
        },
      },
    })

    for (const address of ['/api/generate', '/api/estimate']) {
      const response = await call('POST', address, {
        prompt: 1,
        size: '2K',
        model: 'm',
        parameters: { n: 99 },
        images: ['x'],
      })

      expect(response.status).toBe(422)
      expect(Problem.parse(await response.json()).errors?.map(({ path }) => path)).toEqual([
        'prompt',
        'size',
        'parameters.n',
      ])
    }
    expect(asked).toEqual([
      { model: 'm', parameters: { n: 99 }, references: [] },
      { model: 'm', parameters: { n: 99 }, references: [] },
    ])
  })

  test('nothing is said for a model that was not named well', async () => {
    const { call, created } = await startServer()

    const response = await call('POST', '/api/generate', { prompt: 'a boat', model: 5 })

    expect(Problem.parse(await response.json()).errors).toEqual([
      { path: 'model', message: '"model" must be a string.' },
    ])
    expect(created).toEqual([])
  })

  test('a member that is not there is called missing', async () => {
    const { call } = await startServer()

    const response = await call('POST', '/api/config', { api_key: 5 })

    expect(Problem.parse(await response.json()).errors).toEqual([
      { path: 'provider', message: '"provider" is missing; it must be a string.' },
      { path: 'api_key', message: '"api_key" must be a string.' },
    ])
  })

  test('a body that is too large is told the limit of its own address', async () => {
    const { call } = await startServer()

    const response = await call('POST', '/api/config', { name: 'x'.repeat(1024 * 1024) })

    expect(response.status).toBe(413)
    expect(Problem.parse(await response.json()).detail).toBe('The body is larger than 1 MB, the limit of this address.')
  })
})
