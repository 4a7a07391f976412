/**
 * One simulated world: a clock that moves from event to event, the trace of what happened, and the life of the program in it. What
 * belongs to the program ends with a crash; what is outside of it (services, clients, requests on their way) goes on.
 */
import { setImmediate as realImmediate } from 'node:timers'
import type { Chance } from './chance.ts'

/** `program`: ends with the life of the program in which it was planned. `outside`: goes on. */
export type Owner = 'program' | 'outside'

interface Planned {
  at: number
  order: number
  label: string
  life: number | undefined
  run(): void
}

export interface PlannedEvent {
  cancel(): void
}

/** Thrown at everything that a program does after its crash. */
export class Crashed extends Error {
  override name = 'Crashed'
}

const soonMs = 1e-6
const maxEvents = 300_000

export class World {
  readonly chance: Chance
  /** What the program draws from: ids, nonces, jitter. */
  readonly programChance: Chance
  /** Milliseconds since the beginning of the history. */
  now = 0
  /** ms since 1970 at its beginning. */
  private readonly beganAt: number
  /** A name that is another one in each process. */
  private readonly hidden: string
  /** How far the clock on the wall was set away from the truth. */
  clockOffsetMs = 0
  /** Counts the starts of the program. */
  life = 0
  isCrashed = true
  /** Told in words; undefined where only the hash is wanted. */
  readonly story: string[] | undefined
  private hash = 0x811c9dc5
  private count = 0
  private events = 0
  private order = 0
  private readonly queue: Planned[] = []
  private readonly repeated = new Set<Repeated>()
  /** Called before each event and each statement: may crash the program. */
  onInstant: (what: string) => void = () => {}

  constructor(chance: Chance, options: { beganAt: number; isTold: boolean; hidden: string }) {
    this.chance = chance
    this.programChance = chance.fork()
    this.beganAt = options.beganAt
    this.hidden = options.hidden
    this.story = options.isTold ? [] : undefined
  }

  get wallMs() {
    return Math.floor(this.trueMs + this.clockOffsetMs)
  }

  /** What the clocks of the services show. */
  get trueMs() {
    return Math.floor(this.beganAt + this.now)
  }

  /** One line of the trace. */
  tell(told: string) {
    const what = told.replaceAll(this.hidden, '')
    this.count++
    let hash = this.hash
    for (let index = 0; index < what.length; index++) hash = Math.imul(hash ^ what.charCodeAt(index), 0x01000193)
    this.hash = Math.imul(hash ^ Math.floor(this.now * 1000), 0x01000193) >>> 0
    this.story?.push(`${(this.now / 1000).toFixed(3).padStart(12)} s  ${this.life}  ${what}`)
  }

  /** Of everything that was told. */
  get trace() {
    return `${this.count.toString(16)}-${this.hash.toString(16).padStart(8, '0')}`
  }

  plan(owner: Owner, afterMs: number, label: string, run: () => void): PlannedEvent {
    if (owner === 'program' && this.isCrashed) return { cancel() {} }
    const at = this.now + Math.max(afterMs, soonMs)
    const event: Planned = { at, order: this.order++, label, life: owner === 'program' ? this.life : undefined, run }
    this.push(event)
    return { cancel: () => (event.run = nothing) }
  }

  /** Ticks that nobody waits for: between two events they come once, however much time lies there. */
  repeat(everyMs: number, run: () => void): PlannedEvent {
    const repeated = { everyMs, dueAt: this.now + everyMs, life: this.life, run }
    if (!this.isCrashed) this.repeated.add(repeated)
    return { cancel: () => void this.repeated.delete(repeated) }
  }

  /** Runs events until the condition holds, or until nothing is left or that time is over; true for the condition. */
  async runUntil(isReached: () => boolean, untilMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    await quiet()
    for (;;) {
      if (isReached()) return true
      const next = this.queue[0]
      if (!next || next.at > untilMs) {
        if (untilMs !== Number.POSITIVE_INFINITY) this.now = Math.max(this.now, untilMs)
        return false
      }
      if (await this.tick(next.at)) continue
      this.pop()
      if (++this.events > maxEvents)
        throw new Error(`a history of more than ${maxEvents} events does not come to its end`)
      if (next.run === nothing || (next.life !== undefined && (next.life !== this.life || this.isCrashed))) continue
      this.now = next.at
      if (next.life !== undefined) this.onInstant(next.label)
      if (next.life !== undefined && this.isCrashed) continue
      if (next.label !== '') this.tell(next.label)
      next.run()
      await quiet()
    }
  }

  /** The program is dead: nothing that it still tries has an effect. */
  crash() {
    this.isCrashed = true
    this.repeated.clear()
  }

  begin() {
    this.life++
    this.isCrashed = false
  }

  /** True when something ran before that time. */
  private async tick(beforeMs: number): Promise<boolean> {
    for (const repeated of this.repeated) {
      if (repeated.dueAt > beforeMs) continue
      const missed = Math.floor((beforeMs - repeated.dueAt) / repeated.everyMs)
      this.now = Math.max(this.now, repeated.dueAt + missed * repeated.everyMs)
      repeated.dueAt = this.now + repeated.everyMs
      repeated.run()
      await quiet()
      return true
    }
    return false
  }

  private push(event: Planned) {
    const { queue } = this
    let index = queue.push(event) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (isBefore(queue[parent]!, event)) break
      queue[index] = queue[parent]!
      index = parent
    }
    queue[index] = event
  }

  private pop() {
    const { queue } = this
    const last = queue.pop()!
    if (queue.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= queue.length) break
      if (child + 1 < queue.length && isBefore(queue[child + 1]!, queue[child]!)) child++
      if (isBefore(last, queue[child]!)) break
      queue[index] = queue[child]!
      index = child
    }
    queue[index] = last
  }
}

interface Repeated {
  everyMs: number
  dueAt: number
  life: number
  run(): void
}

function isBefore(one: Planned, other: Planned) {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}

function nothing() {}

/** Until no promise and no tick of the process is left to run. */
export function quiet(): Promise<void> {
  return new Promise(resolve => realImmediate(resolve))
}

/** The world that time, chance and disk of this process belong to. */
export const present: { world: World | undefined } = { world: undefined }
