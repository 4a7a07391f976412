/** Named tokens: made once, shown once, and gone when revoked. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { Refusal } from '../errors.ts'
import type { Catalogue } from '../providers/registry.ts'
import type { Money, Role, TokenRecord } from '../storage/records.ts'
import type { Store } from '../storage/store.ts'
import { computeRemaining } from './budget.ts'
import type { Caller } from './caller.ts'

export interface NewToken {
  name: string
  role: Role
  monthlyCap: Money | null
  monthlyImages: number | null
  models: string[] | null
}

/** Undefined members stay unchanged. */
export type TokenChange = Partial<Pick<NewToken, 'name' | 'monthlyCap' | 'monthlyImages' | 'models'>>

export type Tokens = ReturnType<typeof createTokens>

/** 32 random bytes; the prefix lets secret scanners recognise a token. */
const form = /^wig_[\w-]{43}$/

/** Precision of the last use, so that not every request writes a row. */
const coarseMs = 5 * 60_000

/** @param isAlone no other process changes the tokens of this database */
export function createTokens({ store, isAlone }: { store: Store; isAlone: boolean }) {
  const revocations = new EventEmitter().setMaxListeners(0)
  /** Known not to be revoked. */
  const valid = new Set<string>()

  async function noted(token: TokenRecord | undefined) {
    const now = Date.now()
    if (token && now - Date.parse(token.lastUsedAt ?? '1970-01-01') > coarseMs) {
      // A token is accepted also while the disk is full.
      await store.tokens.used(token.id, new Date(now).toISOString()).catch(() => {})
    }
    return token
  }

  return {
    /** Newest first, without revoked ones. */
    async list(): Promise<TokenRecord[]> {
      return (await store.tokens.list()).filter(token => token.revokedAt === null)
    },

    /** `text` is what clients send; it cannot be retrieved again. */
    async make({ name, role, monthlyCap, monthlyImages, models }: NewToken) {
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
      }
      await store.tokens.insert(token, hashToken(text))
      return { token, text }
    },

    /** @throws Refusal `not_found` */
    async change(id: string, change: TokenChange): Promise<TokenRecord> {
      const changed = await store.tokens.change(id, change)
      if (!changed) throw missing()
      return changed
    },

    /** @throws Refusal `not_found` */
    async revoke(id: string) {
      if (!(await store.tokens.revoke(id, new Date().toISOString()))) throw missing()
      valid.delete(id)
      revocations.emit(id)
    },

    /** Does it look like a token, whether or not it exists? */
    looksLikeOne: (text: string) => form.test(text),

    /** The token with this text, unless it is revoked; notes that it was used, as `find` does. */
    async identify(text: string) {
      return form.test(text) ? noted(await store.tokens.findByHash(hashToken(text))) : undefined
    },

    /** Is it not revoked? Asked for every picture of a page, so the database is asked once where nobody else changes it. */
    async isValid(id: string) {
      if (isAlone && valid.has(id)) return true
      // Before the question: a revocation meanwhile takes it out again.
      valid.add(id)
      const isFound = (await store.tokens.find(id)) !== undefined
      if (!isFound) valid.delete(id)
      return isFound && valid.has(id)
    },

    async find(id: string) {
      return noted(await store.tokens.find(id))
    },

    /** Calls the listener when the token is revoked; returns a function that unsubscribes. */
    whenRevoked(id: string, listener: () => void) {
      revocations.on(id, listener)
      return () => void revocations.off(id, listener)
    },

    remaining: (token: TokenRecord) => computeRemaining(store, token, { ownerId: token.id }),
  }
}

function missing() {
  return new Refusal('not_found', 'There is no token with this id; it may have been revoked already.')
}

function hashToken(text: string) {
  return createHash('sha256').update(text).digest('hex')
}

/** The token whose data a caller may see and change; undefined: all, for an admin. */
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
