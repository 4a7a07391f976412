/** Parses the answers of Ark: Volcengine Ark documents 1541523 (images) and 1824137 (stream), 2026-10. Pure. */
import type { JsonObject } from '../../catalogue/model.ts'
import { besideBill, type Entry, readEntries, sourceIn, toProviderImage, weighRefusal } from '../answers.ts'
import { errorIn, parseBeginning, pickWorstFailure, quoteBeginning, withoutReason } from '../failures.ts'
import { isObject, outline, parseJson } from '../json.ts'
import type { Parsed, ProviderImage, RawAnswer } from '../provider.ts'
import { interpretError, isKnownCode } from './errors.ts'
import { isEventStream, isFailed, isFatal, isSucceeded, isWholeStream, readEvents } from './stream.ts'

const service = 'Ark'

export function parse(answer: RawAnswer, call: { body: JsonObject }): Parsed {
  if (answer.status < 200 || answer.status >= 300) {
    const error = interpretError(answer, errorIn(parseJson(answer.body)) ?? { message: quoteBeginning(answer) })
    return { images: [], failures: [], error: weighRefusal(error, answer), complete: true }
  }
  const parsed = isEventStream(answer.body) ? parseStream(answer, call.body) : parseBody(answer)
  return parsed.error ? { ...parsed, error: besideBill(parsed.error, answer.body) } : parsed
}

function parseBody(answer: RawAnswer): Parsed {
  const json = parseJson(answer.body)
  if (typeof json !== 'object' || json === null) return parseBeginning(answer, service, readExpiry)
  const envelope = isObject(json) ? json : {}
  const entries = readEntries(json)
  const pictures: ProviderImage[] = []
  const failures: Parsed['failures'] = []
  entries.forEach((entry, index) => {
    const read = readEntry(entry, index, answer)
    if ('code' in read) failures.push(read)
    else pictures.push(read)
  })
  const found = errorIn(envelope)
  const parsed: Parsed = { images: pictures, failures, billedImages: billedImages(envelope), complete: true }
  if (pictures.length === 0) {
    // One answer of 2026-09-30 came without the `error` around it; so does the code of a gateway that says that all went well.
    const isError = found && (envelope.error || isKnownCode(found.code))
    parsed.error = isError
      ? interpretError(answer, found)
      : (pickWorstFailure(failures) ?? withoutReason(answer, service, json, parsed.billedImages))
  }
  // The pictures that came before the service gave up are good; the error belongs to the first that is missing. A `message` of
  // "success" beside them is none.
  else if (found && envelope.error)
    failures.push({ ...interpretError(answer, found), disposition: 'refused', index: entries.length })
  return parsed
}

/** An image, or why it is missing. */
function readEntry(
  { source, item }: Entry,
  index: number,
  answer: RawAnswer,
): ProviderImage | Parsed['failures'][number] {
  const details = isObject(item) ? detailsIn(item) : undefined
  if (source) return { ...toProviderImage(index, source, readExpiry), ...(details && { details }) }
  const found = errorIn(item)
  // Failed pictures are not billed (document 1541523), whatever the reason was.
  if (found) return { ...interpretError(answer, found), disposition: 'refused', index }
  return {
    index,
    code: 'provider_rejected',
    disposition: 'maybe_billed',
    message: `Ark answered with something that is neither a picture nor an error (${outline(item, 0)}).`,
    requestId: answer.requestId,
  }
}

/** What the file itself does not say: which layer it is and its position. */
function detailsIn(item: JsonObject): JsonObject | undefined {
  const details: JsonObject = {}
  for (const name of ['z_index', 'name', 'description', 'bounding_box', 'background']) {
    const value = item[name]
    if (value !== undefined && value !== null) details[name] = value
  }
  return Object.keys(details).length > 0 ? details : undefined
}

/** `X-Tos-Date=20260920T080000Z` and `X-Tos-Expires=86400`, ms since 1970. */
function readExpiry(url: string): number | undefined {
  if (!URL.canParse(url)) return undefined
  const query = new URL(url).searchParams
  const date = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get('X-Tos-Date') ?? '')
  const seconds = Number(query.get('X-Tos-Expires') ?? Number.NaN)
  if (!date || !Number.isFinite(seconds)) return undefined
  const [year, month, day, hour, minute, second] = date.slice(1).map(Number)
  return Date.UTC(year!, month! - 1, day, hour, minute, second) + seconds * 1000
}

// ── Streams ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function parseStream(answer: RawAnswer, body: JsonObject): Parsed {
  const events = readEvents(answer.body)
  const parsed: Parsed = {
    images: [],
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
        parsed.images.push(read)
        taken.add(index)
      }
    } else if (isFatal(event)) {
      const found = interpretError(answer, errorIn(json) ?? {})
      if (parsed.images.length === 0) parsed.error = found
      else parsed.failures.push({ ...found, disposition: 'refused', index: next })
      next++
    } else if (event.type === 'image_generation.completed') {
      parsed.billedImages = billedImages(json)
    }
  }
  if (parsed.complete && parsed.images.length === 0) {
    // A whole stream without a picture, a failure or a bill is like an empty list.
    parsed.error ??=
      pickWorstFailure(parsed.failures) ?? withoutReason(answer, service, { data: [] }, parsed.billedImages)
  }
  return parsed
}

/** Two images at one position would lose one. Each position depends only on the events before it. */
function indexOf({ image_index: told }: JsonObject, taken: ReadonlySet<number>, next: number): number {
  let index = typeof told === 'number' && Number.isInteger(told) && told >= 0 && told < 1000 ? told : next
  while (taken.has(index)) index++
  return index
}

function billedImages(json: JsonObject): number | undefined {
  const images = isObject(json.usage) ? json.usage.generated_images : undefined
  return typeof images === 'number' ? images : undefined
}
