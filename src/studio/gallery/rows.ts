/** Where each picture stands: rows of one height that fill the width, under a heading for each day. Pure, in pixels. */

export interface Measured {
  key: string
  /** Width over height. */
  ratio: number
  /** Such as `2026-11-23`, where the person is; empty: under no heading. */
  day: string
}

export interface Place {
  /** Position in the list that was laid out. */
  index: number
  left: number
  width: number
}

export type Row = { key: string; top: number; height: number } & (
  | { kind: 'day'; day: string }
  | { kind: 'places'; places: Place[] }
)

export interface Layout {
  rows: Row[]
  /** For each picture the position of its row in `rows`. */
  rowOf: number[]
  height: number
}

export interface RowOptions {
  width: number
  /** The height to aim at. */
  height: number
  gap: number
  headingHeight: number
}

const narrowest = 0.45
const widest = 2.6

/** `top` and the distance to the next row hold the gap below each. */
export function layOut(items: readonly Measured[], options: RowOptions): Layout {
  const { width, gap, headingHeight } = options
  const rows: Row[] = []
  const rowOf: number[] = []
  let top = 0
  let line: { index: number; ratio: number }[] = []
  let ratios = 0
  let day: string | undefined

  function end(isFull: boolean) {
    if (line.length === 0) return
    const free = width - gap * (line.length - 1)
    // A line that is not full keeps the usual height, and room at its end.
    const height = isFull ? free / ratios : Math.min(options.height, free / ratios)
    let left = 0
    const places = line.map(({ index, ratio }) => {
      const place = { index, left, width: ratio * height }
      left += place.width + gap
      rowOf[index] = rows.length
      return place
    })
    rows.push({ kind: 'places', key: items[line[0]!.index]!.key, top, height, places })
    top += height + gap
    line = []
    ratios = 0
  }

  for (const [index, item] of items.entries()) {
    if (item.day !== day) {
      end(false)
      day = item.day
      if (day !== '') {
        rows.push({ kind: 'day', key: `day ${day} ${item.key}`, top, height: headingHeight, day })
        top += headingHeight + gap
      }
    }
    const ratio = Math.min(widest, Math.max(narrowest, item.ratio || 1))
    line.push({ index, ratio })
    ratios += ratio
    if (ratios * options.height + gap * (line.length - 1) >= width) end(true)
  }
  end(false)
  return { rows, rowOf, height: top }
}

/** The picture above or below, nearest to the middle of the one at `index`; the same one at the edge. */
export function beside({ rows, rowOf }: Layout, index: number, step: 1 | -1): number {
  const from = rowOf[index] ?? -1
  const row = rows[from]
  if (row?.kind !== 'places') return index
  const here = row.places.find(place => place.index === index)!
  const middle = here.left + here.width / 2
  for (let at = from + step; at >= 0 && at < rows.length; at += step) {
    const next = rows[at]!
    if (next.kind === 'day') continue
    const distance = (place: Place) => Math.max(place.left - middle, middle - place.left - place.width, 0)
    return next.places.reduce((best, place) => (distance(place) < distance(best) ? place : best)).index
  }
  return index
}

export interface Box {
  left: number
  right: number
  top: number
  bottom: number
}

/** Every picture that the box touches. */
export function within({ rows }: Layout, box: Box): number[] {
  const found: number[] = []
  for (const row of rows) {
    if (row.top > box.bottom) break
    if (row.kind === 'day' || row.top + row.height < box.top) continue
    for (const place of row.places) {
      if (place.left <= box.right && place.left + place.width >= box.left) found.push(place.index)
    }
  }
  return found
}
