/** What Ark's error codes mean (document 1299023 and live answers published until 2026-10). */
import type { Concern, Disposition, FailureCode } from '../../outgoing/errors.ts'

export interface FailureRow {
  /** A whole code, or the part of it before a dot. */
  code: string
  failure: FailureCode
  disposition: Disposition
  message: string
  /** Not about the request: the account or key gives this model, or anything at all, no more. */
  concerns?: Concern
  isModelUnknown?: boolean
  /** The least pause before a repeat, where the answer names none. */
  pauseMs?: number
  /** How often it is sent again at most. */
  maxRepeats?: number
}

const console = 'the Ark console'

const row = (
  code: string,
  failure: FailureCode,
  disposition: Disposition,
  message: string,
  concerns?: Concern,
): FailureRow => {
  return { code, failure, disposition, message, concerns }
}
const content = (code: string, message: string) => row(code, 'content_rejected', 'refused', message)
const busy = (code: string, message: string) => row(code, 'rate_limited', 'retry_safe', message)
/** Ramping up too fast, or no capacity: that passes more slowly than a minute's count (docs/providers.md, Doubao). */
const full = (code: string, message: string) => ({ ...busy(code, message), pauseMs: 20_000 })
const rejected = (code: string, message: string) => row(code, 'provider_rejected', 'refused', message)
const denied = (code: string, message: string) => row(code, 'provider_access_denied', 'refused', message, 'model')
const notThere = (code: string, message: string) => row(code, 'provider_rejected', 'refused', message, 'model')
/** Word for word the same for a wrong id, a retired model, and one that is closed to accounts that never opened it (docs/providers.md, Doubao). */
const unknownModel = (code: string, message: string) => ({ ...notThere(code, message), isModelUnknown: true })
const exhausted = (code: string, message: string, concerns: Concern) =>
  row(code, 'provider_quota_exhausted', 'refused', message, concerns)

const promptBlocked = 'Ark blocked the prompt: it may hold sensitive content. Say it differently. Nothing was billed.'
const referenceBlocked =
  'Ark blocked a reference picture: it may show sensitive content. Use another one. Nothing was billed.'
const resultBlocked =
  'Ark made a picture and blocked it, because it may show sensitive content. Blocked pictures are not billed. Change the prompt, or try again: another picture may pass.'
const tooManyImages = `The limit of pictures a minute for this model is reached. Wait a minute; ${console} shows the limit.`
const tooManyRequests = `The limit of requests a minute for this model is reached. Wait a minute; ${console} shows the limit.`
const tooManyTokens = `The limit of tokens a minute for this model is reached. Wait a minute; ${console} shows the limit.`
const overloaded = 'Ark has no capacity for this model at the moment. Try again in a few minutes.'

/** The longest code that fits wins. */
export const failureRows: readonly FailureRow[] = [
  row(
    'AuthenticationError',
    'provider_key_rejected',
    'refused',
    `Ark does not accept this API key. Copy it again under "API Key" in ${console}, and check that address and key belong to the same region and plan.`,
    'configuration',
  ),
  row(
    'InvalidAccountStatus',
    'provider_key_rejected',
    'refused',
    'Ark says that the account of this API key is not in order. Look at the account in the Volcengine console.',
    'configuration',
  ),
  denied(
    'AccessDenied',
    `This API key may not use this model, or not from this address. Look at its limits under "API Key" in ${console}.`,
  ),
  denied('OperationDenied', `The account may not do this. Look at permissions and opened services in ${console}.`),
  denied(
    'OperationDenied.PermissionDenied',
    `The account may not use this model. Look at its permissions in ${console}.`,
  ),
  denied('OperationDenied.ServiceNotOpen', `The account has not opened this service. Open it in ${console}.`),
  exhausted(
    'OperationDenied.ServiceOverdue',
    'The account is overdue, so the service stopped. Top it up in the Volcengine console.',
    'configuration',
  ),
  exhausted(
    'AccountOverdueError',
    'The balance of the account is negative. Top it up in the Volcengine console.',
    'configuration',
  ),
  denied(
    'ModelNotOpen',
    `The account has not activated this model. Activate it under "Model activation" (开通管理) in ${console}.`,
  ),
  unknownModel(
    'InvalidEndpointOrModel',
    'Ark does not know this model or endpoint. Check its id; other regions have other ids.',
  ),
  unknownModel(
    'InvalidEndpointOrModel.NotFound',
    'Ark does not give this model: the id is wrong, or the model was retired, or it is closed to accounts that never opened it. Check the id; other regions have other ids.',
  ),
  denied(
    'InvalidEndpointOrModel.ModelIDAccessDisabled',
    `This API key may only use inference endpoints. Create one in ${console} and use its id (ep-…) as the model.`,
  ),
  notThere(
    'UnsupportedModel',
    'This address does not serve this model. Plan addresses (/api/plan/v3) have 5.0 pro and 5.0 lite only, the latter as doubao-seedream-5-0-lite-260128. Choose one of them, or https://ark.cn-beijing.volces.com/api/v3 with a key of its own.',
  ),
  rejected(
    'InvalidAction',
    'This address has no image generation. Set the base address to https://ark.cn-beijing.volces.com/api/v3.',
  ),
  rejected('MissingParameter', 'Ark misses a parameter in the request. Its own message says which.'),
  rejected(
    'InvalidParameter',
    'Ark does not accept a parameter of the request. Its own message says which, and what would work.',
  ),
  rejected(
    'InvalidParameter.UnsupportedParameter',
    'This model does not take one of the parameters. Leave out the one that its message names.',
  ),
  rejected(
    'InvalidParameter.UnsupportedImageFormat',
    'Ark does not take the format of a reference picture. Use PNG or JPEG.',
  ),
  rejected('InvalidParameter.OversizedImage', 'A reference picture is too large for Ark. Use a smaller one.'),
  rejected('InvalidImageURL', 'Ark could not use a reference picture. Use another one, as PNG or JPEG.'),
  rejected('InvalidImageURL.EmptyURL', 'Ark got an empty reference picture. Use another one.'),
  rejected('InvalidImageURL.InvalidFormat', 'Ark could not read a reference picture. Use another one, as PNG or JPEG.'),
  notThere(
    'InvalidEndpoint.ClosedEndpoint',
    `This inference endpoint is stopped. Start it in ${console}, or use another one.`,
  ),
  exhausted(
    'InvalidSubscription',
    'The plan of this API key has ended. Renew it in the Volcengine console.',
    'configuration',
  ),
  content('InputTextSensitiveContentDetected', promptBlocked),
  content('InputTextRiskDetection', promptBlocked),
  content('InputImageSensitiveContentDetected', referenceBlocked),
  content(
    'InputImageSensitiveContentDetected.PolicyViolation',
    'Ark blocked a reference picture, which may be under copyright. Use another one. Nothing was billed.',
  ),
  content(
    'InputImageSensitiveContentDetected.PrivacyInformation',
    'Ark blocked a reference picture, which may show a real person. Use another one. Nothing was billed.',
  ),
  content('InputImageRiskDetection', referenceBlocked),
  content('OutputImageSensitiveContentDetected', resultBlocked),
  content('OutputImageRiskDetection', resultBlocked),
  content(
    'SensitiveContentDetected',
    'Ark blocked the request: it may hold sensitive content. Change prompt or references.',
  ),
  content(
    'ContentSecurityDetectionError',
    'Ark blocked the request in its content check. Change prompt or references.',
  ),
  busy('ModelAccountIpmRateLimitExceeded', tooManyImages),
  busy('ModelAccountRpmRateLimitExceeded', tooManyRequests),
  busy('ModelAccountTpmRateLimitExceeded', tooManyTokens),
  busy('RateLimitExceeded', tooManyRequests),
  busy('RateLimitExceeded.EndpointRPMExceeded', tooManyRequests),
  busy('RateLimitExceeded.EndpointTPMExceeded', tooManyTokens),
  busy('APIAccountRpmRateLimitExceeded', tooManyRequests),
  busy('AccountRateLimitExceeded', tooManyRequests),
  full('RequestBurstTooFast', 'Requests came too quickly one after the other for Ark. Wait a little.'),
  full('ServerOverloaded', overloaded),
  full('InflightBatchsizeExceeded', overloaded),
  exhausted(
    'QuotaExceeded',
    `The quota of the account for this model is used up. Open paid use or raise the quota in ${console}.`,
    'model',
  ),
  exhausted(
    'SetLimitExceeded',
    `The limit that is set for this model is reached, and Ark paused it. Switch off "Safe Experience Mode" (安心体验模式) for the model in ${console}.`,
    'model',
  ),
  row(
    'RequestCanceled',
    'outcome_unknown',
    'maybe_billed',
    'Ark says that the request was cancelled on its way. A picture may have been made and billed; look at the bill before you try again.',
  ),
  row(
    'InternalServiceError',
    'provider_unavailable',
    'maybe_billed',
    'Ark had an internal error. A picture may have been made and billed; look at the bill before you try again.',
  ),
]

/** For a code that no row knows, and for answers that are not Ark's. */
function failureByStatus(status: number): Omit<FailureRow, 'code'> {
  const known = byStatus[status]
  if (known) return known
  if (status >= 500) return byStatus[500]!
  if (status >= 400) return byStatus[400]!
  // A redirect is not followed, because the key would go with it.
  if (status >= 300)
    return rejected('', 'The address answered with a redirect. Set the base address to where it leads.')
  return rejected('', 'Ark answered without a picture.')
}

const unsure = 'A picture may have been made and billed; look at the bill before you try again.'
const byStatus: Readonly<Record<number, Omit<FailureRow, 'code'>>> = {
  400: rejected('', 'Ark does not accept the request. Its own message says why.'),
  401: row(
    '',
    'provider_key_rejected',
    'refused',
    `Ark does not accept this API key. Copy it again under "API Key" in ${console}.`,
    'configuration',
  ),
  402: exhausted('', 'Ark asks for payment. Look at the balance in the Volcengine console.', 'configuration'),
  403: denied('', `The account or key may not do this. Look at permissions and opened services in ${console}.`),
  404: rejected('', 'Nothing is at this address, or Ark does not know the model. Check base address and model id.'),
  408: row('', 'provider_timeout', 'maybe_billed', `The service gave up waiting. ${unsure}`),
  429: busy('', 'Ark asks us to slow down. Wait a minute.'),
  499: row('', 'outcome_unknown', 'maybe_billed', `The request was cancelled on its way. ${unsure}`),
  500: row('', 'provider_unavailable', 'maybe_billed', `Ark had an error. ${unsure}`),
  // A 503 comes from before the work, when nobody is free to take it; one that Ark did not write is worth one more try (docs/providers.md, Doubao).
  503: {
    ...row(
      '',
      'provider_unavailable',
      'retry_safe',
      'Ark is not available at the moment. Nothing was made. Try again in a few minutes.',
    ),
    maxRepeats: 1,
  },
  504: row('', 'provider_timeout', 'maybe_billed', `Ark did not answer its own gateway in time. ${unsure}`),
}

/** Does a row say what this code means? */
export function isKnownCode(code: string | undefined): boolean {
  return rowsFor(code).length > 0
}

/**
 * The row for a code, else that of the status. A gateway's words for a connection that broke behind it (`isBroken`) prove nothing
 * about the work, whatever the status.
 */
export function failureFor(status: number, code: string | undefined, isBroken = false): Omit<FailureRow, 'code'> {
  const [found] = rowsFor(code)
  // A timeout of the gateway says more than the internal error that it reports; what may have been billed stays so.
  if (found) return status === 504 && found.disposition === 'maybe_billed' ? failureByStatus(504) : found
  return isBroken && status === 503 ? failureByStatus(500) : failureByStatus(status)
}

/** The longest code first. */
function rowsFor(code: string | undefined): FailureRow[] {
  return failureRows
    .filter(row => code === row.code || code?.startsWith(`${row.code}.`))
    .toSorted((a, b) => b.code.length - a.code.length)
}
