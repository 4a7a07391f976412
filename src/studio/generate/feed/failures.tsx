/** What was not made: shown whole until it was seen, then in one line, until somebody puts it away. */
import { Ban, ChevronDown, CircleAlert, X } from 'lucide-react'
import { useEffect, useState } from 'react'
import { type Generation, useModels } from '../../data/api.ts'
import { keepJson, readKeptJson } from '../../data/store.ts'
import { errorText } from '../../text/life.tsx'
import { t, useText } from '../../text/text.ts'
import { IconButton } from '../../ui/button.tsx'
import { toast } from '../../ui/toast.tsx'

type Row = readonly Generation[]

/** More than the feed ever holds. */
const maxKept = 200

/** All of them ended, and no picture came. */
export function hasNothing(row: Row) {
  return row.every(({ status, images }) => (status === 'failed' || status === 'cancelled') && images.length === 0)
}

function readIds(name: string): ReadonlySet<string> {
  const kept = readKeptJson(name)
  return new Set(Array.isArray(kept) ? kept.filter(id => typeof id === 'string') : [])
}

function addIds(name: string, ids: readonly string[]) {
  keepJson(name, [...new Set([...ids, ...readIds(name)])].slice(0, maxKept))
}

/** It was in sight. */
export function markSeen(id: string) {
  if (!readIds('seen').has(id)) addIds('seen', [id])
}

/** `newest` is the id of what stands at the top. */
export function useFailures(newest: string | undefined) {
  // What is being looked at is not folded under one's eyes: only when the page is opened again, or something newer comes.
  const [seen, setSeen] = useState(() => readIds('seen'))
  // biome-ignore lint/correctness/useExhaustiveDependencies: it reads again what the cards have noted meanwhile
  useEffect(() => setSeen(readIds('seen')), [newest])
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set())
  const [dismissed, setDismissed] = useState(() => readIds('dismissed'))
  const idsOf = (row: Row) => row.map(({ id }) => id)
  return {
    isFolded: (row: Row) => hasNothing(row) && idsOf(row).every(id => seen.has(id) && !unfolded.has(id)),
    isDismissed: (row: Row) => hasNothing(row) && idsOf(row).every(id => dismissed.has(id)),
    unfold: (row: Row) => setUnfolded(ids => new Set([...ids, ...idsOf(row)])),
    dismiss(row: Row) {
      const before = readIds('dismissed')
      addIds('dismissed', idsOf(row))
      setDismissed(readIds('dismissed'))
      toast(t('live.dismissed'), {
        action: {
          label: t('shell.undo'),
          onSelect() {
            keepJson('dismissed', [...before])
            setDismissed(before)
          },
        },
      })
    },
  }
}

export function DismissButton({ onDismiss }: { onDismiss(): void }) {
  const t = useText()
  return (
    <IconButton label={t('live.dismiss')} onClick={onDismiss} className="-my-1 -mr-2">
      <X aria-hidden className="size-4" />
    </IconButton>
  )
}

export function FoldedFailure({
  generations,
  onUnfold,
  onDismiss,
}: {
  generations: Row
  onUnfold(): void
  onDismiss(): void
}) {
  const t = useText()
  const { data: models = [] } = useModels()
  const [first] = generations
  if (!first) return null
  const { status, error, charge } = first
  const isCancelled = status === 'cancelled'
  const why = isCancelled ? t('live.cancelled') : error ? errorText(t, error, models) : ''
  return (
    <article
      aria-label={first.prompt}
      data-status={status}
      data-folded
      className="flex items-center rounded-2xl border border-line bg-sheet pr-2 pl-4 text-sm"
    >
      <button type="button" title={t('live.unfold')} onClick={onUnfold} className="flex min-h-11 min-w-0 flex-1 gap-2">
        {isCancelled ? (
          <Ban aria-hidden className="size-4 shrink-0 self-center text-ink-faint" />
        ) : (
          <CircleAlert aria-hidden className="size-4 shrink-0 self-center text-seal-ink" />
        )}
        <span className="max-w-1/2 self-center truncate">{first.prompt}</span>
        <span className="min-w-0 flex-1 self-center truncate text-left text-ink-faint">
          {charge === 'unknown' ? `${t('live.chargeUnknown')} · ${why}` : why}
        </span>
        <ChevronDown aria-hidden className="size-4 shrink-0 self-center text-ink-faint" />
      </button>
      <IconButton label={t('live.dismiss')} onClick={onDismiss} className="-mr-1">
        <X aria-hidden className="size-4" />
      </IconButton>
    </article>
  )
}
