/** Checks before every route: a stopping server, the host name, other origins, the token, limits. */
import type { IncomingMessage } from 'node:http'
import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import { foreignOrigin } from './access/access.ts'
import { slowBodyAfterMs as usualSlowBodyAfterMs, watchBody } from './bodies/bodies.ts'
import { HttpRefusal, nothingThere, refuseMethod } from './errors/refusals.ts'
import { type Face, faceAt, securityHeaders } from './face.ts'
import { insideStudio } from './oidc/addresses.ts'
import type { Parts } from './parts.ts'
import type { App } from './route.ts'
import { pathOnly, type Routing } from './routing.ts'

/** Headers that pages of other origins may read. */
const exposedHeaders = [
  'Location',
  'Preference-Applied',
  'Retry-After',
  'X-Request-Id',
  'ETag',
  'Content-Range',
  'Content-Disposition',
  'Allow',
  'Mcp-Session-Id',
  'WWW-Authenticate',
  'X-Webimgui-Generation',
  'X-Webimgui-Joined',
  'X-Webimgui-Size',
  'X-Webimgui-Ignored',
  'X-Webimgui-Converted',
]

export async function addGates(
  app: App,
  { access, limits, settings, prefix, closing }: Parts,
  {
    faces,
    routing,
    slowBodyAfterMs,
  }: { faces: readonly Face[]; routing: Routing; slowBodyAfterMs: number | undefined },
) {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'x-request-id': request.id, ...securityHeaders })
    if (closing.aborted) throw new HttpRefusal('shutting_down', 'The server is stopping; ask again in a moment.')
    const { host } = request.headers
    if (host !== undefined && !/^([\w.-]+|\[[\da-f:.]+\])(:\d{0,5})?$/i.test(host)) {
      throw new HttpRefusal('bad_request', 'The header "Host" is not a host name with an optional port.')
    }
    access.checkName(request)
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] === undefined) {
      const methods = routing.methodsOf(pathOnly(request.url))
      if (methods.length === 0) throw nothingThere()
      return reply.code(204).header('allow', methods.join(', ')).send()
    }
  })
  await app.register(cookie)
  await app.register(cors, {
    // No CORS headers at all for other origins.
    origin: (origin, done) =>
      done(null, origin !== undefined && settings.corsOrigins.includes(origin) ? origin : false),
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders,
    maxAge: 600,
    strictPreflight: false,
  })
  app.addHook('onRequest', async (request, reply) => {
    // A preflight from an allowed origin has been answered already.
    if (request.method === 'OPTIONS') throw foreignOrigin()
    const isForPeople =
      request.routeOptions.config.sendsToLogin || (request.is404 && faceAt(faces, request.url).isForPeople)
    if (isForPeople && wantsPage(request) && access.needsToken) {
      const isIn = await access.check(request).then(
        () => true,
        () => false,
      )
      if (!isIn) return reply.redirect(`${prefix}/login${returnQuery(request, settings)}`, 303)
      return
    }
    await access.check(request)
    limits.check(request, reply)
    watchBody(request, reply, slowBodyAfterMs ?? usualSlowBodyAfterMs)
    // Refused before the body is read: it need not be sent to an address that does not take it.
    if (request.is404 && !wantsPage(request)) throw refuseMethod(request, routing)
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      throw new HttpRefusal('unsupported_media_type', 'Send the body uncompressed, without a content-encoding.')
    }
  })
}

/** Somebody who opened a link to a picture gets there after the login at an issuer. */
function returnQuery({ url }: { url: string }, { oidc }: Parts['settings']) {
  const to = oidc ? insideStudio(url) : '/'
  return to === '/' ? '' : `?${new URLSearchParams({ to })}`
}

/** A person opened the address in a browser. */
export function wantsPage({ method, headers }: { method: string; headers: IncomingMessage['headers'] }) {
  return method === 'GET' && (headers.accept?.includes('text/html') ?? false)
}
