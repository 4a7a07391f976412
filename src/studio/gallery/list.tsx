/** The list: a line for each generation, with all that became of it. */

import { Link } from '@tanstack/react-router'
import { Heart, ImageOff } from 'lucide-react'
import { type FocusEvent, type KeyboardEvent, type Ref, useImperativeHandle, useRef, useState } from 'react'
import type { Generation } from '../data/generations.ts'
import type { FilterTexts } from '../data/history.ts'
import { formatImageSize } from '../data/images.ts'
import { nameOfModel, useModels } from '../data/models.ts'
import { moment, money } from '../text/format.ts'
import { explainError } from '../text/life.ts'
import { explainCode } from '../text/problems.ts'
import { t, useText } from '../text/text.ts'
import { classes } from '../ui/classes.ts'
import { Thumbnail } from '../ui/image-tile.tsx'
import { Badge } from '../ui/states.tsx'
import type { Item } from './items.ts'
import type { Selection } from './selection.ts'
import { useFocusWhenThere, useFrame, useRows } from './windowing.ts'

export interface ListProps {
  items: readonly Item[]
  selection: Selection
  hasMore: boolean
  filter: FilterTexts
  onNearEnd(): void
  /** Moves the focus to the line that is in turn. */
  handle: Ref<{ focus(): void }>
}

const usualHeight = 132
const maxThumbnails = 4

export function List({ items, selection, hasMore, filter, onNearEnd, handle }: ListProps) {
  const t = useText()
  const root = useRef<HTMLUListElement>(null)
  const { top } = useFrame(root)
  const [active, setActive] = useState(0)
  const { virtualizer, visible } = useRows({
    count: items.length,
    heightOf: () => usualHeight,
    keyOf: index => items[index]!.key,
    top,
    overscan: 6,
    activeRow: active,
    hasMore,
    onNearEnd,
  })
  const focusActive = useFocusWhenThere(root, `[data-index="${active}"] a`)

  function moveTo(index: number) {
    const next = Math.min(items.length - 1, Math.max(0, index))
    focusActive()
    setActive(next)
    virtualizer.scrollToIndex(next, { align: 'auto' })
  }

  useImperativeHandle(handle, () => ({
    focus() {
      root.current?.querySelector<HTMLElement>(`[data-index="${active}"] a`)?.focus({ preventScroll: true })
      virtualizer.scrollToIndex(active, { align: 'auto' })
    },
  }))

  function press(event: KeyboardEvent) {
    if (event.altKey || event.ctrlKey || event.metaKey || items.length === 0) return
    if (event.key === 'ArrowDown') moveTo(active + 1)
    else if (event.key === 'ArrowUp') moveTo(active - 1)
    else if (event.key === 'Home') moveTo(0)
    else if (event.key === 'End') moveTo(items.length - 1)
    else if (event.key !== ' ' || !(event.target instanceof HTMLAnchorElement)) return
    else if (event.shiftKey) selection.extend(active)
    else selection.toggle(active)
    event.preventDefault()
  }

  function follow(event: FocusEvent) {
    const line = (event.target as Element).closest<HTMLElement>('[data-index]')
    if (line) setActive(Number(line.dataset.index))
  }

  return (
    <ul
      ref={root}
      data-lines
      aria-label={t('gallery.generations')}
      onKeyDown={press}
      onFocus={follow}
      className="relative"
      style={{ height: virtualizer.getTotalSize() }}
    >
      {visible.map(shown => {
        const item = items[shown.index]
        if (!item) return null
        return (
          <li
            key={shown.key}
            ref={virtualizer.measureElement}
            data-index={shown.index}
            className="absolute inset-x-0 top-0 pb-2"
            style={{ transform: `translateY(${shown.start - top}px)` }}
          >
            <Line
              generation={item.generation}
              filter={filter}
              isSelected={selection.has(item.key)}
              onSelect={isRange => (isRange ? selection.extend(shown.index) : selection.toggle(shown.index))}
            />
          </li>
        )
      })}
    </ul>
  )
}

interface LineProps {
  generation: Generation
  filter: FilterTexts
  isSelected: boolean
  onSelect(isRange: boolean): void
}

const looks = { queued: 'warning', running: 'warning', succeeded: 'good', failed: 'bad', cancelled: 'plain' } as const

function Line({ generation, filter, isSelected, onSelect }: LineProps) {
  const t = useText()
  const models = useModels()
  const { images, failures, error, status } = generation
  const shown = images.slice(0, maxThumbnails)
  const words = generation.prompt || t('gallery.noPrompt')
  const facts = [
    moment(generation.timestamp),
    generation.model && nameOfModel(models, generation.model),
    images[0] && formatImageSize(images[0]),
    formatCharge(generation),
    images.length === 0 && generation.image_urls.length > 0
      ? t('gallery.oldPictures', { count: generation.image_urls.length })
      : undefined,
  ]
  return (
    <article
      className={classes(
        'relative flex gap-3 rounded-card border bg-sheet p-3 transition-colors hover:border-line-strong sm:gap-4',
        isSelected ? 'border-seal bg-seal-wash' : 'border-line',
      )}
    >
      <label className="-m-1 grid size-10 shrink-0 cursor-pointer place-items-center">
        <input
          type="checkbox"
          checked={isSelected}
          aria-label={words.slice(0, 80)}
          onChange={event => onSelect((event.nativeEvent as MouseEvent).shiftKey === true)}
          className="size-5 accent-seal"
        />
      </label>
      <div className="min-w-0 flex-1">
        <Link
          to="/picture/$generationId"
          params={{ generationId: generation.id }}
          search={filter}
          state={{ isFromGallery: true }}
          // The whole line leads there; only the box stands above.
          className="line-clamp-2 text-pretty after:absolute after:inset-0 after:left-12 after:rounded-card"
        >
          {words}
        </Link>
        <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-ink-faint text-sm">
          {status !== 'succeeded' && <Badge look={looks[status]}>{t(`gallery.${status}`)}</Badge>}
          {generation.favorite && (
            <Heart role="img" aria-label={t('gallery.favorite')} className="size-4 fill-seal text-seal" />
          )}
          {facts.filter(Boolean).map(fact => (
            <span key={String(fact)}>{fact}</span>
          ))}
        </p>
        {generation.tags.length > 0 && (
          <p className="-my-1 flex flex-wrap gap-1">
            {generation.tags.map(tag => (
              <Link
                key={tag}
                to="/gallery"
                search={{ ...filter, tag, view: 'list' }}
                className="relative inline-flex min-h-10 max-w-full items-center"
              >
                <span className="truncate rounded-full bg-sunken px-2.5 py-0.5 text-ink-soft text-xs hover:bg-line hover:text-ink">
                  {tag}
                </span>
              </Link>
            ))}
          </p>
        )}
        {(error || failures.length > 0) && (
          <p className="mt-1 line-clamp-2 text-seal-ink text-sm">
            {error ? explainError(error, models) : explainCode(failures[0]!)}
          </p>
        )}
      </div>
      <div className="grid shrink-0 auto-cols-min grid-flow-col gap-1 self-start max-sm:grid-cols-1">
        {shown.map((image, index) => (
          <div
            key={image.id}
            className={classes('relative size-20 overflow-hidden rounded-lg sm:size-24', index > 0 && 'max-sm:hidden')}
          >
            <Thumbnail image={image} alt="" isCropped />
            {index === shown.length - 1 && images.length > maxThumbnails && (
              <span className="absolute inset-0 grid place-items-center bg-black/50 font-medium text-white max-sm:hidden">
                +{images.length - maxThumbnails}
              </span>
            )}
          </div>
        ))}
        {images.length === 0 && (
          <div className="grid size-20 place-items-center rounded-lg bg-sunken text-ink-faint sm:size-24">
            <ImageOff aria-hidden className="size-6" />
          </div>
        )}
      </div>
    </article>
  )
}

/** The cost, or undefined where there is nothing to say about it. */
function formatCharge({ charge, cost }: Generation): string | undefined {
  if (charge === 'unknown') return t('gallery.unknownCharge')
  return charge === 'charged' && cost ? money(cost.amount, cost.currency) : undefined
}
