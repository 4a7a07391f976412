import type { GenerationRecord } from '../storage/records.ts'

export type GenerationEvent =
  | { type: 'generation'; revision: number; generation: GenerationRecord }
  | { type: 'removed'; revision: number; id: string }

export interface Events {
  /**
   * First the changes since `after` (without it: all unfinished generations, or the current state of `generationId`), then every
   * change as it happens. Never misses one in between; ends with `signal`, and for one generation after its last state.
   */
  follow(options: {
    generationId?: string
    after?: number
    owner?: string
    signal: AbortSignal
  }): AsyncIterable<GenerationEvent>
}
