/** The newest generations as they live; those of one prompt and one press stand side by side. */
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { CircleAlert, ImageIcon } from 'lucide-react'
import { type ReactNode, useRef, useState, useSyncExternalStore } from 'react'
import type { Model } from '../../../api/models.ts'
import { explain, type Generation, recentQuery } from '../../data/api.ts'
import { useGenerationEvents } from '../../data/events.ts'
import { findModel } from '../../text/life.tsx'
import { useText } from '../../text/text.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState, Skeleton } from '../../ui/states.tsx'
import { Ago, countOf, GenerationCard, ratioOf } from './card.tsx'
import { DismissButton, FoldedFailure, hasNothing, useFailures } from './failures.tsx'

export interface FeedProps {
  models: readonly Model[]
  /** Something can be drawn, so prompts to begin with are of use. */
  hasIdeas: boolean
  /** `successor`: the id of the model that takes the place of its own. */
  onAgain(generation: Generation, successor?: string): void
  onReference(imageId: string): void
  /** A prompt to begin with. */
  onIdea(prompt: string): void
}

/** Pressed at once, they are recorded within moments of each other. */
const togetherMs = 5000

export function Feed({ models, hasIdeas, onAgain, onReference, onIdea }: FeedProps) {
  const t = useText()
  const recent = useQuery(recentQuery)
  const failures = useFailures(recent.data?.items[0]?.id)
  const rows = comparisonsOf(recent.data?.items ?? []).filter(row => !failures.isDismissed(row))
  const card = (generation: Generation, how: { isCompared?: boolean; onDismiss?: () => void }) => (
    <GenerationCard
      key={generation.id}
      generation={generation}
      model={findModel(models, generation.model)}
      models={models}
      {...how}
      onAgain={successor => onAgain(generation, successor)}
      onReference={onReference}
    />
  )
  return (
    <section aria-label={t('generate.feed')} className="min-w-0">
      <Announcer />
      {recent.isPending && (
        <div className="grid gap-5 xl:grid-cols-2">
          <Skeleton className="h-96" />
          <Skeleton className="h-96" />
        </div>
      )}
      {recent.isError && (
        <EmptyState
          isTrouble
          icon={<CircleAlert aria-hidden />}
          title={t('live.failedToLoad')}
          action={<Button onClick={() => void recent.refetch()}>{t('shell.retry')}</Button>}
        >
          {explain(recent.error)}
        </EmptyState>
      )}
      {recent.data?.items.length === 0 && (
        <EmptyState icon={<ImageIcon aria-hidden />} title={t('live.empty')}>
          <p>{t(hasIdeas ? 'live.emptyHint' : 'live.emptyNoKey')}</p>
          {hasIdeas && (
            <>
              <p className="mt-6 mb-2 text-ink-faint text-sm">{t('live.ideas')}</p>
              <ul className="flex flex-col items-stretch gap-2">
                {(['live.idea1', 'live.idea2', 'live.idea3'] as const).map(idea => (
                  <li key={idea}>
                    <button
                      type="button"
                      onClick={() => onIdea(t(idea))}
                      className="min-h-11 w-full rounded-2xl border border-line bg-sheet px-4 py-2 text-ink transition-colors hover:border-line-strong"
                    >
                      {t(idea)}
                    </button>
                  </li>
                ))}
              </ul>
            </>
          )}
        </EmptyState>
      )}
      {recent.data && recent.data.items.length > 0 && (
        <>
          <Columns rows={rows}>
            {row => {
              const key = keyOf(row)
              if (failures.isFolded(row)) {
                return (
                  <FoldedFailure
                    key={key}
                    generations={row}
                    onUnfold={() => failures.unfold(row)}
                    onDismiss={() => failures.dismiss(row)}
                  />
                )
              }
              const onDismiss = hasNothing(row) ? () => failures.dismiss(row) : undefined
              return row.length === 1 ? (
                card(row[0]!, { onDismiss })
              ) : (
                <Comparison key={key} generations={row} onDismiss={onDismiss}>
                  {row.map(generation => card(generation, { isCompared: true }))}
                </Comparison>
              )
            }}
          </Columns>
          <Link
            to="/gallery"
            className="mx-auto mt-6 flex min-h-11 w-fit items-center rounded-full px-5 text-seal-ink hover:bg-seal-wash"
          >
            {t('live.all')}
          </Link>
        </>
      )}
    </section>
  )
}

/** Those of one press, side by side in one column. */
function Comparison({
  generations,
  onDismiss,
  children,
}: {
  generations: Row
  onDismiss?: () => void
  children: ReactNode
}) {
  const t = useText()
  const [first] = generations
  return (
    <section
      aria-label={`${t('live.compare')}: ${first?.prompt} ${first?.timestamp}`}
      className="flex animate-appear flex-col gap-3 rounded-3xl border border-line bg-sheet p-3 shadow-card"
    >
      <header className="flex items-start gap-3 px-2 pt-1">
        <div className="min-w-0 flex-1">
          <h2 className="line-clamp-2 break-words font-normal font-sans text-base leading-snug">{first?.prompt}</h2>
          <p className="mt-1 text-ink-faint text-sm">
            {t('live.compare')}
            <span aria-hidden> · </span>
            <Ago timestamp={first?.timestamp ?? ''} />
          </p>
        </div>
        {onDismiss && <DismissButton onDismiss={onDismiss} />}
      </header>
      {/* One below the other as they fit, so that a third one leaves no hole. */}
      <div className="-mb-2 columns-[10rem] gap-2 *:mb-2 *:break-inside-avoid">{children}</div>
    </section>
  )
}

type Row = readonly Generation[]

/** Of the earliest, so that it stays when another one joins. */
function keyOf(row: Row) {
  return row[0]?.id ?? ''
}

/** Neighbours with the same prompt and different models; the order of the models is kept while they finish. */
function comparisonsOf(items: readonly Generation[]): Row[] {
  const rows: Generation[][] = []
  for (const item of items) {
    const row = rows.at(-1)
    const isTogether =
      row?.every(
        other =>
          other.prompt === item.prompt &&
          other.model !== item.model &&
          Math.abs(Date.parse(other.timestamp) - Date.parse(item.timestamp)) < togetherMs,
      ) ?? false
    if (row && isTogether) row.unshift(item)
    else rows.push([item])
  }
  return rows
}

/** As many as fit; a card keeps its column when others come above it. */
function Columns({ rows, children }: { rows: readonly Row[]; children(row: Row): ReactNode }) {
  const count = useColumnCount()
  const places = useRef(new Map<string, number>())
  const placedFor = useRef(count)
  // In a window that was narrow for a while they would all stay in one column.
  if (placedFor.current !== count) places.current.clear()
  placedFor.current = count
  const placeOf = (row: Row) => places.current.get(keyOf(row)) ?? count
  const heights = Array.from({ length: count }, (_, place) =>
    rows.filter(row => placeOf(row) === place).reduce((sum, row) => sum + heightOf(row), 0),
  )
  // From the oldest, so that the newest begins the shortest column.
  for (const row of rows.toReversed()) {
    if (placeOf(row) < count) continue
    const place = heights.indexOf(Math.min(...heights))
    places.current.set(keyOf(row), place)
    heights[place] = (heights[place] ?? 0) + heightOf(row)
  }
  const placed = heights.map((_, place) => rows.filter(row => placeOf(row) === place))
  return (
    <div className="flex items-start gap-5">
      {placed.map((column, place) => (
        // Columns have no other name than their place.
        // biome-ignore lint/suspicious/noArrayIndexKey: as above
        <div key={place} className="flex min-w-0 flex-1 flex-col gap-5">
          {column.map(row => children(row))}
        </div>
      ))}
    </div>
  )
}

/** About, in widths of a column: it only has to tell a tall card from a flat one. */
function heightOf(row: Row): number {
  if (hasNothing(row)) return 0.2
  const [first] = row
  const ratio = first ? ratioOf(first) : 1
  if (row.length > 1) return 0.2 + row.reduce((sum, one) => sum + 0.47 / ratioOf(one) + 0.3, 0) / 2
  const count = first ? Math.max(first.images.length, countOf(first)) : 1
  const across = count === 1 ? 1 : count === 3 || count > 4 ? 3 : 2
  return 0.35 + (Math.ceil(count / across) / across) * Math.min(1 / ratio, 1.3)
}

const wide = matchMedia('(min-width: 80rem)')
const veryWide = matchMedia('(min-width: 118rem)')

function useColumnCount() {
  return useSyncExternalStore(listenToWidth, () => (veryWide.matches ? 3 : wide.matches ? 2 : 1))
}

function listenToWidth(listener: () => void) {
  for (const query of [wide, veryWide]) query.addEventListener('change', listener)
  return () => {
    for (const query of [wide, veryWide]) query.removeEventListener('change', listener)
  }
}

/** Tells those who do not look that something has ended. */
function Announcer() {
  const t = useText()
  const [words, setWords] = useState('')
  const alive = useRef(new Set<string>())
  useGenerationEvents(({ id, status, prompt }) => {
    if (status === 'queued' || status === 'running') alive.current.add(id)
    // A mark on an old one is no news.
    else if (alive.current.delete(id) && status !== 'cancelled') {
      const short = prompt.slice(0, 60)
      setWords(t(status === 'succeeded' ? 'live.announceDone' : 'live.announceFailed', { prompt: short }))
    }
  })
  return (
    <p role="status" className="sr-only">
      {words}
    </p>
  )
}
