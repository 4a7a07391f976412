/**
 * Notifies followers that something changed. What changed is read from the database by revision, so
 * nothing can be missed between two reads, and a client that reconnects needs only the newest revision that it saw.
 */
import { EventEmitter } from 'node:events'
import type { GenerationRecord, GenerationStatus } from '../storage/records.ts'
import type { Store } from '../storage/store.ts'
import type { Events, GenerationEvent } from './services.ts'

export interface Notifier {
  /** `ended`: its record, when it has come to its end. */
  notify(generationId: string, ended?: GenerationRecord): void
  /** Calls `listener` with the id of each generation that changed; returns a function that unsubscribes. */
  listen(listener: (generationId: string, ended?: GenerationRecord) => void): () => void
}

export function createNotifier(): Notifier {
  const emitter = new EventEmitter().setMaxListeners(0)
  return {
    notify: (id, ended) => void emitter.emit('change', id, ended),
    listen(listener) {
      emitter.on('change', listener)
      return () => void emitter.off('change', listener)
    },
  }
}

export function hasEnded(status: GenerationStatus) {
  return status !== 'queued' && status !== 'running'
}

export function createEvents(store: Store, notifier: Notifier, closing: AbortSignal): Events {
  return {
    async *follow({ generationId, after, owner, signal }) {
      const watch = watchFor(notifier, AbortSignal.any([signal, closing]), generationId)
      try {
        // An unknown revision comes from another state of the database, such as before a backup was restored.
        const isKnown = after !== undefined && after <= (await store.generations.revision())
        const seen = isKnown ? after : undefined
        yield* generationId === undefined
          ? followAll(store, watch, seen, owner)
          : followOne(store, watch, generationId, seen)
      } finally {
        watch.end()
      }
    },
  }
}

interface Watch {
  /** Resolves with false when the follower has disconnected. */
  next(): Promise<boolean>
  end(): void
}

/** Remembers notifications that arrive while the follower is busy. */
function watchFor(notifier: Notifier, signal: AbortSignal, generationId: string | undefined): Watch {
  let rung = false
  let wake = () => {}
  const stop = notifier.listen(id => {
    if (generationId !== undefined && id !== generationId) return
    rung = true
    wake()
  })
  const onAbort = () => wake()
  signal.addEventListener('abort', onAbort)
  return {
    async next() {
      while (!rung && !signal.aborted) await new Promise<void>(resolve => (wake = resolve))
      rung = false
      return !signal.aborted
    },
    end() {
      stop()
      signal.removeEventListener('abort', onAbort)
    },
  }
}

async function* followAll(
  store: Store,
  watch: Watch,
  after: number | undefined,
  owner: string | undefined,
): AsyncGenerator<GenerationEvent> {
  let seen = after ?? (await store.generations.revision())
  if (after === undefined) {
    for (const generation of await store.generations.unfinished(owner)) yield eventOf(generation)
  }
  do {
    for (;;) {
      const changes = await changesSince(store, seen, owner)
      for (const change of changes) {
        yield change
        seen = change.revision
      }
      if (changes.length < pageSize) break
    }
  } while (await watch.next())
}

const pageSize = 100

/** Changed and removed generations in the order of their revisions, a page at a time. */
async function changesSince(store: Store, revision: number, owner: string | undefined): Promise<GenerationEvent[]> {
  const changed = await store.generations.changedSince(revision, pageSize, owner)
  const removed = await store.generations.removedSince(revision, pageSize, owner)
  const events: GenerationEvent[] = [
    ...changed.map(eventOf),
    ...removed.map(({ id, revision }): GenerationEvent => ({ type: 'removed', revision, id })),
  ]
  return events.sort((a, b) => a.revision - b.revision).slice(0, pageSize)
}

async function* followOne(
  store: Store,
  watch: Watch,
  id: string,
  after: number | undefined,
): AsyncGenerator<GenerationEvent> {
  let seen = after ?? -1
  do {
    const generation = await store.generations.find(id)
    if (!generation) {
      const revision = await store.generations.removalOf(id)
      if (revision !== undefined) yield { type: 'removed', revision, id }
      return
    }
    // The final state is sent once more, whatever the client saw: otherwise it could not know that the stream is complete.
    if (generation.revision > seen || hasEnded(generation.status)) yield eventOf(generation)
    seen = generation.revision
    if (hasEnded(generation.status)) return
  } while (await watch.next())
}

function eventOf(generation: GenerationRecord): GenerationEvent {
  return { type: 'generation', revision: generation.revision, generation }
}
