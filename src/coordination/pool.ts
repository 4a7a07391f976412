/**
 * Which configuration sends a paid request, and when. Those of one service at one address share its work by their weights, each within
 * its own limits; one in cooldown or suspended leaves its share to the others. Counted in this process.
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
  /** Is there an untried configuration that could send it? */
  isThereAnother(placement: PlacementRequest): Promise<boolean>
  /** Starts a cooldown, because its service asked to slow down. */
  rest(configId: string, ms: number): void
  /** Notes that the service does not offer this model to the configuration: others are preferred for a while. */
  avoid(configId: string, model: string): void
  stateOf(configuration: ConfigurationRecord): ConfigurationState
  /** Called when configurations change. */
  refresh(): void
  close(): void
}

export interface PlacementRequest {
  call: CallRecord
  /** Owner; several owners take turns. Null where there are no tokens. */
  owner: string | null
  /** ISO 8601: a request from before a refusal shares it and is not tried again. */
  askedAt: string
  /** Already tried; others are preferred. */
  tried: ReadonlySet<string>
  /** Excluded for good. */
  excluded: ReadonlySet<string>
}

export interface Lease {
  configId: string
  /** The last request with it was refused. */
  isTrial: boolean
  /** Releases the place. */
  release(): void
}

export interface ConfigurationState {
  status: 'ready' | 'resting' | 'taken_out' | 'off'
  /** ms since 1970: the end of a cooldown, or when a suspended one may be tried again. */
  until?: number
  /** Paid requests in flight. */
  running: number
}

/** How long a configuration without the model is avoided: the account may open it at any time. */
const avoidedMs = 10 * 60_000
const rateWindowMs = 60_000
/** Limit for a configuration that sets none, whatever the models allow: each request may hold large references. */
const maxRunningOfAll = 64

interface Waiter extends PlacementRequest {
  /** A lane: requests with the same candidates and owner. */
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
  // Monotonic times (`performance.now()`): a clock that is put back makes nobody wait.
  const restsUntil = new Map<string, number>()
  const avoidedUntil = new Map<string, number>()
  const running = new Map<string, number>()
  const sentAt = new Map<string, number[]>()
  /** Suspended, with a trial in flight. */
  const trials = new Set<string>()
  /** Smooth weighted round robin: the candidate with the most credit is next, and pays the sum of all weights. */
  const credits = new Map<string, number>()
  const turns = createTurns()
  let isLooking = false
  let isStale = false
  let alarm: NodeJS.Timeout | undefined

  return {
    async enter(placement, signal) {
      if (signal.aborted) return undefined
      const { promise, resolve, reject } = Promise.withResolvers<Lease | 'none' | undefined>()
      const waiter: Waiter = { ...placement, lane: nameLane(placement), resolve, reject }
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
      avoidedUntil.set(joinKey(configId, model), performance.now() + pauses.scaled(avoidedMs))
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

  /** Runs one at a time; changes during a run start another one after it. */
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

  /** Lane by lane, because thousands may wait with few different sets of candidates. */
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
    // Without a time, a running request triggers the next run when it ends.
    if (Number.isFinite(nextMs)) alarm = setTimeout(scan, Math.min(nextMs, 60_000)).unref()
  }

  function end(waiter: Waiter, turn: Lease | 'none') {
    waiters.delete(waiter)
    waiter.resolve(turn)
  }

  function candidatesFor({ call, excluded, askedAt }: PlacementRequest, all: ConfigurationRecord[]) {
    const own = all.find(({ id }) => id === call.configId)
    if (!own) return []
    const isListed = parts.catalogue.find(call.model, call.provider)?.model.state !== 'unlisted'
    const usable = call.mayMove ? all.filter(isUsable) : []
    const members = findPool(own, usable, { model: call.model, isListed, addressOf: parts.addressOf })
    // A switched-off configuration still sends calls planned for it, if there is no other.
    const sharing = members.length > 0 ? members : [own]
    const isAlone = sharing.length === 1
    const could = sharing.filter(({ id }) => !excluded.has(id))
    const open = could.filter(({ id, suspension }) => {
      if (!suspension) return true
      return !trials.has(id) && (isDue(suspension) || (isAlone && askedAt >= suspension.at))
    })
    // The outcome of a trial in flight also decides for the waiting requests.
    return open.length > 0 ? open : could.filter(({ id }) => trials.has(id))
  }

  /** Milliseconds until this one may send the call; infinite while another request must end first. */
  function waitMs(configuration: ConfigurationRecord, { model, provider }: CallRecord): number {
    const { id, requestsPerMinute } = configuration
    const concurrency = parts.catalogue.find(model, provider)?.model.concurrency ?? 1
    if (configuration.suspension && trials.has(id)) return Number.POSITIVE_INFINITY
    if ((running.get(id) ?? 0) >= (configuration.maxRunning ?? maxRunningOfAll)) return Number.POSITIVE_INFINITY
    if ((running.get(joinKey(id, model)) ?? 0) >= concurrency) return Number.POSITIVE_INFINITY
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
      (tried.has(id) ? 2 : 0) + ((avoidedUntil.get(joinKey(id, call.model)) ?? 0) > performance.now() ? 1 : 0)
    const least = Math.min(...free.map(rank))
    const first = free.filter(one => rank(one) === least)
    const credit = ({ id }: ConfigurationRecord) => credits.get(id) ?? 0
    for (const one of first) credits.set(one.id, credit(one) + one.weight)
    const chosen = first.reduce((best, one) => (credit(one) > credit(best) ? one : best))
    credits.set(chosen.id, credit(chosen) - first.reduce((sum, one) => sum + one.weight, 0))
    return chosen
  }

  function occupy({ id, requestsPerMinute, suspension }: ConfigurationRecord, { model }: CallRecord): Lease {
    const keys = [id, joinKey(id, model)]
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
 * The members of `usable` in the pool of a configuration: of the same service, at the same address. Ids that only one account knows, such
 * as endpoint ids, are only for the configurations that name them.
 */
export function findPool(
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

/** May it be tried again? A refusal in the future was recorded before the clock was put back, so its age is unknown. */
export function isDue({ at, retryAt }: Suspension) {
  const now = Date.now()
  return Date.parse(retryAt) <= now || Date.parse(at) > now
}

function laneAmong(all: readonly ConfigurationRecord[], { lane, call, askedAt }: Waiter) {
  const suspension = all.find(({ id }) => id === call.configId)?.suspension
  return suspension ? `${lane} ${askedAt >= suspension.at}` : lane
}

function nameLane({ call, owner, tried, excluded }: PlacementRequest) {
  const { configId, provider, model, mayMove } = call
  return JSON.stringify([owner, configId, provider, model, mayMove, ...tried, 'without', ...excluded])
}

function joinKey(configId: string, model: string) {
  return `${configId} ${model}`
}
