/** Prices: the data beside each model against worked examples from the documents of the services, estimates, and the user's own file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { LookupFunction } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { estimateCost, explainEstimate, sumCalls, sumImages, type Wanted } from '../../src/catalogue/costs.ts'
import { OwnFileError } from '../../src/offers/own-file.ts'
import { readPriceFile } from '../../src/offers/price-file.ts'
import { createPrices } from '../../src/offers/prices.ts'
import { shipped } from '../../src/providers/index.ts'
import { DOUBAO_DEMO_KEY } from '../../src/simulators/doubao/keys.ts'
import { QWEN_DEMO_KEY } from '../../src/simulators/qwen/keys.ts'
import type { CallRecord } from '../../src/storage/calls.ts'
import type { ImageRecord } from '../../src/storage/records.ts'
import { addOpenai, startApp, type TestApp } from '../support/app.ts'
import { dataUri, png } from '../support/pictures.ts'

const modelOf = (id: string) => {
  const found = shipped.find(id)
  if (!found) throw new Error(`no model ${id}`)
  return found.model
}

const picture = (size: string, layer = false) => {
  const [width = 0, height = 0] = size.split('x').map(Number)
  return { width, height, layer }
}

// Steps and flat prices of 2026-11; what each row of the catalogue costs is compared in `test/providers/catalogue.test.ts`.
const perImage: [id: string, size: string, amount: number][] = [
  ['doubao-seedream-5-0-pro-260628', '1536x1536', 0.3],
  // 1536² × 1.1025, the last area of the lower step; the next pixel is dearer.
  ['doubao-seedream-5-0-pro-260628', '2601123x1', 0.3],
  ['doubao-seedream-5-0-pro-260628', '2601124x1', 0.6],
  ['doubao-seedream-5-0-pro-260628', '2048x2048', 0.6],
  ['doubao-seedream-5-0-flash-260915', '2048x2048', 0.12],
  ['qwen-image-3.0', '2048x2048', 0.18],
  ['qwen-image-3.0-pro', '1664x928', 0.25],
  // 2,250,000 pixels are the last of the lower step.
  ['qwen-image-3.0-pro', '1500x1500', 0.25],
  ['qwen-image-3.0-pro', '2250001x1', 0.5],
  ['qwen-image-3.0-pro', '2048x2048', 0.5],
  ['z-image-turbo', '1024x1536', 0.1],
]

describe('the price of one picture', () => {
  test.each(perImage)('%s at %s is %d', (id, size, amount) => {
    const made = { images: [picture(size)], references: 0, calls: 1, parameters: {} }

    expect(sumImages(modelOf(id), made)).toEqual({ amount, currency: 'CNY' })
  })

  test('every model has a price or says why it has none, and every current one of Ark and DashScope has one', () => {
    for (const { model } of shipped.all()) {
      const isUnpriced = !model.price && !model.priceAbroad
      expect([model.id, isUnpriced]).toEqual([model.id, model.unpriced !== undefined])
    }
    const toBeHad = shipped.all().filter(({ model, provider }) => model.state === 'current' && provider !== 'openai')
    expect(toBeHad.filter(({ model }) => model.unpriced !== undefined)).toEqual([])
  })

  test('every price says where it comes from, when that was looked at, and how certain it is', () => {
    const prices = shipped.all().flatMap(({ model }) => [model.price ?? [], model.priceAbroad ?? []].flat())

    expect(prices.length).toBeGreaterThan(30)
    for (const price of prices) {
      expect(price.source.length).toBeGreaterThan(5)
      expect(price.checked).toMatch(/^\d{4}-\d\d(-\d\d)?$/)
      expect(price.image.at(-1)?.upToArea).toBeUndefined()
      for (const step of [...price.image, ...(price.layer ?? [])]) expect(step.amount).toBeGreaterThan(0)
    }
  })
})

const byteplus = 'https://ark.ap-southeast.bytepluses.com/api/v3'
const singapore = 'https://dashscope-intl.aliyuncs.com/api/v1'

const perImageAbroad: [id: string, size: string, amount: number, certainty: string][] = [
  ['doubao-seedream-5-5-261028', '1536x1536', 0.02, 'reported'],
  ['doubao-seedream-5-5-261028', '2048x2048', 0.035, 'reported'],
  ['doubao-seedream-5-0-pro-260628', '1536x1536', 0.045, 'reported'],
  ['doubao-seedream-5-0-pro-260628', '2048x2048', 0.09, 'reported'],
  ['doubao-seedream-4-0-20260415', '2048x2048', 0.03, 'inferred'],
  ['qwen-image-3.0-pro', '1024x1024', 0.04, 'reported'],
  ['qwen-image-3.0-pro', '2048x2048', 0.075, 'reported'],
  ['qwen-image-2.0', '2048x2048', 0.035, 'documented'],
  ['qwen-image-edit', '', 0.045, 'documented'],
  ['z-image-turbo', '1024x1536', 0.015, 'documented'],
  ['wan2.7-image-pro', '4096x4096', 0.075, 'documented'],
  ['wan2.2-t2i-plus', '1024x1024', 0.05, 'documented'],
]

describe('the price at an address', () => {
  const prices = createPrices(shipped, undefined, [
    'https://ark.gateway.example/api/v3/',
    'https://dashscope-us.aliyuncs.com/api/v1',
  ])
  const priceAt = (modelId: string, address?: string | null, declared?: 'doubao' | 'qwen') => {
    const found = shipped.find(modelId, declared)
    if (!found) throw new Error(`no model ${modelId}`)
    return prices.priced(found, { modelId, address }).model.price
  }

  test.each<[address: string, id: string, currency: string | undefined]>([
    ['https://dashscope.aliyuncs.com/api/v1', 'wan2.7-image', 'CNY'],
    ['https://ws-1.cn-beijing.maas.aliyuncs.com/api/v1', 'wan2.7-image', 'CNY'],
    [singapore, 'wan2.7-image', 'USD'],
    ['https://DashScope-INTL.aliyuncs.com./api/v1', 'wan2.7-image', 'USD'],
    ['https://ws-1.ap-southeast-1.maas.aliyuncs.com/api/v1', 'wan2.7-image', 'USD'],
    // Virginia, Frankfurt, Tokyo and Hong Kong have prices of their own, which nobody told us.
    ['https://dashscope-us.aliyuncs.com/api/v1', 'wan2.7-image', undefined],
    ['https://ws-1.us-east-1.maas.aliyuncs.com/api/v1', 'wan2.7-image', undefined],
    ['https://ws-1.eu-central-1.maas.aliyuncs.com/api/v1', 'wan2.7-image', undefined],
    ['https://ws-1.ap-northeast-1.maas.aliyuncs.com/api/v1', 'wan2.7-image', undefined],
    ['https://ws-1.cn-hongkong.maas.aliyuncs.com/api/v1', 'wan2.7-image', undefined],
    // Priced in Beijing, but in no document of Singapore.
    [singapore, 'wanx2.1-imageedit', undefined],
    [singapore, 'wanx2.0-t2i-turbo', undefined],
    [singapore, 'qwen-image-2.1-pro', undefined],
    // Only the international hosts spell it so.
    [singapore, 'wan2.1-t2i-turbo', 'USD'],
    ['http://127.0.0.1:9102/api/v1', 'wan2.1-t2i-turbo', 'USD'],
    ['http://127.0.0.1:9102/api/v1', 'wan2.1-t2i-plus', 'USD'],
    ['https://maas.qwencloudapi.com/api/v1', 'qwen-image-2.1-turbo', undefined],
    ['https://token-plan.cn-beijing.maas.aliyuncs.com/api/v1', 'wan2.7-image', undefined],
    // A new snapshot of an unknown price.
    [singapore, 'qwen-image-3.0-2027-01-01', undefined],
    ['https://ark.cn-beijing.volces.com/api/v3', 'doubao-seedream-4-5-251128', 'CNY'],
    [byteplus, 'doubao-seedream-4-5-251128', 'USD'],
    [byteplus, 'seedream-4-5-251128', 'USD'],
    ['https://ark.cn-beijing.volces.com/api/plan/v3', 'doubao-seedream-5-0-pro', undefined],
    ['http://127.0.0.1:9101/api/plan/v3', 'doubao-seedream-5-0-pro', undefined],
    // Known of BytePlus alone.
    ['https://ark.cn-beijing.volces.com/api/v3', 'doubao-seedream-5-5-261028', undefined],
    [byteplus, 'seedream-5-5-261028', 'USD'],
    ['https://ark.eu-west.bytepluses.com/api/v3', 'seedream-5-0-260128', undefined],
    // Ids of BytePlus are not sold in CNY, whatever stands in between.
    ['https://ark.cn-beijing.volces.com/api/v3', 'seedream-4-5-251128', 'USD'],
    ['https://ark.gateway.example/api/v3', 'dola-seedream-5-0-pro-260628', 'USD'],
    ['http://127.0.0.1:9101/api/v3', 'seedream-4-0-250828', 'USD'],
    ['http://127.0.0.1:9101/api/v3', 'dola-seedream-5-0-flash-270101', 'USD'],
    ['http://127.0.0.1:9101/api/v3', 'seedream-5-5-261028', 'USD'],
    // What stands in for the service at its usual address: simulators, the own network, the address of DOUBAO_API_URL.
    ['http://127.0.0.1:9101/api/v3', 'doubao-seedream-4-5-251128', 'CNY'],
    ['http://[::1]:9101/api/v3', 'doubao-seedream-4-5-251128', 'CNY'],
    ['http://192.168.0.7/api/v3', 'doubao-seedream-4-5-251128', 'CNY'],
    ['http://localhost:9101/api/v3', 'doubao-seedream-4-5-251128', 'CNY'],
    ['http://simulators:9101/api/v3', 'doubao-seedream-4-5-251128', 'CNY'],
    ['http://gateway.lan/api/v3', 'doubao-seedream-4-5-251128', 'CNY'],
    ['https://ark.gateway.example/api/v3', 'doubao-seedream-4-5-251128', 'CNY'],
    // A stranger's, or what only looks like the service.
    ['https://relay.example/api/v3', 'doubao-seedream-4-0-20260415', undefined],
    ['https://93.184.215.14/api/v3', 'doubao-seedream-4-5-251128', undefined],
    ['https://dashscope.aliyuncs.com.evil.example/api/v1', 'wan2.7-image', undefined],
    ['https://notvolces.com/api/v3', 'doubao-seedream-4-5-251128', undefined],
  ])('%s: %s in %s', (address, id, currency) => {
    expect(priceAt(id, address)?.currency).toBe(currency)
  })

  test('is that of the usual one where nobody says which, and none where nobody can know', () => {
    expect(priceAt('wan2.7-image')?.currency).toBe('CNY')
    expect(priceAt('wan2.7-image', null)).toBeUndefined()
    expect(priceAt('seedream-5-5-270101', byteplus)).toMatchObject({ currency: 'USD', certainty: 'inferred' })
    expect(priceAt('ep-20260101-abcde', byteplus, 'doubao')).toBeUndefined()
  })

  test.each(perImageAbroad)('%s at %s is %d US dollars abroad', (id, size, amount, certainty) => {
    const price = priceAt(id, id.startsWith('doubao') ? byteplus : singapore)
    const made = { images: [picture(size)], references: 0, calls: 1, parameters: {} }

    expect(price?.certainty).toBe(certainty)
    expect(sumImages({ ...modelOf(id), price }, made)).toEqual({ amount, currency: 'USD' })
  })
})

describe('what comes on top', () => {
  const pro = modelOf('doubao-seedream-5-0-pro-260628')

  test('references of 5.0 pro cost from the second on, in every request', () => {
    const made = (references: number, calls: number) =>
      sumImages(pro, { images: Array(calls).fill(picture('1024x1024')), references, calls, parameters: {} })?.amount

    expect(made(1, 1)).toBe(0.3)
    expect(made(3, 1)).toBe(0.34)
    expect(made(10, 2)).toBe(0.96)
  })

  test('references of Qwen 3.0 pro cost from the first on; those of 5.5 too', () => {
    const one = { images: [picture('1024x1024')], references: 2, calls: 1, parameters: {} }

    expect(sumImages(modelOf('qwen-image-3.0-pro'), one)?.amount).toBe(0.29)
    const fiveFive = modelOf('doubao-seedream-5-5-261028')
    expect(sumImages({ ...fiveFive, price: fiveFive.priceAbroad }, one)).toEqual({ amount: 0.036, currency: 'USD' })
  })

  test('prompt_extend doubles the price of z-image, and of no other', () => {
    const extended = {
      images: [picture('1024x1024')],
      references: 0,
      calls: 1,
      parameters: { prompt_extend: true },
    }

    expect(sumImages(modelOf('z-image-turbo'), extended)?.amount).toBe(0.2)
    expect(sumImages(modelOf('qwen-image-plus'), extended)?.amount).toBe(0.2)
  })
})

describe('what a generation is recorded to have cost', () => {
  const pro = modelOf('doubao-seedream-5-0-pro-260628')
  const lite = modelOf('doubao-seedream-5-0-260128')
  const base = { references: 0, parameters: {} }

  test('the pictures that the answer bills, also those that were lost in storage', () => {
    const calls = [call({ id: 'a', billedImages: 3 })]

    expect(sumCalls(lite, { ...base, calls, images: [image('a', '2496x1664')] })).toEqual({
      amount: 0.66,
      currency: 'CNY',
    })
    expect(sumCalls(lite, { ...base, calls, images: [] })?.amount).toBe(0.66)
  })

  test('a lost picture has the size that was asked for, and the dearest where nobody knows', () => {
    const calls = [call({ id: 'a', billedImages: 1 })]
    const lost = (parameters: { size?: string }) => sumCalls(pro, { calls, images: [], references: 0, parameters })

    expect(lost({ size: '1024x1024' })?.amount).toBe(0.3)
    expect(lost({ size: '2K' })?.amount).toBe(0.6)
    expect(lost({})?.amount).toBe(0.6)
  })

  test('fewer pictures than came, when the answer bills fewer', () => {
    const images = [image('a', '2048x2048', 0), image('a', '2048x2048', 1)]

    expect(sumCalls(lite, { ...base, calls: [call({ id: 'a', billedImages: 1 })], images })?.amount).toBe(0.22)
  })

  test('layers at their own price, by their own pixels', () => {
    const images = [image('a', '912x1168', 0, 0), image('a', '861x1137', 1, 1)]
    const large = [image('a', '2048x2048', 0, 0), image('a', '300x300', 1, 1), image('a', '200x100', 2, 2)]
    const layered = { ...base, references: 1, parameters: { layer_decomposition: true } }

    expect(sumCalls(pro, { ...layered, calls: [call({ id: 'a', billedImages: 2 })], images })?.amount).toBe(0.45)
    // A base above the step and two small layers below it.
    expect(sumCalls(pro, { ...layered, calls: [call({ id: 'a', billedImages: 3 })], images: large })?.amount).toBe(0.9)
    // Two of the three layers never arrived: they may have been as large as the base.
    expect(sumCalls(pro, { ...layered, calls: [call({ id: 'a', billedImages: 4 })], images })?.amount).toBe(0.75)
  })

  test('layers of 5.5 at the price of pictures, by their own pixels, and its input', () => {
    const { priceAbroad, ...model } = modelOf('doubao-seedream-5-5-261028')
    const images = [image('a', '2048x2048', 0, 0), image('a', '1000x900', 1, 1), image('a', '2000x2000', 2, 2)]
    const made = { calls: [call({ id: 'a', billedImages: 3 })], images, references: 1 }

    expect(sumCalls({ ...model, price: priceAbroad }, { ...made, parameters: { layer_decomposition: true } })).toEqual({
      amount: 0.098,
      currency: 'USD',
    })
  })

  test('nothing where nothing was billed for certain; only what was made where one call of two was refused', () => {
    const refused = call({ id: 'b', outcome: 'refused', charge: 'none', billedImages: null })
    const unknown = call({ id: 'c', outcome: 'unknown', charge: 'unknown', billedImages: null })
    const made = call({ id: 'a', billedImages: 1 })

    expect(sumCalls(pro, { ...base, calls: [refused, unknown], images: [] })).toBeNull()
    expect(
      sumCalls(pro, {
        calls: [made, refused],
        images: [image('a', '1024x1024')],
        references: 3,
        parameters: {},
      })?.amount,
    ).toBe(0.34)
    expect(sumCalls(modelOf('gpt-image-2'), { ...base, calls: [made], images: [image('a', '1024x1024')] })).toBeNull()
  })
})

describe('an estimate', () => {
  const plain: Wanted = { images: 1, calls: 1, size: undefined, references: 0, parameters: {} }
  const range = (id: string, wanted: Partial<Wanted>) => {
    const estimate = estimateCost(modelOf(id), { ...plain, ...wanted })
    return estimate && [estimate.min, estimate.max]
  }

  test.each<[string, Partial<Wanted>, [number, number]]>([
    ['doubao-seedream-4-0-20260415', { images: 3, calls: 3, size: { keyword: '2K' } }, [0.6, 0.6]],
    // The service chooses the ratio of a tier, not its price.
    ['doubao-seedream-5-0-pro-260628', { size: { keyword: '2K' } }, [0.6, 0.6]],
    ['doubao-seedream-5-0-pro-260628', { size: { keyword: '1.5K' } }, [0.3, 0.3]],
    ['doubao-seedream-5-0-pro-260628', {}, [0.3, 0.6]],
    ['doubao-seedream-5-0-pro-260628', { size: { width: 2048, height: 2048 }, references: 4 }, [0.66, 0.66]],
    // A group makes as many as it likes, at least one.
    ['doubao-seedream-4-0-20260415', { images: 4, mayMakeFewer: true }, [0.2, 0.8]],
    ['wan2.7-image', { images: 12, mayMakeFewer: true, size: { keyword: '2K' } }, [0.2, 2.4]],
    // Base and 16 layers, as many as the service reserves (17).
    [
      'doubao-seedream-5-0-pro-260628',
      { size: { keyword: 'auto' }, references: 1, parameters: { layer_decomposition: true } },
      [0.3, 5.4],
    ],
    [
      'doubao-seedream-5-0-flash-260915',
      { size: { keyword: '1K' }, references: 1, parameters: { layer_decomposition: true } },
      [0.12, 2.04],
    ],
    // 2,250,000 pixels are the last of the lower step, and some sizes are rounded up to multiples of 16.
    ['qwen-image-3.0-pro', { size: { width: 1664, height: 928 }, images: 6 }, [1.5, 1.5]],
    ['qwen-image-3.0-pro', { size: { width: 1500, height: 1500 } }, [0.25, 0.5]],
    ['z-image-turbo', { images: 2, calls: 2, parameters: { prompt_extend: true } }, [0.4, 0.4]],
  ])('%s %j', (id, wanted, expected) => {
    expect(range(id, wanted)).toEqual(expected)
  })

  test('holds what the same request is recorded to have cost', () => {
    const model = modelOf('doubao-seedream-5-0-pro-260628')
    const parameters = { layer_decomposition: true }
    const estimate = estimateCost(model, { ...plain, size: { keyword: 'auto' }, references: 1, parameters })
    const images = Array.from({ length: 17 }, (_, index) => image('a', '2048x2048', index, index))
    const cost = sumCalls(model, {
      calls: [call({ id: 'a', billedImages: 17 })],
      images,
      references: 1,
      parameters,
    })

    expect(estimate?.max).toBeCloseTo(cost?.amount ?? 0)
  })

  test('says how it comes about', () => {
    const pro = modelOf('doubao-seedream-5-0-pro-260628')
    const wanted = { ...plain, references: 3, calls: 2, images: 2, size: { width: 1024, height: 1024 } }

    const reasons = explainEstimate(pro, pro.id, wanted)

    expect(reasons.slice(0, 2)).toEqual([
      '2 pictures in 2 paid requests, at CNY 0.3 each.',
      '3 references, the first one free: 2 at CNY 0.02 each in each request.',
    ])
    expect(reasons.join(' ')).toMatch(/documented: Volcengine Ark document 1544106, 2026-11-27\..*not charged\.$/)
    expect(explainEstimate(modelOf('gpt-image-2'), 'gpt-image-2', plain)[0]).toMatch(
      /No price is known.*token.*PRICES_FILE/,
    )
  })
})

describe('POST /api/estimate', () => {
  test('answers cost and reasons, sends nothing and keeps nothing', async () => {
    const app = await startApp()
    const body = {
      prompt: 'a boat',
      model: 'doubao-seedream-5-0-pro-260628',
      parameters: { size: '1:1', n: 2, seed: 7 },
      images: [dataUri(await png(600, 600)), dataUri(await png(500, 600))],
    }

    const answer = await app.call('POST', '/api/estimate', body)

    expect(answer).toMatchObject({
      status: 200,
      body: {
        model: body.model,
        images: 2,
        calls: 2,
        cost: { min: 1.24, max: 1.24, currency: 'CNY' },
        reasons: expect.arrayContaining(['2 pictures in 2 paid requests, at CNY 0.6 each.']),
        warnings: [{ parameter: 'seed' }],
      },
    })
    expect(app.doubao.requests).toEqual([])
    expect((await app.call('GET', '/api/history')).body.items).toEqual([])
    const generated = await app.generate(body)
    expect(generated.cost).toEqual({ amount: 1.24, currency: 'CNY' })
  })

  test('takes a form with files, and leaves none of them', async () => {
    const app = await startApp()
    const form = new FormData()
    form.set('prompt', 'make it night')
    form.set('model', 'qwen-image-3.0-pro')
    form.set('parameters', '{"size":"1024x1024"}')
    form.append('images', new Blob([new Uint8Array(await png(600, 600))], { type: 'image/png' }), 'a.png')

    const answer = await app.call('POST', '/api/estimate', form)

    expect(answer.body.cost).toEqual({ min: 0.27, max: 0.27, currency: 'CNY' })
    expect(await app.app.store.images.unusedReferences(Number.MAX_SAFE_INTEGER)).toEqual([])
  })

  test('refuses what generate refuses', async () => {
    const app = await startApp()
    const wrong = { prompt: 'x', model: 'doubao-seedream-4-0-20260415', parameters: { n: 99 } }

    const [estimate, generate] = await Promise.all(
      ['/api/estimate', '/api/generate'].map(path => app.call('POST', path, wrong)),
    )

    expect(estimate?.status).toBe(422)
    expect(estimate?.body.errors).toEqual(generate?.body.errors)
  })
})

describe('with a configuration abroad', () => {
  const lookup: LookupFunction = (_host, options, callback) =>
    options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)
  const hosts = ['dashscope-intl.aliyuncs.com', 'dashscope-us.aliyuncs.com', 'ark.ap-southeast.bytepluses.com']
  /** The address of a simulator under the name of a host abroad. */
  const named = (host: string, url: string) => {
    const { port, pathname } = new URL(url)
    return `http://${host}:${port}${pathname}`
  }
  async function startAbroad(environment: Record<string, string> = {}) {
    const app = await startApp({ lookup, environment: { ALLOWED_HOSTS: hosts.join(','), ...environment } })
    const add = async (provider: 'doubao' | 'qwen', host: string, more: object = {}) => {
      const answer = await app.call('POST', '/api/config', {
        ...{ provider, name: host, base_url: named(host, app[provider].baseUrl) },
        ...{ api_key: provider === 'qwen' ? QWEN_DEMO_KEY : DOUBAO_DEMO_KEY, ...more },
      })
      expect(answer.status).toBe(201)
      return answer.body as { id: string }
    }
    return { app, add, listed: (id: string) => listedPrice(app, id) }
  }

  test('POST /api/estimate tells every price in US dollars, also by step, reference and factor', async () => {
    const { app, add } = await startAbroad()
    await add('qwen', 'dashscope-intl.aliyuncs.com')
    await add('doubao', 'ark.ap-southeast.bytepluses.com')
    const reference = dataUri(await png(600, 600))
    const estimate = async (model: string, parameters: object, references = 0) =>
      (
        await app.call('POST', '/api/estimate', {
          prompt: 'a boat',
          model,
          parameters,
          images: Array(references).fill(reference),
        })
      ).body

    for (const [id, size, amount] of perImageAbroad.filter(([id]) => id.startsWith('qwen') || /^[wz]/.test(id))) {
      const isEditor = !modelOf(id).textToImage
      const { cost } = await estimate(id, size ? { size } : {}, isEditor ? 1 : 0)
      expect([id, cost]).toEqual([id, { min: amount, max: amount, currency: 'USD' }])
    }
    const pro = await estimate('qwen-image-3.0-pro', { size: '1024x1024', n: 2 }, 2)
    const turbo = await estimate('z-image-turbo', { prompt_extend: true })
    const byteplus = await estimate('seedream-5-5-261028', { size: '2048x2048' }, 2)
    const unpriced = await estimate('seedream-9-0-271231', {})

    expect(pro.cost).toEqual({ min: 0.086, max: 0.086, currency: 'USD' })
    expect(turbo.cost.max).toBe(0.03)
    expect(byteplus.cost).toEqual({ min: 0.051, max: 0.051, currency: 'USD' })
    expect(byteplus.reasons.join(' ')).toContain('reported by others, not documented')
    expect(unpriced.cost).toBeNull()
    expect(unpriced.reasons[0]).toBe(
      'No price is known for seedream-9-0-271231 at this address; a file named in PRICES_FILE can give one.',
    )
    expect([...app.qwen.requests, ...app.doubao.requests]).toEqual([])
  })

  test('what is reserved, recorded, summed up and listed is in the currency of its address', async () => {
    const { app, add, listed } = await startAbroad({ MONTHLY_CAP: '0.2 USD' })
    const body = { prompt: 'a boat', model: 'wan2.7-image', parameters: { size: '768x768', n: 2 } }
    const atHome = await app.call('POST', '/api/generate', body)
    expect((await listed('wan2.7-image')).currency).toBe('CNY')
    const { id } = await add('qwen', 'dashscope-intl.aliyuncs.com')

    const made = await app.generate(body)
    const again = await app.call('POST', `/api/history/${made.id}/retry`, { dry_run: true })
    const tooMany = await app.call('POST', '/api/generate', { ...body, parameters: { size: '768x768', n: 5 } })
    const named = await app.call('POST', '/api/estimate', { ...body, config_id: 'env-qwen' })
    const usage = await app.call('GET', '/api/usage')

    expect([atHome.status, atHome.body.code]).toEqual([402, 'budget_exceeded'])
    expect([made.config_id, made.cost]).toEqual([id, { amount: 0.06, currency: 'USD' }])
    expect(again.body.cost).toEqual({ min: 0.06, max: 0.06, currency: 'USD' })
    expect(tooMany.status).toBe(402)
    expect(tooMany.body.budget.left).toEqual({ amount: 0.14, currency: 'USD' })
    expect(named.body.cost).toEqual({ min: 0.4, max: 0.4, currency: 'CNY' })
    expect(usage.body.items).toMatchObject([{ images: 2, amount: 0.06, currency: 'USD' }])
    expect(await listed('wan2.7-image')).toMatchObject({ currency: 'USD', image: [{ up_to_area: null, amount: 0.03 }] })
    expect(await listed('wanx-v1')).toBeNull()
    expect((await listed('doubao-seedream-4-0-20260415')).currency).toBe('CNY')
    await app.call('PUT', `/api/config/${id}`, { is_active: false })
    expect((await listed('wan2.7-image')).currency).toBe('CNY')
  })

  test('no price is known in Virginia: no cap in money can be kept there, and nothing is recorded', async () => {
    const { app, add, listed } = await startAbroad()
    await add('qwen', 'dashscope-us.aliyuncs.com', { monthly_cap: { amount: 100, currency: 'CNY' } })
    const body = { prompt: 'a boat', model: 'wan2.7-image', parameters: { size: '768x768' } }

    const capped = await app.call('POST', '/api/generate', body)
    await add('qwen', 'dashscope-us.aliyuncs.com')
    const made = await app.generate(body)

    expect([capped.status, capped.body.code]).toEqual([402, 'budget_exceeded'])
    expect(await listed('wan2.7-image')).toBeNull()
    expect([made.charge, made.cost]).toEqual(['charged', null])
  })

  test('an address in QWEN_API_URL that is known to be abroad stays abroad', async () => {
    const { app, listed } = await startAbroad({ QWEN_API_URL: singapore })

    const estimate = await app.call('POST', '/api/estimate', { prompt: 'a boat', model: 'qwen-image-3.0' })

    expect(estimate.body.cost).toEqual({ min: 0.03, max: 0.03, currency: 'USD' })
    expect((await listed('qwen-image-3.0')).currency).toBe('USD')
  })

  test('a model that a configuration of another service names is listed without the price of its own service', async () => {
    const app = await startApp()
    await addOpenai(app, 'qwen-image-3.0')

    expect(await listedPrice(app, 'qwen-image-3.0')).toBeNull()
    expect((await listedPrice(app, 'qwen-image-2.0')).currency).toBe('CNY')
  })

  test('PRICES_FILE counts there too; by the ids of BytePlus it tells one service from the other', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'webimgui-prices-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = path.join(folder, 'prices.json')
    writeFileSync(
      file,
      JSON.stringify({
        'wan2.7-image': { currency: 'USD', image: 0.02 },
        'doubao-seedream-4-0-20260415': { currency: 'CNY', image: 0.22 },
        'seedream-4-5-251128': { currency: 'USD', image: 0.05 },
      }),
    )
    const { app, add } = await startAbroad({ PRICES_FILE: file })
    await add('qwen', 'dashscope-us.aliyuncs.com')
    const { id } = await add('doubao', 'ark.ap-southeast.bytepluses.com')
    const sumImages = async (body: object) =>
      (await app.call('POST', '/api/estimate', { prompt: 'a boat', ...body })).body.cost

    expect(await sumImages({ model: 'wan2.7-image' })).toEqual({ min: 0.02, max: 0.02, currency: 'USD' })
    expect(await sumImages({ model: 'seedream-4-5-251128', config_id: id })).toMatchObject({
      max: 0.05,
      currency: 'USD',
    })
    expect(await sumImages({ model: 'doubao-seedream-4-0-20260415', config_id: 'env-doubao' })).toMatchObject({
      ...{ max: 0.22, currency: 'CNY' },
    })
  })
})

describe('PRICES_FILE', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'webimgui-prices-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const written = (content: unknown) => {
    const file = path.join(folder, 'prices.json')
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
    return file
  }

  test('one amount is enough; steps, layers, references and factors are in the words of GET /api/models', () => {
    const prices = readPriceFile(
      written({
        'gpt-image-2': { currency: 'USD', image: 0.04 },
        'qwen-image-3.0-pro': {
          currency: 'CNY',
          image: [
            { up_to_area: 2_000_000, amount: 0.2 },
            { up_to_area: null, amount: 0.4 },
          ],
          layer: 0.1,
          reference: { amount: 0.01, free: 2 },
          factor_when: { parameter: 'prompt_extend', factor: 1.5 },
          source: 'contract',
          checked: '2026-11-20',
        },
        'qwen-image': null,
      }),
    )

    expect(prices.get('gpt-image-2')).toMatchObject({ image: [{ amount: 0.04 }], source: 'PRICES_FILE' })
    expect(prices.get('qwen-image-3.0-pro')).toEqual({
      currency: 'CNY',
      image: [{ upToArea: 2_000_000, amount: 0.2 }, { amount: 0.4 }],
      layer: [{ amount: 0.1 }],
      reference: { amount: 0.01, free: 2 },
      factorWhen: { parameter: 'prompt_extend', factor: 1.5 },
      certainty: 'documented',
      source: 'contract',
      checked: '2026-11-20',
    })
    expect(prices.get('qwen-image')).toBeNull()
  })

  test.each([
    ['{', /not JSON/],
    ['[]', /PRICES_FILE/],
    [{ m: { currency: 'EUR', image: 1 } }, /"m → currency".*CNY or USD/],
    [{ m: { currency: 'CNY' } }, /"m → image"/],
    [{ m: { currency: 'CNY', image: -1 } }, /"m → image"/],
    [{ m: { currency: 'CNY', image: 1, colour: 2 } }, /colour/],
    [{ m: { currency: 'CNY', image: [{ up_to_area: 5, amount: 1 }] } }, /last/],
    [{ m: { currency: 'CNY', image: [{ amount: 1 }, { amount: 2 }] } }, /last/],
    [{ m: { currency: 'CNY', image: 1, checked: 'yesterday' } }, /2026-11/],
  ])('%j is refused with one clear message', (content, message) => {
    expect(() => readPriceFile(written(content))).toThrow(OwnFileError)
    expect(() => readPriceFile(written(content))).toThrow(message)
  })

  test('a missing or broken file stops the start and names the variable', async () => {
    await expect(startApp({ environment: { PRICES_FILE: '/nowhere/prices.json' } })).rejects.toThrow(
      /cannot be used[\s\S]*PRICES_FILE names \/nowhere\/prices\.json, which cannot be read \(ENOENT\)/,
    )
  })

  test('counts for an id, its aliases and for ids that nobody lists', () => {
    const prices = createPrices(
      shipped,
      readPriceFile(
        written({
          'seedream-4-5-251128': { currency: 'CNY', image: 9 },
          'ep-mine': { currency: 'CNY', image: 7 },
        }),
      ),
    )
    const priceOf = (id: string, provider?: 'doubao') => {
      const found = shipped.find(id, provider)
      if (!found) throw new Error(id)
      expect(prices.priced(found, { modelId: id }).model).toBe(prices.priced(found, { modelId: id }).model)
      return prices.priced(found, { modelId: id }).model.price?.image[0]?.amount
    }

    expect(priceOf('doubao-seedream-4-5-251128')).toBe(9)
    expect(priceOf('ep-mine', 'doubao')).toBe(7)
    expect(priceOf('doubao-seedream-4-0-250828')).toBe(0.2)
  })

  test('shows in GET /api/models, in estimates and in what is recorded', async () => {
    const file = written({ 'doubao-seedream-4-0-20260415': { currency: 'USD', image: 0.03, source: 'my contract' } })
    const app = await startApp({ environment: { PRICES_FILE: file } })
    const body = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }

    const models = await app.call('GET', '/api/models')
    const estimate = await app.call('POST', '/api/estimate', body)
    const made = await app.generate(body)

    expect(models.body.items.find((model: { id: string }) => model.id === body.model).price).toMatchObject({
      currency: 'USD',
      image: [{ up_to_area: null, amount: 0.03 }],
      source: 'my contract',
    })
    expect(estimate.body.cost).toEqual({ min: 0.03, max: 0.03, currency: 'USD' })
    expect(made.cost).toEqual({ amount: 0.03, currency: 'USD' })
  })
})

async function listedPrice(app: TestApp, id: string) {
  const { body } = await app.call('GET', '/api/models')
  return body.items.find((model: { id: string }) => model.id === id).price
}

function call(changes: Partial<CallRecord>): CallRecord {
  return { id: 'a', outcome: 'made', charge: 'charged', billedImages: 1, ...changes } as CallRecord
}

function image(callId: string, size: string, index = 0, layer?: number): ImageRecord {
  const { width, height } = picture(size)
  return { callId, index, width, height, details: layer === undefined ? null : { z_index: layer } } as ImageRecord
}
