/**
 * What an image service is to the rest of the program.
 *
 * An adapter translates and nothing else: it has no clock, no database, no retry and no state. Everything that costs
 * money goes through one `PlannedCall`; the runner in `generation/run.ts` commits each step to the ledger before the next.
 */

import type { Http } from '../outgoing/http.ts'
import type { ProviderFailure } from './errors.ts'

export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue }
export type JsonObject = { [name: string]: JsonValue }
export type JsonSchema = { [keyword: string]: unknown }

export interface Provider {
  /** Stable word in the API and in the database, such as `doubao`. */
  id: string
  name: string
  /** Ends without a slash. */
  defaultBaseUrl: string
  /** Newest line first, and in a line the lighter before the finer: where no price decides, the first that fits is the default. */
  models: readonly Model[]
  /**
   * The form for an id that is not in `models`: that of the family which the id names, or the cautious one that sends
   * only what every model of the service takes. `undefined` when the id does not look like one of this service and
   * `declared` is false (nobody said that it is).
   */
  unlisted(id: string, declared: boolean): Model | undefined
  /**
   * Pure: which of the service's own platforms a base address belongs to, such as `ark-cn` or `byteplus`: each has its own models,
   * dates and prices. Undefined for an address that is not the service's own (a reseller, a gateway).
   */
  platformAt(baseUrl: string): string | undefined
  /** Every word that `platformAt` says. */
  platforms: readonly string[]
  /** Pure: whose price list counts on a platform of `platformAt`, for a model as its id is spelled there. Absent: always `home`. */
  priceListAt?(platform: string, modelId: string): PriceList
  /**
   * Pure: the calls with their exact bodies. The request was checked against `model` already (names, types, ranges,
   * size, counts); rules that join several parameters are checked here.
   * @throws InvalidRequest with every fault, before anything is sent.
   */
  plan(request: PlanRequest, model: Model): Plan
  /** Pure: where calls of this route are sent. What an answer names without a host is at home there. */
  addressOf(route: string, baseUrl: string): string
  /**
   * One HTTP exchange that may cost money. Yields what it learns: a task id, the parts of a stream, the raw answer.
   * An answer with an error status is an answer. Throws ExchangeError when there was none or not a whole one.
   */
  send(call: SentCall, context: Context): AsyncIterable<Learned>
  /** One look at a task; free. Throws nothing but abort errors: trouble is `unsure`. */
  poll?(task: Task, context: Context): Promise<Polled>
  /** Ask the service to drop a task that has not begun. True when it said so, false when it was too late or unsure. */
  cancel?(task: Task, context: Context): Promise<boolean>
  /**
   * Ids of tasks of this account and model that were submitted within the window: the way to find a task whose id was
   * lost between submit and save. Undefined when the service could not be asked; null where calls of this route are no tasks.
   */
  findTasks?(
    window: { model: string; route: string; from: Date; to: Date },
    context: Context,
  ): Promise<string[] | undefined | null>
  /**
   * Was the task of this answer made from this call? True or false where it tells by repeating what was asked for, undefined where it
   * does not. For tasks that were found with `findTasks`: another program of the account may have asked for them. Pure.
   */
  isOwnTask?(answer: RawAnswer, call: { route: string; body: JsonObject }): boolean | undefined
  /** Pure, so that a stored answer can be parsed again after any crash. Also takes the beginning of a cut stream. */
  parse(answer: RawAnswer, call: { route: string; body: JsonObject }): Parsed
  /**
   * What the service's own list says of its image models; free, and the same for every account. Null where it has none or one that tells
   * nothing of a model's end; undefined when it could not be asked. Throws nothing but abort errors.
   */
  listModels?(context: Context): Promise<ListedModel[] | null | undefined>
  /** Proves key, address and model access as far as that is possible without making a picture. Never paid. */
  check(model: string | undefined, context: Context): Promise<CheckResult>
}

// ── Models: data, not code ──────────────────────────────────────────────────────────────────────────────────────────

export interface Model {
  id: string
  name: string
  /** Models of one family share limits, e.g. `seedream-4.5`. */
  family: string
  /** Other ids that mean the same model. */
  aliases?: readonly string[]
  /** By platform, the alias that it is called there, where the platform does not know `id`. */
  idAt?: Readonly<Record<string, string>>
  /** `legacy`: a newer one does the same. Whether it is still there is a matter of its platform: see `life`. */
  state: 'current' | 'legacy' | 'unlisted'
  /** The platforms of its service, as `Provider.platformAt` names them, that are known to serve it or to have served it. Absent: all. */
  platforms?: readonly string[]
  /** What is known of its end; the first entry that names the platform counts, then one without platforms. Absent: no end is known. */
  life?: readonly ModelLife[]
  /** One sentence each, for people. */
  about: { en: string; zh: string }
  /** False for models that only edit. */
  textToImage: boolean
  /** False: a series that `images.group.askedBy` asks for needs no prompt, or, without one, no request does. */
  promptRequired: boolean
  /** The service silently cuts what is longer, so we warn. In characters. */
  promptMaxCharacters?: number
  references: ReferenceLimits
  sizes: { textToImage?: SizeRule; withReferences?: SizeRule; group?: SizeRule }
  images: ImageCount
  /**
   * The parameters that the model honours beside `size` and `n`, as JSON Schema (draft 2020-12) each, with `description`, and `default`
   * where we send one. A name of another model that is missing here becomes a warning; one that no model knows is refused.
   */
  parameters: Readonly<Record<string, JsonSchema>>
  /** At the usual address of the provider. */
  price?: Price
  /** Why there is no price anywhere, to follow "No price is known: "; each model of the catalogue has this or a price on one list. */
  unpriced?: string
  /** At its other address that has a price list of its own; absent where none is known. */
  priceAbroad?: Price
  /** Seconds from request to picture that users saw, [fast, slow]. */
  typicalSeconds: readonly [number, number]
  /** Paid requests in flight per configuration. */
  concurrency: number
  /** Where the facts come from and when they were checked (`YYYY-MM`). */
  source: string
  checked: string
}

/** How a model ends on some platforms of its service. Times are ISO 8601 with their offset. */
export interface ModelLife {
  /** As `Provider.platformAt` names them; absent: on all. */
  platforms?: readonly string[]
  /** When the service said that it will end; its rates may shrink from then on. */
  announcedAt?: string
  /** From then on, accounts that never opened it cannot open it any more. */
  closedToNewAt?: string
  /** From then on, requests are refused. */
  endsAt?: string
  /** Ended at a time that nobody wrote down. */
  hasEnded?: boolean
  /** Ids that do the same on these platforms, the best first; empty or absent where there is none. */
  successors?: readonly string[]
  certainty: 'documented' | 'reported' | 'inferred'
  source: string
  /** `YYYY-MM` or `YYYY-MM-DD`. */
  checked: string
}

/** What the list of a service says of one of its image models. */
export interface ListedModel {
  id: string
  /** `retiring`: still there for whoever had it before. */
  status: 'offered' | 'retiring' | 'ended'
  /** The service's own word for it. */
  word: string
  /** What else it told, such as the name and what goes in and comes out. */
  told: JsonObject
}

export interface ReferenceLimits {
  min: number
  max: number
  /** Types the service takes, e.g. `image/png`; others are re-encoded to the first fitting one. */
  types: readonly string[]
  /** May a picture with transparent pixels be sent as it is? Otherwise it is laid on white. */
  alpha: boolean
  /** Of the base64 text of one reference and of all together, in bytes. */
  maxEncodedBytes: number
  maxTotalEncodedBytes: number
  /** In pixels. Larger pictures are shrunk, smaller ones refused. */
  minSide: number
  maxSide: number
  maxArea?: number
  /** Long side over short side, at most. */
  maxRatio?: number
}

export interface SizeRule {
  /** Tiers that the service itself understands and that are sent as words, e.g. `2K`. */
  keywords?: readonly string[]
  /** Bounds of a free W×H, all inclusive, in pixels; absent when only `exact` or `keywords` are taken. */
  free?: {
    minArea?: number
    maxArea?: number
    minSide?: number
    maxSide?: number
    /** Width over height. */
    minRatio?: number
    maxRatio?: number
  }
  /** The only W×H taken, e.g. `1664x928`. */
  exact?: readonly string[]
  /** Recommended sizes: tier → ratio → `WxH`. A ratio asked for is looked up under `defaultTier`, then computed. */
  table: Readonly<Record<string, Readonly<Record<string, string>>>>
  defaultTier?: string
  /** What is sent when nothing was asked: a keyword, a tier of the table or `WxH`; nothing is sent when it is absent. */
  default?: string
  /** A tier that is not a keyword takes the ratio of the last reference instead of 1:1. */
  followsLastReference?: boolean
}

export interface ImageCount {
  /** The most that one generation may ask for. */
  max: number
  /** The most that one call makes, where the service has a count of its own; more become several calls. */
  perCall: number
  /**
   * One call makes a coherent series of at most `limit`, references included where `countsReferences`. `askedBy` names the boolean
   * parameter that asks for a series; without it, any count above one is one. `maxLayers` come on top of the pictures of each call,
   * and each is billed.
   */
  group?: { limit: number; countsReferences: boolean; askedBy?: string; maxLayers?: number }
}

/** `home` is `Model.price`, `abroad` is `Model.priceAbroad`; `unknown`: the service sells there, for we know not what. */
export type PriceList = 'home' | 'abroad' | 'unknown'

export interface Price {
  currency: 'CNY' | 'USD'
  /** By area of the picture made, ascending; the last step has no `upToArea`. Amount per picture. */
  image: readonly { upToArea?: number; amount: number }[]
  /** The same for extra layers. */
  layer?: readonly { upToArea?: number; amount: number }[]
  /** Per reference after the first `free`. */
  reference?: { amount: number; free: number }
  /** The amount is multiplied when this parameter is true. */
  factorWhen?: { parameter: string; factor: number }
  certainty: 'documented' | 'reported' | 'inferred'
  source: string
  checked: string
}

// ── From a request to calls ─────────────────────────────────────────────────────────────────────────────────────────

export interface PlanRequest {
  /** The id to send, which may be an alias or an endpoint id that `model.id` does not spell. */
  modelId: string
  prompt: string
  /** Images wanted, 1 or more. */
  count: number
  /** Absent: let the service choose. */
  size?: Size
  /** Checked; holds only names of `model.parameters`. Defaults are not filled in. */
  parameters: JsonObject
  references: readonly ReferenceFacts[]
}

export type Size = { width: number; height: number } | { keyword: string }

/** A reference after it was oriented, shrunk and re-encoded for the model. */
export interface ReferenceFacts {
  mimeType: string
  width: number
  height: number
  /** Has at least one pixel that is not opaque. */
  transparent: boolean
}

/** Stands in a body for the reference at this position; `send` puts the picture itself there. */
export type ReferencePlace = { $reference: number }

export interface Plan {
  calls: PlannedCall[]
  warnings: Warning[]
  /** The parameters as sent, in our vocabulary, after defaults. */
  resolved: JsonObject
}

export interface PlannedCall {
  /** The adapter's own word for the way this call goes. */
  route: string
  /** Exactly what is sent, with `ReferencePlace` where a reference goes. */
  body: JsonObject
  /** Pictures this call is asked for: as many as are missing from the answer were not made. */
  images: number
  /** The service makes at most `images` and decides itself how many. */
  mayMakeFewer?: boolean
  /** From the request until the whole answer. */
  timeoutMs: number
}

export interface Warning {
  code: WarningCode
  parameter: string
  message: string
  /** What stands in the sentence beside the model and the parameter. */
  values?: Record<string, string | number>
}

/** Each has a text of the studio in every language, and a row in docs/api.md. */
export type WarningCode =
  | 'left_out'
  | 'prompt_cut'
  | 'negative_prompt_cut'
  | 'series_number'
  | 'size_of_reference'
  | 'story_without_reference'
  | 'story_writes_itself'
  | 'needs_rewriting'
  | 'needs_plain_text'
  | 'needs_reference'
  | 'needs_one_reference'
  | 'layers_without_seed'
  | 'edit_without_moderation'
  | 'model_retired'
  | 'task_not_proven'
  | 'picture_damaged'
  | 'picture_not_shown'
  | 'model_ending'
  | 'cap_without_price'
  | 'cap_in_other_currency'

// ── One exchange ────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Context {
  apiKey: string
  /** Ends without a slash. */
  baseUrl: string
  http: Http
  signal: AbortSignal
  /** The prepared reference at this position. */
  reference(index: number): Promise<{ mimeType: string; bytes: Buffer }>
}

export interface SentCall {
  /** Our id of the call, for services that echo one. */
  id: string
  route: string
  body: JsonObject
  timeoutMs: number
}

export type Learned =
  | { type: 'task'; taskId: string; requestId?: string }
  /**
   * The text of a stream as it came, ending at the end of an event but for the last. Together they are the answer's body.
   * `matters` is false for what changes nothing: pings, comments, events of unknown types.
   */
  | { type: 'part'; status: number; contentType?: string; requestId?: string; text: string; matters: boolean }
  | { type: 'answer'; answer: RawAnswer }

/** What the service said, before anyone understood it. */
export interface RawAnswer {
  status: number
  contentType?: string
  /** The service's own id of the exchange, from a header or the body. */
  requestId?: string
  retryAfterMs?: number
  body: string
  /** False when the connection broke before the end. */
  complete: boolean
}

export interface Task {
  id: string
  route: string
  /** How often it was looked at before. */
  polls: number
  /** The key is another than the one that it was sent with: that the service does not know it there proves nothing. */
  isOtherKey?: boolean
}

/** `taskId`: a better one to look with from now on, where the look found out more about its place. */
export type Polled =
  | { state: 'pending'; afterMs: number; running: boolean; taskId?: string }
  /** Nothing learned (rate limit, 5xx, network): look again. */
  | { state: 'unsure'; afterMs: number; reason: string; taskId?: string }
  | { state: 'ended'; answer: RawAnswer }

export interface Parsed {
  pictures: Picture[]
  /** Pictures that were asked for and refused or failed, by position. */
  failures: (ProviderFailure & { index: number })[]
  /** The whole call failed and there is no picture. */
  error?: ProviderFailure
  /** The prompt as the service rewrote it. */
  revisedPrompt?: string
  /** What the service says it bills, in pictures. */
  billedImages?: number
  /** False while more may come: a stream without its end. */
  complete: boolean
}

export interface Picture {
  index: number
  /** One of the two. The URL is used letter for letter; it may lack its beginning, which is that of the address that answered. */
  url?: string
  /** Bare, or a data URI, in any spelling. */
  base64?: string
  /** When the URL dies, ms since 1970, as far as its query tells. */
  expiresAt?: number
  /** Facts that belong to the picture: layer name, position, … */
  details?: JsonObject
}

export interface CheckResult {
  code:
    | 'ok'
    | 'provider_key_rejected'
    | 'wrong_address'
    | 'provider_access_denied'
    | 'provider_quota_exhausted'
    | 'provider_unavailable'
  /** A sentence that says what was proved, or what to do. */
  detail: string
}
