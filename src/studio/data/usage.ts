/** What was made and spent, and what its lines come to. */
import { queryOptions } from '@tanstack/react-query'
import type { UsageList } from '../../api/usage.ts'
import type { UsageQuery } from '../../client/client.ts'
import { api } from './client.ts'

export type UsageItem = UsageList['items'][number]

/** Query key of everything about the usage. */
export const usageKey = ['usage']

export function usageQuery(query: UsageQuery) {
  return queryOptions({
    queryKey: [...usageKey, query],
    queryFn: given => api.usage(query, given),
    select: ({ items }) => items,
  })
}

export interface Sum {
  images: number
  calls: number
  unknown: number
  /** Number of pictures whose price is not known. */
  unpricedImages: number
  /** Sums by currency, without zeros. */
  amounts: { amount: number; currency: string }[]
}

export interface Group extends Sum {
  key: string
  name: string
}

/** The measure: pictures, or money in one currency. */
export type Measure = 'images' | (string & {})

export function sumUsage(items: readonly UsageItem[]): Sum {
  const amounts = new Map<string, number>()
  const sum: Sum = { images: 0, calls: 0, unknown: 0, unpricedImages: 0, amounts: [] }
  for (const { images, calls, unknown, amount, currency } of items) {
    sum.images += images
    sum.calls += calls
    sum.unknown += unknown
    if (currency === null) sum.unpricedImages += images
    else if (amount !== 0) amounts.set(currency, (amounts.get(currency) ?? 0) + amount)
  }
  // Sums of tenths are not whole; a millionth is as fine as the server counts.
  sum.amounts = [...amounts].map(([currency, amount]) => ({ currency, amount: Math.round(amount * 1e6) / 1e6 }))
  return sum
}

/** Lines by key, whatever currencies they have; the largest first. */
export function groupUsage(items: readonly UsageItem[], measure: Measure): Group[] {
  const groups = [...Map.groupBy(items, ({ key }) => key)].map(([key, members]) => {
    return { key, name: members[0]?.name ?? key, ...sumUsage(members) }
  })
  return groups.toSorted((a, b) => measured(b, measure) - measured(a, measure) || b.images - a.images)
}

export function measured(sum: Sum, measure: Measure): number {
  if (measure === 'images') return sum.images
  return sum.amounts.find(({ currency }) => currency === measure)?.amount ?? 0
}
