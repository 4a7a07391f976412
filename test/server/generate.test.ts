import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Generation } from '../../src/api/generations.ts'
import { Problem } from '../../src/api/problems.ts'
import { Refusal } from '../../src/errors.ts'
import type { GenerationRequest } from '../../src/generation/services.ts'
import type { GenerationRecord } from '../../src/storage/records.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { png } from '../support/pictures.ts'
import { generation, startServer } from './harness.ts'

const failed = (code: string, more: Partial<NonNullable<GenerationRecord['error']>> = {}) =>
  generation({
    status: 'failed',
    images: [],
    charge: 'none',
    error: {
      code,
      message: 'The service said no. Try another prompt.',
      providerCode: 'InputTextSensitiveContentDetected',
      providerMessage: 'sensitive',
      providerRequestId: 'r-1',
      retryAfterMs: null,
      ...more,
    },
  })

describe('waiting', () => {
  test('answers 200 with the generation when it ended, and names its record', async () => {
    const { call, created } = await startServer()

    const response = await call('POST', '/api/generate', { prompt: '水墨山水', parameters: { n: 2 }, images: ['abc'] })

    expect(response.status).toBe(200)
    expect(response.headers.get('location')).toBe('/api/history/g1')
    expect(response.headers.get('preference-applied')).toBeNull()
    const body = Generation.parse(await response.json())
    expect(body).toMatchObject({ status: 'succeeded', duration_ms: 8123, image_urls: ['/images/i1'] })
    expect(created).toHaveLength(1)
    expect(created[0]?.request).toMatchObject({
      prompt: '水墨山水',
      parameters: { n: 2 },
      references: [{ text: 'abc' }],
    })
    expect(created[0]?.options.requestId).toBe(response.headers.get('x-request-id'))
  })

  test.each([
    ['respond-async', 'respond-async', undefined],
    ['wait=20', 'wait=20', 20_000],
    ['respond-async, WAIT = 3', 'respond-async, wait=3', 3000],
    ['wait=99999999', 'wait=86400', 86_400_000],
  ])('obeys Prefer: %s', async (prefer, applied, timeoutMs) => {
    const waits: (number | undefined)[] = []
    const { call } = await startServer({
      services: {
        generations: {
          async whenEnded(_id, options) {
            waits.push(options.timeoutMs)
            return generation({ status: 'running', finishedAt: null, images: [] })
          },
        },
      },
    })

    const response = await call('POST', '/api/generate', { prompt: 'x' }, { prefer })

    expect(response.status).toBe(202)
    expect(response.headers.get('preference-applied')).toBe(applied)
    expect(response.headers.get('location')).toBe('/api/history/g1')
    expect(waits).toEqual(timeoutMs === undefined ? [] : [timeoutMs])
    expect(Generation.parse(await response.json()).status).toMatch(/queued|running/)
  })

  test('waits without a limit when the preference is nonsense', async () => {
    const waits: unknown[] = []
    const { call } = await startServer({
      services: {
        generations: {
          async whenEnded(_id, options) {
            waits.push(options.timeoutMs)
            return generation()
          },
        },
      },
    })

    const response = await call('POST', '/api/generate', { prompt: 'x' }, { prefer: 'wait=soon, handling=strict' })

    expect(response.status).toBe(200)
    expect(waits).toEqual([undefined])
  })

  test('a client that goes away ends its wait and cancels nothing', async () => {
    let isAborted = false
    let cancels = 0
    const leave = new AbortController()
    const { url } = await startServer({
      services: {
        generations: {
          whenEnded(_id, { signal }) {
            leave.abort()
            return new Promise(resolve =>
              signal?.addEventListener('abort', () => {
                isAborted = true
                resolve(generation({ status: 'running' }))
              }),
            )
          },
          async cancel() {
            cancels++
            return generation()
          },
        },
      },
    })
    const response = fetch(`${url}/api/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"prompt":"x"}',
      signal: leave.signal,
    })

    await expect(response).rejects.toThrow()

    await expect.poll(() => isAborted).toBe(true)
    expect(cancels).toBe(0)
  })
})

describe('a generation that made nothing', () => {
  test.each([
    ['invalid_request', 422],
    ['configuration_missing', 409],
    ['content_rejected', 422],
    ['provider_rejected', 422],
    ['provider_key_rejected', 502],
    ['provider_access_denied', 502],
    ['provider_quota_exhausted', 402],
    ['rate_limited', 429],
    ['provider_unavailable', 502],
    ['provider_timeout', 504],
    ['outcome_unknown', 504],
    ['cancelled', 409],
    ['storage_failed', 507],
  ])('%s becomes %i', async (code, status) => {
    const { call } = await startServer({ services: { generations: { whenEnded: async () => failed(code) } } })

    const response = await call('POST', '/api/generate', { prompt: 'x' })

    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    expect(response.headers.get('location')).toBe('/api/history/g1')
    expect(Problem.parse(await response.json())).toMatchObject({
      status,
      code,
      generation_id: 'g1',
      detail: 'The service said no. Try another prompt.',
      provider_code: 'InputTextSensitiveContentDetected',
      request_id: response.headers.get('x-request-id'),
    })
    expect(response.headers.has('retry-after')).toBe(status === 429)
  })

  test('passes on how long the service wants us to wait', async () => {
    const whenEnded = async () => failed('rate_limited', { retryAfterMs: 12_300 })
    const { call } = await startServer({ services: { generations: { whenEnded } } })

    const response = await call('POST', '/api/generate', { prompt: 'x' })

    expect(response.headers.get('retry-after')).toBe('13')
  })

  test('cancelled without an error is 409 too', async () => {
    const whenEnded = async () => generation({ status: 'cancelled', images: [], error: null })
    const { call } = await startServer({ services: { generations: { whenEnded } } })

    const response = await call('POST', '/api/generate', { prompt: 'x' })

    expect(response.status).toBe(409)
    expect(await response.json()).toMatchObject({ code: 'cancelled', generation_id: 'g1' })
  })
})

describe('refusals', () => {
  test.each([
    ['invalid_request', 422],
    ['configuration_missing', 409],
    ['idempotency_mismatch', 422],
    ['gone', 410],
    ['too_large', 413],
    ['too_many_requests', 429],
    ['storage_failed', 507],
  ] as const)('%s of the services becomes %i', async (code, status) => {
    const violations = [{ path: 'parameters.n', message: 'n must be at most 4.' }]
    const create = async () => {
      throw new Refusal(code, 'Say it in another way.', { violations })
    }
    const { call } = await startServer({ services: { generations: { create } } })

    const response = await call('POST', '/api/generate', { prompt: 'x' })

    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ code, detail: 'Say it in another way.', errors: violations })
    expect(response.headers.has('retry-after')).toBe(status === 429)
  })

  test('what went wrong inside is told to the log and not to the client', async () => {
    const create = async () => {
      throw new Error('password=hunter2 in table x')
    }
    const { call, lines } = await startServer({ services: { generations: { create } } })

    const response = await call('POST', '/api/generate', { prompt: 'x' })

    expect(response.status).toBe(500)
    const body = await response.text()
    expect(body).not.toContain('hunter2')
    expect(JSON.parse(body)).toMatchObject({
      code: 'internal_error',
      detail: expect.stringContaining(response.headers.get('x-request-id')!),
    })
    const line = lines.map(line => JSON.parse(line)).find(line => line.level === 'error')
    expect(line).toMatchObject({
      request_id: response.headers.get('x-request-id'),
      err: { message: 'password=hunter2 in table x' },
    })
  })

  test('lists every violation with its path', async () => {
    const { call, created } = await startServer()

    const response = await call('POST', '/api/generate', {
      prompt: 5,
      n: 2,
      parameters: [],
      images: ['a', 7],
      modell: 'x',
    })

    expect(response.status).toBe(422)
    const { code, errors } = Problem.parse(await response.json())
    expect(code).toBe('invalid_request')
    expect(errors?.map(violation => violation.path).sort()).toEqual(['images.1', 'modell', 'n', 'parameters', 'prompt'])
    expect(created).toEqual([])
  })
})

describe('Idempotency-Key', () => {
  const send = async (app: TestApp, body: string | FormData) => {
    const { status, body: answer } = await app.call('POST', '/api/generate', body, {
      'idempotency-key': 'key-1',
      prefer: 'respond-async',
    })
    return [status, answer.id ?? answer.code] as const
  }

  test('a request is the same in another order, with other white space or members that are null', async () => {
    const app = await startApp()

    const [status, id] = await send(app, '{"prompt":"x","parameters":{"n":1,"watermark":false}}')
    const second = await send(
      app,
      '{ "parameters": {"watermark": false, "n": 1.0},\n "model": null, "prompt": "\\u0078" }',
    )
    const other = await send(app, '{"prompt":"x","parameters":{"n":2,"watermark":false}}')

    expect(status).toBe(202)
    expect(second).toEqual([202, id])
    expect(other).toEqual([422, 'idempotency_mismatch'])
  })

  test('files count by what is in them, not by their names', async () => {
    const app = await startApp()
    const [one, two] = await Promise.all([png(512, 512), png(512, 512, { color: '#28789c' })])
    const form = (name: string, content: Buffer) => {
      const form = new FormData()
      form.append('prompt', 'x')
      form.append('images', new Blob([new Uint8Array(content)], { type: 'image/png' }), name)
      return form
    }

    const [status, id] = await send(app, form('a.png', one))
    const renamed = await send(app, form('b.png', one))
    const other = await send(app, form('a.png', two))

    expect(status).toBe(202)
    expect(renamed).toEqual([202, id])
    expect(other).toEqual([422, 'idempotency_mismatch'])
  })

  test('a key that is no plain text is refused', async () => {
    const { call, created } = await startServer()

    const response = await call('POST', '/api/generate', { prompt: 'x' }, { 'idempotency-key': 'k'.repeat(256) })

    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({ errors: [{ path: 'idempotency-key' }] })
    expect(created).toEqual([])
  })
})

describe('forms', () => {
  test('files go to disk and keep their place among the references', async () => {
    const bytes = Buffer.alloc(300_000, 'p')
    const asked: GenerationRequest[] = []
    const seen: Buffer[] = []
    const server = await startServer({
      services: {
        generations: {
          async create(request) {
            asked.push(request)
            for (const reference of request.references)
              if ('upload' in reference) seen.push(readFileSync(reference.upload.path))
            return generation({ status: 'queued', finishedAt: null, images: [] })
          },
        },
      },
    })
    const form = new FormData()
    form.append('prompt', '改成夜景')
    form.append('parameters', '{"size":"2K","n":2}')
    form.append('images', 'https://example.org/a.png')
    form.append('images', new Blob([bytes], { type: 'image/png' }), '夜.png')
    form.append('images', 'i1')
    form.append('model', '')

    const response = await fetch(`${server.url}/api/generate`, { method: 'POST', body: form })

    expect(response.status).toBe(200)
    expect(asked[0]).toMatchObject({ prompt: '改成夜景', parameters: { size: '2K', n: 2 }, model: undefined })
    expect(asked[0]?.references).toEqual([
      { text: 'https://example.org/a.png' },
      {
        upload: {
          path: expect.any(String),
          bytes: bytes.length,
          sha256: createHash('sha256').update(bytes).digest('hex'),
        },
      },
      { text: 'i1' },
    ])
    expect(seen.map(file => file.equals(bytes))).toEqual([true])
    // A generation that took its file moved it away; one of a key that came before takes none.
    expect(readdirSync(path.join(server.dataDir, 'uploads'))).toEqual([])
  })

  test('files of a refused request are removed', async () => {
    const server = await startServer({
      services: {
        generations: {
          async create() {
            throw new Refusal('configuration_missing', 'Add a configuration first.')
          },
        },
      },
    })
    const form = (more: Record<string, string>) => {
      const form = new FormData()
      form.append('images', new Blob(['picture']), 'a.png')
      for (const [name, value] of Object.entries(more)) form.append(name, value)
      return form
    }
    const send = (body: FormData) => fetch(`${server.url}/api/generate`, { method: 'POST', body })

    expect((await send(form({ prompt: 'x' }))).status).toBe(409)
    expect((await send(form({ promt: 'x' }))).status).toBe(422)
    expect((await send(form({ parameters: '{' }))).status).toBe(400)
    expect((await send(form({ prompt: 'a\0b' }))).status).toBe(422)

    expect(readdirSync(path.join(server.dataDir, 'uploads'))).toEqual([])
  })

  test('a file over 20 MB, or a 17th file, is 413, and nothing is left', async () => {
    const server = await startServer()
    const large = new FormData()
    large.append('images', new Blob(['small']), 'small.png')
    large.append('images', new Blob([Buffer.alloc(21 * 1024 * 1024)]), 'large.png')
    const many = new FormData()
    for (let index = 0; index < 17; index++) many.append('images', new Blob(['x']), `${index}.png`)

    const answers = await Promise.all(
      [large, many].map(body => fetch(`${server.url}/api/generate`, { method: 'POST', body })),
    )

    expect(answers.map(answer => answer.status)).toEqual([413, 413])
    expect(await answers[0]!.json()).toMatchObject({ code: 'too_large', detail: expect.stringContaining('large.png') })
    expect(server.created).toEqual([])
    expect(readdirSync(path.join(server.dataDir, 'uploads'))).toEqual([])
  })

  test.each([
    ['no boundary', 'multipart/form-data', 'x', 400],
    [
      'cut in the middle of a file',
      'multipart/form-data; boundary=b',
      '--b\r\ncontent-disposition: form-data; name="images"; filename="a"\r\n\r\nabc',
      400,
    ],
    ['not a form', 'multipart/form-data; boundary=b', '{"prompt":"x"}', 400],
    [
      'a field named __proto__',
      'multipart/form-data; boundary=b',
      '--b\r\ncontent-disposition: form-data; name="__proto__"\r\n\r\nabc\r\n--b--\r\n',
      422,
    ],
  ])('%s is refused', async (_name, type, body, status) => {
    const server = await startServer()

    const response = await fetch(`${server.url}/api/generate`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    })

    expect(response.status).toBe(status)
    Problem.parse(await response.json())
    expect(server.created).toEqual([])
    expect(readdirSync(path.join(server.dataDir, 'uploads'))).toEqual([])
  })

  test('a client that leaves in the middle of a file leaves nothing behind', async () => {
    const server = await startServer()
    const leave = new AbortController()
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(
          Buffer.from('--b\r\ncontent-disposition: form-data; name="images"; filename="a.png"\r\n\r\n'),
        )
        controller.enqueue(Buffer.alloc(100_000))
      },
    })
    const sent = fetch(`${server.url}/api/generate`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body: stream,
      duplex: 'half',
      signal: leave.signal,
    } as RequestInit)
    const uploads = path.join(server.dataDir, 'uploads')
    await expect.poll(() => readdirSync(uploads)).toHaveLength(1)

    leave.abort()
    await expect(sent).rejects.toThrow()

    await expect.poll(() => readdirSync(uploads)).toEqual([])
    expect(server.created).toEqual([])
  })

  test('POST /api/images stores one file under "file"', async () => {
    const { call, dataDir } = await startApp()
    const image = new Blob([new Uint8Array(await png(512, 512))])
    const form = new FormData()
    form.append('file', image, 'a.png')
    const wrong = new FormData()
    wrong.append('image', image, 'a.png')

    const stored = await call('POST', '/api/images', form)
    const misnamed = await call('POST', '/api/images', wrong)
    const json = await call('POST', '/api/images', { file: 'x' })

    expect(stored.status).toBe(201)
    const { id } = stored.body
    expect(stored.headers.get('location')).toBe(`/images/${id}`)
    expect(stored.body).toMatchObject({ url: `/images/${id}`, width: 512, mime_type: 'image/png' })
    expect(misnamed.status).toBe(422)
    expect(json.status).toBe(415)
    expect(readdirSync(path.join(dataDir, 'uploads'))).toEqual([])
  })
})
