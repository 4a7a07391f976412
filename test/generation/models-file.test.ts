/** MODELS_FILE: models of the user's own, and corrections of those that came with the program. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Model as PresentedModel } from '../../src/api/models.ts'
import { readModelsFile } from '../../src/offers/models-file.ts'
import { OwnFileError } from '../../src/offers/own-file.ts'
import { shipped } from '../../src/providers/index.ts'
import { startApp, type TestApp } from '../support/app.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'webimgui-models-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = path.join(folder, 'models.json')

function written(content: unknown) {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

const read = (...items: object[]) => readModelsFile(written({ items }), shipped)
const modelIn = (catalogue: typeof shipped, id: string) => {
  const found = catalogue.find(id)
  if (!found) throw new Error(`there is no ${id}`)
  return found.model
}

async function presented(app: TestApp): Promise<PresentedModel[]> {
  return (await app.call('GET', '/api/models')).body.items
}

describe('the catalogue that came with the program', () => {
  test('is a file of this form: what GET /api/models answers is taken as it is and changes nothing', async () => {
    const app = await startApp()
    const { body } = await app.call('GET', '/api/models')

    const { catalogue, prices } = readModelsFile(written(body), shipped)

    for (const { model } of shipped.all()) expect(modelIn(catalogue, model.id)).toBe(modelIn(shipped, model.id))
    expect(catalogue.models).toEqual(shipped.models)
    expect([...prices]).toEqual([])
  })

  test('is complete in that form: under other ids the same models come of it', async () => {
    const app = await startApp()
    const items = (await presented(app)).map(item => {
      return { ...item, id: `${item.id}-again`, aliases: [], id_at: {}, price: null }
    })

    const { catalogue } = readModelsFile(written({ items }), shipped)

    for (const { model } of shipped.all()) {
      const { id, aliases, idAt, price, priceAbroad, unpriced, ...facts } = model
      const again = modelIn(catalogue, `${id}-again`)
      // Where an answer says `retired`, that is what `life` says of this address.
      const state = items.find(item => item.id === `${id}-again`)?.state === 'retired' ? model.state : again.state
      expect({ ...again, id, aliases, idAt, price, priceAbroad, unpriced, state }).toEqual({
        ...{ id, aliases, idAt, price, priceAbroad, unpriced },
        ...facts,
      })
    }
  })

  test('is answered again as it was when a server reads its own answer', async () => {
    const first = await startApp()
    const before = await presented(first)
    const second = await startApp({ environment: { MODELS_FILE: written({ items: before }) } })

    expect(await presented(second)).toEqual(before)
  })
})

describe('a correction', () => {
  test('changes what it names and leaves the rest', () => {
    const before = modelIn(shipped, 'qwen-image-3.0')

    const { catalogue } = read({
      id: 'qwen-image-3.0',
      references: { max: 5 },
      sizes: { text_to_image: { free: { max_area: 4_500_000 } } },
      concurrency: 2,
    })
    const after = modelIn(catalogue, 'qwen-image-3.0')

    expect(after).toEqual({
      ...before,
      references: { ...before.references, max: 5 },
      sizes: {
        ...before.sizes,
        textToImage: { ...before.sizes.textToImage, free: { ...before.sizes.textToImage?.free, maxArea: 4_500_000 } },
      },
      concurrency: 2,
    })
    expect(catalogue.models.doubao).toEqual(shipped.models.doubao)
  })

  test('counts in the check of a request, and its price wherever the request goes', async () => {
    const model = 'qwen-image-3.0'
    const app = await startApp({
      environment: {
        MODELS_FILE: written({ items: [{ id: model, images: { max: 2 }, price: { currency: 'USD', image: 0.5 } }] }),
      },
    })
    const estimate = (n: number) =>
      app.call('POST', '/api/estimate', { prompt: 'a boat', model, parameters: { n, size: '1024x1024' } })

    expect((await estimate(2)).body.cost).toEqual({ min: 1, max: 1, currency: 'USD' })
    expect((await estimate(3)).status).toBe(422)
    expect((await presented(app)).find(({ id }) => id === model)?.price).toMatchObject({
      currency: 'USD',
      source: 'MODELS_FILE',
    })
  })

  test('a price of PRICES_FILE counts for more', async () => {
    const prices = path.join(folder, 'prices.json')
    writeFileSync(prices, JSON.stringify({ 'qwen-image-3.0': { currency: 'CNY', image: 3 } }))
    const items = [{ id: 'qwen-image-3.0', price: { currency: 'USD', image: 0.5 } }]
    const app = await startApp({ environment: { MODELS_FILE: written({ items }), PRICES_FILE: prices } })

    expect((await presented(app)).find(({ id }) => id === 'qwen-image-3.0')?.price).toMatchObject({ currency: 'CNY' })
  })
})

describe('a new model', () => {
  test('is offered, checked and sent as the one of its family that it names', async () => {
    const [relative] = shipped.models.qwen ?? []
    const items = [
      { id: 'qwen-image-9.9', provider: 'qwen', family: relative?.family, name: 'Mine', images: { max: 1 } },
    ]
    const app = await startApp({ environment: { MODELS_FILE: written({ items }) } })

    expect((await presented(app)).find(({ id }) => id === 'qwen-image-9.9')).toMatchObject({
      ...{ name: 'Mine', provider: 'qwen', state: 'current', configured: true, price: null },
      source: 'MODELS_FILE',
    })
    const refused = await app.call('POST', '/api/estimate', {
      prompt: 'x',
      model: 'qwen-image-9.9',
      parameters: { n: 2 },
    })
    expect(refused.body.errors[0].message).toMatch(/n must be at most 1/)
  })

  test('of no known family takes the cautious form', () => {
    const { catalogue } = read({ id: 'doubao-seedream-9-0-270101' })

    expect(modelIn(catalogue, 'doubao-seedream-9-0-270101')).toMatchObject({
      ...{ family: 'seedream', state: 'current', promptRequired: true },
      images: { perCall: 1 },
    })
  })
})

describe('what is wrong is told with its place', () => {
  test.each([
    ['{', /which is not JSON/],
    [[], /"the whole|the whole of/],
    [{ items: [{ id: 'qwen-image-3.0', colour: 1 }] }, /"qwen-image-3\.0".*colour/],
    [{ items: [{ id: 'nobody-knows-this' }] }, /"nobody-knows-this → provider".*doubao, qwen, openai/],
    [{ items: [{ id: 'qwen-image-3.0', provider: 'doubao' }] }, /"qwen-image-3\.0 → provider".*is a model of qwen/],
    [{ items: [{ id: 'qwen-image-3.0', family: 'z-image' }] }, /"qwen-image-3\.0 → family".*cannot be changed/],
    [{ items: [{ id: 'x-1', provider: 'qwen', family: 'nothing' }] }, /"x-1 → family".*is none of qwen; choose one of/],
    [{ items: [{ id: 'qwen-image-3.0' }, { id: 'qwen-image-3.0' }] }, /"qwen-image-3\.0".*twice/],
    [
      { items: [{ id: 'qwen-image-3.0', life: { ends_at: 'soon' } }] },
      /"qwen-image-3\.0 → life → ends_at".*2026-11-24/,
    ],
    [
      { items: [{ id: 'qwen-image-3.0', life: { successors: ['gone'] } }] },
      /life → successors.*gone is not another model of qwen/,
    ],
    [
      { items: [{ id: 'qwen-image-3.0', aliases: ['qwen-image-2.0'] }] },
      /aliases.*qwen-image-2\.0 is the name of another/,
    ],
    [
      { items: [{ id: 'qwen-image-3.0', platforms: ['ark-cn'] }] },
      /platforms.*ark-cn is not a platform of qwen; choose from dash/,
    ],
    [
      { items: [{ id: 'qwen-image-3.0', sizes: { text_to_image: { default: '9000x9000' } } }] },
      /"qwen-image-3\.0 → sizes → text_to_image → default".*contradicts the rule itself/,
    ],
    [
      { items: [{ id: 'qwen-image-3.0', parameters: { properties: { mood: { type: 'string' } } } }] },
      /properties → mood".*does not send to qwen/,
    ],
    [
      { items: [{ id: 'qwen-image-3.0', parameters: { properties: { seed: { type: 'colour' } } } }] },
      /properties → seed".*not a JSON Schema/,
    ],
    [
      { items: [{ id: 'qwen-image-3.0', parameters: { properties: { seed: { type: 'integer', format: 'odd' } } } }] },
      /properties → seed".*see "format"/,
    ],
    [{ items: [{ id: 'qwen-image-3.0', references: { min: 9 } }] }, /references → min".*more than max/],
    [{ items: [{ id: 'qwen-image-3.0', price: { currency: 'EUR', image: 1 } }] }, /price → currency".*CNY or USD/],
  ])('%j', (content, message) => {
    expect(() => readModelsFile(written(content), shipped)).toThrow(OwnFileError)
    expect(() => readModelsFile(written(content), shipped)).toThrow(message)
  })

  test('a file that is not there stops the start', async () => {
    await expect(startApp({ environment: { MODELS_FILE: '/nowhere/models.json' } })).rejects.toThrow(
      /MODELS_FILE names \/nowhere\/models\.json, which cannot be read \(ENOENT\)/,
    )
  })
})

test('the examples of the manual are read as they stand', () => {
  const text = readFileSync(path.join(import.meta.dirname, '../../docs/models-file.md'), 'utf8')
  const examples = [...text.matchAll(/```json\n(.*?)```/gs)].map(match => match[1] ?? '')

  expect(examples).toHaveLength(3)
  for (const example of examples) {
    const { catalogue } = readModelsFile(written(example), shipped)
    for (const { id } of JSON.parse(example).items) expect(modelIn(catalogue, id).state).not.toBe('unlisted')
  }
})
