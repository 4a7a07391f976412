/** What the simulated DashScope refuses without looking at the members of a request. */
import { type NamedRefusals, Refusal } from '../refusal.ts'

export const invalidParameter = (message: string) => new Refusal(400, 'InvalidParameter', message)

export const refusals = {
  'no-key': [401, 'InvalidApiKey', 'No API-key provided.'],
  'wrong-region': [401, 'InvalidApiKey', 'Invalid API-key provided.'],
  unpurchased: [
    403,
    'AccessDenied.Unpurchased',
    'Access to model denied. Please make sure you are eligible for using the model.',
  ],
  'free-tier-exhausted': [
    403,
    'AllocationQuota.FreeTierOnly',
    'The free tier of the model has been exhausted. If you wish to continue access the model on a paid basis, please disable the "use free tier only" mode in the management console.',
  ],
  arrears: [400, 'Arrearage', 'Access denied, please make sure your account is in good standing.'],
  'input-blocked': [400, 'DataInspectionFailed', 'Input data may contain inappropriate content.'],
  'input-blocked-qwen-3': [400, 'DataInspectionFailed', 'Green net check rejected text (input)'],
  infringement: [400, 'IPInfringementSuspect', 'Input data is suspected of being involved in IP infringement.'],
  429: [429, 'Throttling.RateQuota', 'Requests rate limit exceeded, please try again later.'],
  burst: [
    429,
    'Throttling.BurstRate',
    'Request rate increased too quickly. To ensure system stability, please adjust your client logic to scale requests more smoothly over time.',
  ],
  quota: [429, 'Throttling.AllocationQuota', 'Allocated quota exceeded, please increase your quota limit.'],
  'many-tasks': [429, 'Throttling.Concurrency', 'Too many running tasks. Please try again later.'],
  'many-questions': [429, 'Throttling', 'Requests throttling triggered.'],
  500: [500, 'InternalError', 'An internal error has occured, please try again later or contact service support.'],
  timeout: [500, 'RequestTimeOut', 'Request timed out, please try again later.'],
  503: [503, 'ModelUnavailable', 'Model is unavailable, please try again later.'],
} satisfies NamedRefusals
