/** On every answer, also on those to requests that never reached a route. A page sets a policy of its own. */
export const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
  'cache-control': 'no-store',
} as const

/** Of pages with forms: under `no-referrer` a browser hides where a form comes from ("Origin: null"), and the form would count as foreign. */
export const pageHeaders = { 'referrer-policy': 'same-origin' } as const
