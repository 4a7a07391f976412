import type { Caps, Money, Role, TokenRecord } from '../storage/records.ts'
import type { Period, UsageGroup, UsageRow } from '../storage/spending.ts'

/** Who asks. */
export interface Caller {
  role: Role
  /** False: anybody, where no token is needed. */
  isKnown: boolean
  /** Null: the access token of the server, or anybody where none is needed. */
  tokenId: string | null
  /** Model ids that it may use; null: all. */
  models: string[] | null
}

export interface NewToken {
  name: string
  role: Role
  monthlyCap: Money | null
  monthlyImages: number | null
  models: string[] | null
}

/** Undefined members stay unchanged. */
export type TokenChange = Partial<Pick<NewToken, 'name' | 'monthlyCap' | 'monthlyImages' | 'models'>>

/** What is left of the caps of a token in this calendar month (UTC); null where it has no such cap. */
export interface Remaining {
  left: Money | null
  leftImages: number | null
  renewsAt: string
}

export interface Tokens {
  /** Newest first, without revoked ones. */
  list(): Promise<TokenRecord[]>
  /** `text` is what clients send; it cannot be retrieved again. */
  make(token: NewToken): Promise<{ token: TokenRecord; text: string }>
  /** @throws Refusal `not_found` */
  change(id: string, change: TokenChange): Promise<TokenRecord>
  /** @throws Refusal `not_found` */
  revoke(id: string): Promise<void>
  /** Does it look like a token, whether or not it exists? */
  looksLikeOne(text: string): boolean
  /** The token with this text, unless it is revoked; notes that it was used, as `find` does. */
  identify(text: string): Promise<TokenRecord | undefined>
  find(id: string): Promise<TokenRecord | undefined>
  /** The answer ends it. */
  whenRevoked(id: string, listener: () => void): () => void
  remaining(token: TokenRecord): Promise<Remaining>
}

export interface UsageItem extends UsageRow {
  key: string
  /** For people: of the model, configuration or token. */
  name: string
}

export interface Usage {
  /** With `owner`, the id of a token, only its own. */
  report(period: Period, group: UsageGroup, owner?: string): Promise<UsageItem[]>
  /** The caps for all together and what this month leaves of them; undefined where there are none. */
  forAll(): Promise<(Caps & Remaining) | undefined>
}
