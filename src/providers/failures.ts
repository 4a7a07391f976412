/** How services report errors, and how adapters interpret them. */
import type { JsonObject } from '../catalogue/model.ts'
import type { Concern, ExchangeError, ProviderFailure } from '../outgoing/failure.ts'
import { mayNameImage, toProviderImage, wholeSourcesIn } from './answers.ts'
import type { AnswerHead } from './exchange.ts'
import { isObject, outline, parseJson } from './json.ts'
import type { CheckResult, Parsed, RawAnswer } from './provider.ts'

/** What an error of a service means, as the tables of the adapters have it. `retryAfterMs`: the least pause where an answer names none. */
export type Meaning = Pick<
  ProviderFailure,
  'code' | 'disposition' | 'message' | 'concerns' | 'isModelUnknown' | 'maxRepeats' | 'retryAfterMs'
>

export function meaning(
  code: Meaning['code'],
  disposition: Meaning['disposition'],
  message: string,
  concerns?: Meaning['concerns'],
): Meaning {
  return { code, disposition, message, concerns }
}

export const rejected = (message: string, concerns?: Concern) =>
  meaning('provider_rejected', 'refused', message, concerns)
export const unknownModel = (message: string): Meaning => ({ ...rejected(message, 'model'), isModelUnknown: true })
export const keyRejected = (message: string) => meaning('provider_key_rejected', 'refused', message, 'configuration')
export const accessDenied = (message: string, concerns: Concern | undefined = 'model') =>
  meaning('provider_access_denied', 'refused', message, concerns)
export const quotaExhausted = (message: string, concerns: Concern = 'configuration') =>
  meaning('provider_quota_exhausted', 'refused', message, concerns)
export const contentRejected = (message: string) => meaning('content_rejected', 'refused', message)
export const rateLimited = (message: string) => meaning('rate_limited', 'retry_safe', message)

/**
 * What a status means, for unknown codes and for answers that are not the service's own. `service`: its name in a sentence; `bill`: where
 * people see what they were charged. A 503 comes before the work, when there is no capacity; one that the service did not write is worth
 * one more try (docs/providers.md, Doubao).
 */
export function meaningByStatus(
  status: number,
  service: string,
  bill: string,
  own: Readonly<Record<number, Meaning>>,
): Meaning {
  const subject = service.charAt(0).toUpperCase() + service.slice(1)
  const unsure = `A picture may have been made and billed; look at the ${bill} before you try again.`
  const notNow = `${subject} is not available at the moment. Nothing was made. Try again in a few minutes.`
  const known: Record<number, Meaning> = {
    // A redirect is not followed, because the key would go with it.
    300: rejected('The address answered with a redirect. Set the base address to where it leads.'),
    400: rejected(`${subject} does not accept the request. Its own message says why.`),
    404: rejected(
      `Nothing is at this address, or ${service} does not know the model. Check base address and model id.`,
    ),
    408: meaning('provider_timeout', 'maybe_billed', `The service gave up waiting. ${unsure}`),
    429: rateLimited(`${subject} asks us to slow down. Wait a minute.`),
    499: meaning('outcome_unknown', 'maybe_billed', `The request was cancelled on its way. ${unsure}`),
    500: meaning('provider_unavailable', 'maybe_billed', `${subject} had an error. ${unsure}`),
    503: { ...meaning('provider_unavailable', 'retry_safe', notNow), maxRepeats: 1 },
    504: meaning('provider_timeout', 'maybe_billed', `${subject} did not answer its own gateway in time. ${unsure}`),
    ...own,
  }
  return known[status] ?? known[Math.min(500, Math.floor(status / 100) * 100)]!
}

/** An error as received from a service. */
export interface ServiceError {
  code?: string
  type?: string
  message?: string
}

/** Finds the error of an answer, with or without an `error` around it; undefined where nothing says that something is wrong. */
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

/** An error in the service's own words. */
export function toFailure(meaning: Meaning, found: ServiceError, head: AnswerHead): ProviderFailure {
  const { code, disposition, message, concerns, isModelUnknown, maxRepeats } = meaning
  return {
    code,
    disposition,
    message,
    providerCode: found.code,
    providerMessage: found.message,
    requestId: head.requestId,
    retryAfterMs: head.retryAfterMs ?? meaning.retryAfterMs,
    maxRepeats,
    concerns,
    isModelUnknown,
  }
}

/** Quotes the beginning of an answer that is not JSON, mostly a page of a gateway. */
export function quoteBeginning({ status, body }: RawAnswer): string {
  return `HTTP ${status}: ${body.trim().slice(0, 300)}`
}

// ── Answers without a picture ───────────────────────────────────────────────────────────────────────────────────────

/** The one failure of a call without pictures: one that may have been billed says more about money than one that was refused. */
export function pickWorstFailure(failures: Parsed['failures']): ProviderFailure | undefined {
  const worst = failures.find(failure => failure.disposition === 'maybe_billed') ?? failures[0]
  if (!worst) return undefined
  const { index: _, ...failure } = worst
  return failure
}

/** The pictures of an answer that was cut or garbled, as far as they are whole. `service`: its name in a sentence. */
export function parseBeginning(
  answer: RawAnswer,
  service: string,
  readExpiry: (url: string) => number | undefined,
): Parsed {
  const images = wholeSourcesIn(answer.body).map((source, index) => toProviderImage(index, source, readExpiry))
  if (!answer.complete || images.length > 0) return { images, failures: [], complete: false }
  const error: ProviderFailure = {
    code: 'provider_rejected',
    // Something other than the service may have answered, or have altered its answer.
    disposition: 'maybe_billed',
    message: `The address answered with something that is not an answer of ${service}. Check the base address.`,
    providerMessage: quoteBeginning(answer),
    requestId: answer.requestId,
  }
  return { images: [], failures: [], error, complete: true }
}

/** Documented are an empty list and a bill of zero; anything else may be an image in an unknown form. */
export function withoutReason(answer: RawAnswer, service: string, json: unknown, billed?: number): ProviderFailure {
  const data = isObject(json) ? json.data : undefined
  const isEmpty = Array.isArray(data) && data.length === 0 && !mayNameImage(answer.body)
  const isRefusal = billed === undefined ? isEmpty : billed === 0
  return {
    code: 'provider_rejected',
    disposition: isRefusal ? 'refused' : 'maybe_billed',
    message: `${service} answered without a picture and without a reason. Change the prompt or try again.`,
    providerMessage: outline(json),
    requestId: answer.requestId,
  }
}

// ── Checking a configuration ────────────────────────────────────────────────────────────────────────────────────────

/** Errors that a retry would not change come from the address: an unknown name, a refused address, a foreign certificate. */
export function unreachable({ failure }: ExchangeError): CheckResult {
  const { code, disposition, message } = failure
  if (code === 'provider_key_rejected') return { code, detail: message }
  return { code: disposition === 'refused' ? 'wrong_address' : 'provider_unavailable', detail: message }
}

/** The models that an answer lists; undefined where it is no list. */
export function listedModels({ status, body }: RawAnswer): JsonObject[] | undefined {
  const json = parseJson(body)
  return status === 200 && isObject(json) && Array.isArray(json.data) ? json.data.filter(isObject) : undefined
}

/**
 * Is this a gateway's report of a connection that broke behind it, after the request may have been passed on? Both services stand behind
 * Envoy (`server: istio-envoy`, docs/providers.md), which then answers 503 with these words; only a connect that failed or a
 * full queue is named as such and proves that nothing was passed on.
 */
export function brokeBehindGateway(body: string): boolean {
  const isReset = /disconnect\/reset before headers|upstream (?:request|idle) timeout|stream timeout/i.test(body)
  return isReset && !/reset reason: (?:connection failure|connection timeout|overflow)/i.test(body)
}
