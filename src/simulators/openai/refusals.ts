/** What the simulated OpenAI refuses, whoever asks for it. */
import type { NamedRefusals } from '../refusal.ts'

const slowDown = [
  429,
  'rate_limit_exceeded',
  'Rate limit reached for images per minute. Please try again in 1s.',
  { type: 'requests', headers: { 'retry-after': '1' } },
] as const

export const refusals = {
  'input-blocked': [400, 'content_policy_violation', 'Your request was rejected as a result of our safety system.'],
  'input-blocked-gpt-image': [
    400,
    'moderation_blocked',
    'Your request was rejected by the safety system. safety_violations=[violence].',
    { type: 'image_generation_user_error' },
  ],
  429: [...slowDown],
  busy: [...slowDown],
  quota: [
    429,
    'insufficient_quota',
    'You exceeded your current quota, please check your plan and billing details.',
    { type: 'insufficient_quota' },
  ],
  unverified: [403, null, 'Your organization must be verified to use the model `{model}`.'],
  500: [
    500,
    null,
    'The server had an error while processing your request. Sorry about that!',
    { type: 'server_error' },
  ],
  503: [503, null, 'The engine is currently overloaded, please try again later.', { type: 'server_error' }],
} satisfies NamedRefusals
