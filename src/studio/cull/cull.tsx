/** One picture after the other at the speed of the keys: stars, favourites and rejections, each of which can be undone. */

import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useRouter, useSearch } from '@tanstack/react-router'
import { ArrowLeft, ImageOff, StepForward, ThumbsDown, Undo2 } from 'lucide-react'
import { useEffect, useState } from 'react'
import { deleted } from '../actions/delete.ts'
import type { Place } from '../actions/mark.ts'
import { type Marked, useMarks } from '../actions/undoable-marks.ts'
import { findGeneration } from '../data/generations.ts'
import { filterTexts, lastSeen, parseFilter, useHistory, useHistoryCount } from '../data/history.ts'
import { imageUrl } from '../data/images.ts'
import { createKept } from '../data/store.ts'
import { Filmstrip } from '../forms/filmstrip.tsx'
import { useText } from '../text/text.ts'
import { IconButton, LinkButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { FavoriteButton } from '../ui/favorite-button.tsx'
import { Failed, Loading } from '../ui/query.tsx'
import { Stage } from '../ui/stage.tsx'
import { Stars } from '../ui/stars.tsx'
import { EmptyState } from '../ui/states.tsx'
import { useKeys } from '../ui/use-keys.ts'
import { useSequence } from './sequence.ts'

const keptAdvance = createKept('cull.advance', kept => kept !== false)
/** The address follows when somebody rests on a picture. */
const restMs = 400

export function CullScreen() {
  const t = useText()
  const navigate = useNavigate()
  const router = useRouter()
  const search = useSearch({ from: '/cull' })
  const texts = filterTexts(search)
  const filter = parseFilter(texts)
  const history = useHistory(filter)
  const count = useHistoryCount(filter)
  const hidden = deleted.use()
  const sequence = useSequence(history, filter, hidden, search.image)
  const { place, at, go, goTo } = sequence
  const client = useQueryClient()
  const marks = useMarks()
  const [advances, setAdvances] = useState(keptAdvance.read)
  const [said, setSaid] = useState('')
  const shownId = place?.image.id

  useEffect(() => {
    if (shownId === undefined) return undefined
    lastSeen.set(shownId)
    const timer = setTimeout(() => {
      void navigate({
        to: '/cull',
        search: before => ({ ...before, image: shownId }),
        replace: true,
        resetScroll: false,
      })
    }, restMs)
    return () => clearTimeout(timer)
  }, [shownId, navigate])

  // Those that come next are there when they are asked for.
  const coming = sequence.places
    .slice(at + 1, at + 4)
    .map(({ image }) => image.id)
    .join(' ')
  useEffect(() => {
    for (const id of coming.split(' ').filter(Boolean)) new window.Image().src = imageUrl(id)
  }, [coming])

  function close() {
    if (router.history.canGoBack()) router.history.back()
    else void navigate({ to: '/gallery', search: texts })
  }

  /** The picture that the last key led to, with the marks of the keys before. */
  function current(): Place | undefined {
    const now = sequence.current()
    const generation = now && findGeneration(client, now.generation.id)
    const image = generation?.images.find(({ index }) => index === now?.image.index)
    return generation && image ? { generation, image } : now
  }

  /** Of the picture that the last key led to, which the page may not have drawn yet. */
  function mark(change: Pick<Marked, 'rating' | 'favorite'>, words: string, isFinal: boolean) {
    const now = current()
    if (!now) return
    marks.mark([{ ...now, ...change }], () => goTo(now.image.id))
    setSaid(words)
    if (isFinal && advances) go(1)
  }

  const star = (stars: number) => mark({ rating: { stars } }, t('look.starsSet', { count: stars }), stars > 0)

  function reject() {
    const rejected = !current()?.image.rejected
    mark({ rating: { rejected } }, t(rejected ? 'look.rejected' : 'look.unreject'), rejected)
  }

  function favorite() {
    const isFavorite = !current()?.generation.favorite
    mark({ favorite: isFavorite }, t(isFavorite ? 'gallery.favorite' : 'gallery.unfavorite'), false)
  }

  function undo() {
    setSaid(t(marks.undo() ? 'look.undone' : 'look.nothingToUndo'))
  }

  function toggleAdvances() {
    keptAdvance.write(!advances)
    setAdvances(!advances)
  }

  useKeys({
    Escape: close,
    // With Shift they move a zoomed picture about.
    ArrowRight: event => !event.shiftKey && go(1),
    ArrowLeft: event => !event.shiftKey && go(-1),
    j: () => go(1),
    k: () => go(-1),
    Home: () => go(Number.NEGATIVE_INFINITY),
    f: favorite,
    x: reject,
    u: undo,
    'Mod+z': undo,
    a: toggleAdvances,
    ...Object.fromEntries([0, 1, 2, 3, 4, 5].map(stars => [String(stars), () => star(stars)])),
  })

  if (history.isPending || sequence.isLooking) return <Loading className="h-dvh p-6" shapes={['h-full']} />
  if (!place) {
    const back = (
      <LinkButton to="/gallery" search={texts}>
        {t('picture.back')}
      </LinkButton>
    )
    return history.isError ? (
      <Failed
        isPage
        title={t('gallery.troubleTitle')}
        error={history.error}
        onRetry={() => void history.refetch()}
        action={back}
      />
    ) : (
      <EmptyState isPage icon={<ImageOff aria-hidden />} title={t('look.nothingToCull')} action={back} />
    )
  }
  const { generation, image } = place
  const floating = 'absolute top-3 rounded-full bg-raised/95 shadow-card'
  return (
    <div className="flex h-dvh flex-col bg-sunken">
      <h1 className="sr-only">{t('look.cull')}</h1>
      <div className={classes('relative min-h-0 flex-1', image.rejected && '[&_img]:opacity-35')}>
        <Stage
          key={image.id}
          image={image}
          alt={generation.prompt || t('picture.noPrompt')}
          hasNumberKeys={false}
          onPrevious={at > 0 ? () => go(-1) : undefined}
          onNext={() => go(1)}
          onSwipeUp={() => star(5)}
          onSwipeDown={reject}
        >
          <div className={classes(floating, 'left-3 flex items-center pr-4')}>
            <IconButton icon={ArrowLeft} label={t('picture.back')} onClick={close} />
            <p className="text-sm tabular-nums">
              {t('look.position', { position: at + 1, count: Math.max(count?.images ?? 0, sequence.places.length) })}
            </p>
          </div>
          {image.rejected && (
            <p className={classes(floating, 'left-1/2 -translate-x-1/2 px-4 py-2 font-medium text-seal-ink text-sm')}>
              {t('look.rejected')}
            </p>
          )}
          <div className={classes(floating, 'right-3 flex items-center')}>
            <IconButton
              icon={StepForward}
              label={t('look.advance')}
              aria-pressed={advances}
              onClick={toggleAdvances}
              className={classes(advances && 'bg-seal-wash text-seal-ink')}
            />
            <IconButton icon={Undo2} label={t('look.keyUndo')} onClick={undo} />
          </div>
        </Stage>
      </div>
      <Filmstrip places={sequence.places} at={at} onShow={({ image }) => goTo(image.id)} />
      <div className="flex items-center gap-2 bg-sheet px-3 pt-1 pb-[max(0.5rem,env(safe-area-inset-bottom))]">
        <IconButton
          icon={ThumbsDown}
          label={t(image.rejected ? 'look.unreject' : 'look.reject')}
          aria-pressed={image.rejected}
          onClick={reject}
          className={classes('size-12', image.rejected && 'bg-seal-wash text-seal-ink')}
        />
        <Stars stars={image.stars} onChange={star} />
        <FavoriteButton isFavorite={generation.favorite} onClick={favorite} className="size-12" />
        <p className="min-w-0 flex-1 truncate text-ink-soft text-sm max-md:sr-only">{generation.prompt}</p>
        <p role="status" className="shrink-0 text-ink-faint text-sm max-sm:sr-only">
          {said}
        </p>
      </div>
    </div>
  )
}
