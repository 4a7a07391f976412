/** Waits for the end of a generation, for a client that wants its pictures in the same answer. */

import type { GenerationRecord, Message } from '../storage/records.ts'
import { hasEnded } from '../storage/records.ts'
import { findGeneration } from './history.ts'
import type { GenerationParts } from './parts.ts'
import { readPatiently, retryWhileAway } from './retry-while-away.ts'

/**
 * Also ends when a picture that was made has been out of reach for a minute, or while a request waits to be sent again, half a minute
 * after its first refusal: the client gets the record meanwhile.
 */
export async function waitForEnd(
  parts: GenerationParts,
  id: string,
  { timeoutMs = Number.POSITIVE_INFINITY, signal }: { timeoutMs?: number; signal: AbortSignal },
): Promise<GenerationRecord> {
  const { notifier, pauses, waiting } = parts
  const giveUpAt = performance.now() + timeoutMs
  let stuckAt: number | undefined
  let refusedAt: number | undefined
  let ended: GenerationRecord | undefined
  let isStale = false
  let wake = () => {}
  const ring = () => {
    isStale = true
    wake()
  }
  const stopListening = notifier.listen((changed, record) => {
    if (changed !== id) return
    if (record && hasEnded(record.status)) ended ??= record
    ring()
  })
  signal.addEventListener('abort', ring)
  try {
    for (;;) {
      isStale = false
      const state = ended ?? (await look())
      if (ended) return ended
      if (hasEnded(state.status)) return state as GenerationRecord
      const now = performance.now()
      const waitsForRepeat = state.waiting?.code === 'sent_again'
      stuckAt = waiting.isStuck({ id, waiting: state.waiting }) ? (stuckAt ?? now) : undefined
      // Exchanges in flight at that moment get time to finish.
      if (waitsForRepeat) refusedAt ??= now
      const until = Math.min(
        giveUpAt,
        (stuckAt ?? Number.POSITIVE_INFINITY) + pauses.lateMs,
        waitsForRepeat ? (refusedAt ?? now) + pauses.refusedMs : Number.POSITIVE_INFINITY,
      )
      if (now >= until || signal.aborted) return await readPatiently(parts, () => findGeneration(parts, id))
      if (!isStale) await sleep(until - now)
    }
  } finally {
    stopListening()
    signal.removeEventListener('abort', ring)
  }

  /** A generation that runs here need not be read. */
  async function look(): Promise<Pick<GenerationRecord, 'status'> & { waiting: Message | null }> {
    if (parts.runner.isRunning(id)) return { status: 'running', waiting: waiting.reasonOf(id) ?? null }
    return retryWhileAway(parts, () => findGeneration(parts, id), signal).catch(error => {
      if (signal.aborted) return { status: 'running', waiting: null }
      throw error
    })
  }

  /** Until something changes, or that time is over. */
  async function sleep(ms: number) {
    const { promise, resolve } = Promise.withResolvers<void>()
    wake = resolve
    // A longer delay than a timer can hold would fire at once.
    const timer = setTimeout(resolve, Math.min(ms, 2 ** 31 - 1))
    await promise
    clearTimeout(timer)
  }
}
