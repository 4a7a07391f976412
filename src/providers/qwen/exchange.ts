/** What every exchange with DashScope shares. */
import type { JsonObject, JsonValue } from '../../catalogue/model.ts'
import type { HttpRequest } from '../../outgoing/http.ts'
import type { Context, RawAnswer } from '../provider.ts'
import type { Route } from './models.ts'
import { asRecord, parseJson, text } from './parse.ts'

export const paths: Record<Route, string> = {
  MM: '/services/aigc/multimodal-generation/generation',
  IG: '/services/aigc/image-generation/generation',
  T2I: '/services/aigc/text2image/image-synthesis',
  I2I: '/services/aigc/image2image/image-synthesis',
}

// An answer names pictures and never holds them; this is far more than any of them takes.
const maxAnswerBytes = 16 * 1024 * 1024

const lookTimeoutMs = 30_000

export const lookTimeouts = {
  headersTimeoutMs: lookTimeoutMs,
  idleTimeoutMs: lookTimeoutMs,
  timeoutMs: 2 * lookTimeoutMs,
}

export function look(context: Context, path: string): Promise<RawAnswer> {
  return exchange(context, { method: 'GET', path, ...lookTimeouts })
}

export async function exchange(context: Context, { path, ...request }: Omit<HttpRequest, 'url'> & { path: string }) {
  const response = await context.http.request({
    ...request,
    url: `${context.baseUrl}${path}`,
    headers: { authorization: `Bearer ${context.apiKey}`, accept: 'application/json', ...request.headers },
    signal: context.signal,
  })
  const body = await response.text(maxAnswerBytes)
  const answer: RawAnswer = {
    status: response.status,
    contentType: response.headers['content-type'],
    requestId: text(asRecord(parseJson(body))?.request_id) ?? response.headers['x-request-id'],
    retryAfterMs: retryAfterOf(response.headers['retry-after']),
    body,
    complete: true,
  }
  return answer
}

/** In seconds; undocumented and seen on exhausted plans only. */
function retryAfterOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header.trim()) ? Number(header) * 1000 : undefined
}

/** The body with every reference in its place, as a data URI. */
export async function withReferences(value: JsonValue, context: Context): Promise<JsonValue> {
  if (Array.isArray(value)) return Promise.all(value.map(item => withReferences(item, context)))
  const record = asRecord(value)
  if (!record) return value
  if (typeof record.$reference === 'number') {
    const { mimeType, bytes } = await context.reference(record.$reference)
    return `data:${mimeType};base64,${bytes.toString('base64')}`
  }
  const members = await Promise.all(
    Object.entries(record).map(async ([name, member]) => [name, await withReferences(member, context)] as const),
  )
  return Object.fromEntries(members)
}

export const isSuccess = (answer: RawAnswer) => answer.status >= 200 && answer.status < 300

export function envelopeOf(answer: RawAnswer): JsonObject | undefined {
  return asRecord(parseJson(answer.body))
}

export function outputOf(answer: RawAnswer): JsonObject | undefined {
  return asRecord(envelopeOf(answer)?.output)
}
