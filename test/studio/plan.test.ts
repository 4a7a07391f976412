/** What the form promises, over every model of the catalogue: the rules are those of the server, so only what is sent and said is the form's own. */

import { describe, expect, test } from 'vitest'
import type { Model } from '../../src/api/models.ts'
import { checkRequest } from '../../src/catalogue/checks.ts'
import { estimateCost } from '../../src/catalogue/costs.ts'
import { limitImages } from '../../src/catalogue/counts.ts'
import { checkValue } from '../../src/catalogue/json-schema.ts'
import { findTable } from '../../src/catalogue/sizes.ts'
import type { ViolationCode } from '../../src/catalogue/violation.ts'
import { type ProviderId, providers, shipped } from '../../src/providers/index.ts'
import { presentModel } from '../../src/server/api/present/models.ts'
import { type FormValues, listSchemas, planFor, sumCosts, toCard } from '../../src/studio/generate/plan.ts'
import { listResolutions, readChoice, type SizeChoice } from '../../src/studio/generate/size-choice.ts'
import * as en from '../../src/studio/text/en.ts'
import { knownNames } from '../support/names.ts'

en.violations satisfies Record<ViolationCode | 'not_configured' | 'size_unfinished', string>

const place = {
  providerName: 'Service',
  configured: true,
  isDefault: false,
  standing: { stage: 'current', successors: [] },
} as const
const models = shipped.all().map(found => ({ found, shown: presentModel(found, place) }))

function model(id: string): Model {
  const found = models.find(({ shown }) => shown.id === id)
  if (!found) throw new Error(`no model ${id}`)
  return found.shown
}

const wish: FormValues = { prompt: 'a lighthouse', references: [], size: {}, count: 1, values: {} }

/** Everything that a click on a shape or a tier can yield. */
function choicesFor(shown: Model, asked: FormValues): SizeChoice[] {
  const { sizeRule } = planFor(shown, asked)
  if (!sizeRule) return [{}]
  const tiers = [undefined, ...listResolutions(sizeRule)]
  return tiers.flatMap(tier => {
    return [undefined, ...Object.keys(findTable(sizeRule, tier))].map(ratio => ({ ratio, tier }))
  })
}

const image = { mimeType: 'image/png', width: 1024, height: 1024, transparent: false }

describe('what is sent', () => {
  test.each(models)(
    '$shown.id: every shape and tier is taken, at the cost of the requests that the adapter makes of it',
    ({ found: { provider, model: card }, shown }) => {
      expect(toCard(shown)).toMatchObject({ sizes: card.sizes, images: card.images, parameters: card.parameters })
      // The second of an edit is its mask, which a parameter asks for.
      const most = 'function' in card.parameters ? 1 : (card.images.group?.maxReferences ?? card.references.max)
      for (const references of new Set([card.references.min, Math.min(1, most), most])) {
        for (const count of [1, 2, limitImages(card, { references, parameters: {} })]) {
          const asked = { ...wish, count, references: Array.from({ length: references }, (_, index) => `id-${index}`) }
          for (const size of choicesFor(shown, asked)) {
            const plan = planFor(shown, { ...asked, size })
            const { prompt, parameters } = plan.body
            const checked = checkRequest(card, { prompt, parameters, references }, knownNames)
            const { calls, resolved } = providers[provider as ProviderId].plan(
              {
                ...{ modelId: shown.id, prompt, count: checked.count, size: checked.resolvedSize },
                ...{ parameters: checked.parameters, references: Array.from({ length: references }, () => image) },
              },
              card,
            )
            const estimate = estimateCost(card, {
              ...{ images: checked.count, calls: calls.length, size: checked.resolvedSize, references },
              ...{ parameters: resolved, mayMakeFewer: calls.some(call => call.mayMakeFewer) },
            })

            expect([plan.violations, checked.violations]).toEqual([[], []])
            // A reference may decide the shape, and with it the price.
            if (references === 0) expect(plan.cost ?? null).toEqual(estimate && expect.objectContaining(estimate))
            else expect(plan.cost?.max ?? 0).toBeGreaterThanOrEqual(estimate?.max ?? 0)
          }
        }
      }
    },
  )

  test('takes what the model has instead of what it has not, and says so', () => {
    const flash = planFor(model('doubao-seedream-5-0-flash-260915'), { ...wish, size: { ratio: '16:9', tier: '4K' } })

    expect(flash.body.parameters.size).toBe('16:9')
    expect(flash.notes).toEqual([{ kind: 'size', instead: '2816x1584' }])
    expect(flash.pixels).toEqual({ width: 2816, height: 1584 })
  })

  test('leaves out what only another model knows, and says so', () => {
    const plan = planFor(model('doubao-seedream-4-0-20260415'), { ...wish, values: { seed: 7, watermark: true } })

    expect(plan.body.parameters).toEqual({ watermark: true })
    expect(plan.notes).toEqual([{ kind: 'left_out', parameter: 'seed' }])
  })

  test('counts references as pictures of a group', () => {
    const shown = model('doubao-seedream-4-0-20260415')
    const references = Array.from({ length: 10 }, (_, index) => `picture-${index}`)

    const plan = planFor(shown, { ...wish, references, count: 15 })

    expect(plan.body.parameters.n).toBe(5)
    expect(plan.notes).toEqual([{ kind: 'count', count: 5 }])
  })
})

describe('what stands against it', () => {
  test('an empty prompt, too many references, none for an editor, no key', () => {
    const editor = model('qwen-image-edit-plus')
    const painter = { ...model('qwen-image-plus'), configured: false }

    expect(planFor(editor, { ...wish, prompt: ' ' }).violations.map(({ code }) => code)).toEqual([
      'prompt_missing',
      'too_few_references',
    ])
    expect(planFor(painter, { ...wish, references: ['a'] }).violations).toMatchObject([
      { path: 'images', code: 'too_many_references', values: { max: 0 } },
      { path: 'model', code: 'not_configured' },
    ])
  })

  test('a size of the person that the model does not take, with its bounds', () => {
    const small = planFor(model('doubao-seedream-4-0-20260415'), { ...wish, size: { pixels: '640x480' } })
    const other = planFor(model('qwen-image-plus'), { ...wish, size: { pixels: '1000x1000' } })
    const right = planFor(model('doubao-seedream-4-0-20260415'), { ...wish, size: { pixels: '3000 x 2000' } })

    expect(small.violations).toMatchObject([{ code: 'size_area', values: { min: 921_600, max: 16_777_216 } }])
    expect(other.violations).toMatchObject([{ code: 'size_unlisted' }])
    expect([right.violations, right.body.parameters.size]).toEqual([[], '3000x2000'])
  })

  test('more references than a story has, which a model tells where there are none', () => {
    const story = model('wan2.6-image')
    const asked = { ...wish, count: 8, values: { enable_interleave: true } }

    expect(planFor(story, { ...asked, values: {} }).count).toBe(5)
    expect(planFor(story, { ...asked, references: ['a', 'b'] }).violations).toMatchObject([
      { code: 'too_many_references', values: { max: 1, parameter: 'enable_interleave' } },
    ])
  })

  test('as many pictures as Wan 2.7 makes, apart and as a series', () => {
    const wan = model('wan2.7-image')

    expect(planFor(wan, { ...wish, count: 12 }).count).toBe(10)
    expect(planFor(wan, { ...wish, count: 12, values: { enable_sequential: true } }).count).toBe(12)
  })
})

describe('what it costs', () => {
  test('the price of the area, and of references beyond the free one for every request', () => {
    const pro = model('doubao-seedream-5-0-pro-260628')

    const small = planFor(pro, { ...wish, size: { ratio: '1:1', tier: '1K' } })
    const large = planFor(pro, { ...wish, size: { ratio: '1:1', tier: '2K' }, count: 2, references: ['a', 'b', 'c'] })

    expect(small.cost).toMatchObject({ min: 0.3, max: 0.3, currency: 'CNY', isEstimate: false })
    expect(large.cost).toMatchObject({ min: 1.28, max: 1.28 })
  })

  test('a parameter that doubles it, the most of a group, and nothing where no price is known', () => {
    const turbo = model('z-image-turbo')

    expect(planFor(turbo, wish).cost).toMatchObject({ max: 0.1, isEstimate: false })
    expect(planFor(model('qwen-image-3.0'), wish).cost).toMatchObject({ max: 0.18, isEstimate: true })
    expect(planFor(turbo, { ...wish, values: { prompt_extend: true } }).cost?.max).toBe(0.2)
    expect(planFor(model('doubao-seedream-4-0-20260415'), { ...wish, count: 4 }).cost).toMatchObject({
      max: 0.8,
      isMost: true,
    })
    const story = model('wan2.6-image')
    expect(planFor(story, { ...wish, count: 3 }).cost).toMatchObject({ max: 0.6, isMost: true })
    expect(planFor(story, { ...wish, count: 3, references: ['a'] }).cost).toMatchObject({ max: 0.6, isMost: false })
    expect(planFor(model('gpt-image-2'), wish).cost).toBeUndefined()
  })

  test('sums by currency, and tells when a price is missing', () => {
    const plans = ['doubao-seedream-4-0-20260415', 'z-image-turbo', 'gpt-image-2'].map(model)
    const fiveFive = shipped.find('doubao-seedream-5-5-261028')!
    const abroad = { ...fiveFive, model: { ...fiveFive.model, price: fiveFive.model.priceAbroad } }
    const costs = [...plans, presentModel(abroad, place)].map(shown => planFor(shown, wish).cost)

    const sum = sumCosts(costs)

    expect(sum.isComplete).toBe(false)
    expect(sum.costs.map(({ currency, max }) => [currency, max])).toEqual([
      ['CNY', 0.3],
      ['USD', 0.035],
    ])
  })
})

test('takes a size apart again: what was clicked is what is chosen after a reload or from a recipe', () => {
  const rule = toCard(model('doubao-seedream-4-0-20260415')).sizes.textToImage

  expect(readChoice('5504x3040', rule)).toEqual({ ratio: '16:9', tier: '4K' })
  expect(readChoice('16:9', rule)).toEqual({ ratio: '16:9' })
  expect(readChoice('4K', rule)).toEqual({ tier: '4K' })
  expect(readChoice('3000x2000', rule)).toEqual({ pixels: '3000x2000' })
  expect(readChoice(undefined, rule)).toEqual({})
})

test('refuses the values of lists and objects where they are wrong', () => {
  const { color_palette: palette = {}, bbox_list: boxes = {} } = listSchemas(model('wan2.7-image'))
  const colour = { hex: '#1A2B3C', ratio: '40.00%' }

  expect(checkValue(palette, [colour, colour, colour])).toEqual([])
  expect(checkValue(palette, [colour])).toMatchObject([{ code: 'entry_count', values: { min: 3, max: 10 } }])
  expect(checkValue(palette, [colour, { ...colour, hex: 'red' }, colour])).toMatchObject([{ path: '1.hex' }])
  expect(checkValue(palette, [colour, { hex: '#1A2B3C' }, colour])).toMatchObject([
    { code: 'member_missing', values: { member: 'ratio' } },
  ])
  expect(checkValue(boxes, [[[0, 0, 10, 10]], []])).toEqual([])
  expect(checkValue(boxes, [[[0, 0, 10]]])).toMatchObject([{ path: '0.0', code: 'entry_count' }])
  expect(checkValue(boxes, {})).toMatchObject([{ code: 'wrong_type' }])
})
