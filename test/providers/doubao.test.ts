import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { afterEach, describe, expect, test } from 'vitest'
import { checkRequest } from '../../src/catalogue/checks.ts'
import type { JsonObject, Model, ReferenceFacts } from '../../src/catalogue/model.ts'
import { resolveSize } from '../../src/catalogue/sizes.ts'
import { InvalidRequest } from '../../src/catalogue/violation.ts'
import { prepareReferences } from '../../src/images/fitting.ts'
import { createHttp } from '../../src/outgoing/client.ts'
import { type Disposition, ExchangeError, type FailureCode } from '../../src/outgoing/failure.ts'
import type { OutgoingHttp } from '../../src/outgoing/http.ts'
import { doubao } from '../../src/providers/doubao/doubao.ts'
import { failureRows } from '../../src/providers/doubao/errors.ts'
import type { Context, Learned, Plan, RawAnswer, SentCall } from '../../src/providers/provider.ts'
import { writeAndCut } from '../support/cut.ts'
import { knownNames } from '../support/names.ts'
import { type DoubaoCase, doubaoCases } from './doubao.cases.ts'

// ── Harness ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const lite = 'doubao-seedream-5-0-260128'
const pro = 'doubao-seedream-5-0-pro-260628'
const flash = 'doubao-seedream-5-0-flash-260915'
const v45 = 'doubao-seedream-4-5-251128'

function modelOf(id: string): Model {
  const model = doubao.models.find(model => model.id === id || model.aliases?.includes(id)) ?? doubao.unlisted(id, true)
  if (!model) throw new Error(`no model ${id}`)
  return model
}

const jpeg: ReferenceFacts = { mimeType: 'image/jpeg', width: 1200, height: 900, transparent: false }
const transparentPng: ReferenceFacts = { mimeType: 'image/png', width: 1200, height: 900, transparent: true }

/** From the vocabulary of the API to calls, with the checks that are common to all providers on the way. */
function planFor(request: DoubaoCase['request'], references?: ReferenceFacts[]): Plan {
  const model = modelOf(request.model)
  const checked = checkRequest(model, request, knownNames)
  if (checked.violations.length > 0) throw new InvalidRequest(checked.violations)
  return doubao.plan(
    {
      modelId: request.model,
      prompt: request.prompt,
      count: checked.count,
      size: checked.resolvedSize,
      parameters: checked.parameters,
      references: references ?? Array.from({ length: request.references }, () => jpeg),
    },
    model,
  )
}

function violationsOf(request: DoubaoCase['request'], references?: ReferenceFacts[]) {
  try {
    planFor(request, references)
  } catch (error) {
    if (error instanceof InvalidRequest) return error.violations
    throw error
  }
  return []
}

function answerOf(status: number, body: unknown, more: Partial<RawAnswer> = {}): RawAnswer {
  return { status, body: typeof body === 'string' ? body : JSON.stringify(body), complete: true, ...more }
}

const single = { route: 'images', body: { model: v45 } }
const groupOf = (images: number) => ({
  route: 'images',
  body: { model: v45, stream: true, sequential_image_generation_options: { max_images: images } } as JsonObject,
})

const address = (name: string) =>
  `https://ark-content-generation-v2-cn-beijing.tos-cn-beijing.volces.com/doubao/${name}?X-Tos-Algorithm=TOS4-HMAC-SHA256&X-Tos-Credential=AKLTxxx%2F20260920%2Fcn-beijing%2Ftos%2Frequest&X-Tos-Date=20260920T080000Z&X-Tos-Expires=86400&X-Tos-Signature=00ff&X-Tos-SignedHeaders=host`
const expiresAt = Date.UTC(2026, 8, 21, 8)
const requestId = '0217899000000000000aaaabbbbccccddddeeeeffff0000111122'

const succeeded = (index: number) =>
  event('image_generation.partial_succeeded', {
    model: lite,
    created: 1789900027,
    image_index: index,
    url: address(`${index}.jpeg`),
    size: '2496x1664',
  })
const failed = (index: number, code = 'OutputImageSensitiveContentDetected') =>
  event('image_generation.partial_failed', {
    model: lite,
    image_index: index,
    error: { code, message: 'The request failed because the output image may contain sensitive information. 图' },
  })
const completed = (images: number) =>
  event('image_generation.completed', {
    model: lite,
    usage: { generated_images: images, output_tokens: 1, total_tokens: 1 },
  })
const done = 'data: [DONE]\n\n'

function event(type: string, data: JsonObject) {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
}

// ── Plan ────────────────────────────────────────────────────────────────────────────────────────────────────────────

describe('plan', () => {
  test.each(doubaoCases)('$name', ({ request, transparent, body, calls }) => {
    const references = Array.from({ length: request.references }, () => (transparent ? transparentPng : jpeg))

    const plan = planFor(request, references)

    expect(plan.calls.map(call => call.body)).toEqual(Array.from({ length: calls ?? 1 }, () => body))
  })

  test('every model of the catalogue has a case', () => {
    const tried = new Set(doubaoCases.map(({ request }) => modelOf(request.model).id))

    expect(doubao.models.map(model => model.id).filter(id => !tried.has(id))).toEqual([])
  })

  test('a group is one call that may make fewer, with a minute for each further picture', () => {
    const request = { model: v45, prompt: 'four seasons of a lake', parameters: { n: 4 }, references: 0 }

    const plan = planFor(request)

    expect(plan.calls).toMatchObject([{ route: 'images', images: 4, mayMakeFewer: true, timeoutMs: 480_000 }])
    expect(plan.warnings).toEqual([])
    expect(plan.resolved).toEqual({ n: 4, size: '2K', watermark: false })
  })

  test.each([
    ['a lake in every season', 4, true],
    ['4K photo of a lake', 4, true],
    ['kittens, often seen', 10, true],
    ['4 pictures of a lake', 4, false],
    ['生成４张图', 4, false],
    ['两只猫', 2, false],
  ])('says that the prompt should name the number: %s, %i', (prompt, n, isWarned) => {
    const { warnings } = planFor({ model: v45, prompt, parameters: { n }, references: 0 })

    expect(warnings.map(warning => warning.parameter)).toEqual(isWarned ? ['n'] : [])
  })

  test('timeouts end at 20 minutes for groups, and are 15 minutes for layers', () => {
    const group = planFor({ model: v45, prompt: 'x', parameters: { n: 15 }, references: 0 })
    const layers = planFor({ model: pro, prompt: '', parameters: { layer_decomposition: true }, references: 1 })

    expect(group.calls[0]?.timeoutMs).toBe(1_140_000)
    expect(layers.calls).toMatchObject([{ route: 'layers', images: 1, timeoutMs: 900_000 }])
  })

  test('several pictures from one seed take the seeds after it', () => {
    const seeds = (seed: number) =>
      planFor({ model: flash, prompt: 'x', parameters: { n: 3, seed }, references: 0 }).calls.map(
        call => call.body.seed,
      )

    expect(seeds(7)).toEqual([7, 8, 9])
    expect(seeds(2_147_483_646)).toEqual([2_147_483_646, 2_147_483_647, 0])
    expect(seeds(-1)).toEqual([-1, -1, -1])
  })

  test('a seed for layers is left out and named in the warnings', () => {
    const parameters = { layer_decomposition: true, seed: 5 }

    const plan = planFor({ model: flash, prompt: '', parameters, references: 1 })

    expect(plan.warnings.map(warning => warning.parameter)).toEqual(['seed'])
    expect(plan.calls[0]?.body).not.toHaveProperty('seed')
    expect(plan.resolved).toEqual({ n: 1, size: 'auto', watermark: false, layer_decomposition: true })
  })

  test.each([0, 2])('an opaque background that cannot be asked for is named in the warnings: %i references', count => {
    const plan = planFor({ model: pro, prompt: 'x', parameters: { background: 'opaque' }, references: count })

    expect(plan.calls[0]?.body).not.toHaveProperty('background')
    expect(plan.warnings.map(warning => warning.parameter)).toEqual(['background'])
    expect(plan.resolved).not.toHaveProperty('background')
  })

  test.each<[string, DoubaoCase['request'], string[], ReferenceFacts[]?]>([
    ['no prompt', { model: pro, prompt: ' ', parameters: {}, references: 0 }, ['prompt']],
    [
      'transparent without a reference',
      { model: pro, prompt: 'x', parameters: { background: 'transparent' }, references: 0 },
      ['images'],
    ],
    [
      'transparent with two',
      { model: flash, prompt: 'x', parameters: { background: 'transparent' }, references: 2 },
      ['images'],
      [transparentPng, transparentPng],
    ],
    [
      'transparent with a JPEG',
      { model: pro, prompt: 'x', parameters: { background: 'transparent' }, references: 1 },
      ['images'],
    ],
    [
      'transparent with an opaque PNG',
      { model: pro, prompt: 'x', parameters: { background: 'transparent' }, references: 1 },
      ['images'],
      [{ ...transparentPng, transparent: false }],
    ],
    [
      'transparent as JPEG',
      { model: pro, prompt: 'x', parameters: { background: 'transparent', output_format: 'jpeg' }, references: 1 },
      ['parameters.output_format'],
      [transparentPng],
    ],
    [
      'transparent 5.5 as JPEG',
      {
        model: 'doubao-seedream-5-5-261028',
        prompt: 'x',
        parameters: { background: 'transparent', output_format: 'jpeg' },
        references: 0,
      },
      ['parameters.output_format'],
    ],
    [
      'layers of nothing',
      { model: pro, prompt: 'x', parameters: { layer_decomposition: true }, references: 0 },
      ['images'],
    ],
    [
      'layers of two',
      { model: pro, prompt: 'x', parameters: { layer_decomposition: true }, references: 2 },
      ['images'],
    ],
    [
      'layers of a small picture',
      { model: pro, prompt: '', parameters: { layer_decomposition: true }, references: 1 },
      ['images'],
      [{ ...jpeg, width: 511, height: 512 }],
    ],
    [
      'layers twice',
      { model: pro, prompt: '', parameters: { layer_decomposition: true, n: 2 }, references: 1 },
      ['parameters.n'],
    ],
    [
      'layers with a background',
      { model: pro, prompt: '', parameters: { layer_decomposition: true, background: 'opaque' }, references: 1 },
      ['parameters.background'],
    ],
    [
      'layers with a size in pixels',
      { model: pro, prompt: '', parameters: { layer_decomposition: true, size: '1024x1024' }, references: 1 },
      ['parameters.size'],
    ],
    [
      'the size auto without layers',
      { model: pro, prompt: 'x', parameters: { size: 'auto' }, references: 1 },
      ['parameters.size'],
    ],
    [
      '4.5 below its area',
      { model: v45, prompt: 'x', parameters: { size: '2544x1440' }, references: 0 },
      ['parameters.size'],
    ],
    ['4.5 and 1K', { model: v45, prompt: 'x', parameters: { size: '1K' }, references: 0 }, ['parameters.size']],
    [
      'pro above its area',
      { model: pro, prompt: 'x', parameters: { size: '2160x2160' }, references: 0 },
      ['parameters.size'],
    ],
    ['too wide', { model: lite, prompt: 'x', parameters: { size: '16384x512' }, references: 0 }, ['parameters.size']],
  ])('refuses %s', (_name, request, paths, references) => {
    expect(violationsOf(request, references).map(violation => violation.path)).toEqual(paths)
  })
})

// ── Models ──────────────────────────────────────────────────────────────────────────────────────────────────────────

describe('models', () => {
  test('all recommended sizes lie inside the limits of their models', () => {
    const outside = doubao.models.flatMap(model =>
      [model.sizes.textToImage, model.sizes.group].flatMap(rule =>
        Object.values(rule?.table ?? {})
          .flatMap(Object.values)
          .filter(size => rule && 'violation' in resolveSize(rule, model.id, size))
          .map(size => `${model.id} ${size}`),
      ),
    )

    expect(outside).toEqual([])
  })

  test.each([
    ['doubao-seedream-5-5-270101', 'seedream-5.5'],
    ['seedream-5-0-pro-270101', 'seedream-5.0-pro'],
    ['dola-seedream-5-0-flash-270101', 'seedream-5.0-flash'],
    ['doubao-seedream-5.0-lite-270101', 'seedream-5.0-lite'],
    ['doubao-seedream-5-0-270101', 'seedream-5.0-lite'],
    ['seedream-4-5-270101', 'seedream-4.5'],
    ['doubao-seedream-4-0-20260415', 'seedream-4.0'],
    ['doubao-seededit-3-0-i2i-260101', 'seededit-3.0'],
    ['doubao-seedream-6-0-270101', 'seedream'],
    ['doubao-seedream-5-0-ultra-270101', 'seedream'],
    ['doubao-seedream-4-50', 'seedream'],
    ['ep-m-20260901120000-abcde', 'seedream'],
  ])('%s is of the family %s', (id, family) => {
    expect(doubao.unlisted(id, false)).toMatchObject({ id, family, state: 'unlisted' })
  })

  test('a foreign id is ours only when someone said so, and then nothing special is asked of it', () => {
    expect(doubao.unlisted('qwen-image', false)).toBeUndefined()
    expect(Object.keys(doubao.unlisted('my-own', true)?.parameters ?? {})).toEqual(['watermark'])
  })

  test('a transparent picture of any type becomes the PNG that a transparent background needs', async () => {
    const square = { create: { width: 640, height: 640, channels: 4, background: '#12345600' } } as const
    const webp = await sharp(square).webp().toBuffer()

    for (const id of [pro, flash, 'doubao-seedream-5-5-261028']) {
      const [reference] = await prepareReferences([webp], modelOf(id).references)

      expect(reference).toMatchObject({ mimeType: 'image/png', transparent: true })
    }
  })

  test('no model offers what the service would refuse or ignore', () => {
    const offered = Object.fromEntries(doubao.models.map(model => [model.family, Object.keys(model.parameters).sort()]))

    expect(offered).toEqual({
      'seedream-5.5': ['background', 'layer_decomposition', 'output_format', 'watermark'],
      'seedream-5.0-pro': ['background', 'layer_decomposition', 'optimize_prompt', 'output_format', 'watermark'],
      'seedream-5.0-flash': ['background', 'layer_decomposition', 'output_format', 'seed', 'watermark'],
      'seedream-5.0-lite': ['output_format', 'watermark', 'web_search'],
      'seedream-4.5': ['watermark'],
      'seedream-4.0': ['optimize_prompt', 'watermark'],
      'seedream-3.0': ['guidance_scale', 'seed', 'watermark'],
      'seededit-3.0': ['guidance_scale', 'seed', 'watermark'],
    })
  })
})

// ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

describe('parse', () => {
  test('one picture, its bill and the end of its address', () => {
    const body = {
      model: v45,
      created: 1789900000,
      data: [{ url: address('0.jpeg'), size: '2304x1728' }],
      usage: { generated_images: 1, output_tokens: 15552, total_tokens: 15552 },
    }

    expect(doubao.parse(answerOf(200, body), single)).toEqual({
      images: [{ index: 0, url: address('0.jpeg'), expiresAt }],
      failures: [],
      billedImages: 1,
      complete: true,
    })
  })

  test('a group of which one picture was blocked', () => {
    const body = {
      data: [
        { url: address('0.jpeg'), size: '2720x1536' },
        { error: { code: 'OutputImageSensitiveContentDetected', message: 'The request failed because …' } },
        { b64_json: 'aGk=', url: null },
      ],
      usage: { generated_images: 2, tool_usage: { web_search: 0 } },
    }

    const parsed = doubao.parse(answerOf(200, body, { requestId }), single)

    expect(parsed.images).toEqual([
      { index: 0, url: address('0.jpeg'), expiresAt },
      { index: 2, base64: 'aGk=' },
    ])
    expect(parsed.failures).toMatchObject([
      {
        index: 1,
        code: 'content_rejected',
        disposition: 'refused',
        providerCode: 'OutputImageSensitiveContentDetected',
        requestId,
      },
    ])
    expect(parsed.error).toBeUndefined()
  })

  test('layers keep what the pictures cannot tell', () => {
    const layer = {
      url: address('1.png'),
      size: '861x1137',
      output_format: 'png',
      z_index: 1,
      name: 'figure',
      description: 'standing figure in a blue coat',
      bounding_box: { absolute: [27, 0, 888, 1137], normalized: [30, 0, 973, 973] },
    }
    const body = { data: [{ url: address('0.jpeg'), z_index: 0, name: null }, layer], usage: { generated_images: 2 } }

    const { images } = doubao.parse(answerOf(200, body), { route: 'layers', body: {} })

    expect(images.map(image => image.details)).toEqual([
      { z_index: 0 },
      { z_index: 1, name: 'figure', description: layer.description, bounding_box: layer.bounding_box },
    ])
  })

  test.each([
    ['an empty list', { data: [] }, 'provider_rejected', 'refused'],
    ['no list', { created: 1 }, 'provider_rejected', 'maybe_billed'],
    ['an empty list, and a bill', { data: [], usage: { generated_images: 1 } }, 'provider_rejected', 'maybe_billed'],
    [
      'a refused item and one of an unknown shape',
      { data: [{ error: { code: 'OutputImageSensitiveContentDetected', message: 'x' } }, { picture: 'x' }] },
      'provider_rejected',
      'maybe_billed',
    ],
    [
      'an error on top',
      { error: { code: 'OutputImageSensitiveContentDetected', message: 'x' } },
      'content_rejected',
      'refused',
    ],
    ['a bare error', { code: 'QuotaExceeded', message: 'x' }, 'provider_quota_exhausted', 'refused'],
    [
      'only failed items',
      { data: [{ error: { code: 'InternalServiceError', message: 'x' } }] },
      'provider_unavailable',
      'refused',
    ],
    ['an item of an unknown shape', { data: [{ picture: 'x' }] }, 'provider_rejected', 'maybe_billed'],
    ['a page', '<html>hello</html>', 'provider_rejected', 'maybe_billed'],
  ])('a 200 without a picture: %s', (_name, body, code, disposition) => {
    const parsed = doubao.parse(answerOf(200, body), single)

    expect(parsed.images).toEqual([])
    expect(parsed.error).toMatchObject({ code, disposition })
    expect(parsed.complete).toBe(true)
  })

  test('an item of an unknown shape is reported with its outline', () => {
    const { failures } = doubao.parse(answerOf(200, { data: [{ picture: 'x', kind: 1 }] }), single)

    expect(failures[0]?.message).toContain('{picture, kind}')
  })

  test('an error beside pictures leaves the pictures', () => {
    const body = { data: [{ url: address('0.jpeg') }], error: { code: 'InternalServiceError', message: 'x' } }

    const parsed = doubao.parse(answerOf(200, body), single)

    expect(parsed.images).toHaveLength(1)
    expect(parsed.failures).toMatchObject([{ index: 1, code: 'provider_unavailable', disposition: 'refused' }])
    expect(parsed.error).toBeUndefined()
  })

  test('members that nobody knows are passed over', () => {
    const body = {
      code: 0,
      message: 'success',
      data: [{ url: address('0.jpeg'), size: '2304×1728', score: 1, error: null }],
      usage: { generated_images: 1, novelty: {} },
      novelty: [],
    }

    expect(doubao.parse(answerOf(200, body), single)).toEqual({
      images: [{ index: 0, url: address('0.jpeg'), expiresAt }],
      failures: [],
      billedImages: 1,
      complete: true,
    })
  })

  test('a JSON answer that was cut gives its whole addresses', () => {
    const whole = JSON.stringify({ data: [{ url: address('0.jpeg') }, { url: address('1.jpeg') }] })

    const parsed = doubao.parse(answerOf(200, whole.slice(0, -20), { complete: false }), single)

    expect(parsed).toEqual({
      images: [{ index: 0, url: address('0.jpeg'), expiresAt }],
      failures: [],
      complete: false,
    })
  })

  test('takes the address letter for letter, whatever its query', () => {
    const url = 'https://example.org/a%2Fb?x=1&amp;y=%E5%9B%BE'

    expect(doubao.parse(answerOf(200, { data: [{ url }] }), single).images).toEqual([{ index: 0, url }])
  })
})

describe('parse of errors', () => {
  type Row = [status: number, providerCode: string, code: FailureCode, disposition: Disposition]
  const rows: Row[] = [
    [401, 'AuthenticationError', 'provider_key_rejected', 'refused'],
    [401, 'InvalidAccountStatus', 'provider_key_rejected', 'refused'],
    [403, 'AccessDenied', 'provider_access_denied', 'refused'],
    [403, 'OperationDenied.PermissionDenied', 'provider_access_denied', 'refused'],
    [403, 'OperationDenied.ServiceNotOpen', 'provider_access_denied', 'refused'],
    [403, 'OperationDenied.ServiceOverdue', 'provider_quota_exhausted', 'refused'],
    [403, 'OperationDenied.SomethingNew', 'provider_access_denied', 'refused'],
    [403, 'AccountOverdueError', 'provider_quota_exhausted', 'refused'],
    [404, 'ModelNotOpen', 'provider_access_denied', 'refused'],
    [404, 'InvalidEndpointOrModel.NotFound', 'provider_rejected', 'refused'],
    [404, 'InvalidEndpointOrModel.ModelIDAccessDisabled', 'provider_access_denied', 'refused'],
    [404, 'InvalidEndpointOrModel.SomethingNew', 'provider_rejected', 'refused'],
    [404, 'UnsupportedModel', 'provider_rejected', 'refused'],
    [404, 'InvalidAction', 'provider_rejected', 'refused'],
    [400, 'MissingParameter', 'provider_rejected', 'refused'],
    [400, 'MissingParameter.prompt', 'provider_rejected', 'refused'],
    [400, 'InvalidParameter', 'provider_rejected', 'refused'],
    [400, 'InvalidParameter.UnsupportedParameter', 'provider_rejected', 'refused'],
    [400, 'InvalidParameter.UnsupportedImageFormat', 'provider_rejected', 'refused'],
    [400, 'InvalidParameter.OversizedImage', 'provider_rejected', 'refused'],
    [400, 'InvalidImageURL.EmptyURL', 'provider_rejected', 'refused'],
    [400, 'InvalidImageURL.InvalidFormat', 'provider_rejected', 'refused'],
    [400, 'InvalidImageURL.SomethingNew', 'provider_rejected', 'refused'],
    [400, 'InvalidEndpoint.ClosedEndpoint', 'provider_rejected', 'refused'],
    [400, 'InvalidSubscription', 'provider_quota_exhausted', 'refused'],
    [400, 'InputTextSensitiveContentDetected', 'content_rejected', 'refused'],
    [400, 'InputTextSensitiveContentDetected.PolicyViolation', 'content_rejected', 'refused'],
    [400, 'InputImageSensitiveContentDetected', 'content_rejected', 'refused'],
    [400, 'InputImageSensitiveContentDetected.PolicyViolation', 'content_rejected', 'refused'],
    [400, 'InputImageSensitiveContentDetected.PrivacyInformation', 'content_rejected', 'refused'],
    [400, 'OutputImageSensitiveContentDetected', 'content_rejected', 'refused'],
    [400, 'OutputImageSensitiveContentDetected.DeepFake', 'content_rejected', 'refused'],
    [400, 'SensitiveContentDetected.SevereViolation', 'content_rejected', 'refused'],
    [400, 'SensitiveContentDetected.Violence', 'content_rejected', 'refused'],
    [400, 'InputTextRiskDetection', 'content_rejected', 'refused'],
    [400, 'InputImageRiskDetection', 'content_rejected', 'refused'],
    [400, 'OutputImageRiskDetection', 'content_rejected', 'refused'],
    [400, 'ContentSecurityDetectionError', 'content_rejected', 'refused'],
    [429, 'ModelAccountIpmRateLimitExceeded', 'rate_limited', 'retry_safe'],
    [429, 'ModelAccountRpmRateLimitExceeded', 'rate_limited', 'retry_safe'],
    [429, 'ModelAccountTpmRateLimitExceeded', 'rate_limited', 'retry_safe'],
    [429, 'RateLimitExceeded.EndpointRPMExceeded', 'rate_limited', 'retry_safe'],
    [429, 'RateLimitExceeded.EndpointTPMExceeded', 'rate_limited', 'retry_safe'],
    [429, 'RateLimitExceeded.SomethingNew', 'rate_limited', 'retry_safe'],
    [429, 'APIAccountRpmRateLimitExceeded', 'rate_limited', 'retry_safe'],
    [429, 'AccountRateLimitExceeded', 'rate_limited', 'retry_safe'],
    [429, 'RequestBurstTooFast', 'rate_limited', 'retry_safe'],
    [429, 'ServerOverloaded', 'rate_limited', 'retry_safe'],
    [429, 'InflightBatchsizeExceeded', 'rate_limited', 'retry_safe'],
    [429, 'QuotaExceeded', 'provider_quota_exhausted', 'refused'],
    [429, 'SetLimitExceeded', 'provider_quota_exhausted', 'refused'],
    [499, 'RequestCanceled', 'outcome_unknown', 'maybe_billed'],
    [500, 'InternalServiceError', 'provider_unavailable', 'maybe_billed'],
    [503, 'InternalServiceError', 'provider_unavailable', 'maybe_billed'],
    [504, 'InternalServiceError', 'provider_timeout', 'maybe_billed'],
    [400, 'SomethingNew', 'provider_rejected', 'refused'],
    [401, 'SomethingNew', 'provider_key_rejected', 'refused'],
    [402, 'SomethingNew', 'provider_quota_exhausted', 'refused'],
    [403, 'SomethingNew', 'provider_access_denied', 'refused'],
    [404, 'SomethingNew', 'provider_rejected', 'refused'],
    [413, 'SomethingNew', 'provider_rejected', 'refused'],
    [429, 'SomethingNew', 'rate_limited', 'retry_safe'],
    [500, 'SomethingNew', 'provider_unavailable', 'maybe_billed'],
    [502, 'SomethingNew', 'provider_unavailable', 'maybe_billed'],
    [503, 'SomethingNew', 'provider_unavailable', 'retry_safe'],
    [504, 'SomethingNew', 'provider_timeout', 'maybe_billed'],
    [520, 'SomethingNew', 'provider_unavailable', 'maybe_billed'],
  ]

  test.each(rows)('%i %s is %s, %s', (status, providerCode, code, disposition) => {
    const message = `Something is wrong. Request id: ${requestId}`
    const error = { code: providerCode, message, param: '', type: '' }
    const expected = { code, disposition, providerCode, providerMessage: message, requestId }

    for (const body of [{ error }, error]) {
      const parsed = doubao.parse(answerOf(status, body, { requestId: 'from-the-header' }), single)

      expect(parsed.error).toMatchObject(expected)
      expect(parsed.error?.message).toMatch(/\.$/)
      expect(parsed).toMatchObject({ images: [], failures: [], complete: true })
    }
  })

  test.each([
    ['RequestBurstTooFast', undefined, 20_000],
    ['ServerOverloaded', undefined, 20_000],
    ['InflightBatchsizeExceeded', undefined, 20_000],
    ['ServerOverloaded', 7000, 7000],
    ['ModelAccountIpmRateLimitExceeded', undefined, undefined],
  ])('%s with a pause of %j waits at least %j', (code, retryAfterMs, expected) => {
    const { error } = doubao.parse(answerOf(429, { error: { code, message: 'x' } }, { retryAfterMs }), single)

    expect(error?.retryAfterMs).toBe(expected)
  })

  test('every row of the table is tried', () => {
    const tried = rows.map(([, code]) => code)

    const untried = Object.keys(failureRows).filter(
      code => !tried.some(name => name === code || name.startsWith(`${code}.`)),
    )

    expect(untried).toEqual([])
  })

  test.each([
    [400, 'provider_rejected', 'refused'],
    [401, 'provider_key_rejected', 'refused'],
    [302, 'provider_rejected', 'refused'],
    [429, 'rate_limited', 'retry_safe'],
    [502, 'provider_unavailable', 'maybe_billed'],
    [503, 'provider_unavailable', 'retry_safe'],
    [504, 'provider_timeout', 'maybe_billed'],
  ])('a page of a gateway with status %i is %s, %s', (status, code, disposition) => {
    const page = `<html>${'x'.repeat(1000)}</html>`

    const { error } = doubao.parse(answerOf(status, page, { requestId: 'from-the-header', retryAfterMs: 7000 }), single)

    expect(error).toMatchObject({ code, disposition, requestId: 'from-the-header', retryAfterMs: 7000 })
    expect(error?.providerMessage).toBe(`HTTP ${status}: ${page.slice(0, 300)}`)
  })
})

test.each([
  ['connection termination', 'maybe_billed'],
  ['remote reset', 'maybe_billed'],
  ['connection failure', 'retry_safe'],
  ['overflow', 'retry_safe'],
])('a 503 of the gateway because of %s is %s', (reason, disposition) => {
  const page = `upstream connect error or disconnect/reset before headers. reset reason: ${reason}`

  const { error } = doubao.parse(answerOf(503, page, { contentType: 'text/plain' }), single)

  expect(error).toMatchObject({ code: 'provider_unavailable', disposition })
})

test.each([
  ['upstrea', 'outcome_unknown', 'maybe_billed'],
  ['', 'outcome_unknown', 'maybe_billed'],
  ['{"error":{"code":"Serv', 'provider_unavailable', 'retry_safe'],
])('a 503 that broke off after %j is %s', (body, code, disposition) => {
  const { error } = doubao.parse(answerOf(503, body, { complete: false }), single)

  expect(error).toMatchObject({ code, disposition })
})

describe('parse of streams', () => {
  test('pictures, refusals and the bill', () => {
    const body = succeeded(0) + failed(1) + succeeded(2) + completed(2) + done

    const parsed = doubao.parse(answerOf(200, body), groupOf(4))

    expect(parsed.images).toEqual([
      { index: 0, url: address('0.jpeg'), expiresAt },
      { index: 2, url: address('2.jpeg'), expiresAt },
    ])
    expect(parsed.failures).toMatchObject([{ index: 1, code: 'content_rejected', disposition: 'refused' }])
    expect(parsed).toMatchObject({ billedImages: 2, complete: true })
    expect(parsed.error).toBeUndefined()
  })

  test('the beginning of a cut stream keeps what came, and is no failure', () => {
    const body = `${succeeded(0)}${succeeded(1).slice(0, -30)}`

    const parsed = doubao.parse(answerOf(200, body, { complete: false }), groupOf(3))

    expect(parsed.images).toMatchObject([{ index: 0 }])
    expect(parsed).toMatchObject({ failures: [], complete: false })
    expect(parsed.error).toBeUndefined()
  })

  test.each([
    ['completed', succeeded(0) + completed(1), true],
    ['[DONE] alone', succeeded(0) + done, true],
    ['the end without its blank line', (succeeded(0) + completed(1)).trimEnd(), true],
    ['as many pictures as asked', succeeded(0) + succeeded(1) + succeeded(2), true],
    [
      'a fatal error',
      `${succeeded(0)}event: error\ndata: {"error":{"code":"InternalServiceError","message":"x"}}\n\n`,
      true,
    ],
    ['neither', succeeded(0) + failed(1), false],
  ])('a stored stream that was cut after %s is whole: %#', (_name, body, complete) => {
    expect(doubao.parse(answerOf(200, body, { complete: false }), groupOf(3)).complete).toBe(complete)
  })

  test.each([
    ['without a name', 'data: {"error":{"code":"InternalServiceError","message":"x"}}\n\n'],
    ['named error', 'event: error\ndata: {"error":{"code":"InternalServiceError","message":"x"}}\n\n'],
    ['bare', 'event: error\ndata: {"code":"InternalServiceError","message":"x"}\n\n'],
    [
      'bare, with all of its members',
      'event: error\ndata: {"code":"InternalServiceError","message":"x","param":"","type":"InternalServerError"}\n\n',
    ],
    [
      'bare, with all of its members and without a name',
      'data: {"code":"InternalServiceError","message":"x","param":"","type":"InternalServerError"}\n\n',
    ],
    ['with a type', 'data: {"type":"error","error":{"code":"InternalServiceError","message":"x"}}\n\n'],
    [
      'named otherwise',
      'event: image_generation.failed\ndata: {"error":{"code":"InternalServiceError","message":"x"}}\n\n',
    ],
  ])('a fatal error %s', (_name, fatal) => {
    const alone = doubao.parse(answerOf(200, fatal), groupOf(3))
    const after = doubao.parse(answerOf(200, succeeded(0) + fatal), groupOf(3))

    expect(alone.error).toMatchObject({ code: 'provider_unavailable', disposition: 'maybe_billed' })
    expect(after.images).toHaveLength(1)
    expect(after.failures).toMatchObject([{ index: 1, code: 'provider_unavailable' }])
    expect(after.error).toBeUndefined()
  })

  test('an event that was cut behind its address has its picture', () => {
    const cut = succeeded(1).slice(0, -12)

    const parsed = doubao.parse(answerOf(200, succeeded(0) + cut, { complete: false }), groupOf(3))

    expect(cut).not.toMatch(/\}\s*$/)
    expect(parsed.images).toEqual([
      { index: 0, url: address('0.jpeg'), expiresAt },
      { index: 1, url: address('1.jpeg'), expiresAt },
    ])
    expect(parsed.complete).toBe(false)
  })

  test('no picture is lost to the number that it comes with', () => {
    const numbers = [0, 0, -1, 1.5, 'x', null, 7]
    const body = numbers
      .map((image_index, at) =>
        event('image_generation.partial_succeeded', { image_index, url: `https://e.org/${at}` }),
      )
      .join('')

    const { images } = doubao.parse(answerOf(200, body + completed(7)), groupOf(7))

    expect(images.map(({ index, url }) => [index, url])).toEqual([
      [0, 'https://e.org/0'],
      [1, 'https://e.org/1'],
      [2, 'https://e.org/2'],
      [3, 'https://e.org/3'],
      [4, 'https://e.org/4'],
      [5, 'https://e.org/5'],
      [7, 'https://e.org/6'],
    ])
  })

  test('a bill without a picture is no refusal', () => {
    const { images, error } = doubao.parse(answerOf(200, completed(2) + done), groupOf(2))

    expect(images).toEqual([])
    expect(error).toMatchObject({ code: 'provider_rejected', disposition: 'maybe_billed' })
  })

  test('a stream of refusals alone is a refusal', () => {
    const { error, failures } = doubao.parse(answerOf(200, failed(0) + failed(1) + completed(0) + done), groupOf(2))

    expect(failures).toHaveLength(2)
    expect(error).toMatchObject({ code: 'content_rejected', disposition: 'refused' })
    expect(error).not.toHaveProperty('index')
  })

  test('comments, unknown events, several data lines and other line ends', () => {
    const pretty = `data: ${JSON.stringify({ type: 'image_generation.partial_succeeded', image_index: 0, url: 'https://e.org/0' }, undefined, 1).replaceAll('\n', '\ndata: ')}\n\n`
    const body = `: hello\n\nevent: image_generation.partial_image\ndata: {"type":"image_generation.partial_image","b64_json":"eA=="}\n\n${pretty}${done}`

    for (const text of [body, body.replaceAll('\n', '\r\n'), body.replaceAll('\n', '\r')]) {
      expect(doubao.parse(answerOf(200, text), groupOf(2)).images).toEqual([{ index: 0, url: 'https://e.org/0' }])
    }
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
  body: JsonObject
}

/** A server that answers as told, and what it saw. */
async function serve(answer: (request: Seen, response: ServerResponse) => unknown) {
  const seen: Seen[] = []
  const listener: RequestListener = async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const text = Buffer.concat(pieces).toString()
    const { method = '', url = '', headers } = request
    const one = { method, url, headers, body: text ? (JSON.parse(text) as JsonObject) : {} }
    seen.push(one)
    await answer(one, response)
  }
  const server = createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const http = createHttp({ allowedHosts: ['127.0.0.1'], allowedOrigins: [] })
  opened.push(server, http)
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v3`
  const context: Context = {
    apiKey: 'key-1',
    baseUrl,
    http,
    signal: new AbortController().signal,
    reference: async index => ({
      mimeType: index === 0 ? 'image/PNG' : 'image/jpeg',
      bytes: Buffer.from(`picture ${index}`),
    }),
  }
  return { context, seen }
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (_seen: Seen, response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
    response.end(JSON.stringify(body))
  }

function callOf(body: JsonObject): SentCall {
  return { id: 'call-1', route: 'images', body, timeoutMs: 5000 }
}

async function learn(body: JsonObject, context: Context) {
  const learned: Learned[] = []
  try {
    for await (const item of doubao.send(callOf(body), context)) learned.push(item)
  } catch (error) {
    return { learned, error }
  }
  return { learned, error: undefined }
}

const parts = (learned: Learned[]) => learned.flatMap(item => (item.type === 'part' ? [item.text] : []))
const lastAnswer = (learned: Learned[]) => learned.flatMap(item => (item.type === 'answer' ? [item.answer] : []))[0]

describe('send', () => {
  test('sends key, id and references, and gives back the answer as it came', async () => {
    const answer = { data: [{ url: address('0.jpeg') }] }
    const { context, seen } = await serve((_, response) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        'x-request-id': requestId,
      })
      response.end(gzipSync(JSON.stringify(answer)))
    })

    const { learned } = await learn(
      { model: v45, prompt: '图', image: [{ $reference: 0 }, { $reference: 1 }] },
      { ...context, apiKey: ' Bearer key-1\n' },
    )

    expect(seen).toMatchObject([
      {
        method: 'POST',
        url: '/api/v3/images/generations',
        headers: { authorization: 'Bearer key-1', 'content-type': 'application/json', 'x-client-request-id': 'call-1' },
      },
    ])
    expect(seen[0]?.body).toEqual({
      model: v45,
      prompt: '图',
      image: [
        `data:image/png;base64,${Buffer.from('picture 0').toString('base64')}`,
        `data:image/jpeg;base64,${Buffer.from('picture 1').toString('base64')}`,
      ],
    })
    expect(learned).toEqual([
      {
        type: 'answer',
        answer: {
          status: 200,
          contentType: 'application/json',
          requestId,
          retryAfterMs: undefined,
          body: JSON.stringify(answer),
          complete: true,
        },
      },
    ])
  })

  test('one reference is a text, not a list', async () => {
    const { context, seen } = await serve(json(200, { data: [] }))

    await learn({ model: v45, image: { $reference: 1 } }, context)

    expect(seen[0]?.body.image).toBe(`data:image/jpeg;base64,${Buffer.from('picture 1').toString('base64')}`)
  })

  test('an error status is an answer, with the pause it asks for', async () => {
    const refusal = { error: { code: 'ServerOverloaded', message: 'x' } }
    const { context } = await serve(json(429, refusal, { 'retry-after': '7' }))

    const { learned } = await learn({ model: v45, stream: true }, context)

    expect(lastAnswer(learned)).toMatchObject({
      status: 429,
      retryAfterMs: 7000,
      body: JSON.stringify(refusal),
      complete: true,
    })
  })

  test('a date to retry after is measured by the clock of the answer', async () => {
    const headers = { date: 'Mon, 21 Sep 2026 08:00:00 GMT', 'retry-after': 'Mon, 21 Sep 2026 08:01:30 GMT' }
    const { context } = await serve(json(503, {}, headers))

    const { learned } = await learn({ model: v45 }, context)

    expect(lastAnswer(learned)?.retryAfterMs).toBe(90_000)
  })

  test.each(['', '  ', 'key\nsecond', '密钥'])(
    'a key that cannot be sent is refused before anything is sent: %j',
    async apiKey => {
      const { context, seen } = await serve(json(200, {}))

      const { error } = await learn({ model: v45 }, { ...context, apiKey })

      expect(error).toBeInstanceOf(ExchangeError)
      expect((error as ExchangeError).failure).toMatchObject({ code: 'provider_key_rejected', disposition: 'refused' })
      expect(seen).toEqual([])
    },
  )

  test.each([1, 7, 64, 100_000])('a stream in pieces of %i bytes gives whole events, letter for letter', async size => {
    const events = [succeeded(0), failed(1), completed(1).replaceAll('\n', '\r\n'), done]
    const { context } = await serve(async (_, response) => {
      const bytes = Buffer.from(events.join(''))
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': requestId })
      for (let at = 0; at < bytes.length; at += size) {
        response.write(bytes.subarray(at, at + size))
        if (at % (size * 16) === 0) await nextTurn()
      }
      response.end()
    })

    const { learned } = await learn({ ...groupOf(4).body }, context)

    expect(parts(learned)).toEqual(events)
    expect(learned[0]).toMatchObject({ type: 'part', status: 200, contentType: 'text/event-stream', requestId })
    expect(lastAnswer(learned)).toMatchObject({ status: 200, requestId, body: events.join(''), complete: true })
  })

  test('a picture is given out before the next one is made', async () => {
    let finish = () => {}
    const { context } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(succeeded(0))
      finish = () => response.end(succeeded(1) + done)
    })

    const seen: string[] = []
    for await (const item of doubao.send(callOf(groupOf(2).body), context)) {
      seen.push(item.type)
      if (seen.length === 1) finish()
    }

    expect(seen).toEqual(['part', 'part', 'part', 'answer'])
  })

  test('does not wait for the end of the connection after [DONE]', async () => {
    const { context } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(succeeded(0) + completed(1) + done)
    })

    const { learned } = await learn(groupOf(3).body, context)

    expect(lastAnswer(learned)).toMatchObject({ complete: true })
  })

  test.each([
    ['fewer pictures than asked', succeeded(0), 3, false],
    ['as many pictures as asked', succeeded(0) + succeeded(1), 2, true],
    ['one refusal and nothing after it', failed(0, 'InvalidParameter'), 3, true],
    ['an event without its blank line', (succeeded(0) + completed(1)).trimEnd(), 3, true],
  ])('an orderly end without a last event after %s', async (_name, body, images, complete) => {
    const { context } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(body)
    })

    const { learned } = await learn(groupOf(images).body, context)

    expect(lastAnswer(learned)).toMatchObject({ body, complete })
  })

  test.each([
    ['a picture', succeeded(0), succeeded(1).slice(0, 50)],
    ['one refusal', failed(0), ''],
  ])('a stream that breaks after %s throws, after it gave out what came', async (_name, whole, rest) => {
    const { context } = await serve(async (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      writeAndCut(response, whole + rest)
    })

    const { learned, error } = await learn(groupOf(3).body, context)

    expect(parts(learned)[0]).toBe(whole)
    expect(parts(learned).join('')).toBe(whole + rest)
    expect(lastAnswer(learned)).toBeUndefined()
    expect((error as ExchangeError).failure.disposition).toBe('maybe_billed')
    expect((error as ExchangeError).partial).toBe(whole + rest)
  })

  test('a last event without its blank line is given out too', async () => {
    const body = succeeded(0) + succeeded(1).trimEnd()
    const { context } = await serve(async (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(body)
    })

    const { learned } = await learn(groupOf(2).body, context)

    expect(parts(learned).join('')).toBe(body)
  })

  test.each([
    ['its last event', succeeded(0) + completed(1)],
    ['the last picture that was asked for', succeeded(0) + succeeded(1) + succeeded(2)],
  ])('a stream that breaks after %s is whole', async (_name, body) => {
    const { context } = await serve(async (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      writeAndCut(response, body)
    })

    const { learned, error } = await learn(groupOf(3).body, context)

    expect(error).toBeUndefined()
    expect(lastAnswer(learned)).toMatchObject({ body, complete: true })
  })

  test('plain JSON in answer to a stream request is an answer, whatever its type says', async () => {
    const body = { data: [{ url: address('0.jpeg') }] }
    const { context } = await serve(json(200, body, { 'content-type': 'text/event-stream' }))

    const { learned } = await learn(groupOf(3).body, context)

    expect(learned).toMatchObject([{ type: 'answer', answer: { body: JSON.stringify(body), complete: true } }])
  })

  test('a JSON answer that breaks off throws with what came', async () => {
    const { context } = await serve(async (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 })
      writeAndCut(response, '{"data":[')
    })

    for (const body of [{ model: v45 }, groupOf(2).body]) {
      const { learned, error } = await learn(body, context)

      expect(learned).toEqual([])
      expect(error).toMatchObject({ partial: '{"data":[', failure: { disposition: 'maybe_billed' } })
    }
  })

  test('a refusal that breaks off is a refusal all the same', async () => {
    const { context } = await serve(async (_, response) => {
      response.writeHead(429, { 'content-length': 1000 })
      writeAndCut(response, '{"error":{"code":')
    })

    const answer = lastAnswer((await learn(groupOf(2).body, context)).learned)!

    expect(answer).toMatchObject({ status: 429, body: '{"error":{"code":', complete: false })
    expect(doubao.parse(answer, groupOf(2))).toMatchObject({ error: { disposition: 'retry_safe' }, complete: true })
  })

  test('an abort passes as it is', async () => {
    const { context } = await serve(() => {})
    const reason = new Error('enough')

    const { error } = await learn({ model: v45 }, { ...context, signal: AbortSignal.abort(reason) })

    expect(error).toBe(reason)
  })
})

// ── Check ───────────────────────────────────────────────────────────────────────────────────────────────────────────

describe('check', () => {
  const list = {
    object: 'list',
    data: [
      { id: v45, domain: 'ImageGeneration', status: '' },
      { id: 'doubao-seedream-3-0-t2i-250415', domain: 'ImageGeneration', status: 'Shutdown' },
    ],
  }
  const error = (code: string) => ({ error: { code, message: `It is ${code}.`, param: '', type: '' } })
  const isList = (seen: Seen) => seen.url.endsWith('/models')

  test('asks for the list, then tries a picture that no model draws', async () => {
    const { context, seen } = await serve((request, response) =>
      (isList(request) ? json(200, list) : json(400, error('InvalidParameter')))(request, response),
    )

    const result = await doubao.check(v45, context)

    expect(result.code).toBe('ok')
    expect(seen.map(({ method, url, body }) => ({ method, url, body }))).toEqual([
      { method: 'GET', url: '/api/v3/models', body: {} },
      { method: 'POST', url: '/api/v3/images/generations', body: { model: v45, prompt: 'ping', size: '1x1' } },
    ])
  })

  test.each([
    undefined,
    'ep-20260901120000-abcde',
    'doubao-seedream-4-5-270101',
    'doubao-seedream-5-5-261028',
    'doubao-seededit-3-0-i2i-250628',
    'something-else',
  ])('tries nothing that might be drawn: %s', async model => {
    const { context, seen } = await serve(json(200, list))

    const result = await doubao.check(model, context)

    expect(result.code).toBe('ok')
    expect(seen.map(request => request.method)).toEqual(['GET'])
  })

  test('tries nothing at a gateway whose list is not like that of Ark', async () => {
    const { context, seen } = await serve(json(200, { object: 'list', data: [{ id: v45, owned_by: 'someone' }] }))

    const result = await doubao.check(v45, context)

    expect(result.detail).toContain('not tried')
    expect(seen).toHaveLength(1)
  })

  test('a model that is shut down', async () => {
    const { context } = await serve(json(200, list))

    expect(await doubao.check('doubao-seedream-3-0-t2i-250415', context)).toMatchObject({
      code: 'provider_access_denied',
    })
  })

  test.each([
    [404, error('ModelNotOpen'), 'provider_access_denied'],
    [404, error('InvalidEndpointOrModel.NotFound'), 'provider_access_denied'],
    [404, error('UnsupportedModel'), 'provider_access_denied'],
    [404, error('InvalidAction'), 'wrong_address'],
    [404, 'not found', 'wrong_address'],
    [403, error('AccountOverdueError'), 'provider_quota_exhausted'],
    [403, error('AccessDenied'), 'provider_access_denied'],
    [429, error('SetLimitExceeded'), 'provider_quota_exhausted'],
    [429, error('ModelAccountRpmRateLimitExceeded'), 'provider_unavailable'],
    [401, error('AuthenticationError'), 'provider_key_rejected'],
    [500, error('InternalServiceError'), 'provider_unavailable'],
  ])('the list is there, and the model answers %i %j: %s', async (status, body, code) => {
    const { context } = await serve((request, response) =>
      (isList(request) ? json(200, list) : json(status, body))(request, response),
    )

    const result = await doubao.check(v45, context)

    expect(result.code).toBe(code)
  })

  test.each([
    [401, error('AuthenticationError'), 'provider_key_rejected'],
    [403, error('AccountOverdueError'), 'provider_quota_exhausted'],
    [403, '<html>', 'wrong_address'],
    [429, error('RequestBurstTooFast'), 'provider_unavailable'],
    [502, '<html>', 'provider_unavailable'],
  ])('the list answers %i %j: %s, and no picture is tried', async (status, body, code) => {
    const { context, seen } = await serve(json(status, body))

    const result = await doubao.check(v45, context)

    expect(result.code).toBe(code)
    expect(seen).toHaveLength(1)
  })

  test.each([
    [404, error('InvalidEndpointOrModel.NotFound'), 'ok'],
    [404, error('UnsupportedModel'), 'ok'],
    [401, error('AuthenticationError'), 'provider_key_rejected'],
    [404, error('InvalidAction'), 'wrong_address'],
    [200, '<html>', 'wrong_address'],
    [405, '<html>', 'wrong_address'],
  ])('without a list a model that nobody has proves the key: %i %j is %s', async (status, body, code) => {
    const { context, seen } = await serve((request, response) => {
      if (!isList(request)) return json(status, body)(request, response)
      response.writeHead(404, { 'content-type': 'text/plain' })
      response.end('404 page not found')
    })

    const result = await doubao.check(undefined, context)

    expect(result.code).toBe(code)
    expect(seen[1]?.body).toEqual({ model: 'does-not-exist', prompt: 'ping', size: '1x1' })
  })

  test('the plan addresses of Ark have no list, and their models are tried', async () => {
    const { context, seen } = await serve((request, response) => {
      if (!isList(request)) return json(404, error('UnsupportedModel'))(request, response)
      response.writeHead(404).end('404 page not found')
    })
    const http: Context['http'] = {
      request: request =>
        context.http.request({
          ...request,
          url: request.url.replace('https://ark.cn-beijing.volces.com', new URL(context.baseUrl).origin),
        }),
    }

    const result = await doubao.check(lite, {
      ...context,
      http,
      baseUrl: 'https://ark.cn-beijing.volces.com/api/plan/v3',
    })

    expect(result.code).toBe('provider_access_denied')
    expect(seen[1]).toMatchObject({
      url: '/api/plan/v3/images/generations',
      body: { model: lite, prompt: 'ping', size: '1x1' },
    })
  })

  test('another address without a list proves that it is Ark before a model is tried', async () => {
    const tried = async (code: string) => {
      const { context, seen } = await serve((request, response) => {
        if (isList(request)) return response.writeHead(404).end('404 page not found')
        return json(404, error(request.body.model === lite ? 'ModelNotOpen' : code))(request, response)
      })
      return { result: await doubao.check(lite, context), models: seen.slice(1).map(request => request.body.model) }
    }

    expect(await tried('UnsupportedModel')).toMatchObject({
      result: { code: 'provider_access_denied' },
      models: ['does-not-exist', lite],
    })
    expect(await tried('model_not_found')).toMatchObject({
      result: { code: 'wrong_address' },
      models: ['does-not-exist'],
    })
  })

  test.each([500, 502, 504, 408])('a list that answers %i raises no alarm about money', async status => {
    const { context } = await serve(json(status, error('InternalServiceError')))

    const { detail } = await doubao.check(v45, context)

    expect(detail).toContain('says nothing about the key')
    expect(detail).not.toMatch(/billed|picture/)
  })

  test('nobody at the address, a refused address, a broken key', async () => {
    const { context } = await serve(json(200, list))
    const checked = async (change: Partial<Context>) => (await doubao.check(v45, { ...context, ...change })).code

    expect(await checked({ baseUrl: 'http://127.0.0.1:1/api/v3' })).toBe('provider_unavailable')
    expect(await checked({ baseUrl: 'http://10.0.0.1/api/v3' })).toBe('wrong_address')
    expect(await checked({ apiKey: '密钥' })).toBe('provider_key_rejected')
  })
})
