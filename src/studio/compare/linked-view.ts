/**
 * One zoom and one place for several pictures. It is written to the elements themselves, as a transform, once a frame: a gesture draws no
 * component and lays nothing out.
 */
import { type PointerEvent as ReactPointerEvent, useEffect, useEffectEvent, useRef, useState } from 'react'

interface View {
  /** 1 fits the picture into its pane. */
  scale: number
  /** In widths and heights of a pane, from its middle. */
  x: number
  y: number
}

const fitted: View = { scale: 1, x: 0, y: 0 }
const maxScale = 32
const step = 1.4
/** Without a movement for so long it is drawn sharp again. */
const restMs = 140

/** Never smaller than it fits, and never out of sight. */
function bounded({ scale, x, y }: View): View {
  const kept = Math.min(maxScale, Math.max(1, scale))
  const room = (kept - 1) / 2
  const held = (value: number) => Math.min(room, Math.max(-room, value))
  return { scale: kept, x: held(x), y: held(y) }
}

interface Point {
  x: number
  y: number
}

export function useLinkedView() {
  const view = useRef(fitted)
  const elements = useRef(new Set<HTMLElement>())
  const frame = useRef<number>(undefined)
  const rest = useRef<ReturnType<typeof setTimeout>>(undefined)
  const [scale, setScale] = useState(1)

  function write(element: HTMLElement) {
    const { scale, x, y } = view.current
    element.style.transform = `translate(${x * 100}%, ${y * 100}%) scale(${scale})`
  }

  function change(next: View) {
    view.current = bounded(next)
    frame.current ??= requestAnimationFrame(() => {
      frame.current = undefined
      for (const element of elements.current) {
        element.style.willChange = 'transform'
        write(element)
      }
    })
    clearTimeout(rest.current)
    rest.current = setTimeout(() => {
      for (const element of elements.current) element.style.willChange = ''
      setScale(view.current.scale)
    }, restMs)
  }

  useEffect(
    () => () => {
      clearTimeout(rest.current)
      if (frame.current !== undefined) cancelAnimationFrame(frame.current)
      frame.current = undefined
    },
    [],
  )

  function zoomAt(scale: number, point: Point = { x: 0, y: 0 }) {
    const { current } = view
    const factor = Math.min(maxScale, Math.max(1, scale)) / current.scale
    change({
      scale: current.scale * factor,
      x: point.x - (point.x - current.x) * factor,
      y: point.y - (point.y - current.y) * factor,
    })
  }

  const pan = (x: number, y: number) => change({ ...view.current, x: view.current.x + x, y: view.current.y + y })

  // ── Fingers, mouse and wheel, in the pane where they began ────────────────────────────────────────────────────────

  const root = useRef<HTMLDivElement>(null)
  const pointers = useRef(new Map<number, Point>())
  const pane = useRef<DOMRect>(undefined)
  const lastTap = useRef(0)

  function findPane(target: EventTarget | null) {
    return (target instanceof Element ? target.closest('[data-pane]') : null)?.getBoundingClientRect()
  }

  function pointIn(box: DOMRect, { clientX, clientY }: { clientX: number; clientY: number }): Point {
    return { x: (clientX - box.left) / box.width - 0.5, y: (clientY - box.top) / box.height - 0.5 }
  }

  const wheel = useEffectEvent((event: WheelEvent) => {
    const box = findPane(event.target)
    if (!box) return
    // React listens passively, but the page must stay where it is.
    event.preventDefault()
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1
    // A pinch on a touchpad comes as small steps with Ctrl.
    const speed = event.ctrlKey ? 0.01 : 0.0022
    zoomAt(view.current.scale * Math.exp(-event.deltaY * lines * speed), pointIn(box, event))
  })
  useEffect(() => {
    const element = root.current
    const listener = (event: WheelEvent) => wheel(event)
    element?.addEventListener('wheel', listener, { passive: false })
    return () => element?.removeEventListener('wheel', listener)
  }, [])

  function down(event: ReactPointerEvent) {
    const box = findPane(event.target)
    if (!box || event.button !== 0 || (event.target as Element).closest('button,a,[role=slider]')) return
    event.currentTarget.setPointerCapture(event.pointerId)
    if (pointers.current.size === 0) pane.current = box
    pointers.current.set(event.pointerId, pointIn(pane.current ?? box, event))
    if (pointers.current.size > 1) return
    const isDouble = event.timeStamp - lastTap.current < 300
    lastTap.current = isDouble ? 0 : event.timeStamp
    if (isDouble) toggle(pointIn(box, event))
  }

  function move(event: ReactPointerEvent) {
    const before = pointers.current.get(event.pointerId)
    const box = pane.current
    if (!before || !box) return
    const now = pointIn(box, event)
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1]
    pointers.current.set(event.pointerId, now)
    if (Math.hypot(now.x - before.x, now.y - before.y) > 0.01) lastTap.current = 0
    if (!other) return pan(now.x - before.x, now.y - before.y)
    const distance = (point: Point) => Math.hypot((point.x - other.x) * box.width, (point.y - other.y) * box.height)
    pan((now.x - before.x) / 2, (now.y - before.y) / 2)
    zoomAt((view.current.scale * distance(now)) / Math.max(1, distance(before)), {
      x: (now.x + other.x) / 2,
      y: (now.y + other.y) / 2,
    })
  }

  function up(event: ReactPointerEvent) {
    pointers.current.delete(event.pointerId)
  }

  /** Between fitted and closer; `actual` is the scale at which a pixel of the picture is one of the page. */
  function toggle(point?: Point, actual = 3) {
    if (view.current.scale > 1.001) change(fitted)
    else zoomAt(Math.max(actual, 1.5), point)
  }

  return {
    /** As it was when it last came to rest. */
    scale,
    root,
    gestures: { onPointerDown: down, onPointerMove: move, onPointerUp: up, onPointerCancel: up },
    /** The `ref` of whatever moves with it. */
    follow(element: HTMLElement | null) {
      if (!element) return undefined
      elements.current.add(element)
      write(element)
      return () => {
        elements.current.delete(element)
      }
    },
    zoomIn: () => zoomAt(view.current.scale * step),
    zoomOut: () => zoomAt(view.current.scale / step),
    fit: () => change(fitted),
    toggle,
    pan,
  }
}

export type LinkedView = ReturnType<typeof useLinkedView>
