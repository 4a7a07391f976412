/** The newest generations, kept up to date; those of one prompt and one press stand side by side. */

import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ImageIcon } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useGenerationEvents } from '../../data/events.ts'
import { type Generation, recentQuery } from '../../data/generations.ts'
import { nameResult } from '../../data/places.ts'
import { CompareLink } from '../../forms/compare-link.tsx'
import { useText } from '../../text/text.ts'
import { Loading, Query } from '../../ui/query.tsx'
import { EmptyState } from '../../ui/states.tsx'
import { Ago, GenerationCard } from './card.tsx'
import { Columns } from './columns.tsx'
import { DismissButton, FoldedFailure, useFailures } from './failures.tsx'
import { hasNothing, type Row, rowKey, toRows } from './rows.ts'

export interface FeedProps {
  /** Something can be drawn, so prompts to begin with are of use. */
  hasIdeas: boolean
  /** `successor`: the id of the model that takes the place of its own. */
  onAgain(generation: Generation, successor?: string): void
  onReference(imageId: string): void
  /** A prompt to begin with. */
  onIdea(prompt: string): void
}

export function Feed({ hasIdeas, onAgain, onReference, onIdea }: FeedProps) {
  const t = useText()
  const recent = useQuery(recentQuery)
  const failures = useFailures(recent.data?.items[0]?.id)
  const rows = toRows(recent.data?.items ?? []).filter(row => !failures.isDismissed(row))
  const card = (generation: Generation, how: { isCompared?: boolean; onDismiss?: () => void }) => (
    <GenerationCard
      key={generation.id}
      generation={generation}
      {...how}
      onAgain={successor => onAgain(generation, successor)}
      onReference={onReference}
    />
  )
  return (
    <section aria-label={t('generate.feed')} className="min-w-0">
      <Announcer />
      <Query
        query={recent}
        failed={t('live.failedToLoad')}
        loading={<Loading className="grid gap-5 xl:grid-cols-2" shapes={['h-96', 'h-96']} />}
      >
        {({ items }) =>
          items.length === 0 ? (
            <Empty hasIdeas={hasIdeas} onIdea={onIdea} />
          ) : (
            <>
              <Columns rows={rows}>
                {row => {
                  const key = rowKey(row)
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
          )
        }
      </Query>
    </section>
  )
}

function Empty({ hasIdeas, onIdea }: Pick<FeedProps, 'hasIdeas' | 'onIdea'>) {
  const t = useText()
  return (
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
  )
}

/** Generations of one press, side by side in one column. */
function Comparison(props: { generations: Row; onDismiss?: () => void; children: ReactNode }) {
  const { generations, onDismiss, children } = props
  const t = useText()
  const [first] = generations
  const compared = generations.flatMap(({ id, images: [image] }) => (image ? [nameResult({ id }, image)] : []))
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
        {compared.length > 1 && <CompareLink places={compared} />}
        {onDismiss && <DismissButton onDismiss={onDismiss} />}
      </header>
      {/* One below the other as they fit, so that a third one leaves no hole. */}
      <div className="-mb-2 columns-[10rem] gap-2 *:mb-2 *:break-inside-avoid">{children}</div>
    </section>
  )
}

/** Tells those who do not look that something has ended. */
function Announcer() {
  const t = useText()
  const [words, setWords] = useState('')
  useGenerationEvents(({ status, prompt }, { isEnd }) => {
    // A mark on an old one is no news.
    if (!isEnd || status === 'cancelled') return
    const short = prompt.slice(0, 60)
    setWords(t(status === 'succeeded' ? 'live.announceDone' : 'live.announceFailed', { prompt: short }))
  })
  return (
    <p role="status" className="sr-only">
      {words}
    </p>
  )
}
