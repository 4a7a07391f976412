/** What Ark's error codes mean (document 1299023 and live answers published until 2026-10). */

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
  rejected,
  type ServiceError,
  toFailure,
  unknownModel,
} from '../failures.ts'

const console = 'the Ark console'

/** Ramping up too fast, or no capacity: that passes more slowly than a minute's count (docs/providers.md, Doubao). */
const full = (message: string): Meaning => ({ ...rateLimited(message), retryAfterMs: 20_000 })

const promptBlocked = 'Ark blocked the prompt: it may hold sensitive content. Rephrase it. Nothing was billed.'
const referenceBlocked =
  'Ark blocked a reference picture: it may show sensitive content. Use another one. Nothing was billed.'
const resultBlocked =
  'Ark made a picture and blocked it, because it may show sensitive content. Blocked pictures are not billed. Change the prompt, or try again: another picture may pass.'
const tooManyImages = `The limit of pictures a minute for this model is reached. Wait a minute; ${console} shows the limit.`
const tooManyRequests = `The limit of requests a minute for this model is reached. Wait a minute; ${console} shows the limit.`
const tooManyTokens = `The limit of tokens a minute for this model is reached. Wait a minute; ${console} shows the limit.`
const overloaded = 'Ark has no capacity for this model at the moment. Try again in a few minutes.'

/** The longest matching code applies. */
export const failureRows: Readonly<Record<string, Meaning>> = {
  AuthenticationError: keyRejected(
    `Ark does not accept this API key. Copy it again under "API Key" in ${console}, and check that address and key belong to the same region and plan.`,
  ),
  InvalidAccountStatus: keyRejected(
    'Ark says that the account of this API key is not in order. Look at the account in the Volcengine console.',
  ),
  AccessDenied: accessDenied(
    `This API key may not use this model, or not from this address. Look at its limits under "API Key" in ${console}.`,
  ),
  OperationDenied: accessDenied(`The account may not do this. Look at permissions and opened services in ${console}.`),
  'OperationDenied.PermissionDenied': accessDenied(
    `The account may not use this model. Look at its permissions in ${console}.`,
  ),
  'OperationDenied.ServiceNotOpen': accessDenied(`The account has not opened this service. Open it in ${console}.`),
  'OperationDenied.ServiceOverdue': quotaExhausted(
    'The account is overdue, so the service stopped. Top it up in the Volcengine console.',
  ),
  AccountOverdueError: quotaExhausted('The balance of the account is negative. Top it up in the Volcengine console.'),
  ModelNotOpen: accessDenied(
    `The account has not activated this model. Activate it under "Model activation" (开通管理) in ${console}.`,
  ),
  InvalidEndpointOrModel: unknownModel(
    'Ark does not know this model or endpoint. Check its id; other regions have other ids.',
  ),
  'InvalidEndpointOrModel.NotFound': unknownModel(
    'Ark does not serve this model: the id is wrong, or the model was retired, or it is closed to accounts that never opened it. Check the id; other regions have other ids.',
  ),
  'InvalidEndpointOrModel.ModelIDAccessDisabled': accessDenied(
    `This API key may only use inference endpoints. Create one in ${console} and use its id (ep-…) as the model.`,
  ),
  UnsupportedModel: unknownModel(
    'This address does not serve this model. Plan addresses (/api/plan/v3) have 5.0 pro and 5.0 lite only, the latter as doubao-seedream-5-0-lite-260128. Choose one of them, or https://ark.cn-beijing.volces.com/api/v3 with a key of its own.',
  ),
  InvalidAction: rejected(
    'This address has no image generation. Set the base address to https://ark.cn-beijing.volces.com/api/v3.',
  ),
  MissingParameter: rejected('A parameter is missing in the request to Ark. Its own message says which.'),
  InvalidParameter: rejected(
    'Ark does not accept a parameter of the request. Its own message says which, and what would work.',
  ),
  'InvalidParameter.UnsupportedParameter': rejected(
    'This model does not take one of the parameters. Leave out the one that its message names.',
  ),
  'InvalidParameter.UnsupportedImageFormat': rejected(
    'Ark does not take the format of a reference picture. Use PNG or JPEG.',
  ),
  'InvalidParameter.OversizedImage': rejected('A reference picture is too large for Ark. Use a smaller one.'),
  InvalidImageURL: rejected('Ark could not use a reference picture. Use another one, as PNG or JPEG.'),
  'InvalidImageURL.EmptyURL': rejected('Ark got an empty reference picture. Use another one.'),
  'InvalidImageURL.InvalidFormat': rejected('Ark could not read a reference picture. Use another one, as PNG or JPEG.'),
  'InvalidEndpoint.ClosedEndpoint': rejected(
    `This inference endpoint is stopped. Start it in ${console}, or use another one.`,
    'model',
  ),
  InvalidSubscription: quotaExhausted('The plan of this API key has ended. Renew it in the Volcengine console.'),
  InputTextSensitiveContentDetected: contentRejected(promptBlocked),
  InputTextRiskDetection: contentRejected(promptBlocked),
  InputImageSensitiveContentDetected: contentRejected(referenceBlocked),
  'InputImageSensitiveContentDetected.PolicyViolation': contentRejected(
    'Ark blocked a reference picture, which may be under copyright. Use another one. Nothing was billed.',
  ),
  'InputImageSensitiveContentDetected.PrivacyInformation': contentRejected(
    'Ark blocked a reference picture, which may show a real person. Use another one. Nothing was billed.',
  ),
  InputImageRiskDetection: contentRejected(referenceBlocked),
  OutputImageSensitiveContentDetected: contentRejected(resultBlocked),
  OutputImageRiskDetection: contentRejected(resultBlocked),
  SensitiveContentDetected: contentRejected(
    'Ark blocked the request: it may hold sensitive content. Change prompt or references.',
  ),
  ContentSecurityDetectionError: contentRejected(
    'Ark blocked the request in its content check. Change prompt or references.',
  ),
  ModelAccountIpmRateLimitExceeded: rateLimited(tooManyImages),
  ModelAccountRpmRateLimitExceeded: rateLimited(tooManyRequests),
  ModelAccountTpmRateLimitExceeded: rateLimited(tooManyTokens),
  RateLimitExceeded: rateLimited(tooManyRequests),
  'RateLimitExceeded.EndpointRPMExceeded': rateLimited(tooManyRequests),
  'RateLimitExceeded.EndpointTPMExceeded': rateLimited(tooManyTokens),
  APIAccountRpmRateLimitExceeded: rateLimited(tooManyRequests),
  AccountRateLimitExceeded: rateLimited(tooManyRequests),
  RequestBurstTooFast: full('Requests came too quickly for Ark. Wait a moment.'),
  ServerOverloaded: full(overloaded),
  InflightBatchsizeExceeded: full(overloaded),
  QuotaExceeded: quotaExhausted(
    `The quota of the account for this model is used up. Enable paid use or raise the quota in ${console}.`,
    'model',
  ),
  SetLimitExceeded: quotaExhausted(
    `The limit that is set for this model is reached, and Ark paused it. Switch off "Safe Experience Mode" (安心体验模式) for the model in ${console}.`,
    'model',
  ),
  RequestCanceled: meaning(
    'outcome_unknown',
    'maybe_billed',
    'Ark says that the request was cancelled on its way. A picture may have been made and billed; look at the bill before you try again.',
  ),
  InternalServiceError: meaning(
    'provider_unavailable',
    'maybe_billed',
    'Ark had an internal error. A picture may have been made and billed; look at the bill before you try again.',
  ),
}

const byStatus: Readonly<Record<number, Meaning>> = {
  200: rejected('Ark answered without a picture.'),
  401: keyRejected(`Ark does not accept this API key. Copy it again under "API Key" in ${console}.`),
  402: quotaExhausted('Ark asks for payment. Look at the balance in the Volcengine console.'),
  403: accessDenied(`The account or key may not do this. Look at permissions and opened services in ${console}.`),
}

/** Is there a row for this code? */
export function isKnownCode(code: string | undefined): boolean {
  return findMeaning(code) !== undefined
}

/**
 * By the row for the code, else by the status. A gateway's words for a connection that broke behind it prove nothing about the work,
 * whatever the status.
 */
export function interpretError(head: AnswerHead, found: ServiceError): ProviderFailure {
  const message = found.message ?? ''
  const requestId = /request id:\s*([0-9a-z-]+)/i.exec(message)?.[1] ?? head.requestId
  const status = brokeBehindGateway(message) && head.status === 503 ? 500 : head.status
  const known = findMeaning(found.code)
  // A timeout of the gateway says more than the internal error that it reports; what may have been billed stays so.
  const isTimeout = status === 504 && known?.disposition === 'maybe_billed'
  return toFailure(isTimeout || !known ? meaningByStatus(status, 'Ark', 'bill', byStatus) : known, found, {
    ...head,
    requestId,
  })
}

/** The whole code, or the longest part of it that ends before a dot. */
function findMeaning(code = ''): Meaning | undefined {
  for (let word = code; word !== ''; word = word.slice(0, Math.max(0, word.lastIndexOf('.')))) {
    if (Object.hasOwn(failureRows, word)) return failureRows[word]
  }
  return undefined
}
