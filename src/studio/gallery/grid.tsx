// biome-ignore-all lint/a11y/useSemanticElements: a table cannot stand like this
// biome-ignore-all lint/a11y/useFocusableInteractive: the focus is on the pictures, not on rows and headings
/** Pictures in rows of their own shapes; only the rows in sight are in the page. */

import { useQueryClient } from '@tanstack/react-query'
import { Check, Heart } from 'lucide-react'
import {
  type FocusEvent,
  type KeyboardEvent,
  type MouseEvent,
  type PointerEvent,
  type Ref,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react'
import { markGenerations } from '../actions/mark.ts'
import { lastSeen } from '../data/history.ts'
import { nameOfModel, useModels } from '../data/models.ts'
import { useText } from '../text/text.ts'
import { classes } from '../ui/classes.ts'
import { Highlighted } from '../ui/highlighted.tsx'
import { Thumbnail } from '../ui/image-tile.tsx'
import { dayName, type Item } from './items.ts'
import { markByKey } from './mark-by-key.ts'
import { useMarquee } from './marquee.ts'
import { beside, layOut, type Place } from './rows.ts'
import type { Selection } from './selection.ts'
import { useFocusWhenThere, useFrame, useRows } from './windowing.ts'

export interface GridProps {
  items: readonly Item[]
  selection: Selection
  hasMore: boolean
  /** Called whenever the end of what is loaded comes near. */
  onNearEnd(): void
  /** What was searched for. */
  words: string | undefined
  /** Pixels that a row aims at; undefined: by the width of the window. */
  height: number | undefined
  onOpen(item: Item): void
  /** Moves the focus to the picture that is in turn. */
  handle: Ref<{ focus(): void }>
}

const gap = 8
const headingHeight = 44
const longPressMs = 450
/** Pixels below which there is room for neither five stars beside the check mark nor a text. */
const narrowTile = 120

export function Grid({ items, selection, hasMore, onNearEnd, words, height, onOpen, handle }: GridProps) {
  const client = useQueryClient()
  const models = useModels()
  const t = useText()
  const root = useRef<HTMLDivElement>(null)
  const { width, top } = useFrame(root)
  // The one that was looked at last, also after it was opened.
  const [active, setActive] = useState(() =>
    Math.max(
      0,
      items.findIndex(({ key }) => key === lastSeen.get()),
    ),
  )
  const activeIndex = Math.min(active, Math.max(0, items.length - 1))
  const layout = useMemo(() => {
    const usual = Math.min(300, Math.max(130, width / (width < 600 ? 2.6 : 5.5)))
    return layOut(width > 0 ? items : [], { width, height: height ?? usual, gap, headingHeight })
  }, [items, width, height])
  const { rows } = layout
  const activeRow = layout.rowOf[activeIndex] ?? 0

  const { virtualizer, visible } = useRows({
    count: rows.length,
    heightOf: index => rows[index]!.height + gap,
    keyOf: index => rows[index]!.key,
    top,
    overscan: 3,
    activeRow,
    hasMore: hasMore && width > 0,
    onNearEnd,
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: sizes are asked for again when the rows are others
  useLayoutEffect(() => virtualizer.measure(), [rows])

  const focusActive = useFocusWhenThere(root, `[data-index="${activeIndex}"]`)

  useImperativeHandle(handle, () => ({
    focus() {
      // The active row is always in the page.
      root.current?.querySelector<HTMLElement>(`[data-index="${activeIndex}"]`)?.focus({ preventScroll: true })
      virtualizer.scrollToIndex(activeRow < 2 ? 0 : activeRow, { align: 'auto' })
    },
  }))

  const marquee = useMarquee({ root, layout, items, selection })
  const longPress = useRef<{ timer: ReturnType<typeof setTimeout>; isDone: boolean }>(undefined)

  function moveTo(index: number, isExtending: boolean) {
    const next = Math.min(items.length - 1, Math.max(0, index))
    if (isExtending) {
      if (selection.keys.size === 0) selection.toggle(activeIndex)
      selection.extend(next)
    }
    focusActive()
    setActive(next)
    const row = layout.rowOf[next]
    // The heading of a day comes along with its first row.
    if (row !== undefined)
      virtualizer.scrollToIndex(rows[row - 1]?.kind === 'day' && row < 2 ? 0 : row, { align: 'auto' })
  }

  /** Screen readers move the focus on their own. */
  function follow(event: FocusEvent) {
    const cell = (event.target as Element).closest<HTMLElement>('[data-index]')
    if (cell) setActive(Number(cell.dataset.index))
  }

  function press(event: KeyboardEvent) {
    if (event.altKey || items.length === 0) return
    const isCommand = event.ctrlKey || event.metaKey
    const rowsAWindow = Math.max(1, Math.floor(window.innerHeight / 260))
    const page = (step: 1 | -1) => {
      return Array.from({ length: rowsAWindow }).reduce<number>(index => beside(layout, index, step), activeIndex)
    }
    const steps: Record<string, () => number> = {
      ArrowRight: () => activeIndex + 1,
      ArrowLeft: () => activeIndex - 1,
      ArrowDown: () => beside(layout, activeIndex, 1),
      ArrowUp: () => beside(layout, activeIndex, -1),
      j: () => activeIndex + 1,
      k: () => activeIndex - 1,
      Home: () => 0,
      End: () => items.length - 1,
      PageDown: () => page(1),
      PageUp: () => page(-1),
    }
    const step = steps[event.key]
    if (step && !isCommand) moveTo(step(), event.shiftKey)
    else if (event.key === 'Enter') onOpen(items[activeIndex]!)
    else if (event.key === ' ' && event.shiftKey) selection.extend(activeIndex)
    else if (event.key === ' ') selection.toggle(activeIndex)
    else if (isCommand || selection.keys.size > 0 || !markByKey(client, items[activeIndex], event.key)) return
    event.preventDefault()
  }

  function click(event: MouseEvent) {
    if (marquee.swallowsClick()) return
    if (longPress.current?.isDone) {
      longPress.current = undefined
      return
    }
    const target = event.target as Element
    const cell = target.closest<HTMLElement>('[data-index]')
    if (!cell) return
    const index = Number(cell.dataset.index)
    setActive(index)
    const { generation } = items[index]!
    if (target.closest('[data-heart]')) void markGenerations(client, [generation], now => ({ favorite: !now.favorite }))
    else if (event.shiftKey) selection.extend(index)
    else if (event.ctrlKey || event.metaKey || selection.keys.size > 0 || target.closest('[data-check]')) {
      selection.toggle(index)
    } else onOpen(items[index]!)
  }

  function pointerDown(event: PointerEvent) {
    if (event.pointerType === 'mouse') {
      marquee.begin(event)
      return
    }
    const cell = (event.target as Element).closest<HTMLElement>('[data-index]')
    if (!cell) return
    const press = {
      isDone: false,
      timer: setTimeout(() => {
        press.isDone = true
        selection.toggle(Number(cell.dataset.index))
        navigator.vibrate?.(12)
      }, longPressMs),
    }
    longPress.current = press
  }

  function endLongPress() {
    clearTimeout(longPress.current?.timer)
  }

  return (
    <div
      ref={root}
      role="grid"
      aria-label={t('gallery.pictures')}
      aria-multiselectable
      aria-rowcount={hasMore ? -1 : rows.length}
      aria-busy={hasMore && rows.length === 0}
      onKeyDown={press}
      onFocus={follow}
      onClick={click}
      onPointerDown={pointerDown}
      onPointerMove={endLongPressWhenMoved}
      onPointerUp={endLongPress}
      onPointerCancel={endLongPress}
      onContextMenu={event => longPress.current?.isDone && event.preventDefault()}
      className="relative touch-pan-y select-none"
      // The grid is as tall as the window until its width is known, so that nothing below jumps.
      style={{ height: width === 0 ? '100dvh' : layout.height }}
    >
      {visible.map(shown => {
        const row = rows[shown.index]
        if (!row) return null
        const style = { transform: `translateY(${shown.start - top}px)`, height: row.height }
        return (
          <div
            key={shown.key}
            role="row"
            aria-rowindex={shown.index + 1}
            className="absolute inset-x-0 top-0"
            style={style}
          >
            {row.kind === 'day' ? (
              <div role="gridcell" className="flex h-full items-end pb-1 font-display font-semibold text-ink-soft">
                {dayName(row.day, t)}
              </div>
            ) : (
              row.places.map(place => {
                const item = items[place.index]
                if (!item) return null
                return (
                  <Tile
                    key={item.key}
                    item={item}
                    place={place}
                    words={words}
                    modelName={nameOfModel(models, item.generation.model ?? '')}
                    isActive={place.index === activeIndex}
                    isSelected={selection.has(item.key)}
                    isSelecting={selection.keys.size > 0}
                  />
                )
              })
            )}
          </div>
        )
      })}
      {marquee.box && (
        <div
          aria-hidden
          className="pointer-events-none absolute z-10 rounded-md border border-seal bg-seal/15"
          style={{
            left: marquee.box.left,
            top: marquee.box.top,
            width: marquee.box.right - marquee.box.left,
            height: marquee.box.bottom - marquee.box.top,
          }}
        />
      )}
    </div>
  )

  function endLongPressWhenMoved(event: PointerEvent) {
    if (Math.hypot(event.movementX, event.movementY) > 4) endLongPress()
  }
}

interface TileProps {
  item: Item
  words: string | undefined
  modelName: string
  place: Place
  isActive: boolean
  isSelected: boolean
  isSelecting: boolean
}

/** Few nodes: hundreds of them come and go while somebody scrolls. */
function Tile({ item, words: searched, modelName, place, isActive, isSelected, isSelecting }: TileProps) {
  const t = useText()
  const { generation } = item
  const [image] = item.images
  const isNarrow = place.width < narrowTile
  const words = generation.prompt.slice(0, 140) || t('gallery.noPrompt')
  return (
    <div
      role="gridcell"
      data-index={place.index}
      tabIndex={isActive ? 0 : -1}
      aria-selected={isSelected}
      className={classes(
        'group absolute top-0 h-full cursor-pointer overflow-hidden rounded-lg bg-sunken [-webkit-touch-callout:none]',
      )}
      style={{ left: place.left, width: place.width }}
    >
      {image ? (
        <Thumbnail
          image={image}
          alt={words}
          isCropped
          className={classes('rounded-lg', image.rejected && 'opacity-35')}
        />
      ) : (
        <p className="flex h-full animate-breathe items-center justify-center overflow-hidden p-3 text-center text-ink-soft text-sm">
          {t('gallery.beingMade', { prompt: words.slice(0, 60) })}
        </p>
      )}
      <span
        data-check
        aria-hidden
        className={classes(
          'absolute top-0 left-0 grid size-10 place-items-center before:absolute before:inset-2 before:rounded-full before:border-2 before:border-white before:shadow-[0_0_3px_rgb(0_0_0/60%)]',
          isSelected ? 'before:bg-seal' : 'before:bg-black/25',
          !isSelected && !isSelecting && 'opacity-0 group-hover:opacity-100 group-focus-visible:opacity-100',
        )}
      >
        {isSelected && <Check className="relative size-4 text-white" strokeWidth={3} />}
      </span>
      {image && !isNarrow && (
        <p
          aria-hidden
          className="absolute inset-x-0 bottom-0 line-clamp-3 bg-linear-to-t from-black/85 to-black/0 px-2.5 pt-8 pr-10 pb-2 text-white text-xs opacity-0 transition-opacity group-hover:opacity-100 group-focus-visible:opacity-100"
        >
          <Highlighted text={words} words={searched} /> · {modelName}
        </p>
      )}
      {image && image.stars > 0 && !(isNarrow && isSelecting) && (
        <span
          role="img"
          aria-label={t('look.stars', { count: image.stars })}
          className="absolute top-1.5 right-1.5 rounded-full bg-black/60 px-2 text-white text-xs leading-5"
        >
          {isNarrow ? `${image.stars} ★` : '★'.repeat(image.stars)}
        </span>
      )}
      {image?.rejected && <span className="sr-only">{t('look.rejected')}</span>}
      <Heart
        data-heart
        {...(generation.favorite ? { role: 'img', 'aria-label': t('gallery.favorite') } : { 'aria-hidden': true })}
        className={classes(
          'absolute right-0 bottom-0 box-content size-4 p-2 text-white drop-shadow-[0_0_2px_rgb(0_0_0/70%)]',
          generation.favorite ? 'fill-white' : 'opacity-0 group-hover:opacity-100 group-focus-visible:opacity-100',
        )}
      />
      {isSelected && (
        <span aria-hidden className="pointer-events-none absolute inset-0 rounded-lg ring-4 ring-seal ring-inset" />
      )}
    </div>
  )
}
