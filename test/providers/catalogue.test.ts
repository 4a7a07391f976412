/** The catalogue, row by row, against `catalogue.facts.ts`: another reading of the same documents, measurements and reports. */
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { isServedAt, lifeAt } from '../../src/catalogue/life.ts'
import type { JsonObject, Model, Price, SizeRule } from '../../src/catalogue/model.ts'
import { resolveSize } from '../../src/catalogue/sizes.ts'
import { spelledFor } from '../../src/providers/default-model.ts'
import { providers } from '../../src/providers/index.ts'
import type { PlanRequest } from '../../src/providers/provider.ts'
import {
  addressFacts,
  firstLine,
  type LifeFact,
  type Prices,
  qwenFacts,
  type SeedreamFact,
  type SizeFact,
  seedreamFacts,
  seedreamPixels,
} from './catalogue.facts.ts'

const now = new Date('2026-11-27T12:00:00+08:00')

function modelOf(provider: 'doubao' | 'qwen', id: string): Model {
  const model = providers[provider].models.find(one => one.id === id)
  if (!model) throw new Error(`the catalogue has no ${id}`)
  return model
}

test('every service has its file of conformance tests', () => {
  const files = readdirSync(import.meta.dirname).filter(name => /^conformance\.\w+\.test\.ts$/.test(name))

  expect(files.sort()).toEqual(
    Object.keys(providers)
      .map(id => `conformance.${id}.test.ts`)
      .sort(),
  )
})

test('has the models that the tables have, and no other of these services', () => {
  const idsOf = (rows: readonly { id: string }[]) => rows.map(({ id }) => id).sort()

  expect(idsOf(providers.doubao.models)).toEqual(idsOf(seedreamFacts))
  expect(idsOf(providers.qwen.models)).toEqual(idsOf(qwenFacts))
})

test.each(addressFacts)('%s at %s: %s', (provider, address, platform) => {
  expect(providers[provider].platformAt(address)).toBe(platform ?? undefined)
})

describe('Seedream', () => {
  test.each(seedreamFacts)('$id: spellings, references, abilities', fact => {
    const model = modelOf('doubao', fact.id)
    const { parameters, references } = model
    const valuesOf = (name: string) => (parameters[name]?.enum as string[] | undefined) ?? []

    expect([...(model.aliases ?? [])].sort()).toEqual([...fact.spellings].sort())
    expect(spelledFor(model, fact.id, 'byteplus')).toBe(fact.onBytePlus)
    expect(spelledFor(model, fact.id, 'ark-cn')).toBe(fact.id)
    for (const spelling of fact.spellings) expect(spelledFor(model, spelling, 'byteplus')).toBe(spelling)
    expect(model.textToImage).toBe(fact.text)
    expect([references.min, references.max]).toEqual(fact.references)
    expect(valuesOf('output_format').sort()).toEqual([...(fact.formats ?? [])].sort())
    if (fact.formats) {
      const named = fact.formats[0] === 'png' ? 'PNG' : 'JPEG'
      expect(parameters.output_format?.description).toContain(`${named} unless asked otherwise`)
    }
    expect(valuesOf('optimize_prompt').includes('fast')).toBe(fact.fast)
    expect(valuesOf('background').sort()).toEqual([...fact.backgrounds].sort())
    expect(parameters.web_search !== undefined).toBe(fact.search)
    expect(parameters.layer_decomposition !== undefined).toBe(fact.layers > 0)
    expect(model.images.group?.maxLayers ?? 0).toBe(fact.layers)
    expect(model.promptRequired).toBe(fact.layers === 0)
  })

  test.each(seedreamFacts)('$id: three pictures are one streamed group, or three requests that name neither', fact => {
    const model = modelOf('doubao', fact.id)
    const bodies = plan(model, { count: 3 }).map(({ body }) => body)

    if (fact.group) {
      expect(bodies).toHaveLength(1)
      expect(bodies[0]).toMatchObject({
        stream: true,
        sequential_image_generation: 'auto',
        sequential_image_generation_options: { max_images: 3 },
      })
      expect(model.images.group).toMatchObject({ limit: 15, countsReferences: true })
    } else {
      expect(bodies).toHaveLength(3)
      for (const body of bodies) {
        expect(Object.keys(body).filter(name => /stream|sequential/.test(name))).toEqual([])
      }
    }
  })

  test.each(seedreamFacts)('$id: tiers, area, ratio and the table of pixels', fact => {
    const { sizes } = modelOf('doubao', fact.id)
    const rules = [sizes.textToImage, sizes.withReferences].filter(rule => rule !== undefined)
    expect(rules).toHaveLength(Number(fact.text) + Number(fact.references[1] > 0))
    for (const rule of rules) {
      expect(rule.keywords ?? []).toEqual(fact.tiers)
      expect(rule.free && [rule.free.minArea, rule.free.maxArea]).toEqual(fact.area ?? undefined)
      expect([rule.free?.minRatio, rule.free?.maxRatio]).toEqual(
        fact.ratio === null ? [undefined, undefined] : [1 / fact.ratio, fact.ratio],
      )
      if (fact.columns.length > 0) expect(rule.table).toEqual(tableOf(fact))
    }
  })

  test.each(seedreamFacts)('$id: prices', fact => {
    const model = modelOf('doubao', fact.id)

    expect(pricesOf(model.price)).toEqual(fact.cny)
    expect(pricesOf(model.priceAbroad)).toEqual(fact.usd)
    expect(model.price?.currency ?? 'CNY').toBe('CNY')
    expect(model.priceAbroad?.currency ?? 'USD').toBe('USD')
  })

  test.each(
    seedreamFacts.flatMap(({ id, life }) => Object.entries(life).map(([platform, fact]) => ({ id, platform, fact }))),
  )('$id on $platform', ({ id, platform, fact }) => {
    expectLife(modelOf('doubao', id), platform, fact)
  })

  test('lite has a spelling of its own on the plan', () => {
    const lite = modelOf('doubao', 'doubao-seedream-5-0-260128')

    expect(spelledFor(lite, lite.id, 'ark-plan')).toBe('doubao-seedream-5-0-lite-260128')
  })

  test('none is known in Europe or on the coding plan', () => {
    for (const model of providers.doubao.models) {
      expect([isServedAt(model, 'byteplus-eu'), isServedAt(model, 'ark-coding')]).toEqual([false, false])
    }
  })
})

describe('Qwen, Z-Image and Wan', () => {
  test.each(qwenFacts)('$id: spellings, route, references, counts', fact => {
    const model = modelOf('qwen', fact.id)
    const [call] = plan(model, { count: fact.count })

    expect([...(model.aliases ?? [])].sort()).toEqual([...(fact.spellings ?? [])].sort())
    expect(model.textToImage).toBe(fact.text)
    expect([model.references.min, model.references.max]).toEqual(fact.references)
    expect(model.images.perCall).toBe(fact.count)
    expect(model.images.group?.limit).toBe(fact.series)
    expect([call?.route, call?.images]).toEqual([fact.route, fact.count])
    expect(plan(model, { count: fact.count + 1 })).toHaveLength(2)
  })

  test.each(qwenFacts)('$id: sizes', fact => {
    const { sizes } = modelOf('qwen', fact.id)

    expectSizes(sizes.textToImage, fact.textSize, fact.keywords?.text)
    expectSizes(sizes.withReferences, fact.editSize, fact.keywords?.edit)
    const rule = sizes.textToImage ?? sizes.withReferences
    for (const size of fact.recommended?.split(' ') ?? []) {
      expect([size, rule && resolveSize(rule, fact.id, size)]).toEqual([size, { size: expect.any(Object) }])
    }
  })

  test.each(qwenFacts)('$id: prompts', fact => {
    const model = modelOf('qwen', fact.id)
    const { negative_prompt: negative, prompt_extend: extend } = model.parameters
    // A token of Chinese is one and a half characters.
    const most = fact.prompt && ('tokens' in fact.prompt ? fact.prompt.tokens * 1.5 : fact.prompt.characters)

    expect(model.promptMaxCharacters).toBe(most ?? undefined)
    expect(extend?.default ?? 'none').toBe(fact.extend)
    expect(negative === undefined).toBe(fact.negative === 'none')
    if (negative === undefined) return
    const { warnings } = providers.qwen.plan(
      wanted(model, { parameters: { negative_prompt: 'x'.repeat(9999) } }),
      model,
    )
    const cut = warnings.find(({ code }) => code === 'negative_prompt_cut')
    expect(cut?.values?.most ?? 'unstated').toBe(fact.negative)
  })

  test('Wan 2.1 is spelled without its x in Singapore', () => {
    for (const form of ['turbo', 'plus']) {
      const model = modelOf('qwen', `wanx2.1-t2i-${form}`)
      expect(spelledFor(model, model.id, 'dashscope-intl')).toBe(`wan2.1-t2i-${form}`)
      expect(spelledFor(model, model.id, 'dashscope-cn')).toBe(model.id)
    }
  })

  test.each(qwenFacts)('$id: prices', fact => {
    const model = modelOf('qwen', fact.id)

    expect(pricesOf(model.price)).toEqual(fact.cny)
    expect(pricesOf(model.priceAbroad)).toEqual(fact.usd)
    for (const price of [model.price, model.priceAbroad]) {
      if (price) expect(price.factorWhen?.parameter).toBe(fact.doubledBy)
      if (price?.factorWhen) expect(price.factorWhen.factor).toBe(2)
    }
  })

  test.each(qwenFacts)('$id: where it is, and how it ends', fact => {
    const model = modelOf('qwen', fact.id)
    for (const region of ['cn', 'intl', 'us', 'eu', 'jp', 'hk']) {
      expectLife(model, `dashscope-${region}`, fact.alibaba === 'first line' ? firstLine : fact.alibaba)
    }
    expectLife(model, 'qwen-cloud', fact.qwenCloud)
    expectLife(model, 'token-plan', fact.tokenPlan)
  })
})

test('what is announced says from whom it is known, and every successor is a model that is offered on that platform', () => {
  for (const { models, platformAt } of Object.values(providers)) {
    expect(platformAt('https://nobody.example/v1')).toBeUndefined()
    for (const model of models) {
      for (const entry of model.life ?? []) {
        expect(entry.source.length, model.id).toBeGreaterThan(10)
        expect(entry.checked).toMatch(/^\d{4}-\d\d(-\d\d)?$/)
        for (const id of entry.successors ?? []) {
          const heir = models.find(one => one.id === id || one.aliases?.includes(id))
          expect(heir, `${id}, successor of ${model.id}`).toBeDefined()
          for (const platform of entry.platforms ?? []) {
            expect([id, platform, isServedAt(heir!, platform), lifeAt(heir!, platform, now).stage]).toEqual([
              ...[id, platform, true, 'current'],
            ])
          }
        }
      }
    }
  }
})

// ── Comparing ───────────────────────────────────────────────────────────────────────────────────────────────────────

function wanted(model: Model, changes: { count?: number; parameters?: JsonObject }): PlanRequest {
  const reference = { mimeType: 'image/png', width: 1024, height: 1024, transparent: false }
  return {
    modelId: model.id,
    prompt: 'three boats',
    count: changes.count ?? 1,
    parameters: changes.parameters ?? {},
    // Without references, Wan 2.6 tells a story: another mode.
    references: Array.from({ length: model.parameters.enable_interleave ? 1 : model.references.min }, () => reference),
  }
}

function plan(model: Model, changes: { count?: number }) {
  const provider = providers.doubao.models.includes(model) ? providers.doubao : providers.qwen
  return provider.plan(wanted(model, changes), model).calls
}

/** The columns of the pixel table for the tiers of a model. */
function tableOf(fact: SeedreamFact) {
  const [head = [], ...rows] = seedreamPixels
    .trim()
    .split('\n')
    .map(line => line.split('|').map(cell => cell.trim()))
  return Object.fromEntries(
    fact.tiers.map((tier, index) => {
      const column = head.indexOf(fact.columns[index] ?? '')
      expect(column).toBeGreaterThan(1)
      return [tier, Object.fromEntries(rows.map(cells => [cells[1], cells[column]]))]
    }),
  )
}

function pricesOf(price: Price | undefined): Prices | null {
  if (!price) return null
  const steps = (list: Price['image']) =>
    list.map(step => (step.upToArea === undefined ? step.amount : ([step.upToArea, step.amount] as const)))
  return {
    image: steps(price.image),
    ...(price.layer && { layer: steps(price.layer) }),
    ...(price.reference && { reference: price.reference }),
  }
}

function expectSizes(rule: SizeRule | undefined, fact: SizeFact | undefined, keywords: readonly string[] = []) {
  if (!fact) return expect(rule).toBeUndefined()
  expect(rule?.keywords ?? []).toEqual(keywords)
  const free = rule?.free
  if ('only' in fact) {
    expect([...(rule?.exact ?? [])].sort()).toEqual(fact.only.map(size => size.replace('*', 'x')).sort())
  } else expect(rule?.exact).toBeUndefined()
  if ('sides' in fact) expect([free?.minSide, free?.maxSide]).toEqual(fact.sides)
  if (!('area' in fact)) return
  const [min, max] = fact.area
  expect(free?.maxArea).toBe(max)
  // Recommended sizes may lie below what the page calls the least, and are taken.
  expect(free?.minArea).toBeLessThanOrEqual(min)
  expect(free?.minArea).toBeGreaterThan(min * 0.99)
  expect([free?.minRatio, free?.maxRatio]).toEqual(fact.ratio ? [1 / fact.ratio, fact.ratio] : [undefined, undefined])
}

function expectLife(model: Model, platform: string, fact: LifeFact) {
  const stageAt = (time: Date | string) => lifeAt(model, platform, new Date(time)).stage
  expect([platform, isServedAt(model, platform)]).toEqual([platform, fact !== 'absent'])
  if (fact === 'absent') return
  if (typeof fact === 'string') return expect([platform, stageAt(now)]).toEqual([platform, fact])
  const { announced, closedToNew, ends, successors } = fact
  const before = (time: string) => new Date(Date.parse(time) - 1)
  expect([stageAt(before(announced)), stageAt(announced)]).toEqual(['current', 'announced'])
  if (closedToNew) expect([stageAt(before(closedToNew)), stageAt(closedToNew)]).toEqual(['announced', 'retiring'])
  if (ends) expect([stageAt(before(ends)), stageAt(ends)]).toEqual([closedToNew ? 'retiring' : 'announced', 'ended'])
  else expect(stageAt('2999-01-01')).toBe('announced')
  expect(lifeAt(model, platform, now).entry?.successors).toEqual(successors)
}
