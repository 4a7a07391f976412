/**
 * Which configuration sends a paid request, and when. Those of one service at one address share its work by their weights, each within
 * its own limits; one that rests after a rate limit, or is left aside, leaves its part to the others. Counted in this process.
 *
 * One that its service refused is tried again by itself, because a refusal costs nothing: when its time has come, by one request at a
 * time. A configuration that is named, or has no other beside it, is tried whenever it is asked for.
 */
import type { Catalogue } from '../providers/registry.ts'
import type { CallRecord } from '../storage/calls.ts'
import type { ConfigurationRecord, Suspension } from '../storage/records.ts'
import type { Pauses } from './pauses.ts'
import { createTurns } from './turns.ts'

export interface Pool {
  /**
   * Waits until a configuration may send the call, and takes its place there; `none` when there is none left that could. Undefined
   * when a signal ends the wait.
   */
  enter(placement: PlacementRequest, signal: AbortSignal): Promise<Lease | 'none' | undefined>
  /** Could one that was not tried yet send it? */
  isThereAnother(placement: PlacementRequest): Promise<boolean>
  /** Sends nothing with it for so long, because its service asked to slow down. */
  rest(configId: string, ms: number): void
  /** Its service does not give it this model: others go first for a while. */
  avoid(configId: string, model: string): void
  stateOf(configuration: ConfigurationRecord): ConfigurationState
  /** Something about the configurations was changed. */
  refresh(): void
  close(): void
}

export interface PlacementRequest {
  call: CallRecord
  /** Whose it is: those of several take turns. Null where nobody is told apart. */
  owner: string | null
  /** ISO 8601: what was asked for before a refusal shares it and is not tried once more. */
  askedAt: string
  /** Were asked already; others go first. */
  tried: ReadonlySet<string>
  /** Cannot send it, whatever happens. */
  without: ReadonlySet<string>
}

export interface Lease {
  configId: string
  /** Its service refused it the last time. */
  isTrial: boolean
  /** Gives the place back. */
  release(): void
}

export interface ConfigurationState {
  status: 'ready' | 'resting' | 'taken_out' | 'off'
  /** ms since 1970: the end of a rest, or when one that is suspended may be tried again. */
  until?: number
  /** Paid requests that are under way with it. */
  running: number
}

/** A model that an account does not have may be opened for it at any time. */
const avoidedMs = 10 * 60_000
const rateWindowMs = 60_000
/** Of one configuration that sets no number of its own, whatever the models take: each may hold large references. */
const maxRunningOfAll = 64

interface Waiter extends PlacementRequest {
  /** What is the same for all of them: where they could go, and whose they are. */
  lane: string
  resolve(turn: Lease | 'none'): void
  reject(error: unknown): void
}

export function createPool(parts: {
  /** Newest stored first, then those of the environment. */
  list(): Promise<ConfigurationRecord[]>
  addressOf(configuration: ConfigurationRecord): string
  catalogue: Catalogue
  pauses: Pauses
}): Pool {
  const { pauses } = parts
  const waiters = new Set<Waiter>()
  // Times of this process (`performance.now()`): a clock that is put back makes nobody wait for it.
  const restsUntil = new Map<string, number>()
  const avoidedUntil = new Map<string, number>()
  const running = new Map<string, number>()
  const sentAt = new Map<string, number[]>()
  /** Left aside, and tried by a request that is under way. */
  const trials = new Set<string>()
  /** Smooth weighted round robin: who has the most credit is next, and pays for all that could have been. */
  const credits = new Map<string, number>()
  const turns = createTurns()
  let isLooking = false
  let isStale = false
  let alarm: NodeJS.Timeout | undefined

  return {
    async enter(placement, signal) {
      if (signal.aborted) return undefined
      const { promise, resolve, reject } = Promise.withResolvers<Lease | 'none' | undefined>()
      const waiter: Waiter = { ...placement, lane: laneOf(placement), resolve, reject }
      const leave = () => {
        waiters.delete(waiter)
        resolve(undefined)
      }
      signal.addEventListener('abort', leave)
      waiters.add(waiter)
      scan()
      try {
        return await promise
      } finally {
        waiters.delete(waiter)
        signal.removeEventListener('abort', leave)
      }
    },
    async isThereAnother(placement) {
      return (
        placement.call.mayMove &&
        candidatesFor(placement, await parts.list()).some(({ id }) => !placement.tried.has(id))
      )
    },
    rest(configId, ms) {
      restsUntil.set(configId, Math.max(performance.now() + ms, restsUntil.get(configId) ?? 0))
    },
    avoid(configId, model) {
      avoidedUntil.set(keyOf(configId, model), performance.now() + pauses.scaled(avoidedMs))
    },
    stateOf(configuration) {
      const restMs = (restsUntil.get(configuration.id) ?? 0) - performance.now()
      const count = running.get(configuration.id) ?? 0
      if (!configuration.isActive || !configuration.hasKey) return { status: 'off', running: count }
      const { suspension } = configuration
      if (suspension) return { status: 'taken_out', until: Date.parse(suspension.retryAt), running: count }
      return restMs > 0
        ? { status: 'resting', until: Date.now() + restMs, running: count }
        : { status: 'ready', running: count }
    },
    refresh: scan,
    close: () => clearTimeout(alarm),
  }

  /** One look at a time; whatever changes during one is looked at after it. */
  function scan() {
    isStale = true
    if (!isLooking) void lookUntilFresh()
  }

  async function lookUntilFresh() {
    isLooking = true
    while (isStale && waiters.size > 0) {
      isStale = false
      await look().catch(error => {
        for (const waiter of waiters) waiter.reject(error)
      })
    }
    isLooking = false
  }

  /** Lane by lane, because thousands may wait and few differ in where they could go. */
  async function look() {
    const all = await parts.list()
    const lanes = [...Map.groupBy(waiters, waiter => laneAmong(all, waiter)).values()].flatMap(lane => {
      const first = lane[0]!
      const candidates = candidatesFor(first, all)
      const own = all.find(({ id }) => id === first.call.configId)
      const line = `${own ? parts.addressOf(own) : ''} ${first.call.model}`
      if (candidates.length > 0) return [{ waiters: lane, candidates, line }]
      for (const waiter of lane) end(waiter, 'none')
      return []
    })
    const freeIn = ({ waiters: [first], candidates }: (typeof lanes)[number]) =>
      first ? candidates.filter(one => waitMs(one, first.call) <= 0) : []
    for (;;) {
      const ready = lanes.filter(lane => freeIn(lane).length > 0)
      if (ready.length === 0) break
      const lastOf = ({ line, waiters: [first] }: (typeof lanes)[number]) => turns.lastOf(line, first!.owner)
      const next = ready.reduce((best, lane) => (lastOf(lane) < lastOf(best) ? lane : best))
      const free = freeIn(next)
      const waiter = next.waiters.shift()!
      turns.take(next.line, waiter.owner)
      end(waiter, occupy(choose(free, waiter), waiter.call))
    }
    const waits = lanes.flatMap(({ waiters: [first], candidates }) =>
      first ? candidates.map(one => waitMs(one, first.call)) : [],
    )
    const nextMs = Math.min(...waits)
    clearTimeout(alarm)
    // Without a time something is running, and looks again when it ends.
    if (Number.isFinite(nextMs)) alarm = setTimeout(scan, Math.min(nextMs, 60_000)).unref()
  }

  function end(waiter: Waiter, turn: Lease | 'none') {
    waiters.delete(waiter)
    waiter.resolve(turn)
  }

  function candidatesFor({ call, without, askedAt }: PlacementRequest, all: ConfigurationRecord[]) {
    const own = all.find(({ id }) => id === call.configId)
    if (!own) return []
    const isListed = parts.catalogue.find(call.model, call.provider)?.model.state !== 'unlisted'
    const usable = call.mayMove ? all.filter(isUsable) : []
    const sharers = poolOf(own, usable, { model: call.model, isListed, addressOf: parts.addressOf })
    // One that was switched off sends what was written for it, when there is no other.
    const sharing = sharers.length > 0 ? sharers : [own]
    const isAlone = sharing.length === 1
    const could = sharing.filter(({ id }) => !without.has(id))
    const open = could.filter(({ id, suspension }) => {
      if (!suspension) return true
      return !trials.has(id) && (isDue(suspension) || (isAlone && askedAt >= suspension.at))
    })
    // How a trial that is under way ends decides for those who wait as well.
    return open.length > 0 ? open : could.filter(({ id }) => trials.has(id))
  }

  /** How long until this one may send the call; infinite while something must end first. */
  function waitMs(configuration: ConfigurationRecord, { model, provider }: CallRecord): number {
    const { id, requestsPerMinute } = configuration
    const concurrency = parts.catalogue.find(model, provider)?.model.concurrency ?? 1
    if (configuration.suspension && trials.has(id)) return Number.POSITIVE_INFINITY
    if ((running.get(id) ?? 0) >= (configuration.maxRunning ?? maxRunningOfAll)) return Number.POSITIVE_INFINITY
    if ((running.get(keyOf(id, model)) ?? 0) >= concurrency) return Number.POSITIVE_INFINITY
    const now = performance.now()
    const rest = (restsUntil.get(id) ?? 0) - now
    if (requestsPerMinute === null) return rest
    const windowMs = pauses.scaled(rateWindowMs)
    const sent = (sentAt.get(id) ?? []).filter(at => at > now - windowMs)
    sentAt.set(id, sent)
    const oldest = sent.at(-requestsPerMinute)
    return oldest === undefined ? rest : Math.max(rest, oldest + windowMs - now)
  }

  function choose(free: ConfigurationRecord[], { call, tried }: PlacementRequest): ConfigurationRecord {
    const rank = ({ id }: ConfigurationRecord) =>
      (tried.has(id) ? 2 : 0) + ((avoidedUntil.get(keyOf(id, call.model)) ?? 0) > performance.now() ? 1 : 0)
    const least = Math.min(...free.map(rank))
    const first = free.filter(one => rank(one) === least)
    const credit = ({ id }: ConfigurationRecord) => credits.get(id) ?? 0
    for (const one of first) credits.set(one.id, credit(one) + one.weight)
    const chosen = first.reduce((best, one) => (credit(one) > credit(best) ? one : best))
    credits.set(chosen.id, credit(chosen) - first.reduce((sum, one) => sum + one.weight, 0))
    return chosen
  }

  function occupy({ id, requestsPerMinute, suspension }: ConfigurationRecord, { model }: CallRecord): Lease {
    const keys = [id, keyOf(id, model)]
    for (const key of keys) running.set(key, (running.get(key) ?? 0) + 1)
    if (requestsPerMinute !== null) sentAt.set(id, [...(sentAt.get(id) ?? []), performance.now()])
    const isTrial = suspension !== null
    if (isTrial) trials.add(id)
    let isReleased = false
    return {
      configId: id,
      isTrial,
      release() {
        if (isReleased) return
        isReleased = true
        if (isTrial) trials.delete(id)
        for (const key of keys) running.set(key, (running.get(key) ?? 1) - 1)
        scan()
      },
    }
  }
}

/**
 * Those of `usable` that share the work of a configuration: of the same service, at the same address. What only one account knows, such
 * as an endpoint of it, is for the configurations that name it.
 */
export function poolOf(
  own: ConfigurationRecord,
  usable: readonly ConfigurationRecord[],
  options: { model: string; isListed: boolean; addressOf(configuration: ConfigurationRecord): string },
): readonly ConfigurationRecord[] {
  const { model, isListed, addressOf } = options
  const address = addressOf(own)
  const siblings = usable.filter(one => one.provider === own.provider && addressOf(one) === address)
  const naming = siblings.filter(one => one.model === model)
  return isListed || naming.length === 0 ? siblings : naming
}

function isUsable({ isActive, hasKey }: ConfigurationRecord) {
  return isActive && hasKey
}

/** May it be tried again? A refusal that lies ahead was noted before the clock was put back, and nobody knows how long ago that was. */
export function isDue({ at, retryAt }: Suspension) {
  const now = Date.now()
  return Date.parse(retryAt) <= now || Date.parse(at) > now
}

function laneAmong(all: readonly ConfigurationRecord[], { lane, call, askedAt }: Waiter) {
  const suspension = all.find(({ id }) => id === call.configId)?.suspension
  return suspension ? `${lane} ${askedAt >= suspension.at}` : lane
}

function laneOf({ call, owner, tried, without }: PlacementRequest) {
  const { configId, provider, model, mayMove } = call
  return JSON.stringify([owner, configId, provider, model, mayMove, ...tried, 'without', ...without])
}

function keyOf(configId: string, model: string) {
  return `${configId} ${model}`
}
