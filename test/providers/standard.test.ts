/** Which model is taken when nobody names one: by rule, for every platform of every service. */
import { describe, expect, test } from 'vitest'
import type { Model } from '../../src/catalogue/model.ts'
import { findDefaultModel } from '../../src/providers/default-model.ts'
import { type ProviderId, providers } from '../../src/providers/index.ts'
import { findPlatform } from '../../src/providers/platforms.ts'

const now = new Date('2026-11-27T12:00:00Z')
const standardAt = (provider: ProviderId, address: string, when = now) =>
  findDefaultModel(providers[provider], findPlatform(providers[provider], address), when).id

test.each<[ProviderId, string, string]>([
  ['doubao', 'https://ark.cn-beijing.volces.com/api/v3', 'doubao-seedream-5-0-flash-260915'],
  // The plan serves neither flash nor 4.0, and what becomes of lite there nobody knows.
  ['doubao', 'https://ark.cn-beijing.volces.com/api/plan/v3', 'doubao-seedream-5-0-pro-260628'],
  ['doubao', 'https://ark.ap-southeast.bytepluses.com/api/v3', 'doubao-seedream-5-0-flash-260915'],
  // No Seedream is known there: what the usual address has.
  ['doubao', 'https://ark.eu-west.bytepluses.com/api/v3', 'doubao-seedream-5-0-flash-260915'],
  ['doubao', 'http://127.0.0.1:9101/api/v3', 'doubao-seedream-5-0-flash-260915'],
  ['doubao', 'http://127.0.0.1:9101/api/plan/v3', 'doubao-seedream-5-0-pro-260628'],
  ['doubao', 'https://relay.example/v1', 'doubao-seedream-5-0-flash-260915'],
  ['qwen', 'https://dashscope.aliyuncs.com/api/v1', 'qwen-image-3.0'],
  ['qwen', 'https://ws-1.cn-beijing.maas.aliyuncs.com/api/v1', 'qwen-image-3.0'],
  ['qwen', 'https://dashscope-intl.aliyuncs.com/api/v1', 'qwen-image-3.0'],
  ['qwen', 'https://dashscope-us.aliyuncs.com/api/v1', 'qwen-image-3.0'],
  ['qwen', 'https://ws-1.eu-central-1.maas.aliyuncs.com/api/v1', 'qwen-image-3.0'],
  ['qwen', 'https://maas.qwencloudapi.com/api/v1', 'qwen-image-2.1-turbo'],
  ['qwen', 'https://token-plan.cn-beijing.maas.aliyuncs.com/api/v1', 'wan2.7-image'],
  ['qwen', 'https://relay.example/v1', 'qwen-image-3.0'],
  ['openai', 'https://api.openai.com/v1', 'gpt-image-2'],
  ['openai', 'http://127.0.0.1:8080/v1', 'gpt-image-2'],
])('%s at %s: %s', (provider, address, id) => {
  expect(standardAt(provider, address)).toBe(id)
})

test('moves with the calendar, and never to a model whose end is announced', () => {
  const ark = 'https://ark.cn-beijing.volces.com/api/v3'
  const without = (...families: string[]) => ({
    ...providers.doubao,
    models: providers.doubao.models.filter(model => !families.includes(model.family)),
  })
  const cheapestOf = (when: string) => findDefaultModel(without('seedream-5.0-flash'), 'ark-cn', new Date(when)).id

  // Both builds of 4.0 cost the same; before the notice the catalogue's order decides, and after it only one is left.
  expect(cheapestOf('2026-11-27T12:00:00Z')).toBe('doubao-seedream-4-0-20260415')
  const liteOnly = { ...providers.doubao, models: providers.doubao.models.filter(({ name }) => /lite|pro/.test(name)) }
  const liteOrPro = (when: string) => findDefaultModel(liteOnly, 'ark-cn', new Date(when)).family
  expect(liteOrPro('2026-09-22T09:59:59+08:00')).toBe('seedream-5.0-lite')
  expect(liteOrPro('2026-09-22T10:00:00+08:00')).toBe('seedream-5.0-pro')
  expect(standardAt('doubao', ark, new Date('2026-01-01'))).toBe('doubao-seedream-5-0-flash-260915')
})

describe('the rule', () => {
  const model = (id: string, amount: number | undefined, more: Partial<Model> = {}): Model => ({
    ...providers.doubao.models[0]!,
    ...{ id, platforms: undefined, priceAbroad: undefined, life: undefined },
    price: amount === undefined ? undefined : { ...providers.qwen.models[0]!.price!, image: [{ amount }] },
    ...more,
  })
  const standardOf = (...models: Model[]) => findDefaultModel({ ...providers.doubao, models }, 'ark-cn', now).id

  test('passes over editors, models without references, older lines, other platforms and ends', () => {
    const passedOver = [
      model('editor', 1, { textToImage: false }),
      model('text only', 1, { references: { ...providers.doubao.models[0]!.references, max: 0 } }),
      model('legacy', 1, { state: 'legacy' }),
      model('elsewhere', 1, { platforms: ['byteplus'] }),
      model('ended', 1, { life: [{ hasEnded: true, certainty: 'reported', source: '', checked: '2026-11' }] }),
    ]

    expect(standardOf(...passedOver, model('general', 9))).toBe('general')
    expect(standardOf(...passedOver)).toBe('editor')
  })

  test('compares the dearest picture of each, and puts what has no price last', () => {
    const steps = { ...providers.qwen.models[0]!.price!, image: [{ upToArea: 100, amount: 1 }, { amount: 7 }] }

    expect(standardOf(model('unpriced', undefined), model('stepped', 0, { price: steps }), model('flat', 5))).toBe(
      'flat',
    )
    expect(standardOf(model('unpriced', undefined), model('second', undefined))).toBe('unpriced')
  })
})
