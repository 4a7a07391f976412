/** Named tokens: made once, shown once, and gone when revoked. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { Refusal } from '../errors.ts'
import type { Catalogue } from '../providers/registry.ts'
import type { Caps, Money, Role, TokenRecord } from '../storage/records.ts'
import type { Store } from '../storage/store.ts'
import { computeRemaining, type Remaining } from './budget.ts'
import type { Caller } from './caller.ts'

export interface NewToken {
  name: string
  role: Role
  monthlyCap: Money | null
  monthlyImages: number | null
  models: string[] | null
  /** The user that it belongs to; none when absent. */
  userId?: string | null
}

/** Undefined members stay unchanged. */
export type TokenChange = Partial<Pick<NewToken, 'name' | 'monthlyCap' | 'monthlyImages' | 'models'>>

export type Tokens = ReturnType<typeof createTokens>

/** 32 random bytes; the prefix lets secret scanners recognise a token. */
const form = /^wig_[\w-]{43}$/

/** Users make their own, and a mistaken program may make them by the thousand. */
const maxTokensOfUser = 50

/** Precision of the last use, so that not every request writes a row. */
const coarseMs = 5 * 60_000

/** @param isAlone no other process changes the tokens of this database */
export function createTokens({ store, isAlone }: { store: Store; isAlone: boolean }) {
  const revocations = new EventEmitter().setMaxListeners(0)
  /** By token, whose it is; a revocation takes it out. */
  const holders = new Map<string, Promise<string | null | undefined>>()

  async function noted(token: TokenRecord | undefined) {
    const now = Date.now()
    if (token && now - Date.parse(token.lastUsedAt ?? '1970-01-01') > coarseMs) {
      // A token is accepted also while the disk is full.
      await store.tokens.used(token.id, new Date(now).toISOString()).catch(() => {})
    }
    return token
  }

  return {
    /** Newest first, without revoked ones; with `userId` those of that user. */
    async list(userId?: string): Promise<TokenRecord[]> {
      const all = await store.tokens.list()
      return all.filter(token => token.revokedAt === null && (userId === undefined || token.userId === userId))
    },

    /** `text` is what clients send; it cannot be retrieved again. @throws Refusal `conflict` when the user has too many */
    async make({ name, role, monthlyCap, monthlyImages, models, userId = null }: NewToken) {
      if (userId !== null && (await this.list(userId)).length >= maxTokensOfUser) {
        throw new Refusal(
          'conflict',
          `You have ${maxTokensOfUser} tokens, which is the most; revoke one that you no longer use.`,
        )
      }
      const text = `wig_${randomBytes(32).toString('base64url')}`
      const createdAt = new Date().toISOString()
      const token: TokenRecord = {
        id: randomUUID(),
        name,
        role,
        monthlyCap,
        monthlyImages,
        models,
        createdAt,
        lastUsedAt: null,
        revokedAt: null,
        userId,
      }
      await store.tokens.insert(token, hashToken(text))
      return { token, text }
    },

    /** With `userId` only a token of that user. @throws Refusal `not_found` */
    async change(id: string, change: TokenChange, userId?: string): Promise<TokenRecord> {
      const changed = await store.tokens.change(id, change, userId)
      if (!changed) throw missing()
      return changed
    },

    /** With `userId` only a token of that user. @throws Refusal `not_found` */
    async revoke(id: string, userId?: string) {
      if (!(await store.tokens.revoke(id, new Date().toISOString(), userId))) throw missing()
      holders.delete(id)
      revocations.emit(id)
    },

    /** Does it look like a token, whether or not it exists? */
    looksLikeOne: (text: string) => form.test(text),

    /** The token with this text, unless it is revoked; notes that it was used, as `find` does. */
    async identify(text: string) {
      return form.test(text) ? noted(await store.tokens.findByHash(hashToken(text))) : undefined
    },

    /**
     * Whose token it is, null for nobody's; undefined for one that is revoked. Asked for every picture of a page, so the database is
     * asked once where nobody else changes it.
     */
    findHolder(id: string): Promise<string | null | undefined> {
      const ask = () => store.tokens.find(id).then(token => (token ? token.userId : undefined))
      if (!isAlone) return ask()
      const known = holders.get(id)
      if (known) return known
      const asked = ask()
      holders.set(id, asked)
      asked.catch(() => holders.get(id) === asked && holders.delete(id))
      return asked
    },

    async find(id: string) {
      return noted(await store.tokens.find(id))
    },

    /** Calls the listener when the token is revoked; returns a function that unsubscribes. */
    whenRevoked(id: string, listener: () => void) {
      revocations.on(id, listener)
      return () => void revocations.off(id, listener)
    },

    remaining: (token: TokenRecord): Promise<Caps & Remaining> => computeRemaining(store, token, { tokenId: token.id }),
  }
}

function missing() {
  return new Refusal('not_found', 'There is no token with this id; it may have been revoked already.')
}

function hashToken(text: string) {
  return createHash('sha256').update(text).digest('hex')
}

/** The owner whose data a caller may see and change; undefined: all, for an admin. */
export function restrictTo({ role, ownerId }: Caller): string | undefined {
  return role === 'member' ? (ownerId ?? '') : undefined
}

/** May this token use the model? Aliases of an allowed model are allowed; an unlisted id has to match literally. */
export function mayUse(catalogue: Catalogue, { models }: Pick<TokenRecord, 'models'>, modelId: string) {
  if (models === null || models.includes(modelId)) return true
  const model = catalogue.find(modelId)?.model
  if (!model || model.state === 'unlisted') return false
  return [model.id, ...(model.aliases ?? [])].some(id => models.includes(id))
}
