/** What a seed has in store: who asks for what and when, and the days on which it rains. */
import { type CallKind, callKinds } from '../test/support/call-kinds.ts'
import { calmService, type ServiceWeather } from './services/books.ts'
import type { Chance } from './world/chance.ts'
import type { DiskWeather } from './world/disk.ts'
import { calmNetwork, type NetworkWeather } from './world/network.ts'

export interface Order {
  name: string
  kind: CallKind
  atMs: number
  /** Of the client; without one it never asks twice. */
  key: string | undefined
  hasToken: boolean
  /** Asks twice at once, with the same key. */
  isDoubled: boolean
  waits: boolean
  cancelAfterMs: number | undefined
  retry: 'all' | 'missing' | undefined
  isRemoved: boolean
  /** Asks first what it would cost. */
  isEstimated: boolean
}

export interface Trouble {
  fromMs: number
  toMs: number
  service: ServiceWeather
  network: NetworkWeather
}

export interface DiskTrouble {
  fromMs: number
  toMs: number
  weather: DiskWeather
  isDatabaseFull: boolean
}

/** How a life of the program ends. */
export interface End {
  /** `kill`: what it wrote is there; `power`: only what it synced; `stop`: it is asked to end. */
  how: 'kill' | 'power' | 'stop'
  /** After so many instants of this life; for `stop` after so much time. */
  after: number
  downMs: number
}

export interface Plan {
  beganAt: number
  orders: Order[]
  troubles: Trouble[]
  /** The longest that a call of the disk takes on a good day: on a slow one syncs last as long as several steps. */
  diskMs: number
  diskTroubles: DiskTrouble[]
  ends: End[]
  /** By how much the clock is set, and when. */
  clocks: { atMs: number; offsetMs: number }[]
  /** From here on nothing goes wrong any more. */
  peaceMs: number
  caps: { all: number | undefined; token: number | undefined; configuration: number | undefined }
  /** A second key of the same service, which shares the work. */
  hasSecondKey: boolean
  /** Requests that one key may have under way; undefined: as many as its models allow. */
  maxRunning: number | undefined
  /** Somebody follows every change. */
  isFollowed: boolean
  /** Nothing goes wrong and nobody changes his mind, so every order must be made. */
  isCalm: boolean
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs

export function makePlan(chance: Chance): Plan {
  const isCalm = chance.happens(0.08)
  const peaceMs = isCalm ? 0 : chance.pick([20_000, 2 * minuteMs, 10 * minuteMs])
  const spanMs = isCalm ? 30_000 : peaceMs
  const orders = Array.from({ length: 1 + chance.below(4) }, (_, index) => makeOrder(chance, index + 1, spanMs, isCalm))
  const maybe = <T>(share: number, make: () => T) => (!isCalm && chance.happens(share) ? make() : undefined)
  const cap = () => maybe(0.12, () => 1 + chance.below(5))
  return {
    // Near the end of a month now and then.
    beganAt: chance.pick([Date.UTC(2026, 10, 12, 9), Date.UTC(2026, 10, 30, 23, 59, 30)]),
    orders,
    troubles: isCalm ? [] : Array.from({ length: chance.below(3) }, () => makeTrouble(chance, spanMs)),
    diskTroubles: Array.from({ length: isCalm || chance.happens(0.7) ? 0 : 1 }, () => makeDiskTrouble(chance, spanMs)),
    diskMs: chance.pick([0.5, 0.5, 0.5, 25]),
    ends: isCalm ? [] : Array.from({ length: chance.pick([0, 1, 1, 1, 2, 3]) }, () => makeEnd(chance)),
    clocks: Array.from({ length: isCalm || chance.happens(0.9) ? 0 : 1 + chance.below(2) }, () => ({
      atMs: chance.next() * spanMs,
      offsetMs: chance.pick([-1, 1]) * chance.pick([2_000, 10 * minuteMs, 5 * hourMs, 40 * 24 * hourMs]),
    })),
    peaceMs,
    caps: { all: cap(), token: cap(), configuration: cap() },
    hasSecondKey: chance.happens(0.3),
    maxRunning: chance.happens(0.2) ? 1 : undefined,
    isFollowed: chance.happens(0.4),
    isCalm,
  }
}

function makeOrder(chance: Chance, number: number, spanMs: number, isCalm: boolean): Order {
  const isKeyed = chance.happens(0.7)
  const maybe = <T>(share: number, make: () => T) => (!isCalm && chance.happens(share) ? make() : undefined)
  return {
    name: `order-${number}`,
    kind: chance.pick(callKinds),
    // Several at the same moment are worth a look.
    atMs: chance.happens(0.3) ? 100 : chance.next() ** 2 * spanMs,
    key: isKeyed ? `key-${number}` : undefined,
    hasToken: chance.happens(0.4),
    isDoubled: isKeyed && chance.happens(0.2),
    waits: chance.happens(0.6),
    cancelAfterMs: maybe(0.15, () => chance.next() ** 2 * minuteMs),
    retry: maybe(0.15, () => chance.pick(['all', 'missing'] as const)),
    isRemoved: maybe(0.06, () => true) ?? false,
    isEstimated: chance.happens(0.15),
  }
}

function makeTrouble(chance: Chance, spanMs: number): Trouble {
  const fromMs = chance.next() ** 2 * spanMs
  const share = chance.pick([0.1, 0.3, 0.6])
  const some = () => (chance.happens(0.4) ? chance.next() * share : 0)
  return {
    fromMs,
    toMs: fromMs + chance.between(5_000, spanMs),
    service: {
      maxMs: chance.pick([calmService.maxMs, 100, 60_000, 20 * minuteMs]),
      refusal: some(),
      fault: some(),
      cut: some(),
      lie: some(),
      picture: some(),
      lifeMs: chance.pick([calmService.lifeMs, calmService.lifeMs, hourMs, minuteMs]),
    },
    network: {
      refused: some(),
      silentConnect: chance.happens(0.1) ? share : 0,
      lostRequest: some() / 2,
      lostAnswer: some() / 2,
      maxMs: chance.pick([calmNetwork.maxMs, 2_000]),
    },
  }
}

function makeDiskTrouble(chance: Chance, spanMs: number): DiskTrouble {
  const fromMs = chance.next() * spanMs
  const kind = chance.pick(['full', 'slow', 'faulty'] as const)
  return {
    fromMs,
    toMs: fromMs + chance.between(1_000, spanMs),
    weather: {
      maxMs: kind === 'slow' ? chance.pick([200, 5_000]) : 0.5,
      isFull: kind === 'full',
      faulty: kind === 'faulty' ? chance.pick([0.02, 0.2]) : 0,
    },
    isDatabaseFull: kind === 'full' && chance.happens(0.7),
  }
}

function makeEnd(chance: Chance): End {
  const how = chance.pick(['kill', 'kill', 'power', 'power', 'stop'] as const)
  // Evenly over the orders of magnitude, so that a start is hit as well as what comes late.
  const after = how === 'stop' ? chance.next() ** 2 * 2 * minuteMs : Math.floor(10 ** chance.between(1.2, 3))
  return { how, after, downMs: chance.pick([100, 2_000, 30_000, hourMs, 25 * hourMs]) }
}
