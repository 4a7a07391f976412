/** Fair turns between owners who wait for the same resource, and places that are given out in turn. */

/** Evicting the oldest turns only makes their owners newcomers again. */
const maxRemembered = 10_000

/** The owner in a line whose last turn is longest ago is next. */
export function createTurns() {
  const last = new Map<string, number>()
  let count = 0
  return {
    /** Grows with every turn; 0 for an owner without a turn in this line. */
    lastOf: (line: string, owner: string | null) => last.get(joinKey(line, owner)) ?? 0,
    take(line: string, owner: string | null) {
      const key = joinKey(line, owner)
      // Maps keep insertion order.
      last.delete(key)
      last.set(key, ++count)
      const oldest = last.size > maxRemembered ? last.keys().next().value : undefined
      if (oldest !== undefined) last.delete(oldest)
    },
  }
}

function joinKey(line: string, owner: string | null) {
  return `${owner ?? ''} ${line}`
}

export interface Places {
  /** Waits for a place in the line. @throws the reason of `signal` */
  enter(line: string, owner: string | null, signal?: AbortSignal): Promise<HeldPlace>
}

export interface HeldPlace {
  /**
   * Continues without the place, so that others can have it. The number of those is limited; without room the place is kept until
   * there is.
   */
  stepAside(): void
  /** Releases everything; idempotent. */
  leave(): void
}

interface Waiter {
  line: string
  owner: string | null
  resolve(place: HeldPlace): void
}

interface Line {
  held: number
  aside: number
  /** Waits to step aside. */
  eager: Set<() => void>
}

/** `max`: places in all; `maxPerLine`: of one line; `maxAsidePerLine`: of one line that have stepped aside. */
export function createPlaces(limits: { max: number; maxPerLine: number; maxAsidePerLine: number }): Places {
  const turns = createTurns()
  const waiters = new Set<Waiter>()
  const lines = new Map<string, Line>()
  let held = 0

  return {
    async enter(line, owner, signal) {
      signal?.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<HeldPlace>()
      const waiter = { line, owner, resolve }
      const leave = () => {
        waiters.delete(waiter)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', leave)
      waiters.add(waiter)
      giveOut()
      try {
        return await promise
      } finally {
        signal?.removeEventListener('abort', leave)
      }
    },
  }

  function giveOut() {
    while (held < limits.max) {
      let next: Waiter | undefined
      for (const waiter of waiters) {
        if ((lines.get(waiter.line)?.held ?? 0) >= limits.maxPerLine) continue
        if (!next || lastOf(waiter) < lastOf(next)) next = waiter
      }
      if (!next) return
      waiters.delete(next)
      turns.take(next.line, next.owner)
      next.resolve(placeIn(next.line))
    }
  }

  function lastOf({ line, owner }: Waiter) {
    return turns.lastOf(line, owner)
  }

  function placeIn(name: string): HeldPlace {
    const line = lines.get(name) ?? { held: 0, aside: 0, eager: new Set() }
    lines.set(name, line)
    line.held++
    held++
    let state: 'held' | 'aside' | 'left' = 'held'
    const stepAside = () => {
      if (state !== 'held') return
      if (line.aside >= limits.maxAsidePerLine) {
        line.eager.add(stepAside)
        return
      }
      state = 'aside'
      line.eager.delete(stepAside)
      line.aside++
      line.held--
      held--
      giveOut()
    }
    return {
      stepAside,
      leave() {
        if (state === 'left') return
        if (state === 'aside') line.aside--
        else {
          line.held--
          held--
        }
        state = 'left'
        line.eager.delete(stepAside)
        const [eager] = line.eager
        eager?.()
        if (line.held === 0 && line.aside === 0) lines.delete(name)
        giveOut()
      },
    }
  }
}
