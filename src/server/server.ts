/** The HTTP server: puts the routes and the rules that hold for all of them together. */

import { randomUUID } from 'node:crypto'
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import path from 'node:path'
import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import { type FastifyInstance, fastify, LogController } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import packageFile from '../../package.json' with { type: 'json' }
import type { Services } from '../generation/services.ts'
import type { Settings } from '../settings.ts'
import { createRecentErrors, type Log, type RecentErrors } from '../telemetry/log.ts'
import { createAccess, foreignOrigin, requireRules } from './access/access.ts'
import { shareConnections } from './access/connections.ts'
import { createLimits, maxConnections } from './access/limits.ts'
import {
  letGoOfBody,
  maxForgettingMs,
  tooSlow,
  slowBodyAfterMs as usualSlowBodyAfterMs,
  watchBody,
} from './bodies/bodies.ts'
import { readJson } from './bodies/json.ts'
import { acceptUploads } from './bodies/uploads.ts'
import { validatorCompiler } from './bodies/validation.ts'
import type { App } from './fastify.ts'
import { describeApi, showApi } from './openapi.ts'
import type { Parts } from './parts.ts'
import { createDiscretion } from './present/discretion.ts'
import { HttpRefusal, pathOf, problemOf, sendProblem } from './problems.ts'
import { configurationRoutes } from './routes/configurations.ts'
import { estimateRoutes } from './routes/estimate.ts'
import { eventRoutes } from './routes/events.ts'
import { generateRoutes, maxBodyBytes as maxRequestBytes } from './routes/generate.ts'
import { historyRoutes } from './routes/history.ts'
import { imageRoutes } from './routes/images.ts'
import { modelRoutes } from './routes/models.ts'
import { createStudioPage, studioRoutes } from './routes/studio.ts'
import { systemRoutes } from './routes/system.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { usageRoutes } from './routes/usage.ts'
import { watchRoutes, withoutPrefix } from './routing.ts'
import { securityHeaders } from './security-headers.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A browser without a session is led to the login page. */
    sendsToLogin?: boolean
  }
}

const maxBodyBytes = 1024 * 1024

/** Ready to listen. `close` ends event streams and waits for the other requests. */
export async function createServer(options: {
  settings: Settings
  services: Services
  log: Log
  /** What the log keeps of them; none are shown without. */
  recentErrors?: RecentErrors
  /** Where the built studio is, when not at its usual place. */
  studioFolder?: string
  /** After so long without progress a body is ended; 30 s when absent. */
  slowBodyAfterMs?: number
}): Promise<FastifyInstance> {
  const { settings, services, log, recentErrors = createRecentErrors(), studioFolder } = options
  const { slowBodyAfterMs = usualSlowBodyAfterMs } = options
  const access = createAccess(settings, services)
  const base = settings.publicUrl ?? ''
  const prefix = settings.publicUrl ? new URL(settings.publicUrl).pathname.replace(/\/$/, '') : ''
  const closing = new AbortController()

  const app: App = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: request => requestIdOf(request.headers['x-request-id']),
    bodyLimit: maxBodyBytes,
    // Until the whole request is here; answers may take as long as pictures take.
    requestTimeout: 600_000,
    // Requests that come while the server stops get a problem of ours instead.
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true },
    rewriteUrl: request => withoutPrefix(request.url ?? '/', prefix, routing),
    frameworkErrors: (error, request, reply) => {
      letGoOfBody(request, reply)
      void sendProblem(error, request, reply)
    },
    clientErrorHandler: answerBrokenRequest,
  }).withTypeProvider<ZodTypeProvider>()
  shareConnections(app.server, maxConnections)
  const routing = watchRoutes(app)
  requireRules(app)
  const discretion = createDiscretion(async () => {
    const configurations = await services.configurations.list()
    return configurations.map(configuration => services.configurations.addressOf(configuration))
  })
  const limits = createLimits({ generationsPerMinute: settings.requestsPerMinute, maxBodyBytes: maxRequestBytes })

  app.setValidatorCompiler(validatorCompiler)
  // Answers are checked in tests. Here a member too many must not hide a picture that was paid for.
  app.setSerializerCompiler(() => data => JSON.stringify(data))
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, discretion))
  acceptBodies(app)

  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'x-request-id': request.id, ...securityHeaders })
    if (closing.signal.aborted) {
      throw new HttpRefusal('shutting_down', 'The server is stopping; ask again in a moment.')
    }
    const { host } = request.headers
    if (host !== undefined && !/^([\w.-]+|\[[\da-f:.]+\])(:\d{0,5})?$/i.test(host)) {
      throw new HttpRefusal('bad_request', 'The header "Host" is not a name with an optional port.')
    }
    access.checkName(request)
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] === undefined) {
      const methods = routing.methodsOf(pathWithoutQuery(request.url))
      if (methods.length === 0) throw nothingThere()
      return reply.code(204).header('allow', methods.join(', ')).send()
    }
  })
  await app.register(cookie)
  await app.register(cors, {
    // No headers at all for anybody else.
    origin: (origin, done) =>
      done(null, origin !== undefined && settings.corsOrigins.includes(origin) ? origin : false),
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: [
      'Location',
      'Preference-Applied',
      'Retry-After',
      'X-Request-Id',
      'ETag',
      'Content-Range',
      'Content-Disposition',
      'Allow',
    ],
    maxAge: 600,
    strictPreflight: false,
  })
  app.addHook('onRequest', async (request, reply) => {
    // One from an origin that we serve was answered already.
    if (request.method === 'OPTIONS') throw foreignOrigin()
    const isForPeople = request.routeOptions.config.sendsToLogin || (request.is404 && !isForPrograms(request))
    if (isForPeople && wantsPage(request) && access.needsToken) {
      const isIn = await access.check(request).then(
        () => true,
        () => false,
      )
      if (!isIn) return reply.redirect(`${prefix}/login`, 303)
      return
    }
    await access.check(request)
    limits.check(request, reply)
    watchBody(request, reply, slowBodyAfterMs)
    // Before the body is read: nobody needs to send one to an address that does not take it.
    if (request.is404 && !wantsPage(request)) {
      throw refusalOf(request.method, routing.methodsOf(pathWithoutQuery(request.url)))
    }
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      throw new HttpRefusal('unsupported_media_type', 'Send the body as it is, without a content-encoding.')
    }
  })
  app.addHook('preHandler', async request => limits.received(request))
  app.addHook('preSerialization', async (request, _reply, payload) => discretion.apply(payload, request.caller))
  app.addHook('onSend', async (request, reply) => {
    limits.answering(reply)
    letGoOfBody(request, reply)
    // Otherwise the connection of a client that waited would stay open and hold up the end.
    if (closing.signal.aborted) reply.header('connection', 'close')
  })
  app.addHook('onResponse', async (request, reply) => {
    const line = {
      method: request.method,
      path: pathOf(request),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    }
    if (reply.statusCode >= 500) request.log.warn(line, 'request')
    else if (request.url === '/health') request.log.debug(line, 'request')
    else request.log.info(line, 'request')
  })
  app.addHook('preClose', done => {
    closing.abort()
    done()
  })
  const studio = createStudioPage(prefix, studioFolder)
  app.setNotFoundHandler(async (request, reply) => {
    // The studio says it in words, and leads on.
    const page = wantsPage(request) && !isForPrograms(request) ? await studio.read() : undefined
    if (page !== undefined) return studio.send(reply.code(404), page)
    throw refusalOf(request.method, routing.methodsOf(pathWithoutQuery(request.url)))
  })

  await describeApi(app, { ...access, version: packageFile.version, prefix })
  await acceptUploads(app, path.join(settings.dataDir, 'uploads'))
  const parts: Parts = {
    services,
    settings,
    access,
    limits,
    discretion,
    recentErrors,
    version: packageFile.version,
    base,
    prefix,
    closing: closing.signal,
  }
  generateRoutes(app, parts)
  estimateRoutes(app, parts)
  historyRoutes(app, parts)
  eventRoutes(app, parts)
  imageRoutes(app, parts)
  configurationRoutes(app, parts)
  modelRoutes(app, parts)
  tokenRoutes(app, parts)
  usageRoutes(app, parts)
  systemRoutes(app, parts)
  await studioRoutes(app, parts, studio, studioFolder)
  await showApi(app, prefix)
  await app.ready()
  return app as unknown as FastifyInstance
}

/** JSON wherever there is a body, HTML forms where a route says so, nothing else; files are added by `acceptUploads`. */
function acceptBodies(app: App) {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    /^application\/([\w.-]+\+)?json\b/i,
    { parseAs: 'buffer' },
    async (request: Request, body: Buffer) => {
      const charset = /charset\s*=\s*"?([\w-]+)/i.exec(request.headers['content-type'] ?? '')?.[1]
      if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
        throw new HttpRefusal('unsupported_media_type', 'Send JSON in UTF-8.')
      }
      return body.length === 0 ? undefined : readJson(body)
    },
  )
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    async (request: Request, body: Buffer) => {
      if (!request.routeOptions.config.form) {
        throw new HttpRefusal(
          'unsupported_media_type',
          'Send the body as JSON with the header content-type: application/json.',
        )
      }
      return Object.fromEntries(new URLSearchParams(body.toString('utf8')))
    },
  )
}

type Request = { headers: IncomingMessage['headers']; routeOptions: { config: { form?: boolean } } }

/** Somebody's own id goes through the log with the request; anything that is not a plain word is replaced. */
function requestIdOf(header: string | string[] | undefined) {
  return typeof header === 'string' && /^[\w.:-]{1,128}$/.test(header) ? header : randomUUID()
}

/** A person opened the address in a browser. */
function wantsPage({ method, headers }: { method: string; headers: IncomingMessage['headers'] }) {
  return method === 'GET' && (headers.accept?.includes('text/html') ?? false)
}

function isForPrograms({ url }: { url: string }) {
  return /^\/(api|v1|assets|images|openapi)\b/.test(url)
}

function refusalOf(method: string, methods: string[]) {
  if (methods.length === 0) return nothingThere()
  const message = `${method} is not for this address; it takes ${methods.filter(name => name !== 'OPTIONS').join(', ')}.`
  return new HttpRefusal('method_not_allowed', message, { allow: methods.join(', ') })
}

function nothingThere() {
  return new HttpRefusal('not_found', 'There is nothing at this address; /docs lists what there is.')
}

function pathWithoutQuery(url: string) {
  return url.split('?', 1)[0] ?? ''
}

const brokenAdvice: Record<string, string> = {
  HPE_INVALID_URL:
    'The address holds a character that has to be percent-encoded, such as a blank or Chinese: curl -G URL --data-urlencode "q=…".',
  HPE_INVALID_METHOD: 'There is no such HTTP method.',
}

/** What is no HTTP at all never becomes a request, so it is answered on the bare connection. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket) {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return
  const id = randomUUID()
  const problem =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? problemOf('headers_too_large', 'The headers of the request are larger than 16 kB.', id)
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? problemOf('request_timeout', tooSlow().message, id)
        : problemOf('bad_request', brokenAdvice[error.code ?? ''] ?? 'This is not a well-formed HTTP request.', id)
  const body = JSON.stringify(problem)
  const headers = Object.entries(securityHeaders).map(header => `${header.join(': ')}\r\n`)
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\nContent-Type: application/problem+json; charset=utf-8\r\n` +
      `${headers.join('')}Content-Length: ${Buffer.byteLength(body)}\r\nX-Request-Id: ${id}\r\nConnection: close\r\n\r\n${body}`,
  )
  // Whoever goes on sending is not listened to.
  setTimeout(() => socket.destroy(), maxForgettingMs).unref()
}
