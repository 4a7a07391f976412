/** Errors of a call as its row holds them. */
import type { ProviderFailure } from '../../outgoing/failure.ts'
import type { Parsed } from '../../providers/provider.ts'
import type { ErrorRecord, FailureRecord } from '../../storage/records.ts'

export function toErrorRecord(failure: ProviderFailure): ErrorRecord {
  return {
    code: failure.code,
    message: failure.message,
    providerCode: failure.providerCode ?? null,
    providerMessage: failure.providerMessage ?? null,
    providerRequestId: failure.requestId ?? null,
    retryAfterMs: failure.retryAfterMs ?? null,
    concerns: failure.concerns,
    reason: failure.reason,
  }
}

export function plainError(code: string, message: string): ErrorRecord {
  return { code, message, providerCode: null, providerMessage: null, providerRequestId: null, retryAfterMs: null }
}

export function unknownOutcome(what: string): ProviderFailure {
  const message = `${what} The service may have made and charged the picture. Check the usage page of the service before you retry.`
  return { code: 'outcome_unknown', disposition: 'maybe_billed', message }
}

/** Explains a picture that was asked for and was neither made nor refused. */
export function explainMissing({ complete }: Parsed, isBilled: boolean): Omit<FailureRecord, 'index'> {
  if (!complete) {
    const message = 'The connection broke before this picture came; it may have been made and charged.'
    return { code: 'outcome_unknown', message, providerCode: null }
  }
  if (isBilled) {
    const message =
      'The service counts this picture as made and charged, but its answer does not hold it. Contact its support with the request id.'
    return { code: 'outcome_unknown', message, providerCode: null }
  }
  const message = 'The service made fewer pictures than asked for; this one was not made and not charged.'
  return { code: 'not_made', message, providerCode: null }
}
