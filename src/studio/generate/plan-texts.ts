/** What a plan costs, does otherwise than asked, or cannot do, in words. */
import type { Model } from '../data/models.ts'
import { money, moneyRange } from '../text/format.ts'
import { describeStanding } from '../text/life.ts'
import { t } from '../text/text.ts'
import { describeViolation } from '../text/violations.ts'
import { type Plan, type PlanNote, type PlanViolation, sumCosts } from './plan.ts'
import { parameterLabel } from './schema-field.tsx'

/** Before it is pressed: `¥0.25`, `≈ ¥0.30–0.60`, or that no price is known. */
export function formatCost(plans: readonly Plan[]) {
  const { costs, isComplete } = sumCosts(plans.map(plan => plan.cost))
  if (costs.length === 0) return `· ${t('generate.priceUnknown')}`
  const texts = costs.map(cost => {
    const { min, max, currency } = cost
    const sign = cost.isEstimate ? '≈ ' : ''
    if (cost.isLeast) return t('generate.costLeast', { amount: `${sign}${money(min, currency)}` })
    if (cost.isMost) return t('generate.costMost', { amount: `${sign}${money(max, currency)}` })
    return `${sign}${moneyRange(cost)}`
  })
  const together = texts.join(' + ')
  return `· ${isComplete ? together : t('generate.costPartly', { amount: together })}`
}

/** What is said beside a field already, or is not wrong yet, comes here when somebody has pressed. */
export function describeViolations({ model, violations }: Plan, wasPressed: boolean): string[] {
  const isSaid = ({ path }: PlanViolation) => path === 'prompt' || path === 'parameters.size'
  const shown = wasPressed ? violations : violations.filter(violation => !isSaid(violation))
  return shown.map(violation => describeViolation(violation, model.name))
}

export function describeNote(shown: Model, note: PlanNote, models: readonly Model[]): string {
  const { name: model } = shown
  switch (note.kind) {
    case 'size':
      return t('generate.noteSize', { model, instead: note.instead.replace('x', ' × ') })
    case 'count':
      return t('generate.noteCount', { model, count: note.count })
    case 'left_out':
      return t('generate.noteLeftOut', { model, parameter: parameterLabel(note.parameter) })
    case 'prompt_cut':
      return t('generate.promptCut', { model, most: note.most, length: note.length })
    case 'series':
      return t('generate.noteSeries', { model, most: note.most })
    case 'standing':
      return describeStanding(shown, models) ?? ''
  }
}
