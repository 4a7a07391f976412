/** What a broken exchange proves: nothing was sent, or the request may have arrived. */

import { ExchangeError, type FailureCode, type ProviderFailure } from './failure.ts'

/** A body that exceeds the reader's limit. */
export class BodyTooLarge extends ExchangeError {
  override name = 'BodyTooLarge'
}

export function refused(message: string, cause?: unknown): ExchangeError {
  return new ExchangeError({ code: 'provider_unavailable', disposition: 'refused', message }, { cause })
}

export function tooLarge(host: string, maxBytes: number): BodyTooLarge {
  return new BodyTooLarge({
    code: 'outcome_unknown',
    disposition: 'maybe_billed',
    message: `The answer of ${host} is larger than ${maxBytes} bytes, which is more than is taken.`,
  })
}

/** No connection was established, so nothing was sent. */
export function unsent(error: unknown, host: string): ExchangeError {
  const code = errorCode(error)
  if (code === 'ENOTFOUND' || code === 'ENODATA' || code === 'EAI_NONAME') {
    return refused(`The name of ${host} is unknown. Check the address.`, error)
  }
  if (/CERT|SIGNATURE|^UNABLE_TO|^DEPTH_ZERO|^HOSTNAME_MISMATCH|^INVALID_CA|^PATH_LENGTH/.test(code)) {
    return refused(`The certificate of ${host} was not accepted (${code}). Check the address and the clock.`, error)
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) {
    return refused(
      `${host} does not speak TLS as https needs it (${code}). Check scheme and port of the address.`,
      error,
    )
  }
  const failure: ProviderFailure = {
    code: 'provider_unavailable',
    disposition: 'retry_safe',
    message: `${host} could not be reached${code ? ` (${code})` : ''}. Nothing was sent.`,
  }
  return new ExchangeError(failure, { cause: error })
}

/** The request may have arrived. */
export function lost(error: unknown, host: string, waitingFor: 'headers' | 'body'): ExchangeError {
  if (error instanceof ExchangeError) return error
  const isTimeout = error instanceof TimeoutError
  const code: FailureCode = isTimeout ? 'provider_timeout' : 'outcome_unknown'
  const detail = errorCode(error)
  const what = isTimeout
    ? waitingFor === 'headers'
      ? 'did not answer in time'
      : 'stopped in the middle of its answer'
    : `broke the connection ${waitingFor === 'headers' ? 'before its answer' : 'in the middle of its answer'}${detail ? ` (${detail})` : ''}`
  return new ExchangeError(
    { code, disposition: 'maybe_billed', message: `${host} ${what}. What was asked may have been done.` },
    { cause: error },
  )
}

/** The head of an answer, its next chunk or its end did not arrive in time. */
export class TimeoutError extends Error {
  override name = 'TimeoutError'
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
