/** What the form promises is what the server takes and what it reckons: over every model of the catalogue. */

import { describe, expect, test } from 'vitest'
import type { Model } from '../../src/api/models.ts'
import { checkRequest } from '../../src/catalogue/checks.ts'
import { estimateCost } from '../../src/catalogue/costs.ts'
import type { JsonObject } from '../../src/catalogue/model.ts'
import { resolveSize as resolveOnServer } from '../../src/catalogue/sizes.ts'
import { shipped } from '../../src/providers/index.ts'
import { presentModel } from '../../src/server/present/models.ts'
import {
  findRefusal,
  maxImages,
  type PlacementRequest,
  planFor,
  schemasOf,
  sumOf,
} from '../../src/studio/generate/plan.ts'
import { choiceOf, ratiosOf, type SizeChoice, sizeRuleOf, tiersOf } from '../../src/studio/generate/sizes.ts'
import { knownNames } from '../support/names.ts'

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

const wish: PlacementRequest = { prompt: 'a lighthouse', references: [], size: {}, count: 1, values: {} }

/** Everything that a click on a shape or a tier can yield. */
function choicesOf(shown: Model, mode: { isGroup: boolean; references: number }): SizeChoice[] {
  const rule = sizeRuleOf(shown, mode)
  if (!rule) return [{}]
  const tiers = [undefined, ...tiersOf(rule)]
  return tiers.flatMap(tier => [undefined, ...ratiosOf(rule, tier)].map(ratio => ({ ratio, tier })))
}

describe('what is sent', () => {
  test.each(models)(
    '$shown.id: every shape and tier is taken by the server, at the cost that was shown',
    ({ found, shown }) => {
      const most = shown.references.max
      for (const references of new Set([shown.references.min, Math.min(1, most), most])) {
        for (const count of [1, 2, maxImages(shown, { references, values: {} })]) {
          const isGroup = shown.images.group?.asked_by === null && count > 1
          for (const size of choicesOf(shown, { isGroup, references })) {
            const ids = Array.from({ length: references }, (_, index) => `picture-${index}`)
            const plan = planFor(shown, { ...wish, references: ids, size, count })
            const checked = checkRequest(
              found.model,
              {
                prompt: plan.body.prompt,
                parameters: plan.body.parameters as JsonObject,
                references,
              },
              knownNames,
            )
            const resolved = checked.sizeRule ? resolveOnServer(checked.sizeRule, shown.id, checked.size) : {}
            const estimate = estimateCost(found.model, {
              images: checked.count,
              size: 'size' in resolved ? resolved.size : undefined,
              references,
              calls: Math.ceil(checked.count / shown.images.per_call),
              parameters: checked.parameters,
            })

            expect([plan.faults, checked.violations, 'violation' in resolved]).toEqual([[], [], false])
            if (!estimate) expect(plan.cost).toBeUndefined()
            else {
              expect(plan.cost?.min).toBeLessThanOrEqual(estimate.max)
              expect(plan.cost?.max).toBeGreaterThanOrEqual(estimate.max)
              // A reference may decide the shape, and with it the price.
              if (references === 0) expect(plan.cost).toMatchObject(estimate)
            }
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

    expect(planFor(editor, { ...wish, prompt: ' ' }).faults.map(fault => fault.kind)).toEqual([
      'prompt',
      'too_few_references',
    ])
    expect(planFor(painter, { ...wish, references: ['a'] }).faults).toEqual([
      { kind: 'too_many_references', most: 0 },
      { kind: 'not_configured' },
    ])
  })

  test('a size of the person that the model does not take, with its bounds', () => {
    const small = planFor(model('doubao-seedream-4-0-20260415'), { ...wish, size: { pixels: '640x480' } })
    const other = planFor(model('qwen-image-plus'), { ...wish, size: { pixels: '1000x1000' } })
    const right = planFor(model('doubao-seedream-4-0-20260415'), { ...wish, size: { pixels: '3000 x 2000' } })

    expect(small.faults).toEqual([{ kind: 'size', fault: { kind: 'area', least: '921,600', most: '16,777,216' } }])
    expect(other.faults).toMatchObject([{ kind: 'size', fault: { kind: 'exact' } }])
    expect([right.faults, right.body.parameters.size]).toEqual([[], '3000x2000'])
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

    const sum = sumOf(costs)

    expect(sum.isComplete).toBe(false)
    expect(sum.costs.map(({ currency, max }) => [currency, max])).toEqual([
      ['CNY', 0.3],
      ['USD', 0.035],
    ])
  })
})

test('takes a size apart again: what was clicked is what is chosen after a reload or from a recipe', () => {
  const rule = sizeRuleOf(model('doubao-seedream-4-0-20260415'), { isGroup: false, references: 0 })

  expect(choiceOf('5504x3040', rule)).toEqual({ ratio: '16:9', tier: '4K' })
  expect(choiceOf('16:9', rule)).toEqual({ ratio: '16:9' })
  expect(choiceOf('4K', rule)).toEqual({ tier: '4K' })
  expect(choiceOf('3000x2000', rule)).toEqual({ pixels: '3000x2000' })
  expect(choiceOf(undefined, rule)).toEqual({})
})

test('refuses the values of lists and objects where they are wrong', () => {
  const { color_palette: palette = {}, bbox_list: boxes = {} } = schemasOf(model('wan2.7-image'))
  const colour = { hex: '#1A2B3C', ratio: '40.00%' }

  expect(findRefusal(palette, [colour, colour, colour])).toBeUndefined()
  expect(findRefusal(palette, [colour])).toMatchObject({ keyword: 'minItems', limit: '3' })
  expect(findRefusal(palette, [colour, { ...colour, hex: 'red' }, colour])).toMatchObject({ path: '1.hex' })
  expect(findRefusal(palette, [colour, { hex: '#1A2B3C' }, colour])).toMatchObject({
    keyword: 'required',
    limit: 'ratio',
  })
  expect(findRefusal(boxes, [[[0, 0, 10, 10]], []])).toBeUndefined()
  expect(findRefusal(boxes, [[[0, 0, 10]]])).toMatchObject({ path: '0.0', keyword: 'minItems' })
  expect(findRefusal(boxes, {})).toMatchObject({ keyword: 'type' })
})
