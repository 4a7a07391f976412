/** What adapters share of an exchange: the key in its header, references in their places, the answer as a whole. */
import type { JsonObject, JsonValue } from '../catalogue/model.ts'
import { ExchangeError } from '../outgoing/failure.ts'
import type { HttpRequest, HttpResponse } from '../outgoing/http.ts'
import { isObject } from './json.ts'
import type { Context, PlanRequest, RawAnswer, ReferencePlace } from './provider.ts'

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
    message: 'The API key is empty or holds characters that no key has. Copy it again from the console of the service.',
  })
}

/** A request that costs nothing: a look at a task, a list, a test. `timeoutMs` is for each wait, and twice as long for all of it. */
export interface FreeRequest {
  /** GET when absent. */
  method?: HttpRequest['method']
  url: string
  headers?: Record<string, string>
  body?: string
  timeoutMs: number
  maxBytes?: number
}

const maxFreeBytes = 16 * 1024 * 1024

/** @throws ExchangeError */
export async function ask(context: Context, { method = 'GET', timeoutMs, maxBytes, ...request }: FreeRequest) {
  const response = await context.http.request({
    ...request,
    method,
    headers: { authorization: authorization(context.apiKey), ...request.headers },
    signal: context.signal,
    headersTimeoutMs: timeoutMs,
    idleTimeoutMs: timeoutMs,
    timeoutMs: 2 * timeoutMs,
  })
  return readAnswer(response, maxBytes ?? maxFreeBytes)
}

/** An answer without its body. */
export type AnswerHead = Omit<RawAnswer, 'body' | 'complete'>

export function readHead({ status, headers }: HttpResponse): AnswerHead {
  return {
    status,
    contentType: headers['content-type'],
    requestId: headers['x-request-id'],
    retryAfterMs: readRetryAfter(headers),
  }
}

/** Seconds, or a date, which is measured by the answer's own clock. */
function readRetryAfter(headers: Record<string, string>): number | undefined {
  const value = headers['retry-after']?.trim()
  if (!value) return undefined
  const pause = /^\d+(?:\.\d+)?$/.test(value)
    ? Number(value) * 1000
    : Date.parse(value) - Date.parse(headers.date ?? '')
  return Number.isFinite(pause) ? Math.max(pause, 0) : undefined
}

/**
 * The status alone tells what an error proves, so that one whose text was cut is an answer as well.
 * @throws ExchangeError
 */
export async function readAnswer(response: HttpResponse, maxBytes?: number): Promise<RawAnswer> {
  const head = readHead(response)
  try {
    return { ...head, body: await response.text(maxBytes), complete: true }
  } catch (error) {
    if (response.status < 400 || !(error instanceof ExchangeError)) throw error
    return { ...head, body: error.partial, complete: false }
  }
}

/** The member of a body that holds the references: one alone, or a list. */
export function placeReferences({ references }: PlanRequest): JsonObject {
  const places = references.map((_, index): ReferencePlace => ({ $reference: index }))
  if (places.length === 0) return {}
  return { image: places.length === 1 ? places[0]! : places }
}

/** The body with every reference in its place, as a data URI. Ark refuses `data:image/PNG`. */
export async function withReferences(value: JsonValue, context: Context): Promise<JsonValue> {
  if (Array.isArray(value)) return Promise.all(value.map(item => withReferences(item, context)))
  if (!isObject(value)) return value
  if (typeof value.$reference === 'number') {
    const { mimeType, bytes } = await context.reference(value.$reference)
    return `data:${mimeType.toLowerCase()};base64,${bytes.toString('base64')}`
  }
  const members = Object.entries(value).map(
    async ([name, member]) => [name, await withReferences(member, context)] as const,
  )
  return Object.fromEntries(await Promise.all(members))
}
