/** What a caller may be told instead of a result. The HTTP status of each code stands in `server/errors.ts`. */
import type { Fault } from '../providers/errors.ts'

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
  readonly faults: Fault[]

  constructor(code: RefusalCode, message: string, options: { faults?: Fault[]; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.faults = options.faults ?? []
  }
}

/** Holds every fault of a request. */
export function invalid(faults: Fault[]) {
  return new Refusal('invalid_request', faults.map(fault => fault.message).join(' '), { faults })
}
