/**
 * Reads answers of image services in every spelling that services and gateways use. What is read here may have been paid for, so a
 * picture is not given up because of how its place is written; requests are checked strictly elsewhere, before money moves.
 */
import type { JsonObject } from '../catalogue/model.ts'
import type { ProviderFailure } from '../outgoing/failure.ts'
import { isObject, listNames, parseJson } from './json.ts'
import type { ProviderImage, RawAnswer } from './provider.ts'

/** The location of an image. `base64` is the text of the answer: bare, or a complete data URI. */
export type ImageLocation = { url: string; base64?: undefined } | { base64: string; url?: undefined }

/** A place of an answer where an image is expected. */
export interface Entry {
  /** Undefined when something else is there. */
  source?: ImageLocation
  /** The object (or text) that holds it, with everything else that the service says about it. */
  item: unknown
}

// ── Pictures ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Names of members that hold one image or its address; a list under such a name holds several. */
const base64Names = ['b64_json', 'b64', 'base64', 'image_base64', 'b64_image']
const placeNames = ['url', 'image_url', 'image', 'uri']

/** Every place where an image is expected, in the order of the answer. */
export function readEntries(json: unknown): Entry[] {
  // Beside an error, a top-level address points to an explanation.
  return isObject(json) && json.error ? entriesInLists(json) : entriesIn(json)
}

/** The picture of one item, if it holds any. */
export function sourceIn(item: unknown): ImageLocation | undefined {
  return entriesIn(item).find(entry => entry.source !== undefined)?.source
}

function entriesIn(value: unknown): Entry[] {
  if (typeof value === 'string') {
    const source = findSource(value, 'unknown')
    return source ? [{ source, item: value }] : []
  }
  if (Array.isArray(value)) {
    return value.flatMap(item => {
      const entries = entriesIn(item)
      return entries.length > 0 ? entries : [{ item: item as unknown }]
    })
  }
  if (!isObject(value)) return []
  const inLists = entriesInLists(value)
  if (countSources(inLists) > 0) return inLists
  const own = ownEntries(value)
  return own.length > 0 ? own : inLists
}

/** The first list with images; otherwise the first non-empty one. */
function entriesInLists(value: JsonObject): Entry[] {
  const lists = listNames.map(name => entriesIn(value[name])).filter(entries => entries.length > 0)
  return lists.find(entries => countSources(entries) > 0) ?? lists[0] ?? []
}

/** Inline data before an address: it cannot be lost any more. */
function ownEntries(item: JsonObject): Entry[] {
  for (const name of [...base64Names, ...placeNames]) {
    const kind = base64Names.includes(name) ? 'base64' : 'place'
    const member = item[name]
    const sources = (Array.isArray(member) ? member : [member]).flatMap((one: unknown) => {
      if (typeof one === 'string') return findSource(one, kind) ?? []
      return isObject(one) ? entriesIn(one).flatMap(({ source }) => source ?? []) : []
    })
    if (sources.length > 0) return sources.map(source => ({ source, item }))
  }
  return []
}

const countSources = (entries: readonly Entry[]) => entries.filter(entry => entry.source !== undefined).length

/** What a text in place of an image means; `kind` is implied by its member name. */
export function findSource(written: string, kind: 'base64' | 'place' | 'unknown'): ImageLocation | undefined {
  const text = written.trim()
  if (text === '') return undefined
  if (/^data:/i.test(text)) return { base64: text }
  if (/^https?:/i.test(text)) return { url: text }
  if (kind === 'base64' || isBase64Image(text)) return { base64: text }
  if (kind === 'place' || /^(?:\.{0,2}\/|[\w.-]+\/)\S+\.(?:png|jpe?g|webp|gif|avif|bmp|svg)(?:[?#]\S*)?$/i.test(text)) {
    return { url: text }
  }
  return undefined
}

/** PNG, JPEG, WebP, GIF, BMP, TIFF and the boxes of AVIF and HEIC, as their first bytes look in base64. */
function isBase64Image(text: string): boolean {
  const isImage = /^(?:iVBORw0KGgo|\/9j\/|_9j_|UklGR|R0lGOD|Qk[0-9]|SUkqA|TU0AK|AAAA[A-Za-z])/.test(text)
  return isImage && text.length >= 64 && /^[\w+/=\s-]+$/.test(text.slice(0, 1024))
}

/**
 * The pictures that stand whole in a text that is no JSON: an answer that was cut, or garbled. An alternative for each letter
 * (`(?:[^"\\]|\\.)+`) would fill the stack of the engine with a picture of some megabytes.
 */
export function wholeSourcesIn(text: string): ImageLocation[] {
  // HTML pages of gateways contain addresses too.
  if (/^\s*</.test(text)) return []
  const members = text.matchAll(/"(b64_json|b64_image|image_url|image|url)"\s*:\s*("[^"\\]*(?:\\.[^"\\]*)*")/g)
  return [...members].flatMap(([, name = '', value = '']) => {
    const written = parseJson(value)
    if (typeof written !== 'string') return []
    const source = findSource(written, base64Names.includes(name) ? 'base64' : 'unknown')
    return source ?? []
  })
}

/** Could anything in an answer without a readable image be one? Then it is not proven that nothing was made. */
export function mayNameImage(body: string): boolean {
  return /https?:(?:\/|\\\/){2}|;base64,|[\w+/-]{200}/i.test(body)
}

/** Links expire: `expiryOf` reads the time from the query, in ms since 1970. */
export function toProviderImage(
  index: number,
  source: ImageLocation,
  readExpiry: (url: string) => number | undefined = () => undefined,
): ProviderImage {
  if (source.url === undefined) return { index, base64: source.base64 }
  return { index, url: source.url, expiresAt: readExpiry(source.url) }
}

// ── Bills ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Does a complete or partial answer say that something was billed? A count of images is the bill, if there is one. */
export function namesBill(body: string): boolean {
  const counts = [...body.matchAll(/"(?:generated_images|(?:output_)?image_count)"\s*:\s*"?(\d+)/g)]
  if (counts.length > 0) return counts.some(([, count]) => Number(count) > 0)
  return /"(?:output|total)_tokens"\s*:\s*"?(?:[1-9]|0\.0*[1-9])/.test(body)
}

/** An error together with a bill proves nothing: whatever its code, something was made. */
export function besideBill(failure: ProviderFailure, body: string): ProviderFailure {
  if (failure.disposition === 'maybe_billed' || !namesBill(body)) return failure
  const { concerns: _, retryAfterMs: __, ...rest } = failure
  return {
    ...rest,
    // A client may take a rate limit for permission to retry.
    code: failure.disposition === 'retry_safe' ? 'outcome_unknown' : failure.code,
    disposition: 'maybe_billed',
    message:
      'The service names an error and a bill in one answer, so a picture may have been made and charged. Look at its usage page before you ask again.',
  }
}

/**
 * What a refusal proves beside the rest of its answer. A 503 that broke off may have begun a gateway's words for a connection that broke
 * behind it (`brokeBehindGateway`); only what begins as the JSON of a service is its own.
 */
export function weighRefusal(failure: ProviderFailure, { status, complete, body }: RawAnswer): ProviderFailure {
  if (status !== 503 || complete || failure.disposition === 'maybe_billed' || /^\s*\{/.test(body))
    return besideBill(failure, body)
  const { concerns: _, retryAfterMs: __, maxRepeats: ___, ...rest } = failure
  return {
    ...rest,
    code: 'outcome_unknown',
    disposition: 'maybe_billed',
    message:
      'A gateway reported a fault and broke off, so a picture may have been made and charged. Look at the usage page of the service before you ask again.',
  }
}
