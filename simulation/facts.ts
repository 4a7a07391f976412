/** What a history leaves for the audit: what the world saw, and what the clients were told. */
import type { GenerationRecord } from '../src/storage/records.ts'
import type { Order, Plan } from './plan.ts'
import type { Books } from './services/books.ts'

/** What the world saw while it went on. */
export interface Facts {
  plan: Plan
  books: Books
  /** How lives ended that were not asked to end. */
  crashes: Map<number, { at: number; isTroubled: boolean }>
  violations: string[]
  ownerId: string | undefined
  configIds: string[]
}

/** What a client knows of its order. */
export interface Told {
  order: Order
  /** Of the first generation, as often as it was told. */
  ids: Set<string>
  /** Of repeats that it asked for. */
  repeats: Set<string>
  /** Asks of a repeat whose answer was never heard. */
  lostRepeats: number
  refusals: string[]
  ends: GenerationRecord[]
  removed: Set<string>
  /** What it was told is cancelled. */
  cancels: Cancel[]
  /** Requests whose answer was never heard. */
  lost: number
  isDone: boolean
}

interface Cancel {
  id: string
  /** When it was told, by the clock of the world. */
  at: number
  /** Calls that the ledger told of as sent by then. */
  sent: Set<string>
}
