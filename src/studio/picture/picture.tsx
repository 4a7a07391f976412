/** One picture, and all that can be done with it. */
import { useQueryClient } from '@tanstack/react-query'
import { Link, useLocation, useNavigate, useParams, useRouter, useSearch } from '@tanstack/react-router'
import {
  ArrowLeft,
  CircleAlert,
  Dices,
  Download,
  Heart,
  ImageDown,
  ImageOff,
  Info,
  PencilLine,
  RotateCcw,
  ScrollText,
  Trash2,
} from 'lucide-react'
import { useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from 'react'
import { deleteWithUndo, useDeleted } from '../actions/delete.ts'
import { markGenerations } from '../actions/mark.ts'
import {
  ApiError,
  downloadUrl,
  explain,
  type Generation,
  type Image,
  imageUrl,
  thumbnailUrl,
  useGeneration,
  useModels,
} from '../data/api.ts'
import { filterTexts } from '../data/history.ts'
import { noteSeen } from '../data/last-seen.ts'
import { keep, readKept } from '../data/store.ts'
import { isTyping } from '../shell/shortcuts.ts'
import { type Text, useText } from '../text/text.ts'
import { Button, buttonClasses, IconButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { Dialog } from '../ui/dialog.tsx'
import { ImageTile } from '../ui/image-tile.tsx'
import { Menu } from '../ui/menu.tsx'
import { EmptyState, Skeleton } from '../ui/states.tsx'
import { Details } from './details.tsx'
import { type Place, useNeighbours } from './neighbours.ts'
import { Stage } from './stage.tsx'

/** Types that have a place for a recipe. */
const recipeTypes = ['image/png', 'image/jpeg', 'image/webp']

export function PictureScreen() {
  const t = useText()
  const navigate = useNavigate()
  const client = useQueryClient()
  const router = useRouter()
  const isFromGallery = useLocation({ select: location => location.state.isFromGallery === true })
  const { generationId } = useParams({ from: '/picture/$generationId' })
  const search = useSearch({ from: '/picture/$generationId' })
  const texts = filterTexts(search)
  const query = useGeneration(generationId)
  const deleted = useDeleted()
  const generation = query.data
  const images = generation?.images ?? []
  const image = images.find(({ index }) => String(index) === search.image) ?? images[0]
  const { previous, next } = useNeighbours(generation, image, texts)
  const [isOpen, setOpen] = useState(() => readKept('picture.details') !== 'closed')
  const seenId = image?.id
  useEffect(() => {
    if (seenId !== undefined) noteSeen(seenId)
  }, [seenId])
  const [isAsking, setAsking] = useState(false)

  const frame = useRoomBelow()

  function toggleDetails() {
    keep('picture.details', isOpen ? 'closed' : 'open')
    setOpen(!isOpen)
  }

  function show(place: Place | undefined) {
    if (!place) return
    void navigate({
      to: '/picture/$generationId',
      params: { generationId: place.generation.id },
      search: { ...texts, image: String(place.image.index) },
      state: { isFromGallery },
      // One step back leads to the gallery, not through all that were looked at.
      replace: true,
    })
  }

  /** Back to where it was left, when that is one step back. */
  function toGallery() {
    if (isFromGallery) router.history.back()
    else void navigate({ to: '/gallery', search: texts })
  }

  const again = () => navigate({ to: '/', search: { from: generationId } })
  const edit = () => image && navigate({ to: '/', search: { reference: image.id } })

  function favorite() {
    if (generation) void markGenerations(client, [generation], now => ({ favorite: !now.favorite }))
  }

  function remove() {
    setAsking(false)
    const follower = next && next.generation.id !== generationId ? next : undefined
    deleteWithUndo(
      [generationId],
      images.length > 1 ? t('picture.deletedMany', { count: images.length }) : t('picture.deleted'),
    )
    if (follower) show(follower)
    else toGallery()
  }

  function askToDelete() {
    if (!generation || generation.status === 'queued' || generation.status === 'running') return
    if (images.length > 1) setAsking(true)
    else remove()
  }

  const press = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || isTyping(event.target)) return
    if (document.querySelector('[role=dialog],[role=alertdialog],[role=menu]')) return
    if (event.key === 'Escape') toGallery()
    else if (event.key === 'i') toggleDetails()
    else if (event.key === 'f') favorite()
    else if (event.key === 'e') void edit()
    else if (event.key === 'r') void again()
    else if (event.key === 'd' && image) location.assign(downloadUrl(image.id))
    else if (event.key === 'Delete' || event.key === 'Backspace') askToDelete()
    else return
    event.preventDefault()
  })
  useEffect(() => {
    const listener = (event: KeyboardEvent) => press(event)
    document.addEventListener('keydown', listener)
    return () => document.removeEventListener('keydown', listener)
  }, [])

  // The ones beside it are there when they are asked for.
  const beside = [previous?.image.id, next?.image.id].filter(id => id !== undefined).join(' ')
  useEffect(() => {
    for (const id of beside.split(' ').filter(Boolean)) new window.Image().src = imageUrl(id)
  }, [beside])

  if (query.isPending) return <Loading />
  if (!generation || deleted.has(generationId)) {
    const isGone = deleted.has(generationId) || (query.error instanceof ApiError && query.error.status === 404)
    return <Trouble isGone={isGone} error={query.error} onRetry={() => void query.refetch()} />
  }

  const back = (
    <Link
      to="/gallery"
      search={texts}
      aria-label={t('picture.back')}
      title={t('picture.back')}
      onClick={event => {
        if (!isFromGallery || event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        toGallery()
      }}
      className="grid size-11 place-items-center rounded-full bg-raised/90 shadow-card backdrop-blur hover:bg-raised"
    >
      <ArrowLeft aria-hidden className="size-5" />
    </Link>
  )
  return (
    <div ref={frame} className={classes('lg:grid lg:h-(--room)', isOpen && 'lg:grid-cols-[minmax(0,1fr)_24rem]')}>
      <h1 className="sr-only">{generation.prompt || t('picture.title')}</h1>
      <div className={classes('relative lg:h-(--room)', image ? 'h-[60dvh]' : 'h-[40dvh]')}>
        {image ? (
          <Stage
            key={image.id}
            image={image}
            alt={generation.prompt || t('picture.noPrompt')}
            onPrevious={previous && (() => show(previous))}
            onNext={next && (() => show(next))}
          >
            <div className="absolute top-3 left-3 flex items-center gap-2">
              {back}
              {images.length > 1 && (
                <span className="rounded-full bg-raised/90 px-3 py-1.5 text-sm tabular-nums shadow-card backdrop-blur">
                  {t('picture.ofGroup', { position: images.indexOf(image) + 1, count: images.length })}
                </span>
              )}
            </div>
            <IconButton
              label={t(isOpen ? 'picture.hideDetails' : 'picture.showDetails')}
              aria-expanded={isOpen}
              onClick={toggleDetails}
              className="absolute top-3 right-3 size-11 bg-raised/90 shadow-card backdrop-blur hover:bg-raised max-lg:hidden"
            >
              <Info aria-hidden className="size-5" />
            </IconButton>
          </Stage>
        ) : (
          <div className="grid h-full place-items-center bg-sunken">
            <div className="absolute top-3 left-3">{back}</div>
            <EmptyState icon={<ImageOff aria-hidden />} title={t('picture.noneTitle')}>
              {(generation.status === 'queued' || generation.status === 'running') && t('picture.underWay')}
            </EmptyState>
          </div>
        )}
      </div>
      <aside
        aria-label={t('picture.details')}
        className={classes(
          'bg-sheet max-lg:pb-24 lg:h-(--room) lg:overflow-y-auto lg:border-line lg:border-l',
          !isOpen && 'lg:hidden',
        )}
      >
        <Actions {...{ generation, image, t }} onFavorite={favorite} onDelete={askToDelete} />
        {images.length > 1 && <Group generation={generation} image={image} onShow={show} />}
        <div className="p-4 sm:p-5">
          <Details generation={generation} image={image} />
        </div>
      </aside>
      <Dialog
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        title={t('gallery.deleteAlsoTitle')}
        size="small"
        actions={
          <>
            <Button onClick={() => setAsking(false)}>{t('shell.cancel')}</Button>
            <Button look="danger" onClick={remove}>
              {t('gallery.deleteAll', { count: images.length })}
            </Button>
          </>
        }
      >
        {t('gallery.deleteAlso', { others: images.length - 1 })}
      </Dialog>
    </div>
  )
}

/** Sets `--room` to the height from the top of the element to the foot of the window, whatever stands above it. */
function useRoomBelow() {
  const root = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    function measure() {
      const top = (root.current?.getBoundingClientRect().top ?? 0) + window.scrollY
      root.current?.style.setProperty('--room', `calc(100dvh - ${top}px)`)
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(document.body)
    return () => observer.disconnect()
  })
  return root
}

interface ActionsProps {
  generation: Generation
  image: Image | undefined
  t: Text
  onFavorite(): void
  onDelete(): void
}

function Actions({ generation, image, t, onFavorite, onDelete }: ActionsProps) {
  const isUnderWay = generation.status === 'queued' || generation.status === 'running'
  const { data: models = [] } = useModels()
  const model = models.find(({ id, aliases }) => id === generation.model || aliases.includes(generation.model ?? ''))
  const canVary = model === undefined || Object.hasOwn(model.parameters.properties ?? {}, 'seed')
  const hasPlace = image !== undefined && recipeTypes.includes(image.mime_type)
  return (
    <div className="sticky top-0 z-10 flex flex-col gap-2 border-line border-b bg-sheet p-4 sm:p-5">
      <div className="flex gap-2">
        <Link
          to="/"
          search={{ from: generation.id }}
          className={classes(buttonClasses('primary'), 'min-w-0 flex-1 text-sm')}
        >
          <RotateCcw aria-hidden className="size-4 shrink-0" />
          <span className="truncate">{t('picture.again')}</span>
        </Link>
        <IconButton
          label={t(generation.favorite ? 'picture.unfavorite' : 'picture.favorite')}
          aria-pressed={generation.favorite}
          onClick={onFavorite}
          className={classes(generation.favorite && 'text-seal-ink')}
        >
          <Heart aria-hidden className={classes('size-5', generation.favorite && 'fill-current')} />
        </IconButton>
        {image && (
          <Menu
            trigger={
              <IconButton label={t('picture.downloadAs')}>
                <Download aria-hidden className="size-5" />
              </IconButton>
            }
            entries={[
              {
                label: t('picture.downloadPlain'),
                icon: <ImageDown aria-hidden className="size-4.5" />,
                href: downloadUrl(image.id),
                download: true,
              },
              ...(hasPlace
                ? [
                    {
                      label: t('picture.downloadRecipe'),
                      icon: <ScrollText aria-hidden className="size-4.5" />,
                      href: `${downloadUrl(image.id)}&recipe`,
                      download: true,
                    },
                  ]
                : [{ label: t('picture.noPlaceForRecipe'), onSelect: () => {}, isDisabled: true }]),
            ]}
          />
        )}
        <IconButton label={t('picture.delete')} onClick={onDelete} disabled={isUnderWay} className="text-seal-ink">
          <Trash2 aria-hidden className="size-5" />
        </IconButton>
      </div>
      <div className="flex gap-2 empty:hidden">
        {canVary && (
          <Link
            to="/"
            search={{ from: generation.id, seed: 'new' }}
            className={classes(buttonClasses('plain', 'small'), 'min-w-0 flex-1')}
          >
            <Dices aria-hidden className="size-4 shrink-0" />
            <span className="truncate">{t('picture.varySeed')}</span>
          </Link>
        )}
        {image && (
          <Link
            to="/"
            search={{ reference: image.id }}
            className={classes(buttonClasses('plain', 'small'), 'min-w-0 flex-1')}
          >
            <PencilLine aria-hidden className="size-4 shrink-0" />
            <span className="truncate">{t('picture.edit')}</span>
          </Link>
        )}
      </div>
    </div>
  )
}

interface GroupProps {
  generation: Generation
  image: Image | undefined
  onShow(place: Place): void
}

function Group({ generation, image, onShow }: GroupProps) {
  const t = useText()
  return (
    <ul className="flex gap-2 overflow-x-auto px-4 pt-4 sm:px-5">
      {generation.images.map((one, position) => (
        <li key={one.id} className="shrink-0">
          <button
            type="button"
            aria-label={t('picture.ofGroup', { position: position + 1, count: generation.images.length })}
            aria-current={one.id === image?.id || undefined}
            onClick={() => onShow({ generation, image: one })}
            className={classes(
              'block size-16 overflow-hidden rounded-lg border-2',
              one.id === image?.id ? 'border-seal' : 'border-transparent hover:border-line-strong',
            )}
          >
            <ImageTile
              src={thumbnailUrl(one.id)}
              alt=""
              width={one.width}
              height={one.height}
              type={one.mime_type}
              isCropped
            />
          </button>
        </li>
      ))}
    </ul>
  )
}

function Loading() {
  const t = useText()
  return (
    <div role="status" aria-label={t('shell.loading')} className="lg:grid lg:h-dvh lg:grid-cols-[minmax(0,1fr)_24rem]">
      <div className="grid h-[68dvh] place-items-center bg-sunken p-10 lg:h-dvh">
        <Skeleton className="aspect-square h-full max-w-full opacity-60" />
      </div>
      <div className="flex flex-col gap-4 bg-sheet p-5">
        <Skeleton className="h-10" />
        <Skeleton className="h-24" />
        <Skeleton className="h-40" />
      </div>
    </div>
  )
}

function Trouble({ isGone, error, onRetry }: { isGone: boolean; error: unknown; onRetry(): void }) {
  const t = useText()
  return (
    <>
      <h1 className="sr-only">{t('picture.title')}</h1>
      <EmptyState
        isTrouble={!isGone}
        icon={isGone ? <ImageOff aria-hidden /> : <CircleAlert aria-hidden />}
        title={t(isGone ? 'picture.notFound' : 'picture.troubleTitle')}
        action={
          <>
            {!isGone && (
              <Button look="primary" onClick={onRetry}>
                {t('shell.retry')}
              </Button>
            )}
            <Link to="/gallery" className={buttonClasses('plain')}>
              {t('picture.back')}
            </Link>
          </>
        }
      >
        {isGone ? t('picture.notFoundHint') : explain(error)}
      </EmptyState>
    </>
  )
}
