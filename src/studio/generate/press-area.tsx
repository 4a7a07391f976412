/** The button, what a press costs, and what stands against it. */
import { Sparkles } from 'lucide-react'
import type { Model } from '../../api/models.ts'
import { reinstate, useIsWaiting } from '../actions/press.ts'
import { type Me, useMe } from '../data/api.ts'
import { useConnection } from '../data/events.ts'
import { day, money, moneyRange } from '../text/format.ts'
import { findModel, standingText } from '../text/life.tsx'
import { type Text, useText } from '../text/text.ts'
import { violationText } from '../text/violations.ts'
import { Button } from '../ui/button.tsx'
import { type Shortage, shortagesOf } from './allowance.ts'
import { generatePath, type Plan, type PlanNote, type PlanViolation, schemasOf, sumOf } from './plan.ts'
import { parameterLabel } from './schema-field.tsx'

interface PressAreaProps {
  plans: readonly Plan[]
  models: readonly Model[]
  /** What is left for, where that is less than asked. */
  fewer: { plans: readonly Plan[] } | undefined
  onFewer(): void
  isSending: boolean
  /** An empty prompt is not wrong before somebody presses. */
  wasPressed: boolean
  /** Ids: the second takes the place of the first. */
  onReplace(ended: string, successor: string): void
}

export function PressArea({ plans, models, fewer, isSending, wasPressed, onFewer, onReplace }: PressAreaProps) {
  const t = useText()
  const me = useMe()
  const connection = useConnection()
  const isWaiting = useIsWaiting(generatePath)
  const shortages = shortagesOf(me, plans).map(shortage => shortageText(t, shortage))
  const violations = [...new Set([...plans.flatMap(plan => violationTexts(t, plan, wasPressed)), ...shortages])]
  // What none of them has is no longer in sight either, and waits for a model that has it.
  const has = (name: string) => plans.some(({ model }) => Object.hasOwn(schemasOf(model), name))
  const notes = [
    ...new Set(
      plans.flatMap(plan =>
        plan.notes
          .filter(note => note.kind !== 'left_out' || has(note.parameter))
          .map(note => noteText(t, plan.model, note, models)),
      ),
    ),
  ]
  const replacements = plans.flatMap(({ model: { id, life } }) => {
    const successor = life.stage === 'current' ? undefined : findModel(models, life.successors[0])
    return successor ? [{ ended: id, successor }] : []
  })
  return (
    <div className="sticky bottom-[calc(3.5rem+env(safe-area-inset-bottom))] z-20 -mx-4 flex flex-col gap-2 border-line bg-paper/95 px-4 py-2 backdrop-blur lg:static lg:mx-0 lg:px-0 lg:py-0">
      {violations.length + notes.length > 0 && (
        <ul aria-live="polite" className="flex max-h-32 flex-col gap-0.5 overflow-y-auto text-sm">
          {violations.map(text => (
            <li key={text} className="text-seal-ink">
              {text}
            </li>
          ))}
          {notes.map(text => (
            <li key={text} className="text-amber">
              {text}
            </li>
          ))}
        </ul>
      )}
      {replacements.map(({ ended, successor }) => (
        <Button key={ended} size="small" className="self-start" onClick={() => onReplace(ended, successor.id)}>
          {t('life.use', { successor: successor.name })}
        </Button>
      ))}
      <Button
        type="submit"
        look="primary"
        size="large"
        isBusy={isSending || isWaiting}
        aria-disabled={shortages.length > 0 || undefined}
        icon={<Sparkles aria-hidden className="size-5" />}
        className="w-full"
      >
        {isWaiting
          ? t('generate.waitingForServer')
          : isSending
            ? t('generate.sending')
            : connection === 'lost'
              ? t('generate.pressLater')
              : plans.length > 1
                ? t('generate.pressMany', { count: plans.length })
                : t('generate.press')}
        <span className="font-normal tabular-nums">{costText(t, plans)}</span>
      </Button>
      {fewer && (
        <Button onClick={onFewer} disabled={isSending || isWaiting} className="w-full">
          {t('generate.pressFewer', { count: fewer.plans.reduce((sum, { count }) => sum + count, 0) })}
          <span className="font-normal tabular-nums">{costText(t, fewer.plans)}</span>
        </Button>
      )}
      {isWaiting && (
        <p role="status" className="flex items-center justify-center gap-2 text-ink-soft text-sm">
          {t('generate.sentWhenBack')}
          <Button
            size="small"
            look="quiet"
            onClick={() => reinstate(generatePath)}
            className="shrink-0 whitespace-nowrap"
          >
            {t('generate.doNotSend')}
          </Button>
        </p>
      )}
      {me && <Left me={me} />}
    </div>
  )
}

/** Of the caps, for those who have any. */
function Left({ me: { left, left_images: images } }: { me: Me }) {
  const t = useText()
  const parts = [
    left && money(left.amount, left.currency),
    images !== null && t('usage.capPictures', { count: images }),
  ].filter(part => typeof part === 'string')
  if (parts.length === 0) return null
  return (
    <p className="text-center text-ink-faint text-sm tabular-nums">
      {t('usage.leftThisMonth', { left: parts.join(' · ') })}
    </p>
  )
}

function shortageText(t: Text, shortage: Shortage) {
  const renews = { day: day(shortage.renewsAt) }
  if (shortage.kind === 'images') {
    const { left, wanted } = shortage
    return left === 0 ? t('usage.usedUpImages', renews) : t('usage.overImages', { left, wanted, ...renews })
  }
  const { left, wanted, currency } = shortage
  if (left === 0) return t('usage.usedUpMoney', renews)
  return t('usage.overMoney', { left: money(left, currency), wanted: money(wanted, currency), ...renews })
}

/** Before it is pressed: `¥0.25`, `≈ ¥0.30–0.60`, or that no price is known. */
function costText(t: Text, plans: readonly Plan[]) {
  const { costs, isComplete } = sumOf(plans.map(plan => plan.cost))
  if (costs.length === 0) return `· ${t('generate.costFree')}`
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
function violationTexts(t: Text, { model, violations }: Plan, wasPressed: boolean): string[] {
  const isSaid = ({ path }: PlanViolation) => path === 'prompt' || path === 'parameters.size'
  const shown = wasPressed ? violations : violations.filter(violation => !isSaid(violation))
  return shown.map(violation => violationText(t, violation, model.name))
}

function noteText(t: Text, shown: Model, note: PlanNote, models: readonly Model[]): string {
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
      return standingText(t, shown, models) ?? ''
  }
}
