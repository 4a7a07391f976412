/**
 * The tables as Kysely sees them. The same columns on SQLite and PostgreSQL: JSON and times are text, booleans are 0 and 1.
 * `configurations` and `chat_history` carry the names and columns that users of the old database know.
 */
export interface Tables {
  configurations: ConfigurationsTable
  chat_history: ChatHistoryTable
  provider_calls: ProviderCallsTable
  images: ImagesTable
  generation_references: GenerationReferencesTable
  idempotency_keys: IdempotencyKeysTable
  removals: RemovalsTable
  counters: CountersTable
}

export interface ConfigurationsTable {
  id: string
  name: string
  provider: string
  /** Sealed, see seal.ts. */
  api_key: string
  model: string | null
  is_active: number
  base_url: string | null
  key_hint: string | null
  created_at: string
  updated_at: string
}

export interface ChatHistoryTable {
  id: string
  prompt: string
  /** JSON list: `/images/{id}` of what is stored; in rows of an old database the upstream URLs as found. */
  image_urls: string
  timestamp: string
  model: string | null
  parameters: string
  provider: string | null
  config_id: string | null
  status: string
  revised_prompt: string | null
  resolved: string | null
  warnings: string
  failures: string
  error: string | null
  charge: string
  cost_amount: number | null
  cost_currency: string | null
  favorite: number
  tags: string
  retry_of: string | null
  waiting: string | null
  cancel_requested: number
  started_at: string | null
  finished_at: string | null
  request_id: string | null
  /** Prompt, revised prompt and tags in lower case, for the search of substrings. */
  search_text: string
  revision: number
}

export type CallState = 'planned' | 'sending' | 'accepted' | 'answered' | 'settled'

/** The ledger: one row a request upstream that can cost money. A row only ever moves forward. */
export interface ProviderCallsTable {
  id: string
  generation_id: string
  /** Which of the generation's calls; a safe repeat of a refused call is a new row with the same slot and the next `attempt`. */
  slot: number
  attempt: number
  state: CallState
  provider: string
  config_id: string
  model: string
  route: string
  body: string
  images: number
  /** Position of the call's first picture in the generation. */
  first_index: number
  may_make_fewer: number
  timeout_ms: number
  /** Not sent before this time. */
  not_before: string | null
  sent_at: string | null
  task_id: string | null
  accepted_at: string | null
  answered_at: string | null
  answer_status: number | null
  answer_type: string | null
  /** The answer's text when it is small, otherwise `answer_file` names the file that holds it. */
  answer_body: string | null
  answer_file: string | null
  answer_complete: number | null
  retry_after_ms: number | null
  provider_request_id: string | null
  settled_at: string | null
  /** How a settled call ended: `made`, `refused`, `repeated` (a new attempt took its place), `dropped` (never sent), `unknown`. */
  outcome: string | null
  charge: string
  billed_images: number | null
  error: string | null
  failures: string
}

export interface ImagesTable {
  id: string
  role: string
  generation_id: string | null
  call_id: string | null
  position: number
  file: string
  width: number
  height: number
  bytes: number
  mime_type: string
  sha256: string
  created_at: string
  details: string | null
}

export interface GenerationReferencesTable {
  generation_id: string
  position: number
  image_id: string
  /** The prepared form that is sent, until the generation ends. */
  prepared_file: string | null
  prepared_type: string | null
}

export interface IdempotencyKeysTable {
  key: string
  body_hash: string
  generation_id: string
  created_at: string
}

/** Generations that were deleted, so that a client which reconnects hears of it. */
export interface RemovalsTable {
  generation_id: string
  revision: number
  removed_at: string
}

export interface CountersTable {
  name: string
  value: number
}
