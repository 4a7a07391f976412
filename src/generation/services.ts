/** What the faces of the program (HTTP, later MCP) may ask of it. `createParts` in `parts.ts` builds them. */
import type { CheckResult } from '../providers/provider.ts'
import type {
  ConfigurationRecord,
  GenerationRecord,
  GenerationStatus,
  ImageRecord,
  JsonObject,
} from '../storage/records.ts'

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
  requestId: string
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
  warnings: { parameter: string; message: string }[]
}

export interface Generations {
  /**
   * Checks everything, then writes the generation and its calls and lets them run.
   * With a key that was used before, the generation of then, and nothing new is made.
   * @throws Refusal `invalid_request` (with every fault), `configuration_missing`, `idempotency_mismatch`, `gone`
   */
  create(request: GenerationRequest, options: CreateOptions): Promise<GenerationRecord>
  /**
   * The generation once it has ended; or as it is when `timeoutMs` or `signal` ended the wait, or when its pictures were made but
   * cannot be fetched or stored for a minute.
   */
  whenEnded(id: string, options: { timeoutMs?: number; signal?: AbortSignal }): Promise<GenerationRecord>
  find(id: string): Promise<GenerationRecord | undefined>
  list(query: HistoryQuery): Promise<{ items: GenerationRecord[]; nextCursor: string | null }>
  /** @throws Refusal `not_found` */
  change(id: string, change: { favorite?: boolean; tags?: string[] }): Promise<GenerationRecord>
  /** @throws Refusal `not_found`, `conflict` while it is running */
  remove(id: string): Promise<void>
  /** Removes all that has ended; how many. */
  clear(): Promise<number>
  /** @throws Refusal `not_found`, `conflict` when it has ended */
  cancel(id: string): Promise<GenerationRecord>
  /**
   * Makes all, or just the missing, pictures of an ended generation anew, as a generation of its own. May be charged.
   * @throws Refusal `not_found`, `conflict` while it runs or when nothing is missing, and whatever `create` throws
   */
  retry(id: string, only: RetryScope, options: CreateOptions): Promise<GenerationRecord>
  /** What `retry` would make and cost; sends and writes nothing. */
  estimateRetry(id: string, only: RetryScope): Promise<Estimate>
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
  from?: Date
  to?: Date
}

export type GenerationEvent =
  | { type: 'generation'; revision: number; generation: GenerationRecord }
  | { type: 'removed'; revision: number; id: string }

export interface Events {
  /**
   * First what changed since `after` (without it: all unfinished generations, or the present state of `generationId`), then every
   * change as it happens. Never misses one in between; ends with `signal`, and for one generation after its last state.
   */
  follow(options: { generationId?: string; after?: number; signal: AbortSignal }): AsyncIterable<GenerationEvent>
}

export interface Images {
  /** @throws Refusal `invalid_request` when it is no picture of a known type, `too_large` */
  storeReference(upload: UploadedFile): Promise<ImageRecord>
  find(id: string): Promise<ImageRecord | undefined>
  /** The stored bytes; `range` inclusive. @throws Refusal `not_found` when the file is missing. */
  read(image: ImageRecord, range?: { start: number; end: number }): Promise<NodeJS.ReadableStream>
  /** A WebP of at most 512 px, made when it is first asked for. */
  thumbnail(image: ImageRecord): Promise<Buffer>
  /** Only references that no generation uses. @throws Refusal `not_found`, `conflict` */
  remove(id: string): Promise<void>
}

export interface ConfigurationInput {
  name?: string
  provider?: string
  model?: string | null
  base_url?: string | null
  api_key?: string
  is_active?: boolean
}

export interface Configurations {
  list(): Promise<ConfigurationRecord[]>
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
    waiting: { id: string; reason: string }[]
  }
  providers: { id: string; name: string; configured: boolean; activeConfigurations: number }[]
}

/** Everything that the faces need. */
export interface Services {
  generations: Generations
  images: Images
  configurations: Configurations
  status(): Promise<StatusReport>
}
