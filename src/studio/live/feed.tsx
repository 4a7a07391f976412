/** The newest generations as they live; those of one prompt and one press stand side by side. */
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { CircleAlert, ImageIcon } from 'lucide-react'
import { type ReactNode, useRef, useState, useSyncExternalStore } from 'react'
import type { Model } from '../../api/models.ts'
import { explain, type Generation, recentQuery } from '../api.ts'
import { useGenerationEvents } from '../events.ts'
import { useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { EmptyState, Skeleton } from '../ui/states.tsx'
import { GenerationCard } from './card.tsx'

export interface FeedProps {
  models: readonly Model[]
  onAgain(generation: Generation): void
  onReference(imageId: string): void
  /** A prompt to begin with. */
  onIdea(prompt: string): void
}

/** Pressed at once, they are recorded within moments of each other. */
const togetherMs = 5000

export function Feed({ models, onAgain, onReference, onIdea }: FeedProps) {
  const t = useText()
  const recent = useQuery(recentQuery)
  const card = (generation: Generation, isCompared: boolean) => (
    <GenerationCard
      key={generation.id}
      generation={generation}
      model={models.find(model => model.id === generation.model)}
      isCompared={isCompared}
      onAgain={() => onAgain(generation)}
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
          <p>{t('live.emptyHint')}</p>
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
        </EmptyState>
      )}
      {recent.data && recent.data.items.length > 0 && (
        <>
          <div className="flex flex-col gap-5">
            {blocksOf(comparisonsOf(recent.data.items)).map(block => {
              if ('singles' in block) {
                return (
                  <Columns key={block.singles.at(-1)?.id} items={block.singles}>
                    {generation => card(generation, false)}
                  </Columns>
                )
              }
              return (
                <section
                  key={block.together[0]?.id}
                  aria-label={`${t('live.compare')}: ${block.together[0]?.prompt} ${block.together[0]?.timestamp}`}
                  className="rounded-3xl bg-sunken/60 p-3"
                >
                  <h2 className="mb-2 line-clamp-2 px-2 font-normal font-sans text-sm">
                    <span className="text-ink-soft">{t('live.compare')}:</span> {block.together[0]?.prompt}
                  </h2>
                  <div className="grid grid-cols-[repeat(auto-fit,minmax(min(14rem,100%),1fr))] items-start gap-3">
                    {block.together.map(generation => card(generation, true))}
                  </div>
                </section>
              )
            })}
          </div>
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

/** Neighbours with the same prompt and different models; the order of the models is kept while they finish. */
function comparisonsOf(items: readonly Generation[]): Generation[][] {
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

type Block = { singles: Generation[] } | { together: Generation[] }

function blocksOf(rows: Generation[][]): Block[] {
  const blocks: Block[] = []
  for (const row of rows) {
    const last = blocks.at(-1)
    if (row.length > 1) blocks.push({ together: row })
    else if (last && 'singles' in last) last.singles.push(...row)
    else blocks.push({ singles: row })
  }
  return blocks
}

/** As many as fit; a card keeps its column when others come above it. */
function Columns({ items, children }: { items: readonly Generation[]; children(item: Generation): ReactNode }) {
  const count = useColumnCount()
  const places = useRef(new Map<string, number>())
  const placeOf = ({ id }: Generation) => places.current.get(id) ?? count
  const sizes = Array.from({ length: count }, (_, place) => items.filter(item => placeOf(item) === place).length)
  // From the oldest, so that the newest begins the shortest column.
  for (const item of items.toReversed()) {
    if (placeOf(item) < count) continue
    const place = sizes.indexOf(Math.min(...sizes))
    places.current.set(item.id, place)
    sizes[place] = (sizes[place] ?? 0) + 1
  }
  const placed = sizes.map((_, place) => items.filter(item => placeOf(item) === place))
  return (
    <div className="flex items-start gap-5">
      {placed.map((column, place) => (
        // Columns have no other name than their place.
        // biome-ignore lint/suspicious/noArrayIndexKey: as above
        <div key={place} className="flex min-w-0 flex-1 flex-col gap-5">
          {column.map(item => children(item))}
        </div>
      ))}
    </div>
  )
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
