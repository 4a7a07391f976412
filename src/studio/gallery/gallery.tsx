/** Everything that was made, to be found again. */
import { useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useRouter, useSearch } from '@tanstack/react-router'
import { CircleAlert, ImageOff, Images, Search, WifiOff } from 'lucide-react'
import { useEffect, useEffectEvent, useMemo, useRef, useState } from 'react'
import { deleteWithUndo, useDeleted } from '../actions/delete.ts'
import { markGenerations } from '../actions/mark.ts'
import { ApiError, explain, type Generation, knownTags } from '../data/api.ts'
import { useGenerationEvents } from '../data/events.ts'
import { type FilterTexts, filterOf, filterTexts, useHistory } from '../data/history.ts'
import { keep, readKept } from '../data/store.ts'
import { Tags } from '../forms/tags.tsx'
import { isTyping } from '../shell/shortcuts.ts'
import { useText } from '../text/text.ts'
import { Button, buttonClasses } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { EmptyState, Notice, Skeleton } from '../ui/states.tsx'
import { toast } from '../ui/toast.tsx'
import { downloadArchive } from './archive.ts'
import { Filters, type View } from './filters.tsx'
import { Grid, type GridHandle } from './grid.tsx'
import { fits, gridItems, type Item, listItems } from './items.ts'
import { List } from './list.tsx'
import { useSelection } from './selection.ts'
import { SelectionBar } from './selection-bar.tsx'

export function GalleryScreen() {
  const t = useText()
  const navigate = useNavigate()
  const router = useRouter()
  const client = useQueryClient()
  const search = useSearch({ from: '/gallery' })
  const texts = filterTexts(search)
  const textKey = JSON.stringify(texts)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key holds all of the texts
  const filter = useMemo(() => filterOf(texts), [textKey])
  const isFiltered = Object.keys(filter).length > 0
  const history = useHistory(filter)
  const deleted = useDeleted()

  // Failed ones have no picture to show.
  const hasPictures = filter.status !== 'failed' && filter.status !== 'cancelled'
  const chosenView: View = (search.view ?? readKept('gallery.view')) === 'list' ? 'list' : 'grid'
  const view = hasPictures ? chosenView : 'list'

  const generations = useMemo(
    () => history.generations.filter(generation => !deleted.has(generation.id)),
    [history.generations, deleted],
  )
  const items = useMemo(() => generations.flatMap(view === 'grid' ? gridItems : listItems), [generations, view])
  const selection = useSelection(items)
  const [isTagging, setTagging] = useState(false)
  const [isPacking, setPacking] = useState(false)
  const [doubtful, setDoubtful] = useState<{ generations: Generation[]; pictures: number; others: number }>()
  const searchField = useRef<HTMLInputElement>(null)
  const grid = useRef<GridHandle>(null)

  useGenerationEvents(generation => {
    if (fits(generation, filter)) history.add(generation)
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

  // ── What is selected ──────────────────────────────────────────────────────────────────────────────────────────────

  const selected = [...new Map(selection.items.map(item => [item.generation.id, item.generation])).values()]
  const pictures = selection.items.flatMap(item => item.images)
  const isFavorite = selected.length > 0 && selected.every(generation => generation.favorite)

  function favorite() {
    void markGenerations(client, selected, () => ({ favorite: !isFavorite }))
  }

  async function download() {
    if (isPacking) return
    setPacking(true)
    await downloadArchive(pictures)
    setPacking(false)
  }

  function askToDelete() {
    const ended = selected.filter(({ status }) => status !== 'queued' && status !== 'running')
    const all = ended.reduce((sum, generation) => sum + generation.images.length, 0)
    const chosen = pictures.filter(image => ended.some(({ images }) => images.some(({ id }) => id === image.id))).length
    if (ended.length < selected.length) toast(t('gallery.stillRunning'))
    if (ended.length === 0) return
    // A group is deleted as a whole: nobody must lose a picture that was not meant.
    if (all > chosen) setDoubtful({ generations: ended, pictures: all, others: all - chosen })
    else remove(ended, all)
  }

  function remove(ended: readonly Generation[], count: number) {
    setDoubtful(undefined)
    selection.clear()
    deleteWithUndo(
      ended.map(({ id }) => id),
      count === 0 ? t('picture.deleted') : t('picture.deletedMany', { count }),
    )
  }

  const press = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.altKey) return
    // Out of the search, and from anywhere that has no use of its own for the arrows, to the pictures.
    const isBack = event.target === searchField.current && !event.isComposing && /^(Escape|ArrowDown)$/.test(event.key)
    const isArrow = /^Arrow/.test(event.key) && !isTyping(event.target) && !usesArrows(event.target)
    if ((isBack || isArrow) && grid.current && !hasOverlay()) {
      grid.current.focus()
      event.preventDefault()
      return
    }
    if (isTyping(event.target)) return
    if (hasOverlay()) return
    const isCommand = event.ctrlKey || event.metaKey
    const hasSelection = selection.keys.size > 0
    if (isCommand && event.key === 'a') selection.all()
    else if (isCommand) return
    else if (event.key === '/') searchField.current?.focus()
    else if (event.key === 'Escape' && hasSelection) selection.clear()
    else if (event.key === 'Escape') grid.current?.focus()
    else if (event.key === 'f' && hasSelection) favorite()
    else if (event.key === 'l' && hasSelection) setTagging(true)
    else if (event.key === 'd' && hasSelection) void download()
    else if ((event.key === 'Delete' || event.key === 'Backspace') && hasSelection) askToDelete()
    else return
    event.preventDefault()
  })
  useEffect(() => {
    const listener = (event: KeyboardEvent) => press(event)
    document.addEventListener('keydown', listener)
    return () => document.removeEventListener('keydown', listener)
  }, [])

  const tagsOfAll =
    selected.length === 0 ? [] : selected[0]!.tags.filter(tag => selected.every(g => g.tags.includes(tag)))

  // ── What is shown ─────────────────────────────────────────────────────────────────────────────────────────────────

  const isEmpty = history.isSuccess && !history.isPlaceholderData && generations.length === 0 && !history.hasNextPage
  // The pages so far hold only generations without a picture.
  const isLookingFurther = items.length === 0 && history.hasNextPage
  useEffect(() => {
    if (isLookingFurther) more()
  })

  return (
    <div className="mx-auto max-w-[110rem] px-3 pt-3 pb-8 sm:px-6">
      <header className="sticky top-0 z-10 -mx-3 bg-paper/95 px-3 pt-2 pb-3 backdrop-blur sm:-mx-6 sm:px-6">
        <h1 className="mb-2 text-2xl max-lg:sr-only">{t('gallery.title')}</h1>
        <Filters
          filter={texts}
          view={view}
          isBusy={history.isFetching && !history.isFetchingNextPage}
          searchField={searchField}
          onFilter={change}
          onView={next => {
            keep('gallery.view', next)
            selection.clear()
            change({ view: next, ...(hasPictures ? {} : { status: undefined }) })
          }}
        />
      </header>
      {history.isPending ? (
        <Loading />
      ) : history.isError && generations.length === 0 ? (
        <EmptyState
          isTrouble
          icon={isOffline(history.error) ? <WifiOff aria-hidden /> : <CircleAlert aria-hidden />}
          title={t('gallery.troubleTitle')}
          action={
            <Button look="primary" onClick={() => void history.refetch()} isBusy={history.isFetching}>
              {t('shell.retry')}
            </Button>
          }
        >
          {explain(history.error)}
        </EmptyState>
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
          onOpen={open}
          handle={grid}
        />
      ) : (
        <List items={items} selection={selection} hasMore={history.hasNextPage} filter={texts} onNearEnd={more} />
      )}
      {history.isFetchNextPageError ? (
        <Notice
          look="bad"
          className="mt-4"
          action={
            <Button size="small" onClick={() => void history.fetchNextPage()}>
              {t('shell.retry')}
            </Button>
          }
        >
          {t('gallery.moreFailed')} {explain(history.error)}
        </Notice>
      ) : (
        items.length > 0 && (
          <p className="py-8 text-center text-ink-faint text-sm">
            {history.hasNextPage
              ? t('shell.loading')
              : t(view === 'grid' ? 'gallery.end' : 'gallery.endGenerations', { count: items.length })}
          </p>
        )
      )}
      {selection.items.length > 0 && (
        <SelectionBar
          count={selection.items.length}
          isFavorite={isFavorite}
          onFavorite={favorite}
          onTags={() => setTagging(true)}
          isPacking={isPacking}
          onDownload={() => void download()}
          onDelete={askToDelete}
          onAll={selection.all}
          onClear={selection.clear}
        />
      )}
      <Dialog isOpen={isTagging} onClose={() => setTagging(false)} title={t('gallery.tagsTitle')} size="small">
        <Tags
          className="pt-1"
          autoFocus
          tags={tagsOfAll}
          known={isTagging ? knownTags(client) : []}
          onAdd={added =>
            void markGenerations(client, selected, ({ tags }) => ({ tags: [...new Set([...tags, ...added])] }))
          }
          onRemove={tag =>
            void markGenerations(client, selected, ({ tags }) => ({ tags: tags.filter(one => one !== tag) }))
          }
        />
      </Dialog>
      <Dialog
        isOpen={doubtful !== undefined}
        onClose={() => setDoubtful(undefined)}
        title={t('gallery.deleteAlsoTitle')}
        size="small"
        actions={
          <>
            <Button onClick={() => setDoubtful(undefined)}>{t('shell.cancel')}</Button>
            <Button look="danger" onClick={() => doubtful && remove(doubtful.generations, doubtful.pictures)}>
              {t('gallery.deleteAll', { count: doubtful?.pictures ?? 0 })}
            </Button>
          </>
        }
      >
        {t('gallery.deleteAlso', { others: doubtful?.others ?? 0 })}
      </Dialog>
    </div>
  )
}

function hasOverlay() {
  return document.querySelector('[role=dialog],[role=alertdialog],[role=listbox],[role=menu]') !== null
}

/** The pictures themselves, and what moves a choice. */
function usesArrows(target: EventTarget | null) {
  return target instanceof Element && target.closest('[role=grid],[role=radiogroup],[role=combobox]') !== null
}

function isOffline(error: unknown) {
  return error instanceof ApiError && error.status === 0
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
      action={
        <Link to="/" className={buttonClasses('primary')}>
          {t('gallery.emptyAction')}
        </Link>
      }
    >
      {t('gallery.empty')}
    </EmptyState>
  )
}

const shapes = [1.4, 0.75, 1, 1.6, 1, 0.7, 1.3, 1, 1.5, 0.8, 1, 1.2] as const

function Loading() {
  const t = useText()
  return (
    <div role="status" aria-label={t('shell.loading')} className="flex flex-wrap gap-2 pt-13">
      {shapes.map((shape, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they never change
        <div key={index} className="h-40 grow lg:h-56" style={{ flexBasis: `${shape * 11}rem` }}>
          <Skeleton className="size-full" />
        </div>
      ))}
    </div>
  )
}
