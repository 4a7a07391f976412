/**
 * Caps: what may be spent in a calendar month (UTC) by a token, with a configuration, and by all. A request reserves the most that it
 * may cost in the transaction that writes it, before anything is sent; when it has ended, what it did cost takes that place.
 */

import type { Warning } from '../catalogue/model.ts'
import { Refusal } from '../errors.ts'
import type { CallRecord } from '../storage/calls.ts'
import type { Caps, ConfigurationRecord, GenerationRecord, Money } from '../storage/records.ts'
import type { Period, Reservation, Spent, Totals } from '../storage/spending.ts'
import type { Repositories } from '../storage/store.ts'
import type { Caller, Remaining } from './accounts.ts'

export type Scope = 'token' | 'configuration' | 'all'

/** What is left of a cap that a request would exceed, or that could not be enforced for it. */
export interface Shortage {
  scope: Scope
  /** Of the cap that is too small; the other is undefined. */
  left?: Money
  leftImages?: number
  /** The variable that holds the cap; undefined where an administrator can raise it. */
  variable?: string
  renewsAt: string
}

/** A request would go over a cap; nothing was written or sent. */
export class BudgetExceeded extends Refusal {
  override name = 'BudgetExceeded'
  readonly shortage: Shortage

  constructor(message: string, shortage: Shortage) {
    super('budget_exceeded', message)
    this.shortage = shortage
  }
}

interface Limit {
  scope: Scope
  /** Of the token or the configuration. */
  name?: string
  caps: Caps
  by: { tokenId?: string; configId?: string }
  /** Of a cap that comes from the environment: its variable for money; that for pictures ends with `_IMAGES`. */
  variable?: string
}

export interface Budget {
  /**
   * Writes the reservation, in the transaction that writes the generation; warnings where a cap cannot be kept in full.
   * @throws BudgetExceeded; Refusal `not_allowed` when the token was revoked meanwhile
   */
  reserve(repositories: Repositories, wanted: Reservation & { caller: Caller }): Promise<Warning[]>
  /**
   * A planned call goes to another configuration of the same service, and its part of the reservation with it, in the transaction that
   * moves it. False when the monthly cap of that one has no room for it; nothing was written then.
   */
  shift(repositories: Repositories, call: CallRecord, to: string): Promise<boolean>
}

/** `forAll` are the caps for all together; `ofEnvironment` are the configurations that have no row. */
export function createBudget(forAll: Caps, ofEnvironment: readonly ConfigurationRecord[]): Budget {
  return {
    async reserve(repositories, { caller, ...wanted }) {
      const { spending } = repositories
      const limits = (await limitsOf(repositories, caller, wanted.configId)).filter(isSet)
      const warnings: Warning[] = []
      if (limits.length > 0) {
        await spending.lock()
        const month = monthOf(wanted.timestamp)
        for (const limit of limits) {
          const shortage = shortageOf(limit, wanted, await spending.totals(month, limit.by), month)
          if (shortage) throw new BudgetExceeded(sentence(limit, wanted, shortage), shortage)
          const warning = warningOf(limit, wanted)
          if (warning) warnings.push(warning)
        }
      }
      await spending.reserve(wanted)
      return warnings
    },

    async shift(repositories, call, to) {
      const { spending } = repositories
      // Two calls of one generation may move concurrently, each with its share of the same row.
      await spending.lock()
      const part = await spending.partOf(call.generationId, call.configId, call.images)
      if (!part) return true
      const limit = await limitOfConfiguration(repositories, to)
      if (limit && isSet(limit)) {
        const month = monthOf(part.timestamp)
        if (shortageOf(limit, part, await spending.totals(month, limit.by), month)) return false
      }
      await spending.shift(part, to)
      return true
    },
  }

  /** Read in the transaction, so that a cap or token that was changed a moment ago applies. */
  async function limitsOf(repositories: Repositories, { tokenId }: Caller, configId: string): Promise<Limit[]> {
    const limits: Limit[] = []
    if (tokenId !== null) {
      const token = await repositories.tokens.find(tokenId)
      if (!token) throw new Refusal('not_allowed', 'This token was revoked.')
      limits.push({ scope: 'token', name: token.name, caps: token, by: { tokenId } })
    }
    const ofConfiguration = await limitOfConfiguration(repositories, configId)
    if (ofConfiguration) limits.push(ofConfiguration)
    limits.push({ scope: 'all', caps: forAll, by: {}, variable: 'MONTHLY_CAP' })
    return limits
  }

  async function limitOfConfiguration({ configurations }: Repositories, configId: string): Promise<Limit | undefined> {
    const fixed = ofEnvironment.find(({ id }) => id === configId)
    const caps = fixed ?? (await configurations.find(configId))
    return (
      caps && {
        ...{ scope: 'configuration', name: caps.name, caps, by: { configId } },
        variable: fixed && `${fixed.provider.toUpperCase()}_MONTHLY_CAP`,
      }
    )
  }
}

function isSet({ caps }: Limit) {
  return caps.monthlyCap !== null || caps.monthlyImages !== null
}

/**
 * What the calls of a generation that has ended did cost with one configuration; `keep`: the reservation stays, because it may have been
 * billed.
 */
export function settlementOf(
  ended: GenerationRecord,
  calls: readonly CallRecord[],
  cost: Money | null,
): Spent | 'keep' {
  if (ended.charge === 'unknown') return 'keep'
  const paid = calls.filter(call => call.charge === 'charged')
  if (paid.length === 0) return { images: 0, calls: 0, cost: null, isUnknown: false }
  const billed = paid.reduce((sum, call) => sum + (call.billedImages ?? 0), 0)
  const stored = ended.images.filter(image => paid.some(call => call.id === image.callId)).length
  return { images: Math.max(stored, billed), calls: paid.length, cost, isUnknown: cost === null }
}

/** What this month leaves of the caps of a token, or without one of those for all; never under zero. */
export async function remainingOf(
  { spending }: Pick<Repositories, 'spending'>,
  { monthlyCap, monthlyImages }: Caps,
  by: { tokenId?: string },
): Promise<Remaining> {
  const month = monthOf(new Date().toISOString())
  const totals = await spending.totals(month, by)
  return {
    left: monthlyCap && { amount: leftOf(monthlyCap, totals), currency: monthlyCap.currency },
    leftImages: monthlyImages === null ? null : Math.max(0, monthlyImages - totals.images),
    renewsAt: month.to,
  }
}

/** The calendar month that a time lies in, in UTC. */
export function monthOf(time: string): Period {
  const date = new Date(time)
  const start = (month: number) => new Date(Date.UTC(date.getUTCFullYear(), month, 1)).toISOString()
  return { from: start(date.getUTCMonth()), to: start(date.getUTCMonth() + 1) }
}

function shortageOf(limit: Limit, wanted: Reservation, totals: Totals, month: Period): Shortage | undefined {
  const { monthlyCap, monthlyImages } = limit.caps
  const base = { scope: limit.scope, variable: limit.variable, renewsAt: month.to }
  if (monthlyImages !== null && totals.images + wanted.images > monthlyImages) {
    const variable = limit.variable && `${limit.variable}_IMAGES`
    return { ...base, variable, leftImages: Math.max(0, monthlyImages - totals.images) }
  }
  if (monthlyCap === null) return undefined
  const left = leftOf(monthlyCap, totals)
  // Without a price a cap in money alone would let anything through.
  const isOver = isPriced(wanted, monthlyCap)
    ? millionths(wanted.cost.amount) > millionths(left)
    : monthlyImages === null
  return isOver ? { ...base, left: { amount: left, currency: monthlyCap.currency } } : undefined
}

function isPriced(wanted: Reservation, { currency }: Money): wanted is Reservation & { cost: Money } {
  return wanted.cost?.currency === currency
}

function leftOf(cap: Money, { amounts }: Totals) {
  const spent = amounts.find(({ currency }) => currency === cap.currency)?.amount ?? 0
  return Math.max(0, (millionths(cap.amount) - millionths(spent)) / 1e6)
}

/** Integers can be compared exactly; sums of decimal fractions cannot. */
function millionths(amount: number) {
  return Math.round(amount * 1e6)
}

function holderOf({ scope, name }: Limit) {
  return scope === 'all' ? 'this server' : `the ${scope} "${name}"`
}

function sentence(limit: Limit, wanted: Reservation, { left, leftImages, variable, renewsAt }: Shortage) {
  const name = holderOf(limit)
  if (left && !isPriced(wanted, left)) {
    const pictures = limit.variable ? `a cap in pictures (${limit.variable}_IMAGES)` : 'a cap in pictures'
    return (
      `The monthly cap of ${name} is in ${left.currency}, and no price in ${left.currency} is known for ${wanted.model}, so the cap could ` +
      `not be enforced. Nothing was sent. The operator of the server can give the price in PRICES_FILE, or set ${pictures} beside it.`
    )
  }
  const { images, cost } = wanted
  const day = `${renewsAt.slice(0, 10)} (UTC)`
  const rest =
    left === undefined
      ? `leaves ${many(leftImages ?? 0)}, and this request asks for ${images}`
      : `leaves ${left.amount} ${left.currency}, and this request may cost up to ${cost?.amount} ${cost?.currency}`
  const advice = variable ? `the operator of the server can raise it (${variable})` : 'an administrator can raise it'
  return `The monthly cap of ${name} ${rest}. Nothing was sent. The cap renews on ${day}; until then, ask for less, or ${advice}.`
}

function many(images: number) {
  return `${images} ${images === 1 ? 'picture' : 'pictures'}`
}

function warningOf(limit: Limit, wanted: Reservation): Warning | undefined {
  const { scope, name = '', caps } = limit
  const { monthlyCap } = caps
  if (monthlyCap === null || isPriced(wanted, monthlyCap)) return undefined
  const { model, cost } = wanted
  const values = { scope, name }
  if (cost === null) {
    const message = `No price is known for ${model}, so its pictures cost nothing in the monthly cap of ${holderOf(limit)}.`
    return { code: 'cap_without_price', parameter: 'model', message, values }
  }
  return {
    code: 'cap_in_other_currency',
    parameter: 'model',
    message: `${model} is priced in ${cost.currency}, so it does not count in the monthly cap of ${holderOf(limit)}, which is in ${monthlyCap.currency}.`,
    values: { ...values, currency: cost.currency, cap_currency: monthlyCap.currency },
  }
}
