/** Groups of the feed, and how much room they take. */
import type { Generation } from '../../data/generations.ts'

/** Generations of one press, or a single one. */
export type Row = readonly Generation[]

/** Pressed at once, they are recorded within moments of each other. */
const togetherMs = 5000

/** Id of the earliest generation, so that it stays when another one joins. */
export function rowKey(row: Row) {
  return row[0]?.id ?? ''
}

/** Neighbours with the same prompt and different models; the order of the models is kept while they finish. */
export function toRows(items: readonly Generation[]): Row[] {
  const rows: Generation[][] = []
  for (const item of items) {
    const row = rows.at(-1)
    const isTogether =
      row?.every(
        other =>
          other.prompt === item.prompt &&
          other.model !== item.model &&
          Math.abs(Date.parse(other.timestamp) - Date.parse(item.timestamp)) < togetherMs,
      ) ?? false
    if (row && isTogether) row.unshift(item)
    else rows.push([item])
  }
  return rows
}

/** All of them ended, and no picture came. */
export function hasNothing(row: Row) {
  return row.every(({ status, images }) => (status === 'failed' || status === 'cancelled') && images.length === 0)
}

/** How many pictures were asked for. */
export function askedCount({ parameters }: Generation) {
  return typeof parameters.n === 'number' && parameters.n > 0 ? Math.min(parameters.n, 15) : 1
}
