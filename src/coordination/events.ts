/**
 * Notifies followers that something changed. A change that is the next one after what a follower saw, and came with its record, is passed
 * on; anything else is read from the database by revision, so nothing can be missed between two reads, and a client that reconnects
 * needs only the newest revision that it saw.
 */
import { EventEmitter } from 'node:events'
import { type GenerationRecord, hasEnded } from '../storage/records.ts'
import type { Store } from '../storage/store.ts'

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

export type Notifier = ReturnType<typeof createNotifier>

export function createNotifier() {
  const emitter = new EventEmitter().setMaxListeners(0)
  return {
    /** `record`: how it is after the change, where that is known. */
    notify: (id: string, record?: GenerationRecord) => void emitter.emit('change', id, record),
    /** Calls `listener` with the id of each generation that changed; returns a function that unsubscribes. */
    listen(listener: (generationId: string, record?: GenerationRecord) => void) {
      emitter.on('change', listener)
      return () => void emitter.off('change', listener)
    },
  }
}

export function createEvents(store: Store, notifier: Notifier, closing: AbortSignal): Events {
  return {
    async *follow({ generationId, after, owner, signal }) {
      const watch = watchFor(notifier, AbortSignal.any([signal, closing]), generationId)
      try {
        // An unknown revision comes from another state of the database, such as before a backup was restored.
        const isKnown = after !== undefined && after <= (await store.generations.revision())
        const seen = isKnown ? after : undefined
        const events =
          generationId === undefined
            ? followAll(store, watch, seen, owner)
            : followOne(store, watch, generationId, seen)
        for await (const event of events) {
          // A revision that a power cut takes back would come again with another change. A failing disk hides nothing: it is told why.
          await store.whenDurable().catch(() => {})
          yield event
        }
      } finally {
        watch.end()
      }
    },
  }
}

interface Watch {
  /** Resolves when there is news, with false when the follower has disconnected. */
  next(): Promise<boolean>
  /** The records of all changes since this was last asked, in order; undefined where some came without one. */
  take(): GenerationRecord[] | undefined
  /** The revisions of what `take` would return. */
  revisions(): number[]
  end(): void
}

/** Records that wait for a follower; one that is slower reads what it missed. */
const maxRecords = 100

/** Remembers notifications that arrive while the follower is busy. */
function watchFor(notifier: Notifier, signal: AbortSignal, generationId: string | undefined): Watch {
  let isNotified = false
  let records: GenerationRecord[] | undefined = []
  let wake = () => {}
  const stop = notifier.listen((id, record) => {
    if (generationId !== undefined && id !== generationId) return
    isNotified = true
    if (record && records && records.length < maxRecords) records.push(record)
    else records = undefined
    wake()
  })
  const onAbort = () => wake()
  signal.addEventListener('abort', onAbort)
  return {
    async next() {
      while (!isNotified && !signal.aborted) await new Promise<void>(resolve => (wake = resolve))
      return !signal.aborted
    },
    take() {
      const taken = records?.toSorted((a, b) => a.revision - b.revision)
      records = []
      isNotified = false
      return taken
    },
    revisions: () => records?.map(({ revision }) => revision) ?? [],
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
    // One that ended while the revision was being read is not after it, and is no longer among the unfinished.
    seen = Math.min(seen, ...watch.revisions().map(revision => revision - 1))
    for (const generation of await store.generations.unfinished(owner)) yield toEvent(generation)
  }
  do {
    const records = watch.take()
    const isComplete = records?.every(({ revision }, index) => revision === seen + 1 + index)
    if (records && records.length > 0 && isComplete) {
      for (const record of records) {
        seen = record.revision
        if (owner === undefined || record.ownerId === owner) yield toEvent(record)
      }
      continue
    }
    for (;;) {
      const changes = await readChanges(store, seen, owner)
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
async function readChanges(store: Store, revision: number, owner: string | undefined): Promise<GenerationEvent[]> {
  // What is committed between the two reads belongs to the next page: one of them has missed it.
  const newest = await store.generations.revision()
  const changed = await store.generations.changedSince(revision, pageSize, owner)
  const removed = await store.generations.removedSince(revision, pageSize, owner)
  const events: GenerationEvent[] = [
    ...changed.map(toEvent),
    ...removed.map(({ id, revision }): GenerationEvent => ({ type: 'removed', revision, id })),
  ]
  return events
    .filter(event => event.revision <= newest)
    .sort((a, b) => a.revision - b.revision)
    .slice(0, pageSize)
}

async function* followOne(
  store: Store,
  watch: Watch,
  id: string,
  after: number | undefined,
): AsyncGenerator<GenerationEvent> {
  let seen = after ?? -1
  do {
    const generation = watch.take()?.at(-1) ?? (await store.generations.find(id))
    if (!generation) {
      const revision = await store.generations.removalOf(id)
      if (revision !== undefined) yield { type: 'removed', revision, id }
      return
    }
    // The final state is sent once more, whatever the client saw: otherwise it could not know that the stream is complete.
    if (generation.revision > seen || hasEnded(generation.status)) yield toEvent(generation)
    seen = Math.max(seen, generation.revision)
    if (hasEnded(generation.status)) return
  } while (await watch.next())
}

function toEvent(generation: GenerationRecord): GenerationEvent {
  return { type: 'generation', revision: generation.revision, generation }
}
