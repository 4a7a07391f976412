import { expect, test } from 'vitest'
import { createEvents, createNotifier } from '../../src/coordination/events.ts'
import type { Store } from '../../src/storage/store.ts'
import { generation } from '../server/harness.ts'

const running = generation({ status: 'running', finishedAt: null, images: [], revision: 7 })

function eventsOf(changed: (typeof running)[] = []) {
  const generations: Partial<Store['generations']> = {
    revision: async () => 7,
    unfinished: async () => [running],
    find: async () => running,
    changedSince: async () => changed,
    removedSince: async () => [],
  }
  return createEvents(
    { generations, whenDurable: async () => {} } as Store,
    createNotifier(),
    new AbortController().signal,
  )
}

async function first(options: { after: number; generationId?: string }, changed?: (typeof running)[]) {
  const gone = new AbortController()
  const events = eventsOf(changed).follow({
    owner: undefined,
    generationId: undefined,
    ...options,
    signal: gone.signal,
  })
  const { value } = await events[Symbol.asyncIterator]().next()
  gone.abort()
  return value
}

test('a revision that was never given out, as after a restored backup, begins anew with what is unfinished', async () => {
  expect(await first({ after: 99 })).toMatchObject({ type: 'generation', revision: 7 })
  expect(await first({ after: 99, generationId: 'g1' })).toMatchObject({ type: 'generation', revision: 7 })
})

test('a revision that was given out brings what changed since, and not what is merely unfinished', async () => {
  const changed = generation({ id: 'g2', revision: 6 })

  expect(await first({ after: 5 }, [changed])).toMatchObject({ revision: 6, generation: { id: 'g2' } })
})

test('what ends while a follower begins is told, although it is no longer unfinished', async () => {
  const ended = generation({ id: 'g2', revision: 8 })
  const notifier = createNotifier()
  const gone = new AbortController()
  const generations: Partial<Store['generations']> = {
    async revision() {
      notifier.notify('g2', ended)
      return 8
    },
    unfinished: async () => [],
  }
  const store = { generations, whenDurable: async () => {} } as Store
  const events = createEvents(store, notifier, gone.signal).follow({ owner: undefined, signal: gone.signal })

  expect((await events[Symbol.asyncIterator]().next()).value).toMatchObject({ revision: 8, generation: { id: 'g2' } })
  gone.abort()
})
