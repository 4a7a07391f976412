/**
 * Sends what the ends of generations have left to be sent (`storage/ledger/announce.ts`), outside of their path. A message arrives at least
 * once: its row is written with the end, a lease says who tries it, and when that process dies another takes it over. The order in which
 * messages arrive is not promised.
 */
import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Pauses } from '../coordination/pauses.ts'
import type { OutgoingHttp } from '../outgoing/http.ts'
import type { DeliveryRecord, DueDelivery } from '../storage/deliveries.ts'
import type { Seal } from '../storage/secrets/seal.ts'
import type { Store } from '../storage/store.ts'
import { isAdmitted } from '../storage/users.ts'
import type { WebhookRecord } from '../storage/webhooks.ts'
import type { Observer } from '../telemetry/observer.ts'
import type { Addresses } from './addresses.ts'
import { type Attempt, attemptDelivery } from './attempt.ts'
import type { LinkTo } from './payload.ts'
import { choosePause } from './schedule.ts'
import { openSecrets } from './secrets.ts'

export interface DelivererParts {
  store: Pick<Store, 'webhooks' | 'deliveries' | 'users'>
  seal: Seal
  http: OutgoingHttp
  addresses: Addresses
  pauses: Pauses
  observer: Observer
  log: Logger
  linkTo: LinkTo
}

const maxRunning = 16
/** So that one receiver that is slow leaves the places to others, and is not flooded when it is back. */
const maxPerHost = 2
/** Longer than a try can take. */
const leaseMs = 90_000
/** Another process may have left something, or this clock may have been put right. */
const maxIdleMs = 60_000
/** Enough to find some host that is free. */
const pageSize = 20
/** Tries that are kept of each message. */
const maxKept = 30

export function createDeliverer(parts: DelivererParts) {
  const { store, pauses, log } = parts
  const running = new Map<string, Promise<void>>()
  const perHost = new Map<string, number>()
  const stopping = new AbortController()
  const lease = randomUUID()
  let isStarted = false
  let isStale = false
  let looking: Promise<void> | undefined
  let alarm: NodeJS.Timeout | undefined

  /** Looks one at a time; what comes meanwhile makes it look once more. */
  function wake() {
    if (!isStarted || stopping.signal.aborted) return
    isStale = true
    looking ??= lookUntilFresh().finally(() => {
      looking = undefined
      // Somebody may have woken it after its last look.
      if (isStale) wake()
    })
  }

  async function lookUntilFresh() {
    while (isStale && !stopping.signal.aborted) {
      isStale = false
      const nextMs = await look().catch(error => {
        log.warn({ err: error }, 'webhooks that are due could not be read; trying again')
        return pauses.storing(4)
      })
      clearTimeout(alarm)
      if (!stopping.signal.aborted) alarm = setTimeout(wake, nextMs).unref()
    }
  }

  /** Begins all that may be sent now. @returns milliseconds until something else is due */
  async function look(): Promise<number> {
    for (;;) {
      const busy = [...perHost].flatMap(([host, count]) => (count >= maxPerHost ? [host] : []))
      if (running.size >= maxRunning) return maxIdleMs
      const found = await store.deliveries.findDue(new Date().toISOString(), busy, pageSize)
      let begun = 0
      for (const due of found) if (await begin(due)) begun++
      if (begun > 0) continue
      const next = await store.deliveries.nextDue(busy)
      return next === undefined ? maxIdleMs : Math.min(Math.max(Date.parse(next) - Date.now(), 10), maxIdleMs)
    }
  }

  async function begin(due: DueDelivery): Promise<boolean> {
    const { id, host } = due
    const isBusy = (perHost.get(host) ?? 0) >= maxPerHost
    if (isBusy || running.size >= maxRunning || running.has(id) || stopping.signal.aborted) return false
    const until = new Date(Date.now() + pauses.scaled(leaseMs)).toISOString()
    const delivery = await store.deliveries.claim(due, lease, until)
    if (!delivery) return false
    // Others may have ended meanwhile.
    perHost.set(host, (perHost.get(host) ?? 0) + 1)
    const run = deliver(delivery)
      .catch(error => log.warn({ err: error, delivery: id }, 'a webhook could not be sent; trying again'))
      .finally(() => {
        running.delete(id)
        const left = (perHost.get(host) ?? 1) - 1
        if (left === 0) perHost.delete(host)
        else perHost.set(host, left)
        wake()
      })
    running.set(id, run)
    return true
  }

  async function deliver(delivery: DeliveryRecord) {
    const webhook = await store.webhooks.find(delivery.webhookId)
    const isWanted = webhook?.state === 'active' && (await isOwnerAdmitted(webhook))
    const secrets = isWanted ? openSecrets(parts.seal, webhook) : []
    if (!webhook || secrets.length === 0) {
      await store.deliveries.record(delivery.id, lease, { ...delivery, state: 'dropped', dueAt: null })
      return
    }
    const attempt = await attemptDelivery(parts, delivery, { secrets, ownerId: webhook.ownerId }, stopping.signal)
    if (attempt === 'stopped') {
      // The next process, or start, sends it at once.
      const dueAt = new Date().toISOString()
      await store.deliveries.record(delivery.id, lease, { ...delivery, dueAt })
      return
    }
    const outcome = await conclude(delivery, attempt, webhook.url !== null)
    const { status, durationMs } = attempt.record
    parts.observer.delivered(outcome)
    const line = { delivery: delivery.id, generation: delivery.generationId, status, ms: durationMs, outcome }
    log[outcome === 'given_up' ? 'warn' : 'info'](line, 'webhook')
  }

  /** A user may have been disabled since; the webhooks of a named token go with it. */
  async function isOwnerAdmitted({ ownerId }: WebhookRecord) {
    const user = ownerId === null ? undefined : await store.users.find(ownerId)
    return user === undefined || isAdmitted(user)
  }

  async function conclude(delivery: DeliveryRecord, attempt: Attempt, isOwnAddress: boolean) {
    const { record, isTaken, isGone, retryAfterMs } = attempt
    const { id, webhookId, triedSince } = delivery
    const tries = [...delivery.tries, record].slice(-maxKept)
    const inThisDay = tries.filter(({ at }) => at >= triedSince).length
    const elapsedMs = Date.now() - Date.parse(triedSince)
    const waitMs = isTaken || isGone ? undefined : choosePause(pauses, { tries: inThisDay, elapsedMs, retryAfterMs })
    const dueAt = waitMs === undefined ? null : new Date(Date.now() + waitMs).toISOString()
    const state = isTaken ? 'delivered' : dueAt === null ? 'failed' : 'pending'
    await store.deliveries.record(id, lease, { state, tries, dueAt })
    // An address that a request named is nobody's but that request's.
    if (isGone && isOwnAddress) await store.webhooks.change(webhookId, { state: 'gone' })
    return isTaken ? 'delivered' : dueAt === null ? 'given_up' : 'repeated'
  }

  return {
    start() {
      isStarted = true
      wake()
    },
    /** There is something new to send. */
    wake,
    /** What is being sent is broken off, and sent again by the next start. */
    async stop() {
      stopping.abort()
      clearTimeout(alarm)
      await looking
      await Promise.all(running.values())
    },
  }
}
