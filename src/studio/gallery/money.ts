import type { Generation } from '../data/api.ts'
import { money } from '../text/format.ts'
import type { Text } from '../text/text.ts'

/** What it cost, or undefined when nothing is to be said. */
export function chargeName({ charge, cost }: Pick<Generation, 'charge' | 'cost'>, t: Text): string | undefined {
  if (charge === 'unknown') return t('gallery.unknownCharge')
  return charge === 'charged' && cost ? money(cost.amount, cost.currency) : undefined
}
