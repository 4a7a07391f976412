/** Which problems an operation can answer with: for the description of the API. What any of them may meet stands under `default`. */
import { type ProblemCode, problemCodes } from '../api/problems.ts'
import { statusOf, titleOf } from './errors/codes.ts'

const anywhere: ProblemCode[] = [
  'bad_request',
  'method_not_allowed',
  'headers_too_large',
  'shutting_down',
  'internal_error',
]

const ofBodies: ProblemCode[] = [
  'invalid_json',
  'request_timeout',
  'too_large',
  'unsupported_media_type',
  'invalid_request',
]

/** A new generation: refused before there is a record. */
const ofRequests: ProblemCode[] = ['not_allowed', 'budget_exceeded', 'configuration_missing', 'too_many_requests']
const ofKeys: ProblemCode[] = ['gone', 'idempotency_mismatch', 'invalid_request']

/** How a generation may end that a client waited for. */
const ofEnds: ProblemCode[] = [
  'content_rejected',
  'provider_rejected',
  'provider_key_rejected',
  'provider_access_denied',
  'provider_quota_exhausted',
  'rate_limited',
  'provider_unavailable',
  'provider_timeout',
  'outcome_unknown',
  'cancelled',
  'storage_failed',
]

const ofOperations: Record<string, ProblemCode[]> = {
  'post /api/generate': [...ofRequests, ...ofKeys, ...ofEnds],
  'post /api/estimate': ['not_allowed', 'configuration_missing', 'storage_failed'],
  'post /api/history/{id}/retry': ['conflict', ...ofRequests, ...ofKeys],
  'post /api/history/{id}/cancel': ['conflict'],
  'delete /api/history/{id}': ['conflict'],
  'get /images/{id}': ['range_not_satisfiable'],
  'delete /images/{id}': ['conflict'],
  'post /api/images': ['too_many_requests', 'storage_failed'],
  'post /api/images/archive': ['not_found'],
  'post /api/config': ['not_allowed'],
  'put /api/config/{id}': ['not_allowed', 'read_only', 'conflict'],
  'delete /api/config/{id}': ['not_allowed', 'read_only', 'conflict'],
  'post /api/config/test': ['not_allowed', 'not_found'],
  'get /api/tokens': ['not_allowed'],
  'post /api/tokens': ['not_allowed'],
  'patch /api/tokens/{id}': ['not_allowed'],
  'delete /api/tokens/{id}': ['not_allowed'],
  'get /api/status/errors': ['not_allowed'],
  'post /api/login': ['too_many_requests'],
}

interface Described {
  parameters?: { in: string }[]
  requestBody?: unknown
}

/** By status, with `default` for what may happen everywhere. */
export function problemsOf(method: string, path: string, operation: Described): [string, ProblemCode[]][] {
  const codes = new Set<ProblemCode>(ofOperations[`${method} ${path}`])
  if (operation.requestBody !== undefined) for (const code of ofBodies) codes.add(code)
  if (operation.parameters?.some(parameter => parameter.in === 'query')) codes.add('invalid_request')
  if (path.includes('{id}')) codes.add('not_found')
  if (path !== '/health') codes.add('unauthorized').add('forbidden')
  const byStatus = new Map<string, ProblemCode[]>()
  for (const code of problemCodes.filter(code => codes.has(code))) {
    const status = String(statusOf(code))
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return [...byStatus, ['default', anywhere]]
}

/** A list in Markdown. */
export function describedCodes(codes: ProblemCode[]) {
  return codes.map(code => `- \`${code}\`: ${titleOf(code)}.`).join('\n')
}
