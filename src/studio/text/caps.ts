/** A cap that leaves too little, in words: before a press, and as the server refused it. */
import type { Problem } from '../../api/problems.ts'
import { day, money } from './format.ts'
import { t } from './text.ts'

/** A cap of the own token that a press would exceed. */
export type ExpectedShortage =
  | { kind: 'images'; left: number; wanted: number; renewsAt: string }
  | { kind: 'money'; left: number; wanted: number; currency: string; renewsAt: string }

export function warnOfShortage(shortage: ExpectedShortage) {
  const renews = { day: day(shortage.renewsAt) }
  if (shortage.kind === 'images') {
    const { left, wanted } = shortage
    return left === 0 ? t('caps.usedUpImages', renews) : t('caps.overImages', { left, wanted, ...renews })
  }
  const { left, wanted, currency } = shortage
  if (left === 0) return t('caps.usedUpMoney', renews)
  return t('caps.overMoney', { left: money(left, currency), wanted: money(wanted, currency), ...renews })
}

/** A request would go over a cap, so nothing was sent. */
export function explainShortage(budget: NonNullable<Problem['budget']>) {
  const { scope, left, left_images: images = 0, variable = '', renews_at: renewsAt } = budget
  const whose = scope === 'configuration' && variable !== '' ? 'environment' : scope
  const rest = left ? money(left.amount, left.currency) : t('usage.capPictures', { count: images })
  return t(`caps.refused_${whose}`, { left: rest, day: renewsAt === undefined ? '' : day(renewsAt), variable })
}
