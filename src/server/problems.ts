/** Every error becomes a problem document here. One table knows the status of each code. */
import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { BudgetExceeded } from '../accounts/budget.ts'
import type { Problem, ProblemCode } from '../api/problems.ts'
import type { Violation } from '../catalogue/violation.ts'
import { LeftAside, Refusal, type RefusalCode } from '../errors.ts'
import type { FailureCode } from '../outgoing/errors.ts'
import type { GenerationRecord } from '../storage/records.ts'
import { CommitUnknown, databaseTrouble } from '../storage/trouble.ts'
import { adviceFor } from './present/advice.ts'
import type { Discretion } from './present/discretion.ts'
import { securityHeaders } from './security-headers.ts'

/** A code without a line here does not compile, nor does one of the other parts that `problemCodes` does not list. */
const table: Record<ProblemCode | RefusalCode | FailureCode, { status: number; title: string }> = {
  invalid_json: { status: 400, title: 'Invalid JSON' },
  bad_request: { status: 400, title: 'Malformed request' },
  unauthorized: { status: 401, title: 'Token required' },
  provider_quota_exhausted: { status: 402, title: 'Provider account out of balance or quota' },
  budget_exceeded: { status: 402, title: 'Monthly budget exceeded' },
  forbidden: { status: 403, title: 'Origin not allowed' },
  read_only: { status: 403, title: 'Read-only' },
  not_allowed: { status: 403, title: 'Not allowed for this token' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  request_timeout: { status: 408, title: 'Request timeout' },
  conflict: { status: 409, title: 'Conflict with the current state' },
  configuration_missing: { status: 409, title: 'No usable configuration' },
  cancelled: { status: 409, title: 'Generation cancelled' },
  gone: { status: 410, title: 'Deleted' },
  too_large: { status: 413, title: 'Too large' },
  uri_too_long: { status: 414, title: 'URL too long' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  range_not_satisfiable: { status: 416, title: 'Range not satisfiable' },
  invalid_request: { status: 422, title: 'Invalid request' },
  idempotency_mismatch: { status: 422, title: 'Idempotency key reused with another request' },
  content_rejected: { status: 422, title: 'Content rejected by the provider' },
  provider_rejected: { status: 422, title: 'Request rejected by the provider' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  rate_limited: { status: 429, title: 'Rate limited by the provider' },
  headers_too_large: { status: 431, title: 'Headers too large' },
  internal_error: { status: 500, title: 'Internal error' },
  // Never 401: that would sign the person out, though the refused key is ours.
  provider_key_rejected: { status: 502, title: 'API key rejected by the provider' },
  provider_access_denied: { status: 502, title: 'Access denied by the provider' },
  provider_unavailable: { status: 502, title: 'Provider unavailable' },
  shutting_down: { status: 503, title: 'Server shutting down' },
  provider_timeout: { status: 504, title: 'Provider timeout' },
  outcome_unknown: { status: 504, title: 'Outcome unknown' },
  storage_failed: { status: 507, title: 'Storage failed' },
}

/** Seconds of a `Retry-After` where nobody knows better. */
const patience: Partial<Record<ProblemCode, number>> = { rate_limited: 30, too_many_requests: 5, shutting_down: 10 }

/** What the HTTP face itself refuses. */
export class HttpRefusal extends Error {
  override name = 'HttpRefusal'
  readonly code: ProblemCode
  readonly headers: Record<string, string>

  constructor(code: ProblemCode, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.code = code
    this.headers = headers
  }
}

/** A generation that a caller waited for and that made no picture. */
export class GenerationFailed extends Error {
  override name = 'GenerationFailed'
  readonly generation: GenerationRecord

  constructor(generation: GenerationRecord) {
    super(generation.error?.message ?? 'The generation was cancelled.')
    this.generation = generation
  }
}

export function invalid(violations: Violation[]) {
  return new Refusal('invalid_request', violations.map(violation => violation.message).join(' '), { violations })
}

interface Answer {
  code: ProblemCode
  detail: string
  headers?: Record<string, string>
  members?: Partial<Problem>
  /** Nothing that whoever asked did wrong, or that was told of before. */
  isOurs?: boolean
}

export async function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  discretion?: Discretion,
) {
  const { code, detail, headers = {}, members = {}, isOurs = false } = answerTo(error, request)
  const { status } = table[code]
  if (isOurs) request.log.error({ err: error, method: request.method, path: pathOf(request) }, 'a request failed')
  else if (error instanceof Error && error.cause) request.log.debug({ err: error }, 'a request was refused')
  // They were meant for what could not be sent.
  for (const name of ['etag', 'accept-ranges', 'content-disposition', 'content-length']) reply.removeHeader(name)
  const seconds = patience[code]
  if (seconds !== undefined) reply.header('retry-after', String(seconds))
  const problem = problemOf(code, detail, request.id, members)
  const provider = error instanceof GenerationFailed ? error.generation.provider : null
  const context = { provider, own: addressesIn(request.body) }
  const told = discretion ? await discretion.apply(problem, request.caller, context) : problem
  return reply
    .code(status)
    .headers({ 'x-request-id': request.id, ...securityHeaders, ...headers })
    .type('application/problem+json; charset=utf-8')
    .serializer(value => String(value))
    .send(JSON.stringify(told))
}

/** The addresses of references that the request itself names. */
function addressesIn(body: unknown) {
  const images = typeof body === 'object' && body !== null && 'images' in body ? body.images : undefined
  const texts = (Array.isArray(images) ? images : [images]).filter(one => typeof one === 'string')
  return texts.filter(text => /^https?:/i.test(text) && text.length < 10_000)
}

export function problemOf(
  code: ProblemCode,
  detail: string,
  requestId: string,
  members: Partial<Problem> = {},
): Problem {
  const { status, title } = table[code]
  return { type: `urn:webimgui:problem:${code}`, title, status, detail, code, request_id: requestId, ...members }
}

export function statusOf(code: ProblemCode) {
  return table[code].status
}

export function titleOf(code: ProblemCode) {
  return table[code].title
}

/** Without the query, which may hold what nobody else should read. */
export function pathOf(request: FastifyRequest) {
  return request.originalUrl.split('?', 1)[0] ?? ''
}

function answerTo(error: unknown, request: FastifyRequest): Answer {
  if (error instanceof HttpRefusal) return { code: error.code, detail: error.message, headers: error.headers }
  if (error instanceof GenerationFailed) return failure(error.generation)
  if (error instanceof Refusal) {
    const errors = error.violations.length > 0 ? error.violations : undefined
    const aside = error instanceof LeftAside ? error : undefined
    const budget = error instanceof BudgetExceeded ? budgetOf(error) : undefined
    return {
      code: error.code,
      detail: error.message,
      headers: aside ? retryAfter(aside.retryAfterMs) : {},
      members: {
        ...{ errors, budget },
        provider_code: aside?.providerCode ?? undefined,
        provider_message: aside?.providerMessage ?? undefined,
      },
    }
  }
  const known = error instanceof Error ? frameworkError(error as FastifyError, request) : undefined
  const trouble = databaseTrouble(error)
  if (trouble) {
    const first = error instanceof CommitUnknown ? 'Look at what is there before you ask again' : 'Then ask again'
    const detail = `${trouble} ${first}; with an Idempotency-Key nothing is made twice.`
    return { code: 'storage_failed', detail, isOurs: true }
  }
  return (
    known ?? {
      isOurs: true,
      code: 'internal_error',
      detail: `Something went wrong in the server. Its log says more under the id ${request.id}.`,
    }
  )
}

function budgetOf({ shortage: { leftImages, renewsAt, ...others } }: BudgetExceeded) {
  return { ...others, left_images: leftImages, renews_at: renewsAt }
}

function failure(generation: GenerationRecord): Answer {
  const { id, error, charge } = generation
  const code =
    error && Object.hasOwn(table, error.code) ? (error.code as ProblemCode) : error ? 'provider_rejected' : 'cancelled'
  const wait = error?.retryAfterMs
  return {
    code,
    detail: error?.message ?? 'The generation was cancelled before it made a picture.',
    headers: wait ? retryAfter(wait) : {},
    members: {
      generation_id: id,
      charge,
      advice: adviceFor(generation),
      provider_code: error?.providerCode ?? undefined,
      provider_message: error?.providerMessage ?? undefined,
      provider_request_id: error?.providerRequestId ?? undefined,
      reason_code: error?.reason?.code,
      reason_values: error?.reason?.values,
    },
  }
}

function retryAfter(ms: number) {
  return { 'retry-after': String(Math.ceil(ms / 1000)) }
}

/** What Fastify and its plugins throw because of what a client sent. */
function frameworkError(error: FastifyError, request: FastifyRequest): Answer | undefined {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { code: 'too_large', detail: sizeAdvice(request) }
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return { code: 'unsupported_media_type', detail: mediaTypeAdvice(request) }
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return { code: 'not_found', detail: 'There is nothing at this address: no id is that long.' }
    case 'FST_ERR_BAD_URL':
      return {
        code: 'bad_request',
        detail: 'The address is not well formed: a "%" must be followed by two hexadecimal digits.',
      }
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return { code: 'bad_request', detail: 'The body has another length than the header content-length says.' }
  }
  const status = error.statusCode ?? 500
  if (status < 400 || status >= 500) return undefined
  if (status === 413) return { code: 'too_large', detail: 'The body is larger than this server takes.' }
  if (status === 415) return { code: 'unsupported_media_type', detail: mediaTypeAdvice(request) }
  // 403 is what a path out of the folder of the studio gets.
  if (status === 404 || status === 403) return { code: 'not_found', detail: 'There is nothing at this address.' }
  return { code: 'bad_request', detail: `The request cannot be understood (${STATUS_CODES[status]}).` }
}

function sizeAdvice({ routeOptions: { bodyLimit, config } }: FastifyRequest) {
  const kilobytes = Math.floor(Number(bodyLimit) / 1024)
  const limit = kilobytes < 1024 ? `${kilobytes} kB` : `${Math.floor(kilobytes / 1024)} MB`
  return config.multipart
    ? `The body is larger than ${limit}. Send large references as files (multipart/form-data) or upload them first with POST /api/images.`
    : `The body is larger than ${limit}, the most that this address takes.`
}

function mediaTypeAdvice(request: FastifyRequest) {
  const { multipart, onlyMultipart } = request.routeOptions.config
  if (onlyMultipart) return 'Send the picture as multipart/form-data, in a field named "file".'
  const form = multipart ? ', or multipart/form-data with files' : ''
  return `Send the body as JSON with the header content-type: application/json${form}.`
}
