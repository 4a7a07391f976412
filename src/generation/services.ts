/** What the faces of the program (HTTP, later MCP) may ask of it. `openCore` in `core.ts` builds them. */

import type { Warning } from '../catalogue/model.ts'
import type { Configurations } from '../configurations/configurations.ts'
import type { Events } from '../coordination/events.ts'
import type { Pool } from '../coordination/pool.ts'
import type { Images } from '../images/images.ts'
import type { ReferenceInput } from '../images/references.ts'
import type { Caller } from '../members/caller.ts'
import type { Tokens } from '../members/tokens.ts'
import type { Usage } from '../members/usage.ts'
import type { Users } from '../members/users.ts'
import type { Exports } from '../moving/export/exports.ts'
import type { Imports } from '../moving/imports.ts'
import type { Lives, Standing } from '../offers/lives.ts'
import type { Prices } from '../offers/prices.ts'
import type { Catalogue } from '../providers/registry.ts'
import type { HistoryCounts } from '../storage/history-filter.ts'
import type { GenerationRecord, GenerationStatus, JsonObject, Marks, Message, Money } from '../storage/records.ts'
import type { SpendingSession } from '../storage/session-spending.ts'
import type { Webhooks } from '../webhooks/webhooks.ts'
import type { Check } from './repair/look-over.ts'

export interface GenerationRequest {
  prompt?: string
  model?: string
  configId?: string
  provider?: string
  parameters: JsonObject
  /** A size in pixels that the model does not have becomes the nearest one that it has, with a warning, instead of a violation. */
  fitsSize?: boolean
  references: ReferenceInput[]
  /** Is told of the end. */
  callbackUrl?: string
  /** Transparent where to change the first reference, and as large as that. */
  mask?: ReferenceInput
}

export interface CreateOptions {
  caller: Caller
  requestId: string
  /** Keys are separate for each token. */
  idempotency?: { key: string; bodyHash: string }
  signal?: AbortSignal
  /** Of the caller and the whole request, where the client may repeat it by itself. */
  fingerprint?: string
  /** A cap beside those of tokens, configurations and the server. */
  session?: SpendingSession
}

export interface RepeatOptions extends CreateOptions {
  fingerprint: string
  /**
   * `said`: the client says that this is a repeat. `unsaid`: it says nothing, and joins only what another caller is not waiting for.
   * `unanswered`: it asks for the same only to get what nobody was told the end of, whoever waits for that. `never`: it asks for another
   * picture all the same.
   */
  repeats: 'said' | 'unsaid' | 'unanswered' | 'never'
  /** Aborts when the caller no longer waits for the answer, because it got it or went away. */
  left: AbortSignal
}

export interface Joined {
  generation: GenerationRecord
  /** It was asked for before, and nothing new is made. */
  isJoined: boolean
}

export interface Repeats {
  /**
   * As `create`, but a request that repeats a former one returns that generation, as long as it may have cost money: while it is being
   * made, and for ten minutes after its end.
   */
  createUnlessRepeated(request: GenerationRequest, options: RepeatOptions): Promise<Joined>
  /** The same for `retry`. */
  retryUnlessRepeated(id: string, only: RetryScope, options: RepeatOptions): Promise<Joined>
  /** The caller got its answer: an equal request from now on is another one. */
  noteAnswered(id: string): Promise<void>
}

export type RetryScope = 'all' | 'missing'

export interface Estimate {
  model: string
  /** Pictures that would be asked for, and the paid requests that it takes. */
  images: number
  calls: number
  /** Null where no price is known. The range is one number when the size is known. */
  cost: { min: number; max: number; currency: string } | null
  /** Explains the cost, one sentence each. */
  reasons: string[]
  warnings: Warning[]
}

export interface Generations extends Repeats {
  /**
   * Checks everything, then writes the generation and its calls and lets them run.
   * With a key that was used before, returns that generation, and nothing new is made.
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
  /** How many there are of a filter. Read beside everything else, however many they are. */
  count(query: Omit<HistoryQuery, 'limit' | 'cursor' | 'sort'>): Promise<HistoryCounts>
  /** @throws Refusal `not_found`; `invalid_request` for a picture that it does not have */
  change(id: string, change: Marks): Promise<GenerationRecord>
  /** @throws Refusal `not_found`, `conflict` while it is running */
  remove(id: string): Promise<void>
  /** Removes all ended ones; returns how many. */
  clear(owner?: string): Promise<number>
  /** @throws Refusal `not_found`, `conflict` when it has ended */
  cancel(id: string): Promise<GenerationRecord>
  /**
   * Makes all or only the missing images of an ended generation again, as a new generation. May be charged.
   * @throws Refusal `not_found`, `conflict` while it runs or when nothing is missing, and whatever `create` throws
   */
  retry(id: string, only: RetryScope, options: CreateOptions): Promise<GenerationRecord>
  /** Estimate of `retry`; sends and writes nothing. */
  estimateRetry(id: string, only: RetryScope, caller: Caller): Promise<Estimate>
  /** Estimate of `create`; refuses what that refuses, sends nothing to the service and stores nothing. */
  estimate(request: GenerationRequest, caller: Caller): Promise<Estimate>
  /** What the cap of a session leaves now, with what runs counted at the most that it may cost. */
  sessionLeft(session: SpendingSession): Promise<Money>
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
  /** At least one picture has at least so many. */
  stars?: number
  /** True: a picture of it is rejected. False: there is more than rejected pictures. */
  rejected?: boolean
  /** Newest first where it is left out. */
  sort?: 'newest' | 'oldest' | 'stars' | 'cost'
  from?: Date
  to?: Date
  owner?: string
}

export interface StatusReport {
  /** How far database and files were looked over since the start. */
  check: Check
  database: { state: 'ok' | 'failing'; kind: 'sqlite' | 'postgresql'; detail?: string }
  storage: { state: 'ok' | 'failing'; kind: 'folder' | 's3'; detail?: string; freeBytes?: number }
  queue: {
    state: 'ok' | 'waiting' | 'draining'
    queued: number
    running: number
    waiting: { id: string; reason: Message }[]
  }
  providers: {
    id: string
    name: string
    configured: boolean
    activeConfigurations: number
    /** Active ones that could take a request now. */
    readyConfigurations: number
  }[]
  /** Models that end, or ended recently, at an address of an active configuration; once per provider, the nearest end first. */
  ending: { provider: string; id: string; name: string; standing: Standing }[]
}

/** What keeps the server from its work: nothing when all is well. */
export type Hindrance = 'database' | 'storage'

/** Everything that the faces need. */
export interface Services {
  generations: Generations
  imports: Imports
  exports: Exports
  images: Images
  configurations: Configurations
  pool: Pick<Pool, 'stateOf'>
  catalogue: Catalogue
  prices: Prices
  lives: Lives
  tokens: Tokens
  webhooks: Webhooks
  users: Users
  usage: Usage
  status(): Promise<StatusReport>
  /** Looks whether the database and the picture store can be written; an answer serves everybody who asks within a second. */
  findHindrances(): Promise<Hindrance[]>
  /** Resolves when every change so far survives a power cut. @throws DatabaseError when that is not certain */
  whenDurable(): Promise<void>
}
