import type { Generated } from 'kysely'

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
  request_fingerprints: RequestFingerprintsTable
  imports: ImportsTable
  removals: RemovalsTable
  former_tasks: FormerTasksTable
  counters: CountersTable
  access_tokens: AccessTokensTable
  users: UsersTable
  spending: SpendingTable
  session_spending: SessionSpendingTable
  spending_sums: SpendingSumsTable
  taken_out_configurations: SuspensionsTable
  reference_owners: ReferenceOwnersTable
  model_lists: ModelListsTable
  listed_models: ListedModelsTable
  webhooks: WebhooksTable
  webhook_deliveries: WebhookDeliveriesTable
  meta: MetaTable
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
  /** Millionths, as everywhere where money is summed up. */
  monthly_cap_amount: number | null
  monthly_cap_currency: string | null
  monthly_images: number | null
  /** Share of the work among configurations of the same service. */
  weight: number
  /** Paid requests at a time; null: as many as the models take. */
  most_running: number | null
  requests_per_minute: number | null
}

/** Configurations, those of the environment too, that a service refused for good; until a test passes. */
export interface SuspensionsTable {
  config_id: string
  code: string
  message: string
  taken_out_at: string
  /** Null in rows of earlier versions: retry at once. */
  retry_at: string | null
  refusals: number
  provider_code: string | null
  provider_message: string | null
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
  /** JSON: the ratings of its pictures by position; those without one are left out. */
  ratings: string
  /** The most that a picture of it has. */
  stars: number
  /** How many of its pictures are rejected. */
  rejected: number
  /** Position of the picture that stands for all of them; null: the first. */
  cover: number | null
  retry_of: string | null
  waiting: string | null
  cancel_requested: number
  started_at: string | null
  finished_at: string | null
  request_id: string | null
  /** The owner: a named token without a user, or a user. */
  token_id: string | null
  /** Is told of its end, beside the webhooks of the owner. */
  callback_url: string | null
  /** The program that made it, such as `comfyui`; null for what was made here. */
  imported_from: string | null
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
  /** 1: nobody named a configuration, so another of the same service may send it while it is planned. */
  may_move: number
  timeout_ms: number
  /** The call is not sent before this time. */
  not_before: string | null
  sent_at: string | null
  /** Key and address, sealed, while the service may have to be asked for what became of it; null where nobody asks. */
  sent_with: string | null
  task_id: string | null
  accepted_at: string | null
  /** 1: its task id was not told but found in the list of the service, and nothing proves yet that the task is its own. */
  was_found: number
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
  /** Counted in days that the database has seen, see `days.ts`. */
  day: Generated<number>
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
  /** Counted in days that the database has seen, see `days.ts`. */
  day: Generated<number>
}

/** What was asked for by whom, of requests whose clients may repeat them by themselves. */
export interface RequestFingerprintsTable {
  generation_id: string
  /** Of the token and the whole request. */
  fingerprint: string
  /** 1: the caller got its answer. */
  is_answered: number
  /** Of the days that the database has seen, see `days.ts`. */
  day: Generated<number>
}

/** What recognises an imported generation when it is imported again. */
export interface ImportsTable {
  /** As `imported_from` of its generation. */
  source: string
  /** What its source calls it, or the hash of its picture. */
  identity: string
  generation_id: string
  /** SHA-256 of prompt, model and parameters, in hexadecimal. */
  recipe_hash: string
  imported_at: string
}

/** Generations that were deleted, so that a client which reconnects hears of it. */
export interface RemovalsTable {
  generation_id: string
  revision: number
  removed_at: string
  token_id: string | null
  /** Counted in days that the database has seen, see `days.ts`. */
  day: Generated<number>
}

/** Task ids of deleted generations, so that none of them is taken for a task whose id was lost. */
export interface FormerTasksTable {
  task_id: string
  removed_at: string
  /** Counted in days that the database has seen, see `days.ts`. */
  day: Generated<number>
}

export interface CountersTable {
  name: string
  value: number
}

/** Named tokens. A revoked one keeps its row, without its hash, so that what it spent still has a name. */
export interface AccessTokensTable {
  id: string
  name: string
  role: string
  /** SHA-256 of the text, in hexadecimal. */
  hash: string | null
  monthly_cap_amount: number | null
  monthly_cap_currency: string | null
  monthly_images: number | null
  /** JSON list, or null for all. */
  models: string | null
  created_at: string
  last_used_at: string | null
  revoked_at: string | null
  /** The user that it belongs to; null: it stands for itself. */
  user_id: string | null
}

/** People who sign in at an issuer of OpenID Connect; what they made has their id as its `token_id`. */
export interface UsersTable {
  id: string
  issuer: string
  /** Who it is to the issuer. Unique together with it. */
  subject: string
  name: string
  email: string | null
  /** As of the last login; null: the issuer's claims let this person in no more. */
  role: string | null
  monthly_cap_amount: number | null
  monthly_cap_currency: string | null
  monthly_images: number | null
  /** JSON list, or null for all. */
  models: string | null
  /** Sessions of another epoch have ended. */
  session_epoch: Generated<number>
  first_seen_at: string
  last_seen_at: string
  disabled_at: string | null
}

/**
 * One row a generation and configuration that its calls are made with: what they may cost while it runs, what they cost when it has
 * ended. Rows outlive their generation: deleting pictures gives no money back.
 */
export interface SpendingTable {
  generation_id: string
  config_id: string
  /** When it was asked for: the month that it counts in. */
  timestamp: string
  /** The named token that was sent, or the user in a session; null for the access token of the server, and where none is needed. */
  token_id: string | null
  model: string
  /** `reserved` until the generation ends, then `settled`. */
  state: string
  images: number
  calls: number
  /** Millionths; null where no price is known. */
  amount: number | null
  currency: string | null
  /** 1: nobody knows whether it was billed, or for how much. */
  is_unknown: number
}

/** Generations that count in the cap of a session. Rows outlive their generation, as those of `spending` do. */
export interface SessionSpendingTable {
  generation_id: string
  /** The token and the name of the session. */
  session: string
  /** When the first generation of the session was asked for. */
  began_at: string
  timestamp: string
}

/** What the settled rows of `spending` come to in a day or a month, kept by triggers. An empty text stands for null. */
export interface SpendingSumsTable {
  unit: 'day' | 'month'
  /** Such as 2026-11-23 or 2026-11, in UTC. */
  start: string
  token_id: string
  config_id: string
  model: string
  currency: string
  images: number
  calls: number
  /** Millionths. */
  amount: number
  unknown: number
}

/** Owners of an uploaded reference: the same picture is stored once, whoever gives it. */
export interface ReferenceOwnersTable {
  image_id: string
  /** The owner; empty for the access token of the server, and where none is needed. */
  token_id: string
}

/** When the list of models of a service was last asked for: at one of its platforms, or at an address that is not its own. */
export interface ModelListsTable {
  provider: string
  /** A platform such as `ark-cn`, or a base address. */
  place: string
  asked_at: string
  /** Null where it has none. */
  answered_at: string | null
}

/** What such a list said of an image model. Ids that it names no more keep their row: a missing id proves nothing. */
export interface ListedModelsTable {
  provider: string
  place: string
  model_id: string
  /** `offered`, `retiring` or `ended`. */
  status: string
  /** The service's own word for it. */
  word: string
  /** JSON: what else the list says, such as the name and the input and output types. */
  told: string
  /** When the status changed in the list; null if it was always this one. */
  status_since: string | null
  seen_at: string
}

/** Who is told of the ends of somebody's generations. */
export interface WebhooksTable {
  id: string
  /** Empty for the access token of the server, and where none is needed. */
  owner_id: string
  /** Null: it signs what goes to the `callback_url` of requests. */
  url: string | null
  name: string
  /** `active`, `off`, or `gone`: it answered 410. */
  state: string
  /** Sealed; empty where a change of SECRET_KEY has lost it. */
  secret: string
  /** Sealed: the one before it, which signs beside it until `former_until`. */
  former_secret: string | null
  former_until: string | null
  created_at: string
}

/** One message to one address, written in the transaction of the end that it tells. */
export interface WebhookDeliveriesTable {
  /** The `webhook-id`. */
  id: string
  webhook_id: string
  generation_id: string | null
  url: string
  /** Of `url`, with its port: so many at a time go to one host. */
  host: string
  /** JSON: an `EventRecord`. */
  event: string
  /** `pending`, `delivered`, `failed` or `dropped`. */
  state: string
  /** JSON list: a `TryRecord` each. */
  tries: string
  /** When it is tried next, or the lease of whoever tries it ends; null at its end. */
  due_at: string | null
  /** Of the process that tries it. */
  lease: string | null
  created_at: string
  /** When it was written, or a person last asked to send it again: the day of tries begins here. */
  tried_since: string
  /** Of the days that the database has seen, see `days.ts`. */
  day: Generated<number>
}

/** Single values: `seal-check` is a word sealed with the present secret, `owner` names the server whose database this is. */
export interface MetaTable {
  name: string
  value: string
}
