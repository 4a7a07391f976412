/** The vocabulary for failures of a service. */

/** Why a call or a picture failed; the HTTP status of each stands in `server/errors/codes.ts`. */
export type FailureCode =
  | 'invalid_request'
  | 'content_rejected'
  | 'provider_rejected'
  | 'provider_key_rejected'
  | 'provider_access_denied'
  | 'provider_quota_exhausted'
  | 'rate_limited'
  | 'provider_unavailable'
  | 'provider_timeout'
  | 'outcome_unknown'

/**
 * What an error proves about money.
 * - `retry_safe`: nothing was generated, the same call may be sent again by itself.
 * - `refused`: nothing was generated, and the same call would be refused again.
 * - `maybe_billed`: a picture may exist; never repeated by itself.
 */
export type Disposition = 'retry_safe' | 'refused' | 'maybe_billed'

export interface ProviderFailure {
  code: FailureCode
  disposition: Disposition
  /** What happened and what to do, for people. */
  message: string
  providerCode?: string
  providerMessage?: string
  requestId?: string
  retryAfterMs?: number
  /** With `retry_safe`: the maximum number of repeats; the default when absent. */
  maxRepeats?: number
  /**
   * Scope of a refusal that is not about the request itself: `model`, this account or address does not offer this model; `configuration`, it
   * offers nothing any more until somebody changes something. Another key may well be accepted.
   */
  concerns?: Concern
  /**
   * The service says that it has no such model. That may mean three things which its answer does not tell apart: the id is wrong, the
   * model was retired, or it is closed to accounts that never opened it.
   */
  isModelUnknown?: boolean
  /** What `message` says as a code with its parts, where it says more than `code`. */
  reason?: { code?: string; values?: Record<string, string | number> }
}

export type Concern = 'model' | 'configuration'

/** An exchange without an answer, or with an incomplete one. */
export class ExchangeError extends Error {
  override name = 'ExchangeError'
  readonly failure: ProviderFailure
  /** The part that arrived before the connection broke. */
  readonly partial: string

  constructor(failure: ProviderFailure, options: { cause?: unknown; partial?: string } = {}) {
    super(failure.message, { cause: options.cause })
    this.failure = failure
    this.partial = options.partial ?? ''
  }
}
