/** `/docs`, the reference of the API: a page and its script, from this server alone: no foreign fonts, no telemetry, no assistants. */
import { randomBytes } from 'node:crypto'
import reference from '@scalar/fastify-api-reference'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { pathOnly } from '../routing.ts'

export async function addReference(app: App, { prefix }: Pick<Parts, 'prefix'>) {
  const nonce = randomBytes(16).toString('base64url')
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  await app.register(reference, {
    routePrefix: '/docs',
    configuration: {
      url: '../openapi.json',
      pageTitle: 'webimgui API',
      nonce,
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      showDeveloperTools: 'never',
      agent: { disabled: true, hideAddApi: true },
      mcp: { disabled: true },
    },
    hooks: {
      onRequest(request, reply, done) {
        reply.header('content-security-policy', policy)
        if (pathOnly(request.url) === '/docs') reply.redirect(`${prefix}/docs/`, 308)
        else done()
      },
    },
  })
}
