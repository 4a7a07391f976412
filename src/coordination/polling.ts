/**
 * How often tasks are polled: more often while they are young, because most end within seconds. The tasks that are polled with one key
 * share the rate that its service allows, and each pauses the longer the more of them there are, so that a new one finds no queue.
 * Counted in this process; another one with the same key has its own share.
 */
import type { Pauses } from './pauses.ts'

export interface PollShare {
  /** Waits until the rate of this key allows one more poll. */
  turn(access: Access): Promise<void>
  /** Milliseconds until the next poll of the task, which wants to pause this long. */
  stretch(pauseMs: number): number
  leave(): void
}

interface Access {
  apiKey: string
  baseUrl: string
}

/** Rate for services that document no limit. */
const usualMaxPerSecond = 10

const firstPauseMs = 1_000
const shortestPauseMs = 600
const longPauseMs = 5_000
const longestPauseMs = 10_000

/** Milliseconds until the next poll of a task of this age, in ms: a quarter of its age, up to 5 s, and 10 s when it is minutes old. */
export function choosePause(ageMs: number): number {
  if (ageMs === 0) return firstPauseMs
  const quarter = Math.min(ageMs / 4, longPauseMs)
  return Math.max(shortestPauseMs, quarter, Math.min(ageMs / 24, longestPauseMs))
}

interface Lane {
  tasks: number
  /** When the poll after the last one may leave. */
  free: Promise<void>
}

export type PollRates = ReturnType<typeof createPollRates>

/** `stopping` lets everyone go at once. */
export function createPollRates(pauses: Pauses, stopping: AbortSignal) {
  /** By key; kept when its tasks have ended, because the next may begin at once. */
  const lanes = new Map<string, Lane>()

  function findLane({ apiKey, baseUrl }: Access) {
    const name = `${baseUrl} ${apiKey}`
    const lane = lanes.get(name) ?? { tasks: 0, free: Promise.resolve() }
    lanes.set(name, lane)
    return lane
  }

  return {
    /** Registers one task, until it leaves. */
    enter(maxPerSecond = usualMaxPerSecond): PollShare {
      const apartMs = 1000 / maxPerSecond
      let lane: Lane | undefined
      const leave = () => {
        if (lane) lane.tasks--
        lane = undefined
      }
      return {
        async turn(access) {
          const found = findLane(access)
          if (found !== lane) {
            leave()
            lane = found
            lane.tasks++
          }
          const { free } = found
          const next = Promise.withResolvers<void>()
          found.free = next.promise
          await free
          // Counted from when this one leaves: what was held up together does not leave together.
          void pauses.wait(pauses.scaled(apartMs), stopping).then(next.resolve, next.resolve)
        },
        stretch: pauseMs => Math.max(pauseMs, (lane?.tasks ?? 0) * apartMs),
        leave,
      }
    },
  }
}
