import { type ReactNode, useRef, useSyncExternalStore } from 'react'
import { generationRatio } from '../../data/images.ts'
import { askedCount, hasNothing, type Row, rowKey } from './rows.ts'

/** As many as fit; a card keeps its column when others come above it. */
export function Columns({ rows, children }: { rows: readonly Row[]; children(row: Row): ReactNode }) {
  const count = useColumnCount()
  const places = useRef(new Map<string, number>())
  const placedFor = useRef(count)
  // In a window that was narrow for a while they would all stay in one column.
  if (placedFor.current !== count) places.current.clear()
  placedFor.current = count
  const placeOf = (row: Row) => places.current.get(rowKey(row)) ?? count
  const heights = Array.from({ length: count }, (_, place) =>
    rows.filter(row => placeOf(row) === place).reduce((sum, row) => sum + heightOf(row), 0),
  )
  // From the oldest, so that the newest begins the shortest column.
  for (const row of rows.toReversed()) {
    if (placeOf(row) < count) continue
    const place = heights.indexOf(Math.min(...heights))
    places.current.set(rowKey(row), place)
    heights[place] = (heights[place] ?? 0) + heightOf(row)
  }
  const placed = heights.map((_, place) => rows.filter(row => placeOf(row) === place))
  return (
    <div className="flex items-start gap-5">
      {placed.map((column, place) => (
        // Columns have no other name than their place.
        // biome-ignore lint/suspicious/noArrayIndexKey: as above
        <div key={place} className="flex min-w-0 flex-1 flex-col gap-5">
          {column.map(row => children(row))}
        </div>
      ))}
    </div>
  )
}

/** About, in widths of a column: it only has to tell a tall card from a flat one. */
function heightOf(row: Row): number {
  if (hasNothing(row)) return 0.2
  const [first] = row
  const ratio = first ? generationRatio(first) : 1
  if (row.length > 1) return 0.2 + row.reduce((sum, one) => sum + 0.47 / generationRatio(one) + 0.3, 0) / 2
  const count = first ? Math.max(first.images.length, askedCount(first)) : 1
  const across = count === 1 ? 1 : count === 3 || count > 4 ? 3 : 2
  return 0.35 + (Math.ceil(count / across) / across) * Math.min(1 / ratio, 1.3)
}

/** From each of these widths on there is one column more. */
const widths = [80, 118, 150, 190, 230].map(width => matchMedia(`(min-width: ${width}rem)`))

function useColumnCount() {
  return useSyncExternalStore(listenToWidth, () => 1 + widths.filter(({ matches }) => matches).length)
}

function listenToWidth(listener: () => void) {
  for (const query of widths) query.addEventListener('change', listener)
  return () => {
    for (const query of widths) query.removeEventListener('change', listener)
  }
}
