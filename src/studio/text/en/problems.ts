/** What to do about each `code` of the server; where there is none, its own sentence is shown. */
export const problems = {
  offline: 'The server cannot be reached. Check that it runs, then try again.',
  unauthorized: 'You are signed out. Sign in again.',
  not_allowed: 'Your token does not allow this. Ask an administrator of this server.',
  not_found: 'This is not there any more.',
  too_large: 'This is too large to send.',
  too_many_requests: 'Too many requests at once. Wait a moment and try again.',
  shutting_down: 'The server is stopping. Try again in a moment.',
  internal_error: 'Something went wrong in the server. Its log names the cause.',
  configuration_missing:
    'No key of this service can be used now: none is on, or the service refused it. An administrator can see to it under Keys.',
  content_rejected: 'The service refused the content. Word the prompt differently, or use other references.',
  provider_rejected: 'The service refused the request. Change what it names, or choose another model.',
  provider_key_rejected: 'The service refused the key. An administrator can check it under Keys.',
  provider_access_denied: 'This account may not use the model. Activate it in the console of the service.',
  provider_quota_exhausted: 'The account has no balance or quota left. Top it up in the console of the service.',
  rate_limited: 'The service is asked too often. Wait a moment and try again.',
  provider_unavailable: 'The service cannot be reached or is in trouble. Try again later.',
  provider_timeout: 'The service did not answer in time.',
  outcome_unknown:
    'The answer was lost on its way, so the picture may have been paid for. It is never repeated by itself.',
  cancelled: 'Cancelled.',
  storage_failed: 'The picture could not be stored and can no longer be fetched.',
  not_made: 'The model made fewer pictures than asked for.',
}
