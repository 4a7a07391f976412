/** Numbers that look random and are the same for the same text everywhere. */
import { createHash } from 'node:crypto'

export interface Chance {
  /** 0 ≤ x < 1 */
  next(): number
  between(low: number, high: number): number
  whole(low: number, high: number): number
  pick<Item>(items: readonly Item[]): Item
}

export function createChance(text: string): Chance {
  let state = createHash('sha256').update(text).digest().readUInt32LE()
  // mulberry32: small, well distributed, the same everywhere.
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (low: number, high: number) => low + (high - low) * next()
  return {
    next,
    between,
    whole: (low, high) => Math.floor(between(low, high + 1)),
    pick: items => items[Math.floor(next() * items.length)]!,
  }
}
