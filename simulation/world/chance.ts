/** Chance from a seed: the same seed gives the same numbers on every machine (xoshiro128**, splitmix32). */

export interface Chance {
  /** From 0 up to, not including, 1. */
  next(): number
  /** A whole number from 0 up to, not including, `end`. */
  below(end: number): number
  between(from: number, to: number): number
  /** True that often, from 0 to 1. */
  happens(share: number): boolean
  pick<T>(values: readonly T[]): T
  bytes(length: number): Buffer
  /** A chance of its own, which does not change with how often this one is asked afterwards. */
  fork(): Chance
}

export function createChance(seed: number): Chance {
  let mixed = (seed ^ Math.floor(seed / 2 ** 32)) >>> 0
  const mix = () => {
    mixed = (mixed + 0x9e3779b9) >>> 0
    let word = mixed ^ (mixed >>> 16)
    word = Math.imul(word, 0x21f0aaad)
    word ^= word >>> 15
    word = Math.imul(word, 0x735a2d97)
    return (word ^ (word >>> 15)) >>> 0
  }
  let [a, b, c, d] = [mix(), mix(), mix(), mix()]

  function word() {
    const five = Math.imul(b, 5)
    const result = Math.imul((five << 7) | (five >>> 25), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return result
  }

  const chance: Chance = {
    next: () => word() / 2 ** 32,
    below: end => Math.floor((word() / 2 ** 32) * end),
    between: (from, to) => from + (word() / 2 ** 32) * (to - from),
    happens: share => word() / 2 ** 32 < share,
    pick: values => values[chance.below(values.length)]!,
    bytes(length) {
      const bytes = Buffer.alloc(length)
      for (let at = 0; at < length; at++) bytes[at] = word() & 0xff
      return bytes
    },
    fork: () => createChance(word()),
  }
  return chance
}
