/** What the path of a generation tells of itself as it happens. Metrics are made of it. */
import type { CallRecord } from '../storage/calls.ts'
import type { GenerationRecord } from '../storage/records.ts'

export interface Observer {
  /** An exchange with a service. `code`: of the error, or `ok` when an answer came, whatever it says. */
  exchanged(exchange: {
    provider: string
    model: string
    kind: 'request' | 'poll'
    seconds: number
    code: string
  }): void
  /** A picture was fetched and stored, or not: `code` is `ok` or that of the reason. `bytes` as far as they came. */
  fetched(fetch: { seconds: number; bytes: number; code: string }): void
  /** A call is settled. */
  settled(call: CallRecord): void
  /** A generation has ended. */
  ended(generation: GenerationRecord): void
  /** A webhook was tried. `repeated`: it is tried again later; `given_up`: it is not. */
  delivered(outcome: 'delivered' | 'repeated' | 'given_up'): void
}

/** Told in vain. */
export const nobody: Observer = { exchanged() {}, fetched() {}, settled() {}, ended() {}, delivered() {} }
