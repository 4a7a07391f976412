/** What every exchange with a service of OpenAI's kind shares: its headers, and how it says that something is wrong. */

import { brokeBehindGateway, ExchangeError, type ProviderFailure } from '../../outgoing/errors.ts'
import type { HttpResponse } from '../../outgoing/http.ts'
import { isObject } from '../answers.ts'
import type { RawAnswer } from '../provider.ts'
import { failureFor } from './errors.ts'

// ── Errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface ServiceError {
  code?: string
  type?: string
  message?: string
}

export function errorIn(json: unknown): ServiceError | undefined {
  if (!isObject(json)) return undefined
  if (typeof json.error === 'string') return { message: json.error }
  const { code, type, message } = isObject(json.error) ? json.error : json
  const found: ServiceError = {
    code: typeof code === 'string' || typeof code === 'number' ? String(code) || undefined : undefined,
    type: typeof type === 'string' ? type || undefined : undefined,
    message: typeof message === 'string' ? message || undefined : undefined,
  }
  return found.code || found.message || isObject(json.error) ? found : undefined
}

export function failure(answer: Omit<RawAnswer, 'body' | 'complete'>, found: ServiceError): ProviderFailure {
  const {
    failure: code,
    disposition,
    message,
    concerns,
    maxRepeats,
    isModelUnknown,
  } = failureFor(answer.status, found.code, found.type, brokeBehindGateway(found.message ?? ''))
  return {
    code,
    disposition,
    message,
    providerCode: found.code ?? found.type,
    providerMessage: found.message,
    requestId: answer.requestId,
    retryAfterMs: answer.retryAfterMs,
    maxRepeats,
    concerns,
    isModelUnknown,
  }
}

// ── Headers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * People paste keys with spaces around them and with the word in front.
 * @throws ExchangeError when it cannot stand in a header, so nothing was sent
 */
export function authorization(apiKey: string): string {
  const key = apiKey.trim().replace(/^Bearer\s+/i, '')
  if (/^[\x21-\x7e]+$/.test(key)) return `Bearer ${key}`
  throw new ExchangeError({
    code: 'provider_key_rejected',
    disposition: 'refused',
    message: 'The API key is empty or holds characters that no key has. Copy it again.',
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

/** Seconds, or a date, which is measured by the answer's own clock. */
function retryAfterMs(headers: Record<string, string>): number | undefined {
  const value = headers['retry-after']?.trim()
  if (!value) return undefined
  const pause = /^\d+(?:\.\d+)?$/.test(value)
    ? Number(value) * 1000
    : Date.parse(value) - Date.parse(headers.date ?? '')
  return Number.isFinite(pause) ? Math.max(pause, 0) : undefined
}
