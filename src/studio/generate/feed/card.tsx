/** The card of a generation: what it waits for, its pictures as they come, what went wrong, and what can be done about it. */

import { Redo2 } from 'lucide-react'
import { type RefObject, useEffect, useRef } from 'react'
import { type Generation, hasEnded } from '../../data/generations.ts'
import { formatImageSize } from '../../data/images.ts'
import { findModel, useModels } from '../../data/models.ts'
import { maxCompared, nameResult } from '../../data/places.ts'
import { CompareLink } from '../../forms/compare-link.tsx'
import { ago, duration, moment, money } from '../../text/format.ts'
import { useText } from '../../text/text.ts'
import { IconButton } from '../../ui/button.tsx'
import { classes } from '../../ui/classes.ts'
import { LifeBadge } from '../../ui/life-badge.tsx'
import { Cancel, Retry } from './actions.tsx'
import { DismissButton, markSeen } from './failures.tsx'
import { ResultImages } from './pictures.tsx'
import { Progress, useNow } from './progress.tsx'
import { hasNothing } from './rows.ts'
import { Trouble } from './trouble.tsx'

export interface GenerationCardProps {
  generation: Generation
  /** The card stands beside others of the same prompt, so it shows its model. */
  isCompared?: boolean
  /** Puts away one that came to nothing. */
  onDismiss?: () => void
  /** `successor`: the id of the model that takes the place of its own. */
  onAgain(successor?: string): void
  onReference(imageId: string): void
}

export function GenerationCard(props: GenerationCardProps) {
  const { generation, isCompared, onDismiss, onAgain, onReference } = props
  const t = useText()
  const model = findModel(useModels(), generation.model)
  const modelName = model?.name ?? generation.model
  const isAlive = !hasEnded(generation)
  const card = useRef<HTMLElement>(null)
  useSeen(card, generation)
  return (
    <article
      ref={card}
      aria-label={generation.prompt}
      data-status={generation.status}
      className={classes(
        'flex animate-appear flex-col overflow-hidden border border-line',
        isCompared ? 'rounded-2xl bg-raised [--inset:0.75rem]' : 'rounded-3xl bg-sheet shadow-card [--inset:1.25rem]',
      )}
    >
      <header className={classes('flex items-start gap-3 px-(--inset)', isCompared ? 'py-2' : 'pt-4 pb-3')}>
        {isCompared ? (
          <p className="flex min-w-0 flex-1 flex-wrap gap-x-2 break-words font-medium text-sm">
            {modelName}
            {model?.life.stage === 'ended' && <LifeBadge model={model} />}
          </p>
        ) : (
          <div className="min-w-0 flex-1">
            <p className="line-clamp-2 break-words leading-snug">{generation.prompt}</p>
            <p className="mt-1 flex flex-wrap gap-x-2 text-ink-faint text-sm">
              <span>{modelName}</span>
              {model?.life.stage === 'ended' && <LifeBadge model={model} />}
              <span aria-hidden>·</span>
              <Ago timestamp={generation.timestamp} />
              {generation.references.length > 0 && (
                <>
                  <span aria-hidden>·</span>
                  <span>{t('live.references', { count: generation.references.length })}</span>
                </>
              )}
            </p>
          </div>
        )}
        {onDismiss && <DismissButton onDismiss={onDismiss} />}
      </header>
      <ResultImages generation={generation} isAlive={isAlive} onReference={onReference} />
      {isAlive && <Progress generation={generation} typicalSeconds={model?.typical_seconds} />}
      {generation.cancel_requested && isAlive && (
        <p className="px-(--inset) pb-3 text-ink-faint text-sm">{t('live.cancelKept')}</p>
      )}
      {generation.cancel_requested && !isAlive && generation.images.length > 0 && (
        <p className="px-(--inset) pt-3 text-amber text-sm">{t('live.afterCancel')}</p>
      )}
      {!isAlive && <Trouble generation={generation} onSuccessor={onAgain} />}
      <footer
        className={classes(
          'flex flex-wrap items-center gap-x-3 gap-y-1 px-(--inset)',
          isCompared ? 'pt-0.5 pb-1' : 'pt-1 pb-3',
        )}
      >
        {!isAlive && <Facts generation={generation} isCompared={isCompared} />}
        <div className="ml-auto flex items-center gap-1">
          {!isCompared && generation.images.length > 1 && (
            <CompareLink places={generation.images.slice(0, maxCompared).map(image => nameResult(generation, image))} />
          )}
          {isAlive && <Cancel generation={generation} />}
          {!isAlive && generation.model !== null && <Retry generation={generation} />}
          <IconButton icon={Redo2} label={t('live.again')} onClick={() => onAgain()} className="-mr-2" />
        </div>
      </footer>
    </article>
  )
}

/** Remembers that one that came to nothing was in sight. */
function useSeen(card: RefObject<HTMLElement | null>, generation: Generation) {
  const isWatched = hasNothing([generation])
  const { id } = generation
  useEffect(() => {
    if (!isWatched || !card.current) return undefined
    const observer = new IntersectionObserver(entries => entries.some(entry => entry.isIntersecting) && markSeen(id), {
      threshold: 0.6,
    })
    observer.observe(card.current)
    return () => observer.disconnect()
  }, [card, isWatched, id])
}

export function Ago({ timestamp }: { timestamp: string }) {
  const now = useNow(30_000)
  return (
    <time dateTime={timestamp} title={moment(timestamp)}>
      {ago(timestamp, now)}
    </time>
  )
}

function Facts({ generation, isCompared }: Pick<GenerationCardProps, 'generation' | 'isCompared'>) {
  const t = useText()
  const [image] = generation.images
  const { charge, cost } = generation
  const facts = [
    generation.duration_ms !== null && duration(generation.duration_ms),
    image && formatImageSize(image),
    cost
      ? t('live.charged', { amount: money(cost.amount, cost.currency) })
      : charge === 'unknown'
        ? t('live.chargeUnknown')
        : charge === 'none' && t('live.chargeNone'),
  ].filter(fact => typeof fact === 'string')
  return (
    <p className={classes('text-ink-faint tabular-nums', isCompared ? 'min-w-24 flex-1 text-xs' : 'text-sm')}>
      {facts.join(' · ')}
    </p>
  )
}
