import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  QWEN_ARREARS_KEY,
  QWEN_DEMO_KEY,
  QWEN_FREE_TIER_KEY,
  QWEN_INVALID_KEY,
  QWEN_UNPURCHASED_KEY,
  QWEN_WRONG_REGION_KEY,
} from '../../src/simulators/qwen/keys.ts'
import { type QwenSimulator, type QwenSimulatorOptions, startQwenSimulator } from '../../src/simulators/qwen/qwen.ts'
import { maxWaitMs } from '../support/patience.ts'

const paths = {
  MM: '/services/aigc/multimodal-generation/generation',
  IG: '/services/aigc/image-generation/generation',
  T2I: '/services/aigc/text2image/image-synthesis',
  I2I: '/services/aigc/image2image/image-synthesis',
}
type Route = keyof typeof paths

interface CallOptions {
  key?: string | null
  headers?: Record<string, string>
  simulator?: QwenSimulator
}

interface Item {
  type?: string
  text?: string
  image?: string
}

interface Answer {
  code?: string
  message?: string
  request_id?: string
  output?: {
    task_id?: string
    task_status?: string
    code?: string
    message?: string
    submit_time?: string
    scheduled_time?: string
    end_time?: string
    finished?: boolean
    rewrite_status?: string
    choices?: { finish_reason: string; message: { role: string; content: Item[]; reasoning_content?: string } }[]
    results?: { url?: string; orig_prompt?: string; actual_prompt?: string; code?: string; message?: string }[]
    task_metrics?: object
    task_metric?: object
  }
  usage?: Record<string, unknown>
  data?: unknown
}

let qwen: QwenSimulator
const others: QwenSimulator[] = []
let pictures: Record<'small' | 'wide' | 'tall' | 'alpha' | 'sliver', string>

beforeAll(async () => {
  qwen = await startQwenSimulator({ timeScale: 0, plainImages: true })
  pictures = {
    small: await pngUri(64, 64),
    wide: await pngUri(480, 240),
    tall: await pngUri(400, 800),
    alpha: await pngUri(300, 300, 4),
    sliver: await pngUri(2400, 250),
  }
})

afterAll(() => qwen.close())

beforeEach(() => qwen.reset())

afterEach(async () => {
  vi.useRealTimers()
  for (const simulator of others.splice(0)) await simulator.close()
})

async function start(options: QwenSimulatorOptions) {
  const simulator = await startQwenSimulator({ timeScale: 0, plainImages: true, ...options })
  others.push(simulator)
  return simulator
}

async function png(width: number, height: number, channels: 3 | 4 = 3) {
  const background = { r: 90, g: 120, b: 150, alpha: 0.5 }
  return sharp({ create: { width, height, channels, background } }).png().toBuffer()
}

async function pngUri(width: number, height: number, channels: 3 | 4 = 3) {
  return `data:image/png;base64,${(await png(width, height, channels)).toString('base64')}`
}

function authorization(key: string | null = QWEN_DEMO_KEY): Record<string, string> {
  return key === null ? {} : { authorization: `Bearer ${key}` }
}

function submit(route: Route, body: unknown, { key, headers, simulator = qwen }: CallOptions = {}) {
  const asynchronous: Record<string, string> = route === 'MM' ? {} : { 'x-dashscope-async': 'enable' }
  return fetch(`${simulator.baseUrl}${paths[route]}`, {
    method: 'POST',
    headers: { ...authorization(key), 'content-type': 'application/json', ...asynchronous, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

async function answerOf(route: Route, body: unknown, options: CallOptions = {}) {
  const response = await submit(route, body, options)
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer }
}

async function get(path: string, { key, simulator = qwen }: CallOptions = {}) {
  const response = await fetch(`${simulator.baseUrl}${path}`, { headers: authorization(key) })
  return { status: response.status, body: (await response.json()) as Answer }
}

async function cancel(taskId: string, options: CallOptions = {}) {
  const { key, simulator = qwen } = options
  const response = await fetch(`${simulator.baseUrl}/tasks/${taskId}/cancel`, {
    method: 'POST',
    headers: authorization(key),
  })
  return { status: response.status, body: (await response.json()) as Answer }
}

function messages(model: string, parameters: object = {}, images: string[] = [], prompt = 'a paper boat') {
  const content = [...images.map(image => ({ image })), { text: prompt }]
  return { model, input: { messages: [{ role: 'user', content }] }, parameters }
}

const old = (model: string, parameters: object = {}, input: object = {}) => ({
  model,
  input: { prompt: 'a paper boat', ...input },
  parameters,
})

async function ended(body: unknown, route: Route, options: CallOptions = {}): Promise<Answer> {
  const { body: made } = await answerOf(route, body, options)
  for (let look = 0; look < 10; look += 1) {
    const { body: task } = await get(`/tasks/${made.output!.task_id}`, options)
    if (!['PENDING', 'RUNNING'].includes(task.output!.task_status!)) return task
  }
  throw new Error('the task does not end')
}

const imagesOf = (answer: Answer) =>
  answer.output!.choices!.flatMap(choice => choice.message.content.flatMap(item => item.image ?? []))

async function download(url: string) {
  const response = await fetch(url)
  expect(response.status).toBe(200)
  const bytes = Buffer.from(await response.arrayBuffer())
  const { width, height, format, hasAlpha } = await sharp(bytes).metadata()
  return { bytes, response, size: `${width}*${height}`, format, hasAlpha }
}

describe('keys', () => {
  const good = messages('qwen-image-2.0', { size: '512*512' })

  test.each([
    ['no key', null, 401, 'InvalidApiKey', 'No API-key provided.'],
    ['an unknown key', QWEN_INVALID_KEY, 401, 'InvalidApiKey', 'Invalid API-key provided.'],
    ['a key of another region', QWEN_WRONG_REGION_KEY, 401, 'InvalidApiKey', 'Invalid API-key provided.'],
    [
      'an account without money',
      QWEN_ARREARS_KEY,
      400,
      'Arrearage',
      'Access denied, please make sure your account is in good standing.',
    ],
    [
      'an account without the service',
      QWEN_UNPURCHASED_KEY,
      403,
      'AccessDenied.Unpurchased',
      'Access to model denied. Please make sure you are eligible for using the model.',
    ],
    [
      'an account on the free tier only',
      QWEN_FREE_TIER_KEY,
      403,
      'AllocationQuota.FreeTierOnly',
      'The free tier of the model has been exhausted. If you wish to continue access the model on a paid basis, please disable the "use free tier only" mode in the management console.',
    ],
  ])('%s is refused', async (_name, key, status, code, message) => {
    const answer = await answerOf('MM', good, { key })

    expect(answer.status).toBe(status)
    expect(answer.body).toEqual({ code, message, request_id: expect.stringMatching(/^[0-9a-f-]{36}$/) })
    expect(qwen.billed).toEqual([])
  })

  test('the log names the key and never holds it', async () => {
    await answerOf('MM', good)
    await answerOf('MM', good, { key: QWEN_INVALID_KEY })

    expect(qwen.requests.map(request => [request.keyName, request.status])).toEqual([
      ['demo', 200],
      [null, 401],
    ])
    expect(JSON.stringify(qwen.requests)).not.toContain(QWEN_DEMO_KEY)
    expect(qwen.requests[0]).toMatchObject({ method: 'POST', body: good, path: `/api/v1${paths.MM}` })
  })

  test('a key may be kept to some models', async () => {
    const simulator = await start({ keys: { 'sk-some': { models: ['z-image-turbo'] } } })

    const refused = await answerOf('MM', good, { key: 'sk-some', simulator })
    const allowed = await answerOf('MM', messages('z-image-turbo', { size: '512*512' }), { key: 'sk-some', simulator })

    expect([refused.status, refused.body.code]).toEqual([403, 'Model.AccessDenied'])
    expect(allowed.status).toBe(200)
  })
})

describe('the order of checks', () => {
  const wrongEverywhere = messages('no-such-model', { size: '1*1' })

  test('authorization comes before the body, the body before the model', async () => {
    const first = await answerOf('MM', 'not json', { key: QWEN_INVALID_KEY })
    const second = await answerOf('MM', 'not json')
    const third = await answerOf('MM', wrongEverywhere, { headers: { 'x-dashscope-async': 'enable' } })

    expect(first.body.code).toBe('InvalidApiKey')
    expect(second.body.message).toBe('Required body invalid, please check the request body format.')
    expect([third.status, third.body.code, third.body.message]).toEqual([404, 'InvalidParameter', 'Model not exist.'])
  })

  test('parameters come before the pictures and the text', async () => {
    const picture = { image: 'data:image/png;base64,AAAA' }
    const body = (parameters: object) => ({
      model: 'qwen-image-2.0',
      input: { messages: [{ role: 'user', content: [picture, picture, picture, picture] }] },
      parameters,
    })

    expect((await answerOf('MM', body({ size: '1*1' }))).body.message).toMatch(/^Image area/)
    expect((await answerOf('MM', body({ n: 7 }))).body.message).toMatch(/^Range of n/)
    expect((await answerOf('MM', body({}))).body.message).toMatch(/^Model 'qwen-image-2.0' supports 0~3/)
  })

  test('"Model not exist." is 400 where the simulator is told so', async () => {
    const simulator = await start({ missingModelStatus: 400 })

    expect((await answerOf('MM', wrongEverywhere, { simulator })).status).toBe(400)
  })

  test('the route comes before the header, the header before access, access before parameters', async () => {
    const route = await answerOf('T2I', messages('qwen-image-2.0', { size: '1*1' }), {
      headers: { 'x-dashscope-async': 'disable' },
    })
    const head = await answerOf('MM', messages('qwen-image-2.0', { size: '1*1' }), {
      headers: { 'X-DashScope-Async': 'enable' },
      key: QWEN_UNPURCHASED_KEY,
    })
    const access = await answerOf('MM', messages('qwen-image-2.0', { size: '1*1' }), { key: QWEN_UNPURCHASED_KEY })

    expect([route.status, route.body.code]).toEqual([400, 'InvalidParameter'])
    expect(route.body.message).toMatch(/^url error, please check url！ For details, see: https:.*#error-url$/)
    expect(head.status).toBe(403)
    expect(head.body.message).toBe('Current user api does not support asynchronous calls.')
    expect(access.body.code).toBe('AccessDenied.Unpurchased')
  })

  test('an asynchronous route without its header is refused', async () => {
    const answer = await answerOf('IG', messages('wan2.6-t2i'), { headers: { 'x-dashscope-async': 'disable' } })

    expect([answer.status, answer.body.code]).toEqual([403, 'AccessDenied'])
    expect(answer.body.message).toBe('current user api does not support synchronous calls.')
  })

  test('the async header "disable" is as good as none on the synchronous route', async () => {
    const answer = await answerOf('MM', messages('z-image-turbo', { size: '512*512' }), {
      headers: { 'x-dashscope-async': 'disable' },
    })

    expect(answer.status).toBe(200)
  })
})

describe('routes', () => {
  const routesOf: Record<string, Route[]> = {
    'qwen-image-3.0-pro': ['MM', 'IG'],
    'qwen-image-3.0': ['MM', 'IG'],
    'qwen-image-2.1-pro': ['MM'],
    'qwen-image-2.1-turbo': ['MM'],
    'qwen-image-2.0-pro': ['MM'],
    'qwen-image-2.0': ['MM'],
    'qwen-image-max': ['MM'],
    'qwen-image-plus': ['MM', 'T2I'],
    'qwen-image-plus-2026-01-09': ['MM'],
    'qwen-image': ['MM', 'T2I'],
    'qwen-image-edit-max': ['MM'],
    'qwen-image-edit-plus': ['MM'],
    'qwen-image-edit': ['MM'],
    'z-image-turbo': ['MM'],
    'wan2.7-image-pro': ['MM', 'IG'],
    'wan2.7-image': ['MM', 'IG'],
    'wan2.6-t2i': ['MM', 'IG'],
    'wan2.6-image': ['MM', 'IG'],
    'wan2.5-t2i-preview': ['T2I'],
    'wan2.5-i2i-preview': ['I2I'],
    'wan2.2-t2i-flash': ['T2I'],
    'wan2.2-t2i-plus': ['T2I'],
    'wanx2.1-t2i-turbo': ['T2I'],
    'wanx2.0-t2i-turbo': ['T2I'],
    'wanx-v1': ['T2I'],
    'wanx2.1-imageedit': ['I2I'],
  }

  test.each(Object.entries(routesOf))('%s answers on its own routes only', async (model, routes) => {
    for (const route of Object.keys(paths) as Route[]) {
      // An empty input is refused after the route was accepted, so nothing is made.
      const { body } = await answerOf(route, { model, input: {}, parameters: {} })

      const isWrongRoute = body.message!.startsWith('url error, please check url！')
      expect([route, isWrongRoute]).toEqual([route, !routes.includes(route)])
    }
    expect(qwen.billed).toEqual([])
  })

  test('names with a vendor, other cases and ids of another region do not exist', async () => {
    for (const model of ['Qwen/Qwen-Image', 'Qwen-Image', 'wan2.1-t2i-turbo']) {
      expect((await answerOf('T2I', old(model))).body.message).toBe('Model not exist.')
    }
    const singapore = await start({ region: 'ap-southeast-1' })
    expect((await answerOf('T2I', old('wan2.1-t2i-turbo'), { simulator: singapore })).status).toBe(200)
    expect((await answerOf('T2I', old('wanx2.1-t2i-turbo'), { simulator: singapore })).status).toBe(404)
  })

  test('a path below services that is not there is a wrong address, others are not found', async () => {
    const post = (path: string) =>
      fetch(`${qwen.baseUrl}${path}`, { method: 'POST', headers: authorization(), body: '{}' })

    const service = (await (await post('/services/aigc/images/generation')).json()) as Answer
    const other = await post('/images/generations')

    expect(service.message).toMatch(/^url error/)
    expect(other.status).toBe(404)
  })
})

describe('refusals of the new routes', () => {
  const area2 = 'Image area must be between 262144 (512x512) and 4194304 (2048x2048) pixels.'
  const area3 = 'Image area must be between 262144 (512x512) and 6553600 (2560x2560) pixels for t2i requests'
  const five = 'The size does not match the allowed size 1664*928,1472*1104,1328*1328,1104*1472,928*1664.'
  const syntax = "Expected format: '<width>*<height>'"
  const user = (content: unknown) => ({ messages: [{ role: 'user', content }] })
  const of = (model: string, input: unknown) => ({ model, input, parameters: {} })
  const image = { image: 'data:image/png;base64,AAAA' }

  test.each<[name: string, body: object, message: string, code?: string]>([
    ['no model', { input: {} }, 'Required parameter "model" missing from request.', 'BadRequest.EmptyModel'],
    ['no input', { model: 'qwen-image' }, 'Required input parameter missing from request.', 'BadRequest.EmptyInput'],
    [
      'an input that is text',
      { model: 'qwen-image', input: 'a boat' },
      'The input parameter requires json format.',
      'BadRequest.IllegalInput',
    ],
    [
      'parameters that are null',
      { model: 'qwen-image', input: user([{ text: 'a' }]), parameters: null },
      'Required parameter "parameters" missing from request.',
      'BadRequest.EmptyParameters',
    ],
    ['messages on the top level', { model: 'qwen-image', messages: [] }, 'Field required: input.messages'],
    ['a prompt in the old manner', of('qwen-image', { prompt: 'a' }), 'Field required: input.messages'],
    ['no message', of('qwen-image', { messages: [] }), 'No messages found in input'],
    ['two messages', of('qwen-image', { messages: [{}, {}] }), 'messages length only support 1'],
    ['no text', of('qwen-image-2.0', user([])), 'lack of image or text'],
    ['an empty text', of('qwen-image-2.0', user([{ text: '' }])), 'lack of image or text'],
    ['two texts', of('qwen-image-2.0', user([{ text: 'a' }, { text: 'b' }])), 'lack of image or text'],
    [
      'a picture for a model without',
      of('z-image-turbo', user([image, { text: 'a' }])),
      "Model 'z-image-turbo' supports 0~0 image content items. Got 1 image items. (0 images = T2I mode)",
    ],
    [
      'four pictures',
      of('qwen-image-3.0', user([image, image, image, image, { text: 'a' }])),
      "Model 'qwen-image-3.0' supports 0~3 image content items. Got 4 image items. (0 images = T2I mode, 1~3 images = I2I mode)",
    ],
    [
      'an edit without a picture',
      messages('qwen-image-edit-plus'),
      'For image editing, the message must contain 1~3 image content items. Got 0 image items.',
    ],
    ['an x in the size', messages('qwen-image-2.0', { size: '1024x1024' }), syntax],
    ['a keyword as the size of a Qwen model', messages('qwen-image-3.0', { size: '1K' }), syntax],
    ['an x in the size of Wan', messages('wan2.7-image', { size: '1024x1024' }), syntax],
    [
      'a size that is no text',
      messages('qwen-image-2.0', { size: 1024 }),
      'Input should be a valid string: parameters.size',
    ],
    ['1*1 on 2.0', messages('qwen-image-2.0', { size: '1*1' }), area2],
    ['2049*2048 on 2.0', messages('qwen-image-2.0', { size: '2049*2048' }), area2],
    ['1*1 on 3.0', messages('qwen-image-3.0', { size: '1*1' }), area3],
    ['2561*2560 on 2.1', messages('qwen-image-2.1-pro', { size: '2561*2560' }), area3],
    ['a size that is not one of five', messages('qwen-image-plus', { size: '1*1' }), five],
    ['1472*1140, as old pages have it', messages('qwen-image', { size: '1472*1140' }), five],
    [
      '9999*9999 on max',
      messages('qwen-image-max', { size: '9999*9999' }),
      'Size 9999*9999 is out of range [512*512, 1664*1664]',
    ],
    [
      '3*3 on z-image',
      messages('z-image-turbo', { size: '3*3' }),
      'Image area must be between 262144 and 4194304 pixels. Got area=9 (width=3, height=3).',
    ],
    [
      '9999*9999 on wan2.7',
      messages('wan2.7-image', { size: '9999*9999' }),
      'Total pixels (99980001) must be between 589824 and 16777216',
    ],
    [
      'a large size in a sequence',
      messages('wan2.7-image-pro', { size: '4096*4096', enable_sequential: true, n: 4 }),
      'Total pixels (16777216) must be between 589824 and 4194304',
    ],
    ['4K on wan2.7-image', messages('wan2.7-image', { size: '4K' }), 'Maximum supported size is 2K'],
    [
      '4K in a sequence',
      messages('wan2.7-image-pro', { size: '4K', enable_sequential: true, n: 4 }),
      'Maximum supported size is 2K',
    ],
    ['n of 7', messages('qwen-image-2.0', { n: 7 }), 'Range of n should be [1, 6]'],
    ['n of 0', messages('wan2.6-t2i', { n: 0 }), 'Range of n should be [1, 4]'],
    [
      'n of 13 in a sequence',
      messages('wan2.7-image', { n: 13, enable_sequential: true }),
      'Range of n should be [1, 12]',
    ],
    ['n of 5 without a sequence', messages('wan2.7-image', { n: 5 }), 'Range of n should be [1, 4]'],
    ['n of 2 on plus', messages('qwen-image-plus', { n: 2 }), 'num_images_per_prompt must be 1.'],
    ['n of 2 on max', messages('qwen-image-max', { n: 2 }), 'num_images_per_prompt must be 1.'],
    ['n of 2 on z-image', messages('z-image-turbo', { n: 2 }), 'n must be 1'],
    ['n that is text', messages('qwen-image-2.0', { n: '1' }), 'Input should be a valid integer: parameters.n'],
    ['a seed below zero', messages('qwen-image', { seed: -1 }), 'Range of seed should be [0, 9223372036854775807]'],
    [
      'a watermark that is text',
      messages('qwen-image', { watermark: 'false' }),
      'Input should be a valid boolean: parameters.watermark',
    ],
    [
      'a palette of two colors',
      messages('wan2.7-image', { color_palette: [{}, {}] }),
      'Range of color_palette should be [3, 10]',
    ],
    [
      'a story without its stream',
      messages('wan2.6-image', { enable_interleave: true }),
      'Only streaming output is supported when enable_interleave is true.',
    ],
  ])('%s', async (_name, body, message, code = 'InvalidParameter') => {
    const answer = await answerOf('MM', body)

    expect(answer.body).toMatchObject({ code, message })
    expect(answer.status).toBe(400)
    expect(qwen.billed).toEqual([])
  })

  test('an edit with the agent is refused', async () => {
    const parameters = { prompt_extend_mode: 'agent', size: '512*512' }

    expect((await answerOf('MM', messages('qwen-image-3.0', parameters, [pictures.small]))).status).toBe(400)
    expect((await answerOf('MM', messages('qwen-image-3.0', parameters))).status).toBe(200)
  })

  test('a body that is too large', async () => {
    const simulator = await start({ maxBodyBytes: 100 })

    const { status, body } = await answerOf('MM', messages('qwen-image-2.0', {}, [pictures.small]), { simulator })

    expect([status, body.code, body.message]).toEqual([413, 'BadRequest.TooLarge', 'Payload Too Large.'])
  })

  test('a body that does not say it is JSON', async () => {
    const { status, body } = await answerOf('MM', messages('qwen-image-2.0'), {
      headers: { 'content-type': 'text/plain' },
    })

    expect([status, body.message]).toEqual([400, 'Required body invalid, please check the request body format.'])
  })

  test('parameters that a model does not know are passed over', async () => {
    const parameters = { size: '512*512', guidance_scale: 'high', enable_sequential: 'yes' }

    expect((await answerOf('MM', messages('z-image-turbo', parameters))).status).toBe(200)
  })
})

describe('answers of the synchronous route', () => {
  test('2.0 puts all pictures into one choice', async () => {
    const { body, headers } = await answerOf('MM', messages('qwen-image-2.0', { size: '512*520', n: 2 }))

    expect(body).toEqual({
      output: {
        choices: [
          {
            finish_reason: 'stop',
            message: { role: 'assistant', content: [{ image: expect.any(String) }, { image: expect.any(String) }] },
          },
        ],
      },
      usage: { width: 512, height: 520, image_count: 2 },
      request_id: headers.get('x-request-id'),
    })
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('x-dashscope-call-gateway')).toBe('true')
    expect(headers.get('server')).toBe('istio-envoy')
    expect(qwen.billed).toMatchObject([
      { model: 'qwen-image-2.0', key: 'demo', prompt: 'a paper boat', index: 0, width: 512, height: 520 },
      { index: 1, requestId: body.request_id },
    ])
  })

  test('plus adds its metric', async () => {
    const { body } = await answerOf('MM', messages('qwen-image-plus'))

    expect(body.output!.task_metric).toEqual({ TOTAL: 1, SUCCEEDED: 1, FAILED: 0 })
    expect(body.usage).toEqual({ width: 1664, height: 928, image_count: 1 })
  })

  test('3.0 tells tiers and whether it rewrote the prompt', async () => {
    const small = await answerOf('MM', messages('qwen-image-3.0', { size: '1664*928', prompt_extend: false }))
    const unsized = await answerOf('MM', messages('qwen-image-3.0-pro', { n: 2 }))

    expect(small.body.output!.rewrite_status).toBe('not_use')
    expect(small.body.usage).toEqual({
      output_width: 1664,
      output_height: 928,
      output_image_count: 1,
      output_image_type: 'qima_output_1k',
      input_image_count: 0,
      input_image_type: 'qima_input_1k',
    })
    expect(unsized.body.output!.rewrite_status).toBe('success')
    expect(unsized.body.usage).toMatchObject({ output_image_count: 2, output_image_type: 'qima_output_2k' })
  })

  test('z-image gives its prompt as text after the picture', async () => {
    const { body } = await answerOf('MM', messages('z-image-turbo', { size: '512*512' }))

    expect(body.output!.choices![0]!.message.content).toEqual([{ image: expect.any(String) }, { text: 'a paper boat' }])
    expect(body.output!.choices![0]!.message).toHaveProperty('reasoning_content')
    expect(body.usage).toMatchObject({ width: 512, height: 512, image_count: 1, total_tokens: expect.any(Number) })
  })

  test('wan2.6 gives each picture a choice, wan2.7 all of them one', async () => {
    const several = await answerOf('MM', messages('wan2.6-t2i'))
    const one = await answerOf('MM', messages('wan2.7-image', { size: '1K', n: 2 }))

    expect(several.body.output!.choices).toHaveLength(4)
    expect(several.body.output!.finished).toBe(true)
    expect(several.body.usage).toMatchObject({ image_count: 4, size: '1280*1280' })
    expect(one.body.output!.choices).toHaveLength(1)
    expect(one.body.output!.choices![0]!.message.content).toMatchObject([{ type: 'image' }, { type: 'image' }])
  })

  test('the model decides how many belong to a sequence, and only those are billed', async () => {
    const { body } = await answerOf('MM', messages('wan2.7-image', { enable_sequential: true, n: 12, size: '1K' }))

    expect(imagesOf(body)).toHaveLength(4)
    expect(qwen.billed).toHaveLength(4)
  })

  test('n is not looked at by qwen-image-edit', async () => {
    const { status, body } = await answerOf('MM', messages('qwen-image-edit', { n: 99 }, [pictures.small]))

    expect([status, imagesOf(body).length, qwen.billed.length]).toEqual([200, 1, 1])
  })
})

describe('pictures', () => {
  test.each<[name: string, model: string, size: string | undefined, references: string[], made: string]>([
    ['2.0 keeps any size', 'qwen-image-2.0', '513*515', [], '513*515'],
    ['2.0 without a size, with a picture', 'qwen-image-2.0', undefined, ['small', 'wide'], '1456*720'],
    [
      'edit models round to 16, a tie to the even multiple',
      'qwen-image-edit-plus',
      '1033*1032',
      ['small'],
      '1040*1024',
    ],
    ['edit models pass over a size they cannot draw', 'qwen-image-edit-max', '1*1', ['small'], '1024*1024'],
    ['qwen-image-edit has no size', 'qwen-image-edit', '512*512', ['wide'], '1456*720'],
    ['3.0 with a picture passes over a size it cannot draw', 'qwen-image-3.0', '10*10', ['small'], '2048*2048'],
    ['wan rounds to 16', 'wan2.6-t2i', '1290*1290', [], '1296*1296'],
    ['a recommended size below the stated area', 'wan2.6-t2i', '1104*1472', [], '1104*1472'],
    ['another', 'wan2.6-t2i', '1696*960', [], '1696*960'],
    ['wan2.6-image draws 1K by itself', 'wan2.6-image', undefined, ['wide'], '1456*720'],
    ['a keyword takes the ratio of the last picture', 'wan2.7-image', '1K', ['wide', 'tall'], '720*1456'],
    ['z-image stands upright by itself', 'z-image-turbo', undefined, [], '1024*1536'],
  ])('%s', async (_name, model, size, references, made) => {
    const images = references.map(name => pictures[name as keyof typeof pictures])
    const parameters = { ...(size && { size }), n: 1 }

    const { body } = await answerOf('MM', messages(model, parameters, images))
    const picture = await download(imagesOf(body)[0]!)

    expect([picture.size, picture.format]).toEqual([made, 'png'])
    expect(`${qwen.billed[0]!.width}*${qwen.billed[0]!.height}`).toBe(made)
  })

  test('3.0 makes about 2K in the ratio of its picture', async () => {
    const reference = await pngUri(768, 1376)

    const { body } = await answerOf('MM', messages('qwen-image-3.0', {}, [reference]))

    expect(body.usage).toMatchObject({ output_width: 1520, output_height: 2736, input_image_count: 1 })
  })

  test('the same seed gives the same picture, another index or prompt another one', async () => {
    const make = async (prompt: string, seed: number) => {
      const { body } = await answerOf('MM', messages('qwen-image-2.0', { size: '512*512', n: 2, seed }, [], prompt))
      return Promise.all(imagesOf(body).map(async url => (await download(url)).bytes.toString('base64')))
    }

    const [first, again, other] = [await make('a boat', 7), await make('a boat', 7), await make('a bridge', 7)]

    expect(again).toEqual(first)
    expect(new Set([...first!, ...other!]).size).toBe(4)
  })

  test('only 2.1 makes transparent pixels', async () => {
    const make = async (model: string) => {
      const prompt = 'a boat on a transparent background'
      const { body } = await answerOf('MM', messages(model, { size: '512*512' }, [], prompt))
      return (await download(imagesOf(body)[0]!)).hasAlpha
    }

    expect([await make('qwen-image-2.1-pro'), await make('qwen-image-2.0')]).toEqual([true, false])
  })
})

describe('result URLs', () => {
  async function result(simulator = qwen) {
    const { body } = await answerOf('MM', messages('qwen-image-2.0', { size: '512*512' }), { simulator })
    return imagesOf(body)[0]!
  }

  test('are signed with characters that a rebuilt query loses', async () => {
    const url = await result()

    const { response, bytes } = await download(url)

    expect(url).toMatch(/\?Expires=\d{10}&OSSAccessKeyId=\w+&Signature=[\w%]*%2B[\w%]*%3D$/)
    expect(response.headers.get('content-type')).toBe('image/png')
    expect(response.headers.get('content-length')).toBe(String(bytes.length))
    const expires = Number(new URL(url).searchParams.get('Expires'))
    expect(Math.abs(expires - Date.now() / 1000 - 86_400)).toBeLessThan(10)
  })

  test.each<[name: string, change: (url: string) => string, init: RequestInit, code: string]>([
    ['a decoded plus', url => url.replace('%2B', '+'), {}, 'SignatureDoesNotMatch'],
    ['a decoded query', url => url.replace('%3D', '='), {}, 'SignatureDoesNotMatch'],
    ['a parameter more', url => `${url}&x=1`, {}, 'SignatureDoesNotMatch'],
    ['no query', url => url.split('?')[0]!, {}, 'SignatureDoesNotMatch'],
    ['an Authorization header', url => url, { headers: authorization() }, 'AccessDenied'],
  ])('refuse %s', async (_name, change, init, code) => {
    const response = await fetch(change(await result()), init)

    expect([response.status, response.headers.get('content-type')]).toEqual([403, 'application/xml'])
    expect(await response.text()).toContain(`<Code>${code}</Code>`)
  })

  test('refuse HEAD', async () => {
    expect((await fetch(await result(), { method: 'HEAD' })).status).toBe(403)
  })

  test('expire', async () => {
    const url = await result()
    qwen.expireUrls()

    const response = await fetch(url)

    expect(response.status).toBe(403)
    expect(await response.text()).toContain('<Message>Request has expired.</Message>')
  })

  test('give a part to who asks for it', async () => {
    const url = await result()
    const { bytes } = await download(url)

    const response = await fetch(url, { headers: { range: 'bytes=100-' } })

    expect(response.status).toBe(206)
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes.subarray(100))).toBe(true)
  })
})

describe('tasks', () => {
  test('go from pending over running to done, with the answer of the new route', async () => {
    const made = await answerOf('IG', messages('wan2.6-t2i', { n: 1 }))
    const id = made.body.output!.task_id!

    const first = await get(`/tasks/${id}`)
    const second = await get(`/tasks/${id}`)

    expect(made.body).toEqual({ output: { task_status: 'PENDING', task_id: id }, request_id: expect.any(String) })
    expect(first.body.output).toEqual({
      task_id: id,
      task_status: 'RUNNING',
      submit_time: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/),
      scheduled_time: expect.any(String),
    })
    expect(second.status).toBe(200)
    expect(second.body.output).toMatchObject({ task_status: 'SUCCEEDED', finished: true, end_time: expect.any(String) })
    expect(second.body.usage).toMatchObject({ image_count: 1, size: '1280*1280' })
    expect((await download(imagesOf(second.body)[0]!)).size).toBe('1280*1280')
    expect(qwen.billed).toMatchObject([{ requestId: made.body.request_id, model: 'wan2.6-t2i' }])
  })

  test('of old routes have results, metrics and the rewritten prompt', async () => {
    const task = await ended(old('wan2.2-t2i-flash', { size: '512*512', n: 2 }), 'T2I')
    const plain = await ended(old('wan2.2-t2i-flash', { size: '512*512', n: 1, prompt_extend: false }), 'T2I')

    expect(task.output!.results).toHaveLength(2)
    expect(task.output!.results![0]).toEqual({
      orig_prompt: 'a paper boat',
      actual_prompt: expect.stringMatching(/^a paper boat, /),
      url: expect.stringMatching(/^http/),
    })
    expect(task.output!.task_metrics).toEqual({ TOTAL: 2, SUCCEEDED: 2, FAILED: 0 })
    expect(task.usage).toEqual({ image_count: 2 })
    expect(plain.output!.results![0]).not.toHaveProperty('actual_prompt')
  })

  test('of qwen-image take the negative prompt in both places and have no metrics', async () => {
    const task = await ended(old('qwen-image', { negative_prompt: 'people' }, { negative_prompt: 'rain' }), 'T2I')

    expect(task.output!.task_status).toBe('SUCCEEDED')
    expect(task.output).not.toHaveProperty('task_metrics')
  })

  test.each([
    ['wan2.2-t2i-flash', '256*256', 'Either width or height should be between 512 and 1440'],
    ['wanx-v1', '512*512', "The size is not match the allowed size ['1024*1024', '720*1280', '1280*720']"],
    [
      'qwen-image-plus',
      '512*512',
      'The size does not match the allowed size 1664*928,1472*1104,1328*1328,1104*1472,928*1664.',
    ],
  ])('of %s fail late for a wrong size, and cost nothing', async (model, size, message) => {
    const task = await ended(old(model, { size, n: 1 }), 'T2I')

    expect(task.output).toMatchObject({
      task_status: 'FAILED',
      code: 'InvalidParameter',
      message,
      task_metrics: { TOTAL: 1, SUCCEEDED: 0, FAILED: 1 },
    })
    expect(qwen.billed).toEqual([])
  })

  test('other wrong parameters of old routes are refused at once', async () => {
    expect((await answerOf('T2I', old('wan2.2-t2i-flash', { n: 5 }))).body.message).toBe('Range of n should be [1, 4]')
    expect((await answerOf('T2I', { model: 'wan2.2-t2i-flash', input: {} })).body.message).toBe(
      'Field required: input.prompt',
    )
    expect((await answerOf('I2I', old('wan2.5-i2i-preview'))).body.message).toBe('Field required: input.images')
    expect((await answerOf('I2I', old('wanx2.1-imageedit'))).body.message).toBe('Field required: input.function')
  })

  test('of the edit routes look at their pictures', async () => {
    const i2i = await ended(old('wan2.5-i2i-preview', { n: 1 }, { images: [await pngUri(400, 400)] }), 'I2I')
    const input = { function: 'description_edit_with_mask', base_image_url: pictures.wide }
    const withoutMask = await answerOf('I2I', old('wanx2.1-imageedit', {}, input))
    const otherMask = await ended(old('wanx2.1-imageedit', {}, { ...input, mask_image_url: pictures.tall }), 'I2I')
    const fine = await ended(old('wanx2.1-imageedit', {}, { ...input, mask_image_url: pictures.wide }), 'I2I')

    expect(i2i.output!.task_status).toBe('SUCCEEDED')
    expect(withoutMask.body.message).toBe('Field required: input.mask_image_url')
    expect(otherMask.output!.task_status).toBe('FAILED')
    expect((await download(fine.output!.results![0]!.url!)).size).toBe('480*240')
  })

  test('make four pictures when nobody says how many', async () => {
    await ended(old('wan2.2-t2i-flash', { size: '512*512' }), 'T2I')

    expect(qwen.billed).toHaveLength(4)
  })

  test('move by themselves when nobody looks', async () => {
    await answerOf('IG', messages('wan2.7-image', { n: 1 }))

    await expect.poll(() => qwen.billed).toHaveLength(1)

    expect(qwen.tasks().at(-1)).toMatchObject({ model: 'wan2.7-image', status: 'SUCCEEDED' })
  })

  test('end at once where the simulator is told so', async () => {
    const simulator = await start({ finishTasksAtOnce: true })
    const { body } = await answerOf('IG', messages('wan2.7-image', { n: 1 }), { simulator })

    const task = await get(`/tasks/${body.output!.task_id}`, { simulator })

    expect(body.output!.task_status).toBe('PENDING')
    expect(task.body.output!.task_status).toBe('SUCCEEDED')
  })

  test('can be cancelled while they are pending, and then cost nothing', async () => {
    qwen.holdTasks()
    const { body } = await answerOf('IG', messages('wan2.7-image', { n: 1 }))
    const id = body.output!.task_id!
    const waiting = await get(`/tasks/${id}`)

    const cancelled = await cancel(id)
    const again = await cancel(id)
    qwen.releaseTasks()
    const after = await get(`/tasks/${id}`)

    expect(waiting.body.output!.task_status).toBe('PENDING')
    expect(cancelled).toEqual({ status: 200, body: { request_id: expect.any(String) } })
    expect(again.status).toBe(400)
    expect(after.body.output!.task_status).toBe('CANCELED')
    expect(qwen.billed).toEqual([])
  })

  test('cannot be cancelled once they run', async () => {
    qwen.holdTasks('RUNNING')
    const { body } = await answerOf('IG', messages('wan2.7-image', { n: 1 }))
    const id = body.output!.task_id!
    const looks = [await get(`/tasks/${id}`), await get(`/tasks/${id}`), await get(`/tasks/${id}`)]

    const refused = await cancel(id)
    qwen.releaseTasks()
    const after = await get(`/tasks/${id}`)

    expect(looks.map(look => look.body.output!.task_status)).toEqual(['RUNNING', 'RUNNING', 'RUNNING'])
    expect(refused).toEqual({
      status: 400,
      body: {
        code: 'UnsupportedOperation',
        message: 'Failed to cancel the task, please confirm if the task is in PENDING status.',
        request_id: expect.any(String),
      },
    })
    expect(after.body.output!.task_status).toBe('SUCCEEDED')
  })

  test('belong to an account, are unknown to others and forgotten after a day', async () => {
    const simulator = await start({
      keys: { 'sk-a': { account: '1' }, 'sk-b': { account: '1' }, 'sk-c': { account: '2' } },
    })
    simulator.holdTasks('RUNNING')
    const { body } = await answerOf('IG', messages('wan2.7-image', { n: 1 }), { key: 'sk-a', simulator })
    const path = `/tasks/${body.output!.task_id}`

    const colleague = await get(path, { key: 'sk-b', simulator })
    const stranger = await get(path, { key: 'sk-c', simulator })
    const cancelled = await cancel(body.output!.task_id!, { key: 'sk-c', simulator })
    simulator.forgetTasks()
    const forgotten = await get(path, { key: 'sk-a', simulator })
    const never = await get('/tasks/00000000-0000-0000-0000-000000000000', { key: 'sk-a', simulator })

    expect(colleague.body.output!.task_status).toBe('RUNNING')
    for (const { status, body } of [stranger, forgotten, never]) {
      expect([status, body.output!.task_status]).toEqual([200, 'UNKNOWN'])
    }
    expect(cancelled.status).toBe(400)
  })

  test('keep to the clock when there is one', async () => {
    const simulator = await start({ timeScale: 0.05, rateLimits: false })
    const began = Date.now()

    const { body } = await answerOf('T2I', old('wan2.2-t2i-flash', { size: '512*512', n: 1 }), { simulator })
    const seen = new Set<string>()
    await vi.waitFor(
      async () => {
        const look = await get(`/tasks/${body.output!.task_id}`, { simulator })
        seen.add(look.body.output!.task_status!)
        expect(look.body.output!.task_status).toBe('SUCCEEDED')
      },
      { timeout: maxWaitMs, interval: 5 },
    )

    expect(Date.now() - began).toBeGreaterThan(400)
    expect(seen).toContain('RUNNING')
  })
})

describe('what clients of 2026-11 rely on', () => {
  test('a task is read with a slash at the end too, as the official Python SDK does, and cancelled', async () => {
    qwen.holdTasks()
    const made = await answerOf('IG', messages('qwen-image-3.0', { size: '1024*1024' }))
    const id = made.body.output!.task_id!

    const plain = await get(`/tasks/${id}`)
    const slashed = await get(`/tasks/${id}/`)
    const cancelled = await cancel(`${id}`)

    expect(slashed).toMatchObject({ status: 200, body: { output: { task_id: id, task_status: 'PENDING' } } })
    expect(slashed.body.output).toEqual(plain.body.output)
    expect(cancelled.status).toBe(200)
    expect((await get(`/tasks/${id}/`)).body.output!.task_status).toBe('CANCELED')
  })

  test.each(['qwen-image-2.1-pro', 'qwen-image-2.1-turbo'])('%s makes 1 to 6 of up to 10 references', async model => {
    const images = Array.from({ length: 10 }, () => pictures.small)
    const six = await answerOf('MM', messages(model, { n: 6, size: '1024*1024' }, images))
    const seven = await answerOf('MM', messages(model, { n: 7, size: '1024*1024' }))
    const eleven = await answerOf('MM', messages(model, { size: '1024*1024' }, [...images, pictures.small]))

    expect(imagesOf(six.body)).toHaveLength(6)
    expect([seven.status, seven.body.message]).toEqual([400, 'Range of n should be [1, 6]'])
    expect([eleven.status, eleven.body.message]).toEqual([400, expect.stringContaining('0~10 image content items')])
  })

  test('a negative prompt is taken by 2.1 turbo and by none of 2.1 pro', async () => {
    const parameters = { size: '1024*1024', negative_prompt: 'people' }
    const turbo = await answerOf('MM', messages('qwen-image-2.1-turbo', parameters))
    const pro = await answerOf('MM', messages('qwen-image-2.1-pro', parameters))

    expect([turbo.status, pro.status, pro.body.code]).toEqual([200, 400, 'InvalidParameter'])
  })

  test('the size may be left to 3.0 and 2.1 pro, and to no other', async () => {
    const statusOf = async (model: string) => (await answerOf('MM', messages(model, { size: 'auto' }))).status
    const models = [
      'qwen-image-3.0',
      'qwen-image-3.0-pro',
      'qwen-image-2.1-pro',
      'qwen-image-2.1-turbo',
      'qwen-image-2.0',
    ]

    expect(await Promise.all(models.map(statusOf))).toEqual([200, 200, 200, 400, 400])
  })

  test('members of the official SDK that the model does not know are passed over', async () => {
    const foreign = { is_async: false, stream: false, result_format: 'message', size: '1024*1024' }

    expect((await answerOf('MM', messages('qwen-image-3.0', foreign))).status).toBe(200)
  })

  test('a task of 3.0 is that of its key alone, where the switch says so', async () => {
    const keys = { one: { name: 'one' }, two: { name: 'two' } }
    const simulator = await start({ keys, tasksOfTheirKey: true })
    const lookWithTwo = async (model: string, parameters: object) => {
      const made = await answerOf('IG', messages(model, parameters), { simulator, key: 'one' })
      return (await get(`/tasks/${made.body.output!.task_id}`, { simulator, key: 'two' })).body.output!.task_status
    }

    expect(await lookWithTwo('qwen-image-3.0', { size: '1024*1024' })).toBe('UNKNOWN')
    expect(await lookWithTwo('wan2.7-image', { size: '1K', n: 1 })).toBe('RUNNING')
  })
})

describe('retirement', () => {
  test('is played while it runs: denied as reported, missing as the other form, and back', async () => {
    const make = () => answerOf('MM', messages('qwen-image-plus', { size: '1664*928' }))
    const before = await make()
    qwen.retire('qwen-image-plus', 'denied')
    const denied = await make()
    const listed = await fetch(`${qwen.origin}/compatible-mode/v1/models`, { headers: authorization() })
    const ids = ((await listed.json()) as { data: { id: string }[] }).data.map(({ id }) => id)
    qwen.retire('qwen-image-plus', 'missing')
    const missing = await make()
    const other = await answerOf('MM', messages('qwen-image-2.0'))
    qwen.retire('qwen-image-plus', '')
    const again = await make()

    expect([before.status, again.status, other.status]).toEqual([200, 200, 200])
    expect(denied).toMatchObject({
      status: 403,
      body: { code: 'Endpoint.AccessDenied', message: 'Workspace endpoint access denied.' },
    })
    expect(missing).toMatchObject({ status: 404, body: { code: 'InvalidParameter', message: 'Model not exist.' } })
    // The real list names stopped models too.
    expect(ids).toContain('qwen-image-plus')
    expect(qwen.billed).toHaveLength(3)
  })
})

describe('the list of tasks', () => {
  const compact = (at: number) => new Date(at + 8 * 3600 * 1000).toISOString().replace(/\D/g, '').slice(0, 14)

  interface Listed {
    total: number
    total_page: number
    data: { task_id: string; status: string; model_name: string; request_id: string; gmt_create: number }[]
  }

  async function list(query: string, simulator: QwenSimulator) {
    const { status, body } = await get(`/tasks/${query}`, { simulator })
    return { status, body: body as unknown as Listed & Answer }
  }

  test('finds what was submitted, newest first, by model, status, time and page', async () => {
    const simulator = await start({})
    simulator.holdTasks()
    const from = Date.now()
    for (const model of ['wan2.7-image', 'wan2.6-t2i', 'wan2.7-image']) {
      await answerOf('IG', messages(model, { n: 1 }), { simulator })
    }
    const window = `start_time=${compact(from)}&end_time=${compact(Date.now())}`

    const all = await list('', simulator)
    const one = await list(`?${window}&model_name=wan2.6-t2i&status=PENDING&page_no=1&page_size=10`, simulator)
    const second = await list(`?${window}&page_no=2&page_size=2`, simulator)
    const before = await list(`?start_time=${compact(from - 7200_000)}&end_time=${compact(from - 3600_000)}`, simulator)

    expect(all.body.data.map(task => task.model_name)).toEqual(['wan2.7-image', 'wan2.6-t2i', 'wan2.7-image'])
    expect(one.body).toMatchObject({
      total: 1,
      total_page: 1,
      page_no: 1,
      page_size: 10,
      data: [
        {
          task_id: simulator.tasks()[1]!.id,
          status: 'PENDING',
          model_name: 'wan2.6-t2i',
          region: 'cn-beijing',
          request_id: simulator.tasks()[1]!.requestId,
          gmt_create: expect.any(Number),
          user_api_unique_key: 'apikey:v1:aigc:image-generation:generation:wan2.6-t2i',
        },
      ],
    })
    expect(second.body).toMatchObject({ total: 3, total_page: 2, data: [{ task_id: simulator.tasks()[0]!.id }] })
    expect(before.body.total).toBe(0)
    expect(JSON.stringify(all.body)).not.toContain('http')
  })

  test('refuses windows over a day and times of another form', async () => {
    const now = Date.now()
    const wide = await list(`?start_time=${compact(now - 25 * 3600_000)}&end_time=${compact(now)}`, qwen)

    expect(wide.status).toBe(400)
    expect((await list('?start_time=2026-11-23', qwen)).status).toBe(400)
  })
})

describe('pictures that come in', () => {
  const model = 'qwen-image-edit-plus'
  const edit = (image: string, name = model, options: CallOptions = {}) =>
    answerOf('MM', messages(name, { n: 1 }, [image]), options)

  test.each<[name: string, image: () => string, message: string]>([
    [
      'bare base64',
      () => pictures.small.split(',')[1]!,
      'The provided URL does not appear to be valid. Ensure it is correctly formatted.',
    ],
    ['no base64 in the head', () => pictures.small.replace(';base64', ''), 'image format error'],
    ['a type that is no picture', () => pictures.small.replace('image/png', 'text/plain'), 'image format error'],
    ['an SVG', () => 'data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=', 'image format error'],
    ['broken base64', () => `${pictures.small.slice(0, -3)}*==`, 'Invalid image format or corrupted file'],
    [
      'half a picture',
      () => pictures.small.slice(0, 102 + ((pictures.small.indexOf(',') + 1) % 4)),
      'Invalid image format or corrupted file',
    ],
    [
      'a data URI that is too long',
      () => `data:image/png;base64,${'A'.repeat(10_485_764)}`,
      'Exceeded limit on max bytes per data-uri item : 10485760',
    ],
    [
      'an upload that was never made',
      () => 'oss://nothing',
      'The provided URL does not appear to be valid. Ensure it is correctly formatted.',
    ],
  ])('%s is refused', async (_name, image, message) => {
    const { status, body } = await edit(image())

    expect([status, body.code, body.message]).toEqual([400, 'InvalidParameter', message])
    expect(qwen.billed).toEqual([])
  })

  test('the longest data URI is let through to the decoder', async () => {
    const { body } = await edit(`data:image/png;base64,${'A'.repeat(10_485_760)}`)

    expect(body.message).toBe('Invalid image format or corrupted file')
  })

  test('every documented type is read', async () => {
    const source = sharp(await png(64, 48))
    const encoded = {
      'image/jpeg': await source.clone().jpeg().toBuffer(),
      'image/webp': await source.clone().webp().toBuffer(),
      'image/gif': await source.clone().gif().toBuffer(),
      'image/tiff': await source.clone().tiff().toBuffer(),
    }

    for (const [type, bytes] of Object.entries(encoded)) {
      expect((await edit(`data:${type};base64,${bytes.toString('base64')}`)).status).toBe(200)
    }
  })

  test('Wan refuses small, narrow and transparent ones', async () => {
    const sized = 'the size of input image is too small or too large.'

    expect((await edit(pictures.small, 'wan2.6-image')).body.message).toBe(sized)
    expect((await edit(pictures.sliver, 'wan2.7-image')).body.message).toBe(sized)
    expect((await edit(pictures.alpha, 'wan2.7-image')).body.message).toBe('image format error')
    expect((await edit(pictures.wide, 'wan2.7-image')).status).toBe(200)
    const older = (image: string) => old('wanx2.1-imageedit', {}, { function: 'colorization', base_image_url: image })
    expect((await answerOf('I2I', older(pictures.small))).body.message).toBe(sized)
    expect((await answerOf('I2I', older(pictures.alpha))).body.message).toBe('image format error')
    expect((await ended(older(pictures.sliver), 'I2I')).output!.task_status).toBe('SUCCEEDED')
    expect((await answerOf('T2I', old('wanx-v1', {}, { ref_img: pictures.small }))).body.message).toBe(sized)
  })

  test('web addresses are fetched, with the errors of a download', async () => {
    const simulator = await start({
      webImages: {
        'https://files.example.com/a.png': await png(64, 64),
        'https://files.example.com/gone.png': 'missing',
        'https://files.example.com/slow.png': 'timeout',
      },
    })
    const over = async (url: string) => (await edit(url, model, { simulator })).body

    expect((await over('https://files.example.com/a.png')).code).toBeUndefined()
    expect(await over('https://files.example.com/gone.png')).toMatchObject({
      code: 'InvalidParameter',
      message: 'download image failed',
    })
    expect((await over('https://files.example.com/slow.png')).code).toBe('InvalidURL.Timeout')
    expect(await over('https://files.example.com/other.png')).toMatchObject({
      code: 'InvalidURL.ConnectionRefused',
      message: 'Connection to https://files.example.com/other.png refused, please provide available URL.',
    })
    const made = imagesOf((await answerOf('MM', messages('qwen-image-2.0', { size: '512*512' }))).body)[0]!
    expect((await over(made)).code).toBeUndefined()
    expect((await over(`${qwen.baseUrl}/tasks/`)).message).toBe('download image failed')
  })
})

describe('the compatible face', () => {
  const at = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${qwen.origin}/compatible-mode/v1/${path}`, init)
    return { status: response.status, body: (await response.json()) as { data?: { id: string }[]; error?: object } }
  }

  test('lists models, not all of them', async () => {
    const { body } = await at('models', { headers: authorization() })
    const ids = body.data!.map(model => model.id)

    expect(ids).toContain('qwen-image-3.0')
    expect(ids).toContain('qwen3-max')
    expect(ids).not.toContain('wan2.2-t2i-flash')
  })

  test('has errors of its own shape and makes no pictures here', async () => {
    const refused = await at('models', { headers: authorization(QWEN_INVALID_KEY) })
    const pictures = await at('images/generations', { method: 'POST', headers: authorization(), body: '{}' })

    expect([refused.status, refused.body]).toMatchObject([401, { error: { code: 'invalid_api_key' } }])
    expect(pictures.status).toBe(404)
  })
})

describe('limits', () => {
  const body = messages('z-image-turbo', { size: '512*512' })

  test('on submits, for all keys of an account together and each model apart', async () => {
    const simulator = await start({
      rateLimits: true,
      keys: { 'sk-a': { account: '1' }, 'sk-b': { account: '1' }, 'sk-c': { account: '2' } },
    })
    const at = (key: string, what = body) => answerOf('MM', what, { simulator, key })

    const statuses = [(await at('sk-a')).status, (await at('sk-b')).status]
    const over = await at('sk-a')
    const otherModel = await at('sk-a', messages('qwen-image-2.0', { size: '512*512' }))
    const otherAccount = await at('sk-c')

    expect(statuses).toEqual([200, 200])
    expect(over.status).toBe(429)
    expect(over.body).toMatchObject({
      code: 'Throttling.RateQuota',
      message: 'Requests rate limit exceeded, please try again later.',
    })
    expect(over.headers.get('retry-after')).toBeNull()
    expect([otherModel.status, otherAccount.status]).toEqual([200, 200])
    expect(simulator.billed).toHaveLength(4)
  })

  test('on tasks that have not ended', async () => {
    const simulator = await start({ rateLimits: true })
    simulator.holdTasks()
    const make = () => answerOf('T2I', old('wanx-v1', { n: 1 }), { simulator })

    const first = await make()
    const second = await make()

    expect([first.status, second.status, second.body.code]).toEqual([200, 429, 'Throttling.Concurrency'])
  })

  test('on looks', async () => {
    const simulator = await start({ rateLimits: true })
    const looks = await Promise.all(Array.from({ length: 25 }, () => get('/tasks/nothing', { simulator })))

    const over = looks.filter(look => look.status === 429)

    expect(over.length).toBeGreaterThan(0)
    expect(over[0]!.body.code).toBe('Throttling')
  })

  test('are there by themselves when the simulator has a clock', async () => {
    const simulator = await start({ timeScale: 0.02 })
    const make = () => answerOf('MM', messages('qwen-image-max'), { simulator })

    const answers = await Promise.all([make(), make(), make()])

    expect(answers.map(answer => answer.status).sort()).toEqual([200, 200, 429])
  })

  test('stay out of the way of tests', async () => {
    const statuses = await Promise.all(Array.from({ length: 6 }, async () => (await answerOf('MM', body)).status))

    expect(new Set(statuses)).toEqual(new Set([200]))
  })
})

describe('words in the prompt', () => {
  const said = (prompt: string) => messages('qwen-image-2.0', { size: '512*512', n: 2 }, [], prompt)

  test.each([
    ['[[input-blocked]]', 400, 'DataInspectionFailed', 'Input data may contain inappropriate content.'],
    ['[[output-blocked]]', 400, 'DataInspectionFailed', 'Output data may contain inappropriate content.'],
    ['[[infringement]]', 400, 'IPInfringementSuspect', 'Input data is suspected of being involved in IP infringement.'],
    ['[[429]]', 429, 'Throttling.RateQuota', 'Requests rate limit exceeded, please try again later.'],
    ['[[quota]]', 429, 'Throttling.AllocationQuota', 'Allocated quota exceeded, please increase your quota limit.'],
    [
      '[[500]]',
      500,
      'InternalError',
      'An internal error has occured, please try again later or contact service support.',
    ],
    ['[[timeout]]', 500, 'RequestTimeOut', 'Request timed out, please try again later.'],
    ['[[503]]', 503, 'ModelUnavailable', 'Model is unavailable, please try again later.'],
  ])('%s', async (prompt, status, code, message) => {
    const answer = await answerOf('MM', said(`a boat ${prompt}`))

    expect([answer.status, answer.body.code, answer.body.message]).toEqual([status, code, message])
    expect(qwen.billed).toEqual([])
  })

  test('3.0 words its refusal in its own way', async () => {
    const { body } = await answerOf('MM', messages('qwen-image-3.0', {}, [], '[[input-blocked]]'))

    expect(body.message).toBe('Green net check rejected text (input)')
  })

  test('[[503-html]] is the page of a gateway', async () => {
    const response = await submit('MM', said('[[503-html]]'))

    expect([response.status, response.headers.get('content-type')]).toEqual([503, 'text/html'])
    expect(await response.text()).toMatch(/^<html>/)
  })

  test('[[partial]] loses one picture, which only old routes tell', async () => {
    const now = await answerOf('MM', said('[[partial]]'))
    const later = await ended(old('wan2.2-t2i-flash', { n: 2, size: '512*512' }, { prompt: '[[partial]]' }), 'T2I')

    expect(imagesOf(now.body)).toHaveLength(1)
    expect(later.output).toMatchObject({
      task_status: 'SUCCEEDED',
      results: [
        { url: expect.any(String) },
        { code: 'DataInspectionFailed', message: 'Output data may contain inappropriate content.' },
      ],
      task_metrics: { TOTAL: 2, SUCCEEDED: 1, FAILED: 1 },
    })
    expect(later.usage).toEqual({ image_count: 1 })
    expect(qwen.billed).toHaveLength(2)
  })

  test('[[empty]] is a 200 without a picture', async () => {
    const { status, body } = await answerOf('MM', said('[[empty]]'))

    expect([status, imagesOf(body)]).toEqual([200, []])
    expect(qwen.billed).toEqual([])
  })

  test('a verdict on the prompt comes late on old routes and at once on the new one', async () => {
    const late = await ended(old('wan2.2-t2i-flash', { n: 1 }, { prompt: '[[input-blocked]]' }), 'T2I')
    const atOnce = await answerOf('IG', messages('wan2.7-image', { n: 1 }, [], '[[input-blocked]]'))
    const failed = await ended(messages('wan2.7-image', { n: 1 }, [], '[[fail-task]]'), 'IG')
    const blocked = await ended(messages('wan2.7-image', { n: 1 }, [], '[[output-blocked]]'), 'IG')

    expect(late.output).toMatchObject({ task_status: 'FAILED', code: 'DataInspectionFailed' })
    expect(atOnce.status).toBe(400)
    expect(failed.output).toMatchObject({ task_status: 'FAILED', code: 'InternalError.Algo' })
    expect(blocked.output).toMatchObject({ task_status: 'FAILED', code: 'DataInspectionFailed' })
    expect(qwen.billed).toEqual([])
  })

  test('[[slow:…]] takes real seconds, on tasks too', async () => {
    const began = Date.now()

    await answerOf('MM', said('[[slow:0.1]]'))
    const synchronous = Date.now() - began
    const { body } = await answerOf('IG', messages('wan2.7-image', { n: 1 }, [], '[[slow:0.6]]'))
    const looks = [1, 2, 3].map(() => get(`/tasks/${body.output!.task_id}`))

    expect(synchronous).toBeGreaterThanOrEqual(99)
    for (const look of await Promise.all(looks)) expect(look.body.output!.task_status).not.toBe('SUCCEEDED')
    await expect.poll(() => qwen.tasks().at(-1)!.status).toBe('SUCCEEDED')
  })

  test('a client that goes away is billed all the same', async () => {
    await goAway('[[slow:0.5]]')

    await expect.poll(() => qwen.billed).toHaveLength(2)
  })

  test('[[hang]] never answers and never bills', async () => {
    await goAway('[[hang]]')

    expect(qwen.billed).toEqual([])
  })

  /** Sends a request, and gives up as soon as the service knows of it. */
  async function goAway(prompt: string) {
    const before = qwen.requests.length
    const client = new AbortController()
    const answer = fetch(`${qwen.baseUrl}${paths.MM}`, {
      method: 'POST',
      headers: { ...authorization(), 'content-type': 'application/json' },
      body: JSON.stringify(said(prompt)),
      signal: client.signal,
    })
    await expect.poll(() => qwen.requests[before]?.body).toBeTruthy()
    client.abort()
    await expect(answer).rejects.toThrow()
  }

  test('[[cut]] bills and drops the answer', async () => {
    await expect(submit('MM', said('[[cut]]'))).rejects.toThrow()

    expect(qwen.billed).toHaveLength(2)
  })
})

describe('faults', () => {
  const body = messages('qwen-image-2.0', { size: '512*512', n: 3 })
  const task = messages('wan2.7-image', { n: 1 })

  test('a cut submit leaves a task that the list can find', async () => {
    const simulator = await start({})
    simulator.misbehave({ kind: 'cut', after: 'request', billed: true })

    await expect(submit('IG', task, { simulator })).rejects.toThrow()
    const { body: list } = await get('/tasks/?model_name=wan2.7-image', { simulator })
    const id = (list.data as { task_id: string }[])[0]!.task_id
    await get(`/tasks/${id}`, { simulator })
    const orphan = await get(`/tasks/${id}`, { simulator })

    expect(list.data).toHaveLength(1)
    expect(orphan.body.output!.task_status).toBe('SUCCEEDED')
    expect(simulator.billed).toHaveLength(1)
  })

  test('a cut that is not billed leaves nothing', async () => {
    const simulator = await start({})
    simulator.misbehave({ kind: 'cut', after: 'request', billed: false })

    await expect(submit('IG', task, { simulator })).rejects.toThrow()

    expect([simulator.tasks(), simulator.billed]).toEqual([[], []])
  })

  test.each(['headers', 'half-body'] as const)('a cut after %s has a status and no whole body', async after => {
    qwen.misbehave({ kind: 'cut', after })

    const response = await submit('MM', body)

    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
    expect(qwen.billed).toHaveLength(3)
  })

  test('an error may come before or after the pictures were made', async () => {
    qwen.misbehave({ kind: 'status', status: 500, body: { code: 'InternalError', message: 'x' } })
    qwen.misbehave({ kind: 'status', status: 504, body: '', billed: true })

    const statuses = [
      (await submit('MM', body)).status,
      (await submit('MM', body)).status,
      (await submit('MM', body)).status,
    ]

    expect(statuses).toEqual([500, 504, 200])
    expect(qwen.billed).toHaveLength(6)
  })

  test('pictures may be missing or fail one by one', async () => {
    qwen.misbehave({ kind: 'fewer', count: 2 })
    qwen.misbehave({ kind: 'partial', failIndexes: [0] })
    qwen.misbehave({ kind: 'partial', failIndexes: [0, 2] })

    const fewer = await answerOf('MM', body)
    const partial = await answerOf('MM', body)
    const told = await ended(old('wan2.2-t2i-flash', { n: 3, size: '512*512' }), 'T2I')

    expect([imagesOf(fewer.body).length, imagesOf(partial.body).length]).toEqual([2, 2])
    expect(told.output!.results!.map(result => result.code ?? 'fine')).toEqual([
      'DataInspectionFailed',
      'fine',
      'DataInspectionFailed',
    ])
  })

  test('a refusal of everything comes in all its forms', async () => {
    qwen.misbehave({ kind: 'all-refused' })
    qwen.misbehave({ kind: 'all-refused', form: 'top-level' })
    qwen.misbehave({ kind: 'all-refused', form: 'empty' })
    qwen.misbehave({ kind: 'all-refused', form: 'items' })

    const answers = [await answerOf('MM', body), await answerOf('MM', body), await answerOf('MM', body)]
    const items = await ended(old('wan2.2-t2i-flash', { n: 3, size: '512*512' }), 'T2I')

    expect(answers.map(answer => [answer.status, answer.body.code])).toEqual([
      [400, 'DataInspectionFailed'],
      [200, 'DataInspectionFailed'],
      [200, undefined],
    ])
    expect(items.output!.task_status).toBe('FAILED')
    expect(qwen.billed).toEqual([])
  })

  test('looks at tasks and downloads can go wrong too', async () => {
    const { body: made } = await answerOf('IG', task)
    const path = `/tasks/${made.output!.task_id}`
    qwen.misbehave({ kind: 'status', status: 502, body: '<html></html>' }, { target: 'task' })
    qwen.misbehave({ kind: 'cut', after: 'half-body' }, { target: 'task' })
    const look = () => fetch(`${qwen.baseUrl}${path}`, { headers: authorization() })

    const broken = await look()
    const cut = await look()
    await expect(cut.text()).rejects.toThrow()
    await get(path)
    const done = await get(path)
    qwen.misbehave({ kind: 'download', how: 'cut' })
    const url = imagesOf(done.body)[0]!

    expect(broken.status).toBe(502)
    await expect(fetch(url).then(response => response.arrayBuffer())).rejects.toThrow()
    expect((await download(url)).size).toBe('2048*2048')
  })

  test('a slow answer and a senseless one', async () => {
    qwen.misbehave({ kind: 'slow', ms: 80 })
    qwen.misbehave({ kind: 'garbage', body: '<html>hello</html>', contentType: 'text/html' })
    const began = Date.now()

    const slow = await submit('MM', body)
    const took = Date.now() - began
    const garbage = await submit('MM', body)

    expect([slow.status, garbage.status, await garbage.text()]).toEqual([200, 200, '<html>hello</html>'])
    expect(took).toBeGreaterThanOrEqual(79)
    expect(qwen.billed).toHaveLength(3)
  })
})

describe('text with pictures between', () => {
  const story = messages(
    'wan2.6-image',
    { enable_interleave: true, stream: true, max_images: 2 },
    [],
    'how to fold a boat',
  )
  const headers = { 'X-DashScope-SSE': 'enable', accept: 'text/event-stream' }

  const events = (text: string) =>
    text
      .split('\n\n')
      .filter(Boolean)
      .map(event => JSON.parse(/^data:(.*)$/m.exec(event)![1]!) as Answer)

  test('comes as a stream on the synchronous route', async () => {
    const response = await submit('MM', story, { headers })
    const all = events(await response.text())

    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(all.flatMap(imagesOf)).toHaveLength(2)
    expect(all.slice(0, -1).map(event => event.output!.choices![0]!.message.content[0]!.type)).toEqual([
      'text',
      'image',
      'text',
      'image',
    ])
    expect(all[0]!.output!.choices![0]!.finish_reason).toBe('null')
    expect(all.at(-1)).toMatchObject({
      output: { finished: true, choices: [{ finish_reason: 'stop' }] },
      usage: { image_count: 2 },
    })
    expect(qwen.billed).toHaveLength(2)
  })

  test('needs the header of a stream, one picture at most and a small number', async () => {
    const refused = async (body: object, given = headers as Record<string, string>) =>
      (await answerOf('MM', body, { headers: given })).body.message

    expect(await refused(story, {})).toMatch(/streaming/)
    expect(await refused(messages('wan2.6-image', { ...story.parameters, max_images: 6 }))).toMatch(/max_images/)
    expect(await refused(messages('wan2.6-image', { ...story.parameters, n: 2 }))).toMatch(/^Range of n/)
    expect(await refused(messages('wan2.6-image', story.parameters, [pictures.wide, pictures.wide]))).toMatch(
      /0~1 image/,
    )
  })

  test('comes whole in a task', async () => {
    const done = await ended(messages('wan2.6-image', { enable_interleave: true, max_images: 2 }), 'IG')

    expect(done.output!.choices![0]!.message.content.map(item => item.type)).toEqual(['text', 'image', 'text', 'image'])
  })

  test('can be cut after some events, all pictures billed', async () => {
    qwen.misbehave({ kind: 'cut', after: 'n-events', n: 2 })
    const response = await submit('MM', story, { headers })
    const decoder = new TextDecoder()
    let text = ''

    await expect(
      (async () => {
        for await (const piece of response.body!) text += decoder.decode(piece, { stream: true })
      })(),
    ).rejects.toThrow()

    expect(events(text).flatMap(imagesOf)).toHaveLength(1)
    expect(qwen.billed).toHaveLength(2)
  })

  test('can be split anywhere and can end without its end', async () => {
    qwen.misbehave({ kind: 'stream', how: 'split-chunks' })
    const split = events(await (await submit('MM', story, { headers })).text())
    qwen.misbehave({ kind: 'stream', how: 'no-completed' })
    const open = events(await (await submit('MM', story, { headers })).text())

    expect(split.at(-1)!.output!.finished).toBe(true)
    expect(open.at(-1)!.output!.finished).toBe(false)
  })
})
