/** Pure: what is left of the caps of whoever presses, and what they would not allow. The server decides; this says it before. */
import type { Me } from '../data/tokens.ts'
import type { ExpectedShortage } from '../text/caps.ts'
import { type Plan, sumCosts } from './plan.ts'

export function findShortages(me: Me | undefined, plans: readonly Plan[]): ExpectedShortage[] {
  if (!me?.renews_at) return []
  const { left, left_images: leftImages, renews_at: renewsAt } = me
  const shortages: ExpectedShortage[] = []
  const images = plans.reduce((sum, { count }) => sum + count, 0)
  if (leftImages !== null && images > leftImages) {
    shortages.push({ kind: 'images', left: leftImages, wanted: images, renewsAt })
  }
  // What is priced in another currency, or not at all, does not count.
  const cost = sumCosts(plans.map(plan => plan.cost)).costs.find(({ currency }) => currency === left?.currency)
  if (left && cost && cost.max > left.amount) {
    shortages.push({ kind: 'money', left: left.amount, wanted: cost.max, currency: left.currency, renewsAt })
  }
  return shortages
}
