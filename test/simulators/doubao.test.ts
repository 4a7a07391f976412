import { request as rawRequest } from 'node:http'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type DoubaoSimulator, startDoubaoSimulator } from '../../src/simulators/doubao/doubao.ts'
import { DOUBAO_DEMO_ENDPOINT, DOUBAO_DEMO_KEY, doubaoKeys } from '../../src/simulators/doubao/keys.ts'

const pro = 'doubao-seedream-5-0-pro-260628'
const flash = 'doubao-seedream-5-0-flash-260915'
const lite = 'doubao-seedream-5-0-260128'
const fourFive = 'doubao-seedream-4-5-251128'
const fourZero = 'doubao-seedream-4-0-20260415'
const firstFourZero = 'doubao-seedream-4-0-250828'
const fiveFive = 'doubao-seedream-5-5-261028'

let ark: DoubaoSimulator

beforeAll(async () => {
  // Every family that one of the platforms serves, by one base address.
  ark = await startDoubaoSimulator({ timeScale: 0, plainImages: true, retired: {} })
})
beforeEach(() => ark.reset())
afterAll(() => ark.close())

interface Answer {
  status: number
  headers: Headers
  text: string
  body: {
    model: string
    created: number
    data: {
      url: string
      b64_json: string
      size: string
      output_format: string
      background: string
      z_index: number
      name: string
      bounding_box: { absolute: number[]; normalized: number[] }
      error?: { code: string; message: string }
    }[]
    usage: Record<string, unknown>
    tools: unknown
    error: { code: string; message: string; param: string; type: string }
    code: string
  }
}

async function post(
  body: unknown,
  options: { key?: string; base?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const answer = await fetch(`${options.base ?? ark.baseUrl}/images/generations`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${options.key ?? DOUBAO_DEMO_KEY}`,
      'content-type': 'application/json',
      ...options.headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await answer.text()
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    body: text.startsWith('{') ? JSON.parse(text) : undefined,
  }
}

/** A request that 4.0 takes, of the smallest area, with changes. */
function good(changes: Record<string, unknown> = {}) {
  return {
    model: fourZero,
    prompt: 'a lighthouse',
    size: '960x960',
    response_format: 'url',
    watermark: false,
    ...changes,
  }
}

/** The smallest legal request of each model. */
function smallest(model: string, changes: Record<string, unknown> = {}) {
  const size = model === lite || model === fourFive ? '2560x1440' : '960x960'
  return good({ model, size, ...changes })
}

async function dataUri(width: number, height: number, options: { transparent?: boolean; type?: 'png' | 'jpeg' } = {}) {
  const background = { r: 40, g: 90, b: 160, alpha: options.transparent ? 0 : 1 }
  const picture = sharp({ create: { width, height, channels: options.transparent ? 4 : 3, background } })
  const type = options.type ?? 'png'
  return `data:image/${type};base64,${(await picture.toFormat(type).toBuffer()).toString('base64')}`
}

interface StreamEvent {
  event: string | undefined
  data: { type: string; image_index: number; url: string; error: { code: string }; usage: unknown } | '[DONE]'
}

function eventsOf(text: string): StreamEvent[] {
  const blocks = text.split('\n\n').filter(block => block !== '')
  return blocks.map(block => {
    const data = /^data: (.*)$/m.exec(block)?.[1] ?? ''
    return { event: /^event: (.*)$/m.exec(block)?.[1], data: data.startsWith('{') ? JSON.parse(data) : '[DONE]' }
  })
}

describe('keys', () => {
  test.each([
    ['no header', undefined, 'the API key or AK/SK in the request is missing or invalid.'],
    ['another scheme', 'Basic eDp5', 'the API key or AK/SK in the request is missing or invalid.'],
    ['a bad form', `Bearer ${doubaoKeys.malformed}`, 'The API key format is incorrect.'],
    ['an accidental second Bearer', `Bearer Bearer ${DOUBAO_DEMO_KEY}`, 'The API key format is incorrect.'],
    ['an unknown key', `Bearer ${doubaoKeys.unknown}`, "The API key doesn't exist."],
    ['an unknown old key', 'Bearer 0a1b2c3d-0000-4000-8000-00112233aabb', "The API key doesn't exist."],
    ['a plan key', `Bearer ${doubaoKeys.plan}`, "The API key doesn't exist."],
  ])('answers 401 to %s, for models and generations alike', async (_name, authorization, message) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
    const models = await fetch(`${ark.baseUrl}/models`, { headers })
    const json = { ...headers, 'content-type': 'application/json' }
    const made = await fetch(`${ark.baseUrl}/images/generations`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify(good()),
    })

    expect([models.status, made.status]).toEqual([401, 401])
    for (const answer of [models, made]) {
      const id = answer.headers.get('x-request-id')
      expect(await answer.json()).toEqual({
        error: {
          code: 'AuthenticationError',
          message: `${message} Request id: ${id}`,
          param: '',
          type: 'Unauthorized',
        },
      })
    }
    expect(ark.billed).toEqual([])
  })

  test.each([
    [doubaoKeys.abnormal, 401, 'InvalidAccountStatus'],
    [doubaoKeys.overdue, 403, 'AccountOverdueError'],
    [doubaoKeys.denied, 403, 'AccessDenied'],
    [doubaoKeys.paused, 429, 'SetLimitExceeded'],
    [doubaoKeys.endpointsOnly, 404, 'InvalidEndpointOrModel.ModelIDAccessDisabled'],
  ])('%s is told so before the body is looked at', async (key, status, code) => {
    const answer = await post({ model: fourFive, prompt: 'ping', size: '1x1' }, { key })

    expect(answer).toMatchObject({ status, body: { error: { code } } })
    expect(ark.billed).toEqual([])
  })

  test('a key has activated only some models', async () => {
    const key = doubaoKeys.partlyActivated
    const closed = await post({ model: fourFive, prompt: 'ping', size: '1x1' }, { key })
    const open = await post({ model: fourZero, prompt: 'ping', size: '1x1' }, { key })

    expect(closed.status).toBe(404)
    expect(closed.body.error.code).toBe('ModelNotOpen')
    expect(closed.body.error.message).toContain(
      'Your account 2100000000 has not activated the model doubao-seedream-4-5. Please activate the model service in the Ark Console.',
    )
    expect(open).toMatchObject({ status: 400, body: { error: { code: 'InvalidParameter', param: 'size' } } })
  })

  test('images per minute are limited by account and model, and refused calls are free', async () => {
    const key = doubaoKeys.limited
    const statuses = []
    for (let call = 0; call < 3; call++) statuses.push((await post(good(), { key })).status)
    const probe = await post({ model: fourZero, prompt: 'ping', size: '1x1' }, { key })
    const refused = await post(good(), { key })
    const other = await post(smallest(flash), { key })

    expect(statuses).toEqual([200, 200, 429])
    expect(probe.status).toBe(400)
    expect(refused.body.error).toMatchObject({ code: 'ModelAccountIpmRateLimitExceeded', type: 'TooManyRequests' })
    expect(refused.headers.get('retry-after')).toBeNull()
    expect(other.status).toBe(200)
    expect(ark.billed.map(image => image.model)).toEqual([fourZero, fourZero, flash])
    expect(ark.billed.every(image => image.key === 'limited')).toBe(true)
  })

  test('a test may bring keys of its own, trouble reported after the body included', async () => {
    const own = await startDoubaoSimulator({
      timeScale: 0,
      keys: { mine: { name: 'mine', state: 'overdue', accountCheck: 'after-body' } },
    })
    const probe = await post({ model: fourZero, prompt: 'ping', size: '1x1' }, { base: own.baseUrl, key: 'mine' })
    const real = await post(good(), { base: own.baseUrl, key: 'mine' })
    const stranger = await post(good(), { base: own.baseUrl })
    await own.close()

    expect([probe.status, real.status, stranger.status]).toEqual([400, 403, 401])
    expect(own.requests.map(request => request.keyName)).toEqual(['mine', 'mine', null])
  })

  test('the plan base serves two models, by their own spellings, and no list', async () => {
    const options = { base: ark.planBaseUrl, key: doubaoKeys.plan }
    const made = await post(smallest('doubao-seedream-5.0-pro'), options)
    const dashed = await post(smallest('doubao-seedream-5-0-pro'), options)
    const streamed = await post(
      smallest('doubao-seedream-5-0-lite-260128', { size: '2560x1440', stream: true }),
      options,
    )
    const unsupported = await post(smallest(lite), options)
    const foreign = await post(smallest('doubao-seedream-5.0-pro'), { base: ark.planBaseUrl })
    const list = await fetch(`${ark.planBaseUrl}/models`, { headers: { authorization: `Bearer ${doubaoKeys.plan}` } })

    expect([made.status, made.body.model, dashed.status]).toEqual([200, 'doubao-seedream-5-0-pro', 200])
    expect(streamed.text).toContain('"model":"doubao-seedream-5-0-lite-260128"')
    expect(unsupported).toMatchObject({ status: 404, body: { error: { code: 'UnsupportedModel' } } })
    expect(foreign.status).toBe(401)
    expect(list.status).toBe(404)
    expect(await list.text()).toBe('404 page not found')
  })
})

describe('retirement', () => {
  let china: DoubaoSimulator
  beforeAll(async () => {
    china = await startDoubaoSimulator({ timeScale: 0, plainImages: true })
  })
  beforeEach(() => china.reset())
  afterAll(() => china.close())

  const postTo = (model: string, options: { key?: string } = {}) =>
    post(smallest(model), { base: china.baseUrl, ...options })
  async function statuses(base = china.baseUrl, key: string = DOUBAO_DEMO_KEY) {
    const answer = await fetch(`${base}/models`, { headers: { authorization: `Bearer ${key}` } })
    const { data } = (await answer.json()) as { data: { id: string; domain: string; status: string }[] }
    return Object.fromEntries(data.flatMap(one => (one.domain === 'ImageGeneration' ? [[one.id, one.status]] : [])))
  }

  test.each([fourFive, firstFourZero, lite, 'doubao-seedream-5-0-lite-260128'])(
    '%s is shut down on the China base, for a picture as for a probe',
    async model => {
      const picture = await postTo(model)
      const probe = await post({ model, prompt: 'ping', size: '1x1' }, { base: china.baseUrl })

      for (const answer of [picture, probe]) {
        expect(answer.status).toBe(404)
        expect(answer.body.error).toMatchObject({
          code: 'InvalidEndpointOrModel.NotFound',
          type: 'Not Found',
          param: '',
        })
      }
      expect(china.billed).toEqual([])
    },
  )

  test('the list tells the state of each, and the second spelling of lite is not in it', async () => {
    expect(await statuses()).toEqual({
      [fiveFive]: '',
      [pro]: '',
      [flash]: '',
      [lite]: 'Shutdown',
      [fourFive]: 'Shutdown',
      [firstFourZero]: 'Shutdown',
      [fourZero]: '',
      'doubao-seedream-3-0-t2i-250415': 'Shutdown',
      'doubao-seededit-3-0-i2i-250628': 'Shutdown',
    })
  })

  test('is played while it runs: retiring is over for new keys, shut down for all, and current again', async () => {
    const newcomer = { key: doubaoKeys.newcomer }
    const before = [(await postTo(fourZero)).status, (await postTo(fourZero, newcomer)).status]

    china.retire(fourZero, 'Retiring')
    const retiring = [await postTo(fourZero), await postTo(fourZero, newcomer), await postTo('does-not-exist')]
    const listed = await statuses()
    china.retire(fourZero, 'Shutdown')
    const ended = [(await postTo(fourZero)).status, (await postTo(DOUBAO_DEMO_ENDPOINT)).body.error.code]
    china.retire(fourZero, '')
    const again = (await postTo(fourZero, newcomer)).status

    expect(before).toEqual([200, 200])
    expect(retiring.map(({ status }) => status)).toEqual([200, 404, 404])
    // Word for word the answer to an id that nobody has.
    const [, refused, unknown] = retiring.map(({ body }) => body.error)
    const worded = (error: Answer['body']['error'] | undefined, id: string) => ({
      ...error,
      message: error?.message.replace(id, 'X').replace(/02\w+$/, ''),
    })
    expect(worded(refused, fourZero)).toEqual(worded(unknown, 'does-not-exist'))
    expect(listed[fourZero]).toBe('Retiring')
    expect(ended).toEqual([404, 'InvalidEndpoint.ClosedEndpoint'])
    expect(again).toBe(200)
  })

  test('an account that never activated it cannot once it retires', async () => {
    const key = doubaoKeys.partlyActivated
    const before = await postTo(pro, { key })

    china.retire(pro, 'Retiring')

    expect(before.body.error.code).toBe('ModelNotOpen')
    expect((await postTo(pro, { key })).body.error.code).toBe('InvalidEndpointOrModel.NotFound')
  })

  test('may be that of one key', async () => {
    china.retire(fourFive, '', { keyName: 'limited' })
    china.retire(pro, 'Shutdown', { keyName: 'limited' })

    const limited = { key: doubaoKeys.limited }
    expect([(await postTo(fourFive, limited)).status, (await postTo(pro, limited)).status]).toEqual([200, 404])
    expect([(await postTo(fourFive)).status, (await postTo(pro)).status]).toEqual([404, 200])
  })

  test('on BytePlus everything goes on, under its own ids and with its own keys', async () => {
    const options = { base: china.bytePlusBaseUrl, key: doubaoKeys.byteplus }
    const made: [string, number, string | undefined][] = []
    for (const model of [
      'seedream-5-5-261028',
      'dola-seedream-5-0-pro-260628',
      'seedream-5-0-pro-260628',
      'dola-seedream-5-0-flash-260915',
      'seedream-5-0-260128',
      'seedream-5-0-lite-260128',
      'seedream-4-5-251128',
      'seedream-4-0-250828',
      'seedream-4-0-20260415',
      fourZero,
    ]) {
      const { status, body } = await post(good({ model, size: '2560x1440' }), options)
      made.push([model, status, body.model])
    }
    const searched = await post(
      good({ model: 'seedream-5-0-260128', size: '2K', tools: [{ type: 'web_search' }] }),
      options,
    )

    expect(made).toEqual([
      ['seedream-5-5-261028', 200, 'seedream-5-5-261028'],
      ['dola-seedream-5-0-pro-260628', 200, 'dola-seedream-5-0-pro-260628'],
      ['seedream-5-0-pro-260628', 200, 'dola-seedream-5-0-pro-260628'],
      ['dola-seedream-5-0-flash-260915', 200, 'dola-seedream-5-0-flash-260915'],
      ['seedream-5-0-260128', 200, 'seedream-5-0-260128'],
      ['seedream-5-0-lite-260128', 200, 'seedream-5-0-260128'],
      ['seedream-4-5-251128', 200, 'seedream-4-5-251128'],
      ['seedream-4-0-250828', 200, 'seedream-4-0-250828'],
      ['seedream-4-0-20260415', 200, 'seedream-4-0-20260415'],
      [fourZero, 404, undefined],
    ])
    expect(searched.body.error).toMatchObject({ code: 'InvalidParameter', param: 'tools' })
    expect((await post(good(), { base: china.bytePlusBaseUrl })).status).toBe(401)
    expect((await postTo(pro, { key: doubaoKeys.byteplus })).status).toBe(401)
    expect(await statuses(china.bytePlusBaseUrl, doubaoKeys.byteplus)).toMatchObject({
      'seedream-4-5-251128': '',
      'seedream-3-0-t2i-250415': 'Retiring',
      'seededit-3-0-i2i-250628': 'Shutdown',
    })
  })
})

describe('paths, models and headers', () => {
  test.each(['doubao-seed-2-0-pro-260215', 'doubao-seedance-1-0-pro-250528'])(
    '%s makes no pictures, which the field says',
    async model => {
      const answer = await post(good({ model }))

      expect(answer).toMatchObject({ status: 400, body: { error: { code: 'InvalidParameter', param: 'model' } } })
      expect(answer.body.error.message).toContain('does not support this api')
    },
  )

  test.each([
    'POST images/edits',
    'GET usage',
    'GET foundation_models',
    'GET images/generations',
    'POST images/generations/',
  ])('%s is no action, key or not', async line => {
    const [method, path] = line.split(' ')
    const answer = await fetch(`${ark.baseUrl}/${path}`, { method })

    expect(answer.status).toBe(404)
    const { error } = (await answer.json()) as Answer['body']
    expect(error.code).toBe('InvalidAction')
    expect(error.message).toContain(`The specified action is invalid: /api/v3/${path} Request id: 02`)
  })

  test('lists all modalities, with retired models marked and aliases left out', async () => {
    const answer = await fetch(`${ark.baseUrl}/models`, { headers: { authorization: `Bearer ${DOUBAO_DEMO_KEY}` } })
    const { data } = (await answer.json()) as {
      data: { id: string; domain: string; status: string; owned_by?: string }[]
    }
    const images = data.filter(model => model.domain === 'ImageGeneration')

    expect(images.map(model => model.id)).toEqual(
      expect.arrayContaining([fiveFive, pro, flash, lite, fourFive, firstFourZero, fourZero]),
    )
    expect(images.map(model => model.id)).not.toContain('doubao-seedream-5-0-lite-260128')
    expect(images.find(model => model.id === 'doubao-seedream-3-0-t2i-250415')?.status).toBe('Shutdown')
    expect(data.length).toBeGreaterThan(images.length)
    expect(data.every(model => model.owned_by === undefined)).toBe(true)
  })

  test('the task list proves a key too', async () => {
    const url = `${ark.baseUrl}/contents/generations/tasks?page_num=1&page_size=1`
    const known = await fetch(url, { headers: { authorization: `Bearer ${DOUBAO_DEMO_KEY}` } })
    const unknown = await fetch(url, { headers: { authorization: `Bearer ${doubaoKeys.unknown}` } })

    expect([known.status, unknown.status]).toEqual([200, 401])
  })

  test.each([
    'does-not-exist',
    'doubao-seedream-5-0',
    'doubao-seedream-4-5',
    'doubao-seedream-3-0-t2i-250415',
    'doubao-seededit-3-0-i2i-250628',
    'ep-20260101000000-other',
  ])('%s does not exist', async model => {
    const answer = await post(good({ model }))

    expect(answer).toMatchObject({
      status: 404,
      body: { error: { code: 'InvalidEndpointOrModel.NotFound', type: 'NotFound' } },
    })
    expect(answer.body.error.message).toContain(
      `The model or endpoint ${model} does not exist or you do not have access to it.`,
    )
  })

  test.each([
    [DOUBAO_DEMO_ENDPOINT, fourZero],
    ['doubao-seedream-5-0-lite-260128', lite],
  ])('%s is served and answered as %s', async (model, echo) => {
    const answer = await post(good({ model, size: '2560x1440' }))

    expect(answer).toMatchObject({ status: 200, body: { model: echo } })
  })

  test('echoes the client id, else makes one up, and names the request in every error', async () => {
    const named = await post(good({ size: '1x1' }), { headers: { 'x-client-request-id': 'call_1' } })
    const unnamed = await post(good())

    expect(named.headers.get('x-client-request-id')).toBe('call_1')
    expect(unnamed.headers.get('x-client-request-id')).toMatch(/^unknown-\d{14}-[0-9a-f]{8}$/)
    const id = named.headers.get('x-request-id')
    expect(id).toMatch(/^02\d{13}[0-9a-f]{38}$/)
    expect(named.body.error.message.endsWith(` Request id: ${id}`)).toBe(true)
    expect(named.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(unnamed.text).not.toContain(unnamed.headers.get('x-request-id')!)
  })

  test('compresses only for clients that take it', async () => {
    const compressed = await post(good())
    const plain = await post(good(), { headers: { 'accept-encoding': 'identity' } })

    expect(compressed.headers.get('content-encoding')).toBe('gzip')
    expect(plain.headers.get('content-encoding')).toBeNull()
  })

  test('logs what came, without the key', async () => {
    await post(good(), { headers: { 'x-client-request-id': 'call_2' } })
    await post('{broken')

    const [first, second] = ark.requests
    expect(first).toMatchObject({
      method: 'POST',
      path: '/api/v3/images/generations',
      keyName: 'good',
      body: good(),
      status: 200,
    })
    expect(first?.headers['x-client-request-id']).toBe('call_2')
    expect(JSON.stringify(ark.requests)).not.toContain(DOUBAO_DEMO_KEY)
    expect(second).toMatchObject({ body: '{broken', status: 400 })
  })
})

describe('the body', () => {
  const unsupported: Record<string, Record<string, unknown>> = {
    [fiveFive]: { stream: false, sequential_image_generation: 'disabled', tools: [] },
    [pro]: {
      stream: true,
      sequential_image_generation: 'disabled',
      tools: [{ type: 'web_search' }],
    },
    [flash]: { stream: true, sequential_image_generation: 'auto', tools: [{ type: 'web_search' }] },
    [lite]: { background: 'opaque', layer_decomposition: false },
    [fourFive]: {
      output_format: 'jpeg',
      tools: [],
      background: 'opaque',
      layer_decomposition: true,
    },
    [fourZero]: { output_format: 'png', tools: [], background: 'opaque' },
  }
  test.each(
    Object.entries(unsupported).flatMap(([model, fields]) =>
      Object.entries(fields).map(([name, value]) => ({ model, name, value })),
    ),
  )('$model refuses $name', async ({ model, name, value }) => {
    const answer = await post(smallest(model, { [name]: value }))

    expect(answer.status).toBe(400)
    expect(answer.body.error).toMatchObject({ code: 'InvalidParameter', param: name, type: 'BadRequest' })
    expect(answer.body.error.message).toContain(
      `The parameter \`${name}\` specified in the request is not valid: the parameter \`${name}\` is not supported by the current model. Request id: 02`,
    )
    expect(ark.billed).toEqual([])
  })

  // As the official Python SDK sends them, but for `stream`.
  const unset = Object.fromEntries(
    ['image', 'output_format', 'seed', 'guidance_scale', 'sequential_image_generation', 'tools', 'background'].map(
      name => [name, null],
    ),
  )
  test.each([fiveFive, pro, flash, lite, fourFive, fourZero])('%s takes nulls, a seed and a guidance', async model => {
    const nulls = await post(smallest(model, { ...unset, layer_decomposition: null }))
    const guided = await post(smallest(model, { seed: 5, guidance_scale: 2.5 }))

    expect([nulls.status, guided.status]).toEqual([200, 200])
    expect((await post(smallest(model, { stream: null }))).body.error.param).toBe('stream')
  })

  test('ignores unknown fields, and bills', async () => {
    const answer = await post(good({ n: 4, quality: 'high', user: 'x', negative_prompt: 'rain', output_format: null }))

    expect(answer.status).toBe(200)
    expect(answer.body.data).toHaveLength(1)
    expect(ark.billed).toHaveLength(1)
  })

  const sizes: [string, string, string][] = [
    [pro, '1x1', 'image size must be at least 921600 pixels.'],
    [fourZero, '959x960', 'image size must be at least 921600 pixels.'],
    [lite, '1024x1024', 'image size must be at least 3686400 pixels.'],
    [fourFive, '2559x1440', 'image size must be at least 3686400 pixels.'],
    [flash, '2151x2151', 'image size must be at most 4624220 pixels.'],
    [fourFive, '4097x4096', 'image size must be at most 16777216 pixels.'],
    [fourZero, '16000x999', 'image aspect ratio must be between 1/16 and 16.'],
    [fourFive, '1K', `the specified size is not supported for model ${fourFive}.`],
    [lite, '1.5K', "size must be one of 'WIDTHxHEIGHT', '2k', '3k', or '4k'."],
    [pro, '4K', `the specified size is not supported for model ${pro}.`],
    [fourZero, '2048*2048', `the specified size is not supported for model ${fourZero}.`],
    [fourFive, 'adaptive', `the specified size is not supported for model ${fourFive}.`],
    [pro, 'auto', `the specified size is not supported for model ${pro}.`],
  ]
  test.each(sizes)('%s refuses the size %s', async (model, size, message) => {
    const answer = await post(good({ model, size }))

    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'InvalidParameter', param: 'size' } } })
    expect(answer.body.error.message).toContain(
      `The parameter \`size\` specified in the request is not valid: ${message}`,
    )
  })

  const accepted: [string, string][] = [
    [fourFive, '2560x1440'],
    [lite, '3K'],
    [lite, '3k'],
    [fourZero, '4k'],
    [pro, '1.5k'],
    [lite, '4096x4096'],
    [fourZero, '1K'],
    [fourZero, '3840x240'],
    [pro, '1.5K'],
    [flash, '2150x2150'],
    [fiveFive, '2K'],
  ]
  test.each(accepted)('%s takes the size %s', async (model, size) => {
    const answer = await post(good({ model, size }))

    expect(answer.status).toBe(200)
    if (size.includes('x')) expect(answer.body.data[0]?.size).toBe(size)
  })

  test('a tier gives sizes of the model, off the table now and then', async () => {
    const seen = new Set<string>()
    for (let prompt = 0; prompt < 40; prompt++) {
      const answer = await post(good({ model: lite, size: '2K', prompt: `picture ${prompt}` }))
      seen.add(answer.body.data[0]!.size)
    }

    expect([...seen].some(size => size === '2720x1536' || size === '1760x2368')).toBe(true)
    expect([...seen].some(size => size === '2048x2048' || size === '2848x1600' || size === '2304x1728')).toBe(true)
  })

  const refused: [string, Record<string, unknown>, string, string][] = [
    ['no prompt', { prompt: undefined }, 'prompt', 'missing one or multiple required parameters'],
    ['an empty prompt', { prompt: '' }, 'prompt', 'missing one or multiple required parameters'],
    ['another answer form', { response_format: 'b64' }, 'response_format', 'must be one of: url, b64_json'],
    ['a watermark as text', { watermark: 'false' }, 'watermark', 'must be a boolean'],
    ['jpg', { model: flash, output_format: 'jpg' }, 'output_format', 'must be one of: jpeg, png'],
    [
      'fast on lite',
      { model: lite, size: '2K', optimize_prompt_options: { mode: 'fast' } },
      'optimize_prompt_options.mode',
      "optimize_prompt_options.mode must be 'standard'",
    ],
    [
      '16 images',
      { sequential_image_generation: 'auto', sequential_image_generation_options: { max_images: 16 } },
      'sequential_image_generation_options.max_images',
      'between 1 and 15',
    ],
    [
      'group options without a group',
      { sequential_image_generation_options: { max_images: 2 } },
      'sequential_image_generation_options',
      "only valid when sequential_image_generation is 'auto'",
    ],
    ['an unknown tool', { model: lite, size: '2K', tools: [{ type: 'code' }] }, 'tools', 'web_search'],
    ['a broken seed', { model: flash, seed: 1.5 }, 'seed', 'must be an integer'],
  ]
  test.each(refused)('refuses %s', async (_name, changes, param, message) => {
    const answer = await post(good(changes))

    expect(answer).toMatchObject({ status: 400, body: { error: { param, type: 'BadRequest' } } })
    expect(answer.body.error.message).toContain(message)
    expect(ark.billed).toEqual([])
  })

  test('complains about one thing only: lite about the size first, pro about the background', async () => {
    const onLite = await post(good({ model: lite, size: '1x1', background: 'transparent' }))
    const onPro = await post(good({ model: pro, size: '1x1', background: 'transparent' }))

    expect(onLite.body.error.param).toBe('size')
    expect(onPro.body.error.param).toBe('background')
  })

  test('refuses what is no JSON, or does not say so', async () => {
    const broken = await post('{"model":')
    const untyped = await post(good(), { headers: { 'content-type': 'text/plain' } })
    const modelless = await post(good({ model: undefined }))

    expect([broken.status, untyped.status, modelless.status]).toEqual([400, 400, 400])
    expect(modelless.body.error).toMatchObject({ code: 'MissingParameter', param: 'model' })
  })
})

describe('references', () => {
  test('counts all of them', async () => {
    const one = await dataUri(20, 20)
    const many = (count: number) => Array.from({ length: count }, () => one)
    const onPro = await post(smallest(pro, { image: many(11) }))
    const onLite = await post(smallest(lite, { image: many(15) }))
    const most = await post(smallest(pro, { image: many(10) }))
    const group = await post(
      good({
        image: many(3),
        sequential_image_generation: 'auto',
        sequential_image_generation_options: { max_images: 13 },
      }),
    )

    expect(onPro.body.error).toMatchObject({ param: 'image' })
    expect(onPro.body.error.message).toContain('number of reference images cannot exceed 10')
    expect(onLite.body.error.message).toContain('number of reference images cannot exceed 14')
    expect(most).toMatchObject({ status: 200, body: { usage: { input_images: 10 } } })
    expect(group.body.error.message).toContain('cannot exceed 15')
  })

  test('a string and a list of one are the same, and a tier follows the form of the reference', async () => {
    const image = await dataUri(32, 18)
    const single = await post(good({ size: '2K', image }))
    const listed = await post(good({ size: '2K', image: [image] }))

    expect(single.body.data[0]?.size).toBe('2848x1600')
    expect(listed.body.data[0]?.size).toBe(single.body.data[0]?.size)
  })

  test.each<[string, () => Promise<string> | string, string, string]>([
    ['an empty URL', () => '', 'InvalidImageURL.EmptyURL', 'empty'],
    ['bare base64', () => 'iVBORw0KGgo=', 'InvalidImageURL.InvalidFormat', 'data uri'],
    [
      'an upper case type',
      async () => (await dataUri(20, 20)).replace('image/png', 'image/PNG'),
      'InvalidParameter',
      'Invalid base64 image_url',
    ],
    ['broken base64', () => 'data:image/png;base64,***', 'InvalidParameter', 'Invalid base64 image_url'],
    [
      'jpg as a type',
      async () => (await dataUri(20, 20, { type: 'jpeg' })).replace('image/jpeg', 'image/jpg'),
      'InvalidParameter.UnsupportedImageFormat',
      'format',
    ],
    [
      'heic on 4.0',
      async () => (await dataUri(20, 20)).replace('image/png', 'image/heic'),
      'InvalidParameter.UnsupportedImageFormat',
      'format',
    ],
    [
      'bytes that are no picture',
      () => 'data:image/png;base64,AAAAAAAAAAAAAAAA',
      'InvalidParameter.UnsupportedImageFormat',
      'format',
    ],
    [
      'one pixel',
      () => dataUri(1, 1),
      'InvalidParameter',
      'expected the width to be at least 14px, but received a 1x1px image instead',
    ],
    ['a low picture', () => dataUri(20, 14), 'InvalidParameter', 'expected the height to be at least 14px'],
    ['a long picture', () => dataUri(400, 20), 'InvalidParameter', 'aspect ratio'],
    ['a large picture', () => dataUri(6001, 6000, { type: 'jpeg' }), 'InvalidParameter', 'at most 36000000px'],
    [
      'more than 10 MB on 4.0',
      () => `data:image/png;base64,${Buffer.alloc(10 * 2 ** 20 + 3).toString('base64')}`,
      'InvalidParameter.OversizedImage',
      'larger than 10 MB',
    ],
    [
      'an unreachable URL',
      () => 'http://192.168.1.5/cat.png',
      'InvalidParameter',
      'Timeout while downloading url=http://192.168.1.5/cat.png',
    ],
  ])('refuses %s', async (_name, image, code, message) => {
    const answer = await post(good({ image: await image() }))

    expect(answer).toMatchObject({ status: 400, body: { error: { code, param: 'image' } } })
    expect(answer.body.error.message).toContain(message)
    expect(ark.billed).toEqual([])
  })

  test('fetches URLs, its own result URLs among them', async () => {
    const first = await post(good())
    const second = await post(good({ image: first.body.data[0]!.url }))
    ark.expireUrls()
    const third = await post(good({ image: first.body.data[0]!.url }))

    expect(second.status).toBe(200)
    expect(third.status).toBe(400)
    expect(third.body.error.message).toContain('Error while downloading: ')
  })

  test('a reference is seen in the picture', async () => {
    const request = smallest(flash, { seed: 5, response_format: 'b64_json', output_format: 'png' })
    const plain = await post(request)
    const edited = await post({ ...request, image: await dataUri(60, 60) })
    const distance = await difference(plain.body.data[0]!.b64_json, edited.body.data[0]!.b64_json)

    expect(distance.left).toBeGreaterThan(3)
  })

  test('a transparent background wants one PNG with transparent pixels, and PNG back', async () => {
    const request = smallest(pro, { background: 'transparent', output_format: 'png' })
    const opaque = await dataUri(40, 40)
    const transparent = await dataUri(40, 40, { transparent: true })
    const none = await post(request)
    const two = await post({ ...request, image: [transparent, transparent] })
    const jpeg = await post({ ...request, image: transparent, output_format: 'jpeg' })
    const unsaid = await post({ ...request, image: transparent, output_format: undefined })
    const solid = await post({ ...request, image: opaque })
    const right = await post({ ...request, image: transparent, response_format: 'b64_json' })

    for (const answer of [none, two]) {
      expect(answer.body.error.param).toBe('background')
      expect(answer.body.error.message).toContain('transparent background requires exactly one input image')
    }
    for (const answer of [jpeg, unsaid]) {
      expect(answer.body.error.param).toBe('output_format')
      expect(answer.body.error.message).toContain('must be png when background is transparent')
    }
    expect(solid.body.error.param).toBe('image')
    expect(solid.body.error.message).toContain(
      'transparent background requires a PNG input with at least one transparent pixel',
    )
    const stats = await sharp(Buffer.from(right.body.data[0]!.b64_json, 'base64')).stats()
    expect(stats.isOpaque).toBe(false)
    expect(ark.billed).toHaveLength(1)
  })

  test('5.5 makes transparent pictures from text, and says so', async () => {
    const made = await post(smallest(fiveFive, { background: 'transparent' }))
    const jpeg = await post(smallest(fiveFive, { background: 'transparent', output_format: 'jpeg' }))
    const auto = await post(smallest(pro, { background: 'auto', image: await dataUri(20, 20) }))

    expect(made.body.data[0]).toMatchObject({ background: 'transparent', output_format: 'png' })
    expect(jpeg.body.error.param).toBe('output_format')
    expect(auto.body.error.message).toContain('must be one of: opaque, transparent')
  })
})

describe('pictures', () => {
  test('are of the exact size and type, billed with tokens by area', async () => {
    const answer = await post(good({ size: '1152x864' }))
    const [item] = answer.body.data
    const file = await fetch(item!.url)
    const picture = await sharp(Buffer.from(await file.arrayBuffer())).metadata()

    expect(item!.url).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/.*_0\.jpeg\?X-Tos-Algorithm=TOS4-HMAC-SHA256&X-Tos-Credential=\S+%2F/,
    )
    expect(file.headers.get('content-type')).toBe('image/jpeg')
    expect(picture).toMatchObject({ format: 'jpeg', width: 1152, height: 864 })
    expect(answer.body.usage).toEqual({ generated_images: 1, output_tokens: 3888, total_tokens: 3888 })
    expect(Object.keys(item!)).toEqual(['url', 'size'])
    expect(ark.billed).toMatchObject([
      {
        requestId: answer.headers.get('x-request-id'),
        model: fourZero,
        key: 'good',
        prompt: 'a lighthouse',
        index: 0,
        width: 1152,
        height: 864,
      },
    ])
  })

  test.each([
    [fiveFive, 'png', 'png'],
    [pro, 'jpeg', 'jpeg'],
    [lite, 'jpeg', undefined],
  ])('%s makes %s when nothing is said', async (model, format, echoed) => {
    const answer = await post(smallest(model, { response_format: 'b64_json' }))
    const [item] = answer.body.data

    expect((await sharp(Buffer.from(item!.b64_json, 'base64')).metadata()).format).toBe(format)
    expect(item!.output_format).toBe(echoed)
  })

  test('differ from request to request, unless flash is given the same seed', async () => {
    const request = (seed?: number) => smallest(flash, { response_format: 'b64_json', seed })
    const [first, second, seeded, again, other] = await Promise.all(
      [1, 1, 7, 7, 8].map((seed, at) => post(request(at < 2 ? undefined : seed))),
    )
    const bytes = (answer?: Answer) => answer!.body.data[0]!.b64_json

    expect(bytes(first)).not.toBe(bytes(second))
    expect(bytes(seeded)).toBe(bytes(again))
    expect(bytes(seeded)).not.toBe(bytes(other))
  })

  test('carry a mark at the bottom right unless told otherwise', async () => {
    const request = smallest(flash, { seed: 3, response_format: 'b64_json', output_format: 'png' })
    const clean = await post(request)
    const marked = await post({ ...request, watermark: undefined })
    const distance = await difference(clean.body.data[0]!.b64_json, marked.body.data[0]!.b64_json)

    expect(distance.bottomRight).toBeGreaterThan(10)
    expect(distance.top).toBeLessThan(0.1)
  })

  test('usage names inputs for pro, searches for lite, nothing else', async () => {
    const onPro = await post(smallest(pro))
    const tools = [{ type: 'web_search' }]
    const onLite = await post(smallest(lite, { tools, prompt: 'the weather today' }))

    expect(onPro.body.usage).toEqual({ input_images: 0, generated_images: 1, output_tokens: 3600, total_tokens: 3600 })
    expect(onLite.body).toMatchObject({ tools, usage: { tool_usage: { web_search: 1 } } })
  })

  test('layers: a base and transparent parts of it, counted by the area of the base', async () => {
    const image = await dataUri(912, 1168)
    const answer = await post({
      model: pro,
      image,
      prompt: '3 images',
      layer_decomposition: true,
      response_format: 'b64_json',
    })
    const [base, layer] = answer.body.data
    const picture = sharp(Buffer.from(layer!.b64_json, 'base64'))

    expect(answer.body.data.map(item => item.z_index)).toEqual([0, 1, 2, 3])
    expect(base).toMatchObject({ size: '912x1168', output_format: 'jpeg' })
    expect(answer.body.usage).toEqual({
      input_images: 1,
      generated_images: 4,
      output_tokens: 16644,
      total_tokens: 16644,
    })
    const [left, top, right, bottom] = layer!.bounding_box.absolute
    expect(layer!.size).toBe(`${right! - left!}x${bottom! - top!}`)
    expect((await picture.stats()).isOpaque).toBe(false)
    expect(layer!.output_format).toBe('png')
    // Its own size is not its place.
    const third = answer.body.data[3]!
    const box = third.bounding_box.absolute
    expect(Number(third.size.split('x')[0])).toBe(Math.round((box[2]! - box[0]!) * 1.25))
    expect(ark.billed).toHaveLength(4)
  })

  test('layers want exactly one input, no background and no pixel size', async () => {
    const image = await dataUri(600, 600)
    const request = { model: pro, image, layer_decomposition: true }
    const none = await post({ ...request, image: undefined })
    const two = await post({ ...request, image: [image, image] })
    const small = await post({ ...request, image: await dataUri(500, 500) })
    const background = await post({ ...request, background: 'transparent', output_format: 'png' })
    const pixels = await post({ ...request, size: '1024x1024' })

    expect([none, two, small, background, pixels].map(answer => answer.body.error.param)).toEqual([
      'image',
      'image',
      'image',
      'background',
      'size',
    ])
  })
})

describe('groups', () => {
  const group = (max_images: number | undefined, changes: Record<string, unknown> = {}) =>
    good({
      sequential_image_generation: 'auto',
      ...(max_images === undefined ? {} : { sequential_image_generation_options: { max_images } }),
      ...changes,
    })

  test.each([
    ['3 images of a cat', 15, 3],
    ['三张猫的图', 15, 3],
    ['8 images of a cat', 2, 2],
    ['a cat', 5, 5],
    ['十二张猫的图', 15, 12],
    ['fifteen pictures of a cat', 15, 15],
    ['8 images of a cat', undefined, 8],
    ['a cat', undefined, 4],
  ])('"%s" with at most %s makes %i', async (prompt, most, count) => {
    const answer = await post(group(most, { prompt }))

    expect(answer.body.data).toHaveLength(count)
    expect(answer.body.usage.generated_images).toBe(count)
    expect(ark.billed.map(image => image.index)).toEqual(Array.from({ length: count }, (_, index) => index))
  })

  test('one refused picture is an item, not billed', async () => {
    ark.misbehave({ kind: 'partial', failIndexes: [1] })
    const answer = await post(group(3))

    expect(answer.status).toBe(200)
    expect(answer.body.data.map(item => item.error?.code ?? 'picture')).toEqual([
      'picture',
      'OutputImageSensitiveContentDetected',
      'picture',
    ])
    expect(Object.keys(answer.body.data[1]!)).toEqual(['error'])
    expect(answer.body.usage).toMatchObject({ generated_images: 2, output_tokens: 7200 })
    expect(ark.billed.map(image => image.index)).toEqual([0, 2])
  })

  test('an inner failure ends the group early', async () => {
    ark.misbehave({ kind: 'stops', atIndex: 1 })
    const answer = await post(group(4))

    expect(answer.body.data).toHaveLength(2)
    expect(answer.body.data[1]?.error?.code).toBe('InternalServiceError')
    expect(ark.billed).toHaveLength(1)
  })

  test('may hold fewer than asked', async () => {
    ark.misbehave({ kind: 'fewer', count: 2 })

    expect((await post(group(4))).body.data).toHaveLength(2)
  })

  test('nothing at all comes in three forms, none billed', async () => {
    for (const form of ['status', 'top-level', 'items', 'empty'] as const) ark.misbehave({ kind: 'all-refused', form })
    const [status, topLevel, items, empty] = [
      await post(group(2)),
      await post(group(2)),
      await post(group(2)),
      await post(group(2)),
    ]

    expect(status).toMatchObject({ status: 400, body: { error: { code: 'OutputImageSensitiveContentDetected' } } })
    expect(topLevel).toMatchObject({ status: 200, body: { error: { code: 'OutputImageSensitiveContentDetected' } } })
    expect(topLevel.body.data).toBeUndefined()
    expect(items.body.data.every(item => item.error !== undefined)).toBe(true)
    expect(empty.body.data).toEqual([])
    expect(ark.billed).toEqual([])
  })
})

describe('streams', () => {
  const stream = (max_images: number, changes: Record<string, unknown> = {}) =>
    good({
      stream: true,
      sequential_image_generation: 'auto',
      sequential_image_generation_options: { max_images },
      ...changes,
    })

  test('one event a finished picture, then the usage and the end', async () => {
    ark.misbehave({ kind: 'partial', failIndexes: [1] })
    const answer = await post(stream(3))
    const events = eventsOf(answer.text)

    expect(answer.headers.get('content-type')).toContain('text/event-stream')
    expect(events.map(({ event }) => event?.replace('image_generation.', ''))).toEqual([
      'partial_succeeded',
      'partial_failed',
      'partial_succeeded',
      'completed',
      undefined,
    ])
    expect(events.slice(0, 4).every(({ event, data }) => data !== '[DONE]' && data.type === event)).toBe(true)
    expect(events.slice(0, 3).map(({ data }) => data !== '[DONE]' && data.image_index)).toEqual([0, 1, 2])
    expect(events[3]?.data).toMatchObject({ usage: { generated_images: 2, output_tokens: 7200, total_tokens: 7200 } })
    expect(events[4]?.data).toBe('[DONE]')
    expect(ark.billed.map(image => image.index)).toEqual([0, 2])
  })

  test('complaints come as plain JSON', async () => {
    const answer = await post(stream(2, { size: '1x1' }))

    expect(answer.status).toBe(400)
    expect(answer.headers.get('content-type')).toContain('application/json')
  })

  test('headers wait for the first picture', async () => {
    const slow = await startDoubaoSimulator({ timeScale: 0.03 })
    const began = Date.now()
    const answer = await fetch(`${slow.baseUrl}/images/generations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${DOUBAO_DEMO_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(stream(2)),
    })
    const headersAfter = Date.now() - began
    await answer.text()
    const allAfter = Date.now() - began
    await slow.close()

    // 8 s for the first picture of 4.0, 10 s for the second.
    expect(headersAfter).toBeGreaterThanOrEqual(235)
    expect(allAfter - headersAfter).toBeGreaterThanOrEqual(200)
  })

  test('may end without its last event, or with an error, or after a first failure', async () => {
    ark.misbehave({ kind: 'stream', how: 'no-completed' })
    ark.misbehave({ kind: 'stream', how: 'error-event' })
    ark.misbehave({ kind: 'stream', how: 'partial-failed-first' })
    const unended = eventsOf((await post(stream(2))).text)
    const failed = eventsOf((await post(stream(2))).text)
    const first = eventsOf((await post(stream(2))).text)

    expect(unended.map(({ event }) => event)).toEqual([
      'image_generation.partial_succeeded',
      'image_generation.partial_succeeded',
    ])
    expect(failed[1]).toMatchObject({ event: 'error', data: { error: { code: 'InternalServiceError' } } })
    expect(failed).toHaveLength(2)
    expect(first.map(({ event }) => event)).toEqual(['image_generation.partial_failed'])
    expect(ark.billed).toHaveLength(3)
  })

  test('may be split inside characters', async () => {
    ark.misbehave({ kind: 'stream', how: 'split-chunks' })
    const pieces: Buffer[] = []
    await new Promise<void>((resolve, reject) => {
      const request = rawRequest(`${ark.baseUrl}/images/generations`, {
        method: 'POST',
        headers: { authorization: `Bearer ${DOUBAO_DEMO_KEY}`, 'content-type': 'application/json' },
      })
      request.on('response', response => response.on('data', piece => pieces.push(piece)).on('end', resolve))
      request.on('error', reject)
      request.end(JSON.stringify(stream(1)))
    })

    expect(pieces.length).toBeGreaterThan(20)
    const events = eventsOf(Buffer.concat(pieces).toString())
    expect(events).toHaveLength(4)
    expect(events[1]?.data).toMatchObject({ message: '图片正在生成,请稍候' })
    expect(pieces.some(piece => (piece[0]! & 0b1100_0000) === 0b1000_0000)).toBe(true)
  })

  test('a cut after one event leaves the service at work', async () => {
    ark.misbehave({ kind: 'cut', after: 'n-events', n: 1 })
    const cut = await readUntilCut(stream(3))

    expect(eventsOf(cut.text)).toHaveLength(1)
    expect(cut.ended).toBe(false)
    expect(ark.billed).toHaveLength(3)
  })
})

describe('faults', () => {
  test.each([
    [429, 'ModelAccountIpmRateLimitExceeded'],
    [500, 'InternalServiceError'],
  ])('%i with the words of the service', async (status, code) => {
    ark.misbehave({ kind: 'status', status }, { times: 2 })

    expect(await post(good())).toMatchObject({ status, body: { error: { code } } })
    expect((await post(good())).status).toBe(status)
    expect((await post(good())).status).toBe(200)
    expect(ark.billed).toHaveLength(1)
  })

  test('a proxy answers HTML; the words may be given; the error may be bare', async () => {
    ark.misbehave({ kind: 'status', status: 504, billed: true })
    ark.misbehave({
      kind: 'status',
      status: 429,
      body: { error: { code: 'QuotaExceeded', message: 'x' } },
      headers: { 'retry-after': '3' },
    })
    ark.misbehave({ kind: 'unwrapped-error' })
    ark.misbehave({ kind: 'garbage', body: '' })
    const html = await post(good())
    const given = await post(good())
    const bare = await post(good())
    const garbage = await post(good())

    expect(html.text).toMatch(/^<html>/)
    expect(html.headers.get('content-type')).toBe('text/html')
    expect(given.headers.get('retry-after')).toBe('3')
    expect(given.body.error.code).toBe('QuotaExceeded')
    expect(bare).toMatchObject({ status: 400, body: { code: 'InvalidParameter', param: '', type: 'BadRequest' } })
    expect(garbage).toMatchObject({ status: 200, text: '' })
    expect(ark.billed).toHaveLength(1)
  })

  test.each([
    ['request', true, null, 0],
    ['request', false, null, 0],
    ['headers', true, 200, 0],
    ['half-body', true, 200, 1],
    ['half-body', false, 200, 1],
  ] as const)('a cut after %s, billed: %s', async (after, billed, status, hasBytes) => {
    ark.misbehave({ kind: 'cut', after, billed })
    const cut = await readUntilCut(good())

    expect(cut.ended).toBe(false)
    expect(cut.status).toBe(status)
    expect(Math.min(1, cut.text.length)).toBe(hasBytes)
    expect(ark.billed).toHaveLength(billed ? 1 : 0)
    expect(ark.requests[0]?.status).toBe(status)
  })

  test('a client that hangs up is billed all the same', async () => {
    ark.misbehave({ kind: 'slow', ms: 150 })
    await hangUp(good())
    await expect.poll(() => ark.billed.length).toBe(1)
  })

  test('a hanging request never answers, billed or not', async () => {
    ark.misbehave({ kind: 'hang' })
    ark.misbehave({ kind: 'hang', billed: true })
    await hangUp(good())
    expect(ark.billed).toHaveLength(0)
    await hangUp(good())
    await expect.poll(() => ark.billed).toHaveLength(1)
    expect(ark.requests.map(request => request.status)).toEqual([null, null])
  })

  test('faults choose their requests', async () => {
    ark.misbehave(
      { kind: 'status', status: 500 },
      { match: request => (request.body as { prompt: string }).prompt === 'b' },
    )
    ark.misbehave({ kind: 'status', status: 503 }, { target: 'other' })
    const list = await fetch(`${ark.baseUrl}/models`, { headers: { authorization: `Bearer ${DOUBAO_DEMO_KEY}` } })

    expect((await post(good({ prompt: 'a' }))).status).toBe(200)
    expect((await post(good({ prompt: 'b' }))).status).toBe(500)
    expect(list.status).toBe(503)
  })

  test.each([
    ['[[input-blocked]]', 400, 'InputTextSensitiveContentDetected'],
    ['[[image-blocked]]', 400, 'InputImageSensitiveContentDetected.PrivacyInformation'],
    ['[[output-blocked]]', 400, 'OutputImageSensitiveContentDetected'],
    ['[[429]]', 429, 'ModelAccountIpmRateLimitExceeded'],
    ['[[500]]', 500, 'InternalServiceError'],
  ])('the prompt may ask for it: %s', async (words, status, code) => {
    const answer = await post(good({ prompt: `a hill ${words}` }))

    expect(answer).toMatchObject({ status, body: { error: { code } } })
    expect(ark.billed).toEqual([])
  })

  test('the prompt may ask for a slow answer and for a partial group', async () => {
    const began = Date.now()
    const slow = await post(good({ prompt: 'a hill [[slow:0.2]]' }))
    const partial = await post(good({ prompt: 'a hill [[partial:0]]', sequential_image_generation: 'auto' }))

    expect(slow.status).toBe(200)
    expect(Date.now() - began).toBeGreaterThanOrEqual(195)
    expect(partial.body.data[0]?.error).toBeDefined()
    expect(partial.body.data.length).toBeGreaterThan(1)
  })

  test('a bad body is refused before a trigger is read', async () => {
    expect((await post(good({ prompt: '[[500]]', size: '1x1' }))).status).toBe(400)
  })
})

describe('result URLs', () => {
  async function made(): Promise<string> {
    return (await post(good())).body.data[0]!.url
  }

  test('are good letter for letter, for GET, without a key, in one range or whole', async () => {
    const url = await made()
    const whole = await fetch(url)
    const bytes = Buffer.from(await whole.arrayBuffer())
    const part = await fetch(url, { headers: { range: 'bytes=100-199' } })
    const statuses = await Promise.all([
      fetch(url, { method: 'HEAD' }),
      fetch(url, { headers: { authorization: `Bearer ${DOUBAO_DEMO_KEY}` } }),
      fetch(url.replaceAll('%2F', '/')),
      fetch(url.replaceAll('&', '&amp;')),
      fetch(`${url}&x=1`),
      fetch(url.slice(0, url.indexOf('?'))),
    ]).then(answers => answers.map(answer => answer.status))

    expect(Number(whole.headers.get('content-length'))).toBe(bytes.length)
    expect(part.status).toBe(206)
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(100, 200))).toBe(true)
    expect(statuses).toEqual([403, 403, 403, 403, 403, 403])
    expect((await fetch(url.replace('_0.jpeg', '_1.jpeg'))).status).toBe(404)
  })

  test('die, by order or by the clock', async () => {
    const url = await made()
    ark.expireUrls()
    const dead = await fetch(url)
    const brief = await startDoubaoSimulator({ timeScale: 0, urlLifetimeSeconds: 0 })
    const briefUrl = (await post(good(), { base: brief.baseUrl })).body.data[0]!.url
    const late = await fetch(briefUrl)
    await brief.close()

    expect(briefUrl).toContain('X-Tos-Expires=0')
    expect([dead.status, late.status]).toEqual([403, 403])
    expect(await dead.json()).toMatchObject({ Code: 'AccessDenied', Message: 'Request has expired.' })
  })

  test('downloads may fail, and the next try is good', async () => {
    const url = await made()
    const failures = ['404', '403', '500', 'not-a-picture', 'other-type'] as const
    for (const how of failures) ark.misbehave({ kind: 'download', how })
    const answers = []
    for (const _how of failures) {
      const answer = await fetch(url)
      answers.push({
        status: answer.status,
        type: answer.headers.get('content-type'),
        bytes: Buffer.from(await answer.arrayBuffer()),
      })
    }

    expect(answers.map(answer => answer.status)).toEqual([404, 403, 500, 200, 200])
    expect(answers[3]?.bytes.toString()).toContain('<html>')
    expect(answers[4]?.type).toBe('image/jpeg')
    expect((await sharp(answers[4]!.bytes).metadata()).format).toBe('png')
    expect((await fetch(url)).status).toBe(200)
  })

  test('downloads may be cut, slow or without end', async () => {
    const url = await made()
    const whole = (await (await fetch(url)).arrayBuffer()).byteLength
    ark.misbehave({ kind: 'download', how: 'cut' })
    ark.misbehave({ kind: 'download', how: 'slow', ms: 200 })
    ark.misbehave({ kind: 'download', how: 'huge' })
    await expect(fetch(url).then(answer => answer.arrayBuffer())).rejects.toThrow()
    const began = Date.now()
    const slow = await (await fetch(url)).arrayBuffer()
    const took = Date.now() - began
    const huge = await fetch(url)
    let read = 0
    for await (const piece of huge.body!) {
      read += piece.length
      if (read > 8 * 2 ** 20) break
    }

    expect(slow.byteLength).toBe(whole)
    expect(took).toBeGreaterThanOrEqual(180)
    expect(huge.headers.get('content-length')).toBeNull()
    expect(read).toBeGreaterThan(8 * 2 ** 20)
  })
})

/** Sends a request, and gives up as soon as the service knows of it and has not answered. */
async function hangUp(body: object): Promise<void> {
  const before = ark.requests.length
  const client = new AbortController()
  const answer = fetch(`${ark.baseUrl}/images/generations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${DOUBAO_DEMO_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: client.signal,
  })
  await expect.poll(() => ark.requests[before]?.body).toBeTruthy()
  client.abort()
  await expect(answer).rejects.toThrow()
}

/** What reaches a client whose connection is cut: `ended` is whether the answer came to a proper end. */
function readUntilCut(body: object): Promise<{ status: number | null; text: string; ended: boolean }> {
  return new Promise(resolve => {
    const request = rawRequest(`${ark.baseUrl}/images/generations`, {
      method: 'POST',
      agent: false,
      headers: { authorization: `Bearer ${DOUBAO_DEMO_KEY}`, 'content-type': 'application/json' },
    })
    request.on('error', () => resolve({ status: null, text: '', ended: false }))
    request.on('response', response => {
      let text = ''
      response.on('data', piece => {
        text += piece
      })
      response.on('error', () => {})
      response.on('close', () => resolve({ status: response.statusCode ?? null, text, ended: response.complete }))
    })
    request.end(JSON.stringify(body))
  })
}

/** Mean difference of two pictures of one size, 0 … 255, in three regions. */
async function difference(first: string, second: string): Promise<{ bottomRight: number; left: number; top: number }> {
  const side = 100
  const region = (left: number, top: number) =>
    Promise.all(
      [first, second].map(text => {
        const picture = sharp(Buffer.from(text, 'base64')).removeAlpha()
        return picture.extract({ left, top, width: side, height: side }).raw().toBuffer()
      }),
    ).then(([one, other]) => one!.reduce((sum, value, at) => sum + Math.abs(value - other![at]!), 0) / one!.length)
  const { width, height } = await sharp(Buffer.from(first, 'base64')).metadata()
  return {
    bottomRight: await region(width - 150, height - side),
    left: await region(90, height - 280),
    top: await region(Math.floor(width / 2), 0),
  }
}
