/** What the simulated Ark refuses without looking at the members of a request. */
import type { NamedRefusals } from '../refusal.ts'

const busy = 'IPM (Images Per Minute) limit of the model {model} is exceeded. Please try again later.'

export const refusals = {
  abnormal: [401, 'InvalidAccountStatus', 'The account status is abnormal.'],
  overdue: [403, 'AccountOverdueError', 'The request failed because your account has an overdue balance.'],
  denied: [403, 'AccessDenied', 'The API key has no permission to access the model {model}.'],
  paused: [
    429,
    'SetLimitExceeded',
    'Your account [{account}] has reached the set inference limit for the [{model}] model, and the model service has been paused. To continue using this model, please visit the Model Activation page to adjust or close the "Safe Experience Mode".',
  ],
  'endpoints-only': [
    404,
    'InvalidEndpointOrModel.ModelIDAccessDisabled',
    'The API key can only access inference endpoints, not model ids.',
  ],
  'not-open': [
    404,
    'ModelNotOpen',
    'Your account {account} has not activated the model {model}. Please activate the model service in the Ark Console.',
  ],
  'input-blocked': [
    400,
    'InputTextSensitiveContentDetected',
    'The request failed because the input text may contain sensitive information.',
  ],
  'image-blocked': [
    400,
    'InputImageSensitiveContentDetected.PrivacyInformation',
    'The request failed because the input image may contain real person.',
    { seconds: 2 },
  ],
  400: [400, 'InvalidParameter', 'A parameter specified in the request is not valid.'],
  401: [401, 'AuthenticationError', "The API key doesn't exist."],
  403: [403, 'AccessDenied', 'The request failed because you do not have access to the requested resource.'],
  404: [404, 'InvalidAction', 'The specified action is invalid.'],
  429: [429, 'ModelAccountIpmRateLimitExceeded', busy],
  499: [499, 'RequestCanceled', 'The request was canceled by the client.'],
  500: [500, 'InternalServiceError', 'The service encountered an unexpected internal error.'],
} satisfies NamedRefusals
