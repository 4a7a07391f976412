/** The event stream that a series of pictures comes as: Volcengine Ark document 1824137, 2026-10. */
import { createParser } from 'eventsource-parser'
import type { JsonObject } from '../../catalogue/model.ts'
import { ExchangeError } from '../../outgoing/failure.ts'
import type { HttpResponse } from '../../outgoing/http.ts'
import { wholeSourcesIn } from '../answers.ts'
import { readHead } from '../exchange.ts'
import { errorIn } from '../failures.ts'
import { isObject, parseJson } from '../json.ts'
import type { Learned, SentCall } from '../provider.ts'

/** Yields every event as soon as it is complete, so that a finished image is kept whatever happens to the rest. */
export async function* readStream(response: HttpResponse, call: SentCall): AsyncGenerator<Learned> {
  const { retryAfterMs: _, ...meta } = readHead(response)
  const decoder = new TextDecoder()
  const events: string[] = []
  /** The input after the last event; before the first event, the whole input. */
  let rest = ''
  let isStream = false
  let scanned = 0
  let wasCut = false
  const part = (text: string, matters = true): Learned => {
    events.push(text)
    return { type: 'part', ...meta, text, matters }
  }
  try {
    reading: for await (const piece of response.body) {
      rest += decoder.decode(piece, { stream: true })
      isStream ||= isEventStream(rest)
      if (!isStream) continue
      let given = 0
      let seen = 0
      for (const end of eventEnds(rest, scanned)) {
        const event = rest.slice(seen, end)
        seen = end
        if (!matters(event)) continue
        yield part(rest.slice(given, end))
        given = end
        if (/^data:\s*\[DONE\]/m.test(event)) {
          rest = ''
          break reading
        }
      }
      if (seen > given) yield part(rest.slice(given, seen), false)
      rest = rest.slice(seen)
      // A separator may begin at the end of this chunk.
      scanned = Math.max(0, rest.length - 3)
    }
    rest += decoder.decode()
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error
    // The last event may lack its blank line and still hold a complete image.
    if (isStream && rest !== '') yield part(rest)
    const text = isStream ? events.join('') : rest
    if (!isStream || !isWholeStream(text, call.body, true)) {
      throw new ExchangeError(error.failure, { cause: error, partial: text })
    }
    wasCut = true
    rest = ''
  }
  if (isStream && rest !== '') yield part(rest)
  const body = isStream ? events.join('') : rest
  const complete = !isStream || isWholeStream(body, call.body, wasCut)
  yield { type: 'answer', answer: { ...readHead(response), body, complete } }
}

// ── Events ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface StreamEvent {
  type: string
  /** `undefined` for the terminator. */
  json?: JsonObject
}

/** By the first bytes: a refusal before the first picture is plain JSON, whatever was asked for. */
export function isEventStream(text: string): boolean {
  return /^\s*(?:event|data|id|retry)?:/.test(text)
}

/** Where each event that ends after `from` ends: behind the blank line. A separator that is cut in two waits for its rest. */
function eventEnds(text: string, from: number): number[] {
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
function matters(event: string): boolean {
  return readEvents(event).some(read => isSucceeded(read) || isFailed(read) || isLast(read))
}

export function readEvents(text: string): StreamEvent[] {
  const events: StreamEvent[] = []
  const parser = createParser({
    onEvent({ event, data }) {
      if (data.trim() === '[DONE]') return events.push({ type: '[DONE]' })
      // Only the last event of a cut stream is not JSON. What matters in it is the address of a paid image.
      const json = parseJson(data) ?? beginningOfEvent(data)
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

function beginningOfEvent(data: string): JsonObject | undefined {
  const [source] = wholeSourcesIn(data)
  if (!source || !data.includes('"image_generation.partial_succeeded"')) return undefined
  const index = /"image_index"\s*:\s*(\d+)\s*,/.exec(data)?.[1]
  return {
    type: 'image_generation.partial_succeeded',
    ...(source.url === undefined ? { b64_json: source.base64 } : { url: source.url }),
    ...(index === undefined ? {} : { image_index: Number(index) }),
  }
}

export const isSucceeded = ({ type }: StreamEvent) => type === 'image_generation.partial_succeeded'
export const isFailed = ({ type }: StreamEvent) => type === 'image_generation.partial_failed'

/** An error without a place in the series. Events of unknown types are left alone. */
export function isFatal({ type, json }: StreamEvent): boolean {
  if (json === undefined || errorIn(json) === undefined) return false
  const isBare = typeof json.code === 'string' && typeof json.message === 'string' && !type.includes('.')
  return type === 'error' || typeof json.type !== 'string' || isBare
}

function isLast(event: StreamEvent): boolean {
  return event.type === '[DONE]' || event.type === 'image_generation.completed' || isFatal(event)
}
