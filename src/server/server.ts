/** The HTTP server: puts the faces, their routes and the rules that hold for all of them together. */

import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify, LogController } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import packageFile from '../../package.json' with { type: 'json' }
import type { Services } from '../generation/services.ts'
import type { Settings } from '../settings.ts'
import { createRecentErrors, type Log, type RecentErrors } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Traces } from '../telemetry/traces.ts'
import { createAccess } from './access/access.ts'
import { shareConnections } from './access/connections.ts'
import { createDiscretion } from './access/discretion.ts'
import { createLimits, maxConnections } from './access/limits.ts'
import { createSignedLinks } from './access/signed-links.ts'
import type { Pause } from './access/throttle.ts'
import { addApi, createApiFace } from './api/api.ts'
import { maxRequestBytes } from './api/generate.ts'
import { letGoOfBody } from './bodies/bodies.ts'
import { acceptBodies } from './bodies/parsers.ts'
import { acceptUploads } from './bodies/uploads.ts'
import { schemaController } from './bodies/validation.ts'
import { answerBrokenRequest } from './errors/bare-connection.ts'
import { addFace, type Face, faceAt, sendError, shownPath } from './face.ts'
import { addGates } from './gates.ts'
import { addMcp, createMcpFace } from './mcp/mcp.ts'
import { createIssuer } from './oidc/issuer.ts'
import { watchApi } from './openapi.ts'
import { addPages, createPagesFace } from './pages/pages.ts'
import { createStudioPage } from './pages/studio.ts'
import type { Parts } from './parts.ts'
import { type App, requireRules } from './route.ts'
import { watchRoutes, withoutPrefix } from './routing.ts'
import { addV1, createV1Face } from './v1/v1.ts'

const maxBodyBytes = 1024 * 1024

/** Ready to listen. `close` ends event streams and waits for the other requests. */
export async function createServer(options: {
  settings: Settings
  services: Services
  log: Log
  metrics: Metrics
  /** Absent where no traces are made. */
  traces?: Pick<Traces, 'received' | 'responseFor' | 'answered'>
  /** The recent errors of the log; none are shown when absent. */
  recentErrors?: RecentErrors
  /** Where the built studio is, when not at its usual place. */
  studioFolder?: string
  /** After so long without progress a body is ended; 30 s when absent. */
  slowBodyAfterMs?: number
  /** Before a wrong token is answered, instead of a timer. */
  pauseBeforeRefusal?: Pause
}): Promise<FastifyInstance> {
  const {
    settings,
    services,
    log,
    metrics,
    traces,
    recentErrors = createRecentErrors(),
    studioFolder,
    slowBodyAfterMs,
  } = options
  const base = settings.publicUrl ?? ''
  const prefix = settings.publicUrl ? new URL(settings.publicUrl).pathname.replace(/\/$/, '') : ''
  const closing = new AbortController()

  const app: App = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: request => chooseRequestId(request.headers['x-request-id']),
    bodyLimit: maxBodyBytes,
    // Until the whole request has arrived; answers may take as long as pictures take.
    requestTimeout: 600_000,
    // Requests that arrive while the server stops get a problem document instead.
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true },
    schemaController,
    rewriteUrl: request => withoutPrefix(request.url ?? '/', prefix, routing),
    frameworkErrors: (error, request, reply) => {
      letGoOfBody(request, reply)
      void answerError(error, request, reply)
    },
    clientErrorHandler: (error, socket) =>
      answerBrokenRequest(error, socket, url => chooseFace(withoutPrefix(url, prefix, routing))),
  }).withTypeProvider<ZodTypeProvider>()
  shareConnections(app.server, maxConnections)
  const routing = watchRoutes(app)
  requireRules(app)
  const links = createSignedLinks(settings)
  const access = createAccess(settings, services, links, options.pauseBeforeRefusal)
  const issuer = settings.oidc && createIssuer(settings.oidc, settings, log)
  const describeApi = watchApi(app, { ...access, version: packageFile.version, prefix, faceAt: chooseFace })
  const discretion = createDiscretion(services.catalogue, async () => {
    const configurations = await services.configurations.list()
    return configurations.map(configuration => services.configurations.addressOf(configuration))
  })
  const parts: Parts = {
    services,
    settings,
    access,
    links,
    issuer,
    limits: createLimits({ generationsPerMinute: settings.requestsPerMinute, maxBodyBytes: maxRequestBytes }),
    discretion,
    recentErrors,
    metrics,
    version: packageFile.version,
    base,
    prefix,
    closing: closing.signal,
    describeApi,
  }
  const studio = createStudioPage(prefix, studioFolder)
  /** The first whose prefix an address has answers it; the last has none, and answers every other. */
  const entrances: { face: Face; addRoutes(scope: App): unknown }[] = [
    { face: createApiFace(routing), addRoutes: scope => addApi(scope, parts) },
    { face: createMcpFace(routing), addRoutes: scope => addMcp(scope, parts) },
    { face: createV1Face(routing), addRoutes: scope => addV1(scope, parts) },
    { face: createPagesFace(routing, studio), addRoutes: scope => addPages(scope, parts, studio, studioFolder) },
  ]
  const faces = entrances.map(({ face }) => face)
  function chooseFace(url: string) {
    return faceAt(faces, url)
  }
  /** For errors before a face is chosen, such as a preflight or an address that cannot be decoded. */
  function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply) {
    return sendError(chooseFace(request.url), error, request, reply, discretion)
  }

  app.setErrorHandler(answerError)
  acceptBodies(app)
  if (traces) addTraces(app, traces)
  await addGates(app, parts, { faces, routing, slowBodyAfterMs })
  app.addHook('preHandler', async request => parts.limits.received(request))
  app.addHook('preSerialization', async (request, _reply, payload) => discretion.apply(payload, request.caller))
  app.addHook('onSend', async (request, reply) => {
    // Nobody is told that something was changed before it survives a power cut.
    if (changes(request) && reply.statusCode < 400) await services.whenDurable()
    parts.limits.answering(reply)
    letGoOfBody(request, reply)
    // Otherwise the connection of a waiting client would stay open and delay the shutdown.
    if (closing.signal.aborted) reply.header('connection', 'close')
  })
  app.addHook('onResponse', async (request, reply) => {
    metrics.answered({
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    })
    const line = {
      method: request.method,
      path: shownPath(request),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    }
    if (reply.statusCode >= 500) request.log.warn(line, 'request')
    else if (request.url === '/health' || request.url === '/ready') request.log.debug(line, 'request')
    else request.log.info(line, 'request')
  })
  if (issuer) {
    // Whoever set it up wrongly is told at the start; the server serves tokens meanwhile.
    app.addHook('onListen', async () => issuer.prepare())
    app.addHook('onClose', () => issuer.close())
  }
  app.addHook('preClose', done => {
    closing.abort()
    done()
  })

  await acceptUploads(app, path.join(settings.dataDir, 'uploads'))
  for (const { face, addRoutes } of entrances) await addFace(app, face, discretion, addRoutes)
  await app.ready()
  return app as unknown as FastifyInstance
}

/** Goes on with the trace of the client, and tells the one of its generation (W3C Trace Context). */
function addTraces(app: App, traces: Pick<Traces, 'received' | 'responseFor' | 'answered'>) {
  app.addHook('onRequest', async request => traces.received(request.id, request.headers.traceparent?.toString()))
  app.addHook('onSend', async (request, reply) => {
    const response = traces.responseFor(request.id)
    if (response !== undefined) reply.header('traceresponse', response)
  })
  app.addHook('onResponse', async request => traces.answered(request.id))
}

function changes({ method }: FastifyRequest) {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS'
}

/** A client's own id appears in the log; anything but a plain word is replaced. */
function chooseRequestId(header: string | string[] | undefined) {
  return typeof header === 'string' && /^[\w.:-]{1,128}$/.test(header) ? header : randomUUID()
}
