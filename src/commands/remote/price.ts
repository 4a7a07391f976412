/** What an order costs: told before, kept under a cap, and followed while it runs. */
import type { Estimate } from '../../api/estimate.ts'
import type { Generation } from '../../api/generations.ts'
import { hasEnded } from '../../client/client.ts'
import { parseMoney } from '../../operator/setting-values.ts'
import { Refusal } from './end.ts'
import { spellMoney, spellRange } from './output.ts'
import { parse } from './server.ts'

export interface Price {
  images: number
  /** By currency. */
  costs: { min: number; max: number; currency: string }[]
  /** Requests for whose model no price is known. */
  unpriced: number
}

export function addEstimates(estimates: readonly Estimate[]): Price {
  const costs = new Map<string, { min: number; max: number; currency: string }>()
  for (const { cost } of estimates) {
    if (!cost) continue
    const sum = costs.get(cost.currency) ?? { min: 0, max: 0, currency: cost.currency }
    costs.set(cost.currency, { ...sum, min: sum.min + cost.min, max: sum.max + cost.max })
  }
  return {
    images: estimates.reduce((sum, { images }) => sum + images, 0),
    costs: [...costs.values()],
    unpriced: estimates.filter(({ cost }) => cost === null).length,
  }
}

/** `Price 价格: 4 pictures 张, 0.48 CNY`. */
export function describePrice({ images, costs, unpriced }: Price): string {
  const unknown = unpriced > 0 ? ['price not known 价格未知'] : []
  return `Price 价格: ${images} ${images === 1 ? 'picture' : 'pictures'} 张, ${[...costs.map(spellRange), ...unknown].join(' + ')}`
}

/** @throws Refusal when it may cost more than `text`, or nobody knows */
export function checkMaxCost(text: string, { costs, unpriced }: Price) {
  const cap = parse({ en: '--max-cost', zh: '--max-cost ' }, () => parseMoney(text))
  const foreign = costs.some(({ currency }) => currency !== cap.currency)
  if (unpriced > 0 || foreign) {
    throw new Refusal(
      `--max-cost is in ${cap.currency}, and ${foreign ? 'the price is in another currency' : 'no price is known'}, so it could not be kept. Nothing was sent.`,
      `--max-cost 以 ${cap.currency} 计，而${foreign ? '价格使用其他货币' : '价格未知'}，无法保证上限。未发送任何请求。`,
    )
  }
  const max = costs[0]?.max ?? 0
  if (max > cap.amount + 1e-9) {
    throw new Refusal(
      `This may cost up to ${spellMoney({ ...cap, amount: max })}, which is more than --max-cost ${spellMoney(cap)}. Nothing was sent.`,
      `最多可能花费 ${spellMoney({ ...cap, amount: max })}，超过 --max-cost ${spellMoney(cap)}。未发送任何请求。`,
    )
  }
}

/** Follows what was spent so far. */
export function createSpending() {
  const newest = new Map<string, Generation>()
  return {
    note(generation: Generation) {
      newest.set(generation.id, generation)
    },
    saved: () => [...newest.values()].reduce((sum, { images }) => sum + images.length, 0),
    /** Of those that ended. */
    spent(): { amount: number; currency: string }[] {
      const sums = new Map<string, number>()
      for (const generation of newest.values()) {
        const { cost } = generation
        if (cost && hasEnded(generation)) sums.set(cost.currency, (sums.get(cost.currency) ?? 0) + cost.amount)
      }
      return [...sums].map(([currency, amount]) => ({ amount, currency }))
    },
    mayBeCharged: () =>
      [...newest.values()].filter(generation => hasEnded(generation) && generation.charge === 'unknown'),
  }
}
