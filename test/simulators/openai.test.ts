import OpenAI, { toFile } from 'openai'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  OPENAI_BUSY_KEY,
  OPENAI_DEMO_KEY,
  OPENAI_NO_QUOTA_KEY,
  OPENAI_UNVERIFIED_KEY,
} from '../../src/simulators/openai/keys.ts'
import { type OpenaiSimulator, startOpenaiSimulator } from '../../src/simulators/openai/openai.ts'

let openai: OpenaiSimulator
let square: Buffer
let wide: Buffer

beforeAll(async () => {
  openai = await startOpenaiSimulator({ timeScale: 0, plainImages: true })
  square = await picture(64, 64)
  wide = await picture(96, 64)
})

afterAll(() => openai.close())

beforeEach(() => openai.reset())

function picture(width: number, height: number, format: 'png' | 'jpeg' = 'png', alpha = false) {
  const background = { r: 200, g: 160, b: 90, alpha: alpha ? 0.2 : 1 }
  return sharp({ create: { width, height, channels: alpha ? 4 : 3, background } })
    .toFormat(format)
    .toBuffer()
}

interface Answer {
  created?: number
  size?: string
  quality?: string
  background?: string
  output_format?: string
  usage?: Record<string, unknown>
  data?: { id?: string; url?: string; b64_json?: string; revised_prompt?: string }[]
  error?: { message: string; type: string; param: string | null; code: string | null }
}

const bearer = (key: string | null = OPENAI_DEMO_KEY): Record<string, string> =>
  key === null ? {} : { authorization: `Bearer ${key}` }

async function read(response: Response) {
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer }
}

async function generate(body: object | string, key?: string | null) {
  return read(
    await fetch(`${openai.baseUrl}/images/generations`, {
      method: 'POST',
      headers: { ...bearer(key), 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  )
}

async function edit(fields: [name: string, value: string | { bytes: Buffer; type?: string }][]) {
  const form = new FormData()
  for (const [name, value] of fields) {
    if (typeof value === 'string') form.append(name, value)
    else form.append(name, new Blob([new Uint8Array(value.bytes)], { type: value.type ?? 'image/png' }), 'a.png')
  }
  return read(await fetch(`${openai.baseUrl}/images/edits`, { method: 'POST', headers: bearer(), body: form }))
}

async function measure(bytes: Buffer) {
  const { width, height, format, hasAlpha } = await sharp(bytes).metadata()
  return { size: `${width}x${height}`, format, hasAlpha }
}

const inline = (item: { b64_json?: string } | undefined) => measure(Buffer.from(item!.b64_json!, 'base64'))

async function fetched(url: string) {
  const response = await fetch(url)
  expect(response.status).toBe(200)
  return measure(Buffer.from(await response.arrayBuffer()))
}

describe('keys', () => {
  const body = { model: 'gpt-image-1', prompt: 'a boat' }

  test.each([
    ['no key', null, 401, 'invalid_request_error', null],
    ['an unknown key', 'sk-wrong', 401, 'invalid_request_error', 'invalid_api_key'],
    ['an account without quota', OPENAI_NO_QUOTA_KEY, 429, 'insufficient_quota', 'insufficient_quota'],
    ['an account that asked too often', OPENAI_BUSY_KEY, 429, 'requests', 'rate_limit_exceeded'],
    ['an organization that was not verified', OPENAI_UNVERIFIED_KEY, 403, 'invalid_request_error', null],
  ])('%s is refused', async (_name, key, status, type, code) => {
    const answer = await generate(body, key)

    expect(answer.status).toBe(status)
    expect(answer.body).toEqual({ error: { message: expect.any(String), type, param: null, code } })
    expect(openai.billed).toEqual([])
  })

  test('only the rate limit says when to come back', async () => {
    expect((await generate(body, OPENAI_BUSY_KEY)).headers.get('retry-after')).toBe('1')
    expect((await generate(body, OPENAI_NO_QUOTA_KEY)).headers.get('retry-after')).toBeNull()
  })

  test('an organization that was not verified may use other models', async () => {
    expect((await generate({ model: 'dall-e-3', prompt: 'a boat' }, OPENAI_UNVERIFIED_KEY)).status).toBe(200)
  })

  test('the log names the key and never holds it', async () => {
    await generate(body)

    expect(openai.requests).toMatchObject([{ keyName: 'demo', status: 200, body, path: '/v1/images/generations' }])
    expect(JSON.stringify(openai.requests)).not.toContain(OPENAI_DEMO_KEY)
  })
})

describe('refusals', () => {
  const of = (model: string, more: object = {}) => ({ model, prompt: 'a boat', ...more })

  test.each<[name: string, body: object, code: string, param: string, message: string]>([
    [
      'response_format for gpt-image-1',
      of('gpt-image-1', { response_format: 'b64_json' }),
      'unknown_parameter',
      'response_format',
      "Unknown parameter: 'response_format'.",
    ],
    [
      'style for gpt-image-1',
      of('gpt-image-1', { style: 'vivid' }),
      'unknown_parameter',
      'style',
      "Unknown parameter: 'style'.",
    ],
    [
      'watermark for anyone',
      of('dall-e-3', { watermark: false }),
      'unknown_parameter',
      'watermark',
      "Unknown parameter: 'watermark'.",
    ],
    [
      'background for dall-e-3',
      of('dall-e-3', { background: 'opaque' }),
      'unknown_parameter',
      'background',
      "Unknown parameter: 'background'.",
    ],
    [
      'quality for a service that takes less',
      of('generic-image', { quality: 'high' }),
      'unknown_parameter',
      'quality',
      "Unknown parameter: 'quality'.",
    ],
    [
      'a size of another model',
      of('gpt-image-1', { size: '1792x1024' }),
      'invalid_value',
      'size',
      "Invalid value: '1792x1024'. Supported values are: '1024x1024', '1024x1536', '1536x1024', and 'auto'.",
    ],
    [
      'a size with a star',
      of('generic-image', { size: '512*512' }),
      'invalid_value',
      'size',
      "Invalid value: '512*512'. Sizes are WIDTHxHEIGHT, each from 64 to 2048.",
    ],
    [
      'a quality of another model',
      of('dall-e-3', { quality: 'high' }),
      'invalid_value',
      'quality',
      "Invalid value: 'high'. Supported values are: 'standard', and 'hd'.",
    ],
    [
      'two pictures of dall-e-3',
      of('dall-e-3', { n: 2 }),
      'integer_above_max_value',
      'n',
      "Invalid 'n': integer above maximum value. Expected a value <= 1, but got 2 instead.",
    ],
    [
      'eleven pictures',
      of('gpt-image-1', { n: 11 }),
      'integer_above_max_value',
      'n',
      "Invalid 'n': integer above maximum value. Expected a value <= 10, but got 11 instead.",
    ],
    [
      'no pictures',
      of('dall-e-2', { n: 0 }),
      'integer_below_min_value',
      'n',
      "Invalid 'n': integer below minimum value. Expected a value >= 1, but got 0 instead.",
    ],
    [
      'a count that is text',
      of('gpt-image-1', { n: '1' }),
      'invalid_type',
      'n',
      "Invalid type for 'n': expected an integer, but got a string instead.",
    ],
    [
      'no prompt',
      { model: 'gpt-image-1' },
      'missing_required_parameter',
      'prompt',
      "Missing required parameter: 'prompt'.",
    ],
    [
      'a prompt that is too long',
      of('dall-e-2', { prompt: 'a'.repeat(1001) }),
      'string_above_max_length',
      'prompt',
      "Invalid 'prompt': string too long. Expected a string with maximum length 1000, but got a string with length 1001 instead.",
    ],
    [
      'transparent JPEG',
      of('gpt-image-1', { background: 'transparent', output_format: 'jpeg' }),
      'invalid_value',
      'background',
      "Transparent background is not supported for image format 'jpeg'.",
    ],
    [
      'compressed PNG',
      of('gpt-image-1', { output_compression: 50 }),
      'invalid_png_output_compression',
      'output_compression',
      'Compression less than 100 is not supported for PNG output format',
    ],
  ])('%s', async (_name, body, code, param, message) => {
    const answer = await generate(body)

    expect(answer.status).toBe(400)
    expect(answer.body).toEqual({ error: { message, type: 'invalid_request_error', param, code } })
    expect(openai.billed).toEqual([])
  })

  test('a model that is not there is 404', async () => {
    const { status, body } = await generate({ model: 'gpt-image-9', prompt: 'a boat', nonsense: 1 })

    expect([status, body.error!.code]).toEqual([404, 'model_not_found'])
  })

  test('a body that is no JSON, or does not say so', async () => {
    const form = new FormData()
    form.append('prompt', 'a boat')
    const asForm = await fetch(`${openai.baseUrl}/images/generations`, {
      method: 'POST',
      headers: bearer(),
      body: form,
    })

    expect((await generate('{')).status).toBe(400)
    expect((await read(asForm)).body.error!.code).toBe('unsupported_content_type')
  })

  test('an address that is not there', async () => {
    const { status, body } = await read(await fetch(`${openai.baseUrl}/pictures`, { headers: bearer() }))

    expect([status, body.error!.message]).toEqual([404, 'Invalid URL (GET /v1/pictures)'])
  })
})

describe('generations', () => {
  test('gpt-image-1 always answers inline, with what it used', async () => {
    const { body } = await generate({ model: 'gpt-image-1', prompt: 'a boat', size: '1536x1024', quality: 'low', n: 2 })

    expect(body).toEqual({
      created: expect.any(Number),
      background: 'opaque',
      data: [{ b64_json: expect.any(String) }, { b64_json: expect.any(String) }],
      output_format: 'png',
      quality: 'low',
      size: '1536x1024',
      usage: {
        input_tokens: 2,
        input_tokens_details: { image_tokens: 0, text_tokens: 2 },
        output_tokens: 544,
        total_tokens: 546,
      },
    })
    expect(await inline(body.data![0])).toEqual({ size: '1536x1024', format: 'png', hasAlpha: false })
    expect(body.data![0]).not.toEqual(body.data![1])
    expect(openai.billed).toMatchObject([
      { model: 'gpt-image-1', key: 'demo', prompt: 'a boat', index: 0, width: 1536, height: 1024 },
      { index: 1 },
    ])
  })

  test.each([
    [{ output_format: 'jpeg' }, 'jpeg', false],
    [{ output_format: 'jpeg', output_compression: 40 }, 'jpeg', false],
    [{ output_format: 'webp', output_compression: 60 }, 'webp', false],
    [{ background: 'transparent' }, 'png', true],
  ])('gpt-image-1 with %o', async (more, format, hasAlpha) => {
    const { body } = await generate({ model: 'gpt-image-1', prompt: 'a boat', ...more })

    expect(await inline(body.data![0])).toEqual({ size: '1024x1024', format, hasAlpha })
  })

  test('dall-e-3 answers with an address and the prompt it made', async () => {
    const { body } = await generate({
      model: 'dall-e-3',
      prompt: 'a boat',
      size: '1792x1024',
      quality: 'hd',
      style: 'natural',
    })

    expect(Object.keys(body)).toEqual(['created', 'data'])
    expect(body.data![0]!.revised_prompt).toMatch(/^a boat, /)
    expect((await fetched(body.data![0]!.url!)).size).toBe('1792x1024')
  })

  test('dall-e-2 is the model when none is named, and answers inline when asked', async () => {
    const { body } = await generate({ prompt: 'a boat', n: 3, size: '256x256', response_format: 'b64_json' })

    expect(body.data).toHaveLength(3)
    expect((await inline(body.data![2])).size).toBe('256x256')
    expect(openai.billed.map(image => image.model)).toEqual(['dall-e-2', 'dall-e-2', 'dall-e-2'])
  })

  test('the generic model takes any size, both ways', async () => {
    const address = await generate({ model: 'generic-image', prompt: 'a boat', size: '320x200' })
    const whole = await generate({
      model: 'generic-image',
      prompt: 'a boat',
      size: '320x200',
      response_format: 'b64_json',
    })

    expect((await fetched(address.body.data![0]!.url!)).size).toBe('320x200')
    expect((await inline(whole.body.data![0])).size).toBe('320x200')
  })
})

describe('addresses of pictures', () => {
  const make = async () => {
    const { body } = await generate({ model: 'generic-image', prompt: 'a boat', size: '64x64' })
    return body.data![0]!.url!
  }

  test('hold for the letter only, for GET only, without a key and for a time', async () => {
    const url = await make()
    expect(url).toMatch(/&sig=[\w%]*%2B[\w%]*%3D$/)

    expect((await fetch(url.replace('%2B', '+'))).status).toBe(403)
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(403)
    expect((await fetch(url, { headers: bearer() })).status).toBe(403)
    expect((await fetch(url)).status).toBe(200)
    openai.expireUrls()
    expect((await fetch(url)).status).toBe(403)
  })
})

describe('edits', () => {
  const prompt: [string, string] = ['prompt', 'a hat']

  test('gpt-image-1 takes one picture or a list, and the ratio of the first', async () => {
    const one = await edit([['model', 'gpt-image-1'], prompt, ['image', { bytes: wide }], ['n', '2']])
    const list = await edit([
      ['model', 'gpt-image-1'],
      prompt,
      ['size', '1024x1024'],
      ['input_fidelity', 'high'],
      ['image[]', { bytes: square }],
      ['image[]', { bytes: await picture(64, 80, 'jpeg'), type: 'image/jpeg' }],
    ])

    expect([one.status, one.body.data!.length, one.body.size]).toEqual([200, 2, '1536x1024'])
    expect(list.body.size).toBe('1024x1024')
    expect(list.body.usage).toMatchObject({ input_tokens_details: { image_tokens: 646 } })
    expect((await inline(list.body.data![0])).size).toBe('1024x1024')
    expect(openai.billed).toHaveLength(3)
  })

  test('a mask has the size of the picture and an alpha channel', async () => {
    const mask = async (bytes: Buffer) =>
      edit([['model', 'gpt-image-1'], prompt, ['image', { bytes: square }], ['mask', { bytes }]])

    expect((await mask(await picture(64, 64, 'png', true))).status).toBe(200)
    expect((await mask(square)).body.error!.code).toBe('invalid_mask_image_format')
    expect((await mask(await picture(96, 64, 'png', true))).body.error!.code).toBe('invalid_mask_image_format')
  })

  test.each<[name: string, fields: () => Parameters<typeof edit>[0], code: string]>([
    ['no picture', () => [['model', 'gpt-image-1'], prompt], 'missing_required_parameter'],
    [
      'no prompt',
      () => [
        ['model', 'gpt-image-1'],
        ['image', { bytes: square }],
      ],
      'missing_required_parameter',
    ],
    ['dall-e-3', () => [['model', 'dall-e-3'], prompt, ['image', { bytes: square }]], 'invalid_value'],
    [
      'two pictures for dall-e-2',
      () => [['model', 'dall-e-2'], prompt, ['image[]', { bytes: square }], ['image[]', { bytes: square }]],
      'array_above_max_length',
    ],
    [
      'a picture that is not square',
      () => [['model', 'dall-e-2'], prompt, ['image', { bytes: wide }]],
      'invalid_image_size',
    ],
    [
      'a list that is not written as one',
      () => [['model', 'gpt-image-1'], prompt, ['image', { bytes: square }], ['image', { bytes: square }]],
      'duplicate_parameter',
    ],
    [
      'a wrong type of file',
      () => [['model', 'gpt-image-1'], prompt, ['image', { bytes: square, type: 'application/octet-stream' }]],
      'unsupported_file_mimetype',
    ],
    [
      'no picture in the file',
      () => [['model', 'gpt-image-1'], prompt, ['image', { bytes: Buffer.from('x') }]],
      'invalid_image_file',
    ],
    [
      'a picture as text',
      () => [['model', 'gpt-image-1'], prompt, ['image', 'https://example.com/a.png']],
      'invalid_type',
    ],
    [
      'moderation',
      () => [['model', 'gpt-image-1'], prompt, ['moderation', 'low'], ['image', { bytes: square }]],
      'unknown_parameter',
    ],
    [
      'response_format for gpt-image-1',
      () => [['model', 'gpt-image-1'], prompt, ['response_format', 'url'], ['image', { bytes: square }]],
      'unknown_parameter',
    ],
  ])('%s is refused', async (_name, fields, code) => {
    const { status, body } = await edit(fields())

    expect([status, body.error!.code]).toEqual([400, code])
    expect(openai.billed).toEqual([])
  })

  test('JSON is refused', async () => {
    const response = await fetch(`${openai.baseUrl}/images/edits`, {
      method: 'POST',
      headers: { ...bearer(), 'content-type': 'application/json' },
      body: '{}',
    })

    expect((await read(response)).body.error!.code).toBe('unsupported_content_type')
  })
})

describe('models', () => {
  test('are listed and found', async () => {
    const list = await read(await fetch(`${openai.baseUrl}/models`, { headers: bearer() }))
    const one = await fetch(`${openai.baseUrl}/models/dall-e-3`, { headers: bearer() })
    const none = await fetch(`${openai.baseUrl}/models/dall-e-9`, { headers: bearer() })
    const refused = await fetch(`${openai.baseUrl}/models`, { headers: bearer('sk-wrong') })

    expect(list.body.data!.map(model => model.id)).toEqual([
      'gpt-image-1',
      'gpt-image-1-mini',
      'dall-e-3',
      'dall-e-2',
      'generic-image',
      'task-image-list',
      'task-image-object',
      'task-image-plain',
      'task-image-location',
    ])
    expect([one.status, none.status, refused.status]).toEqual([200, 404, 401])
  })
})

describe('trouble', () => {
  const body = { model: 'generic-image', prompt: 'a boat', size: '64x64', n: 3 }
  const said = (prompt: string, model = 'generic-image') => generate({ model, prompt })

  test('a refused prompt is worded as the model does it', async () => {
    const image = (await said('[[input-blocked]]', 'gpt-image-1')).body.error!
    const dall = (await said('[[input-blocked]]', 'dall-e-3')).body.error!

    expect([image.code, image.type]).toEqual(['moderation_blocked', 'image_generation_user_error'])
    expect([dall.code, dall.type]).toEqual(['content_policy_violation', 'invalid_request_error'])
  })

  test.each([
    ['[[429]]', 429, 'rate_limit_exceeded'],
    ['[[quota]]', 429, 'insufficient_quota'],
    ['[[500]]', 500, null],
    ['[[503]]', 503, null],
  ])('%s', async (prompt, status, code) => {
    const answer = await said(prompt)

    expect([answer.status, answer.body.error!.code]).toEqual([status, code])
    expect(openai.billed).toEqual([])
  })

  test('pictures can be missing', async () => {
    openai.misbehave({ kind: 'fewer', count: 2 })
    openai.misbehave({ kind: 'partial', failIndexes: [0, 1] })
    openai.misbehave({ kind: 'all-refused', form: 'empty' })

    const counts = [await generate(body), await generate(body), await generate(body)].map(
      each => each.body.data!.length,
    )

    expect(counts).toEqual([2, 1, 0])
    expect(openai.billed).toHaveLength(3)
  })

  test('a cut may come before or after the pictures were made', async () => {
    openai.misbehave({ kind: 'cut', after: 'request', billed: false })
    await expect(generate(body)).rejects.toThrow()
    const before = openai.billed.length
    openai.misbehave({ kind: 'cut', after: 'half-body' })
    await expect(generate(body)).rejects.toThrow()

    expect([before, openai.billed.length]).toEqual([0, 3])
  })

  test('errors can lose their wrapping', async () => {
    openai.misbehave({ kind: 'unwrapped-error', status: 400, code: 'x', message: 'y' })

    const { status, body: answer } = await generate(body)

    expect([status, answer]).toEqual([400, { message: 'y', type: 'invalid_request_error', param: null, code: 'x' }])
  })
})

describe('gateways that answer with a task', () => {
  const prompt = 'a boat'
  const get = async (path: string) => {
    const response = await fetch(`${openai.origin}${path}`, { headers: { authorization: `Bearer ${OPENAI_DEMO_KEY}` } })
    const text = await response.text()
    return { status: response.status, text }
  }

  test.each([
    [
      'list',
      /"data":\[\{"status":"submitted","task_id":"(\w+)"/,
      '/v1/tasks/',
      /"processing"/,
      /"completed".*"images":\[\{"url":\["http/,
    ],
    ['object', /"data":\{"task_id":"(\w+)"/, '/v1/images/tasks/', /"IN_PROGRESS"/, /"SUCCESS".*"output":\["http/],
    ['plain', /"id":"(\w+)",.*"queued"/, '/v1/tasks/', /"in_progress"/, /"completed".*"results":\["http/],
    ['location', /\/v1\/jobs\/(\w+)/, '/v1/jobs/', /"Running"/, /"Done","url":\["http/],
  ])('%s', async (dialect, submitted, path, working, done) => {
    const response = await fetch(`${openai.baseUrl}/images/generations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${OPENAI_DEMO_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: `task-image-${dialect}`, prompt }),
    })
    const said = `${await response.text()} ${response.headers.get('location')}`
    const id = submitted.exec(said)?.[1]

    expect(openai.billed).toHaveLength(1)
    expect((await get(`${path}${id}`)).text).toMatch(working)
    expect((await get(`${path}${id}`)).text).toMatch(done)
    expect((await get(`${path}nothing`)).status).toBe(404)
  })
})

test("the service's own client understands it", async () => {
  const client = new OpenAI({ apiKey: OPENAI_DEMO_KEY, baseURL: openai.baseUrl, maxRetries: 0 })

  const made = await client.images.generate({ model: 'gpt-image-1', prompt: 'a boat', quality: 'low' })
  const edited = await client.images.edit({
    model: 'gpt-image-1',
    prompt: 'a hat',
    image: [await toFile(square, 'a.png', { type: 'image/png' }), await toFile(square, 'b.png', { type: 'image/png' })],
  })
  const refusal = client.images.generate({ model: 'dall-e-9', prompt: 'a boat' })

  expect((await inline(made.data![0])).size).toBe('1024x1024')
  expect(edited.data).toHaveLength(1)
  await expect(refusal).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
})
