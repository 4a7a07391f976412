/** Prices: the data beside each model against worked examples from the documents of the services, estimates, and the user's own file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { PriceFileError, readPriceFile } from '../../src/generation/price-file.ts'
import {
  costOf,
  costOfCalls,
  createPrices,
  estimateCost,
  reasonsFor,
  type Wanted,
} from '../../src/generation/prices.ts'
import { catalogue, findModel } from '../../src/providers/index.ts'
import type { CallRecord } from '../../src/storage/calls.ts'
import type { ImageRecord } from '../../src/storage/records.ts'
import { startApp } from '../support/app.ts'
import { dataUri, png } from '../support/pictures.ts'

const modelOf = (id: string) => {
  const found = findModel(id)
  if (!found) throw new Error(`no model ${id}`)
  return found.model
}

const picture = (size: string, layer = false) => {
  const [width = 0, height = 0] = size.split('x').map(Number)
  return { width, height, layer }
}

// Price tables as they stand in the documents and reports of the services, 2026-11: doubao.md §2.2, qwen.md §1. One picture of the size.
const perPicture: [id: string, size: string, amount: number, currency?: string][] = [
  ['doubao-seedream-5-5-261028', '1536x1536', 0.02, 'USD'],
  ['doubao-seedream-5-5-261028', '2048x2048', 0.035, 'USD'],
  ['doubao-seedream-5-0-pro-260628', '1536x1536', 0.3],
  // 1536² × 1.1025, the last area of the lower step; the next pixel is dearer.
  ['doubao-seedream-5-0-pro-260628', '2601123x1', 0.3],
  ['doubao-seedream-5-0-pro-260628', '2601124x1', 0.6],
  ['doubao-seedream-5-0-pro-260628', '2048x2048', 0.6],
  ['doubao-seedream-5-0-flash-260915', '2048x2048', 0.12],
  ['doubao-seedream-5-0-260128', '4096x4096', 0.22],
  ['doubao-seedream-4-5-251128', '2048x2048', 0.25],
  ['doubao-seedream-4-0-250828', '1024x1024', 0.2],
  ['qwen-image-3.0', '1024x1024', 0.18],
  ['qwen-image-3.0', '2048x2048', 0.18],
  ['qwen-image-3.0-pro', '1024x1024', 0.25],
  ['qwen-image-3.0-pro', '1664x928', 0.25],
  // 2,250,000 pixels are the last of the lower step.
  ['qwen-image-3.0-pro', '1500x1500', 0.25],
  ['qwen-image-3.0-pro', '2250001x1', 0.5],
  ['qwen-image-3.0-pro', '2048x2048', 0.5],
  ['qwen-image-2.1-pro', '1024x1024', 0.25],
  ['qwen-image-2.1-turbo', '1024x1024', 0.15],
  ['qwen-image-2.0-pro', '2048x2048', 0.5],
  ['qwen-image-2.0', '2048x2048', 0.2],
  ['qwen-image-max', '1664x928', 0.5],
  ['qwen-image-plus', '1664x928', 0.2],
  ['qwen-image-plus-2026-01-09', '1664x928', 0.2],
  ['qwen-image', '1328x1328', 0.25],
  ['qwen-image-edit-max', '1024x1024', 0.5],
  ['qwen-image-edit-plus', '1024x1024', 0.2],
  ['qwen-image-edit', '1024x1024', 0.3],
  ['z-image-turbo', '1024x1536', 0.1],
  ['wan2.7-image-pro', '4096x4096', 0.5],
  ['wan2.7-image', '2048x2048', 0.2],
  ['wan2.6-t2i', '1280x1280', 0.2],
  ['wan2.6-image', '1024x1024', 0.2],
  ['wan2.5-t2i-preview', '1280x1280', 0.2],
  ['wan2.5-i2i-preview', '1280x1280', 0.2],
  ['wan2.2-t2i-flash', '1024x1024', 0.14],
  ['wan2.2-t2i-plus', '1024x1024', 0.2],
  ['wanx2.0-t2i-turbo', '1024x1024', 0.14],
  ['wanx2.1-t2i-turbo', '1024x1024', 0.14],
  ['wanx2.1-t2i-plus', '1024x1024', 0.2],
  ['wanx2.1-imageedit', '1024x1024', 0.14],
]

/** Retired, priced by token, or without a price anywhere in the documents. */
const withoutPrice = [
  'doubao-seedream-3-0-t2i-250415',
  'doubao-seededit-3-0-i2i-250628',
  'wanx-v1',
  ...['gpt-image-2.6-sunburst', 'gpt-image-2.6-flare', 'gpt-image-2.5-sunburst', 'gpt-image-2.5-flare'],
  ...[
    'gpt-image-2',
    'gpt-image-1.5',
    'chatgpt-image-latest',
    'gpt-image-1-mini',
    'gpt-image-1',
    'dall-e-3',
    'dall-e-2',
  ],
]

describe('the price of one picture', () => {
  test.each(perPicture)('%s at %s is %d', (id, size, amount, currency = 'CNY') => {
    const made = { pictures: [picture(size)], references: 0, calls: 1, parameters: {} }

    expect(costOf(modelOf(id), made)).toEqual({ amount, currency })
  })

  test('every model of the catalogue is in one of the two lists', () => {
    const listed = new Set([...perPicture.map(([id]) => id), ...withoutPrice])

    expect(
      catalogue()
        .map(({ model }) => model.id)
        .filter(id => !listed.has(id)),
    ).toEqual([])
    for (const id of withoutPrice) expect(modelOf(id).price, id).toBeUndefined()
  })

  test('every price says where it comes from, when that was looked at, and how certain it is', () => {
    const prices = catalogue().flatMap(({ model }) => model.price ?? [])

    expect(prices.length).toBeGreaterThan(30)
    for (const price of prices) {
      expect(price.source.length).toBeGreaterThan(5)
      expect(price.checked).toMatch(/^\d{4}-\d\d$/)
      expect(price.image.at(-1)?.upToArea).toBeUndefined()
      for (const step of [...price.image, ...(price.layer ?? [])]) expect(step.amount).toBeGreaterThan(0)
    }
  })
})

describe('what comes on top', () => {
  const pro = modelOf('doubao-seedream-5-0-pro-260628')

  test('references of 5.0 pro cost from the second on, in every request', () => {
    const made = (references: number, calls: number) =>
      costOf(pro, { pictures: Array(calls).fill(picture('1024x1024')), references, calls, parameters: {} })?.amount

    expect(made(1, 1)).toBe(0.3)
    expect(made(3, 1)).toBe(0.34)
    expect(made(10, 2)).toBe(0.96)
  })

  test('references of Qwen 3.0 pro cost from the first on; those of 5.5 too', () => {
    const one = { pictures: [picture('1024x1024')], references: 2, calls: 1, parameters: {} }

    expect(costOf(modelOf('qwen-image-3.0-pro'), one)?.amount).toBe(0.29)
    expect(costOf(modelOf('doubao-seedream-5-5-261028'), one)).toEqual({ amount: 0.036, currency: 'USD' })
  })

  test('prompt_extend doubles the price of z-image, and of no other', () => {
    const extended = {
      pictures: [picture('1024x1024')],
      references: 0,
      calls: 1,
      parameters: { prompt_extend: true },
    }

    expect(costOf(modelOf('z-image-turbo'), extended)?.amount).toBe(0.2)
    expect(costOf(modelOf('qwen-image-plus'), extended)?.amount).toBe(0.2)
  })
})

describe('what a generation is recorded to have cost', () => {
  const pro = modelOf('doubao-seedream-5-0-pro-260628')
  const lite = modelOf('doubao-seedream-5-0-260128')
  const base = { references: 0, parameters: {} }

  test('the pictures that the answer bills, also those that were lost in storage', () => {
    const calls = [call({ id: 'a', billedImages: 3 })]

    expect(costOfCalls(lite, { ...base, calls, images: [image('a', '2496x1664')] })).toEqual({
      amount: 0.66,
      currency: 'CNY',
    })
    expect(costOfCalls(lite, { ...base, calls, images: [] })?.amount).toBe(0.66)
  })

  test('a lost picture has the size that was asked for, and the dearest where nobody knows', () => {
    const calls = [call({ id: 'a', billedImages: 1 })]
    const lost = (parameters: { size?: string }) => costOfCalls(pro, { calls, images: [], references: 0, parameters })

    expect(lost({ size: '1024x1024' })?.amount).toBe(0.3)
    expect(lost({ size: '2K' })?.amount).toBe(0.6)
    expect(lost({})?.amount).toBe(0.6)
  })

  test('fewer pictures than came, when the answer bills fewer', () => {
    const images = [image('a', '2048x2048', 0), image('a', '2048x2048', 1)]

    expect(costOfCalls(lite, { ...base, calls: [call({ id: 'a', billedImages: 1 })], images })?.amount).toBe(0.22)
  })

  test('layers at their own price, counted with the area of the base (912x1168: live answer of 2026-09)', () => {
    const images = [image('a', '912x1168', 0, 0), image('a', '861x1137', 1, 1)]
    const large = [image('a', '2048x2048', 0, 0), image('a', '300x300', 1, 1), image('a', '200x100', 2, 2)]
    const layered = { ...base, references: 1, parameters: { layer_decomposition: true } }

    expect(costOfCalls(pro, { ...layered, calls: [call({ id: 'a', billedImages: 2 })], images })?.amount).toBe(0.45)
    expect(costOfCalls(pro, { ...layered, calls: [call({ id: 'a', billedImages: 3 })], images: large })?.amount).toBe(
      1.2,
    )
    // Two of the three layers never arrived.
    expect(costOfCalls(pro, { ...layered, calls: [call({ id: 'a', billedImages: 4 })], images })?.amount).toBe(0.75)
  })

  test('nothing where nothing was billed for certain; only what was made where one call of two was refused', () => {
    const refused = call({ id: 'b', outcome: 'refused', charge: 'none', billedImages: null })
    const unknown = call({ id: 'c', outcome: 'unknown', charge: 'unknown', billedImages: null })
    const made = call({ id: 'a', billedImages: 1 })

    expect(costOfCalls(pro, { ...base, calls: [refused, unknown], images: [] })).toBeNull()
    expect(
      costOfCalls(pro, {
        calls: [made, refused],
        images: [image('a', '1024x1024')],
        references: 3,
        parameters: {},
      })?.amount,
    ).toBe(0.34)
    expect(
      costOfCalls(modelOf('gpt-image-2'), { ...base, calls: [made], images: [image('a', '1024x1024')] }),
    ).toBeNull()
  })
})

describe('an estimate', () => {
  const plain: Wanted = { images: 1, calls: 1, size: undefined, references: 0, parameters: {} }
  const range = (id: string, wanted: Partial<Wanted>) => {
    const estimate = estimateCost(modelOf(id), { ...plain, ...wanted })
    return estimate && [estimate.min, estimate.max]
  }

  test.each<[string, Partial<Wanted>, [number, number]]>([
    ['doubao-seedream-4-5-251128', { images: 3, calls: 3, size: { keyword: '2K' } }, [0.75, 0.75]],
    // The service chooses the ratio of a tier, not its price.
    ['doubao-seedream-5-0-pro-260628', { size: { keyword: '2K' } }, [0.6, 0.6]],
    ['doubao-seedream-5-0-pro-260628', { size: { keyword: '1.5K' } }, [0.3, 0.3]],
    ['doubao-seedream-5-0-pro-260628', {}, [0.3, 0.6]],
    ['doubao-seedream-5-0-pro-260628', { size: { width: 2048, height: 2048 }, references: 4 }, [0.66, 0.66]],
    // A group makes as many as it likes, at least one.
    ['doubao-seedream-4-0-250828', { images: 4, mayMakeFewer: true }, [0.2, 0.8]],
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
    const cost = costOfCalls(model, {
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

    const reasons = reasonsFor(pro, pro.id, wanted)

    expect(reasons.slice(0, 2)).toEqual([
      '2 pictures in 2 paid requests, at CNY 0.3 each.',
      '3 references, the first one free: 2 at CNY 0.02 each in each request.',
    ])
    expect(reasons.join(' ')).toMatch(/documented: Volcengine Ark document 1544106, 2026-11\..*not charged\.$/)
    expect(reasonsFor(modelOf('gpt-image-2'), 'gpt-image-2', plain)[0]).toMatch(/No price is known.*PRICES_FILE/)
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
    expect(await app.app.store.images.unusedReferences('9999')).toEqual([])
  })

  test('refuses what generate refuses', async () => {
    const app = await startApp()
    const wrong = { prompt: 'x', model: 'doubao-seedream-4-5-251128', parameters: { n: 99 } }

    const [estimate, generate] = await Promise.all(
      ['/api/estimate', '/api/generate'].map(path => app.call('POST', path, wrong)),
    )

    expect(estimate?.status).toBe(422)
    expect(estimate?.body.errors).toEqual(generate?.body.errors)
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
    expect(() => readPriceFile(written(content))).toThrow(PriceFileError)
    expect(() => readPriceFile(written(content))).toThrow(message)
  })

  test('a missing or broken file stops the start and names the variable', async () => {
    await expect(startApp({ environment: { PRICES_FILE: '/nowhere/prices.json' } })).rejects.toThrow(
      /cannot start[\s\S]*PRICES_FILE names \/nowhere\/prices\.json, which cannot be read \(ENOENT\)/,
    )
  })

  test('counts for an id, its aliases and for ids that nobody lists', () => {
    const prices = createPrices(
      readPriceFile(
        written({
          'seedream-4-5-251128': { currency: 'CNY', image: 9 },
          'ep-mine': { currency: 'CNY', image: 7 },
        }),
      ),
    )
    const priceOf = (id: string, provider?: 'doubao') => {
      const found = findModel(id, provider)
      if (!found) throw new Error(id)
      expect(prices.priced(found, id).model).toBe(prices.priced(found, id).model)
      return prices.priced(found, id).model.price?.image[0]?.amount
    }

    expect(priceOf('doubao-seedream-4-5-251128')).toBe(9)
    expect(priceOf('ep-mine', 'doubao')).toBe(7)
    expect(priceOf('doubao-seedream-4-0-250828')).toBe(0.2)
  })

  test('shows in GET /api/models, in estimates and in what is recorded', async () => {
    const file = written({ 'doubao-seedream-4-0-250828': { currency: 'USD', image: 0.03, source: 'my contract' } })
    const app = await startApp({ environment: { PRICES_FILE: file } })
    const body = { prompt: 'a boat', model: 'doubao-seedream-4-0-250828', parameters: { size: '960x960' } }

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

function call(changes: Partial<CallRecord>): CallRecord {
  return { id: 'a', outcome: 'made', charge: 'charged', billedImages: 1, ...changes } as CallRecord
}

function image(callId: string, size: string, index = 0, layer?: number): ImageRecord {
  const { width, height } = picture(size)
  return { callId, index, width, height, details: layer === undefined ? null : { z_index: layer } } as ImageRecord
}
