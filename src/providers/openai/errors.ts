/** What the error codes of OpenAI's API mean: its public page of error codes and the types of its client 7.57.0 (2026-11). */

import type { ProviderFailure } from '../../outgoing/failure.ts'
import type { AnswerHead } from '../exchange.ts'
import {
  accessDenied,
  brokeBehindGateway,
  contentRejected,
  keyRejected,
  type Meaning,
  meaning,
  meaningByStatus,
  quotaExhausted,
  rateLimited,
  type ServiceError,
  toFailure,
  unknownModel,
} from '../failures.ts'

const wrongKey = keyRejected(
  'The service does not accept this API key. Copy it again, and check that it belongs to this base address.',
)
const noMoney = quotaExhausted('The credit or the spending limit of the account is used up. Look at its billing page.')
const blocked = contentRejected(
  'The service blocked the request or its picture for its content. Change prompt or references.',
)
const noAccess = accessDenied(
  'The account or key may not do this. The message of the service says what to open or verify.',
)

/** By `code`, or by `type` where there is no code. */
export const failureRows: Readonly<Record<string, Meaning>> = {
  invalid_api_key: wrongKey,
  authentication_error: wrongKey,
  account_deactivated: keyRejected('The account of this API key is closed. Use a key of another account.'),
  insufficient_quota: noMoney,
  billing_hard_limit_reached: noMoney,
  billing_not_active: noMoney,
  rate_limit_exceeded: rateLimited('The service asks us to slow down. Wait a minute.'),
  moderation_blocked: blocked,
  content_policy_violation: blocked,
  model_not_found: unknownModel('The service does not know this model, or the key may not use it. Check its id.'),
  invalid_organization: noAccess,
  unsupported_country_region_territory: meaning(
    'provider_access_denied',
    'refused',
    'The service does not serve the region that this server calls from.',
  ),
  permission_error: noAccess,
}

const byStatus: Readonly<Record<number, Meaning>> = {
  // In a successful answer, an unknown error proves nothing.
  200: meaning(
    'provider_rejected',
    'maybe_billed',
    'The service answered without a picture. A picture may have been made and billed; look at the usage page before you try again.',
  ),
  401: wrongKey,
  402: noMoney,
  403: noAccess,
}

/** A gateway's words for a connection that broke behind it prove nothing about the work, whatever the status. */
export function interpretError(head: AnswerHead, { code, type, message }: ServiceError): ProviderFailure {
  const status = head.status === 503 && brokeBehindGateway(message ?? '') ? 500 : head.status
  const word = [code, type].find(word => word !== undefined && Object.hasOwn(failureRows, word))
  return toFailure(
    failureRows[word ?? ''] ?? meaningByStatus(status, 'the service', 'usage page', byStatus),
    { code: code ?? type, message },
    head,
  )
}
