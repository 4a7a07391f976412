/** What was spent, in words, where there is no cap to draw. */
import type { Sum } from '../data/usage.ts'
import { money } from '../text/format.ts'
import type { Text } from '../text/text.ts'

export function describeSpent(t: Text, { amounts, images }: Pick<Sum, 'amounts' | 'images'>) {
  return [
    ...amounts.filter(({ amount }) => amount !== 0).map(({ amount, currency }) => money(amount, currency)),
    t('usage.capPictures', { count: images }),
  ].join(' · ')
}
