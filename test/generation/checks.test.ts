import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openApp, startApp, type TestApp } from '../support/app.ts'
import { png } from '../support/pictures.ts'

/** What is refused before anything is sent: [what, model, parameters, path of the fault, what the sentence must hold]. */
const refused: [string, string, Record<string, unknown>, string, RegExp][] = [
  [
    'an area under the floor',
    'doubao-seedream-4-0-20260415',
    { size: '640x640' },
    'parameters.size',
    /921,600.*960x960 would work/,
  ],
  ['a tier the model lacks', 'doubao-seedream-4-0-20260415', { size: '3K' }, 'parameters.size', /1K, 2K, 4K/],
  [
    'a ratio too wide',
    'doubao-seedream-4-0-20260415',
    { size: '16384x512' },
    'parameters.size',
    /too wide.*would work/,
  ],
  [
    'an area above the ceiling',
    'doubao-seedream-5-0-pro-260628',
    { size: '4096x4096' },
    'parameters.size',
    /4,624,220.*would work/,
  ],
  [
    'a size that is no size',
    'qwen-image-3.0',
    { size: 'large' },
    'parameters.size',
    /not one that qwen-image-3\.0 takes/,
  ],
  ['a size that is a number', 'qwen-image-3.0', { size: 1024 }, 'parameters.size', /must be a string/],
  [
    'a size off the list',
    'qwen-image-plus',
    { size: '1024x1024' },
    'parameters.size',
    /1664x928.*1328x1328 is the nearest/,
  ],
  ['a side out of bounds', 'wan2.2-t2i-flash', { size: '2048x256' }, 'parameters.size', /512 to 1440.*would work/],
  ['a ratio nobody has', 'qwen-image-plus', { size: '2:1' }, 'parameters.size', /no size of the ratio 2:1/],
  ['a ratio of nothing', 'qwen-image-3.0', { size: '0:1' }, 'parameters.size', /not a ratio/],
  ['no area', 'qwen-image-3.0', { size: '0x1024' }, 'parameters.size', /no area/],
  ['too many pictures', 'qwen-image-2.0', { n: 11 }, 'parameters.n', /at most 10/],
  ['too many of a group', 'doubao-seedream-4-0-20260415', { n: 16 }, 'parameters.n', /at most 15/],
  ['no picture at all', 'qwen-image-2.0', { n: 0 }, 'parameters.n', /at least 1/],
  ['half a picture', 'qwen-image-2.0', { n: 1.5 }, 'parameters.n', /whole number/],
  ['a count in words', 'qwen-image-2.0', { n: '2' }, 'parameters.n', /whole number/],
  ['a seed out of range', 'qwen-image-2.0', { seed: -1 }, 'parameters.seed', /at least 0/],
  [
    'a value off the list',
    'doubao-seedream-5-0-pro-260628',
    { output_format: 'webp' },
    'parameters.output_format',
    /png.*jpeg|jpeg.*png/,
  ],
  ['a switch in words', 'qwen-image-2.0', { watermark: 'no' }, 'parameters.watermark', /true or false/],
  ['a name that nobody knows', 'qwen-image-2.0', { colour: 'red' }, 'parameters.colour', /No model has a parameter/],
  [
    'a name nearly known',
    'qwen-image-2.0',
    { negativePrompt: 'x' },
    'parameters.negativePrompt',
    /Did you mean "negative_prompt"/,
  ],
  ['an editor without a picture', 'qwen-image-edit-plus', {}, 'images', /give it a reference picture/],
  [
    'a transparent background without a picture',
    'doubao-seedream-5-0-pro-260628',
    { background: 'transparent' },
    'images',
    /./,
  ],
]

describe('a request that the model would refuse', () => {
  let shared: TestApp
  beforeAll(async () => {
    shared = await openApp()
  })
  afterAll(() => shared.close())

  test.each(refused)(
    '%s is a 422 that names the limit, and nothing is sent',
    async (_, model, parameters, path, sentence) => {
      const answer = await shared.call('POST', '/api/generate', { prompt: 'a lighthouse', model, parameters })

      expect(answer.status).toBe(422)
      expect(answer.body).toMatchObject({ code: 'invalid_request', errors: [{ path }] })
      expect(answer.body.errors[0].message).toMatch(sentence)
      expect([...shared.doubao.requests, ...shared.qwen.requests]).toEqual([])
    },
  )

  test('every fault is told at once', async () => {
    const parameters = { size: '1024x1024', n: 99, colour: 'red' }

    const answer = await shared.call('POST', '/api/generate', { prompt: ' ', model: 'qwen-image-2.0', parameters })

    const paths = answer.body.errors.map((fault: { path: string }) => fault.path)
    expect(paths.sort()).toEqual(['parameters.colour', 'parameters.n', 'prompt'])
  })

  test('a prompt of blanks is refused, but not where a picture is only taken apart', async () => {
    for (const model of ['doubao-seedream-5-0-pro-260628', 'doubao-seedream-5-5-261028', 'qwen-image-2.0']) {
      const answer = await shared.call('POST', '/api/generate', { prompt: ' \n ', model })
      expect([answer.status, answer.body.errors?.[0]?.path], model).toEqual([422, 'prompt'])
    }
    expect(shared.doubao.requests).toEqual([])

    const layers = { model: 'doubao-seedream-5-0-pro-260628', parameters: { layer_decomposition: true } }
    const image = `data:image/png;base64,${(await png(640, 640)).toString('base64')}`
    const taken = await shared.call('POST', '/api/generate', { prompt: '', images: [image], ...layers })
    expect(taken.status).toBe(200)
    shared.doubao.requests.length = 0
  })

  test('the size that a refusal proposes is taken', async () => {
    for (const [, model, parameters] of refused) {
      const first = await shared.call('POST', '/api/generate', { prompt: 'a lighthouse', model, parameters })
      const proposal = /(\d+x\d+) would work/.exec(first.body.errors?.[0]?.message ?? '')?.[1]
      if (!proposal) continue

      const second = await shared.call('POST', '/api/generate', {
        prompt: 'a lighthouse',
        model,
        parameters: { size: proposal },
      })

      expect(second.status, `${model} ${proposal}`).toBe(200)
    }
  })

  test('too many references are refused before any is fetched', async () => {
    const images = Array.from({ length: 4 }, (_, index) => `https://reference.example/${index}.png`)

    const answer = await shared.call('POST', '/api/generate', { prompt: 'x', model: 'qwen-image-2.0', images })

    const values = { model: 'qwen-image-2.0', max: 3, got: 4 }
    expect(answer.body.errors).toEqual([
      { path: 'images', code: 'too_many_references', values, message: expect.stringMatching(/at most 3/) },
    ])
  })
})

test('what a model cannot honour is left out and named', async () => {
  const app = await startApp()

  const generation = await app.generate({
    prompt: 'a lighthouse',
    model: 'doubao-seedream-4-0-20260415',
    parameters: { negative_prompt: 'people', seed: 7, guidance_scale: 3 },
  })

  expect(generation.warnings.map(warning => warning.parameter).sort()).toEqual([
    'guidance_scale',
    'negative_prompt',
    'seed',
  ])
  expect(generation.parameters).toEqual({ negative_prompt: 'people', seed: 7, guidance_scale: 3 })
  const body = app.doubao.requests.find(request => request.method === 'POST')?.body
  expect(Object.keys(body as object).sort()).toEqual(['model', 'prompt', 'response_format', 'size', 'watermark'])
})
