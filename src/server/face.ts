/**
 * A face is one way to talk to the server: addresses whose errors have one shape. Each is a plugin of its own, so that whatever
 * goes wrong below its addresses, also where no route is, is told as its clients expect it.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { ProblemCode } from '../api/problems.ts'
import type { Discretion } from './access/discretion.ts'
import { describeError, type ErrorAnswer } from './errors/answer.ts'
import { defaultRetryAfter, errorTable } from './errors/codes.ts'
import { GenerationFailed } from './errors/refusals.ts'
import type { App } from './route.ts'
import { pathOnly } from './routing.ts'

export interface Face {
  /** Path prefixes that belong to it. None: every address that no other face has. */
  prefixes: readonly string[]
  /** The face is for people with browsers: without a session they are redirected to the login page. */
  isForPeople: boolean
  /** The content type of its errors. */
  errorType: string
  /** The schema of that body, with an id: the description of the API refers to it. */
  errorSchema: z.ZodType
  /** The status of an error, where it is not that of its code. */
  statusOf?(code: ProblemCode): number
  /** Headers of an error that only clients of this face know. */
  headersOf?(answer: ErrorAnswer): Record<string, string>
  /** The body of an error. */
  presentError(answer: ErrorAnswer, requestId: string): object
  /** @throws HttpRefusal where only an error can be sent */
  answerNotFound(request: FastifyRequest, reply: FastifyReply): Promise<unknown>
}

/** Set on every answer, also where no route was reached. A page sets a policy of its own. */
export const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
  'cache-control': 'no-store',
} as const

/** Adds the routes of a face and what it answers where it has none. `discretion`: what members are told of an error. */
export async function addFace(app: App, face: Face, discretion: Discretion, addRoutes: (scope: App) => unknown) {
  await app.register(async scope => {
    scope.setErrorHandler((error, request, reply) => sendError(face, error, request, reply, discretion))
    const answerNotFound = (request: FastifyRequest, reply: FastifyReply) => face.answerNotFound(request, reply)
    if (face.prefixes.length === 0) scope.setNotFoundHandler(answerNotFound)
    for (const prefix of face.prefixes) {
      await scope.register(async below => void below.setNotFoundHandler(answerNotFound), { prefix })
    }
    await addRoutes(scope as unknown as App)
  })
}

/** The face that an address belongs to. One of `faces` has no prefixes. */
export function faceAt(faces: readonly Face[], url: string): Face {
  const path = `${pathOnly(url)}/`
  const found = faces.find(({ prefixes }) => prefixes.some(prefix => path.startsWith(`${prefix}/`)))
  return found ?? faces.find(({ prefixes }) => prefixes.length === 0)!
}

export async function sendError(
  face: Face,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  discretion?: Discretion,
) {
  const answer = describeError(error, request)
  if (answer.isOurs)
    request.log.error({ err: error, method: request.method, path: shownPath(request) }, 'a request failed')
  else if (error instanceof Error && error.cause) request.log.debug({ err: error }, 'a request was refused')
  // These headers describe the body that could not be sent.
  for (const name of ['etag', 'accept-ranges', 'content-disposition', 'content-length']) reply.removeHeader(name)
  const seconds = defaultRetryAfter[answer.code]
  if (seconds !== undefined) reply.header('retry-after', String(seconds))
  const body = face.presentError(answer, request.id)
  const provider = error instanceof GenerationFailed ? error.generation.provider : null
  const context = { provider, own: addressesIn(request.body) }
  const told = discretion ? await discretion.apply(body, request.caller, context) : body
  return reply
    .code(statusAt(face, answer.code))
    .headers({ 'x-request-id': request.id, ...securityHeaders, ...face.headersOf?.(answer), ...answer.headers })
    .type(face.errorType)
    .serializer(value => String(value))
    .send(JSON.stringify(told))
}

export function statusAt(face: Face, code: ProblemCode): number {
  return face.statusOf?.(code) ?? errorTable[code].status
}

/** Without the query, which may hold secrets. */
export function shownPath(request: FastifyRequest) {
  return pathOnly(request.originalUrl)
}

/** The addresses of references that the request itself names. */
function addressesIn(body: unknown) {
  const images = typeof body === 'object' && body !== null && 'images' in body ? body.images : undefined
  const texts = (Array.isArray(images) ? images : [images]).filter(one => typeof one === 'string')
  return texts.filter(text => /^https?:/i.test(text) && text.length < 10_000)
}
