/** People who sign in at an issuer of OpenID Connect: admitted by what it says of them at each login, capped and disabled here. */
import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import type { Violation } from '../catalogue/violation.ts'
import { Refusal } from '../errors.ts'
import { findMonth } from '../storage/periods.ts'
import type { Caps, Role, TokenRecord, UserRecord } from '../storage/records.ts'
import type { UsageRow } from '../storage/spending.ts'
import type { Store } from '../storage/store.ts'
import { isAdmitted } from '../storage/users.ts'
import { computeRemaining, type Remaining } from './budget.ts'
import type { Caller } from './caller.ts'

/** What an issuer says of somebody who has just signed in there. */
export interface Identity {
  issuer: string
  subject: string
  name: string
  email: string | null
  /** Null: its claims let this person not in. */
  role: Role | null
}

export type AdmittedUser = UserRecord & { role: Role }

/** Undefined members stay unchanged. */
export type UserEdit = Partial<Caps> & { models?: string[] | null; isDisabled?: boolean }

export type Users = ReturnType<typeof createUsers>

/** Precision of the last visit, so that not every request writes a row. */
const coarseMs = 5 * 60_000

export function createUsers({ store }: { store: Store }) {
  const changes = new EventEmitter().setMaxListeners(0)

  async function edit(id: string, change: UserEdit): Promise<UserRecord> {
    const { isDisabled, ...rest } = change
    const present = await store.users.find(id)
    if (!present) throw missing()
    const isNew = isDisabled !== undefined && isDisabled !== (present.disabledAt !== null)
    const disabling = isDisabled
      ? { disabledAt: new Date().toISOString(), sessionEpoch: present.sessionEpoch + 1 }
      : { disabledAt: null }
    const changed = await store.users.change(id, { ...rest, ...(isNew ? disabling : {}) })
    if (!changed) throw missing()
    if (isNew) changes.emit(id)
    return changed
  }

  return {
    /**
     * Whoever comes back from the issuer; `startingCaps` are those of a member who was never here. A stranger who is not let in leaves no
     * row; somebody who was here and is let in no more loses sessions and the use of tokens at once.
     */
    async admit(identity: Identity, startingCaps: Caps): Promise<AdmittedUser | 'not_let_in' | 'disabled'> {
      const { issuer, subject, name, email, role } = identity
      const now = new Date().toISOString()
      let present = await store.users.findBySubject(issuer, subject)
      if (!present) {
        if (role === null) return 'not_let_in'
        const caps = role === 'member' ? startingCaps : { monthlyCap: null, monthlyImages: null }
        const seen = { firstSeenAt: now, lastSeenAt: now, disabledAt: null, sessionEpoch: 0 }
        const user = { id: randomUUID(), ...identity, role, ...caps, models: null, ...seen }
        if (await store.users.insert(user)) return user
        // Two first logins of the same person at once.
        present = await store.users.findBySubject(issuer, subject)
        if (!present) throw new Error('a user is neither there nor can be added')
      }
      const sessionEpoch = role === null ? present.sessionEpoch + 1 : present.sessionEpoch
      const seen = role === null ? {} : { lastSeenAt: now }
      const changed = await store.users.change(present.id, { name, email, role, sessionEpoch, ...seen })
      if (!changed) throw missing()
      if (present.role !== role) changes.emit(present.id)
      if (changed.disabledAt !== null) return 'disabled'
      return isAdmitted(changed) ? changed : 'not_let_in'
    },

    /** The user, unless disabled or no longer let in; notes the visit. */
    async findAdmitted(id: string): Promise<AdmittedUser | undefined> {
      const user = await store.users.find(id)
      if (!user || !isAdmitted(user)) return undefined
      const now = Date.now()
      if (now - Date.parse(user.lastSeenAt) > coarseMs) {
        // People are let in also while the disk is full.
        await store.users.change(id, { lastSeenAt: new Date(now).toISOString() }).catch(() => {})
      }
      return user
    },

    /** By name, each with what was made and spent in this calendar month (UTC). */
    async list(): Promise<{ user: UserRecord; month: UsageRow[] }[]> {
      const users = await store.users.list()
      const usage = users.length === 0 ? [] : await store.spending.usage(findMonth(new Date().toISOString()), 'user')
      return users.map(user => ({ user, month: usage.filter(({ key }) => key === user.id) }))
    },

    find: (id: string) => store.users.find(id),

    /** @throws Refusal `not_found` */
    change: edit,

    /** Ends all sessions of the user; tokens go on. @throws Refusal `not_found` */
    async endSessions(id: string) {
      const present = await store.users.find(id)
      if (!present) throw missing()
      await store.users.change(id, { sessionEpoch: present.sessionEpoch + 1 })
      changes.emit(id)
    },

    /** Calls the listener when the user was disabled or let in no more, or got another role; returns a function that unsubscribes. */
    whenChanged(id: string, listener: () => void) {
      changes.on(id, listener)
      return () => void changes.off(id, listener)
    },

    remaining: (user: UserRecord): Promise<Caps & Remaining> => computeRemaining(store, user, { ownerId: user.id }),
  }
}

/** The user in a session, or with one of the user's tokens, which never does more than the user may. */
export function callerOfUser(user: AdmittedUser, token?: TokenRecord): Caller {
  const isAdmin = user.role === 'admin' && (token?.role ?? 'admin') === 'admin'
  return {
    role: isAdmin ? 'admin' : 'member',
    isKnown: true,
    ownerId: user.id,
    user: { id: user.id, tokenId: token?.id ?? null },
    models: intersect(user.models, token?.models ?? null),
  }
}

/**
 * What a token of a user asks for beyond what the user may, as a sentence for each member; empty when it is within. Caps of the user hold
 * beside those of the token in any case: this only says at once what would be of no effect.
 */
export function findExcess(
  user: AdmittedUser,
  {
    role,
    monthlyCap,
    monthlyImages,
    models,
  }: Partial<Pick<TokenRecord, 'role' | 'monthlyCap' | 'monthlyImages' | 'models'>>,
): Violation[] {
  const faults: Violation[] = []
  if (role === 'admin' && user.role !== 'admin')
    faults.push({ path: 'role', message: 'You are a member, so your tokens are those of a member.' })
  if (monthlyCap && user.monthlyCap) {
    const { amount, currency } = user.monthlyCap
    if (monthlyCap.currency !== currency || monthlyCap.amount > amount)
      faults.push({ path: 'monthly_cap', message: `Your own monthly cap is ${amount} ${currency}; use at most that.` })
  }
  if (typeof monthlyImages === 'number' && user.monthlyImages !== null && monthlyImages > user.monthlyImages)
    faults.push({
      path: 'monthly_images',
      message: `Your own monthly cap is ${user.monthlyImages} pictures; use at most that.`,
    })
  const foreign = (user.models && models?.filter(id => !user.models?.includes(id))) ?? []
  if (foreign.length > 0)
    faults.push({ path: 'models', message: `You may not use ${foreign.join(', ')}; choose among your own models.` })
  return faults
}

function intersect(a: string[] | null, b: string[] | null) {
  return a && b ? a.filter(id => b.includes(id)) : (a ?? b)
}

function missing() {
  return new Refusal('not_found', 'There is no user with this id.')
}
