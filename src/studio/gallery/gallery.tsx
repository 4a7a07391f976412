/** Everything that was made, to be found again. */

import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useRouter, useSearch } from '@tanstack/react-router'
import { GalleryHorizontalEnd, ImageOff, Images, Search } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { deleted } from '../actions/delete.ts'
import { useGenerationEvents } from '../data/events.ts'
import { hasEnded } from '../data/generations.ts'
import {
  countsChanged,
  type FilterTexts,
  filterTexts,
  parseFilter,
  useHistory,
  useHistoryCount,
} from '../data/history.ts'
import { createKept } from '../data/store.ts'
import { explain } from '../text/problems.ts'
import { useText } from '../text/text.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Failed, FailedNotice, Loading } from '../ui/query.tsx'
import { EmptyState, Skeleton } from '../ui/states.tsx'
import { useKeys } from '../ui/use-keys.ts'
import { Filters, type View } from './filters.tsx'
import { Grid } from './grid.tsx'
import { fits, gridItems, type Item, listItems } from './items.ts'
import { List } from './list.tsx'
import { Selected } from './selected.tsx'
import { useSelection } from './selection.ts'

/** Pixels that a row of pictures aims at; undefined: by the width of the window. */
const keptHeight = createKept('gallery.height', kept => (typeof kept === 'number' ? kept : undefined))
const keptView = createKept<View>('gallery.view', view => (view === 'list' ? 'list' : 'grid'))

export function GalleryScreen() {
  const t = useText()
  const navigate = useNavigate()
  const router = useRouter()
  const search = useSearch({ from: '/gallery' })
  const texts = filterTexts(search)
  const textKey = JSON.stringify(texts)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key holds all of the texts
  const filter = useMemo(() => parseFilter(texts), [textKey])
  const history = useHistory(filter)
  const count = useHistoryCount(filter)
  const client = useQueryClient()
  const [height, setHeight] = useState(keptHeight.read)
  const hidden = deleted.use()

  // Failed ones have no picture to show.
  const hasImages = filter.status !== 'failed' && filter.status !== 'cancelled'
  const chosenView: View = (search.view ?? keptView.read()) === 'list' ? 'list' : 'grid'
  const view = hasImages ? chosenView : 'list'

  const generations = useMemo(
    () => history.generations.filter(generation => !hidden.has(generation.id)),
    [history.generations, hidden],
  )
  const items = useMemo(
    () => generations.flatMap(generation => (view === 'grid' ? gridItems : listItems)(generation, filter)),
    [generations, view, filter],
  )
  const selection = useSelection(items)
  const searchField = useRef<HTMLInputElement>(null)
  const shown = useRef<{ focus(): void }>(null)

  useGenerationEvents(generation => {
    if (fits(generation, filter)) history.add(generation)
    if (hasEnded(generation)) countsChanged(client)
  })

  function change(next: FilterTexts & { view?: View }) {
    void navigate({ to: '/gallery', search: { ...search, ...next }, replace: true, resetScroll: false })
  }

  function more() {
    if (history.hasNextPage && !history.isFetching && !history.isFetchNextPageError) void history.fetchNextPage()
  }

  function open(item: Item) {
    const [image] = item.images
    void navigate({
      to: '/picture/$generationId',
      params: { generationId: item.generation.id },
      search: { ...texts, image: image ? String(image.index) : undefined },
      state: { isFromGallery: true },
    })
  }

  // The code of the next screen is there before it is opened.
  useEffect(() => {
    void router.preloadRoute({ to: '/picture/$generationId', params: { generationId: 'any' } }).catch(() => undefined)
  }, [router])

  useKeys({
    'Mod+a': selection.all,
    '/': () => searchField.current?.focus(),
    Escape: () => shown.current?.focus(),
    // Arrow keys move the focus to the pictures, unless the focused element uses them itself.
    '*'({ key, target }) {
      if (!/^(Arrow|[jk]$)/.test(key) || usesArrows(target) || !shown.current) return false
      return shown.current.focus()
    },
  })

  const isEmpty = history.isSuccess && !history.isPlaceholderData && generations.length === 0 && !history.hasNextPage
  const { sort: _, ...conditions } = filter
  const isFiltered = Object.keys(conditions).length > 0
  // The pages so far hold only generations without a picture.
  const isLookingFurther = items.length === 0 && history.hasNextPage
  useEffect(() => {
    if (isLookingFurther) more()
  })

  const tileSize = view === 'grid' && (
    <TileSize
      height={height}
      onChange={next => {
        keptHeight.write(next)
        setHeight(next)
      }}
    />
  )

  return (
    <div className="px-3 pt-3 pb-8 sm:px-6">
      <header className="sticky top-0 z-10 -mx-3 bg-paper/95 px-3 pt-2 pb-3 sm:-mx-6 sm:px-6">
        <div className="mb-2 flex items-center gap-3">
          <h1 className="text-2xl max-lg:sr-only">{t('shell.gallery')}</h1>
          <p aria-live="polite" className="text-ink-faint text-sm tabular-nums">
            {count && !isEmpty && t(isFiltered ? 'gallery.found' : 'gallery.count', { count: count.images })}
          </p>
          <div className="ml-auto flex items-center gap-2">
            {tileSize && <div className="max-sm:hidden">{tileSize}</div>}
            <LinkButton to="/cull" search={texts} look="plain" size="small">
              <GalleryHorizontalEnd aria-hidden className="size-4" />
              {t('look.cull')}
            </LinkButton>
          </div>
        </div>
        <Filters
          filter={texts}
          view={view}
          isBusy={history.isFetching && !history.isFetchingNextPage}
          searchField={searchField}
          tileSize={tileSize}
          onLeaveSearch={() => shown.current?.focus()}
          onFilter={change}
          onView={next => {
            keptView.write(next)
            selection.clear()
            change({ view: next, ...(hasImages ? {} : { status: undefined }) })
          }}
        />
      </header>
      {history.isPending ? (
        <LoadingGrid />
      ) : history.isError && generations.length === 0 ? (
        <Failed
          title={t('gallery.troubleTitle')}
          error={history.error}
          isBusy={history.isFetching}
          onRetry={() => void history.refetch()}
        />
      ) : isEmpty ? (
        <Empty
          isFiltered={isFiltered}
          onClear={() => void navigate({ to: '/gallery', search: { view: search.view } })}
        />
      ) : items.length === 0 && !history.hasNextPage ? (
        <EmptyState
          icon={<ImageOff aria-hidden />}
          title={t('gallery.noPicturesTitle')}
          action={<Button onClick={() => change({ view: 'list' })}>{t('gallery.showList')}</Button>}
        >
          {t('gallery.noPictures')}
        </EmptyState>
      ) : view === 'grid' ? (
        <Grid
          items={items}
          selection={selection}
          hasMore={history.hasNextPage}
          onNearEnd={more}
          words={filter.q}
          height={height}
          onOpen={open}
          handle={shown}
        />
      ) : (
        <List
          items={items}
          selection={selection}
          hasMore={history.hasNextPage}
          filter={texts}
          onNearEnd={more}
          onFilter={change}
          handle={shown}
        />
      )}
      {history.isFetchNextPageError ? (
        <FailedNotice className="mt-4" onRetry={() => void history.fetchNextPage()}>
          {t('gallery.moreFailed')} {explain(history.error)}
        </FailedNotice>
      ) : (
        items.length > 0 && (
          <p className="py-8 text-center text-ink-faint text-sm">
            {history.hasNextPage
              ? t('shell.loading')
              : t(view === 'grid' ? 'gallery.end' : 'gallery.endGenerations', { count: items.length })}
          </p>
        )
      )}
      <Selected selection={selection} />
    </div>
  )
}

/** The pictures themselves, and what moves a choice. */
function usesArrows(target: EventTarget | null) {
  return (
    target instanceof Element && target.closest('[role=grid],[role=radiogroup],[role=combobox],[data-lines]') !== null
  )
}

function TileSize({ height, onChange }: { height: number | undefined; onChange(height: number): void }) {
  const t = useText()
  return (
    <label title={t('gallery.tileSize')} className="block">
      <span className="mb-1.5 block text-ink-soft text-sm sm:sr-only">{t('gallery.tileSize')}</span>
      <input
        type="range"
        min={90}
        max={480}
        step={10}
        value={height ?? 240}
        onChange={event => onChange(Number(event.target.value))}
        className="block h-10 w-28 accent-seal max-sm:w-full"
      />
    </label>
  )
}

function Empty({ isFiltered, onClear }: { isFiltered: boolean; onClear(): void }) {
  const t = useText()
  if (isFiltered) {
    return (
      <EmptyState
        icon={<Search aria-hidden />}
        title={t('gallery.nothingFoundTitle')}
        action={<Button onClick={onClear}>{t('gallery.clearFilters')}</Button>}
      >
        {t('gallery.nothingFound')}
      </EmptyState>
    )
  }
  return (
    <EmptyState
      icon={<Images aria-hidden />}
      title={t('gallery.emptyTitle')}
      action={<LinkButton to="/">{t('gallery.emptyAction')}</LinkButton>}
    >
      {t('gallery.empty')}
    </EmptyState>
  )
}

const shapes = [1.4, 0.75, 1, 1.6, 1, 0.7, 1.3, 1, 1.5, 0.8, 1, 1.2] as const

function LoadingGrid() {
  return (
    <Loading className="flex flex-wrap gap-2 pt-13">
      {shapes.map((shape, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they never change
        <div key={index} className="h-40 grow lg:h-56" style={{ flexBasis: `${shape * 11}rem` }}>
          <Skeleton className="size-full" />
        </div>
      ))}
    </Loading>
  )
}
