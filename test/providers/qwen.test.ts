import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterEach, describe, expect, test } from 'vitest'
import { checkRequest } from '../../src/catalogue/checks.ts'
import type { JsonObject, Model, ReferenceFacts } from '../../src/catalogue/model.ts'
import { resolveSize } from '../../src/catalogue/sizes.ts'
import { describeViolation, InvalidRequest, type Violation } from '../../src/catalogue/violation.ts'
import { createHttp } from '../../src/outgoing/client.ts'
import { type Concern, type Disposition, ExchangeError, type FailureCode } from '../../src/outgoing/failure.ts'
import type { OutgoingHttp } from '../../src/outgoing/http.ts'
import type { Context, Learned, Plan, RawAnswer } from '../../src/providers/provider.ts'
import { qwen } from '../../src/providers/qwen/qwen.ts'
import { writeAndCut } from '../support/cut.ts'
import { knownNames } from '../support/names.ts'
import { type QwenCase, qwenCases } from './qwen.cases.ts'

// ── Planning ────────────────────────────────────────────────────────────────────────────────────────────────────────

function modelOf(id: string): Model {
  const model = qwen.models.find(model => model.id === id || model.aliases?.includes(id)) ?? qwen.unlisted(id, false)
  if (!model) throw new Error(`${id} is unknown`)
  return model
}

const picture: ReferenceFacts = { mimeType: 'image/png', width: 1024, height: 1024, transparent: false }

type Asked = { model: string; references?: number | ReferenceFacts[] } & Partial<
  Pick<QwenCase['request'], 'prompt' | 'parameters'>
>

function checked({ model: id, references = 0, prompt = 'a boat', parameters = {} }: Asked) {
  const count = Array.isArray(references) ? references.length : references
  return checkRequest(modelOf(id), { prompt, parameters, references: count }, knownNames)
}

/** Plans a request given in the vocabulary of the API. */
function planned(asked: Asked): Plan {
  const model = modelOf(asked.model)
  const references = Array.isArray(asked.references)
    ? asked.references
    : Array.from({ length: asked.references ?? 0 }, () => picture)
  const { count, size, parameters, sizeRule } = checked(asked)
  const resolved = sizeRule ? resolveSize(sizeRule, model.id, size, references.at(-1)) : {}
  if ('violation' in resolved) throw new InvalidRequest([resolved.violation])
  return qwen.plan(
    { modelId: asked.model, prompt: asked.prompt ?? 'a boat', count, size: resolved.size, parameters, references },
    model,
  )
}

/** Of the checks that are common to all providers, and of the adapter's own. */
function violationsOf(asked: Asked) {
  const found: Violation[] = [...checked(asked).violations]
  try {
    planned(asked)
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error
    found.push(...error.violations)
  }
  return found.map(violation => ({ path: violation.path, message: describeViolation(violation) }))
}

describe('what is sent', () => {
  test.each(qwenCases)('$name', ({ request, route, body }) => {
    const { calls } = planned(request)

    expect(calls).toHaveLength(1)
    // References take their time on a slow line, and only then begin the 300 s of the service.
    const synchronous = request.references > 0 ? 630_000 : 330_000
    expect(calls[0]).toMatchObject({ route, timeoutMs: route === 'MM' ? synchronous : 300_000 })
    expect(calls[0]!.body).toEqual(body)
  })

  test('every id of the catalogue has a case, and those that take references one with some', () => {
    const sent = new Set(qwenCases.map(({ request }) => modelOf(request.model).id))

    expect([...sent].sort()).toEqual(qwen.models.map(model => model.id).sort())
    for (const model of qwen.models.filter(model => model.references.max > 0)) {
      const most = Math.max(
        ...qwenCases.filter(one => modelOf(one.request.model) === model).map(one => one.request.references),
      )
      expect(most, model.id).toBeGreaterThan(0)
    }
  })

  test('more pictures than one call makes become several calls with seeds of their own', () => {
    const { calls, resolved } = planned({ model: 'wan2.2-t2i-flash', parameters: { n: 10, seed: 2_147_483_640 } })

    expect(calls.map(call => call.images)).toEqual([4, 4, 2])
    expect(calls.map(call => call.body.parameters)).toMatchObject([
      { n: 4, seed: 2_147_483_640 },
      { n: 4, seed: 2_147_483_644 },
      { n: 2, seed: 0 },
    ])
    expect(resolved).toEqual({ size: '1024x1024', n: 10, seed: 2_147_483_640, prompt_extend: true, watermark: false })
  })

  test('without a seed the calls have none, so that they differ', () => {
    const { calls } = planned({ model: 'qwen-image-max', parameters: { n: 3 } })

    expect(calls).toHaveLength(3)
    for (const call of calls) {
      expect(call.body.parameters).toEqual({ size: '1664*928', n: 1, prompt_extend: true, watermark: false })
    }
  })

  test('an editor without n makes several pictures by several calls and never sends n', () => {
    const { calls } = planned({ model: 'qwen-image-edit', parameters: { n: 2, seed: 5 }, references: 1 })

    expect(calls.map(call => call.body.parameters)).toEqual([
      { seed: 5, watermark: false },
      { seed: 6, watermark: false },
    ])
  })

  test('a series and a story may come out shorter; plain pictures may not', () => {
    const series = planned({ model: 'wan2.7-image', parameters: { enable_sequential: true, n: 12 } })
    const story = planned({ model: 'wan2.6-image', parameters: { n: 5 } })
    const plain = planned({ model: 'wan2.7-image', parameters: { n: 10 } })

    expect(series.calls).toMatchObject([{ images: 12, mayMakeFewer: true }])
    expect(story.calls).toMatchObject([{ images: 5, mayMakeFewer: true }])
    expect(plain.calls.map(call => [call.images, call.mayMakeFewer])).toEqual([
      [4, undefined],
      [4, undefined],
      [2, undefined],
    ])
  })

  test('an edit with 3.0 takes the ratio of the last reference at the cheaper tier', () => {
    const wide = { ...picture, width: 1600, height: 900 }

    const { calls, resolved } = planned({ model: 'qwen-image-3.0-pro', references: [picture, wide] })

    expect(calls[0]!.body.parameters).toMatchObject({ size: '1664*928' })
    expect(resolved).toMatchObject({ size: '1664x928' })
  })

  test('what has no effect in a combination is left out and said', () => {
    const thinking = planned({ model: 'wan2.7-image', parameters: { thinking_mode: true }, references: 1 })
    const quiet = planned({
      model: 'qwen-image-3.0',
      parameters: { prompt_extend: false, enable_thinking: true, prompt_extend_mode: 'direct' },
    })
    const strength = planned({ model: 'wanx-v1', parameters: { ref_strength: 0.5 } })
    const story = planned({ model: 'wan2.6-image', parameters: { enable_interleave: true, prompt_extend: true } })

    expect(thinking.warnings.map(warning => warning.parameter)).toEqual(['thinking_mode'])
    expect(thinking.calls[0]!.body.parameters).toEqual({ size: '2K', n: 1, watermark: false })
    expect(quiet.warnings.map(warning => warning.parameter)).toEqual(['enable_thinking', 'prompt_extend_mode'])
    expect(quiet.calls[0]!.body.parameters).not.toHaveProperty('enable_thinking')
    expect(strength.warnings.map(warning => warning.parameter)).toEqual(['ref_strength'])
    expect(story.warnings.map(warning => warning.parameter)).toEqual(['prompt_extend'])
  })

  test('a model that tells stories without references says that it does', () => {
    const { warnings } = planned({ model: 'wan2.6-image' })

    expect(warnings.map(warning => warning.parameter)).toEqual(['enable_interleave'])
  })

  test('a negative prompt that the service cuts is sent whole and warned of, where a bound is documented', () => {
    const long = { negative_prompt: '糊'.repeat(501) }
    const bounded = ['qwen-image-2.0', 'qwen-image-plus', 'wan2.6-t2i', 'wanx-v1', 'wan2.2-t2i-flash']

    for (const model of bounded) {
      const { warnings, calls } = planned({ model, parameters: long })

      expect(warnings, model).toEqual([
        {
          ...{ code: 'negative_prompt_cut', parameter: 'negative_prompt', values: { length: 501, most: 500 } },
          message: expect.stringMatching(/501 characters.*first 500/),
        },
      ])
      expect(JSON.stringify(calls[0]!.body), model).toContain(long.negative_prompt)
      expect(planned({ model, parameters: { negative_prompt: '糊'.repeat(500) } }).warnings, model).toEqual([])
    }
    expect(planned({ model: 'qwen-image-3.0', parameters: long }).warnings).toEqual([])
    for (const { id, parameters } of qwen.models) {
      if (parameters.negative_prompt) expect(parameters.negative_prompt, id).not.toHaveProperty('maxLength')
    }
  })

  test('every dated or regional spelling is sent as it is, in the form of its model', () => {
    const pairs = qwen.models.flatMap(model => (model.aliases ?? []).map(alias => [model.id, alias] as const))

    expect(pairs).toHaveLength(10)
    for (const [id, alias] of pairs) {
      const { references } = modelOf(id)
      const [plain] = planned({ model: id, references: references.min }).calls
      const [dated] = planned({ model: alias, references: references.min }).calls
      expect(dated).toEqual({ ...plain, body: { ...plain!.body, model: alias } })
    }
  })

  test('sizes that were measured or documented to be taken are not refused', () => {
    const sizeOf = (model: string, size: string) => planned({ model, parameters: { size } }).calls[0]!.body.parameters

    // qwen-image-max takes sides of 512 to 1664 (measured), though five sizes are documented.
    expect(sizeOf('qwen-image-max', '512x1664')).toMatchObject({ size: '512*1664' })
    expect(sizeOf('qwen-image-max', '1280x720')).toMatchObject({ size: '1280*720' })
    expect(() => sizeOf('qwen-image-max', '1680x928')).toThrow(/1664/)
    expect(() => sizeOf('qwen-image-plus', '1280x720')).toThrow(/only the sizes/)
    // No ratio is stated for 2.0.
    expect(sizeOf('qwen-image-2.0', '4096x256')).toMatchObject({ size: '4096*256' })
    expect(() => sizeOf('qwen-image-3.0', '4096x256')).toThrow(/8:1/)
    // The recommended sizes of wan2.6-t2i lie below its least area.
    for (const size of ['1280x1280', '1104x1472', '1472x1104', '960x1696', '1696x960']) {
      expect(sizeOf('wan2.6-t2i', size)).toMatchObject({ size: size.replace('x', '*') })
    }
  })

  test('the shape of a reference is bounded where a bound is documented', () => {
    const bounded = qwen.models.filter(model => model.references.maxRatio !== undefined).map(model => model.id)

    expect(bounded.sort()).toEqual(['wan2.6-image', 'wan2.7-image', 'wan2.7-image-pro'])
  })

  test('wan2.7 has no parameter for what it does not honour', () => {
    for (const id of ['wan2.7-image', 'wan2.7-image-pro']) {
      expect(Object.keys(modelOf(id).parameters)).not.toContain('negative_prompt')
      expect(Object.keys(modelOf(id).parameters)).not.toContain('prompt_extend')
    }
  })
})

describe('what is refused before it is sent', () => {
  const palette = (...ratios: string[]) => ratios.map(ratio => ({ hex: '#1A2B3C', ratio }))

  test.each<[string, Asked, string, RegExp]>([
    [
      'the agent with a reference',
      { model: 'qwen-image-3.0', parameters: { prompt_extend_mode: 'agent' }, references: 1 },
      'parameters.prompt_extend_mode',
      /"direct"/,
    ],
    [
      'a palette that does not add up',
      { model: 'wan2.7-image', parameters: { color_palette: palette('40.00%', '40.00%', '19.99%') } },
      'parameters.color_palette',
      /99\.99%.*100\.00%/,
    ],
    [
      'a palette of two colours',
      { model: 'wan2.7-image', parameters: { color_palette: palette('40.00%', '60.00%') } },
      'parameters.color_palette',
      /3 to 10/,
    ],
    [
      'boxes for fewer references than there are',
      { model: 'wan2.7-image', parameters: { bbox_list: [[]] }, references: 2 },
      'parameters.bbox_list',
      /each of the 2 references/,
    ],
    [
      'boxes without a reference',
      { model: 'wan2.7-image', parameters: { bbox_list: [[[0, 0, 1, 1]]] } },
      'parameters.bbox_list',
      /0 references/,
    ],
    [
      'three boxes in one reference',
      {
        model: 'wan2.7-image',
        parameters: {
          bbox_list: [
            [
              [0, 0, 1, 1],
              [0, 0, 1, 1],
              [0, 0, 1, 1],
            ],
          ],
        },
        references: 1,
      },
      'parameters.bbox_list.0',
      /at most 2/,
    ],
    [
      'a box that is turned inside out',
      { model: 'wan2.7-image', parameters: { bbox_list: [[[9, 0, 1, 1]]] }, references: 1 },
      'parameters.bbox_list.0.0',
      /x2 greater than x1/,
    ],
    [
      'eleven pictures that are no series',
      { model: 'wan2.7-image', parameters: { n: 11 } },
      'parameters.n',
      /n: 10.*enable_sequential/,
    ],
    [
      'thirteen pictures in a series',
      { model: 'wan2.7-image', parameters: { n: 13, enable_sequential: true } },
      'parameters.n',
      /at most 12/,
    ],
    ['six pictures in a story', { model: 'wan2.6-image', parameters: { n: 6 } }, 'parameters.n', /at most 5/],
    [
      'a story from two references',
      { model: 'wan2.6-image', parameters: { enable_interleave: true }, references: 2 },
      'images',
      /at most 1 reference/,
    ],
    [
      'an edit of nothing',
      { model: 'wan2.6-image', parameters: { enable_interleave: false } },
      'images',
      /at least 1 reference/,
    ],
    [
      'a mask for a function that takes none',
      { model: 'wanx2.1-imageedit', parameters: { function: 'colorization' }, references: 2 },
      'images',
      /"colorization" takes 1 reference/,
    ],
    [
      'an edit inside a mask without one',
      { model: 'wanx2.1-imageedit', parameters: { function: 'description_edit_with_mask' }, references: 1 },
      'images',
      /2 references/,
    ],
    [
      'a mask of another size',
      {
        model: 'wanx2.1-imageedit',
        parameters: { function: 'description_edit_with_mask' },
        references: [picture, { ...picture, width: 512 }],
      },
      'images',
      /512x1024.*1024x1024/,
    ],
  ])('%s', (_, asked, path, message) => {
    expect(violationsOf(asked)).toEqual([{ path, message: expect.stringMatching(message) }])
  })

  test.each<[string, JsonObject, number, { width: number; height: number } | { keyword: string }]>([
    ['4K in a series', { enable_sequential: true }, 0, { keyword: '4K' }],
    ['4K with a reference', {}, 1, { keyword: '4K' }],
    ['more than 2048² with a reference', {}, 1, { width: 4096, height: 2304 }],
  ])('%s, even when nobody checked the size before', (_, parameters, references, size) => {
    const request = { modelId: 'wan2.7-image-pro', prompt: 'a boat', count: 1, size, parameters }
    const plan = () =>
      qwen.plan(
        { ...request, references: Array.from({ length: references }, () => picture) },
        modelOf('wan2.7-image-pro'),
      )

    expect(plan).toThrow(InvalidRequest)
    expect(plan).toThrow(/2K|would work/)
  })

  test('all violations are told at once', () => {
    const asked = {
      model: 'wan2.7-image',
      parameters: { n: 11, color_palette: palette('1.00%', '1.00%', '1.00%'), bbox_list: [[]] },
    }

    expect(violationsOf(asked).map(violation => violation.path)).toEqual([
      'parameters.n',
      'parameters.color_palette',
      'parameters.bbox_list',
    ])
  })
})

describe('the catalogue', () => {
  test.each(qwen.models.map(model => [model.id, model] as const))('%s is whole', (_, model) => {
    const ajv = new Ajv2020({ strict: true })
    for (const [name, schema] of Object.entries(model.parameters)) {
      const takes = ajv.compile(schema)
      expect(schema.description, name).toMatch(/^[A-Z].*\.$/)
      if ('default' in schema) expect(takes(schema.default), name).toBe(true)
    }
    expect(model.parameters.watermark).toMatchObject({ default: false })
    expect(model.parameters.seed).toMatchObject({ minimum: 0, maximum: 2_147_483_647 })
    expect(model.images.max).toBeGreaterThanOrEqual(10)
    expect(model.textToImage || model.references.min > 0).toBe(true)
  })

  test('every size of a table is one that its rule takes, and every default too', () => {
    for (const model of qwen.models) {
      for (const rule of Object.values(model.sizes)) {
        const wanted = [
          ...Object.values(rule.table).flatMap(Object.values),
          ...Object.keys(rule.table),
          ...(rule.exact ?? []),
        ]
        for (const size of [...wanted, ...Object.keys(Object.values(rule.table)[0] ?? {})]) {
          const resolved = resolveSize(rule, model.id, size)
          expect(resolved, `${model.id} ${size}`).not.toHaveProperty('violation')
        }
        expect(resolveSize(rule, model.id, undefined), model.id).not.toHaveProperty('violation')
      }
    }
  })

  test('nothing of the 1K tier of 3.0 Pro costs the price of 2K', () => {
    const { sizes, price } = modelOf('qwen-image-3.0-pro')

    for (const size of Object.values(sizes.textToImage!.table['1K']!)) {
      const [width, height] = size.split('x').map(Number)
      expect(width! * height!).toBeLessThanOrEqual(price!.image[0]!.upToArea!)
    }
  })

  test.each([
    ['qwen-image-3.0-distill', 'qwen-image-3.0', 'IG'],
    ['qwen-image-2.0-2027-01-01', 'qwen-image-2.0', 'MM'],
    ['qwen-image-2.1-lite', 'qwen-image-2.1', 'MM'],
    ['qwen-image-plus-2027-01-01', 'qwen-image-max', 'MM'],
    ['qwen-image-max-2027-01-01', 'qwen-image-max', 'MM'],
    ['wan2.7-image-flash', 'wan2.7-image', 'IG'],
    ['wan2.6-t2i-us', 'wan2.6-t2i', 'IG'],
    ['wan2.2-t2i-ultra', 'wan2-t2i', 'T2I'],
    ['wanx2.1-t2i-mini', 'wan2-t2i', 'T2I'],
    ['wan2.5-t2i', 'wan2.5-t2i', 'T2I'],
    ['wanx-v2', 'wanx-v1', 'T2I'],
    ['z-image-pro', 'z-image', 'MM'],
    ['qwen-image-4.0', 'dashscope-unlisted', 'MM'],
    ['wan3.0-image', 'dashscope-unlisted', 'MM'],
  ])('%s, which is not listed, takes the form of %s, one picture a call', (id, family, route) => {
    const model = qwen.unlisted(id, false)

    expect(model).toMatchObject({ id, state: 'unlisted', family })
    const { calls } = planned({ model: id, parameters: { n: 2 } })
    expect(calls).toMatchObject([
      { route, images: 1, body: { model: id, parameters: { n: 1, watermark: false } } },
      { route, images: 1 },
    ])
  })

  test('an unlisted editor takes the form of editors', () => {
    const { calls } = planned({ model: 'qwen-image-edit-ultra', references: 1 })

    expect(calls[0]).toMatchObject({
      route: 'MM',
      body: { parameters: { n: 1, prompt_extend: true, watermark: false } },
    })
  })

  test('an id of another kind is taken only when someone says that it is of this service, and then cautiously', () => {
    for (const id of ['qwen-plus', 'wan2.5-t2v-preview', 'doubao-seedream-4-0', 'Qwen/Qwen-Image', 'dall-e-3']) {
      expect(qwen.unlisted(id, false), id).toBeUndefined()
    }
    const model = qwen.unlisted('my-endpoint', true)!
    const request = { modelId: 'my-endpoint', prompt: 'a boat', count: 1, parameters: {}, references: [] }
    const text = { messages: [{ role: 'user', content: [{ text: 'a boat' }] }] }

    expect(resolveSize(model.sizes.textToImage!, model.id, undefined)).toEqual({})
    expect(qwen.plan(request, model).calls).toMatchObject([{ route: 'MM', images: 1 }])
    expect(qwen.plan(request, model).calls[0]!.body).toEqual({
      model: 'my-endpoint',
      input: text,
      parameters: { n: 1, watermark: false },
    })
    expect(qwen.plan({ ...request, size: { width: 800, height: 600 } }, model).calls[0]!.body.parameters).toEqual({
      size: '800*600',
      n: 1,
      watermark: false,
    })
  })
})

// ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function answerOf(status: number, body: unknown, more: Partial<RawAnswer> = {}): RawAnswer {
  return { status, body: typeof body === 'string' ? body : JSON.stringify(body), complete: true, ...more }
}

function callOf(route: string, model = 'qwen-image-2.0', parameters: JsonObject = { n: 1 }) {
  return { route, body: { model, input: {}, parameters } }
}

const signed = (name: string) =>
  `https://dashscope-7c2c.oss-accelerate.aliyuncs.com/1d/8c/20261123/${name}.png?Expires=1795486400&OSSAccessKeyId=LTAIx&Signature=a%2Bb%2Fc%3D`

describe('answers with pictures', () => {
  test('one choice with many items', () => {
    const content = [{ image: signed('a') }, { image: signed('b') }]
    const body = {
      output: { choices: [{ finish_reason: 'stop', message: { role: 'assistant', content } }] },
      usage: { width: 1664, height: 928, image_count: 2 },
      request_id: 'd0250a3d',
    }

    expect(qwen.parse(answerOf(200, body), callOf('MM'))).toEqual({
      images: [
        { index: 0, url: signed('a'), expiresAt: 1_795_486_400_000 },
        { index: 1, url: signed('b'), expiresAt: 1_795_486_400_000 },
      ],
      failures: [],
      billedImages: 2,
      complete: true,
    })
  })

  test('many choices with one item, in the form of Wan, and text that is no picture', () => {
    const choice = (name: string) => ({
      finish_reason: 'stop',
      message: {
        role: 'assistant',
        content: [{ type: 'image', image: signed(name) }, { type: 'text', text: '' }, { text: 'x' }],
      },
    })
    const output = { task_id: 't', task_status: 'SUCCEEDED', finished: true, choices: [choice('a'), choice('b')] }
    const usage = { image_count: 2, size: '2048*2048' }

    const parsed = qwen.parse(answerOf(200, { output, usage }), callOf('IG', 'wan2.6-t2i', { n: 2 }))

    expect(parsed.images.map(picture => picture.url)).toEqual([signed('a'), signed('b')])
    expect(parsed).toMatchObject({ failures: [], billedImages: 2, complete: true })
    expect(parsed.revisedPrompt).toBeUndefined()
  })

  test('the usage of 3.0', () => {
    const output = { rewrite_status: 'success', choices: [{ message: { content: [{ image: signed('a') }] } }] }
    const usage = {
      output_width: 1024,
      output_image_count: 1,
      output_image_type: 'qima_output_1k',
      input_image_count: 0,
    }

    expect(qwen.parse(answerOf(200, { output, usage }), callOf('IG')).billedImages).toBe(1)
  })

  test('the older form, where one of two was held back', () => {
    const body = {
      request_id: 'r1',
      output: {
        task_status: 'SUCCEEDED',
        results: [
          { code: 'DataInspectionFailed', message: 'Output data may contain inappropriate content.' },
          { orig_prompt: 'A paper boat', actual_prompt: 'A small folded paper boat', url: signed('a') },
        ],
        task_metrics: { TOTAL: 2, SUCCEEDED: 1, FAILED: 1 },
      },
      usage: { image_count: 1 },
    }

    expect(qwen.parse(answerOf(200, body), callOf('T2I'))).toEqual({
      images: [{ index: 1, url: signed('a'), expiresAt: 1_795_486_400_000 }],
      failures: [
        {
          index: 0,
          code: 'content_rejected',
          disposition: 'refused',
          message: expect.stringContaining('held the picture back'),
          providerCode: 'DataInspectionFailed',
          providerMessage: 'Output data may contain inappropriate content.',
          requestId: 'r1',
        },
      ],
      revisedPrompt: 'A small folded paper boat',
      billedImages: 1,
      complete: true,
    })
  })

  test('the text beside a picture of z-image is the final prompt', () => {
    const message = { content: [{ image: signed('a') }, { text: 'A white lighthouse' }], reasoning_content: 'hm' }
    const answer = answerOf(200, { output: { choices: [{ message }] } })

    expect(qwen.parse(answer, callOf('MM', 'z-image-turbo')).revisedPrompt).toBe('A white lighthouse')
    expect(qwen.parse(answer, callOf('MM', 'qwen-image-2.0')).revisedPrompt).toBeUndefined()
  })

  test('the words of a story go with its pictures', () => {
    const content = [
      { type: 'text', text: 'Once' },
      { type: 'image', image: signed('a') },
      { type: 'image', image: signed('b') },
      { type: 'text', text: 'The end' },
    ]
    const answer = answerOf(200, { output: { choices: [{ message: { content } }] } })

    const parsed = qwen.parse(answer, callOf('IG', 'wan2.6-image', { enable_interleave: true, n: 1, max_images: 5 }))

    expect(parsed.images.map(picture => picture.details)).toEqual([{ text: 'Once' }, { text_after: 'The end' }])
  })

  test('the scheme is raised for hosts of Alibaba Cloud alone, and no other letter changes', () => {
    const urls = [
      'http://dashscope-result-bj.oss-cn-beijing.aliyuncs.com/a.png?Signature=a%2Bb+c%3D',
      'http://127.0.0.1:9000/a.png?Expires=1795486400&Signature=%2B%3D',
      'http://aliyuncs.com.example.org/a.png',
    ]
    const content = urls.map(image => ({ image }))
    const parsed = qwen.parse(answerOf(200, { output: { choices: [{ message: { content } }] } }), callOf('MM'))

    expect(parsed.images).toEqual([
      { index: 0, url: 'https://dashscope-result-bj.oss-cn-beijing.aliyuncs.com/a.png?Signature=a%2Bb+c%3D' },
      { index: 1, url: urls[1], expiresAt: 1_795_486_400_000 },
      { index: 2, url: urls[2] },
    ])
  })

  test('an item of an unknown kind is reported where a picture is missing, and not beside whole ones', () => {
    const content = [{ type: 'note', note: { secret: 'x' } }, { image: signed('a') }]
    const answer = answerOf(200, { output: { choices: [{ message: { content } }] } })

    const whole = qwen.parse(answer, callOf('MM', 'qwen-image-2.0', { n: 1 }))
    const short = qwen.parse(answer, callOf('MM', 'qwen-image-2.0', { n: 2 }))

    expect(whole).toMatchObject({ images: [{ index: 0 }], failures: [] })
    expect(short).toMatchObject({
      images: [{ index: 0 }],
      failures: [{ index: 1, disposition: 'maybe_billed', providerMessage: '{type: string, note: {secret: string}}' }],
    })
  })

  test('a picture in an answer that was cut is kept', () => {
    const whole = JSON.stringify({
      output: { choices: [{ message: { content: [{ image: signed('a') }, { image: signed('b') }] } }] },
    })
    const cut = whole.slice(0, whole.indexOf('b.png'))

    const parsed = qwen.parse(answerOf(200, cut, { complete: false }), callOf('MM'))

    expect(parsed).toEqual({
      images: [{ index: 0, url: signed('a'), expiresAt: 1_795_486_400_000 }],
      failures: [],
      complete: false,
    })
  })

  test('a picture is kept whatever else the answer says', () => {
    const body = { code: 'InternalError', output: { task_status: 'FAILED', results: [{ url: signed('a') }] } }

    expect(qwen.parse(answerOf(200, body), callOf('T2I')).images).toHaveLength(1)
  })

  test('parsing twice gives the same', () => {
    const answer = answerOf(200, { output: { results: [{ url: signed('a') }, { code: 'X' }] } })

    expect(qwen.parse(answer, callOf('T2I'))).toEqual(qwen.parse(answer, callOf('T2I')))
  })
})

type Expected = [FailureCode, Disposition, Concern?]

const keyRejected: Expected = ['provider_key_rejected', 'refused', 'configuration']
const noMoney: Expected = ['provider_quota_exhausted', 'refused', 'configuration']
const quota: Expected = ['provider_quota_exhausted', 'refused', 'model']
const noAccess: Expected = ['provider_access_denied', 'refused', 'model']
const unknownModel: Expected = ['provider_rejected', 'refused', 'model']
const rejected: Expected = ['provider_rejected', 'refused']
const moderated: Expected = ['content_rejected', 'refused']
const limited: Expected = ['rate_limited', 'retry_safe']
const unavailable: Expected = ['provider_unavailable', 'retry_safe']

const tail = ' For details, see: https://help.aliyun.com/zh/model-studio/error-code#error-url'

/** Status, code, the documented message, what it means. */
const documented: [number, string, string, Expected][] = [
  [401, 'InvalidApiKey', 'Invalid API-key provided.', keyRejected],
  [401, 'InvalidApiKey', 'No API-key provided.', keyRejected],
  [401, 'NOT AUTHORIZED', 'Workspace not authorized.', keyRejected],
  [401, 'Whatever', 'invalid access token or token expired.', keyRejected],
  [400, 'Arrearage', 'Access denied, please make sure your account is in good standing.', noMoney],
  [
    403,
    'AccessDenied.Unpurchased',
    'Access to model denied. Please make sure you are eligible for using the model.',
    noAccess,
  ],
  [403, 'AccessDenied', 'Access denied.', noAccess],
  [403, 'AccessDenied', 'current user api does not support synchronous calls.', rejected],
  [403, 'AccessDenied', 'Current user api does not support asynchronous calls.', rejected],
  [403, 'Model.AccessDenied', 'Model access denied.', noAccess],
  [403, 'Workspace.AccessDenied', 'Workspace access denied.', noAccess],
  [403, 'App.AccessDenied', 'App access denied.', noAccess],
  [403, 'Endpoint.AccessDenied', 'Workspace endpoint access denied.', noAccess],
  [403, 'AllocationQuota.FreeTierOnly', 'The free tier of the model has been exhausted.', quota],
  [404, 'ModelNotFound', 'Model can not be found.', unknownModel],
  [400, 'InvalidParameter', 'Model not exist.', unknownModel],
  [404, 'InvalidParameter', 'Model not exist.', unknownModel],
  [404, 'WorkSpaceNotFound', 'WorkSpace can not be found.', rejected],
  [404, 'NotFound', 'Not found!', rejected],
  [404, 'model_not_supported', 'Model is not supported.', unknownModel],
  [400, 'InvalidParameter', `url error, please check url！${tail}`, rejected],
  [400, 'InvalidParameter', 'Range of n should be [1, 4]', rejected],
  [
    400,
    'InvalidParameter',
    'Image area must be between 262144 and 4194304 pixels. Got area=9 (width=3, height=3).',
    rejected,
  ],
  [400, 'InvalidParameter', 'image format error', rejected],
  [400, 'InvalidParameter', 'Exceeded limit on max bytes per data-uri item : 10485760', rejected],
  [400, 'InvalidParameter', 'the size of input image is too small or too large.', rejected],
  [400, 'BadRequest.EmptyInput', 'Required input parameter missing from request.', rejected],
  [400, 'BadRequest.EmptyParameters', 'Required parameter "parameters" missing from request.', rejected],
  [400, 'BadRequest.EmptyModel', 'Required parameter "model" missing from request.', rejected],
  [400, 'BadRequest.IllegalInput', 'The input parameter requires json format.', rejected],
  [413, 'BadRequest.TooLarge', 'Payload Too Large.', rejected],
  [400, 'InvalidURL', 'The request URL is invalid, …', rejected],
  [400, 'InvalidURL.ConnectionRefused', 'Connection to xxx refused, please provide available URL.', rejected],
  [
    400,
    'InvalidURL.Timeout',
    'Download xxx timeout, please check network connection.',
    ['provider_rejected', 'retry_safe'],
  ],
  [
    400,
    'InvalidParameter.DataInspection',
    'Unable to download the media resource during the data inspection process.',
    ['provider_rejected', 'retry_safe'],
  ],
  [400, 'InvalidImageResolution', 'The input image resolution is too large or small.', rejected],
  [400, 'InvalidImageFormat', 'The input image is in invalid format.', rejected],
  [400, 'InvalidImage.FileFormat', 'Invalid file format.', rejected],
  [400, 'InvalidImage.ImageSize', 'Invalid image size.', rejected],
  [400, 'BadRequest.InputDownloadFailed', 'Failed to download the input file.', rejected],
  [400, 'BadRequest.UnsupportedFileFormat', 'Unsupported file format.', rejected],
  [400, 'DataInspectionFailed', 'Input data may contain inappropriate content.', moderated],
  [400, 'DataInspectionFailed', 'Output data may contain inappropriate content.', moderated],
  [400, 'DataInspectionFailed', 'Input or output data may contain inappropriate content.', moderated],
  [400, 'DataInspectionFailed', 'Green net check rejected text (input)', moderated],
  [400, 'IPInfringementSuspect', 'Input data is suspected of being involved in IP infringement.', moderated],
  [400, 'FaqRuleBlocked', 'Blocked.', moderated],
  [400, 'CustomRoleBlocked', 'Blocked.', moderated],
  [
    400,
    'UnsupportedOperation',
    'Failed to cancel the task, please confirm if the task is in PENDING status.',
    rejected,
  ],
  [429, 'Throttling', 'Requests throttling triggered.', limited],
  [429, 'Throttling', 'Too many requests in route. Please try again later.', limited],
  [429, 'Throttling.RateQuota', 'Requests rate limit exceeded, please try again later.', limited],
  [429, 'Throttling.BurstRate', 'Request rate increased too quickly.', limited],
  [429, 'Throttling.Concurrency', 'Too many running tasks.', limited],
  [429, 'Throttling.AllocationQuota', 'Allocated quota exceeded, please increase your quota limit.', limited],
  [429, 'Throttling.AllocationQuota', 'Free allocated quota exceeded.', quota],
  [429, 'Throttling.AllocationQuota', 'Your weekly quota has been exhausted.', quota],
  [429, 'CommodityNotPurchased', 'Commodity has not purchased yet.', noMoney],
  [429, 'PrepaidBillOverdue', 'The prepaid bill is overdue.', noMoney],
  [429, 'PostpaidBillOverdue', 'The postpaid bill is overdue.', noMoney],
  [
    500,
    'InternalError',
    'An internal error has occured, please try again later or contact service support.',
    unavailable,
  ],
  [500, 'SystemError', 'An system error has occured, please try again later.', unavailable],
  [500, 'ModelServiceFailed', 'Failed to request model service.', unavailable],
  [500, 'RewriteFailed', 'Failed to rewrite content for prompt.', unavailable],
  [500, 'InternalError.Algo', 'inference internal error.', unavailable],
  [500, 'InternalError.Algo', '<400> InternalError.Algo.InvalidParameter: bad prompt', rejected],
  [500, 'InternalError.FileUpload', 'oss upload error.', unavailable],
  [500, 'InternalError.Upload', 'Failed to upload result.', unavailable],
  [500, 'InternalError.Timeout', 'An internal timeout error has occured during execution.', unavailable],
  [500, 'RequestTimeOut', 'Request timed out, please try again later.', ['provider_timeout', 'maybe_billed']],
  [408, 'RequestTimeOut', 'Request timed out, please try again later.', ['provider_timeout', 'maybe_billed']],
  [
    500,
    'ModelServingError',
    'Too many requests. Your requests are being throttled due to system capacity limits.',
    unavailable,
  ],
  [
    503,
    'ModelServingError',
    'Too many requests. Your requests are being throttled due to system capacity limits.',
    unavailable,
  ],
  [503, 'ModelUnavailable', 'Model is unavailable, please try again later.', unavailable],
]

describe('answers with errors', () => {
  test.each(documented)('%i %s "%s"', (status, code, message, [failure, disposition, concerns]) => {
    for (const route of ['MM', 'IG', 'T2I', 'I2I']) {
      const parsed = qwen.parse(
        answerOf(status, { code, message, request_id: 'r9' }, { retryAfterMs: 2000 }),
        callOf(route),
      )

      expect(parsed).toEqual({
        images: [],
        failures: [],
        complete: true,
        error: {
          code: failure,
          disposition,
          message: expect.stringMatching(/^[A-Z].{20,}\.$/),
          providerCode: code,
          providerMessage: message,
          requestId: 'r9',
          retryAfterMs: 2000,
          concerns,
          isModelUnknown:
            code === 'Endpoint.AccessDenied' || /model.?not|model.*not/i.test(`${code} ${message}`) || undefined,
        },
      })
    }
  })

  test.each(documented)('as the end of a task: %i %s "%s"', (status, code, message, [failure, disposition]) => {
    const output = {
      task_id: 't',
      task_status: 'FAILED',
      code,
      message,
      task_metrics: { TOTAL: 1, SUCCEEDED: 0, FAILED: 1 },
    }

    const { error } = qwen.parse(answerOf(200, { request_id: 'r9', output }), callOf('IG'))

    // The status is gone, and with it what only the status told.
    const isToldByStatus = status === 401 && code === 'Whatever'
    expect(error?.code).toBe(isToldByStatus ? 'provider_rejected' : failure)
    // A task that failed is free.
    expect(error?.disposition).toBe(disposition === 'maybe_billed' ? 'retry_safe' : disposition)
  })

  test.each([
    'image format error',
    'download image failed',
    'Invalid image format or corrupted file',
    'the size of input image is too small or too large.',
    'Exceeded limit on max bytes per data-uri item : 10485760',
    'The provided URL does not appear to be valid. Ensure it is correctly formatted.',
  ])('"%s" finds fault with a reference', message => {
    const { error } = qwen.parse(answerOf(400, { code: 'InvalidParameter', message }), callOf('MM'))

    expect(error).toMatchObject({ code: 'provider_rejected', disposition: 'refused' })
    expect(error?.message).toMatch(/one of the references/)
  })

  test('a picture that is too heavy for moderation is no fault of a reference', () => {
    const message = 'The image size is not supported for the data inspection.'
    const { error } = qwen.parse(answerOf(400, { code: 'InvalidParameter', message }), callOf('MM'))

    expect(error).toMatchObject({ code: 'provider_rejected', disposition: 'refused' })
    expect(error?.message).toMatch(/smaller size/)
  })

  test.each([
    ['Input data may contain inappropriate content.', /prompt or a reference/],
    ['Output data may contain inappropriate content.', /another seed/],
  ])('moderation in the coat of a server error: %s', (words, meaning) => {
    const message = `<400> InternalError.Algo.DataInspectionFailed: ${words}`
    const { error } = qwen.parse(answerOf(500, { code: 'InternalError.Algo', message }), callOf('MM'))

    expect(error).toMatchObject({ code: 'content_rejected', disposition: 'refused' })
    expect(error?.message).toMatch(meaning)
  })

  test('a size that an older model refuses by failing the task', () => {
    const message = 'Either width or height should be between 512 and 1440'
    const output = { task_id: 't', task_status: 'FAILED', code: 'InvalidParameter', message }

    expect(qwen.parse(answerOf(200, { output }), callOf('T2I')).error).toMatchObject({
      code: 'provider_rejected',
      disposition: 'refused',
      providerMessage: message,
    })
  })

  test.each<[string, number, Expected]>([
    ['invalid_api_key', 401, keyRejected],
    ['data_inspection_failed', 400, moderated],
    ['model_not_found', 404, rejected],
    ['limit_requests', 429, limited],
    ['insufficient_quota', 429, quota],
    ['access_denied', 403, noAccess],
    ['AuthenticationError', 401, keyRejected],
    ['RateLimitError', 429, limited],
    ['BadRequestError', 400, rejected],
  ])('the other spelling %s', (code, status, [failure, disposition]) => {
    const nested = qwen.parse(
      answerOf(status, { error: { message: 'no', type: 'x', param: null, code } }),
      callOf('MM'),
    )

    expect(nested.error).toMatchObject({ code: failure, disposition, providerCode: code, providerMessage: 'no' })
  })

  test.each<[number, string, Expected]>([
    [502, 'MM', ['provider_unavailable', 'maybe_billed']],
    [503, 'MM', ['provider_unavailable', 'retry_safe']],
    [504, 'MM', ['provider_timeout', 'maybe_billed']],
    [500, 'MM', ['provider_unavailable', 'maybe_billed']],
    [502, 'IG', ['provider_unavailable', 'maybe_billed']],
    [503, 'IG', ['provider_unavailable', 'maybe_billed']],
    [503, 'T2I', ['provider_unavailable', 'maybe_billed']],
    [504, 'I2I', ['provider_timeout', 'maybe_billed']],
    [408, 'MM', ['provider_timeout', 'maybe_billed']],
    [429, 'MM', limited],
    [401, 'MM', keyRejected],
    [403, 'IG', noAccess],
    [404, 'MM', rejected],
    [413, 'MM', rejected],
    [302, 'MM', rejected],
    [418, 'MM', rejected],
  ])('a bare %i on %s', (status, route, [code, disposition]) => {
    const page = `<html><body>${'gateway '.repeat(100)}</body></html>`

    expect(qwen.parse(answerOf(status, page), callOf(route)).error).toMatchObject({
      code,
      disposition,
      providerMessage: page.slice(0, 300),
    })
    expect(qwen.parse(answerOf(status, ''), callOf(route)).error).toMatchObject({ code, disposition })
  })

  test('an unknown code counts by its status', () => {
    const unknown = (status: number) =>
      qwen.parse(answerOf(status, { code: 'BrandNew', message: 'x' }), callOf('IG')).error

    expect(unknown(400)).toMatchObject({ code: 'provider_rejected', disposition: 'refused', providerCode: 'BrandNew' })
    expect(unknown(429)).toMatchObject({ code: 'rate_limited', disposition: 'retry_safe' })
    expect(unknown(500)).toMatchObject({ code: 'provider_unavailable', disposition: 'maybe_billed' })
    expect(unknown(503)).toMatchObject({ code: 'provider_unavailable', disposition: 'retry_safe' })
  })

  test('the words of the service are shown without keys', () => {
    const message = 'Incorrect API key provided: sk-0123456789abcdef.'

    expect(qwen.parse(answerOf(401, { code: 'InvalidApiKey', message }), callOf('MM')).error?.providerMessage).toBe(
      'Incorrect API key provided: sk-….',
    )
  })

  test('a task that nobody knows may have been paid', () => {
    const answer = answerOf(200, { request_id: 'r', output: { task_id: 't', task_status: 'UNKNOWN' } })

    expect(qwen.parse(answer, callOf('IG')).error).toMatchObject({
      code: 'outcome_unknown',
      disposition: 'maybe_billed',
      requestId: 'r',
    })
  })

  test('a cancelled task is free', () => {
    const answer = answerOf(200, { output: { task_id: 't', task_status: 'CANCELED' } })

    expect(qwen.parse(answer, callOf('IG')).error).toMatchObject({ code: 'provider_rejected', disposition: 'refused' })
  })

  test('a failed task without a reason is refused', () => {
    const answer = answerOf(200, { output: { task_id: 't', task_status: 'FAILED' } })

    expect(qwen.parse(answer, callOf('IG')).error).toMatchObject({ code: 'provider_rejected', disposition: 'refused' })
  })

  test('a task that goes on has no end yet', () => {
    for (const task_status of ['PENDING', 'RUNNING', 'SUSPENDED']) {
      const answer = answerOf(200, { output: { task_id: 't', task_status } })

      expect(qwen.parse(answer, callOf('IG'))).toEqual({ images: [], failures: [], complete: false })
    }
  })

  test.each([
    ['no choices', { output: { choices: [] } }, 'provider_rejected', 'refused'],
    [
      'words only',
      { output: { choices: [{ message: { content: [{ text: 'Sorry' }] } }] } },
      'provider_rejected',
      'refused',
    ],
    [
      'a code with status 200',
      { code: 'DataInspectionFailed', message: 'Input data …' },
      'content_rejected',
      'refused',
    ],
    [
      'a bill without a picture',
      { output: { choices: [] }, usage: { image_count: 1 } },
      'provider_rejected',
      'maybe_billed',
    ],
    ['a deadline that passed', { code: 'RequestTimeOut', message: 'x' }, 'provider_timeout', 'maybe_billed'],
    ['no output at all', { request_id: 'x' }, 'provider_rejected', 'maybe_billed'],
    ['a list', '[]', 'outcome_unknown', 'maybe_billed'],
    ['a page', '<html>hello</html>', 'outcome_unknown', 'maybe_billed'],
    ['nothing', '', 'outcome_unknown', 'maybe_billed'],
  ])('status 200 with %s', (_, body, code, disposition) => {
    const parsed = qwen.parse(answerOf(200, body), callOf('MM'))

    expect(parsed).toMatchObject({ images: [], complete: true, error: { code, disposition } })
  })

  test('all pictures held back: each place and the whole say why', () => {
    const item = { code: 'DataInspectionFailed', message: 'Output data may contain inappropriate content.' }
    const parsed = qwen.parse(
      answerOf(200, { output: { task_status: 'SUCCEEDED', results: [item, item] } }),
      callOf('T2I'),
    )

    expect(parsed.failures.map(failure => [failure.index, failure.code])).toEqual([
      [0, 'content_rejected'],
      [1, 'content_rejected'],
    ])
    expect(parsed.error).toMatchObject({ code: 'content_rejected', disposition: 'refused' })
    expect(parsed.error).not.toHaveProperty('index')
  })

  test('nulls and numbers in every place break nothing', () => {
    const bodies: unknown[] = [
      { output: null, code: null, message: 3, usage: null, request_id: 4 },
      { output: { choices: null, results: null, task_status: 7 } },
      {
        output: {
          choices: [null, { message: null }, { message: { content: null } }, { message: { content: 'words' } }],
        },
      },
      { output: { results: [null, 3, [], { url: null }] } },
      'null',
      '3',
      '"x"',
      '{"output":',
    ]
    for (const body of bodies) {
      const parsed = qwen.parse(answerOf(200, body), callOf('T2I'))
      expect(parsed.images).toEqual([])
      expect(parsed.error).toBeDefined()
    }
  })
})

// ── Exchanges ───────────────────────────────────────────────────────────────────────────────────────────────────────

interface Heard {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: string
}

interface Reply {
  status?: number
  body: unknown
  headers?: Record<string, string>
  /** The connection breaks after this many characters of the body. */
  cutAfter?: number
}

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

/** A service on a free port that answers as told, and remembers what it heard. */
async function startService(answer: (heard: Heard) => Reply) {
  const heard: Heard[] = []
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', piece => pieces.push(piece))
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(pieces).toString('utf8'),
      }
      heard.push(one)
      const { status = 200, body, headers, cutAfter } = answer(one)
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      response.writeHead(status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        ...headers,
      })
      if (cutAfter === undefined) response.end(text)
      else writeAndCut(response, text.slice(0, cutAfter))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const http = createHttp({ allowedHosts: [], allowedOrigins: [origin] })
  closers.push(async () => {
    await http.close()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return { heard, origin, context: contextFor(`${origin}/api/v1`, http) }
}

function contextFor(baseUrl: string, http: OutgoingHttp, more: Partial<Context> = {}): Context {
  return {
    apiKey: 'sk-test-key',
    baseUrl,
    http,
    signal: new AbortController().signal,
    reference: async index => ({ mimeType: 'image/png', bytes: Buffer.from(`picture ${index}`) }),
    ...more,
  }
}

async function send(asked: Asked, context: Context): Promise<Learned[]> {
  const [call] = planned(asked).calls
  const learned: Learned[] = []
  for await (const one of qwen.send({ id: 'call', ...call! }, context)) learned.push(one)
  return learned
}

const pending = { output: { task_status: 'PENDING', task_id: '0f5c1c0e' }, request_id: '4b1c' }

describe('sending', () => {
  test('the synchronous route: path, headers, references in place, one raw answer', async () => {
    const body = { output: { choices: [{ message: { content: [{ image: signed('a') }] } }] }, request_id: 'r1' }
    const { heard, context } = await startService(() => ({ body }))

    const learned = await send({ model: 'qwen-image-edit-plus', prompt: '把杯子放到桌上', references: 2 }, context)

    expect(learned).toEqual([
      {
        type: 'answer',
        answer: {
          status: 200,
          contentType: 'application/json',
          requestId: 'r1',
          retryAfterMs: undefined,
          body: JSON.stringify(body),
          complete: true,
        },
      },
    ])
    expect(heard).toHaveLength(1)
    expect(heard[0]).toMatchObject({ method: 'POST', url: '/api/v1/services/aigc/multimodal-generation/generation' })
    expect(heard[0]!.headers).toMatchObject({ authorization: 'Bearer sk-test-key', 'content-type': 'application/json' })
    expect(heard[0]!.headers).not.toHaveProperty('x-dashscope-async')
    expect(JSON.parse(heard[0]!.body)).toEqual({
      model: 'qwen-image-edit-plus',
      input: {
        messages: [
          {
            role: 'user',
            content: [
              { image: `data:image/png;base64,${Buffer.from('picture 0').toString('base64')}` },
              { image: `data:image/png;base64,${Buffer.from('picture 1').toString('base64')}` },
              { text: '把杯子放到桌上' },
            ],
          },
        ],
      },
      parameters: { n: 1, prompt_extend: true, watermark: false },
    })
  })

  test.each([
    ['qwen-image-3.0', '/api/v1/services/aigc/image-generation/generation', 0],
    ['wan2.2-t2i-flash', '/api/v1/services/aigc/text2image/image-synthesis', 0],
    ['wanx2.1-imageedit', '/api/v1/services/aigc/image2image/image-synthesis', 1],
  ])('%s is submitted as a task', async (model, path, references) => {
    const { heard, context } = await startService(() => ({ body: pending }))

    const learned = await send({ model, references }, context)

    expect(learned).toEqual([{ type: 'task', taskId: '0f5c1c0e', requestId: '4b1c' }])
    expect(heard).toHaveLength(1)
    expect(heard[0]).toMatchObject({ method: 'POST', url: path })
    expect(heard[0]!.headers['x-dashscope-async']).toBe('enable')
    if (references > 0) {
      expect(JSON.parse(heard[0]!.body).input.base_image_url).toMatch(/^data:image\/png;base64,/)
    }
  })

  test('a refusal is an answer, with its pause and the id of a header', async () => {
    const reply = { code: 'Throttling.RateQuota', message: 'Requests rate limit exceeded, please try again later.' }
    const { context } = await startService(() => ({
      status: 429,
      body: reply,
      headers: { 'retry-after': '7', 'x-request-id': 'from-header' },
    }))

    const [learned] = await send({ model: 'wan2.6-t2i' }, context)

    expect(learned).toMatchObject({
      type: 'answer',
      answer: { status: 429, requestId: 'from-header', retryAfterMs: 7000, complete: true },
    })
  })

  test('a submit that answers 200 without a task is an answer', async () => {
    const { context } = await startService(() => ({ body: { code: 'InvalidApiKey', message: 'x' } }))

    expect(await send({ model: 'wan2.6-t2i' }, context)).toMatchObject([{ type: 'answer', answer: { status: 200 } }])
  })

  test('the task id is taken from an answer that was cut behind it', async () => {
    const text = '{"output":{"task_id":"0f5c1c0e","task_status":"PENDING"},"request_id":"4b1c"}'
    const { context, heard } = await startService(() => ({ body: text, cutAfter: 40 }))

    expect(await send({ model: 'wan2.6-t2i' }, context)).toEqual([{ type: 'task', taskId: '0f5c1c0e' }])
    expect(heard).toHaveLength(1)
  })

  test('a submit that was cut before the id may have made a task, and leaves nothing to parse', async () => {
    const { context, heard } = await startService(() => ({ body: pending, cutAfter: 12 }))

    const error = await send({ model: 'wan2.6-t2i' }, context).catch(error => error)

    expect(error).toBeInstanceOf(ExchangeError)
    expect(error.failure.disposition).toBe('maybe_billed')
    expect(error.partial).toBe('')
    expect(heard).toHaveLength(1)
  })

  test('a synchronous answer that was cut hands over what came', async () => {
    const body = { output: { choices: [{ message: { content: [{ image: signed('a') }] } }] } }
    const { context } = await startService(() => ({ body, cutAfter: 60 }))

    const error = await send({ model: 'qwen-image-2.0' }, context).catch(error => error)

    expect(error).toBeInstanceOf(ExchangeError)
    expect(error.failure.disposition).toBe('maybe_billed')
    expect(error.partial).toBe(JSON.stringify(body).slice(0, 60))
  })

  test('an abort passes as it is', async () => {
    const controller = new AbortController()
    const { context } = await startService(() => {
      controller.abort(new Error('stop'))
      return { body: '{', cutAfter: 0 }
    })

    await expect(send({ model: 'qwen-image-2.0' }, { ...context, signal: controller.signal })).rejects.toThrow('stop')
  })
})

const task = { id: '0f5c-1', route: 'IG', polls: 0 }

describe('looking at a task', () => {
  test('asks by id', async () => {
    const { heard, context } = await startService(() => ({
      body: { output: { task_id: 't', task_status: 'PENDING' } },
    }))

    expect(await qwen.poll!(task, context)).toEqual({ state: 'pending', running: false })
    expect(heard[0]).toMatchObject({ method: 'GET', url: '/api/v1/tasks/0f5c-1', body: '' })
    expect(heard[0]!.headers.authorization).toBe('Bearer sk-test-key')
  })

  test.each(['RUNNING', 'SUSPENDED'])('%s is running', async task_status => {
    const { context } = await startService(() => ({ body: { output: { task_id: 't', task_status } } }))

    expect(await qwen.poll!(task, context)).toMatchObject({ state: 'pending', running: true })
  })

  test.each(['SUCCEEDED', 'FAILED', 'CANCELED', 'UNKNOWN'])('%s is the end, with the raw answer', async task_status => {
    const body = { request_id: 'r', output: { task_id: 't', task_status } }
    const { context } = await startService(() => ({ body }))

    expect(await qwen.poll!({ ...task, polls: 3 }, context)).toMatchObject({
      state: 'ended',
      answer: { status: 200, body: JSON.stringify(body), requestId: 'r', complete: true },
    })
  })

  test('a task that is not known yet is looked at again before it is given up', async () => {
    const { context } = await startService(() => ({ body: { output: { task_id: 't', task_status: 'UNKNOWN' } } }))

    for (const polls of [0, 1, 2]) {
      expect(await qwen.poll!({ ...task, polls }, context)).toMatchObject({ state: 'unsure', afterMs: 5_000 })
    }
  })

  test.each([
    [429, { code: 'Throttling.RateQuota', message: 'x' }, 10_000],
    [500, { code: 'InternalError', message: 'x' }, 10_000],
    [503, '<html>busy</html>', 10_000],
    [200, '<html>login</html>', 10_000],
    [401, { code: 'InvalidApiKey', message: 'x' }, 30_000],
    [404, { code: 'NotFound', message: 'x' }, 30_000],
  ])('%i proves nothing about the task', async (status, body, afterMs) => {
    const { context } = await startService(() => ({ status, body }))

    expect(await qwen.poll!(task, context)).toEqual({
      state: 'unsure',
      afterMs,
      reason: expect.stringContaining(String(status)),
    })
  })

  test('a broken connection and a closed door prove nothing either', async () => {
    const { context } = await startService(() => ({ body: { output: {} }, cutAfter: 3 }))
    const closed = { ...context, baseUrl: 'http://127.0.0.1:1/api/v1' }

    expect(await qwen.poll!(task, context)).toMatchObject({ state: 'unsure', afterMs: 10_000 })
    expect(await qwen.poll!(task, closed)).toMatchObject({ state: 'unsure', afterMs: 10_000 })
  })

  test('only an abort is thrown', async () => {
    const { context } = await startService(() => ({ body: {} }))

    await expect(qwen.poll!(task, { ...context, signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
  })
})

describe('cancelling', () => {
  test('is true only when the service said so', async () => {
    const late = {
      code: 'UnsupportedOperation',
      message: 'Failed to cancel the task, please confirm if the task is in PENDING status.',
    }
    const replies: Reply[] = [
      { body: { request_id: 'r' } },
      { status: 400, body: late },
      { status: 200, body: late },
      { status: 500, body: '' },
      { body: { request_id: 'r' }, cutAfter: 3 },
    ]
    let status = 'RUNNING'
    const look = () => ({ body: { request_id: 'r', output: { task_status: status } } })
    const { heard, context } = await startService(({ method }) => (method === 'GET' ? look() : replies.shift()!))

    const said = []
    for (let times = 0; times < 5; times++) said.push(await qwen.cancel!(task, context))
    // The word of an earlier cancel was lost.
    status = 'CANCELED'
    replies.push({ status: 400, body: late })
    said.push(await qwen.cancel!(task, context))

    expect(said).toEqual([true, false, false, false, false, true])
    expect(heard[0]).toMatchObject({ method: 'POST', url: '/api/v1/tasks/0f5c-1/cancel', body: '' })
  })
})

describe('finding a task whose id was lost', () => {
  const from = new Date('2026-11-22T16:30:00.500Z')
  const to = new Date('2026-11-22T16:32:00.500Z')
  const window = { model: 'wan2.2-t2i-flash', route: 'T2I', from, to }
  const entry = (task_id: string, gmt_create: number, model_name = window.model) => ({
    task_id,
    gmt_create,
    model_name,
    status: 'RUNNING',
  })

  test('reads every page of the window, in the time of Beijing, and keeps what fits', async () => {
    const inside = from.getTime() + 1000
    const pages = [
      [entry('a', inside), entry('early', from.getTime() - 1), entry('late', to.getTime() + 1)],
      [
        entry('b', from.getTime()),
        entry('other', inside, 'qwen-image-plus'),
        entry('a', inside),
        { status: 'x' },
        null,
      ],
    ]
    const { heard, context } = await startService(one => {
      const page = Number(new URL(one.url, 'http://x').searchParams.get('page_no'))
      return { body: { total: 8, total_page: 2, page_no: page, page_size: 10, data: pages[page - 1] } }
    })

    const found = await qwen.findTasks!(window, context)

    expect(found).toEqual(['a', 'b'])
    expect(heard.map(one => one.url)).toEqual([
      '/api/v1/tasks/?start_time=20261123003000&end_time=20261123003201&model_name=wan2.2-t2i-flash&page_no=1&page_size=10',
      '/api/v1/tasks/?start_time=20261123003000&end_time=20261123003201&model_name=wan2.2-t2i-flash&page_no=2&page_size=10',
    ])
    expect(heard[0]!.headers.authorization).toBe('Bearer sk-test-key')
  })

  test('asks for nothing on a route without tasks', async () => {
    const { heard, context } = await startService(() => ({ body: { total: 0, total_page: 0, data: [] } }))

    expect(await qwen.findTasks!({ ...window, route: 'MM' }, context)).toBeNull()
    expect(heard).toEqual([])
  })

  test('never asks for more than a day', async () => {
    const { heard, context } = await startService(() => ({ body: { total: 0, total_page: 0, data: [] } }))

    expect(await qwen.findTasks!({ ...window, from: new Date('2026-11-01') }, context)).toEqual([])
    expect(heard[0]!.url).toContain('start_time=20261122003200&end_time=20261123003201')
  })

  test.each([
    ['a refusal', { status: 429, body: { code: 'Throttling', message: 'x' } }],
    ['a page', { body: '<html></html>' }],
    ['a broken connection', { body: { data: [] }, cutAfter: 3 }],
  ])('does not know after %s', async (_, reply) => {
    const { context } = await startService(() => reply)

    expect(await qwen.findTasks!(window, context)).toBeUndefined()
  })
})

// ── Checking a configuration ────────────────────────────────────────────────────────────────────────────────────────

describe('checking a configuration', () => {
  const unknownTask = { body: { request_id: 'r', output: { task_id: '0', task_status: 'UNKNOWN' } } }
  const refusedSize = {
    status: 400,
    body: {
      code: 'InvalidParameter',
      message: 'Image area must be between 262144 (512x512) and 4194304 (2048x2048) pixels.',
    },
  }
  const isTask = (heard: Heard) => heard.url.startsWith('/api/v1/tasks/')

  test('asks for a task that never was, then for a picture that cannot be', async () => {
    const { heard, context } = await startService(one => (isTask(one) ? unknownTask : refusedSize))

    const result = await qwen.check('qwen-image-2.0', context)

    expect(result).toEqual({ code: 'ok', detail: expect.stringContaining('qwen-image-2.0 may be used') })
    expect(heard.map(one => `${one.method} ${one.url}`)).toEqual([
      'GET /api/v1/tasks/00000000-0000-0000-0000-000000000000',
      'POST /api/v1/services/aigc/multimodal-generation/generation',
    ])
    expect(heard[1]!.headers).not.toHaveProperty('x-dashscope-async')
    expect(JSON.parse(heard[1]!.body)).toMatchObject({ model: 'qwen-image-2.0', parameters: { size: '1*1', n: 0 } })
    expect(JSON.parse(heard[1]!.body).input.messages[0].content).toHaveLength(1)
  })

  test('asks only those models for a picture that were measured to refuse it', async () => {
    const { heard, context } = await startService(() => unknownTask)

    for (const model of [...qwen.models.map(model => model.id), 'qwen-image-3.0-distill', 'my-endpoint', undefined]) {
      expect(await qwen.check(model, context)).toMatchObject({ code: 'ok' })
    }

    const asked = heard.filter(one => one.method === 'POST').map(one => JSON.parse(one.body).model)
    expect(asked.sort()).toEqual([
      'qwen-image',
      'qwen-image-2.0',
      'qwen-image-2.0-pro',
      'qwen-image-2.1-pro',
      'qwen-image-2.1-turbo',
      'qwen-image-3.0',
      'qwen-image-3.0-pro',
      'qwen-image-max',
      'qwen-image-plus',
      'qwen-image-plus-2026-01-09',
      'wan2.7-image',
      'wan2.7-image-pro',
      'z-image-turbo',
    ])
  })

  test.each<[string, Reply, string, RegExp]>([
    ['a wrong key', { status: 401, body: { code: 'InvalidApiKey', message: 'x' } }, 'provider_key_rejected', /region/],
    ['a page of somebody else', { status: 404, body: '<html>nginx</html>' }, 'wrong_address', /api\/v1/],
    ['a page that looks content', { status: 200, body: '<html>welcome</html>' }, 'wrong_address', /api\/v1/],
    ['another kind of JSON', { status: 200, body: { hello: 'world' } }, 'wrong_address', /api\/v1/],
    ['a redirect', { status: 302, body: '', headers: { location: '/login' } }, 'wrong_address', /302/],
    [
      'a path that is not there',
      { status: 404, body: { code: 'NotFound', message: 'Not found!' } },
      'wrong_address',
      /api\/v1/,
    ],
    [
      'an account in arrears',
      { status: 400, body: { code: 'Arrearage', message: 'x' } },
      'provider_quota_exhausted',
      /arrears/,
    ],
    [
      'a closed account',
      { status: 403, body: { code: 'AccessDenied', message: 'Access denied.' } },
      'provider_access_denied',
      /Model Studio/,
    ],
    [
      'a service in trouble',
      { status: 500, body: { code: 'InternalError', message: 'x' } },
      'provider_unavailable',
      /500/,
    ],
    ['a gateway in trouble', { status: 502, body: '<html></html>' }, 'provider_unavailable', /502/],
  ])('%s at the first question', async (_, reply, code, detail) => {
    const { heard, context } = await startService(() => reply)

    const result = await qwen.check('qwen-image-2.0', context)

    expect(result).toEqual({ code, detail: expect.stringMatching(detail) })
    expect(heard.every(one => one.method === 'GET')).toBe(true)
  })

  test.each<[string, Reply, string]>([
    ['unknown task as 404', { status: 404, body: { code: 'InvalidParameter', message: 'task not exist' } }, 'ok'],
    ['unknown task as 400', { status: 400, body: { code: 'UnsupportedOperation', message: 'x' } }, 'ok'],
    ['too many looks', { status: 429, body: { code: 'Throttling.RateQuota', message: 'x' } }, 'ok'],
  ])('the key passed: %s', async (_, reply, code) => {
    const { context } = await startService(one => (isTask(one) ? reply : refusedSize))

    expect(await qwen.check('qwen-image-2.0', context)).toMatchObject({ code })
  })

  test('"not found" for the task alone is no wrong address', async () => {
    const { context } = await startService(one =>
      one.url.includes('page_no')
        ? { body: { total: 0, data: [] } }
        : { status: 404, body: { code: 'NotFound', message: 'x' } },
    )

    expect(await qwen.check(undefined, context)).toMatchObject({ code: 'ok' })
  })

  test.each<[string, Reply, string]>([
    [
      'the wrong route',
      { status: 400, body: { code: 'InvalidParameter', message: 'url error, please check url！' } },
      'wrong_address',
    ],
    ['an unknown model', { status: 404, body: { code: 'ModelNotFound', message: 'x' } }, 'provider_access_denied'],
    [
      'a model that is not there',
      { status: 400, body: { code: 'InvalidParameter', message: 'Model not exist.' } },
      'provider_access_denied',
    ],
    ['no access', { status: 403, body: { code: 'AccessDenied.Unpurchased', message: 'x' } }, 'provider_access_denied'],
    [
      'no free pictures left',
      { status: 403, body: { code: 'AllocationQuota.FreeTierOnly', message: 'x' } },
      'provider_quota_exhausted',
    ],
    ['the rate limit', { status: 429, body: { code: 'Throttling.RateQuota', message: 'x' } }, 'ok'],
    [
      'another size message',
      { status: 400, body: { code: 'InvalidParameter', message: 'The size does not match the allowed size' } },
      'ok',
    ],
    ['a picture after all', { body: { output: { choices: [] } } }, 'ok'],
  ])('%s at the second question', async (_, reply, code) => {
    const { context } = await startService(one => (isTask(one) ? unknownTask : reply))

    expect(await qwen.check('qwen-image-3.0', context)).toMatchObject({ code })
  })

  test('a door that is closed is a wrong address', async () => {
    const { context } = await startService(() => unknownTask)

    const result = await qwen.check('qwen-image-2.0', { ...context, baseUrl: 'http://127.0.0.1:1/api/v1' })

    expect(result).toEqual({ code: 'wrong_address', detail: expect.stringContaining('dashscope-intl.aliyuncs.com') })
  })

  test('the key of a subscription plan that is refused is told its own hosts', async () => {
    const { context } = await startService(() => ({ status: 401, body: { code: 'InvalidApiKey', message: 'x' } }))

    const plan = await qwen.check(undefined, { ...context, apiKey: 'sk-sp-1234' })
    const usual = await qwen.check(undefined, context)

    expect(plan).toEqual({ code: 'provider_key_rejected', detail: expect.stringMatching(/subscription plan.*own/) })
    expect(usual.detail).toMatch(/cn-beijing\.maas\.aliyuncs\.com/)
    expect(usual.detail).not.toMatch(/subscription/)
  })

  test('the key of a subscription plan is warned of', async () => {
    const { context } = await startService(() => unknownTask)

    const result = await qwen.check(undefined, { ...context, apiKey: 'sk-sp-1234' })

    expect(result).toEqual({ code: 'ok', detail: expect.stringContaining('subscription plan') })
  })
})
