import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ImageModel } from 'openai/resources/images'
import { afterEach, describe, expect, test } from 'vitest'
import { checkRequest } from '../../src/catalogue/checks.ts'
import type { JsonObject, Model } from '../../src/catalogue/model.ts'
import { resolveSize } from '../../src/catalogue/sizes.ts'
import { InvalidRequest } from '../../src/catalogue/violation.ts'
import { createHttp } from '../../src/outgoing/client.ts'
import { type Disposition, ExchangeError, type FailureCode } from '../../src/outgoing/failure.ts'
import type { OutgoingHttp } from '../../src/outgoing/http.ts'
import { failureRows } from '../../src/providers/openai/errors.ts'
import { openai } from '../../src/providers/openai/openai.ts'
import type { Context, Learned, Plan, RawAnswer } from '../../src/providers/provider.ts'
import { writeAndCut } from '../support/cut.ts'
import { knownNames } from '../support/names.ts'

// ── Harness ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function modelOf(id: string): Model {
  const model = openai.models.find(model => model.id === id || model.aliases?.includes(id)) ?? openai.unlisted(id, true)
  if (!model) throw new Error(`no model ${id}`)
  return model
}

/** From the vocabulary of the API to calls, with the checks that are common to all providers on the way. */
function planFor(id: string, parameters: JsonObject = {}, references = 0): Plan {
  const model = modelOf(id)
  const checked = checkRequest(model, { prompt: 'a lighthouse', parameters, references }, knownNames)
  if (checked.violations.length > 0) throw new InvalidRequest(checked.violations)
  const picture = { mimeType: 'image/png', width: 1024, height: 1024, transparent: false }
  return openai.plan(
    {
      modelId: id,
      prompt: 'a lighthouse',
      count: checked.count,
      size: checked.resolvedSize,
      parameters: checked.parameters,
      references: Array.from({ length: references }, () => picture),
    },
    model,
  )
}

function answerOf(status: number, body: unknown, more: Partial<RawAnswer> = {}): RawAnswer {
  return { status, body: typeof body === 'string' ? body : JSON.stringify(body), complete: true, ...more }
}

const parse = (status: number, body: unknown, more: Partial<RawAnswer> = {}) =>
  openai.parse(answerOf(status, body, more), { route: 'generations', body: {} })

// ── Plan ────────────────────────────────────────────────────────────────────────────────────────────────────────────

describe('plan', () => {
  const prompt = 'a lighthouse'
  const first = { $reference: 0 }
  const gptImages = openai.models.filter(model => model.family === 'gpt-image').map(model => model.id)

  test('the catalogue has every model that the official client names', () => {
    const named = [
      'gpt-image-2.6-sunburst',
      'gpt-image-2.6-flare',
      'gpt-image-2.5-sunburst',
      'gpt-image-2.5-sunburst-2026-09-08',
      'gpt-image-2.5-flare',
      'gpt-image-2.5-flare-2026-09-08',
      'gpt-image-2',
      'gpt-image-2-2026-04-21',
      'gpt-image-1.5',
      'gpt-image-1',
      'gpt-image-1-mini',
      'chatgpt-image-latest',
      'dall-e-2',
      'dall-e-3',
    ] satisfies ImageModel[]
    // Does not compile when the client names one that is not above.
    const every: Exclude<ImageModel, (typeof named)[number]>[] = []

    const ids = openai.models.flatMap(model => [model.id, ...(model.aliases ?? [])])
    expect([...named, ...every].filter(id => !ids.includes(id))).toEqual([])
  })

  test.each<[name: string, model: string, asked: JsonObject, references: number, route: string, bodies: JsonObject[]]>([
    ...gptImages.flatMap((model): [string, string, JsonObject, number, string, JsonObject[]][] => [
      ['text alone', model, {}, 0, 'generations', [{ model, prompt, n: 1, size: 'auto' }]],
      ['a size', model, { size: '1536x1024' }, 0, 'generations', [{ model, prompt, n: 1, size: '1536x1024' }]],
      ['a ratio', model, { size: '2:3' }, 0, 'generations', [{ model, prompt, n: 1, size: '1024x1536' }]],
      ['ten pictures', model, { n: 10 }, 0, 'generations', [{ model, prompt, n: 10, size: 'auto' }]],
      ['one reference', model, {}, 1, 'edits', [{ model, prompt, image: first, n: 1, size: 'auto' }]],
      [
        'two references',
        model,
        { n: 2, quality: 'high' },
        2,
        'edits',
        [{ model, prompt, image: [first, { $reference: 1 }], n: 2, size: 'auto', quality: 'high' }],
      ],
      [
        'all of its own',
        model,
        {
          quality: 'low',
          background: 'transparent',
          output_format: 'webp',
          output_compression: 80,
          moderation: 'low',
        },
        0,
        'generations',
        [
          {
            model,
            prompt,
            n: 1,
            size: 'auto',
            quality: 'low',
            background: 'transparent',
            output_format: 'webp',
            output_compression: 80,
            moderation: 'low',
          },
        ],
      ],
    ]),
    [
      'a free ratio',
      'gpt-image-2',
      { size: '16:9' },
      0,
      'generations',
      [{ model: 'gpt-image-2', prompt, n: 1, size: '1536x864' }],
    ],
    [
      'a tier',
      'gpt-image-2',
      { size: '2K' },
      0,
      'generations',
      [{ model: 'gpt-image-2', prompt, n: 1, size: '2048x2048' }],
    ],
    [
      '4K',
      'gpt-image-2',
      { size: '3840x2160' },
      0,
      'generations',
      [{ model: 'gpt-image-2', prompt, n: 1, size: '3840x2160' }],
    ],
    [
      'each picture is a call',
      'dall-e-3',
      { n: 2, size: '16:9', style: 'natural', quality: 'hd' },
      0,
      'generations',
      Array.from({ length: 2 }, () => ({
        model: 'dall-e-3',
        prompt,
        n: 1,
        size: '1792x1024',
        response_format: 'b64_json',
        style: 'natural',
        quality: 'hd',
      })),
    ],
    [
      'a small size',
      'dall-e-2',
      { n: 3, size: '256x256' },
      0,
      'generations',
      [{ model: 'dall-e-2', prompt, n: 3, size: '256x256', response_format: 'b64_json' }],
    ],
    [
      'one reference',
      'dall-e-2',
      {},
      1,
      'edits',
      [{ model: 'dall-e-2', prompt, image: first, n: 1, size: '1024x1024', response_format: 'b64_json' }],
    ],
    [
      'nothing but what was asked',
      'flux-9',
      { n: 2 },
      0,
      'generations',
      [
        { model: 'flux-9', prompt, n: 1 },
        { model: 'flux-9', prompt, n: 1 },
      ],
    ],
    ['a size', 'flux-9', { size: '768x512' }, 0, 'generations', [{ model: 'flux-9', prompt, n: 1, size: '768x512' }]],
    ['one reference', 'flux-9', {}, 1, 'edits', [{ model: 'flux-9', prompt, image: first, n: 1 }]],
    [
      'as many references as the API has',
      'flux-9',
      {},
      16,
      'edits',
      [{ model: 'flux-9', prompt, image: Array.from({ length: 16 }, (_, index) => ({ $reference: index })), n: 1 }],
    ],
  ])('%s: %s %j with %i references', (_name, model, asked, references, route, bodies) => {
    const { calls } = planFor(model, asked, references)

    expect(calls.map(call => call.body)).toEqual(bodies)
    expect(calls.map(call => call.route)).toEqual(bodies.map(() => route))
    expect(calls.map(call => call.images)).toEqual(bodies.map(body => body.n))
  })

  test('edits have no moderation, and say so', () => {
    const plan = planFor('gpt-image-2', { moderation: 'low' }, 1)

    expect(plan.warnings.map(warning => warning.parameter)).toEqual(['moderation'])
    expect(plan.calls[0]?.body).not.toHaveProperty('moderation')
    expect(plan.resolved).toEqual({ n: 1, size: 'auto' })
  })

  test('ten pictures get nine minutes more than one', () => {
    expect(planFor('gpt-image-2').calls[0]?.timeoutMs).toBe(600_000)
    expect(planFor('gpt-image-2', { n: 10 }).calls[0]?.timeoutMs).toBe(1_140_000)
  })

  test.each<[string, JsonObject, number[]]>([
    ['ten of 4K as PNG', { n: 10, size: '3840x2160' }, [4, 4, 2]],
    ['ten of 2K as PNG', { n: 10, size: '2048x2048', output_format: 'png' }, [8, 2]],
    ['ten of 4K as JPEG', { n: 10, size: '3840x2160', output_format: 'jpeg' }, [10]],
    ['ten of the size that the model chooses', { n: 10 }, [10]],
  ])('no answer grows beyond what is taken: %s', (_name, asked, counts) => {
    const { calls } = planFor('gpt-image-2', asked)

    expect(calls.map(call => call.images)).toEqual(counts)
    expect(calls.map(call => call.body.n)).toEqual(counts)
  })

  test.each<[string, JsonObject, string]>([
    ['a size that is no multiple of 16', { size: '1000x1000' }, 'parameters.size'],
    ['a size above 4K', { size: '3856x2160' }, 'parameters.size'],
    ['a size that is too wide', { size: '3200x1024' }, 'parameters.size'],
    ['compression of a PNG', { output_compression: 50 }, 'parameters.output_compression'],
    ['a transparent JPEG', { background: 'transparent', output_format: 'jpeg' }, 'parameters.output_format'],
  ])('refuses %s', (_name, asked, path) => {
    const violations = () => {
      try {
        planFor('gpt-image-2', asked)
      } catch (error) {
        return error instanceof InvalidRequest ? error.violations.map(violation => violation.path) : error
      }
      return []
    }

    expect(violations()).toEqual([path])
  })
})

describe('models', () => {
  test('other ids are ours only when someone says so, but for those that name the family', () => {
    expect(openai.unlisted('flux-9', false)).toBeUndefined()
    expect(openai.unlisted('flux-9', true)).toMatchObject({ id: 'flux-9', parameters: {}, images: { perCall: 1 } })
    expect(openai.unlisted('gpt-image-3', false)).toMatchObject({ id: 'gpt-image-3', family: 'gpt-image' })
    expect(openai.unlisted('gpt-image-1.5-2026-12-01', false)?.sizes.textToImage?.free).toBeUndefined()
  })

  test('all recommended sizes are ones that the model takes', () => {
    const outside = openai.models.flatMap(model => {
      const rule = model.sizes.textToImage!
      const sizes = Object.values(rule.table).flatMap(Object.values)
      return sizes.filter(size => 'violation' in resolveSize(rule, model.id, size)).map(size => `${model.id} ${size}`)
    })

    expect(outside).toEqual([])
  })
})

// ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

describe('parse', () => {
  test('pictures in the answer itself, and the prompt as it was rewritten', () => {
    const body = {
      created: 1,
      data: [{ b64_json: 'aGk=', revised_prompt: 'A tall lighthouse' }, { b64_json: 'data:image/png;base64,aG8=' }],
      usage: { total_tokens: 100 },
    }

    expect(parse(200, body)).toEqual({
      images: [
        { index: 0, base64: 'aGk=' },
        { index: 1, base64: 'data:image/png;base64,aG8=' },
      ],
      failures: [],
      revisedPrompt: 'A tall lighthouse',
      complete: true,
    })
  })

  test('addresses, with the end of their life', () => {
    const url = 'https://store.example.org/a.png?st=2026-09-20T07%3A00%3A00Z&se=2026-09-20T09%3A00%3A00Z&sig=x%2By'
    const body = {
      data: [{ url, b64_json: null }, { url: 'https://e.org/b.png' }, { url: 'data:image/png;base64,aGk=' }],
    }

    expect(parse(200, body).images).toEqual([
      { index: 0, url, expiresAt: Date.UTC(2026, 8, 20, 9) },
      { index: 1, url: 'https://e.org/b.png' },
      { index: 2, base64: 'data:image/png;base64,aGk=' },
    ])
  })

  test('an item that is no picture is reported beside those that are', () => {
    const { images, failures, error } = parse(200, { data: [{ file_id: 'x' }, { b64_json: 'aGk=' }] })

    expect(images).toEqual([{ index: 1, base64: 'aGk=' }])
    expect(failures).toMatchObject([{ index: 0, message: expect.stringContaining('file_id') }])
    expect(error).toBeUndefined()
  })

  test.each([
    ['an empty list', { data: [] }, 'provider_rejected', 'refused'],
    ['an error', { error: { code: 'moderation_blocked', message: 'x' } }, 'content_rejected', 'refused'],
    ['an unknown error', { error: { code: 'oops', message: 'x' } }, 'provider_rejected', 'maybe_billed'],
    [
      'a picture that was refused',
      { data: [{ error: { code: 'moderation_blocked' } }] },
      'content_rejected',
      'refused',
    ],
    [
      'a picture for which no time was left',
      { data: [{ error: { code: 'rate_limit_exceeded' } }] },
      'rate_limited',
      'refused',
    ],
    ['no list', { created: 1 }, 'provider_rejected', 'maybe_billed'],
    [
      'a refused and an unknown one',
      { data: [{ error: { code: 'moderation_blocked' } }, { file_id: 'x' }] },
      'provider_rejected',
      'maybe_billed',
    ],
    ['something unknown', { data: [{ file_id: 'x' }] }, 'provider_rejected', 'maybe_billed'],
    ['a page', '<html>', 'provider_rejected', 'maybe_billed'],
  ])('a 200 without a picture: %s', (_name, body, code, disposition) => {
    expect(parse(200, body)).toMatchObject({ images: [], error: { code, disposition }, complete: true })
  })

  test('an answer that was cut gives the pictures that are whole', () => {
    const whole = JSON.stringify({ data: [{ b64_json: 'aGk=' }, { b64_json: 'aG8=' }] })

    const parsed = parse(200, whole.slice(0, -6), { complete: false })

    expect(parsed).toEqual({ images: [{ index: 0, base64: 'aGk=' }], failures: [], complete: false })
  })

  test('the pictures of an answer that was cut may be large', () => {
    const large = 'A'.repeat(24 * 1024 * 1024)
    const cut = `{"created":1,"data":[{"b64_json":"${large}"},{"url":"https:\\/\\/e.org\\/b.png"},{"b64_json":"${large}`

    const { images } = parse(200, cut, { complete: false })

    expect(images.map(({ index, url, base64 }) => [index, url, base64?.length])).toEqual([
      [0, undefined, large.length],
      [1, 'https://e.org/b.png', undefined],
    ])
  })
})

describe('parse of errors', () => {
  type Row = [status: number, word: string, code: FailureCode, disposition: Disposition]
  const rows: Row[] = [
    [401, 'invalid_api_key', 'provider_key_rejected', 'refused'],
    [401, 'authentication_error', 'provider_key_rejected', 'refused'],
    [401, 'account_deactivated', 'provider_key_rejected', 'refused'],
    [401, 'invalid_organization', 'provider_access_denied', 'refused'],
    [403, 'permission_error', 'provider_access_denied', 'refused'],
    [403, 'unsupported_country_region_territory', 'provider_access_denied', 'refused'],
    [429, 'insufficient_quota', 'provider_quota_exhausted', 'refused'],
    [400, 'billing_hard_limit_reached', 'provider_quota_exhausted', 'refused'],
    [429, 'billing_not_active', 'provider_quota_exhausted', 'refused'],
    [429, 'rate_limit_exceeded', 'rate_limited', 'retry_safe'],
    [400, 'moderation_blocked', 'content_rejected', 'refused'],
    [400, 'content_policy_violation', 'content_rejected', 'refused'],
    [404, 'model_not_found', 'provider_rejected', 'refused'],
    [400, 'something_new', 'provider_rejected', 'refused'],
    [401, 'something_new', 'provider_key_rejected', 'refused'],
    [402, 'something_new', 'provider_quota_exhausted', 'refused'],
    [403, 'something_new', 'provider_access_denied', 'refused'],
    [404, 'something_new', 'provider_rejected', 'refused'],
    [429, 'something_new', 'rate_limited', 'retry_safe'],
    [500, 'server_error', 'provider_unavailable', 'maybe_billed'],
    [502, 'something_new', 'provider_unavailable', 'maybe_billed'],
    [503, 'something_new', 'provider_unavailable', 'retry_safe'],
    [504, 'something_new', 'provider_timeout', 'maybe_billed'],
    [302, 'something_new', 'provider_rejected', 'refused'],
  ]

  test.each(rows)('%i %s is %s, %s', (status, word, code, disposition) => {
    const message = 'Something is wrong.'
    const expected = {
      code,
      disposition,
      providerCode: word,
      providerMessage: message,
      requestId: 'req_1',
      retryAfterMs: 2000,
    }

    for (const error of [
      { code: word, message, type: 'image_generation_user_error', param: null },
      { code: null, message, type: word },
    ]) {
      expect(parse(status, { error }, { requestId: 'req_1', retryAfterMs: 2000 }).error).toMatchObject(expected)
    }
  })

  test('every row of the table is tried', () => {
    expect(Object.keys(failureRows).filter(word => !rows.some(([, tried]) => tried === word))).toEqual([])
  })

  test('a page of a gateway is quoted', () => {
    const { error } = parse(504, `<html>${'x'.repeat(1000)}`)

    expect(error).toMatchObject({ code: 'provider_timeout', disposition: 'maybe_billed' })
    expect(error?.providerMessage).toBe(`HTTP 504: <html>${'x'.repeat(294)}`)
  })
})

// ── Exchanges ───────────────────────────────────────────────────────────────────────────────────────────────────────

const opened: (Server | OutgoingHttp)[] = []

afterEach(async () => {
  for (const part of opened.splice(0)) {
    if ('closeAllConnections' in part) part.closeAllConnections()
    await part.close()
  }
})

interface Seen {
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: Buffer
}

/** A server that answers as told, and what it saw. */
async function serve(answer: (response: ServerResponse) => unknown) {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    seen.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(pieces),
    })
    await answer(response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const http = createHttp({ allowedHosts: ['127.0.0.1'], allowedOrigins: [] })
  opened.push(server, http)
  const context: Context = {
    apiKey: 'key-1',
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    http,
    signal: new AbortController().signal,
    reference: async index => ({
      mimeType: index === 0 ? 'image/png' : 'image/jpeg',
      bytes: Buffer.from([index, 0xff, 0x0a]),
    }),
  }
  return { context, seen }
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(body))
  }

async function learn(route: string, body: JsonObject, context: Context) {
  const learned: Learned[] = []
  for await (const item of openai.send({ id: 'call-1', route, body, timeoutMs: 5000 }, context)) learned.push(item)
  return learned
}

describe('send', () => {
  test('pictures from text go as JSON', async () => {
    const body = { model: 'gpt-image-2', prompt: '灯塔', n: 1 }
    const { context, seen } = await serve(json(200, { data: [] }, { 'x-request-id': 'req_1' }))

    const learned = await learn('generations', body, { ...context, apiKey: 'Bearer key-1 ' })

    expect(seen).toMatchObject([
      {
        method: 'POST',
        url: '/v1/images/generations',
        headers: { authorization: 'Bearer key-1', 'content-type': 'application/json', 'x-client-request-id': 'call-1' },
      },
    ])
    expect(JSON.parse(seen[0]?.body.toString() ?? '')).toEqual(body)
    expect(learned).toMatchObject([
      { type: 'answer', answer: { status: 200, requestId: 'req_1', body: '{"data":[]}', complete: true } },
    ])
  })

  test.each<[string, JsonObject, string[]]>([
    ['one', { $reference: 0 } as JsonObject, ['image']],
    ['several', [{ $reference: 0 }, { $reference: 1 }] as unknown as JsonObject, ['image[]', 'image[]']],
  ])('pictures from %s go as a form with files', async (_name, image, names) => {
    const { context, seen } = await serve(json(200, { data: [] }))

    await learn('edits', { model: 'gpt-image-2', prompt: '灯塔', image, n: 2, size: 'auto' }, context)

    expect(seen[0]).toMatchObject({ method: 'POST', url: '/v1/images/edits' })
    const request = seen[0]!
    const type = request.headers['content-type'] ?? ''
    const form = await new Response(new Uint8Array(request.body), { headers: { 'content-type': type } }).formData()
    const fields = [...form].filter(([, value]) => typeof value === 'string')
    expect(fields).toEqual([
      ['model', 'gpt-image-2'],
      ['prompt', '灯塔'],
      ['n', '2'],
      ['size', 'auto'],
    ])
    const files = [...form].flatMap(([name, value]) => (typeof value === 'string' ? [] : [{ name, file: value }]))
    expect(files.map(({ name }) => name)).toEqual(names)
    expect(files.map(({ file }) => [file.name, file.type])).toEqual(
      [
        ['reference-0.png', 'image/png'],
        ['reference-1.jpeg', 'image/jpeg'],
      ].slice(0, names.length),
    )
    expect(Buffer.from(await files[0]!.file.arrayBuffer())).toEqual(Buffer.from([0, 0xff, 0x0a]))
  })

  test('an error status is an answer, with the pause it asks for', async () => {
    const { context } = await serve(json(429, { error: { code: 'rate_limit_exceeded' } }, { 'retry-after': '1.5' }))

    expect(await learn('generations', {}, context)).toMatchObject([{ answer: { status: 429, retryAfterMs: 1500 } }])
  })

  test('an answer that breaks off throws with what came', async () => {
    const { context } = await serve(async response => {
      response.writeHead(200, { 'content-length': 1000 })
      writeAndCut(response, '{"data":[')
    })

    await expect(learn('generations', {}, context)).rejects.toMatchObject({
      partial: '{"data":[',
      failure: { disposition: 'maybe_billed' },
    })
  })

  test('a refusal that breaks off is a refusal all the same', async () => {
    const { context } = await serve(async response => {
      response.writeHead(429, { 'content-length': 1000 })
      writeAndCut(response, '{"error":')
    })

    const learned = await learn('generations', {}, context)

    expect(learned).toMatchObject([{ answer: { status: 429, body: '{"error":', complete: false } }])
    expect(parse(429, '{"error":', { complete: false }).error).toMatchObject({ disposition: 'retry_safe' })
  })

  test('a key that cannot be sent is refused before anything is sent', async () => {
    const { context, seen } = await serve(json(200, {}))

    await expect(learn('generations', {}, { ...context, apiKey: 'key\nsecond' })).rejects.toThrow(ExchangeError)
    expect(seen).toEqual([])
  })
})

describe('check', () => {
  const list = { object: 'list', data: [{ id: 'gpt-image-2', object: 'model' }] }
  const error = (code: string) => ({ error: { code, message: `It is ${code}.`, type: 'x' } })

  test.each<[string | undefined, number, unknown, string]>([
    ['gpt-image-2', 200, list, 'ok'],
    [undefined, 200, list, 'ok'],
    ['flux-9', 200, list, 'provider_access_denied'],
    ['flux-9', 200, { data: [] }, 'ok'],
    ['gpt-image-2', 401, error('invalid_api_key'), 'provider_key_rejected'],
    ['gpt-image-2', 401, 'no', 'provider_key_rejected'],
    ['gpt-image-2', 403, error('unsupported_country_region_territory'), 'provider_access_denied'],
    ['gpt-image-2', 403, '<html>', 'wrong_address'],
    ['gpt-image-2', 429, error('insufficient_quota'), 'provider_quota_exhausted'],
    ['gpt-image-2', 429, error('rate_limit_exceeded'), 'provider_unavailable'],
    ['gpt-image-2', 404, '<html>', 'wrong_address'],
    ['gpt-image-2', 200, '<html>', 'wrong_address'],
    ['gpt-image-2', 302, '', 'wrong_address'],
    ['gpt-image-2', 502, '<html>', 'provider_unavailable'],
  ])('%s, and the list answers %i %j: %s', async (model, status, body, code) => {
    const { context, seen } = await serve(json(status, body))

    const result = await openai.check(model, context)

    expect(result.code).toBe(code)
    expect(seen.map(({ method, url }) => ({ method, url }))).toEqual([{ method: 'GET', url: '/v1/models' }])
  })

  test.each([500, 502, 504, 408])('a list that answers %i raises no alarm about money', async status => {
    const { context } = await serve(json(status, {}))

    const { detail } = await openai.check('gpt-image-2', context)

    expect(detail).toContain('says nothing about the key')
    expect(detail).not.toMatch(/billed|picture/)
  })

  test('nobody at the address, a refused address, a broken key', async () => {
    const { context } = await serve(json(200, list))
    const checked = async (change: Partial<Context>) =>
      (await openai.check('gpt-image-2', { ...context, ...change })).code

    expect(await checked({ baseUrl: 'http://127.0.0.1:1/v1' })).toBe('provider_unavailable')
    expect(await checked({ baseUrl: 'http://10.0.0.1/v1' })).toBe('wrong_address')
    expect(await checked({ apiKey: '密钥' })).toBe('provider_key_rejected')
  })
})
