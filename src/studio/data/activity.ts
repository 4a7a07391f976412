/** How much of what this browser asked for is under way, and what has ended while nobody looked. */
import { askedHere, lastAsked } from './asked.ts'
import { onGenerationEvent, unfinished } from './events.ts'
import type { Generation } from './generations.ts'
import { createStore } from './store.ts'

export interface Activity {
  running: number
  /** Of what ended while the tab was away; a failure stands until somebody looks. */
  ended?: 'done' | 'failed'
}

export const activity = createStore<Activity>({ running: 0 })

/** `onEnd` is called in one tab alone, and only while no tab of the studio is seen. */
export function followActivity(onEnd: (generation: Generation, running: number) => void) {
  const isAway = () => document.visibilityState === 'hidden'

  function count() {
    const asked = askedHere()
    const running = [...unfinished.get().keys()].filter(id => asked.has(id)).length
    if (running !== activity.get().running) activity.set({ ...activity.get(), running })
  }

  unfinished.subscribe(count)
  // The stream may tell of a generation before the answer does that names its id; another tab hears of that answer by the storage.
  lastAsked.subscribe(count)
  window.addEventListener('storage', count)
  onGenerationEvent((generation, { isEnd, mayTell }) => {
    if (!isEnd || !isAway() || generation.status === 'cancelled' || !askedHere().has(generation.id)) return
    const hasFailed = generation.status === 'failed' || activity.get().ended === 'failed'
    activity.set({ ...activity.get(), ended: hasFailed ? 'failed' : 'done' })
    if (mayTell) onEnd(generation, activity.get().running)
  })
  document.addEventListener('visibilitychange', () => {
    if (!isAway() && activity.get().ended) activity.set({ running: activity.get().running })
  })
  count()
}
