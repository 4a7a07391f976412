/** The screen of one picture, and all that can be done with it. */

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useLocation, useNavigate, useParams, useRouter, useSearch } from '@tanstack/react-router'
import { ArrowLeft, ImageOff, ImagePlay, Info } from 'lucide-react'
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { ApiError } from '../../client/errors.ts'
import { deleted, deleteWithUndo } from '../actions/delete.ts'
import { DeleteGroup } from '../actions/delete-group.tsx'
import { markGenerations, type Place, ratePictures } from '../actions/mark.ts'
import { findGeneration, generationQuery, hasEnded, type Image } from '../data/generations.ts'
import { filterTexts, lastSeen } from '../data/history.ts'
import { downloadUrl, imageUrl } from '../data/images.ts'
import { createKept } from '../data/store.ts'
import { Filmstrip } from '../forms/filmstrip.tsx'
import { useText } from '../text/text.ts'
import { IconButton, LinkButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { Thumbnail } from '../ui/image-tile.tsx'
import { Failed, Loading } from '../ui/query.tsx'
import { Stage } from '../ui/stage.tsx'
import { EmptyState, Skeleton } from '../ui/states.tsx'
import { useKeys } from '../ui/use-keys.ts'
import { Actions } from './actions.tsx'
import { Details } from './details.tsx'
import { useNeighbours } from './neighbours.ts'

const keptDetails = createKept<'open' | 'closed'>('picture.details', kept => (kept === 'closed' ? 'closed' : 'open'))

export function ImageScreen() {
  const t = useText()
  const navigate = useNavigate()
  const client = useQueryClient()
  const router = useRouter()
  const isFromGallery = useLocation({ select: location => location.state.isFromGallery === true })
  const { generationId } = useParams({ from: '/picture/$generationId' })
  const search = useSearch({ from: '/picture/$generationId' })
  const texts = filterTexts(search)
  // What a list knows of it is shown at once.
  const query = useQuery({
    ...generationQuery(generationId),
    placeholderData: () => findGeneration(client, generationId),
  })
  const isDeleted = deleted.use(ids => ids.has(generationId))
  const generation = query.data
  const images = generation?.images ?? []
  const image = images.find(({ index }) => String(index) === search.image) ?? images[0]
  const { places, at, previous, next, step } = useNeighbours(generation, image, texts)
  const reference = useHeldReference(generation?.references[0])
  const [isOpen, setOpen] = useState(() => keptDetails.read() === 'open')
  const seenId = image?.id
  useEffect(() => {
    if (seenId !== undefined) lastSeen.set(seenId)
  }, [seenId])
  const [isAsking, setAsking] = useState(false)

  const frame = useRoomBelow()

  function toggleDetails() {
    keptDetails.write(isOpen ? 'closed' : 'open')
    setOpen(!isOpen)
  }

  function show(place: Place | undefined) {
    if (!place) return
    void navigate({
      to: '/picture/$generationId',
      params: { generationId: place.generation.id },
      search: { ...texts, image: String(place.image.index) },
      state: { isFromGallery },
      // A single step back leads to the gallery, not through all that were looked at.
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

  function rate(rating: Partial<Pick<Image, 'stars' | 'rejected'>>) {
    if (generation && image) void ratePictures(client, [{ generation, image, rating }])
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
    if (!generation || !hasEnded(generation)) return
    if (images.length > 1) setAsking(true)
    else remove()
  }

  useKeys({
    // With Shift they move a zoomed picture about.
    ArrowLeft: event => !event.shiftKey && show(step(-1)),
    ArrowRight: event => !event.shiftKey && show(step(1)),
    j: () => show(step(1)),
    k: () => show(step(-1)),
    x: () => image && generation && rate({ rejected: !image.rejected }),
    Escape: toGallery,
    i: toggleDetails,
    f: favorite,
    e: edit,
    r: again,
    d: () => image !== undefined && location.assign(downloadUrl(image.id)),
    Delete: askToDelete,
    Backspace: askToDelete,
  })

  // The ones beside it are there when they are asked for.
  const beside = [previous?.image.id, next?.image.id].filter(id => id !== undefined).join(' ')
  useEffect(() => {
    for (const id of beside.split(' ').filter(Boolean)) new window.Image().src = imageUrl(id)
  }, [beside])

  if (query.isPending) return <LoadingImage />
  if (!generation || isDeleted) {
    const isGone = isDeleted || (query.error instanceof ApiError && query.error.status === 404)
    return <NoImage isGone={isGone} error={query.error} onRetry={() => void query.refetch()} />
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
      className="grid size-11 place-items-center rounded-full bg-raised/90 shadow-card hover:bg-raised"
    >
      <ArrowLeft aria-hidden className="size-5" />
    </Link>
  )
  return (
    <div ref={frame} className={classes('lg:grid lg:h-(--room)', isOpen && 'lg:grid-cols-[minmax(0,1fr)_24rem]')}>
      <h1 className="sr-only">{generation.prompt || t('picture.title')}</h1>
      <div className={classes('relative flex flex-col lg:h-(--room)', image ? 'h-[60dvh]' : 'h-[40dvh]')}>
        <div className="relative min-h-0 flex-1">
          {image ? (
            <Stage
              key={image.id}
              image={image}
              alt={generation.prompt || t('picture.noPrompt')}
              onPrevious={previous && (() => show(step(-1)))}
              onNext={next && (() => show(step(1)))}
            >
              <div className="absolute top-3 left-3 flex items-center gap-2">
                {back}
                {images.length > 1 && (
                  <span className="rounded-full bg-raised/90 px-3 py-1.5 text-sm tabular-nums shadow-card">
                    {t('picture.ofGroup', { position: images.indexOf(image) + 1, count: images.length })}
                  </span>
                )}
              </div>
              {reference.isShown && reference.image && (
                <img
                  src={imageUrl(reference.image.id)}
                  alt={t('picture.referenceNumber', { number: 1 })}
                  className="pointer-events-none absolute inset-0 size-full bg-sunken object-contain p-4"
                />
              )}
              {reference.image && (
                <IconButton
                  icon={ImagePlay}
                  label={t('look.holdReference')}
                  aria-pressed={reference.isShown}
                  onClick={reference.toggle}
                  className="absolute top-3 right-17 size-11 bg-raised/95 shadow-card hover:bg-raised max-lg:right-3"
                />
              )}
              <IconButton
                icon={Info}
                label={t(isOpen ? 'picture.hideDetails' : 'picture.showDetails')}
                aria-expanded={isOpen}
                onClick={toggleDetails}
                className="absolute top-3 right-3 size-11 bg-raised/90 shadow-card hover:bg-raised max-lg:hidden"
              />
            </Stage>
          ) : (
            <div className="grid h-full place-items-center bg-sunken">
              <div className="absolute top-3 left-3">{back}</div>
              <EmptyState icon={<ImageOff aria-hidden />} title={t('picture.noneTitle')}>
                {!hasEnded(generation) && t('picture.underWay')}
              </EmptyState>
            </div>
          )}
        </div>
        {places.length > 1 && at >= 0 && <Filmstrip places={places} at={at} onShow={show} className="max-lg:hidden" />}
      </div>
      <aside
        aria-label={t('picture.details')}
        className={classes(
          'bg-sheet max-lg:pb-24 lg:h-(--room) lg:overflow-y-auto lg:border-line lg:border-l',
          !isOpen && 'lg:hidden',
        )}
      >
        <Actions generation={generation} image={image} onFavorite={favorite} onRate={rate} onDelete={askToDelete} />
        {images.length > 1 && <Group images={images} shown={image} onShow={image => show({ generation, image })} />}
        <div className="p-4 sm:p-5">
          <Details generation={generation} image={image} />
        </div>
      </aside>
      {isAsking && (
        <DeleteGroup
          count={images.length}
          others={images.length - 1}
          onConfirm={remove}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  )
}

/** The first reference in place of the picture: while `c` is held, or until the button is pressed again. */
function useHeldReference(image: Image | undefined) {
  const [isShown, setShown] = useState(false)
  useKeys({ c: () => image !== undefined && setShown(true) })
  useEffect(() => {
    const leave = (event: KeyboardEvent | FocusEvent) => {
      if (!('key' in event) || event.key === 'c') setShown(false)
    }
    document.addEventListener('keyup', leave)
    window.addEventListener('blur', leave)
    return () => {
      document.removeEventListener('keyup', leave)
      window.removeEventListener('blur', leave)
    }
  }, [])
  return { image, isShown, toggle: () => setShown(!isShown) }
}

/** All pictures of a generation, to choose the one that is shown. */
function Group(props: { images: readonly Image[]; shown: Image | undefined; onShow(image: Image): void }) {
  const t = useText()
  const { images, shown, onShow } = props
  return (
    <ul className="flex gap-2 overflow-x-auto px-4 pt-4 sm:px-5">
      {images.map((image, position) => (
        <li key={image.id} className="shrink-0">
          <button
            type="button"
            aria-label={t('picture.ofGroup', { position: position + 1, count: images.length })}
            aria-current={image.id === shown?.id || undefined}
            onClick={() => onShow(image)}
            className={classes(
              'block size-16 overflow-hidden rounded-lg border-2',
              image.id === shown?.id ? 'border-seal' : 'border-transparent hover:border-line-strong',
            )}
          >
            <Thumbnail image={image} alt="" isCropped />
          </button>
        </li>
      ))}
    </ul>
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

function LoadingImage() {
  return (
    <Loading className="lg:grid lg:h-dvh lg:grid-cols-[minmax(0,1fr)_24rem]">
      <div className="grid h-[68dvh] place-items-center bg-sunken p-10 lg:h-dvh">
        <Skeleton className="aspect-square h-full max-w-full opacity-60" />
      </div>
      <div className="flex flex-col gap-4 bg-sheet p-5">
        <Skeleton className="h-10" />
        <Skeleton className="h-24" />
        <Skeleton className="h-40" />
      </div>
    </Loading>
  )
}

function NoImage({ isGone, error, onRetry }: { isGone: boolean; error: unknown; onRetry(): void }) {
  const t = useText()
  const back = (
    <LinkButton to="/gallery" look="plain">
      {t('picture.back')}
    </LinkButton>
  )
  return (
    <>
      <h1 className="sr-only">{t('picture.title')}</h1>
      {isGone ? (
        <EmptyState icon={<ImageOff aria-hidden />} title={t('picture.notFound')} action={back}>
          {t('picture.notFoundHint')}
        </EmptyState>
      ) : (
        <Failed title={t('picture.troubleTitle')} error={error} onRetry={onRetry} action={back} />
      )}
    </>
  )
}
