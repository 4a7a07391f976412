/** The button, what a press costs, and what stands against it. */
import { Sparkles } from 'lucide-react'
import { useIsWaiting, withdraw } from '../actions/press.ts'
import { connection } from '../data/connection.ts'
import { findModel, useModels } from '../data/models.ts'
import { type Me, useMe } from '../data/tokens.ts'
import { warnOfShortage } from '../text/caps.ts'
import { money } from '../text/format.ts'
import { useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { findShortages } from './allowance.ts'
import { generatePath, listSchemas, type Plan } from './plan.ts'
import { describeNote, describeViolations, formatCost } from './plan-texts.ts'

interface PressAreaProps {
  plans: readonly Plan[]
  /** Plans for as many pictures as the cap still allows, where that is fewer than asked. */
  fewer: { plans: readonly Plan[] } | undefined
  onFewer(): void
  isSending: boolean
  /** An empty prompt is not wrong before somebody presses. */
  wasPressed: boolean
  /** Ids: the second takes the place of the first. */
  onReplace(ended: string, successor: string): void
}

export function PressArea({ plans, fewer, isSending, wasPressed, onFewer, onReplace }: PressAreaProps) {
  const t = useText()
  const me = useMe()
  const models = useModels()
  const isLost = connection.use() === 'lost'
  const isWaiting = useIsWaiting(generatePath)
  const shortages = findShortages(me, plans).map(warnOfShortage)
  const violations = [...new Set([...plans.flatMap(plan => describeViolations(plan, wasPressed)), ...shortages])]
  // What none of them has is no longer in sight either, and waits for a model that has it.
  const has = (name: string) => plans.some(({ model }) => Object.hasOwn(listSchemas(model), name))
  const notes = [
    ...new Set(
      plans.flatMap(plan =>
        plan.notes
          .filter(note => note.kind !== 'left_out' || has(note.parameter))
          .map(note => describeNote(plan.model, note, models)),
      ),
    ),
  ]
  const replacements = plans.flatMap(({ model: { id, life } }) => {
    const successor = life.stage === 'current' ? undefined : findModel(models, life.successors[0])
    return successor ? [{ ended: id, successor }] : []
  })
  return (
    <div className="flex flex-col gap-2">
      {violations.length + notes.length > 0 && (
        <ul aria-live="polite" className="flex max-h-32 flex-col gap-0.5 overflow-y-auto text-sm">
          {[...violations, ...notes].map((text, index) => (
            <li key={text} className={index < violations.length ? 'text-seal-ink' : 'text-amber'}>
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
            : isLost
              ? t('generate.pressLater')
              : plans.length > 1
                ? t('generate.pressMany', { count: plans.length })
                : t('generate.press')}
        <span className="font-normal tabular-nums">{formatCost(plans)}</span>
      </Button>
      {fewer && (
        <Button onClick={onFewer} disabled={isSending || isWaiting} className="w-full">
          {t('generate.pressFewer', { count: fewer.plans.reduce((sum, { count }) => sum + count, 0) })}
          <span className="font-normal tabular-nums">{formatCost(fewer.plans)}</span>
        </Button>
      )}
      {isWaiting && (
        <p role="status" className="flex items-center justify-center gap-2 text-ink-soft text-sm">
          {t('generate.sentWhenBack')}
          <Button
            size="small"
            look="quiet"
            onClick={() => withdraw(generatePath)}
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

/** What the caps leave, for those who have any. */
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
