/** When a message that was not taken is sent again: for a day, with growing pauses, and not before a receiver asks for it. */
import type { Pauses } from '../coordination/pauses.ts'

const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs

/** Together just under a day; the first try is at once. */
const pausesMs = [
  ...[5 * secondMs, 30 * secondMs, 2 * minuteMs, 10 * minuteMs, 30 * minuteMs],
  ...[hourMs, 2 * hourMs, 4 * hourMs, 6 * hourMs, 10 * hourMs],
]

/** A receiver that asks for more than this, counted from the first try, gets no further one. */
const maxMs = 30 * hourMs

/**
 * Milliseconds until the next try; undefined after the last. `tries` counts those of this day, which began `elapsedMs` ago; `retryAfterMs`
 * is what the receiver asks for.
 */
export function choosePause(
  pauses: Pick<Pauses, 'jittered' | 'scaled'>,
  { tries, elapsedMs, retryAfterMs = 0 }: { tries: number; elapsedMs: number; retryAfterMs?: number },
): number | undefined {
  const pause = pausesMs[tries - 1]
  if (pause === undefined) return undefined
  const [ownMs, askedMs] = [pauses.jittered(pause), pauses.scaled(retryAfterMs)]
  if (askedMs <= ownMs) return ownMs
  return elapsedMs + askedMs > pauses.scaled(maxMs) ? undefined : askedMs
}
