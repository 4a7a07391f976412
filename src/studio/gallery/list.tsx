/** One line a generation, with all that became of it. */
import { Link } from '@tanstack/react-router'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { Heart, ImageOff } from 'lucide-react'
import { useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from 'react'
import type { Model } from '../../api/models.ts'
import { ApiError, explain, type Generation, thumbnailUrl, useModels } from '../data/api.ts'
import type { FilterTexts } from '../data/history.ts'
import { sizeOfImage } from '../data/images.ts'
import { moment } from '../text/format.ts'
import { errorText, findModel } from '../text/life.tsx'
import { useText } from '../text/text.ts'
import { classes } from '../ui/classes.ts'
import { ImageTile } from '../ui/image-tile.tsx'
import { Badge } from '../ui/states.tsx'
import type { Item } from './items.ts'
import { chargeName } from './money.ts'
import type { Selection } from './selection.ts'

export interface ListProps {
  items: readonly Item[]
  selection: Selection
  hasMore: boolean
  filter: FilterTexts
  onNearEnd(): void
}

const usualHeight = 132
const nearEnd = 40
const maxThumbnails = 4

export function List({ items, selection, hasMore, filter, onNearEnd }: ListProps) {
  const t = useText()
  const root = useRef<HTMLUListElement>(null)
  const [top, setTop] = useState(0)
  useLayoutEffect(() => {
    const element = root.current!
    const measure = () => setTop(element.getBoundingClientRect().top + window.scrollY)
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(document.body)
    return () => observer.disconnect()
  }, [])
  const virtualizer = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => usualHeight,
    getItemKey: index => items[index]!.key,
    overscan: 6,
    scrollMargin: top,
  })
  const { data: models = [] } = useModels()
  const visible = virtualizer.getVirtualItems()
  const lastVisible = visible.at(-1)?.index ?? 0
  const askForMore = useEffectEvent(() => {
    if (hasMore && lastVisible >= items.length - nearEnd) onNearEnd()
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: it has to look again after each of these
  useEffect(() => askForMore(), [lastVisible, items, hasMore])

  return (
    <ul
      ref={root}
      aria-label={t('gallery.generations')}
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
              models={models}
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
  models: readonly Model[]
  filter: FilterTexts
  isSelected: boolean
  onSelect(isRange: boolean): void
}

const looks = { queued: 'warning', running: 'warning', succeeded: 'good', failed: 'bad', cancelled: 'plain' } as const

function Line({ generation, models, filter, isSelected, onSelect }: LineProps) {
  const t = useText()
  const { images, failures, error, status } = generation
  const shown = images.slice(0, maxThumbnails)
  const words = generation.prompt || t('gallery.noPrompt')
  const facts = [
    moment(generation.timestamp),
    findModel(models, generation.model)?.name ?? generation.model,
    images[0] && sizeOfImage(images[0]),
    chargeName(generation, t),
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
            {error ? errorText(t, error, models) : explain(new ApiError(failures[0]!.code, failures[0]!.message))}
          </p>
        )}
      </div>
      <div className="grid shrink-0 auto-cols-min grid-flow-col gap-1 self-start max-sm:grid-cols-1">
        {shown.map((image, index) => (
          <div
            key={image.id}
            className={classes('relative size-20 overflow-hidden rounded-lg sm:size-24', index > 0 && 'max-sm:hidden')}
          >
            <ImageTile
              src={thumbnailUrl(image.id)}
              alt=""
              width={image.width}
              height={image.height}
              type={image.mime_type}
              isCropped
            />
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
