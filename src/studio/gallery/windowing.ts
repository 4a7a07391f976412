/** Virtual scrolling: only the rows in sight are in the page, however many there are. */
import { defaultRangeExtractor, useWindowVirtualizer } from '@tanstack/react-virtual'
import { type RefObject, useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from 'react'

/** Height that sticky elements cover at the top of the window. */
const coveredTop = 80
/** Rows before the end at which more are asked for: some ten windows. */
const nearEnd = 40

/** Offset of an element in the page, and its width; 0 before they are known. */
export function useFrame(root: RefObject<HTMLElement | null>) {
  const [frame, setFrame] = useState({ width: 0, top: 0 })
  useLayoutEffect(() => {
    const element = root.current!
    function measure() {
      const next = { width: element.clientWidth, top: element.getBoundingClientRect().top + window.scrollY }
      setFrame(frame => (frame.width === next.width && frame.top === next.top ? frame : next))
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    // The body is observed, because elements above may grow and shrink.
    observer.observe(document.body)
    return () => observer.disconnect()
  }, [root])
  return frame
}

export interface RowsOptions {
  count: number
  /** Pixels, with the gap below; where it is measured, what it usually is. */
  heightOf(index: number): number
  keyOf(index: number): string
  top: number
  /** Rows outside of the window on each side, so that none is blank when it comes in. */
  overscan: number
  /** The row that has the focus stays in the page, so that the keyboard goes on from there. */
  activeRow: number
  hasMore: boolean
  /** Called whenever the end of what is loaded comes near. */
  onNearEnd(): void
}

export function useRows({ count, heightOf, keyOf, top, overscan, activeRow, hasMore, onNearEnd }: RowsOptions) {
  const virtualizer = useWindowVirtualizer({
    count,
    estimateSize: heightOf,
    getItemKey: keyOf,
    overscan,
    scrollMargin: top,
    scrollPaddingStart: coveredTop,
    scrollPaddingEnd: coveredTop,
    rangeExtractor: range => {
      const shown = defaultRangeExtractor(range)
      if (activeRow >= count || shown.includes(activeRow)) return shown
      return [...shown, activeRow].sort((one, other) => one - other)
    },
  })
  const visible = virtualizer.getVirtualItems()
  const lastVisible = visible.at(-1)?.index ?? 0
  const askForMore = useEffectEvent(() => {
    if (hasMore && lastVisible >= count - nearEnd) onNearEnd()
  })
  // Asks again after a page that added nothing to be seen.
  useEffect(() => askForMore())
  return { virtualizer, visible }
}

/** Puts the focus on what `selector` names once it is in the page, after the returned function was called. */
export function useFocusWhenThere(root: RefObject<HTMLElement | null>, selector: string) {
  const isWanted = useRef(false)
  useEffect(() => {
    const element = isWanted.current && root.current?.querySelector<HTMLElement>(selector)
    if (!element) return
    isWanted.current = false
    element.focus({ preventScroll: true })
  })
  return () => {
    isWanted.current = true
  }
}
