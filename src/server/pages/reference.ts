/** `/docs`, the reference of the API: a page and its script, from this server alone: no foreign fonts, no telemetry, no assistants. */
import { randomBytes } from 'node:crypto'
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { pathOnly } from '../routing.ts'

export function addReference(app: App, { prefix }: Pick<Parts, 'prefix'>) {
  let loading: Promise<FastifyInstance> | undefined
  const loaded = () => (loading ??= load(nonce))
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
  const answer = (url: string) => async (_request: unknown, reply: FastifyReply) => {
    const { statusCode, headers, body } = await (await loaded()).inject(url)
    const { 'content-type': type = '' } = headers
    return reply.code(statusCode).type(String(type)).header('content-security-policy', policy).send(body)
  }
  const options = { config: { access: 'member' }, schema: { hide: true } } as const
  const page = answer('/docs/')
  app.get('/docs/', options, (request, reply) =>
    pathOnly(request.url) === '/docs' ? reply.redirect(`${prefix}/docs/`, 308) : page(request, reply),
  )
  app.get('/docs/js/scalar.js', options, answer('/docs/js/scalar.js'))
}

/** A server of its own, because the plugin is large and few ask for it. */
async function load(nonce: string) {
  const { default: reference } = await import('@scalar/fastify-api-reference')
  const app = fastify()
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
  })
  await app.ready()
  return app
}
