/** Numbers that look random and are the same for the same text everywhere. */
import { createHash } from 'node:crypto'

export type Chance = ReturnType<typeof createChance>

export function createChance(text: string) {
  let state = createHash('sha256').update(text).digest().readUInt32LE()
  /** mulberry32: small, well distributed, the same everywhere. 0 ≤ x < 1. */
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (low: number, high: number) => low + (high - low) * next()
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(next() * items.length)]!
  return { next, between, pick }
}
