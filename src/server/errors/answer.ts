/** What an error means to whoever sent the request, before a face puts it into its own shape. */

import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyRequest } from 'fastify'
import { toJson } from '../../api/names.ts'
import type { Problem, ProblemCode } from '../../api/problems.ts'
import { describeViolation, type Violation } from '../../catalogue/violation.ts'
import { AllSuspended, Refusal } from '../../errors.ts'
import { BudgetExceeded } from '../../members/budget.ts'
import { CommitUnknown, databaseTrouble } from '../../storage/trouble.ts'
import { adviseMediaType } from '../route.ts'
import { errorTable } from './codes.ts'
import { GenerationFailed, HttpRefusal } from './refusals.ts'

export interface ErrorAnswer {
  code: ProblemCode
  /** A sentence that says what to do. */
  detail: string
  headers?: Record<string, string>
  /** Other facts, by their names in the HTTP API. */
  members?: Partial<Problem>
  /** The fault is ours, and was not logged before. */
  isOurs?: boolean
}

export function describeError(error: unknown, request: FastifyRequest): ErrorAnswer {
  if (error instanceof HttpRefusal) return { code: error.code, detail: error.message, headers: error.headers }
  if (error instanceof GenerationFailed) return describeFailure(error)
  if (error instanceof Refusal) {
    const errors = error.violations.length > 0 ? error.violations.map(presentViolation) : undefined
    const aside = error instanceof AllSuspended ? error : undefined
    const budget = error instanceof BudgetExceeded ? toJson(error.shortage) : undefined
    return {
      code: error.code,
      detail: error.message,
      headers: aside ? retryAfter(aside.retryAfterMs) : {},
      members: {
        errors,
        budget,
        provider_code: aside?.providerCode ?? undefined,
        provider_message: aside?.providerMessage ?? undefined,
      },
    }
  }
  const known = error instanceof Error ? frameworkError(error as FastifyError, request) : undefined
  const trouble = databaseTrouble(error)
  if (trouble) {
    const first = error instanceof CommitUnknown ? 'Check what exists before you retry' : 'Then retry'
    const detail = `${trouble} ${first}; with an Idempotency-Key nothing is made twice.`
    return { code: 'storage_failed', detail, isOurs: true }
  }
  return (
    known ?? {
      isOurs: true,
      code: 'internal_error',
      detail: `Something went wrong in the server. Its log has the details under the id ${request.id}.`,
    }
  )
}

/** Presents a violation in words, and as data where it breaks the rule of a model. */
function presentViolation(violation: Violation): NonNullable<Problem['errors']>[number] {
  return { message: describeViolation(violation), ...violation }
}

function describeFailure({ generation, advice }: GenerationFailed): ErrorAnswer {
  const { id, error, charge } = generation
  const code =
    error && Object.hasOwn(errorTable, error.code)
      ? (error.code as ProblemCode)
      : error
        ? 'provider_rejected'
        : 'cancelled'
  const wait = error?.retryAfterMs
  return {
    code,
    detail: error?.message ?? 'The generation was cancelled before it made a picture.',
    headers: wait ? retryAfter(wait) : {},
    members: {
      generation_id: id,
      charge,
      advice,
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
function frameworkError(error: FastifyError, request: FastifyRequest): ErrorAnswer | undefined {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { code: 'too_large', detail: sizeAdvice(request) }
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return { code: 'unsupported_media_type', detail: adviseMediaType(request.routeOptions.config) }
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return { code: 'not_found', detail: 'There is nothing at this address: no id is that long.' }
    case 'FST_ERR_BAD_URL':
      return {
        code: 'bad_request',
        detail: 'The address is not well formed: a "%" must be followed by two hexadecimal digits.',
      }
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return { code: 'bad_request', detail: 'The length of the body differs from the header content-length.' }
  }
  const status = error.statusCode ?? 500
  if (status < 400 || status >= 500) return undefined
  if (status === 413) return { code: 'too_large', detail: 'The body is larger than this server accepts.' }
  if (status === 415) return { code: 'unsupported_media_type', detail: adviseMediaType(request.routeOptions.config) }
  // 403 is the answer to a path outside the studio folder.
  if (status === 404 || status === 403) return { code: 'not_found', detail: 'There is nothing at this address.' }
  return { code: 'bad_request', detail: `The request cannot be understood (${STATUS_CODES[status]}).` }
}

function sizeAdvice({ routeOptions: { bodyLimit, config } }: FastifyRequest) {
  const kilobytes = Math.floor(Number(bodyLimit) / 1024)
  const limit = kilobytes < 1024 ? `${kilobytes} kB` : `${Math.floor(kilobytes / 1024)} MB`
  return config.accepts === 'json or files'
    ? `The body is larger than ${limit}. Send large references as files (multipart/form-data) or upload them first with POST /api/images.`
    : `The body is larger than ${limit}, the limit of this address.`
}
