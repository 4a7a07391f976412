/** What the faces of the program (HTTP, later MCP) may ask of it. `createParts` in `parts.ts` builds them. */

import type { Prices } from '../catalogue/costs.ts'
import type { Lives, Standing } from '../configurations/lives.ts'
import type { Pool } from '../coordination/pool.ts'
import type { Catalogue } from '../providers/index.ts'
import type { CheckResult, Warning } from '../providers/provider.ts'
import type {
  Caps,
  ConfigurationRecord,
  GenerationRecord,
  GenerationStatus,
  ImageRecord,
  JsonObject,
  Money,
  Role,
  TokenRecord,
  Told,
} from '../storage/records.ts'
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

export interface GenerationRequest {
  prompt?: string
  model?: string
  configId?: string
  provider?: string
  parameters: JsonObject
  references: ReferenceInput[]
}

/** A reference as the client gave it: the text of an `images` member (data URI, URL or image id), or an uploaded file. */
export type ReferenceInput = { text: string } | { upload: UploadedFile }

/** A file that was streamed to disk and belongs to whoever receives it. */
export interface UploadedFile {
  path: string
  bytes: number
  sha256: string
}

export interface CreateOptions {
  caller: Caller
  requestId: string
  /** Keys of different tokens are different keys. */
  idempotency?: { key: string; bodyHash: string }
  signal?: AbortSignal
}

export type RetryScope = 'all' | 'missing'

export interface Estimate {
  model: string
  /** Pictures that would be asked for, and the paid requests that it takes. */
  images: number
  calls: number
  /** Null where no price is known. The range is one number when the size is known. */
  cost: { min: number; max: number; currency: string } | null
  /** How the cost comes about, a sentence each. */
  reasons: string[]
  warnings: Warning[]
}

export interface Generations {
  /**
   * Checks everything, then writes the generation and its calls and lets them run.
   * With a key that was used before, the generation of then, and nothing new is made.
   * @throws Refusal `invalid_request` (with every fault), `configuration_missing`, `not_allowed`, `budget_exceeded`,
   *   `idempotency_mismatch`, `gone`
   */
  create(request: GenerationRequest, options: CreateOptions): Promise<GenerationRecord>
  /**
   * The generation once it has ended; or as it is when `timeoutMs` or `signal` ended the wait, or when its pictures were made but
   * cannot be fetched or stored for a minute.
   */
  whenEnded(id: string, options: { timeoutMs?: number; signal?: AbortSignal }): Promise<GenerationRecord>
  /** With `owner`, the id of a token, only what that token asked for; so also below. */
  find(id: string, owner?: string): Promise<GenerationRecord | undefined>
  list(query: HistoryQuery): Promise<{ items: GenerationRecord[]; nextCursor: string | null }>
  /** @throws Refusal `not_found` */
  change(id: string, change: { favorite?: boolean; tags?: string[] }): Promise<GenerationRecord>
  /** @throws Refusal `not_found`, `conflict` while it is running */
  remove(id: string): Promise<void>
  /** Removes all that has ended; how many. */
  clear(owner?: string): Promise<number>
  /** @throws Refusal `not_found`, `conflict` when it has ended */
  cancel(id: string): Promise<GenerationRecord>
  /**
   * Makes all, or just the missing, pictures of an ended generation anew, as a generation of its own. May be charged.
   * @throws Refusal `not_found`, `conflict` while it runs or when nothing is missing, and whatever `create` throws
   */
  retry(id: string, only: RetryScope, options: CreateOptions): Promise<GenerationRecord>
  /** What `retry` would make and cost; sends and writes nothing. */
  estimateRetry(id: string, only: RetryScope, caller: Caller): Promise<Estimate>
  /** What `create` would make and cost; refuses what that refuses, sends nothing to the service and keeps nothing. */
  estimate(request: GenerationRequest, caller: Caller): Promise<Estimate>
  events: Events
}

export interface HistoryQuery {
  limit: number
  cursor?: string
  q?: string
  provider?: string
  model?: string
  status?: GenerationStatus
  favorite?: boolean
  tag?: string
  from?: Date
  to?: Date
  owner?: string
}

export type GenerationEvent =
  | { type: 'generation'; revision: number; generation: GenerationRecord }
  | { type: 'removed'; revision: number; id: string }

export interface Events {
  /**
   * First what changed since `after` (without it: all unfinished generations, or the present state of `generationId`), then every
   * change as it happens. Never misses one in between; ends with `signal`, and for one generation after its last state.
   */
  follow(options: {
    generationId?: string
    after?: number
    owner?: string
    signal: AbortSignal
  }): AsyncIterable<GenerationEvent>
}

export interface Images {
  /** @throws Refusal `invalid_request` when it is no picture of a known type, `too_large` */
  storeReference(upload: UploadedFile, caller: Caller): Promise<ImageRecord>
  /** With `owner`, the id of a token, only what it uploaded, and what its generations made or used. */
  find(id: string, owner?: string): Promise<ImageRecord | undefined>
  /** The stored bytes; `range` inclusive. @throws Refusal `not_found` when the file is missing. */
  read(image: ImageRecord, range?: { start: number; end: number }): Promise<NodeJS.ReadableStream>
  /** A WebP of at most 512 px, made when it is first asked for. */
  thumbnail(image: ImageRecord): Promise<Buffer>
  /**
   * Only references that no generation uses. With `owner`: it gives up its own, which stays while others have it.
   * @throws Refusal `not_found`, `conflict`
   */
  remove(id: string, owner?: string): Promise<void>
}

export interface ConfigurationInput {
  name?: string
  provider?: string
  model?: string | null
  base_url?: string | null
  api_key?: string
  is_active?: boolean
  monthly_cap?: Money | null
  monthly_images?: number | null
  weight?: number
  most_running?: number | null
  requests_per_minute?: number | null
}

export interface Configurations {
  list(): Promise<ConfigurationRecord[]>
  /** Where its requests go, without a slash at the end. */
  addressOf(configuration: Pick<ConfigurationRecord, 'provider' | 'baseUrl'>): string
  /** The platform of the service that this address leads to, as `Provider.platformAt` names it; undefined for one that is not its own. */
  platformOf(configuration: Pick<ConfigurationRecord, 'provider' | 'baseUrl'>): string | undefined
  /** @throws Refusal `invalid_request` */
  add(input: ConfigurationInput): Promise<ConfigurationRecord>
  /** Members left out stay as they are. @throws Refusal `not_found`, `read_only`, `invalid_request` */
  change(id: string, input: ConfigurationInput): Promise<ConfigurationRecord>
  /** @throws Refusal `not_found`, `read_only` */
  remove(id: string): Promise<void>
  /** Proves a stored (`id`) or unsaved configuration without paying. */
  test(input: { id: string } | ConfigurationInput): Promise<CheckResult & { latencyMs: number }>
}

export interface StatusReport {
  database: { state: 'ok' | 'failing'; kind: 'sqlite' | 'postgresql'; detail?: string }
  storage: { state: 'ok' | 'failing'; kind: 'folder' | 's3'; detail?: string; freeBytes?: number }
  queue: {
    state: 'ok' | 'waiting' | 'draining'
    queued: number
    running: number
    waiting: { id: string; reason: Told }[]
  }
  providers: {
    id: string
    name: string
    configured: boolean
    activeConfigurations: number
    /** Active ones that a request could go to at this moment. */
    readyConfigurations: number
  }[]
  /** Models that end, or ended not long ago, where an active configuration leads; each once a provider, the nearest end first. */
  ending: { provider: string; id: string; name: string; standing: Standing }[]
}

export interface NewToken {
  name: string
  role: Role
  monthlyCap: Money | null
  monthlyImages: number | null
  models: string[] | null
}

/** What is undefined stays as it is. */
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
  /** `text` is what clients send; it is never to be had again. */
  make(token: NewToken): Promise<{ token: TokenRecord; text: string }>
  /** @throws Refusal `not_found` */
  change(id: string, change: TokenChange): Promise<TokenRecord>
  /** @throws Refusal `not_found` */
  revoke(id: string): Promise<void>
  /** Has it the form of a token, whether or not there is such a one? */
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

/** Everything that the faces need. */
export interface Services {
  generations: Generations
  images: Images
  configurations: Configurations
  pool: Pick<Pool, 'stateOf'>
  catalogue: Catalogue
  prices: Prices
  lives: Lives
  tokens: Tokens
  usage: Usage
  status(): Promise<StatusReport>
}
