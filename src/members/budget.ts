/**
 * Caps: what may be spent in a calendar month (UTC) by a user, by a token, with a configuration, and by all. A request reserves the most that it
 * may cost in the transaction that writes it (`storage/ledger/reservation.ts`), before anything is sent; when it has ended, what it did
 * cost takes that place.
 */

import type { Warning } from '../catalogue/model.ts'
import { Refusal } from '../errors.ts'
import type { CallRecord } from '../storage/calls.ts'
import { computeLeft, isPriced, type LedgerShortage, type Scope } from '../storage/ledger/reservation.ts'
import { findMonth } from '../storage/periods.ts'
import type { Caps, ConfigurationRecord, GenerationRecord, Money } from '../storage/records.ts'
import type { SpendingSession } from '../storage/session-spending.ts'
import type { Reservation, Spent } from '../storage/spending.ts'
import type { Store } from '../storage/store.ts'

/** What is left of the caps of a token in this calendar month (UTC); null where it has no such cap. */
export interface Remaining {
  left: Money | null
  leftImages: number | null
  renewsAt: string
}

/** What is left of a cap that a request would go over, and who can raise it. */
export interface CapShortage extends Pick<LedgerShortage, 'scope' | 'left' | 'leftImages' | 'renewsAt'> {
  /** The variable that holds the cap; undefined where an administrator can raise it. */
  variable?: string
}

/** A request would go over a cap; nothing was written or sent. */
export class BudgetExceeded extends Refusal {
  override name = 'BudgetExceeded'
  readonly shortage: CapShortage

  constructor(message: string, shortage: CapShortage) {
    super('budget_exceeded', message)
    this.shortage = shortage
  }
}

/** A cap as people know it. */
interface Cap {
  scope: Scope
  /** Name of the token, the user or the configuration. */
  name: string
  caps: Caps
  /** Environment variable of a cap in money; the one for pictures ends with `_IMAGES`. */
  variable?: string
}

/** The part of a request that caps count. */
interface Wanted extends Pick<Reservation, 'spenderId' | 'model' | 'images' | 'cost'> {
  ownerId: string | null
  session?: SpendingSession
}

export type Budget = ReturnType<typeof createBudget>

/** `forAll` are the caps for all together; `ofEnvironment` are the configurations that have no row. */
export function createBudget(
  store: Pick<Store, 'tokens' | 'users'>,
  forAll: Caps,
  ofEnvironment: readonly ConfigurationRecord[],
) {
  const forAllCap: Cap = { scope: 'all', name: '', caps: forAll, variable: 'MONTHLY_CAP' }
  return {
    /** Caps of the environment, for the ledger, which reads the others itself. */
    fixedCaps: {
      all: forAll,
      configurations: Object.fromEntries(
        ofEnvironment.map(({ id, monthlyCap, monthlyImages }) => [id, { monthlyCap, monthlyImages }]),
      ),
    },

    /** Warns where caps cannot be enforced in full for a request that begins with this configuration. */
    async warn(wanted: Wanted, configuration: ConfigurationRecord): Promise<Warning[]> {
      const scopes = ['token', 'user', 'configuration', 'all'] as const
      const caps = await Promise.all(scopes.map(scope => findCap(scope, wanted, configuration)))
      return caps.flatMap(cap => (cap && warningFor(cap, wanted)) ?? [])
    },

    /** Why the ledger refused a request. `candidates` are the configurations that were asked. */
    async explain(wanted: Wanted, { configId, ...left }: LedgerShortage, candidates: readonly ConfigurationRecord[]) {
      const configuration = candidates.find(({ id }) => id === configId)
      const cap = (await findCap(left.scope, wanted, configuration)) ?? { ...forAllCap, scope: left.scope }
      if (left.scope === 'session' && wanted.session) {
        return new BudgetExceeded(describeSessionShortage(wanted, wanted.session.cap, left.left?.amount ?? 0), left)
      }
      const variable = cap.variable && (left.leftImages === undefined ? cap.variable : `${cap.variable}_IMAGES`)
      const shortage: CapShortage = { ...left, variable }
      return new BudgetExceeded(describeShortage(cap, wanted, shortage), shortage)
    },
  }

  async function findCap(
    scope: Scope,
    { ownerId, spenderId }: Pick<Wanted, 'ownerId' | 'spenderId'>,
    configuration: ConfigurationRecord | undefined,
  ): Promise<Cap | undefined> {
    if (scope === 'all') return forAllCap
    if (scope === 'token') {
      const token = spenderId === null ? undefined : await store.tokens.find(spenderId)
      return token && { scope, name: token.name, caps: token }
    }
    if (scope === 'user') {
      const user = ownerId === null ? undefined : await store.users.find(ownerId)
      return user && { scope, name: user.name, caps: user }
    }
    const isFixed = configuration?.source === 'environment'
    const variable = isFixed ? `${configuration.provider.toUpperCase()}_MONTHLY_CAP` : undefined
    return configuration && { scope, name: configuration.name, caps: configuration, variable }
  }
}

/**
 * What the calls of a generation that has ended did cost with one configuration; `keep`: the reservation stays, because it may have been
 * billed.
 */
export function computeSpent(
  ended: Pick<GenerationRecord, 'charge' | 'images'>,
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

/** What this month leaves of the caps of an owner or of a user's token, or without one of those for all; never under zero. */
export async function computeRemaining(
  { spending }: Pick<Store, 'spending'>,
  { monthlyCap, monthlyImages }: Caps,
  by: { ownerId?: string; tokenId?: string },
): Promise<Caps & Remaining> {
  const month = findMonth(new Date().toISOString())
  const totals = await spending.totals(month, by)
  return {
    monthlyCap,
    monthlyImages,
    left: monthlyCap && { amount: computeLeft(monthlyCap, totals), currency: monthlyCap.currency },
    leftImages: monthlyImages === null ? null : Math.max(0, monthlyImages - totals.images),
    renewsAt: month.to,
  }
}

/** What the cap of a session leaves, with what runs counted at the most that it may cost. */
export async function computeSessionLeft(
  { sessionSpending }: Pick<Store, 'sessionSpending'>,
  session: SpendingSession,
): Promise<Money> {
  const start = await sessionSpending.findStart(session, new Date().toISOString())
  const { cap } = session
  return { amount: computeLeft(cap, await sessionSpending.totals(session, start)), currency: cap.currency }
}

function describeSessionShortage({ cost, model }: Wanted, cap: Money, left: number) {
  const rule = `This session may spend ${cap.amount} ${cap.currency}`
  if (cost?.currency !== cap.currency) {
    const price = cost === null ? 'no price is known' : `the price is in ${cost.currency}`
    return `${rule}, and ${price} for ${model}, so that could not be kept. Nothing was sent. Choose a model with a price in ${cap.currency}.`
  }
  return (
    `${rule}; ${left} ${cap.currency} are left, and this request may cost up to ${cost.amount} ${cost.currency}. Nothing was sent. ` +
    'Ask for fewer or smaller pictures or a cheaper model, or tell the user that the cap of this session is used up.'
  )
}

/** Of the caps of a user and of the user's token, for money and for pictures alike, those that leave less. */
export function findTighter(one: Caps & Remaining, other: Caps & Remaining): Caps & Remaining {
  const money = [one, other].filter(({ left }) => left !== null).toSorted((a, b) => a.left!.amount - b.left!.amount)[0]
  const images = [one, other]
    .filter(({ leftImages }) => leftImages !== null)
    .toSorted((a, b) => a.leftImages! - b.leftImages!)[0]
  return {
    monthlyCap: money?.monthlyCap ?? null,
    left: money?.left ?? null,
    monthlyImages: images?.monthlyImages ?? null,
    leftImages: images?.leftImages ?? null,
    renewsAt: one.renewsAt,
  }
}

function describeHolder({ scope, name }: Cap) {
  return scope === 'all' ? 'this server' : `the ${scope} "${name}"`
}

function describeShortage(cap: Cap, wanted: Wanted, { left, leftImages, variable, renewsAt }: CapShortage) {
  const name = describeHolder(cap)
  if (left && !isPriced(wanted, left)) {
    const pictures = cap.variable ? `a cap in pictures (${cap.variable}_IMAGES)` : 'a cap in pictures'
    return (
      `The monthly cap of ${name} is in ${left.currency}, and no price in ${left.currency} is known for ${wanted.model}, so the cap could ` +
      `not be enforced. Nothing was sent. The operator of the server can give the price in PRICES_FILE, or set ${pictures} beside it.`
    )
  }
  const { images, cost } = wanted
  const day = `${renewsAt?.slice(0, 10)} (UTC)`
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

function warningFor(cap: Cap, wanted: Wanted): Warning | undefined {
  const { scope, name, caps } = cap
  const { monthlyCap } = caps
  if (monthlyCap === null || isPriced(wanted, monthlyCap)) return undefined
  const { model, cost } = wanted
  const values = { scope, name }
  if (cost === null) {
    const message = `No price is known for ${model}, so its pictures cost nothing in the monthly cap of ${describeHolder(cap)}.`
    return { code: 'cap_without_price', parameter: 'model', message, values }
  }
  return {
    code: 'cap_in_other_currency',
    parameter: 'model',
    message: `${model} is priced in ${cost.currency}, so it does not count in the monthly cap of ${describeHolder(cap)}, which is in ${monthlyCap.currency}.`,
    values: { ...values, currency: cost.currency, cap_currency: monthlyCap.currency },
  }
}
