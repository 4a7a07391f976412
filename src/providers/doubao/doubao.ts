import type { JsonValue } from '../../catalogue/model.ts'
import { ExchangeError } from '../../outgoing/errors.ts'
import type { HttpResponse } from '../../outgoing/http.ts'
import type { Context, Learned, Provider, RawAnswer, SentCall } from '../provider.ts'
import { check, listModels } from './check.ts'
import { models, platformAt, platforms, priceListAt, unlisted } from './models.ts'
import { authorization, eventEnds, isEventStream, isWholeStream, matters, metaOf, parse } from './parse.ts'
import { plan } from './plan.ts'

/**
 * Seedream on Volcengine Ark, and on BytePlus ModelArk, which speaks the same. Synchronous only: there are no tasks, and an answer
 * that is lost cannot be asked for again.
 */
export const doubao: Provider = {
  id: 'doubao',
  name: 'Doubao Seedream',
  defaultBaseUrl: 'https://ark.cn-beijing.volces.com/api/v3',
  models,
  unlisted,
  platformAt,
  platforms,
  priceListAt,
  plan,
  parse,
  check,
  listModels,

  addressOf: (_route, baseUrl) => `${baseUrl}/images/generations`,

  async *send(call, context) {
    const response = await context.http.request({
      method: 'POST',
      url: doubao.addressOf(call.route, context.baseUrl),
      headers: {
        authorization: authorization(context.apiKey),
        'content-type': 'application/json',
        'x-client-request-id': call.id,
      },
      body: JSON.stringify(await withReferences(call.body, context)),
      signal: context.signal,
      // The headers come with the first picture of a stream, and with the last one otherwise.
      headersTimeoutMs: call.timeoutMs,
      // Pictures of a group follow each other in 20 to 40 s; waiting too long costs nothing, hanging up costs a picture.
      idleTimeoutMs: 300_000,
    })
    if (response.status === 200 && call.body.stream === true) return yield* streamed(response, call)
    yield { type: 'answer', answer: await wholeAnswer(response) }
  },
}

/** The status alone tells what an error proves, so that one whose text was cut is an answer as well. */
async function wholeAnswer(response: HttpResponse): Promise<RawAnswer> {
  const meta = metaOf(response)
  try {
    return { ...meta, body: await response.text(), complete: true }
  } catch (error) {
    if (response.status < 400 || !(error instanceof ExchangeError)) throw error
    return { ...meta, body: error.partial, complete: false }
  }
}

/** Gives out every event as soon as it is whole, so that a finished picture is kept whatever becomes of the rest. */
async function* streamed(response: HttpResponse, call: SentCall): AsyncGenerator<Learned> {
  const { retryAfterMs: _, ...meta } = metaOf(response)
  const decoder = new TextDecoder()
  const events: string[] = []
  /** What came behind the last event; before anything proves that events come, all that came. */
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
      // A separator may have begun at the end of this piece.
      scanned = Math.max(0, rest.length - 3)
    }
    rest += decoder.decode()
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error
    // The last event may lack its blank line and hold a whole picture all the same.
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
  yield { type: 'answer', answer: { ...metaOf(response), body, complete } }
}

/** The pictures themselves in place of their numbers. The service refuses `data:image/PNG`. */
async function withReferences(value: JsonValue, context: Context): Promise<JsonValue> {
  if (Array.isArray(value)) {
    const items: JsonValue[] = []
    for (const item of value) items.push(await withReferences(item, context))
    return items
  }
  if (value === null || typeof value !== 'object') return value
  if (typeof value.$reference === 'number') {
    const { mimeType, bytes } = await context.reference(value.$reference)
    return `data:${mimeType.toLowerCase()};base64,${bytes.toString('base64')}`
  }
  const entries: [string, JsonValue][] = []
  for (const [name, member] of Object.entries(value)) entries.push([name, await withReferences(member, context)])
  return Object.fromEntries(entries)
}
