/** Follows every change from the first start on, as the studio does: across restarts it goes on from the last one that it was told. */
import type { Services } from '../src/generation/services.ts'
import type { GenerationRecord } from '../src/storage/records.ts'

export class Follower {
  /** By their id, as it was told last. */
  readonly known = new Map<string, GenerationRecord>()
  readonly violations: string[] = []
  private seen: number | undefined
  private life = new AbortController()

  begin({ generations }: Services) {
    this.life = new AbortController()
    this.follow(generations.events.follow({ after: this.seen, signal: this.life.signal }), this.life.signal).catch(
      // It was cut off, by a crash or by a disk in trouble, and begins anew with the next life.
      () => this.life.abort(),
    )
  }

  private async follow(events: ReturnType<Services['generations']['events']['follow']>, signal: AbortSignal) {
    for await (const event of events) {
      if (signal.aborted) return
      const { revision } = event
      if (this.seen !== undefined && revision <= this.seen)
        this.violations.push(`a follower was told of change ${revision} after ${this.seen}`)
      this.seen = revision
      if (event.type === 'removed') this.known.delete(event.id)
      else this.known.set(event.generation.id, event.generation)
    }
  }

  /** The program has died. */
  end() {
    this.life.abort()
  }
}
