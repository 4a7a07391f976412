/**
 * The interface of an image service to the rest of the program.
 *
 * An adapter translates and nothing else: it has no clock, no database, no retry and no state. Everything that costs
 * money goes through one `PlannedCall`; the runner in `generation/run.ts` commits each step to the ledger before the next.
 */

import type { ConfigurationTestResult } from '../api/configurations.ts'
import type { JsonObject, ListedModel, Model, PriceList, ReferenceFacts, Size, Warning } from '../catalogue/model.ts'
import type { ProviderFailure } from '../outgoing/failure.ts'
import type { Http } from '../outgoing/http.ts'

export interface Provider {
  /** Stable word in the API and in the database, such as `doubao`. */
  id: string
  name: string
  /** Ends without a slash. */
  defaultBaseUrl: string
  /**
   * Begins the names of its environment variables: `DOUBAO` makes `DOUBAO_API_KEY`, `DOUBAO_API_URL`, `DOUBAO_MONTHLY_CAP` and
   * `DOUBAO_MONTHLY_CAP_IMAGES`. Absent: it has none.
   */
  environmentPrefix?: string
  /** What the documents of the service call the variable with the key; who sets it by mistake is told the right name. */
  otherKeyVariable?: string
  /**
   * Others offer the same interface under addresses of their own, for models of any name: a private address does not stand in for the
   * service, and a model that another provider lists may be asked for here.
   */
  isCommonProtocol?: boolean
  /** What people need to know before they have a key. */
  guide: Guide
  /** Ordered: the newest line first, and in each line the lighter model first. Where no price decides, the first that fits is the default. */
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
  /** Polls a task once; free. Throws only abort errors: other errors become `unsure`. */
  poll?(task: Task, context: Context): Promise<Polled>
  /** The most polls with one key, all its tasks together. Absent: a cautious rate. */
  maxPollsPerSecond?: number
  /** Asks the service to cancel a pending task. True if it confirmed, false if it was too late or unsure. */
  cancel?(task: Task, context: Context): Promise<boolean>
  /**
   * Ids of tasks of this account and model that were submitted within the window: the way to find a task whose id was
   * lost between submit and save. Undefined when the service could not be asked; null where calls of this route are no tasks.
   */
  findTasks?(window: TaskWindow, context: Context): Promise<string[] | undefined | null>
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
  /** Proves key, address and model access as far as possible without making an image. Never billed. */
  check(model: string | undefined, context: Context): Promise<CheckResult>
}

// ── For people ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Text {
  en: string
  zh: string
}

/** Data only; faces show it unchanged. */
export interface Guide {
  title: Text
  /** The company that runs the service. */
  company: Text
  about: Text
  /** How to get a key. */
  steps: Text
  addressHint: Text
  /** Base addresses in common use, the default first, without a slash at the end. */
  addresses: readonly { url: string; label: Text }[]
  /** The console page where a key is made. */
  keyPage: string
  /** Consoles of accounts: the first whose `hosts` hold a part of the host of the base address, or that has none. */
  consoles: readonly { url: string; hosts?: readonly string[] }[]
}

// ── From a request to calls ─────────────────────────────────────────────────────────────────────────────────────────

export interface PlanRequest {
  /** The id to send, which may be an alias or an endpoint id that `model.id` does not spell. */
  modelId: string
  prompt: string
  /** Images wanted, 1 or more. */
  count: number
  /** Absent: the service chooses. */
  size?: Size
  /** Checked; holds only names of `model.parameters`. Defaults are not filled in. */
  parameters: JsonObject
  references: readonly ReferenceFacts[]
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
  /** The adapter's name for the endpoint of this call. */
  route: string
  /** The exact body, with `ReferencePlace` in place of each reference. */
  body: JsonObject
  /** Images requested by this call: those missing from the answer were not made. */
  images: number
  /** The service decides how many it makes, at most `images`. */
  mayMakeFewer?: boolean
  /** Milliseconds from the request until the whole answer. */
  timeoutMs: number
}

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

/** The answer of the service, unparsed. */
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
  /** Number of earlier polls. */
  polls: number
  /** The key differs from the one that it was sent with, so an unknown task proves nothing. */
  isOtherKey?: boolean
}

/** Tasks that were submitted between `from` and `to`. */
export interface TaskWindow {
  model: string
  route: string
  from: Date
  to: Date
}

/** `taskId`: a more precise one for further polls, if this poll revealed it. */
export type Polled =
  /** `afterMs`: where the service asks for a pause; otherwise the age of the task decides. */
  | { state: 'pending'; afterMs?: number; running: boolean; taskId?: string }
  /** Nothing learned (rate limit, 5xx, network): look again. */
  | { state: 'unsure'; afterMs: number; reason: string; taskId?: string }
  | { state: 'ended'; answer: RawAnswer }

export interface Parsed {
  images: ProviderImage[]
  /** Requested images that were refused or failed, by position. */
  failures: (ProviderFailure & { index: number })[]
  /** The whole call failed and there is no picture. */
  error?: ProviderFailure
  /** The prompt as rewritten by the service. */
  revisedPrompt?: string
  /** The number of images that the service says it bills. */
  billedImages?: number
  /** False while more may come: a stream without its end. */
  complete: boolean
}

export interface ProviderImage {
  index: number
  /** One of the two. The URL is used unchanged; it may be relative to the address that answered. */
  url?: string
  /** Bare, or a data URI, in any form. */
  base64?: string
  /** Expiry of the URL, ms since 1970, if its query has it. */
  expiresAt?: number
  /** Facts about the image: layer name, position, … */
  details?: JsonObject
}

export interface CheckResult {
  code: ConfigurationTestResult['code']
  /** A sentence that says what was proven, or what to do. */
  detail: string
}
