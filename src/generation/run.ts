/** Runs generations: all calls of one concurrently, then its end. The rows are the queue; there is no second list. */
import { setTimeout as sleep } from 'node:timers/promises'
import PQueue from 'p-queue'
import { createPollRates } from '../coordination/polling.ts'
import type { CallRecord } from '../storage/calls.ts'
import type { Finished } from '../storage/ledger/generation-steps.ts'
import type { GenerationRecord } from '../storage/records.ts'
import { hasEnded } from '../storage/records.ts'
import { DatabaseError } from '../storage/trouble.ts'
import { type CallParts, type OpenGeneration, openGeneration, Stopped } from './calls/open.ts'
import { walk } from './calls/walk.ts'
import { composeEnd } from './finish.ts'

export interface RunParts extends Omit<CallParts, 'underWay' | 'pollRates' | 'stopping' | 'ending'> {
  /** An end was written together with messages that tell it, which can be sent now. */
  announced(): void
}

/** A generation and all its calls, as their rows stand; what is sent for them is read when their turn has come. */
export interface Written {
  generation: GenerationRecord
  calls: CallRecord[]
}

/** Rows per read: a start may find thousands that wait. */
const maxReads = 16
const maxUnwindingMs = 2_000

export type Runner = ReturnType<typeof createRunner>

export function createRunner(parts: RunParts) {
  const { store, files, log } = parts
  const stopping = new AbortController()
  const ending = new AbortController()
  const cancels = new Map<string, AbortController>()
  const running = new Map<string, Promise<void>>()
  const ended = new Set<string>()
  const reads = new PQueue({ concurrency: maxReads })
  const callParts: CallParts = {
    ...parts,
    underWay: new Set(),
    pollRates: createPollRates(parts.pauses, stopping.signal),
    stopping: stopping.signal,
    ending: ending.signal,
  }

  function run(id: string, written?: Written): Promise<void> {
    const known = running.get(id)
    if (known) return known
    const cancel = new AbortController()
    cancels.set(id, cancel)
    const fresh = written && openGeneration(callParts, written.generation, written.calls, cancel.signal)
    const run = runUntilEnded(id, fresh)
      .catch(error => {
        if (!(error instanceof Stopped))
          log.error({ generation: id, err: error }, 'generation aborted; it resumes at the next start')
      })
      .finally(() => {
        running.delete(id)
        cancels.delete(id)
        // Whoever waits for a generation that was aborted is woken, and reads its row.
        if (!ended.delete(id)) parts.notifier.notify(id)
      })
    running.set(id, run)
    return run
  }

  return {
    /**
     * Starts or resumes a generation; resolves when it has ended or the runner was stopped. `written` is what was just written of a
     * new one; otherwise its rows are read.
     */
    run,
    /** Is it under way here? Then it has not ended, and its end will be told by the notifier. */
    isRunning: (id: string) => running.has(id) && !ended.has(id),
    /** Resumes everything that an earlier process left unfinished. */
    async resume() {
      const unfinished = await store.generations.unfinishedIds()
      for (const id of unfinished) void run(id)
      if (unfinished.length > 0) log.info({ generations: unfinished.length }, 'resuming unfinished generations')
    },
    /** Notifies a running generation that it was cancelled. */
    cancel: (id: string) => cancels.get(id)?.abort(),
    /**
     * Sends nothing new. Exchanges in flight that cannot be resumed get `drainMs` to finish; everything else is left as its row
     * stands, for the next start.
     */
    async stop(drainMs: number) {
      stopping.abort()
      const timer = setTimeout(() => ending.abort(), drainMs)
      await Promise.race([
        Promise.all(running.values()),
        new Promise(resolve => ending.signal.addEventListener('abort', resolve)),
      ])
      clearTimeout(timer)
      ending.abort()
      // Aborted work unwinds at once, before the database is closed.
      const late = new AbortController()
      await Promise.race([
        Promise.all(running.values()),
        sleep(maxUnwindingMs, undefined, { signal: late.signal }).catch(() => {}),
      ])
      late.abort()
    },
    isStopping: () => stopping.signal.aborted,
  }

  /**
   * A walk that failed because of an internal error, such as an unavailable database, starts again from the rows. That never pays
   * twice: what may have been sent is not sent again, however often it is walked.
   */
  async function runUntilEnded(id: string, fresh: OpenGeneration | undefined) {
    for (let tries = 1; ; tries++) {
      try {
        return await runOnce(id, tries === 1 ? fresh : undefined)
      } catch (error) {
        if (error instanceof Stopped) throw error
        // What was cut off by the stop is no fault, and the row must not say so.
        if (ending.signal.aborted) throw new Stopped()
        log.error(
          { generation: id, err: error, tries },
          'a generation failed because of an internal error; trying again',
        )
        const message =
          'An internal error occurred; the log has the details. The generation is tried again automatically.'
        await parts.waiting.note(id, { code: 'server_fault', message })
        await parts.pauses.wait(parts.pauses.storing(tries), stopping.signal).catch(() => {})
        if (stopping.signal.aborted) throw new Stopped()
      }
    }
  }

  async function runOnce(id: string, fresh: OpenGeneration | undefined) {
    if (stopping.signal.aborted) return
    await parts.reached('generation-written', id)
    const generation = fresh ?? (await reads.add(() => readOpen(id)))
    if (!generation) return
    // All of them finish before an error of one is thrown: each has rows of its own to complete.
    const ends = await Promise.allSettled(generation.calls.map(walk))
    const failed = ends.filter(end => end.status === 'rejected').map(end => end.reason)
    if (failed.length > 0) throw failed.find(reason => !(reason instanceof Stopped)) ?? failed[0]
    if (!generation.ended) {
      await parts.reached('before-finish', id)
      generation.ended = await finish(generation)
    }
    await publishEnd(generation)
    await parts.reached('finished', id)
  }

  /** Keeps little of the rows in memory: any number of generations may wait. */
  async function readOpen(id: string): Promise<OpenGeneration | undefined> {
    const generation = await store.generations.find(id)
    if (!generation || hasEnded(generation.status)) return undefined
    const cancel = cancels.get(id) ?? new AbortController()
    if (generation.cancelRequested) cancel.abort()
    parts.waiting.remember(id, generation.waiting)
    return openGeneration(callParts, generation, await store.calls.ofGeneration(id), cancel.signal)
  }

  /** Retried while the database is unavailable: writing an end twice changes nothing, and waiting clients need it. */
  async function finish(generation: OpenGeneration): Promise<Finished | undefined> {
    const calls = generation.calls.map(call => call.record)
    for (let tries = 1; ; tries++) {
      try {
        return await store.ledger.finish(await composeEnd(parts, generation, calls))
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error
        await parts.pauses.wait(parts.pauses.storing(tries), ending.signal).catch(() => {})
        if (ending.signal.aborted) throw new Stopped()
      }
    }
  }

  async function publishEnd({ id, ended: end }: OpenGeneration) {
    const record = end?.generation
    const prepared = end?.prepared ?? []
    for (const file of prepared)
      await files.remove(file).catch(error => log.warn({ err: error, file }, 'a prepared reference was not removed'))
    parts.waiting.forget(id)
    ended.add(id)
    parts.notifier.notify(id, record)
    if (!record) return
    parts.observer.ended(record)
    if (end?.isAnnounced) parts.announced()
    // Logged as an error, so that `grep ERROR` finds it.
    log[record.status === 'failed' ? 'error' : 'info'](
      {
        generation: id,
        request_id: record.requestId,
        status: record.status,
        images: record.images.length,
        failures: record.failures.length,
        charge: record.charge,
        code: record.error?.code,
      },
      'generation ended',
    )
  }
}
