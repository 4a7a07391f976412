/**
 * What DashScope's errors mean: its error pages as a table, checked 2026-11.
 *
 * The service bills successful pictures only, so an error that the service itself wrote proves that nothing was paid. An error of a
 * gateway on the way proves nothing.
 */

import type { ProviderFailure } from '../../outgoing/failure.ts'
import type { AnswerHead } from '../exchange.ts'
import {
  accessDenied,
  brokeBehindGateway,
  contentRejected,
  keyRejected,
  type Meaning,
  meaning,
  quotaExhausted,
  rateLimited,
  rejected,
  toFailure,
  unknownModel,
} from '../failures.ts'

interface Row extends Meaning {
  /** The whole code, or its part before a dot. */
  codes: readonly string[]
  /** Looked at only where one code means several things. */
  text?: RegExp
}

const wrongKey = keyRejected(
  'DashScope does not accept the API key. Check it, and whether it belongs to the region of the base address: each region has keys of its own.',
)
const inArrears = quotaExhausted(
  'The Alibaba Cloud account is in arrears or has not bought this service. Settle that in its console, then try again.',
)
const quotaUsedUp = meaning(
  'provider_quota_exhausted',
  'refused',
  'The quota of this account is used up. Raise it or buy more in the Model Studio console.',
  'model',
)
const noAccess = accessDenied(
  'The key may not use this model. Open the model for the account and its workspace in the Model Studio console.',
)
const noModel = unknownModel(
  'DashScope does not know this model. Check its id, upper and lower case too, and whether the region of the base address has it.',
)
const wrongRoute = rejected(
  'DashScope does not offer this model in the way it was asked. Choose another model of the same family.',
)
const wrongAddress = rejected(
  'The address of the service is wrong. Check the base address and the workspace in it; it usually ends in /api/v1.',
)
const badRequest = rejected(
  'DashScope refused the request; its own words say which value it does not take. Change that and try again.',
)
const badImage = rejected(
  'DashScope cannot use one of the references. Try another file, or the same as JPEG or PNG of ordinary size.',
)
const imageNotRead: Meaning = {
  ...badImage,
  disposition: 'retry_safe',
  message: 'DashScope could not read one of the references in time. Try again, or try another file.',
}
const tooLarge = rejected('The request was too large for DashScope. Use fewer or smaller references.')
const moderatedInput = contentRejected(
  'The moderation of DashScope refused the prompt or a reference. Change them and try again.',
)
const moderatedOutput = contentRejected(
  'The moderation of DashScope held the picture back. Change the prompt, or try another seed.',
)
const tooFast = rateLimited(
  'DashScope asks for fewer requests at a time. The limits count all keys of the account together; try again a little later.',
)
const overloaded = meaning(
  'provider_unavailable',
  'retry_safe',
  'DashScope has no capacity for this model at the moment. Try again a little later.',
)
const serverFault = meaning(
  'provider_unavailable',
  'retry_safe',
  'DashScope had an internal error and made nothing. Try again a little later.',
)
const timedOut = meaning(
  'provider_timeout',
  'maybe_billed',
  'DashScope did not finish in time. The picture may have been billed, so this is not repeated automatically.',
)
const gatewayFault = meaning(
  'provider_unavailable',
  'maybe_billed',
  'DashScope, or a gateway before it, failed without saying why. A picture may have been made and billed, so this is not repeated automatically.',
)

// The first matching row applies.
const rows: readonly Row[] = [
  { codes: ['InvalidApiKey', 'invalid_api_key', 'NOT AUTHORIZED', 'NotAuthorized'], ...wrongKey },
  { codes: ['Arrearage'], ...inArrears },
  { codes: ['CommodityNotPurchased', 'PrepaidBillOverdue', 'PostpaidBillOverdue'], ...inArrears },
  {
    codes: ['AllocationQuota.FreeTierOnly'],
    ...quotaUsedUp,
    message:
      'The free pictures of this model are used up. To go on for money, switch off "use free tier only" in the Model Studio console.',
  },
  {
    codes: ['AccessDenied.Unpurchased'],
    ...noAccess,
    message:
      'Model Studio is not activated for this account. Activate it in the Alibaba Cloud console, then try again.',
  },
  { codes: ['AccessDenied', 'access_denied'], text: /does not support (a?synchronous|stream)/i, ...wrongRoute },
  {
    codes: ['Endpoint.AccessDenied'],
    ...noAccess,
    // The only sign of a retired model that was reported; as often a key that a workspace host does not admit (docs/providers.md, Qwen).
    isModelUnknown: true,
    message:
      'DashScope does not serve this model: it was retired, or it is not open to this key or at this host. Choose a newer one; where a workspace host refuses every model, use the shared host of its region.',
  },
  {
    codes: ['AccessDenied', 'access_denied', 'Model.AccessDenied', 'Workspace.AccessDenied', 'App.AccessDenied'],
    ...noAccess,
  },
  { codes: ['ModelNotFound', 'model_not_found', 'model_not_supported'], ...noModel },
  { codes: ['WorkSpaceNotFound', 'NotFound'], ...wrongAddress },
  { codes: ['DataInspectionFailed', 'data_inspection_failed'], text: /^\s*output data/i, ...moderatedOutput },
  {
    codes: ['DataInspectionFailed', 'data_inspection_failed'],
    text: /^\s*input or output data/i,
    ...moderatedInput,
    message: 'The moderation of DashScope refused the request or its picture. Change the prompt or the references.',
  },
  {
    codes: ['DataInspectionFailed', 'data_inspection_failed', 'FaqRuleBlocked', 'CustomRoleBlocked'],
    ...moderatedInput,
  },
  {
    codes: ['IPInfringementSuspect'],
    ...moderatedInput,
    message: 'DashScope suspects that the prompt or a reference infringes a right. Change them and try again.',
  },
  { codes: ['InvalidParameter.DataInspection', 'InvalidURL.Timeout'], ...imageNotRead },
  {
    codes: [
      'InvalidURL',
      'InvalidImageResolution',
      'InvalidImageFormat',
      'InvalidImage',
      'BadRequest.InputDownloadFailed',
      'BadRequest.UnsupportedFileFormat',
    ],
    ...badImage,
  },
  { codes: ['BadRequest.TooLarge'], ...tooLarge },
  { codes: ['InvalidParameter'], text: /model not exist/i, ...noModel },
  { codes: ['InvalidParameter'], text: /url error/i, ...wrongRoute },
  {
    codes: ['InvalidParameter'],
    text: /image format|download image|corrupted file|size of input image|data-uri item|provided URL/i,
    ...badImage,
  },
  {
    codes: ['InvalidParameter'],
    text: /for the data inspection/i,
    ...badRequest,
    // Said of a picture that was made and has more than 10 MB.
    message: 'The picture was too large for the moderation of DashScope. Ask for a smaller size.',
  },
  { codes: ['InvalidParameter', 'BadRequest', 'invalid_parameter_error', 'invalid_request_error'], ...badRequest },
  {
    codes: ['UnsupportedOperation'],
    ...badRequest,
    message: 'DashScope cannot do that with this task any more, because it has begun or ended.',
  },
  {
    codes: ['Throttling.AllocationQuota', 'insufficient_quota'],
    text: /^\s*allocated quota exceeded/i,
    ...tooFast,
    message:
      'The quota of this model is used up at the moment. Try again later, or have it raised in the Model Studio console.',
  },
  { codes: ['Throttling.AllocationQuota', 'insufficient_quota'], ...quotaUsedUp },
  { codes: ['Throttling', 'limit_requests'], ...tooFast },
  // A text that begins with <400> is a refusal of the request disguised as a server error.
  { codes: ['InternalError'], text: /^\s*<400>.*\boutput data may/i, ...moderatedOutput },
  { codes: ['InternalError'], text: /^\s*<400>.*DataInspectionFailed/i, ...moderatedInput },
  { codes: ['InternalError'], text: /^\s*<400>/, ...badRequest },
  { codes: ['InternalError', 'SystemError', 'ModelServiceFailed', 'RewriteFailed'], ...serverFault },
  { codes: ['RequestTimeOut'], ...timedOut },
  { codes: ['ModelServingError', 'ModelUnavailable'], ...overloaded },
]

/** Where an error occurred, which determines what it proves. */
export interface ErrorPlace extends AnswerHead {
  /** The request submits a task: after a gateway error the task may still run. */
  submitsTask: boolean
  /** The error ended a task, or one picture of it; what failed is not billed. */
  isFinal: boolean
}

/** @param text the service's words, or the beginning of what came instead of an answer */
export function interpretError(code: string | undefined, text: string | undefined, place: ErrorPlace): ProviderFailure {
  const meaning =
    rows.find(row => fits(row, code, text)) ??
    (place.isFinal ? badRequest : byStatus(place, code, brokeBehindGateway(text ?? '')))
  const message = text === undefined ? undefined : withoutKeys(text)
  const failure = toFailure(meaning, { code, message }, place)
  if (!place.isFinal || failure.disposition !== 'maybe_billed') return failure
  // A failed task is free whatever the reason, so a timeout may be retried.
  return {
    ...failure,
    disposition: 'retry_safe',
    message: 'DashScope gave up on this after too long and bills nothing for it. Try again.',
  }
}

function fits(row: Row, code: string | undefined, text: string | undefined): boolean {
  const asked = code?.toLowerCase()
  if (asked === undefined) return false
  const isNamed = row.codes.some(name => asked === name.toLowerCase() || asked.startsWith(`${name.toLowerCase()}.`))
  return isNamed && (!row.text || row.text.test(text ?? ''))
}

/** Meaning of answers without a code, and of unknown codes. */
function byStatus({ status, submitsTask }: ErrorPlace, code: string | undefined, isBroken: boolean): Meaning {
  if (status >= 500) {
    if (status === 504) return timedOut
    // Only a synchronous request that was rejected by a gateway certainly began nothing.
    if (status === 503 && !isBroken && (!submitsTask || code !== undefined)) return overloaded
    return gatewayFault
  }
  if (status === 408) return timedOut
  if (status === 401) return wrongKey
  if (status === 403) return noAccess
  if (status === 404 || status === 405 || (status >= 300 && status < 400)) return wrongAddress
  if (status === 413) return tooLarge
  if (status === 429) return tooFast
  return badRequest
}

function withoutKeys(text: string): string {
  return text.replace(/\bsk-[\w-]{6,}/g, 'sk-…')
}
