/** One try of a delivery: signed, sent, and what the receiver says to it. */

import { ExchangeError } from '../outgoing/failure.ts'
import type { HttpResponse, OutgoingHttp } from '../outgoing/http.ts'
import { readHead } from '../providers/exchange.ts'
import type { DeliveryRecord, TryRecord } from '../storage/deliveries.ts'
import type { Addresses } from './addresses.ts'
import { composePayload, type LinkTo } from './payload.ts'
import { signMessage } from './signing.ts'

export interface Attempt {
  record: TryRecord
  /** The receiver said that it has it: any 2xx. */
  isTaken: boolean
  /** 410: it never wants another one. */
  isGone: boolean
  retryAfterMs: number | undefined
}

/** A receiver that has work to do answers first. */
const headersTimeoutMs = 15_000
const timeoutMs = 30_000
/** What is read of an answer, and shown of it. */
const maxAnswerBytes = 2048
const maxAnswerLength = 500

/** `stopped`: `signal` broke it off, and nobody knows whether it arrived. */
export async function attemptDelivery(
  { http, addresses, linkTo }: { http: OutgoingHttp; addresses: Addresses; linkTo: LinkTo },
  { id, url, event }: DeliveryRecord,
  { secrets, ownerId }: { secrets: readonly string[]; ownerId: string | null },
  signal: AbortSignal,
): Promise<Attempt | 'stopped'> {
  const began = performance.now()
  const nowMs = Date.now()
  const about = (told: Partial<TryRecord>): TryRecord => ({
    at: new Date(nowMs).toISOString(),
    durationMs: Math.round(performance.now() - began),
    ...{ status: null, error: null, answer: null, isInside: addresses.isInside(url) },
    ...told,
  })
  const without = (error: string): Attempt => ({
    ...{ record: about({ error }), isTaken: false, isGone: false, retryAfterMs: undefined },
  })
  // The operator may have taken a host out of ALLOWED_HOSTS since.
  const refusal = addresses.refuseForm(url)
  if (refusal !== undefined) return without(refusal)
  const body = JSON.stringify(composePayload(event, path => linkTo(path, ownerId)))
  const headers = { 'content-type': 'application/json', ...signMessage(id, nowMs, body, secrets) }
  try {
    const response = await http.request({
      ...{ method: 'POST', url, headers, body, signal, headersTimeoutMs, timeoutMs },
      idleTimeoutMs: headersTimeoutMs,
    })
    const { status } = response
    const isRedirect = status >= 300 && status < 400
    const error = isRedirect ? 'It redirects, which is not followed. Give the address that it leads to.' : null
    const answer = await readBeginning(response)
    return {
      record: about({ status, answer, error }),
      isTaken: status >= 200 && status < 300,
      isGone: status === 410,
      retryAfterMs: readHead(response).retryAfterMs,
    }
  } catch (error) {
    if (signal.aborted) return 'stopped'
    if (error instanceof ExchangeError) return without(error.message)
    throw error
  }
}

/** Its status has come; an end that does not come changes nothing. */
async function readBeginning(response: HttpResponse): Promise<string | null> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const piece of response.body) {
      pieces.push(piece)
      bytes += piece.length
      if (bytes >= maxAnswerBytes) break
    }
  } catch {
    // What came is shown.
  }
  response.discard()
  const text = new TextDecoder().decode(Buffer.concat(pieces).subarray(0, maxAnswerBytes))
  const shown = withoutSecrets(text).replace(/[\x00-\x08\x0b-\x1f\x7f\ufffd]/g, '')
  return shown === '' ? null : shown.slice(0, maxAnswerLength)
}

/** Some receivers repeat what they got, or what they know. */
function withoutSecrets(text: string) {
  return text
    .replace(/\b(whsec_|wig_|sk-|Bearer )[\w+/=.-]{8,}/gi, '$1…')
    .replace(/\b((?:signature|token|api_?key|secret|password)["']?\s*[=:]\s*["']?)[^\s"'&,;]{4,}/gi, '$1…')
}
