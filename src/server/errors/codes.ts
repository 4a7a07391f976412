/** Which HTTP status and which title a code has. */
import type { ProblemCode } from '../../api/problems.ts'
import type { RefusalCode } from '../../errors.ts'
import type { FailureCode } from '../../outgoing/failure.ts'

/** A code without a line here does not compile, nor does a code of another room that `problemCodes` does not list. */
export const errorTable: Record<ProblemCode | RefusalCode | FailureCode, { status: number; title: string }> = {
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
  // Never 401: that would sign the user out, though it is our key that was refused.
  provider_key_rejected: { status: 502, title: 'API key rejected by the provider' },
  provider_access_denied: { status: 502, title: 'Access denied by the provider' },
  provider_unavailable: { status: 502, title: 'Provider unavailable' },
  shutting_down: { status: 503, title: 'Server shutting down' },
  not_ready: { status: 503, title: 'Server not ready' },
  provider_timeout: { status: 504, title: 'Provider timeout' },
  outcome_unknown: { status: 504, title: 'Outcome unknown' },
  storage_failed: { status: 507, title: 'Storage failed' },
}

/** Default seconds of a `Retry-After`. */
export const defaultRetryAfter: Partial<Record<ProblemCode, number>> = {
  rate_limited: 30,
  too_many_requests: 5,
  shutting_down: 10,
  not_ready: 10,
}
