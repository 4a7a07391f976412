/** Selecting by drawing a frame with the mouse. The page scrolls along when the pointer comes to its edge. */
import { type PointerEvent as ReactPointerEvent, type RefObject, useEffect, useRef, useState } from 'react'
import type { Item } from './items.ts'
import { type Box, type Layout, within } from './rows.ts'
import type { Selection } from './selection.ts'

const leastPixels = 6
const edgePixels = 70
const fastestPixels = 26

interface Options {
  root: RefObject<HTMLElement | null>
  layout: Layout
  items: readonly Item[]
  selection: Selection
}

export function useMarquee(options: Options) {
  const [box, setBox] = useState<Box>()
  const latest = useRef(options)
  latest.current = options
  const stop = useRef<() => void>(undefined)
  const hasDrawn = useRef(false)
  useEffect(() => () => stop.current?.(), [])

  function begin(event: ReactPointerEvent) {
    if (event.button !== 0 || (event.target as Element).closest('[data-check]')) return
    const from = { x: event.clientX + window.scrollX, y: event.clientY + window.scrollY }
    const kept = event.shiftKey || event.ctrlKey || event.metaKey ? latest.current.selection.keys : new Set<string>()
    let pointer = { x: event.clientX, y: event.clientY }
    let frame = 0
    const listening = new AbortController()
    let isDrawing = false

    function draw() {
      const { root, layout, items, selection } = latest.current
      const frameOfRoot = root.current?.getBoundingClientRect()
      if (!frameOfRoot) return
      const start = { x: from.x - window.scrollX - frameOfRoot.left, y: from.y - window.scrollY - frameOfRoot.top }
      const end = { x: pointer.x - frameOfRoot.left, y: pointer.y - frameOfRoot.top }
      const drawn = {
        left: Math.max(0, Math.min(start.x, end.x)),
        right: Math.min(frameOfRoot.width, Math.max(start.x, end.x)),
        top: Math.max(0, Math.min(start.y, end.y)),
        bottom: Math.min(frameOfRoot.height, Math.max(start.y, end.y)),
      }
      setBox(drawn)
      selection.set(new Set([...kept, ...within(layout, drawn).map(index => items[index]!.key)]))
    }

    /** Faster, the nearer to the edge. */
    function scrollAlong() {
      const above = edgePixels - pointer.y
      const below = pointer.y - (window.innerHeight - edgePixels)
      const depth = above > 0 ? -above : Math.max(0, below)
      if (depth !== 0) {
        window.scrollBy(0, (depth / edgePixels) * fastestPixels)
        draw()
      }
      frame = requestAnimationFrame(scrollAlong)
    }

    function move(moved: PointerEvent) {
      pointer = { x: moved.clientX, y: moved.clientY }
      const distance = Math.hypot(pointer.x + window.scrollX - from.x, pointer.y + window.scrollY - from.y)
      if (!isDrawing && distance < leastPixels) return
      if (!isDrawing) {
        isDrawing = true
        frame = requestAnimationFrame(scrollAlong)
      }
      draw()
    }

    function end() {
      cancelAnimationFrame(frame)
      listening.abort()
      stop.current = undefined
      hasDrawn.current = isDrawing
      setBox(undefined)
    }

    hasDrawn.current = false
    document.addEventListener('pointermove', move, listening)
    for (const type of ['pointerup', 'pointercancel']) document.addEventListener(type, end, listening)
    stop.current = end
  }

  return {
    box,
    begin,
    /** The click that comes after a frame was drawn means nothing. */
    swallowsClick() {
      const isSwallowed = hasDrawn.current
      hasDrawn.current = false
      return isSwallowed
    },
  }
}
