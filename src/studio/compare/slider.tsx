/** Two pictures in one place, with an edge between them to be moved. */
import { ChevronsLeftRight } from 'lucide-react'
import { type KeyboardEvent, type PointerEvent, useRef } from 'react'
import { useText } from '../text/text.ts'
import type { Compared } from './compared.ts'
import { letterOf } from './letters.ts'
import type { LinkedView } from './linked-view.ts'
import { LinkedImage } from './pane.tsx'

interface SliderProps {
  compared: readonly Compared[]
  /** Positions of the two. */
  left: number
  right: number
  view: LinkedView
  altOf(index: number): string
}

export function Slider({ compared, left, right, view, altOf }: SliderProps) {
  const t = useText()
  const root = useRef<HTMLDivElement>(null)
  const top = useRef<HTMLDivElement>(null)
  const edge = useRef<HTMLDivElement>(null)
  const at = useRef(50)

  function moveTo(percent: number) {
    at.current = Math.min(100, Math.max(0, percent))
    if (top.current) top.current.style.clipPath = `inset(0 ${100 - at.current}% 0 0)`
    if (edge.current) edge.current.style.transform = `translateX(${at.current}%)`
    edge.current?.querySelector('[role=slider]')?.setAttribute('aria-valuenow', String(Math.round(at.current)))
  }

  function drag(event: PointerEvent) {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return
    const box = root.current!.getBoundingClientRect()
    moveTo(((event.clientX - box.left) / box.width) * 100)
  }

  function press(event: KeyboardEvent) {
    const steps: Record<string, number> = { ArrowLeft: at.current - 2, ArrowRight: at.current + 2, Home: 0, End: 100 }
    const next = steps[event.key]
    if (next === undefined) return
    event.preventDefault()
    event.stopPropagation()
    moveTo(next)
  }

  const one = (index: number) => {
    const found = compared[index]
    return found && <LinkedImage key={found.key} one={found} view={view} alt={altOf(index)} />
  }
  return (
    <div ref={root} data-pane className="relative size-full overflow-hidden">
      {one(right)}
      <div
        ref={element => {
          top.current = element
          moveTo(at.current)
        }}
        className="absolute inset-0 bg-sunken"
      >
        {one(left)}
      </div>
      <Letter className="left-3">{letterOf(left)}</Letter>
      <Letter className="right-3">{letterOf(right)}</Letter>
      {/* As wide as the pane, so that its place is a transform. */}
      <div ref={edge} className="pointer-events-none absolute inset-0">
        <div className="absolute inset-y-0 -left-px w-0.5 bg-white shadow-[0_0_4px_rgb(0_0_0/60%)]" />
        <div
          role="slider"
          tabIndex={0}
          aria-label={t('look.edge')}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={50}
          onKeyDown={press}
          onPointerDown={event => event.currentTarget.setPointerCapture(event.pointerId)}
          onPointerMove={drag}
          className="pointer-events-auto absolute top-1/2 -left-6 grid size-12 -translate-y-1/2 cursor-ew-resize touch-none place-items-center rounded-full bg-raised text-ink shadow-float"
        >
          <ChevronsLeftRight aria-hidden className="size-6" />
        </div>
      </div>
    </div>
  )
}

function Letter({ className, children }: { className: string; children: string }) {
  return (
    <span
      aria-hidden
      className={`absolute top-3 grid size-8 place-items-center rounded-full bg-raised font-medium shadow-card ${className}`}
    >
      {children}
    </span>
  )
}
