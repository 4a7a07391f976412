/** What a caller may be told instead of a result. The HTTP status of each code stands in `server/errors/codes.ts`. */
import { describeViolation, type Violation } from './catalogue/violation.ts'
import type { Suspension } from './storage/records.ts'

export type RefusalCode =
  | 'invalid_request'
  | 'configuration_missing'
  | 'not_found'
  | 'conflict'
  | 'read_only'
  | 'not_allowed'
  | 'budget_exceeded'
  | 'idempotency_mismatch'
  | 'gone'
  | 'too_large'
  | 'too_many_requests'
  | 'storage_failed'

export class Refusal extends Error {
  override name = 'Refusal'
  readonly code: RefusalCode
  readonly violations: readonly Violation[]

  constructor(
    code: RefusalCode,
    message: string,
    options: { violations?: readonly Violation[]; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.violations = options.violations ?? []
  }
}

/** Every configuration that could send it was refused by its service a moment ago, and is tried again later. */
export class AllSuspended extends Refusal {
  override name = 'AllSuspended'
  readonly providerCode: string | null
  readonly providerMessage: string | null
  readonly retryAfterMs: number

  constructor(suspension: Suspension) {
    const seconds = Math.max(1, Math.ceil((Date.parse(suspension.retryAt) - Date.now()) / 1000))
    super(
      'configuration_missing',
      `${suspension.message} Nothing was sent, because the service said so a moment ago; it can be tried again in ${seconds} s.`,
    )
    this.providerCode = suspension.providerCode
    this.providerMessage = suspension.providerMessage
    this.retryAfterMs = seconds * 1000
  }
}

/** Holds every violation of a request. */
export function invalid(violations: readonly Violation[]) {
  return new Refusal('invalid_request', violations.map(describeViolation).join(' '), { violations })
}
