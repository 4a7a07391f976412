/** One generation: what it waits for, its pictures as they come, what went wrong, and what can be done about it. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Ban, CircleAlert, Download, ImagePlus, Redo2, RotateCcw } from 'lucide-react'
import { type RefObject, useEffect, useRef, useState } from 'react'
import type { Model } from '../../../api/models.ts'
import { press, reinstate, TakenBack, useIsWaiting } from '../../actions/press.ts'
import {
  ApiError,
  cancelGeneration,
  downloadUrl,
  estimateRetry,
  explain,
  type Generation,
  type Image,
  imageDragType,
  putAnswer,
  retryPath,
  thumbnailUrl,
  useMe,
} from '../../data/api.ts'
import { ratioOfImage, sizeOfImage } from '../../data/images.ts'
import { ago, duration, moment, money, moneyRange } from '../../text/format.ts'
import { errorText, findModel, LifeBadge, successorOf } from '../../text/life.tsx'
import { currentWarnings, warningText } from '../../text/messages.ts'
import { findText, useText } from '../../text/text.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { classes } from '../../ui/classes.ts'
import { ImageTile } from '../../ui/image-tile.tsx'
import { toast } from '../../ui/toast.tsx'
import { DismissButton, hasNothing, markSeen } from './failures.tsx'
import { Progress, useNow } from './progress.tsx'

export interface GenerationCardProps {
  generation: Generation
  /** Undefined when the catalogue does not know it. */
  model: Model | undefined
  models: readonly Model[]
  /** It stands beside others of the same prompt, so the model is what tells it apart. */
  isCompared?: boolean
  /** Puts away one that came to nothing. */
  onDismiss?: () => void
  /** `successor`: the id of the model that takes the place of its own. */
  onAgain(successor?: string): void
  onReference(imageId: string): void
}

export function GenerationCard(props: GenerationCardProps) {
  const { generation, model, models, isCompared, onDismiss, onAgain, onReference } = props
  const t = useText()
  const modelName = model?.name ?? generation.model
  const isAlive = generation.status === 'queued' || generation.status === 'running'
  const card = useRef<HTMLElement>(null)
  useSeen(card, generation)
  return (
    <article
      ref={card}
      aria-label={generation.prompt}
      data-status={generation.status}
      className={classes(
        'flex animate-appear flex-col overflow-hidden border border-line',
        isCompared ? 'rounded-2xl bg-raised [--inset:0.75rem]' : 'rounded-3xl bg-sheet shadow-card [--inset:1.25rem]',
      )}
    >
      <header className={classes('flex items-start gap-3 px-(--inset)', isCompared ? 'py-2' : 'pt-4 pb-3')}>
        {isCompared ? (
          <p className="flex min-w-0 flex-1 flex-wrap gap-x-2 break-words font-medium text-sm">
            {modelName}
            {model?.life.stage === 'ended' && <LifeBadge model={model} />}
          </p>
        ) : (
          <div className="min-w-0 flex-1">
            <p className="line-clamp-2 break-words leading-snug">{generation.prompt}</p>
            <p className="mt-1 flex flex-wrap gap-x-2 text-ink-faint text-sm">
              <span>{modelName}</span>
              {model?.life.stage === 'ended' && <LifeBadge model={model} />}
              <span aria-hidden>·</span>
              <Ago timestamp={generation.timestamp} />
              {generation.references.length > 0 && (
                <>
                  <span aria-hidden>·</span>
                  <span>{t('live.references', { count: generation.references.length })}</span>
                </>
              )}
            </p>
          </div>
        )}
        {onDismiss && <DismissButton onDismiss={onDismiss} />}
      </header>
      <Pictures generation={generation} isAlive={isAlive} onReference={onReference} />
      {isAlive && <Progress generation={generation} typicalSeconds={model?.typical_seconds} />}
      {generation.cancel_requested && isAlive && (
        <p className="px-(--inset) pb-3 text-ink-faint text-sm">{t('live.cancelKept')}</p>
      )}
      {generation.cancel_requested && !isAlive && generation.images.length > 0 && (
        <p className="px-(--inset) pt-3 text-amber text-sm">{t('live.afterCancel')}</p>
      )}
      {!isAlive && <Trouble generation={generation} models={models} onSuccessor={onAgain} />}
      <footer
        className={classes(
          'flex flex-wrap items-center gap-x-3 gap-y-1 px-(--inset)',
          isCompared ? 'pt-0.5 pb-1' : 'pt-1 pb-3',
        )}
      >
        <Facts generation={generation} isAlive={isAlive} isCompared={isCompared} />
        <div className="ml-auto flex items-center gap-1">
          {isAlive && <Cancel generation={generation} />}
          {!isAlive && generation.model !== null && <Retry generation={generation} />}
          <IconButton label={t('live.again')} onClick={() => onAgain()} className="-mr-2">
            <Redo2 aria-hidden className="size-5" />
          </IconButton>
        </div>
      </footer>
    </article>
  )
}

/** Says before the press what it would save; where that is nothing, there is nothing to press. */
function Cancel({ generation }: { generation: Generation }) {
  const t = useText()
  const client = useQueryClient()
  const { id, cancel_saves: saves, cancel_requested: isAsked, waiting_code: waiting } = generation
  const cancel = useMutation({
    mutationFn: () => cancelGeneration(id),
    onSuccess: next => putAnswer(client, next),
    onError: error => toast(explain(error), { look: 'bad' }),
  })
  // What waits for something that may never come can be given up, though it is paid.
  if (saves === 'nothing' && !isAsked && waiting === null) {
    return <p className="text-ink-faint text-sm">{t('live.cannotCancel')}</p>
  }
  return (
    <Button
      look="quiet"
      size="small"
      icon={<Ban aria-hidden className="size-4" />}
      isBusy={cancel.isPending}
      disabled={isAsked || cancel.isPending}
      onClick={() => cancel.mutate()}
    >
      {t(isAsked ? 'live.cancelling' : saves === 'nothing' ? 'live.giveUp' : `live.cancel_${saves ?? 'perhaps'}`)}
    </Button>
  )
}

/** Remembers that one that came to nothing was in sight. */
function useSeen(card: RefObject<HTMLElement | null>, generation: Generation) {
  const isWatched = hasNothing([generation])
  const { id } = generation
  useEffect(() => {
    if (!isWatched || !card.current) return undefined
    const observer = new IntersectionObserver(entries => entries.some(entry => entry.isIntersecting) && markSeen(id), {
      threshold: 0.6,
    })
    observer.observe(card.current)
    return () => observer.disconnect()
  }, [card, isWatched, id])
}

export function Ago({ timestamp }: { timestamp: string }) {
  const now = useNow(30_000)
  return (
    <time dateTime={timestamp} title={moment(timestamp)}>
      {ago(timestamp, now)}
    </time>
  )
}

// ── Pictures ────────────────────────────────────────────────────────────────────────────────────────────────────────

interface PicturesProps {
  generation: Generation
  isAlive: boolean
  onReference(imageId: string): void
}

function Pictures({ generation, isAlive, onReference }: PicturesProps) {
  const { images, failures } = generation
  const wanted = Math.max(countOf(generation), images.length + failures.length)
  // What failed keeps its place, unless nothing was made at all.
  const ended = images.length > 0 ? [...new Set([...images, ...failures].map(({ index }) => index))] : []
  const places = isAlive ? Array.from({ length: wanted }, (_, index) => index) : ended.toSorted((a, b) => a - b)
  // A cancelled or failed one without pictures needs no empty place.
  if (places.length === 0) return null
  const ratio = ratioOf(generation)
  return (
    <div
      className={classes(
        'grid gap-1',
        places.length > 1 && (places.length === 3 || places.length > 4 ? 'grid-cols-3' : 'grid-cols-2'),
      )}
    >
      {places.map(index => {
        const image = images.find(image => image.index === index)
        const failure = failures.find(failure => failure.index === index)
        return (
          <div
            key={index}
            style={{ aspectRatio: String(places.length > 1 ? Math.min(Math.max(ratio, 0.75), 1.4) : ratio) }}
            className="group relative max-h-[34rem] min-h-28 w-full overflow-hidden bg-sunken"
          >
            {image ? (
              <Picture generation={generation} image={image} isCropped={places.length > 1} onReference={onReference} />
            ) : failure ? (
              <p className="grid size-full place-items-center p-4 text-center text-seal-ink text-sm">
                {findText('problems', failure.code) ?? failure.message}
              </p>
            ) : (
              <Unpainted />
            )}
          </div>
        )
      })}
    </div>
  )
}

/** Where a picture will be. */
function Unpainted() {
  return (
    <div className="grid size-full animate-breathe place-items-center">
      <svg aria-hidden="true" viewBox="0 0 64 40" className="w-24 text-line-strong opacity-70">
        <path
          d="M2 36c8-2 12-18 18-18 5 0 6 9 11 9s6-17 13-17 9 22 18 25"
          fill="none"
          stroke="currentColor"
          strokeWidth="2.5"
          strokeLinecap="round"
        />
        <circle cx="50" cy="7" r="3.5" fill="currentColor" />
      </svg>
    </div>
  )
}

interface PictureProps {
  generation: Generation
  image: Image
  isCropped: boolean
  onReference(imageId: string): void
}

function Picture({ generation, image, isCropped, onReference }: PictureProps) {
  const t = useText()
  const number = image.index + 1
  return (
    <>
      <Link
        to="/picture/$generationId"
        params={{ generationId: generation.id }}
        search={{ image: String(image.index) }}
        aria-label={t('live.open', { number })}
        draggable
        onDragStart={event => event.dataTransfer.setData(imageDragType, image.id)}
        className="block size-full -outline-offset-4"
      >
        <ImageTile
          src={thumbnailUrl(image.id)}
          alt={t('live.picture', { number, prompt: generation.prompt.slice(0, 200) })}
          width={image.width}
          height={image.height}
          type={image.mime_type}
          isCropped
          className={classes('animate-appear', !isCropped && 'object-contain!')}
        />
      </Link>
      <div className="absolute right-2 bottom-2 flex gap-1 opacity-0 transition-opacity focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100">
        <IconButton
          look="plain"
          label={t('live.asReference', { number })}
          onClick={() => onReference(image.id)}
          className="shadow-card"
        >
          <ImagePlus aria-hidden className="size-5" />
        </IconButton>
        <a
          href={downloadUrl(image.id)}
          download
          aria-label={t('shell.download')}
          title={t('shell.download')}
          className="inline-grid size-10 place-items-center rounded-full border border-line bg-raised text-ink shadow-card hover:border-line-strong"
        >
          <Download aria-hidden className="size-5" />
        </a>
      </div>
    </>
  )
}

export function countOf({ parameters }: Generation) {
  return typeof parameters.n === 'number' && parameters.n > 0 ? Math.min(parameters.n, 15) : 1
}

/** Width over height. */
export function ratioOf(generation: Generation) {
  const [image] = generation.images
  return image ? ratioOfImage(image) : askedRatio(generation)
}

/** As asked; 1 where nothing was said. */
function askedRatio({ parameters, resolved }: Generation) {
  const sizes = [resolved?.size, parameters.size].filter(size => typeof size === 'string')
  for (const size of sizes) {
    const match = /^(\d+(?:\.\d+)?)\s*[x:*×]\s*(\d+(?:\.\d+)?)$/.exec(size)
    if (match) return Number(match[1]) / Number(match[2])
  }
  return 1
}

// ── Words ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function Facts({
  generation,
  isAlive,
  isCompared,
}: {
  generation: Generation
  isAlive: boolean
  isCompared?: boolean
}) {
  const t = useText()
  if (isAlive) return null
  const [image] = generation.images
  const { charge, cost } = generation
  const facts = [
    generation.duration_ms !== null && duration(generation.duration_ms),
    image && sizeOfImage(image),
    cost
      ? t('live.charged', { amount: money(cost.amount, cost.currency) })
      : charge === 'unknown'
        ? t('live.chargeUnknown')
        : charge === 'none' && t('live.chargeNone'),
  ].filter(fact => typeof fact === 'string')
  return (
    <p className={classes('text-ink-faint tabular-nums', isCompared ? 'min-w-24 flex-1 text-xs' : 'text-sm')}>
      {facts.join(' · ')}
    </p>
  )
}

/** What an administrator settles on the page of the keys. */
const keyTroubles = new Set(['configuration_missing', 'provider_key_rejected', 'provider_quota_exhausted'])

/** What went wrong and what was done otherwise, in words that say what to do. */
function Trouble({
  generation,
  models,
  onSuccessor,
}: {
  generation: Generation
  models: readonly Model[]
  onSuccessor(id: string): void
}) {
  const t = useText()
  const { error, status } = generation
  const isAdmin = useMe()?.role === 'admin'
  const successor = successorOf(error)
  return (
    <div className="flex flex-col gap-2 px-(--inset) pt-3 empty:hidden">
      {error && status === 'cancelled' && <p className="text-ink-soft text-sm">{t('live.cancelled')}</p>}
      {error && status !== 'cancelled' && (
        <div className="flex items-start gap-2.5 rounded-2xl bg-seal-wash px-4 py-3 text-seal-ink text-sm">
          <CircleAlert aria-hidden className="mt-0.5 size-4.5 shrink-0" />
          <div className="min-w-0">
            <p>{errorText(t, error, models)}</p>
            {successor !== undefined && (
              <Button size="small" className="my-1.5" onClick={() => onSuccessor(successor)}>
                {t('life.use', { successor: findModel(models, successor)?.name ?? successor })}
              </Button>
            )}
            {isAdmin && keyTroubles.has(error.code) && (
              <Link
                to="/configurations"
                className="inline-flex min-h-10 items-center font-medium underline underline-offset-4"
              >
                {t('live.toKeys')}
              </Link>
            )}
            {(error.provider_message ?? error.provider_code) && (
              <details className="mt-1">
                <summary className="min-h-6">{t('live.serviceSaid')}</summary>
                <p className="break-words">{error.provider_message}</p>
                <p className="break-all text-xs">
                  {[
                    error.provider_code,
                    error.provider_request_id && `${t('live.requestId')} ${error.provider_request_id}`,
                  ]
                    .filter(Boolean)
                    .join(' · ')}
                </p>
              </details>
            )}
          </div>
        </div>
      )}
      {currentWarnings(generation).map(warning => (
        <p key={`${warning.parameter} ${warning.message}`} className="text-amber text-sm">
          {warningText(t, generation, warning, models)}
        </p>
      ))}
    </div>
  )
}

// ── Once more ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Costs, so it says how much before it is pressed; away where the server cannot do it. */
function Retry({ generation }: { generation: Generation }) {
  const t = useText()
  const client = useQueryClient()
  const missing = generation.failures.length
  const only = generation.images.length > 0 ? 'missing' : 'all'
  const isWorth = missing > 0 || generation.status === 'failed' || generation.status === 'cancelled'
  const path = retryPath(generation.id)
  const isWaiting = useIsWaiting(path)
  const [isDone, setDone] = useState(false)
  const estimate = useQuery({
    queryKey: ['retry', generation.id, only],
    queryFn: () => estimateRetry(generation.id, only),
    enabled: isWorth,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  })
  const retry = useMutation({
    mutationFn: () => press(path, { only }),
    onSuccess: next => {
      putAnswer(client, next)
      setDone(true)
      toast(t('live.retried'))
    },
    onError: error => {
      if (!(error instanceof TakenBack)) toast(explain(error), { look: 'bad' })
    },
  })
  useEffect(() => {
    // Somebody may want it again later; then it is a wish of its own.
    if (!isDone) return undefined
    const timer = setTimeout(() => setDone(false), 3000)
    return () => clearTimeout(timer)
  }, [isDone])
  if (!isWorth || estimate.isPending) return null
  if (estimate.error instanceof ApiError && [404, 405, 409].includes(estimate.error.status)) return null
  const cost = estimate.data?.cost
  const count = estimate.data?.images ?? missing
  const label =
    only === 'missing'
      ? cost
        ? t('live.makeMissing', { count, cost: moneyRange(cost) })
        : t('live.makeMissingUnpriced', { count })
      : cost
        ? t('live.makeAgain', { cost: moneyRange(cost) })
        : t('live.makeAgainUnpriced')
  if (isWaiting) {
    return (
      <Button size="small" isBusy onClick={() => reinstate(path)}>
        {t('live.retryWaits')}
      </Button>
    )
  }
  return (
    <Button
      size="small"
      icon={<RotateCcw aria-hidden className="size-4" />}
      isBusy={retry.isPending}
      disabled={retry.isPending || isDone}
      onClick={() => retry.mutate()}
    >
      {label}
    </Button>
  )
}
