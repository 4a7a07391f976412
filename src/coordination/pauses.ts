/** Every pause of the program. `scale` shortens them all, so that tests wait milliseconds. */
import { setTimeout as sleep } from 'node:timers/promises'

/** One try and three repeats: the services (docs/providers.md) ask for few, with growing pauses and jitter. */
export const maxAttempts = 4

/** A refused call whose service asks for a longer pause is not repeated. */
export const maxRetryAfterMs = 120_000

export type Pauses = ReturnType<typeof createPauses>

export function createPauses(scale = 1) {
  const jitter = (ms: number) => ms * (0.8 + Math.random() * 0.4) * scale
  return {
    /**
     * Milliseconds before the repeat of a call that was refused without a picture; `attempt` counts from 1. After a rate limit the repeats
     * together reach past a minute, because that is what the services count by (docs/providers.md).
     */
    repeat: (attempt: number, isRateLimit: boolean) =>
      jitter((isRateLimit ? [5_000, 25_000] : [2_500, 7_500])[attempt - 1] ?? (isRateLimit ? 60_000 : 22_500)),
    /** Pause before the next try to fetch or store a picture, or to keep an answer. */
    storing: (tries: number) => jitter(Math.min(60_000, 500 * 2 ** Math.min(tries, 10))),
    /** Pause before the next poll of a task. */
    poll: (wishedMs: number) => jitter(wishedMs),
    /** How long a finished image may be unreachable before a waiting client is answered. */
    lateMs: 60_000 * scale,
    /** How long a waiting client gets no answer after a refusal, while its request waits to be sent again. */
    refusedMs: 30_000 * scale,
    /** A pause, a fifth shorter or longer: what failed together is not tried again together. */
    jittered: jitter,
    /** Pause for limits that a service or an adapter names. */
    scaled: (ms: number) => ms * scale,
    async wait(ms: number, signal: AbortSignal) {
      // A longer delay than a timer can hold would fire at once.
      await sleep(Math.min(ms, 2 ** 31 - 1), undefined, { signal })
    },
  }
}
