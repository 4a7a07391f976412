/** What the path of a generation tells of itself as it happens. Metrics and traces are made of it. */
import type { CallRecord } from '../storage/calls.ts'
import type { GenerationRecord } from '../storage/records.ts'

/** A step of the ledger, by the ids of its rows. */
export interface Step {
  name: string
  generationId: string | undefined
  callId: string | undefined
  /** Calls that it writes. */
  calls: readonly string[]
  /** With `create`. */
  created: { requestId: string | null; provider: string; model: string } | undefined
  /** As `performance.now()` had it. */
  began: number
  /** False: nothing was written. */
  isMade: boolean
}

export interface Observer {
  /** An exchange with a service. `code`: of the error, or `ok` when an answer came, whatever it says. */
  exchanged(exchange: {
    generationId: string
    provider: string
    model: string
    kind: 'request' | 'poll'
    seconds: number
    code: string
  }): void
  /** A picture was fetched and stored, or not: `code` is `ok` or that of the reason. `bytes` as far as they came. */
  fetched(fetch: { generationId: string; seconds: number; bytes: number; code: string }): void
  /** Absent where nobody wants to know: then no step is timed. */
  stepped?(step: Step): void
  /** Thumbnails of a picture were made, or not. */
  thumbnailsMade?(thumbnails: { seconds: number; count: number; isMade: boolean }): void
  /** A call is settled. */
  settled(call: CallRecord): void
  /** A generation has ended. */
  ended(generation: GenerationRecord): void
  /** A webhook was tried. `repeated`: it is tried again later; `given_up`: it is not. */
  delivered(outcome: 'delivered' | 'repeated' | 'given_up'): void
}

/** Told in vain. */
export const nobody: Observer = { exchanged() {}, fetched() {}, settled() {}, ended() {}, delivered() {} }

/** One that tells several. */
export function tellAll(observers: readonly Observer[]): Observer {
  return {
    exchanged: told => observers.forEach(one => void one.exchanged(told)),
    fetched: told => observers.forEach(one => void one.fetched(told)),
    stepped: told => observers.forEach(one => void one.stepped?.(told)),
    thumbnailsMade: told => observers.forEach(one => void one.thumbnailsMade?.(told)),
    settled: told => observers.forEach(one => void one.settled(told)),
    ended: told => observers.forEach(one => void one.ended(told)),
    delivered: told => observers.forEach(one => void one.delivered(told)),
  }
}
