/** The picture itself: zoom with wheel, pinch, double click and keys; move it about; swipe to the next. */

import { ChevronLeft, ChevronRight, Contrast, type LucideIcon, Maximize, ZoomIn, ZoomOut } from 'lucide-react'
import {
  type ReactNode,
  type PointerEvent as ReactPointerEvent,
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import type { Image } from '../data/generations.ts'
import { canBeShown, downloadUrl, formatImageType, shownUrl, thumbnailUrl } from '../data/images.ts'
import { createKept, createStore } from '../data/store.ts'
import { useText } from '../text/text.ts'
import { buttonClasses, IconButton } from './button.tsx'
import { classes } from './classes.ts'
import { useHealingImage } from './image-tile.tsx'
import { useKeys } from './use-keys.ts'
import { bounded, fitFrame, fitted, type View, zoomed } from './zoom.ts'

export interface StageProps {
  image: Image
  alt: string
  onPrevious?: () => void
  onNext?: () => void
  onSwipeUp?: () => void
  onSwipeDown?: () => void
  /** 0 fits it, 1 shows it at its actual size. */
  hasNumberKeys?: boolean
  /** Stands in the corners above the picture. */
  children?: ReactNode
}

/** The paper tone tints what lies on it; for judging colours there is a grey without one. */
const keptNeutral = createKept('neutral', kept => kept === true)
const neutral = createStore(keptNeutral.read())

const step = 1.4
/** Around a fitted picture, so that its edges are seen. */
const margin = 16
const swipePixels = 60
const doubleTapMs = 300

/** Give it the picture's id as its key: each picture begins fitted. */
export function Stage(props: StageProps) {
  const { image, alt, onPrevious, onNext, onSwipeUp, onSwipeDown, hasNumberKeys = true, children } = props
  const t = useText()
  const isNeutral = neutral.use()
  const root = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState({ width: 0, height: 0 })
  const [view, setView] = useState<View>(fitted)
  const original = useHealingImage()
  const { state } = original
  const [isMoving, setMoving] = useState(false)
  const isShown = canBeShown(image)
  const frame = fitFrame(size, isShown ? image : { width: 1, height: 1 }, margin)
  const isZoomed = view.scale > 1.001

  useLayoutEffect(() => {
    const element = root.current!
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight })
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  function pointOf(event: { clientX: number; clientY: number }) {
    const box = root.current!.getBoundingClientRect()
    return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 }
  }

  function zoomTo(scale: number, point = { x: 0, y: 0 }) {
    setView(view => zoomed(view, scale, point, frame))
  }

  /** Between fitted and its own pixels; a small picture goes in twofold. */
  function toggle(point?: { x: number; y: number }) {
    if (isZoomed) setView(fitted)
    else zoomTo(frame.actualScale > 1.05 ? frame.actualScale : 2, point)
  }

  // ── Wheel: React listens passively, but the page must stay where it is ────────────────────────────────────────────

  const wheel = useEffectEvent((event: WheelEvent) => {
    event.preventDefault()
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1
    // A pinch on a touchpad comes as small steps with Ctrl.
    const speed = event.ctrlKey ? 0.01 : 0.0022
    const point = pointOf(event)
    setView(view => zoomed(view, view.scale * Math.exp(-event.deltaY * lines * speed), point, frame))
  })
  useEffect(() => {
    const element = root.current!
    const listener = (event: WheelEvent) => wheel(event)
    element.addEventListener('wheel', listener, { passive: false })
    return () => element.removeEventListener('wheel', listener)
  }, [])

  // ── Fingers and mouse ─────────────────────────────────────────────────────────────────────────────────────────────

  const pointers = useRef(new Map<number, { x: number; y: number }>())
  const gesture = useRef({ startX: 0, startY: 0, wasPinch: false, isSwipe: false })
  const lastTap = useRef(0)

  function down(event: ReactPointerEvent) {
    if (event.button !== 0 || (event.target as Element).closest('button,a')) return
    event.currentTarget.setPointerCapture(event.pointerId)
    pointers.current.set(event.pointerId, pointOf(event))
    if (pointers.current.size === 1) {
      gesture.current = { startX: event.clientX, startY: event.clientY, wasPinch: false, isSwipe: !isZoomed }
      setMoving(true)
    } else gesture.current.wasPinch = true
  }

  function move(event: ReactPointerEvent) {
    const before = pointers.current.get(event.pointerId)
    if (!before) return
    const now = pointOf(event)
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1]
    pointers.current.set(event.pointerId, now)
    if (other) {
      const distance = (point: { x: number; y: number }) => Math.hypot(point.x - other.x, point.y - other.y)
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 }
      const factor = distance(now) / Math.max(1, distance(before))
      setView(view => {
        const moved = { ...view, x: view.x + (now.x - before.x) / 2, y: view.y + (now.y - before.y) / 2 }
        return zoomed(moved, view.scale * factor, middle, frame)
      })
    } else if (isZoomed) {
      setView(view => bounded({ ...view, x: view.x + now.x - before.x, y: view.y + now.y - before.y }, frame))
    }
  }

  function up(event: ReactPointerEvent) {
    if (!pointers.current.delete(event.pointerId) || pointers.current.size > 0) return
    setMoving(false)
    const { startX, startY, wasPinch, isSwipe } = gesture.current
    const across = event.clientX - startX
    const along = event.clientY - startY
    if (event.type === 'pointercancel' || wasPinch) return
    if (isSwipe && Math.abs(across) > swipePixels && Math.abs(across) > Math.abs(along) * 1.4) {
      if (across > 0) onPrevious?.()
      else onNext?.()
      return
    }
    if (isSwipe && Math.abs(along) > swipePixels && Math.abs(along) > Math.abs(across) * 1.4) {
      if (along < 0) onSwipeUp?.()
      else onSwipeDown?.()
      return
    }
    if (Math.hypot(across, along) > 8) return
    const isDouble = event.timeStamp - lastTap.current < doubleTapMs
    lastTap.current = isDouble ? 0 : event.timeStamp
    if (isDouble) toggle(pointOf(event))
  }

  // ── Keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  const pan = (across: number, along: number) =>
    setView(view => bounded({ ...view, x: view.x + across * 80, y: view.y + along * 80 }, frame))
  const zoomIn = () => zoomTo(view.scale * step)
  const zoomOut = () => zoomTo(view.scale / step)
  useKeys({
    ArrowLeft: event => (isZoomed && event.shiftKey ? pan(1, 0) : onPrevious ? onPrevious() : false),
    ArrowRight: event => (isZoomed && event.shiftKey ? pan(-1, 0) : onNext ? onNext() : false),
    ArrowUp: () => isZoomed && pan(0, 1),
    ArrowDown: () => isZoomed && pan(0, -1),
    '+': zoomIn,
    '=': zoomIn,
    '-': zoomOut,
    '0': () => hasNumberKeys && setView(fitted),
    '1': () => hasNumberKeys && zoomTo(frame.actualScale),
  })

  const percent = Math.round((view.scale / frame.actualScale) * 100)
  const floating =
    'absolute top-1/2 size-11 -translate-y-1/2 bg-raised/90 text-ink shadow-card hover:bg-raised max-sm:hidden'
  const beside = (icon: LucideIcon, label: string, side: string, onShow?: () => void) =>
    onShow && <IconButton icon={icon} iconSize={6} label={label} onClick={onShow} className={classes(floating, side)} />
  return (
    <div
      ref={root}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={up}
      className={classes(
        'relative size-full touch-none select-none overflow-hidden',
        isNeutral ? 'bg-neutral' : 'bg-sunken',
        isZoomed && (isMoving ? 'cursor-grabbing' : 'cursor-grab'),
      )}
    >
      {isShown && frame.width > 0 && (
        <div
          className={classes(
            'absolute top-1/2 left-1/2 bg-cover',
            !isMoving && 'transition-transform duration-150 ease-out',
          )}
          style={{
            width: frame.fittedWidth,
            height: frame.fittedHeight,
            transform: `translate(-50%, -50%) translate(${view.x}px, ${view.y}px) scale(${view.scale})`,
          }}
        >
          {state === 'loading' && !original.hasFailed && (
            <img src={thumbnailUrl(image.id)} alt="" draggable={false} className="absolute inset-0 size-full" />
          )}
          <img
            key={original.key}
            src={shownUrl(image)}
            alt={alt}
            draggable={false}
            decoding="async"
            width={image.width}
            height={image.height}
            onLoad={original.onLoad}
            onError={original.onError}
            className={classes(
              'absolute inset-0 size-full transition-opacity duration-200',
              state === 'shown' ? 'opacity-100' : 'opacity-0',
              percent >= 250 && '[image-rendering:pixelated]',
            )}
          />
        </div>
      )}
      {!isShown && (
        <div className="absolute inset-x-6 top-1/2 mx-auto flex max-w-sm -translate-y-1/2 flex-col items-center gap-4 rounded-2xl bg-raised p-5 text-center">
          <p>{t('picture.notShown', { type: formatImageType(image.mime_type) })}</p>
          <a href={downloadUrl(image.id)} download className={buttonClasses({ look: 'primary' })}>
            {t('shell.download')}
          </a>
        </div>
      )}
      {isShown && state === 'loading' && (
        <p role="status" className="sr-only">
          {t('picture.loading')}
        </p>
      )}
      {original.hasFailed && (
        <p
          role="alert"
          className="absolute inset-x-6 top-1/2 mx-auto max-w-sm -translate-y-1/2 rounded-2xl bg-raised p-5 text-center"
        >
          {t('picture.broken')}
        </p>
      )}
      {children}
      {beside(ChevronLeft, t('picture.previous'), 'left-3', onPrevious)}
      {beside(ChevronRight, t('picture.next'), 'right-3', onNext)}
      <div className="absolute bottom-3 left-1/2 flex -translate-x-1/2 items-center rounded-full bg-raised/90 shadow-card">
        <IconButton icon={ZoomOut} label={t('picture.zoomOut')} onClick={zoomOut} disabled={!isZoomed} />
        <button
          type="button"
          title={t('picture.actualSize')}
          aria-label={t('picture.zoom', { percent })}
          onClick={() => zoomTo(frame.actualScale)}
          className="min-h-10 min-w-14 rounded-full text-sm tabular-nums hover:bg-sunken"
        >
          {percent} %
        </button>
        <IconButton icon={ZoomIn} label={t('picture.zoomIn')} onClick={zoomIn} />
        <IconButton
          icon={Maximize}
          iconSize={4.5}
          label={t('picture.fit')}
          onClick={() => setView(fitted)}
          disabled={!isZoomed}
        />
        <IconButton
          icon={Contrast}
          iconSize={4.5}
          label={t('picture.neutral')}
          aria-pressed={isNeutral}
          onClick={() => {
            neutral.set(!isNeutral)
            keptNeutral.write(!isNeutral)
          }}
          className="aria-pressed:bg-sunken aria-pressed:text-ink"
        />
      </div>
    </div>
  )
}
