/** The shape of errors under `/v1`, with the statuses, types and codes that clients of the OpenAI API know. */
import type { ProblemCode } from '../../api/problems.ts'
import type { V1Error } from '../../api/v1/errors.ts'
import type { ErrorAnswer } from '../errors/answer.ts'
import { errorTable } from '../errors/codes.ts'

interface Kind {
  status?: number
  type?: string
  code?: string
}

/** What differs from the status and the word of the code. */
const kinds: Partial<Record<ProblemCode, Kind>> = {
  unauthorized: { code: 'invalid_api_key' },
  not_allowed: { type: 'permission_error' },
  // Clients take 422 for an error of the server, and repeat 409.
  invalid_request: { status: 400 },
  idempotency_mismatch: { status: 400 },
  content_rejected: { status: 400, code: 'content_policy_violation' },
  provider_rejected: { status: 400 },
  cancelled: { status: 400 },
  configuration_missing: { status: 503 },
  provider_quota_exhausted: { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
  budget_exceeded: { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
  too_many_requests: { type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  rate_limited: { type: 'rate_limit_error', code: 'rate_limit_exceeded' },
}

/** Clients repeat these by their status, where nothing else could come of it, or only another bill. */
const finalCodes: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'provider_quota_exhausted',
  'budget_exceeded',
  'configuration_missing',
  'conflict',
  'provider_key_rejected',
  'provider_access_denied',
  'provider_timeout',
  'outcome_unknown',
  'storage_failed',
])

export const v1ErrorType = 'application/json; charset=utf-8'

export function statusOfV1(code: ProblemCode): number {
  return kinds[code]?.status ?? errorTable[code].status
}

export function headersOfV1({ code }: ErrorAnswer): Record<string, string> {
  return finalCodes.has(code) ? { 'x-should-retry': 'false' } : {}
}

export function presentV1Error({ code, detail, members = {} }: ErrorAnswer, requestId: string): V1Error {
  const { errors = [], generation_id, charge, advice, provider_code, provider_message, provider_request_id } = members
  const param = errors[0] ? nameOf(errors[0].path) : null
  const kind = kinds[code] ?? {}
  const usualType = statusOfV1(code) < 500 ? 'invalid_request_error' : 'server_error'
  return {
    error: {
      message: detail,
      type: kind.type ?? usualType,
      param,
      code: code === 'not_found' && param === 'model' ? 'model_not_found' : (kind.code ?? code),
      request_id: requestId,
      generation_id,
      charge,
      advice,
      provider_code,
      provider_message,
      provider_request_id,
    },
  }
}

/** As the client spelled the member that `/api` has at this path. */
function nameOf(path: string) {
  const [, name = path] = /^(?:parameters\.)?([^.]+)/.exec(path) ?? []
  if (path === '') return null
  return name === 'images' ? 'image' : name
}
