/** Runs generations: all calls of one at once, then its end. The row is the queue; there is no second list. */
import { setTimeout as sleep } from 'node:timers/promises'
import PQueue from 'p-queue'
import { settlementOf } from '../accounts/budget.ts'
import { sumCalls } from '../catalogue/costs.ts'
import type { Model } from '../catalogue/model.ts'
import type { Prices } from '../configurations/prices.ts'
import { hasEnded } from '../coordination/events.ts'
import type { CallRecord } from '../storage/calls.ts'
import type { Charge, ErrorRecord, FailureRecord, GenerationRecord, GenerationStatus } from '../storage/records.ts'
import type { Repositories } from '../storage/store.ts'
import { DatabaseError } from '../storage/trouble.ts'
import { CallWalk, Stopped, type WalkParts } from './calls/walk.ts'

export type RunParts = Omit<WalkParts, 'underWay' | 'largeTexts' | 'stopping' | 'ending'> & {
  prices: Prices
}

export interface Runner {
  /** Begins, or goes on with, a generation; resolves when it has ended or the runner was stopped. */
  run(generationId: string): Promise<void>
  /** Goes on with everything that a former process left unfinished. */
  resume(): Promise<void>
  /** Tells a running generation that it was cancelled. */
  cancel(generationId: string): void
  /**
   * Sends nothing new. Exchanges under way that cannot be asked for again get `drainMs` to end; everything else is left as its row
   * stands, for the next start.
   */
  stop(drainMs: number): Promise<void>
  isStopping(): boolean
}

/** Rows that are read at a time: a start may find thousands that wait. */
const maxReads = 16
const maxUnwindingMs = 2_000

export function createRunner(parts: RunParts): Runner {
  const { store, files, log } = parts
  const stopping = new AbortController()
  const ending = new AbortController()
  const cancels = new Map<string, AbortController>()
  const running = new Map<string, Promise<void>>()
  const reads = new PQueue({ concurrency: maxReads })
  const walkParts: WalkParts = {
    ...parts,
    underWay: new Set(),
    largeTexts: new PQueue({ concurrency: 1 }),
    stopping: stopping.signal,
    ending: ending.signal,
  }

  function run(id: string): Promise<void> {
    const known = running.get(id)
    if (known) return known
    cancels.set(id, new AbortController())
    const run = walkToTheEnd(id)
      .catch(error => {
        if (!(error instanceof Stopped))
          log.error({ generation: id, err: error }, 'generation aborted; it resumes at the next start')
      })
      .finally(() => {
        running.delete(id)
        cancels.delete(id)
      })
    running.set(id, run)
    return run
  }

  return {
    run,
    async resume() {
      const unfinished = await store.generations.unfinishedIds()
      for (const id of unfinished) void run(id)
      if (unfinished.length > 0) log.info({ generations: unfinished.length }, 'resuming unfinished generations')
    },
    cancel: id => cancels.get(id)?.abort(),
    async stop(drainMs) {
      stopping.abort()
      const timer = setTimeout(() => ending.abort(), drainMs)
      await Promise.race([
        Promise.all(running.values()),
        new Promise(resolve => ending.signal.addEventListener('abort', resolve)),
      ])
      clearTimeout(timer)
      ending.abort()
      // What was cut off unwinds at once, and does so before the database is closed.
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
   * A walk that broke for a reason of our own, such as a database that did not answer, is begun again from the rows. That never pays
   * twice: what may have been sent is not sent again, however often it is walked.
   */
  async function walkToTheEnd(id: string) {
    for (let tries = 1; ; tries++) {
      try {
        return await walkAll(id)
      } catch (error) {
        if (error instanceof Stopped) throw error
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

  async function walkAll(id: string) {
    if (stopping.signal.aborted) return
    await parts.reached('generation-written', id)
    const walks = await reads.add(() => walksOf(id))
    if (!walks) return
    // All of them come to an end before an error of one is thrown: each has rows of its own to look after.
    const ends = await Promise.allSettled(walks.map(walk => walk.run()))
    const failed = ends.filter(end => end.status === 'rejected').map(end => end.reason)
    if (failed.length > 0) throw failed.find(reason => !(reason instanceof Stopped)) ?? failed[0]
    await parts.reached('before-finish', id)
    await finish(id)
    await parts.reached('finished', id)
  }

  /** Holds little of the rows: any number of generations may wait for their turns. */
  async function walksOf(id: string) {
    const generation = await store.generations.find(id)
    if (!generation || hasEnded(generation.status)) return undefined
    const cancel = cancels.get(id) ?? new AbortController()
    if (generation.cancelRequested) cancel.abort()
    const calls = latestAttempts(await store.calls.ofGeneration(id))
    const planned = calls.reduce((sum, call) => sum + call.images, 0)
    const ours = { ...walkParts, log: log.child({ generation: id, request_id: generation.requestId }) }
    const { tokenId, timestamp } = generation
    return calls.map(
      call => new CallWalk(ours, { generation: { id, tokenId, timestamp }, call, planned, cancelled: cancel.signal }),
    )
  }

  async function finish(id: string) {
    const prepared = await store.images.preparedFiles(id)
    const model = await pricedModelOf(id)
    const ended = await untilStored(async ({ generations, calls, images, spending }) => {
      const generation = await generations.find(id)
      if (!generation) return undefined
      const all = latestAttempts(await calls.ofGeneration(id))
      await images.forgetPrepared(id)
      const ended = await generations.change(id, {
        ...outcomeOf(generation, all, model),
        waiting: null,
        finishedAt: new Date().toISOString(),
      })
      if (ended) {
        for (const [configId, calls] of Map.groupBy(all, call => call.configId))
          await spending.settle(id, configId, settlementOf(ended, calls, costOf(ended, calls, model)))
      }
      return ended
    })
    for (const file of prepared)
      await files.remove(file).catch(error => log.warn({ err: error, file }, 'a prepared reference was not removed'))
    parts.waiting.forget(id)
    parts.notifier.notify(id)
    if (!ended) return
    // `grep ERROR` finds what failed, as people expect of the log.
    log[ended.status === 'failed' ? 'error' : 'info'](
      {
        generation: id,
        request_id: ended.requestId,
        status: ended.status,
        images: ended.images.length,
        failures: ended.failures.length,
        charge: ended.charge,
        code: ended.error?.code,
      },
      'generation ended',
    )
  }

  /** The same again while the database is away: to write an end twice changes nothing, and whoever waits has to hear of it. */
  async function untilStored<T>(work: (repositories: Repositories) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await store.transaction(work)
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error
        await parts.pauses.wait(parts.pauses.storing(tries), ending.signal).catch(() => {})
        if (ending.signal.aborted) throw new Stopped()
      }
    }
  }

  /** With the price of the address that all its calls went to. */
  async function pricedModelOf(generationId: string): Promise<Model | undefined> {
    const generation = await store.generations.find(generationId)
    const modelId = generation?.model ?? ''
    const found = parts.catalogue.find(modelId, generation?.provider)
    if (!found) return undefined
    const configuration = (await parts.configurations.list()).find(({ id }) => id === generation?.configId)
    // One of the environment may be gone with its key; where it led to is still known.
    const place = configuration ?? { provider: found.provider, baseUrl: null }
    return parts.prices.priced(found, { modelId, address: parts.configurations.addressOf(place) }).model
  }
}

/** The last attempt of each slot: the earlier ones were refused without a picture. */
function latestAttempts(calls: CallRecord[]): CallRecord[] {
  return [...Map.groupBy(calls, call => call.slot).values()].map(attempts => attempts.at(-1)!)
}

function outcomeOf(generation: GenerationRecord, calls: CallRecord[], model: Model | undefined) {
  const { images } = generation
  const failures: FailureRecord[] = calls.flatMap(call => {
    if (call.failures.length > 0 || !call.error) return call.failures
    const { code, message, providerCode } = call.error
    return Array.from({ length: call.images }, (_, index) => ({
      index: call.firstIndex + index,
      code,
      message,
      providerCode,
    }))
  })
  const isDropped = (call: CallRecord) => call.outcome === 'dropped' && call.error?.code === 'cancelled'
  const status: GenerationStatus =
    images.length > 0 ? 'succeeded' : calls.some(call => !isDropped(call)) ? 'failed' : 'cancelled'
  const error = images.length > 0 ? null : mainError(calls, failures)
  const charge: Charge = calls.some(call => call.charge === 'unknown')
    ? 'unknown'
    : calls.some(call => call.charge === 'charged')
      ? 'charged'
      : 'none'
  return { status, failures, error, charge, cost: costOf(generation, calls, model) }
}

/** What stands for the whole when there is no picture: money first, then what came first. */
function mainError(calls: CallRecord[], failures: FailureRecord[]): ErrorRecord {
  const errors = calls.map(call => call.error).filter(error => error !== null)
  const unknown = calls.find(call => call.outcome === 'unknown')?.error
  const first = unknown ?? errors.find(error => error.code !== 'cancelled') ?? errors[0]
  if (first) return first
  const failure = failures[0]
  return {
    code: failure?.code ?? 'provider_rejected',
    message: failure?.message ?? 'The service made no picture.',
    providerCode: failure?.providerCode ?? null,
    providerMessage: null,
    providerRequestId: null,
    retryAfterMs: null,
  }
}

function costOf(generation: GenerationRecord, calls: CallRecord[], model: Model | undefined) {
  if (!model) return null
  return sumCalls(model, {
    calls,
    images: generation.images,
    references: generation.references.length,
    parameters: generation.resolved ?? {},
  })
}
