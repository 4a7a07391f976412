/** Keeps monthly caps: whoever reserves looks at the totals in the transaction that writes the reservation, so no two see the same room. */
import { fromMillionths, type Totals, toMillionths } from '../caps.ts'
import { createConfigurationRepository } from '../configurations.ts'
import type { Connection } from '../connection.ts'
import { findMonth } from '../periods.ts'
import type { Caps, Money } from '../records.ts'
import { createSessionSpendingRepository, type SpendingSession } from '../session-spending.ts'
import { createSpendingRepository, type Reservation } from '../spending.ts'
import type { SpentBy } from '../spending-sums.ts'
import { createTokenRepository } from '../tokens.ts'
import { createUserRepository, isAdmitted } from '../users.ts'

export type Scope = 'token' | 'user' | 'configuration' | 'session' | 'all'

/** What is left of a cap that a request would exceed, or that could not be enforced for it. */
export interface LedgerShortage {
  scope: Scope
  configId: string
  /** What the exceeded cap leaves, in money or in pictures; the other is undefined. */
  left?: Money
  leftImages?: number
  /** Undefined where it never does. */
  renewsAt?: string
}

/** Caps that stand in no row. */
export interface FixedCaps {
  all: Caps
  /** Caps of configurations of the environment, by id. */
  configurations: Record<string, Caps>
}

interface Limit {
  scope: Scope
  caps: Caps
  by: SpentBy
}

/** Writes the reservation, unless there is no room for it. A cap that was lowered, a token that was revoked, or a user who was disabled, a moment ago counts. */
export async function reserve(
  db: Connection,
  wanted: Reservation & { ownerId: string | null },
  fixed: FixedCaps,
  session?: SpendingSession,
): Promise<'reserved' | 'token_revoked' | LedgerShortage> {
  const { ownerId, spenderId, configId } = wanted
  const limits = ownerId === null ? [] : await findOwnLimits(db, ownerId, spenderId)
  if (!limits) return 'token_revoked'
  const ofConfiguration = await findConfigurationCaps(db, configId, fixed)
  if (ofConfiguration) limits.push({ scope: 'configuration', caps: ofConfiguration, by: { configId } })
  limits.push({ scope: 'all', caps: fixed.all, by: {} })

  const spending = createSpendingRepository(db)
  const present = limits.filter(({ caps }) => isSet(caps))
  if (present.length > 0 || session) await spending.lock()
  for (const limit of present) {
    const shortage = await findShortage(db, limit, wanted)
    if (shortage) return shortage
  }
  if (session) {
    const shortage = await countInSession(db, session, wanted)
    if (shortage) return shortage
  }
  await spending.reserve(wanted)
  return 'reserved'
}

/** Writes what session it counts in, unless that has no room for it. */
async function countInSession(db: Connection, session: SpendingSession, wanted: Reservation) {
  const sessions = createSessionSpendingRepository(db)
  const start = await sessions.findStart(session, wanted.timestamp)
  const left = computeLeft(session.cap, await sessions.totals(session, start))
  const currency = session.cap.currency
  if (!isPriced(wanted, session.cap) || toMillionths(wanted.cost.amount) > toMillionths(left)) {
    return { scope: 'session', configId: wanted.configId, left: { amount: left, currency } } as const
  }
  await sessions.insert(wanted.generationId, session, start, wanted.timestamp)
  return undefined
}

/** The caps of a token that stands for itself, or of a user and of the user's token; undefined where one of them lost access. */
async function findOwnLimits(db: Connection, ownerId: string, spenderId: string | null): Promise<Limit[] | undefined> {
  const tokens = createTokenRepository(db)
  const token = await tokens.find(ownerId)
  if (token) return [{ scope: 'token', caps: token, by: { tokenId: ownerId } }]
  const user = await createUserRepository(db).find(ownerId)
  if (!user || !isAdmitted(user)) return undefined
  const ofUser: Limit = { scope: 'user', caps: user, by: { ownerId } }
  if (spenderId === null || spenderId === ownerId) return [ofUser]
  const used = await tokens.find(spenderId)
  return used && [{ scope: 'token', caps: used, by: { tokenId: spenderId } }, ofUser]
}

/** Moves what a call may cost to another configuration. False when the cap of that one has no room for it; nothing was written then. */
export async function shiftReservation(
  db: Connection,
  call: { generationId: string; images: number; from: string; to: string },
  fixed: FixedCaps,
): Promise<boolean> {
  const spending = createSpendingRepository(db)
  // Two calls of one generation may move concurrently, each with its share of the same row.
  await spending.lock()
  const part = await spending.partOf(call.generationId, call.from, call.images)
  if (!part) return true
  const caps = await findConfigurationCaps(db, call.to, fixed)
  if (caps && isSet(caps)) {
    const limit: Limit = { scope: 'configuration', caps, by: { configId: call.to } }
    if (await findShortage(db, limit, part)) return false
  }
  await spending.shift(part, call.to)
  return true
}

export function isSet({ monthlyCap, monthlyImages }: Caps) {
  return monthlyCap !== null || monthlyImages !== null
}

export function isPriced(wanted: { cost: Money | null }, { currency }: Money): wanted is { cost: Money } {
  return wanted.cost?.currency === currency
}

/** What totals leave of a cap; never under zero. */
export function computeLeft(cap: Money, { amounts }: Totals) {
  const spent = amounts.find(({ currency }) => currency === cap.currency)?.amount ?? 0
  // Integers can be subtracted exactly; decimal fractions cannot.
  return Math.max(0, fromMillionths(toMillionths(cap.amount) - toMillionths(spent)))
}

function findConfigurationCaps(db: Connection, configId: string, fixed: FixedCaps): Promise<Caps | undefined> {
  const known = fixed.configurations[configId]
  return known ? Promise.resolve(known) : createConfigurationRepository(db).find(configId)
}

async function findShortage(db: Connection, limit: Limit, wanted: Reservation): Promise<LedgerShortage | undefined> {
  const { monthlyCap, monthlyImages } = limit.caps
  const month = findMonth(wanted.timestamp)
  const totals = await createSpendingRepository(db).totals(month, limit.by)
  const base = { scope: limit.scope, configId: wanted.configId, renewsAt: month.to }
  if (monthlyImages !== null && totals.images + wanted.images > monthlyImages)
    return { ...base, leftImages: Math.max(0, monthlyImages - totals.images) }
  if (monthlyCap === null) return undefined
  const left = computeLeft(monthlyCap, totals)
  // Without a price a cap in money alone would let anything through.
  const isOver = isPriced(wanted, monthlyCap)
    ? toMillionths(wanted.cost.amount) > toMillionths(left)
    : monthlyImages === null
  return isOver ? { ...base, left: { amount: left, currency: monthlyCap.currency } } : undefined
}
