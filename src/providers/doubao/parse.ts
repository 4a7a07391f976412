/** What an answer of Ark holds: Volcengine Ark documents 1541523 (images) and 1824137 (stream), 2026-10. Pure. */
import { createParser } from 'eventsource-parser'
import type { JsonObject, JsonValue } from '../../catalogue/model.ts'
import { brokeBehindGateway, ExchangeError, type ProviderFailure } from '../../outgoing/errors.ts'
import type { HttpResponse } from '../../outgoing/http.ts'
import {
  besideBill,
  type Entry,
  isObject,
  type JsonRecord,
  jsonOf,
  mayNamePicture,
  readEntries,
  sourceIn,
  wholeSourcesIn,
} from '../answers.ts'
import type { Parsed, Picture, RawAnswer } from '../provider.ts'
import { failureFor, isKnownCode } from './errors.ts'

export function parse(answer: RawAnswer, call: { body: JsonObject }): Parsed {
  if (answer.status < 200 || answer.status >= 300) {
    const error = failure(answer, errorIn(jsonOf(answer.body)) ?? { message: beginningOf(answer) })
    return { pictures: [], failures: [], error: besideBill(error, answer.body), complete: true }
  }
  const parsed = isEventStream(answer.body) ? parseStream(answer, call.body) : parseJson(answer)
  return parsed.error ? { ...parsed, error: besideBill(parsed.error, answer.body) } : parsed
}

function parseJson(answer: RawAnswer): Parsed {
  const json = jsonOf(answer.body)
  if (typeof json !== 'object' || json === null) return parseBeginning(answer)
  const envelope = isObject(json) ? json : {}
  const entries = readEntries(json)
  const pictures: Picture[] = []
  const failures: Parsed['failures'] = []
  entries.forEach((entry, index) => {
    const read = readEntry(entry, index, answer)
    if ('code' in read) failures.push(read)
    else pictures.push(read)
  })
  const found = errorIn(envelope)
  const parsed: Parsed = { pictures, failures, billedImages: billedImages(envelope), complete: true }
  if (pictures.length === 0) {
    // One answer of 2026-09-30 came without the `error` around it; so does the code of a gateway that says that all went well.
    const isError = found && (envelope.error || isKnownCode(found.code))
    parsed.error = isError
      ? failure(answer, found)
      : (whole(failures) ?? nothing(answer, envelope, parsed.billedImages))
  }
  // The pictures that came before the service gave up are good; the error belongs to the first that is missing. A `message` of
  // "success" beside them is none.
  else if (found && envelope.error)
    failures.push({ ...failure(answer, found), disposition: 'refused', index: entries.length })
  return parsed
}

/** A picture, or why it is not there. */
function readEntry({ source, item }: Entry, index: number, answer: RawAnswer): Picture | Parsed['failures'][number] {
  const details = isObject(item) ? detailsIn(item) : undefined
  if (source) return { ...pictureAt(index, source), ...(details && { details }) }
  const found = errorIn(item)
  // Failed pictures are not billed (document 1541523), whatever the reason was.
  if (found) return { ...failure(answer, found), disposition: 'refused', index }
  return {
    index,
    code: 'provider_rejected',
    disposition: 'maybe_billed',
    message: `Ark answered with something that is neither a picture nor an error (${outline(item)}).`,
    requestId: answer.requestId,
  }
}

function pictureAt(index: number, source: NonNullable<Entry['source']>): Picture {
  return source.url === undefined
    ? { index, base64: source.base64 }
    : { index, url: source.url, expiresAt: expiryOf(source.url) }
}

/** What an image cannot tell itself: which layer it is and where it lies. */
function detailsIn(item: JsonRecord): JsonObject | undefined {
  const details: JsonObject = {}
  for (const name of ['z_index', 'name', 'description', 'bounding_box', 'background']) {
    const value = item[name]
    if (value !== undefined && value !== null) details[name] = value as JsonValue
  }
  return Object.keys(details).length > 0 ? details : undefined
}

/** `X-Tos-Date=20260920T080000Z` and `X-Tos-Expires=86400`, ms since 1970. */
function expiryOf(url: string): number | undefined {
  if (!URL.canParse(url)) return undefined
  const query = new URL(url).searchParams
  const date = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get('X-Tos-Date') ?? '')
  const seconds = Number(query.get('X-Tos-Expires') ?? Number.NaN)
  if (!date || !Number.isFinite(seconds)) return undefined
  const [year, month, day, hour, minute, second] = date.slice(1).map(Number)
  return Date.UTC(year!, month! - 1, day, hour, minute, second) + seconds * 1000
}

/** The items of a JSON answer that was cut or garbled, as far as they are whole. */
function parseBeginning(answer: RawAnswer): Parsed {
  const pictures = wholeSourcesIn(answer.body).map((source, index) => pictureAt(index, source))
  if (answer.complete && pictures.length === 0) return unintelligible(answer)
  return { pictures, failures: [], complete: false }
}

function unintelligible(answer: RawAnswer): Parsed {
  const error: ProviderFailure = {
    code: 'provider_rejected',
    // Something other than Ark may have answered, or have garbled its answer.
    disposition: 'maybe_billed',
    message: 'The address answered with something that is not an answer of Ark. Check the base address.',
    providerMessage: beginningOf(answer),
    requestId: answer.requestId,
  }
  return { pictures: [], failures: [], error, complete: true }
}

/** Of an answer that is no JSON: a page of some gateway, mostly. */
function beginningOf(answer: RawAnswer): string {
  return `HTTP ${answer.status}: ${answer.body.trim().slice(0, 300)}`
}

/** Documented are a list that is empty and a bill of nothing; anything else may be a picture that nobody understands. */
function nothing(answer: RawAnswer, json: JsonRecord, billed: number | undefined): ProviderFailure {
  const isEmpty = Array.isArray(json.data) && json.data.length === 0 && !mayNamePicture(answer.body)
  const isRefusal = billed === undefined ? isEmpty : billed === 0
  return {
    code: 'provider_rejected',
    disposition: isRefusal ? 'refused' : 'maybe_billed',
    message: 'Ark answered without a picture and without a reason. Change the prompt or try again.',
    providerMessage: outline(json),
    requestId: answer.requestId,
  }
}

/** One picture that may have been billed says more about money than one that was refused. */
function whole(failures: Parsed['failures']): ProviderFailure | undefined {
  const failed = failures.find(failure => failure.disposition === 'maybe_billed') ?? failures[0]
  if (!failed) return undefined
  const { index: _, ...failure } = failed
  return failure
}

// ── Streams ─────────────────────────────────────────────────────────────────────────────────────────────────────────

interface StreamEvent {
  type: string
  /** `undefined` for the terminator. */
  json?: JsonRecord
}

/** By the first bytes: a refusal before the first picture is plain JSON, whatever was asked for. */
export function isEventStream(text: string): boolean {
  return /^\s*(?:event|data|id|retry)?:/.test(text)
}

/** Where each event that ends after `from` ends: behind the blank line. A separator that is cut in two waits for its rest. */
export function eventEnds(text: string, from: number): number[] {
  const separator = /\r\n\r\n|\n\n|\n\r\n|\r\n\n|\r\r/g
  separator.lastIndex = from
  const ends: number[] = []
  while (separator.exec(text)) ends.push(separator.lastIndex)
  return ends
}

/**
 * Did the whole stream come? `completed`, `[DONE]` or a fatal error say so. Where none came, an orderly end of the body after as
 * many events as pictures were asked for does too, and so does a lone refusal (notes of the official CLI, 2026-07); any other
 * end leaves pictures of which nobody knows whether they were made.
 */
export function isWholeStream(text: string, body: JsonObject, wasCut: boolean): boolean {
  const events = readEvents(text)
  if (events.some(event => isLast(event))) return true
  const settled = events.filter(event => isSucceeded(event) || isFailed(event))
  const options = body.sequential_image_generation_options
  const most = isObject(options) && typeof options.max_images === 'number' ? options.max_images : 1
  if (settled.length >= most) return true
  return !wasCut && settled.length === 1 && isFailed(settled[0]!)
}

/** Does one event of a stream change what is known of the answer? */
export function matters(event: string): boolean {
  return readEvents(event).some(read => isSucceeded(read) || isFailed(read) || isLast(read))
}

function parseStream(answer: RawAnswer, body: JsonObject): Parsed {
  const events = readEvents(answer.body)
  const parsed: Parsed = {
    pictures: [],
    failures: [],
    complete: answer.complete || isWholeStream(answer.body, body, true),
  }
  const taken = new Set<number>()
  let next = 0
  for (const event of events) {
    const { json } = event
    if (!json) continue
    if (isSucceeded(event) || isFailed(event)) {
      const index = indexOf(json, taken, next)
      next = index + 1
      const read = readEntry({ source: sourceIn(json), item: json }, index, answer)
      if ('code' in read) {
        parsed.failures.push(read)
      } else {
        parsed.pictures.push(read)
        taken.add(index)
      }
    } else if (isFatal(event)) {
      const found = failure(answer, errorIn(json) ?? {})
      if (parsed.pictures.length === 0) parsed.error = found
      else parsed.failures.push({ ...found, disposition: 'refused', index: next })
      next++
    } else if (event.type === 'image_generation.completed') {
      parsed.billedImages = billedImages(json)
    }
  }
  if (parsed.complete && parsed.pictures.length === 0) {
    // A whole stream without a picture, a failure or a bill is like an empty list.
    parsed.error ??= whole(parsed.failures) ?? nothing(answer, { data: [] }, parsed.billedImages)
  }
  return parsed
}

/** Two pictures in one place would be one picture lost. The place of each depends on the events before it alone. */
function indexOf({ image_index: told }: JsonRecord, taken: ReadonlySet<number>, next: number): number {
  let index = typeof told === 'number' && Number.isInteger(told) && told >= 0 && told < 1000 ? told : next
  while (taken.has(index)) index++
  return index
}

function readEvents(text: string): StreamEvent[] {
  const events: StreamEvent[] = []
  const parser = createParser({
    onEvent({ event, data }) {
      if (data.trim() === '[DONE]') return events.push({ type: '[DONE]' })
      // Only the last event of a cut stream is no JSON. What counts of it is the address of a picture that was paid for.
      const json = jsonOf(data) ?? beginningOfEvent(data)
      if (!isObject(json)) return
      // An error without the `error` around it has a `type` of its own, the class of the error.
      const own =
        typeof json.type === 'string' && (event !== 'error' || json.type.includes('.')) ? json.type : undefined
      events.push({ type: own ?? event ?? '', json })
    },
  })
  // The blank line ends an event whose own is missing at the end of the body.
  parser.feed(`${text}\n\n`)
  return events
}

function beginningOfEvent(data: string): JsonRecord | undefined {
  const [source] = wholeSourcesIn(data)
  if (!source || !data.includes('"image_generation.partial_succeeded"')) return undefined
  const index = /"image_index"\s*:\s*(\d+)\s*,/.exec(data)?.[1]
  return {
    type: 'image_generation.partial_succeeded',
    ...(source.url === undefined ? { b64_json: source.base64 } : { url: source.url }),
    ...(index === undefined ? {} : { image_index: Number(index) }),
  }
}

const isSucceeded = ({ type }: StreamEvent) => type === 'image_generation.partial_succeeded'
const isFailed = ({ type }: StreamEvent) => type === 'image_generation.partial_failed'

/** An error without a place in the series. Events of unknown types are left alone. */
function isFatal({ type, json }: StreamEvent): boolean {
  if (json === undefined || errorIn(json) === undefined) return false
  const isBare = typeof json.code === 'string' && typeof json.message === 'string' && !type.includes('.')
  return type === 'error' || typeof json.type !== 'string' || isBare
}

function isLast(event: StreamEvent): boolean {
  return event.type === '[DONE]' || event.type === 'image_generation.completed' || isFatal(event)
}

// ── Pieces of JSON ──────────────────────────────────────────────────────────────────────────────────────────────────

export interface ServiceError {
  code?: string
  message?: string
}

/** With or without the `error` around it: one answer of 2026-09-30 came bare. */
export function errorIn(json: unknown): ServiceError | undefined {
  if (!isObject(json)) return undefined
  if (typeof json.error === 'string') return { message: json.error }
  const { code, message } = isObject(json.error) ? json.error : json
  const found: ServiceError = {
    code: typeof code === 'string' || typeof code === 'number' ? String(code) || undefined : undefined,
    message: typeof message === 'string' ? message || undefined : undefined,
  }
  return found.code || found.message || isObject(json.error) ? found : undefined
}

export function failure(answer: Omit<RawAnswer, 'body' | 'complete'>, found: ServiceError): ProviderFailure {
  const {
    failure: code,
    disposition,
    message,
    pauseMs,
    maxRepeats,
    concerns,
    isModelUnknown,
  } = failureFor(answer.status, found.code, brokeBehindGateway(found.message ?? ''))
  return {
    code,
    disposition,
    message,
    providerCode: found.code,
    providerMessage: found.message,
    requestId: /request id:\s*([0-9a-z-]+)/i.exec(found.message ?? '')?.[1] ?? answer.requestId,
    retryAfterMs: answer.retryAfterMs ?? pauseMs,
    maxRepeats,
    concerns,
    isModelUnknown,
  }
}

function billedImages(json: JsonRecord): number | undefined {
  const images = isObject(json.usage) ? json.usage.generated_images : undefined
  return typeof images === 'number' ? images : undefined
}

/** What a value looks like, without what it holds. */
function outline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.length ? outline(value[0]) : ''}]`
  if (isObject(value)) return `{${Object.keys(value).slice(0, 12).join(', ')}}`
  return value === null ? 'null' : typeof value
}

// ── Headers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * People paste keys with spaces around them and with the word in front. The form of a key has changed too often to check it.
 * @throws ExchangeError when it cannot stand in a header, so nothing was sent
 */
export function authorization(apiKey: string): string {
  const key = apiKey.trim().replace(/^Bearer\s+/i, '')
  if (/^[\x21-\x7e]+$/.test(key)) return `Bearer ${key}`
  throw new ExchangeError({
    code: 'provider_key_rejected',
    disposition: 'refused',
    message: 'The API key is empty or holds characters that no key has. Copy it again from the Ark console.',
  })
}

export function metaOf(response: HttpResponse) {
  return {
    status: response.status,
    contentType: response.headers['content-type'],
    requestId: response.headers['x-request-id'],
    retryAfterMs: retryAfterMs(response.headers),
  }
}

/** Never seen from Ark itself, but gateways send it: seconds, or a date, which is measured by the answer's own clock. */
function retryAfterMs(headers: Record<string, string>): number | undefined {
  const value = headers['retry-after']?.trim()
  if (!value) return undefined
  const pause = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.parse(headers.date ?? '')
  return Number.isFinite(pause) ? Math.max(pause, 0) : undefined
}
