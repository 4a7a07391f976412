/** What the error codes of OpenAI's API mean: its public page of error codes and the types of its client 7.57.0 (2026-11). */
import { brokeBehindGateway, type ProviderFailure } from '../../outgoing/errors.ts'
import type { AnswerHead } from '../exchange.ts'
import { type Meaning, meaning, type ServiceError, toFailure } from '../failures.ts'

const wrongKey = meaning(
  'provider_key_rejected',
  'refused',
  'The service does not accept this API key. Copy it again, and check that it belongs to this base address.',
  'configuration',
)
const noMoney = meaning(
  'provider_quota_exhausted',
  'refused',
  'The credit or the spending limit of the account is used up. Look at its billing page.',
  'configuration',
)
const blocked = meaning(
  'content_rejected',
  'refused',
  'The service blocked the request or its picture for its content. Change prompt or references.',
)
const unknownModel: Meaning = {
  ...meaning(
    'provider_rejected',
    'refused',
    'The service does not know this model, or the key may not use it. Check its id.',
    'model',
  ),
  isModelUnknown: true,
}
const slowDown = meaning('rate_limited', 'retry_safe', 'The service asks us to slow down. Wait a minute.')
const noAccess = meaning(
  'provider_access_denied',
  'refused',
  'The account or key may not do this. The message of the service says what to open or verify.',
  'model',
)
const unsure = 'A picture may have been made and billed; look at the usage page before you try again.'

/** By `code`, or by `type` where there is no code. */
export const failureRows: Readonly<Record<string, Meaning>> = {
  invalid_api_key: wrongKey,
  authentication_error: wrongKey,
  account_deactivated: meaning(
    'provider_key_rejected',
    'refused',
    'The account of this API key is closed. Use a key of another account.',
    'configuration',
  ),
  insufficient_quota: noMoney,
  billing_hard_limit_reached: noMoney,
  billing_not_active: noMoney,
  rate_limit_exceeded: slowDown,
  moderation_blocked: blocked,
  content_policy_violation: blocked,
  model_not_found: unknownModel,
  invalid_organization: noAccess,
  unsupported_country_region_territory: meaning(
    'provider_access_denied',
    'refused',
    'The service does not serve the region that this server calls from.',
  ),
  permission_error: noAccess,
}

const byStatus: Readonly<Record<number, Meaning>> = {
  400: meaning('provider_rejected', 'refused', 'The service does not accept the request. Its own message says why.'),
  401: wrongKey,
  402: noMoney,
  403: noAccess,
  404: meaning(
    'provider_rejected',
    'refused',
    'Nothing is at this address, or the service does not know the model. Check base address and model id.',
  ),
  408: meaning('provider_timeout', 'maybe_billed', `The service gave up waiting. ${unsure}`),
  429: slowDown,
  499: meaning('outcome_unknown', 'maybe_billed', `The request was cancelled on its way. ${unsure}`),
  500: meaning('provider_unavailable', 'maybe_billed', `The service had an error. ${unsure}`),
  503: {
    ...meaning(
      'provider_unavailable',
      'retry_safe',
      'The service is not available at the moment. Nothing was made. Try again in a few minutes.',
    ),
    maxRepeats: 1,
  },
  504: meaning('provider_timeout', 'maybe_billed', `The service did not answer its own gateway in time. ${unsure}`),
}

/** A gateway's words for a connection that broke behind it prove nothing about the work, whatever the status. */
export function interpretError(head: AnswerHead, { code, type, message }: ServiceError): ProviderFailure {
  const status = head.status === 503 && brokeBehindGateway(message ?? '') ? 500 : head.status
  const word = [code, type].find(word => word !== undefined && Object.hasOwn(failureRows, word))
  return toFailure(failureRows[word ?? ''] ?? meaningByStatus(status), { code: code ?? type, message }, head)
}

function meaningByStatus(status: number): Meaning {
  const known = byStatus[status]
  if (known) return known
  if (status >= 500) return byStatus[500]!
  if (status >= 300 && status < 400) {
    return meaning(
      'provider_rejected',
      'refused',
      'The address answered with a redirect. Set the base address to where it leads.',
    )
  }
  // In a successful answer, an unknown error proves nothing.
  if (status < 300)
    return meaning('provider_rejected', 'maybe_billed', `The service answered without a picture. ${unsure}`)
  return byStatus[400]!
}
