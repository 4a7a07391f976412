/** What the rows of the database look like to the rest of the program. Times are ISO 8601 in UTC. */

export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue }
export type JsonObject = { [name: string]: JsonValue }

export type GenerationStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'

export function hasEnded(status: GenerationStatus) {
  return status !== 'queued' && status !== 'running'
}

/** `unknown`: a request may have been billed and its answer was lost. */
export type Charge = 'none' | 'charged' | 'unknown'

/** `amount` in whole units of the currency, such as 0.25 CNY. */
export interface Money {
  amount: number
  currency: string
}

/** The most of a calendar month (UTC); null where there is no such cap. */
export interface Caps {
  monthlyCap: Money | null
  monthlyImages: number | null
}

export type Role = 'admin' | 'member'

/** A named token without its text, of which only the hash is kept. */
export interface TokenRecord extends Caps {
  id: string
  name: string
  role: Role
  /** Model ids that it may use; null: all. */
  models: string[] | null
  createdAt: string
  /** To the nearest few minutes. */
  lastUsedAt: string | null
  revokedAt: string | null
  /** The user that it belongs to; null: it stands for itself. */
  userId: string | null
}

/** Somebody who signs in at an issuer of OpenID Connect. */
export interface UserRecord extends Caps {
  id: string
  issuer: string
  /** Who it is to the issuer. */
  subject: string
  name: string
  email: string | null
  /** As of the last login; null: the claims of the issuer let this person in no more. */
  role: Role | null
  /** Model ids that the user may use; null: all. */
  models: string[] | null
  /** Sessions of another epoch have ended. */
  sessionEpoch: number
  firstSeenAt: string
  /** To the nearest few minutes. */
  lastSeenAt: string
  disabledAt: string | null
}

/** What a person asked for, and its fate: one row of `chat_history`. */
export interface GenerationRecord {
  id: string
  status: GenerationStatus
  prompt: string
  revisedPrompt: string | null
  /** Null only in rows of an old database whose model nobody knows. */
  provider: string | null
  model: string | null
  configId: string | null
  /** Who asked, and alone may see it: a user, or a named token without one; null for the access token of the server, and where none is needed. */
  ownerId: string | null
  /** Parameters as they were asked for. */
  parameters: JsonObject
  /** Parameters as they were sent, after defaults and limits. */
  resolved: JsonObject | null
  timestamp: string
  startedAt: string | null
  finishedAt: string | null
  /** Pictures made, by position. */
  images: ImageRecord[]
  /** References, in the order of the request. */
  references: ImageRecord[]
  /** Upstream URLs as found in a row that was taken over from an old database. */
  oldImageUrls: string[]
  failures: FailureRecord[]
  warnings: (Message & { parameter: string })[]
  error: ErrorRecord | null
  charge: Charge
  cost: Money | null
  favorite: boolean
  tags: string[]
  /** By position of the picture; those without one are left out. */
  ratings: Ratings
  /** Position of the picture that stands for all of them; null: the first. */
  cover: number | null
  retryOf: string | null
  /** Why a running generation is not progressing at the moment. */
  waiting: Message | null
  cancelRequested: boolean
  /** While it is unfinished: how many of its requests wait to be sent, and how many were sent and may cost. */
  calls: { unsent: number; sent: number }
  /** The program that made it, such as `comfyui`; null for what was made here. */
  importedFrom: string | null
  /** Id of the HTTP request that asked for it; every log line about it has it. */
  requestId: string | null
  /** Request ids of the service, one a paid request. */
  providerRequestIds: string[]
  /** Grows with every change of any generation. */
  revision: number
}

/** What somebody thinks of a picture. */
export interface Rating {
  /** 0 to 5; 0: none were given. */
  stars: number
  isRejected: boolean
}

export type Ratings = Record<number, Rating>

/** Undefined members stay as they are. */
export type RatingChange = { index: number } & Partial<Rating>

/** What a person marks. Undefined members stay as they are. */
export interface Marks {
  favorite?: boolean
  tags?: string[]
  cover?: number | null
  ratings?: RatingChange[]
}

/** A sentence together with its code and values, so that a page can say it in its own language. */
export interface Message {
  /** Rows of earlier versions have none. */
  code?: string
  message: string
  values?: Record<string, string | number>
}

export interface ErrorRecord {
  code: string
  message: string
  providerCode: string | null
  providerMessage: string | null
  providerRequestId: string | null
  retryAfterMs: number | null
  /** What a refusal concerns that may not affect other configurations. */
  concerns?: 'model' | 'configuration'
  /** What `message` says, for a page that says it in its own language; absent where it is the sentence of its code. */
  reason?: Pick<Message, 'code' | 'values'>
}

/** A requested image that is missing. */
export interface FailureRecord {
  index: number
  code: string
  message: string
  providerCode: string | null
}

/** One stored picture: a row of `images` and a file. */
export interface ImageRecord {
  id: string
  role: 'result' | 'reference'
  generationId: string | null
  callId: string | null
  /** Position in the generation. */
  index: number
  /** Key in the file store. */
  file: string
  width: number
  height: number
  bytes: number
  mimeType: string
  sha256: string
  createdAt: string
  /** Layer name, position and the like, as reported by the provider. */
  details: JsonObject | null
}

/** How much of the work of its service a configuration takes. */
export interface Share {
  /** Share of the work among configurations of the same service, 1 to 100. */
  weight: number
  /** Paid requests at a time; null: as many as the models take. */
  maxRunning: number | null
  requestsPerMinute: number | null
}

/** Why a configuration is suspended until a request or a test succeeds. */
export interface Suspension {
  /** `provider_key_rejected` or `provider_quota_exhausted`. */
  code: string
  message: string
  /** ISO 8601, the last refusal. */
  at: string
  /** ISO 8601: from then on a request may try it. */
  retryAt: string
  /** Refusals in a row. */
  refusals: number
  /** The service's own words, where it had any. */
  providerCode: string | null
  providerMessage: string | null
}

export interface ConfigurationRecord extends Caps, Share {
  id: string
  name: string
  provider: string
  model: string | null
  baseUrl: string | null
  isActive: boolean
  source: 'stored' | 'environment'
  hasKey: boolean
  /** The last four characters of the key. */
  keyHint: string | null
  createdAt: string | null
  updatedAt: string | null
  suspension: Suspension | null
}

/** What a service's own list said of one of its image models. */
export interface ListedModelRecord {
  provider: string
  /** A platform of the service such as `ark-cn`, or the base address where it is none. */
  place: string
  id: string
  /** `retiring`: available only to accounts that already use it. */
  status: 'offered' | 'retiring' | 'ended'
  /** The service's own word for it. */
  word: string
  /** What else the list says, such as the name and the input and output types. */
  told: JsonObject
  /** When the status changed in the list; null if it was always this one. */
  since: string | null
  seenAt: string
}

export interface ModelListRecord {
  provider: string
  place: string
  askedAt: string
  /** When the list was last received; null if there is none. */
  answeredAt: string | null
}
