/** Errors in words that say what to do. */

import type { Problem } from '../../api/problems.ts'
import { ApiError } from '../../client/errors.ts'
import { day, money } from './format.ts'
import { findText, t } from './text.ts'
import { describeRefusal } from './violations.ts'

/** Faults of the input are worth more than the general sentence for their code. `model`: the name of the one that was asked. */
export function explain(error: unknown, model?: string): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error)
  if (error.problem?.budget) return explainShortage(error.problem.budget)
  const refusals = error.problem?.errors ?? []
  if (refusals.length > 0) return refusals.map(refusal => describeRefusal(refusal, model)).join(' ')
  return explainCode(error)
}

/** The server's own sentence for a code that is not known here. */
export function explainCode({ code, message }: { code: string; message: string }): string {
  return findText('problems', code) ?? message
}

/** A request would go over a cap, so nothing was sent. */
function explainShortage(budget: NonNullable<Problem['budget']>) {
  const { scope, left, left_images: images = 0, variable = '', renews_at: renewsAt } = budget
  const whose = scope === 'configuration' && variable !== '' ? 'environment' : scope
  const rest = left ? money(left.amount, left.currency) : t('usage.capPictures', { count: images })
  return t(`usage.refused_${whose}`, { left: rest, day: day(renewsAt), variable })
}
