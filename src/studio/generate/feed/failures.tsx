/** What was not made: shown whole until it was seen, then in one line, until somebody puts it away. */

import { Ban, ChevronDown, CircleAlert, X } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useModels } from '../../data/models.ts'
import { createKept } from '../../data/store.ts'
import { explainError } from '../../text/life.ts'
import { t, useText } from '../../text/text.ts'
import { IconButton } from '../../ui/button.tsx'
import { toast } from '../../ui/toast.tsx'
import { hasNothing, type Row } from './rows.ts'

/** More than the feed ever holds. */
const maxKept = 200

const parseIds = (json: unknown): string[] => (Array.isArray(json) ? json.filter(id => typeof id === 'string') : [])
const seenIds = createKept('seen', parseIds)
const dismissedIds = createKept('dismissed', parseIds)

function addIds(kept: typeof seenIds, ids: readonly string[]) {
  kept.write([...new Set([...ids, ...kept.read()])].slice(0, maxKept))
}

/** Called when the failed generation was on the screen: it is not counted as new any more. */
export function markSeen(id: string) {
  if (!seenIds.read().includes(id)) addIds(seenIds, [id])
}

/** `newest` is the id of what stands at the top. */
export function useFailures(newest: string | undefined) {
  // What is being looked at is not folded under one's eyes: only when the page is opened again, or something newer comes.
  const [seen, setSeen] = useState(seenIds.read)
  // biome-ignore lint/correctness/useExhaustiveDependencies: it reads again what the cards have noted meanwhile
  useEffect(() => setSeen(seenIds.read()), [newest])
  const [unfolded, setUnfolded] = useState<readonly string[]>([])
  const [dismissed, setDismissed] = useState(dismissedIds.read)
  const idsOf = (row: Row) => row.map(({ id }) => id)
  return {
    isFolded: (row: Row) => hasNothing(row) && idsOf(row).every(id => seen.includes(id) && !unfolded.includes(id)),
    isDismissed: (row: Row) => hasNothing(row) && idsOf(row).every(id => dismissed.includes(id)),
    unfold: (row: Row) => setUnfolded(ids => [...ids, ...idsOf(row)]),
    dismiss(row: Row) {
      const before = dismissedIds.read()
      addIds(dismissedIds, idsOf(row))
      setDismissed(dismissedIds.read())
      toast(t('live.dismissed'), {
        action: {
          label: t('shell.undo'),
          onSelect() {
            dismissedIds.write(before)
            setDismissed(before)
          },
        },
      })
    },
  }
}

export function DismissButton({ onDismiss }: { onDismiss(): void }) {
  const t = useText()
  return <IconButton icon={X} iconSize={4} label={t('live.dismiss')} onClick={onDismiss} className="-my-1 -mr-2" />
}

export function FoldedFailure(props: { generations: Row; onUnfold(): void; onDismiss(): void }) {
  const t = useText()
  const models = useModels()
  const { generations, onUnfold, onDismiss } = props
  const [first] = generations
  if (!first) return null
  const { status, error, charge } = first
  const isCancelled = status === 'cancelled'
  const why = isCancelled ? t('live.cancelled') : error ? explainError(error, models) : ''
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
      <IconButton icon={X} iconSize={4} label={t('live.dismiss')} onClick={onDismiss} className="-mr-1" />
    </article>
  )
}
