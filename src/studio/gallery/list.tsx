// biome-ignore-all lint/a11y/useSemanticElements: a table cannot stand like this
// biome-ignore-all lint/a11y/useFocusableInteractive: the focus is on the links, not on rows and cells
/** The list: a row for each generation, with all that became of it. */

import { useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { ArrowDown, ArrowUp, Ellipsis, Heart, ImageOff, RotateCcw, Trash2 } from 'lucide-react'
import { type FocusEvent, type KeyboardEvent, type Ref, useImperativeHandle, useRef, useState } from 'react'
import { deleteWithUndo } from '../actions/delete.ts'
import { markGenerations } from '../actions/mark.ts'
import { type Generation, hasEnded } from '../data/generations.ts'
import type { FilterTexts } from '../data/history.ts'
import { formatImageSize } from '../data/images.ts'
import { nameOfModel, useModels } from '../data/models.ts'
import { moment, money, shortMoment } from '../text/format.ts'
import { explainError } from '../text/life.ts'
import { explainCode } from '../text/problems.ts'
import { type TextKey, t, useText } from '../text/text.ts'
import { IconButton, IconLink } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { Highlighted } from '../ui/highlighted.tsx'
import { Thumbnail } from '../ui/image-tile.tsx'
import { Menu } from '../ui/menu.tsx'
import { Badge } from '../ui/states.tsx'
import type { Item } from './items.ts'
import { markByKey } from './mark-by-key.ts'
import type { Selection } from './selection.ts'
import { useFocusWhenThere, useFrame, useRows } from './windowing.ts'

export interface ListProps {
  items: readonly Item[]
  selection: Selection
  hasMore: boolean
  filter: FilterTexts
  onNearEnd(): void
  onFilter(change: FilterTexts): void
  /** Moves the focus to the line that is in turn. */
  handle: Ref<{ focus(): void }>
}

const rowHeight = 64
const maxTags = 3
/** The prompt takes what the others leave; on a narrow screen they stand in its second line. */
const columns =
  'grid items-center gap-x-3 grid-cols-[2.5rem_3rem_minmax(0,1fr)_2.5rem] lg:grid-cols-[2.5rem_3rem_minmax(0,1fr)_9rem_5rem_7rem_5.5rem] xl:grid-cols-[2.5rem_3rem_minmax(0,1fr)_11rem_7rem_5.5rem_8rem_6rem]'

export function List({ items, selection, hasMore, filter, onNearEnd, onFilter, handle }: ListProps) {
  const t = useText()
  const client = useQueryClient()
  const root = useRef<HTMLDivElement>(null)
  const { top } = useFrame(root)
  const [active, setActive] = useState(0)
  const { virtualizer, visible } = useRows({
    count: items.length,
    heightOf: () => rowHeight,
    keyOf: index => items[index]!.key,
    top,
    overscan: 10,
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
    else if (event.key === ' ' && event.target instanceof HTMLAnchorElement) {
      if (event.shiftKey) selection.extend(active)
      else selection.toggle(active)
    } else if (selection.keys.size > 0 || !markByKey(client, items[active], event.key)) return
    event.preventDefault()
  }

  function follow(event: FocusEvent) {
    const line = (event.target as Element).closest<HTMLElement>('[data-index]')
    if (line) setActive(Number(line.dataset.index))
  }

  return (
    <div role="table" aria-label={t('gallery.generations')} aria-rowcount={hasMore ? -1 : items.length + 1}>
      <Head sort={filter.sort} onSort={sort => onFilter({ sort })} />
      <div
        ref={root}
        role="rowgroup"
        data-lines
        onKeyDown={press}
        onFocus={follow}
        className="relative"
        style={{ height: virtualizer.getTotalSize() }}
      >
        {visible.map(shown => {
          const item = items[shown.index]
          if (!item) return null
          return (
            <div
              key={shown.key}
              role="row"
              aria-rowindex={shown.index + 2}
              data-index={shown.index}
              className={classes(
                columns,
                'group absolute inset-x-0 top-0 h-16 border-line border-b px-1 transition-colors',
                selection.has(item.key) ? 'bg-seal-wash' : 'hover:bg-sheet',
              )}
              style={{ transform: `translateY(${shown.start - top}px)` }}
            >
              <Cells
                generation={item.generation}
                filter={filter}
                isSelected={selection.has(item.key)}
                onSelect={isRange => (isRange ? selection.extend(shown.index) : selection.toggle(shown.index))}
              />
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** Times begin with the newest and can be turned round; costs and stars begin with the most. */
const heads = [
  { text: 'generate.prompt', className: 'col-span-2 max-lg:hidden' },
  { text: 'gallery.model', className: 'max-lg:hidden' },
  { text: 'parameters.size', className: 'max-xl:hidden' },
  { text: 'picture.cost', sort: 'cost', className: 'max-lg:hidden text-right' },
  { text: 'gallery.time', sort: 'newest', className: 'max-lg:hidden pl-3' },
  { text: 'gallery.stars', sort: 'stars', className: 'max-lg:hidden' },
] as const satisfies readonly { text: TextKey; sort?: 'newest' | 'cost' | 'stars'; className: string }[]

function Head({ sort = 'newest', onSort }: { sort: string | undefined; onSort(sort: string | undefined): void }) {
  const t = useText()
  return (
    <div role="rowgroup">
      <div
        role="row"
        aria-rowindex={1}
        className={classes(columns, 'border-line-strong border-b px-1 text-ink-faint text-sm max-lg:sr-only')}
      >
        <span role="columnheader">
          <span className="sr-only">{t('gallery.selection')}</span>
        </span>
        {heads.map(({ text, className, ...head }) => {
          const isTime = 'sort' in head && head.sort === 'newest'
          const isSorted = 'sort' in head && (sort === head.sort || (isTime && sort === 'oldest'))
          const Arrow = sort === 'oldest' ? ArrowUp : ArrowDown
          return (
            <span
              key={text}
              role="columnheader"
              aria-sort={isSorted ? (sort === 'oldest' ? 'ascending' : 'descending') : undefined}
              className={className}
            >
              {'sort' in head ? (
                <button
                  type="button"
                  onClick={() => onSort(isTime ? (sort === 'newest' ? 'oldest' : undefined) : head.sort)}
                  className={classes(
                    'inline-flex min-h-10 items-center gap-1 hover:text-ink',
                    isSorted && 'font-medium text-ink',
                    text === 'picture.cost' && 'flex-row-reverse',
                  )}
                >
                  {t(text)}
                  <Arrow aria-hidden className={classes('size-3.5', !isSorted && 'opacity-0')} />
                </button>
              ) : (
                t(text)
              )}
            </span>
          )
        })}
      </div>
    </div>
  )
}

interface CellsProps {
  generation: Generation
  filter: FilterTexts
  isSelected: boolean
  onSelect(isRange: boolean): void
}

const looks = { queued: 'warning', running: 'warning', succeeded: 'good', failed: 'bad', cancelled: 'plain' } as const

function Cells({ generation, filter, isSelected, onSelect }: CellsProps) {
  const t = useText()
  const models = useModels()
  const { images, failures, error, status, timestamp } = generation
  const words = generation.prompt || t('gallery.noPrompt')
  const model = generation.model && nameOfModel(models, generation.model)
  const size = images[0] && formatImageSize(images[0])
  const charge = formatCharge(generation)
  const stars = '★'.repeat(Math.max(0, ...images.map(image => image.stars)))
  const trouble = error ? explainError(error, models) : failures[0] && explainCode(failures[0])
  const old =
    images.length === 0 && generation.image_urls.length > 0
      ? t('gallery.oldPictures', { count: generation.image_urls.length })
      : undefined
  const cell = 'truncate text-sm max-lg:hidden'
  return (
    <>
      <label role="cell" className="relative z-1 grid size-10 cursor-pointer place-items-center">
        <input
          type="checkbox"
          checked={isSelected}
          aria-label={words.slice(0, 80)}
          onChange={event => onSelect((event.nativeEvent as MouseEvent).shiftKey === true)}
          className="size-5 accent-seal"
        />
      </label>
      <span role="cell">
        <Cover generation={generation} />
      </span>
      <div role="cell" className="flex min-w-0 items-center gap-3">
        <div className="min-w-0 flex-1">
          <Link
            to="/picture/$generationId"
            params={{ generationId: generation.id }}
            search={filter}
            state={{ isFromGallery: true }}
            title={words}
            // The whole row leads there; boxes, tags and actions stand above.
            className="block truncate after:absolute after:inset-0"
          >
            <Highlighted text={words} words={filter.q} />
          </Link>
          <p className="flex items-center gap-x-2 overflow-hidden whitespace-nowrap text-ink-faint text-sm">
            {status !== 'succeeded' && <Badge look={looks[status]}>{t(`gallery.${status}`)}</Badge>}
            {generation.favorite && (
              <Heart role="img" aria-label={t('gallery.favorite')} className="size-4 shrink-0 fill-seal text-seal" />
            )}
            {old}
            {trouble && (
              <span title={trouble} className="truncate text-seal-ink">
                {trouble}
              </span>
            )}
            {!trouble && stars && <span className="text-amber lg:hidden">{stars}</span>}
            {(trouble ? [] : [charge, shortMoment(timestamp), model]).filter(Boolean).map(fact => (
              <span key={fact} className="shrink-0 last:shrink last:truncate lg:hidden">
                {fact}
              </span>
            ))}
          </p>
        </div>
        {generation.tags.length > 0 && (
          <p className="relative z-1 flex max-w-2/5 gap-1 overflow-hidden max-md:hidden">
            {generation.tags.slice(0, maxTags).map(tag => (
              <Link
                key={tag}
                to="/gallery"
                search={{ ...filter, tag, view: 'list' }}
                className="inline-flex min-h-10 min-w-0 items-center"
              >
                <span className="truncate rounded-full bg-sunken px-2.5 py-0.5 text-ink-soft text-xs hover:bg-line hover:text-ink">
                  <Highlighted text={tag} words={filter.q} />
                </span>
              </Link>
            ))}
          </p>
        )}
        <Actions generation={generation} />
      </div>
      <span role="cell" className={classes(cell, 'text-ink-soft')}>
        {model}
      </span>
      <span role="cell" className={classes(cell, 'text-ink-soft tabular-nums max-xl:hidden')}>
        {size}
      </span>
      <span role="cell" className={classes(cell, 'text-ink-soft text-right tabular-nums')}>
        {charge}
      </span>
      <time
        role="cell"
        dateTime={timestamp}
        title={moment(timestamp)}
        className={classes(cell, 'text-ink-soft pl-3 tabular-nums')}
      >
        {shortMoment(timestamp)}
      </time>
      <span role="cell" className={classes(cell, 'text-amber')}>
        {stars && (
          <span role="img" aria-label={t('look.stars', { count: stars.length })}>
            {stars}
          </span>
        )}
      </span>
      <ActionMenu generation={generation} />
    </>
  )
}

/** The chosen picture of a group, or its first one, and how many there are. */
function Cover({ generation: { images, cover } }: { generation: Generation }) {
  const image = images.find(({ index }) => index === cover) ?? images[0]
  return (
    <span className="relative grid size-12 place-items-center overflow-hidden rounded-md bg-sunken text-ink-faint">
      {image ? (
        <Thumbnail
          image={image}
          alt=""
          isCropped
          className={classes('object-[50%_25%]', image.rejected && 'opacity-35')}
        />
      ) : (
        <ImageOff aria-hidden className="size-5" />
      )}
      {images.length > 1 && (
        <span className="absolute right-0.5 bottom-0.5 rounded-sm bg-black/65 px-1 text-[0.65rem] text-white leading-4">
          {images.length}
        </span>
      )}
    </span>
  )
}

function useActions(generation: Generation) {
  const client = useQueryClient()
  return {
    favorite: () => void markGenerations(client, [generation], now => ({ favorite: !now.favorite })),
    remove() {
      const count = generation.images.length
      deleteWithUndo([generation.id], count > 1 ? t('picture.deletedMany', { count }) : t('picture.deleted'))
    },
  }
}

/** Over the end of the prompt while the row is pointed at or has the focus. */
function Actions({ generation }: { generation: Generation }) {
  const t = useText()
  const { favorite, remove } = useActions(generation)
  return (
    <span className="relative z-2 -ml-3 w-0 max-lg:hidden">
      <span className="absolute top-1/2 right-0 flex -translate-y-1/2 rounded-full border border-line bg-raised opacity-0 shadow-card focus-within:opacity-100 group-hover:opacity-100 group-has-[a:focus-visible]:opacity-100 pointer-coarse:opacity-100">
        <IconLink to="/" search={{ from: generation.id }} label={t('live.again')} icon={RotateCcw} />
        <IconButton
          label={t(generation.favorite ? 'gallery.unfavorite' : 'gallery.favorite')}
          aria-pressed={generation.favorite}
          onClick={favorite}
        >
          <Heart aria-hidden className={classes('size-5', generation.favorite && 'fill-seal text-seal')} />
        </IconButton>
        <IconButton
          icon={Trash2}
          label={t('shell.delete')}
          onClick={remove}
          disabled={!hasEnded(generation)}
          className="text-seal-ink"
        />
      </span>
    </span>
  )
}

/** The same, where nothing can be pointed at. */
function ActionMenu({ generation }: { generation: Generation }) {
  const t = useText()
  const navigate = useNavigate()
  const { favorite, remove } = useActions(generation)
  return (
    <span role="cell" className="relative z-1 lg:hidden">
      <Menu
        trigger={<IconButton icon={Ellipsis} label={t('gallery.rowActions')} />}
        entries={[
          {
            label: t('live.again'),
            icon: <RotateCcw aria-hidden className="size-4.5" />,
            onSelect: () => void navigate({ to: '/', search: { from: generation.id } }),
          },
          {
            label: t(generation.favorite ? 'gallery.unfavorite' : 'gallery.favorite'),
            icon: <Heart aria-hidden className="size-4.5" />,
            onSelect: favorite,
          },
          'line',
          {
            label: t('shell.delete'),
            icon: <Trash2 aria-hidden className="size-4.5" />,
            onSelect: remove,
            isDanger: true,
            isDisabled: !hasEnded(generation),
          },
        ]}
      />
    </span>
  )
}

/** The cost, or undefined where there is nothing to say about it. */
function formatCharge({ charge, cost }: Generation): string | undefined {
  if (charge === 'unknown') return t('gallery.unknownCharge')
  return charge === 'charged' && cost ? money(cost.amount, cost.currency) : undefined
}
