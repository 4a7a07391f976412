/** What a route says of itself, beside its handler; the compiler checks it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import type { ProblemCode } from '../api/problems.ts'
import { Refusal } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'

/** The HTTP framework with the types of this program. */
export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, Log, ZodTypeProvider>

/**
 * Who may use a route. `own generation`, `own image`, `own webhook`: a member only if the `:id` of the address is its own; for
 * anything else it gets a 404. `own tokens`: of members only users in a session, and the route sees to it that they reach nothing of others.
 */
export type AccessRule = 'open' | 'member' | 'own generation' | 'own image' | 'own webhook' | 'own tokens' | 'admin'

export interface RouteRule {
  method: string
  url: string
  access: AccessRule
}

/** Headers of answers that the description of the API explains. */
export type AnswerHeader =
  | 'Location'
  | 'Preference-Applied'
  | 'Content-Range'
  | 'ETag'
  | 'X-Webimgui-Generation'
  | 'X-Webimgui-Joined'
  | 'X-Webimgui-Size'
  | 'X-Webimgui-Ignored'
  | 'X-Webimgui-Converted'

/** What stands beside a route, in its `config`: the checks, the limits, and the description of the API read it. */
export interface RouteFacts {
  /** Required: a route without it stops the start. */
  access?: AccessRule
  /** A picture, which a signed link opens without a token. */
  opensBySignature?: true
  /** A browser without a session is redirected to the login page. */
  sendsToLogin?: boolean
  /** How one token is held to a number of requests a minute: as for generations, or as for other work. Absent: not at all. */
  rateLimit?: 'generation' | 'other'
  /** An answer that lasts as long as its client likes, or is made of many pictures: one token has only so many at a time. */
  longAnswer?: 'stream' | 'archive'
  /**
   * The bodies that it takes: JSON when absent. `form`: of plain HTML; `files`: a form with files; `large json`: with pictures inside;
   * `bytes`: a part of a file.
   */
  accepts?: 'large json' | 'json or form' | 'json or files' | 'files' | 'bytes'
  /** The form with files, as a schema. */
  filesForm?: z.ZodType
  /** Fields of that form that may come several times; `images` when absent. */
  listFields?: readonly string[]
  /** Codes of its problems, beside those that follow from its address, its body and its rules. */
  problems?: readonly ProblemCode[]
  /** What it reads from the request without a schema, each with a sentence. */
  reads?: Readonly<Record<`${'query' | 'header'} ${string}`, string>>
  /** What the schemas of its answers leave open, by status; `type` is the content type of what is no JSON. */
  answers?: Readonly<Record<number, { description?: string; type?: string; headers?: readonly AnswerHeader[] }>>
}

declare module 'fastify' {
  interface FastifyContextConfig extends RouteFacts {}
  interface FastifyInstance {
    /** The rule of every route, HEAD included, OPTIONS not. */
    accessRules: readonly RouteRule[]
  }
}

export function takesFiles({ accepts }: RouteFacts) {
  return accepts === 'files' || accepts === 'json or files'
}

/** For a body that a route does not take. */
export function adviseMediaType({ accepts }: RouteFacts) {
  if (accepts === 'bytes') return 'Send the bytes of the file with the header content-type: application/octet-stream.'
  if (accepts === 'files') return 'Send the picture as multipart/form-data, in a field named "file".'
  const form = accepts === 'json or files' ? ', or multipart/form-data with files' : ''
  return `Send the body as JSON with the header content-type: application/json${form}.`
}

/** Has to be called before the first route is added. */
export function requireRules(app: App) {
  const rules: RouteRule[] = []
  app.decorate('accessRules', rules)
  app.decorateRequest('caller')
  app.decorateRequest('session')
  app.decorateRequest('linkSeconds')
  app.addHook('onRoute', route => {
    const access = route.config?.access
    const methods = [route.method].flat().filter(method => method !== 'OPTIONS')
    if (methods.length === 0) return
    if (access === undefined) {
      throw new Error(`${methods.join(', ')} ${route.url} has no access rule; give the route "config: { access }".`)
    }
    route.config = { ...route.config, access }
    for (const method of methods) rules.push({ method, url: route.url, access })
  })
}

/** @throws Refusal `not_found` for a text that no row can have as its id. */
export function readId(request: Pick<FastifyRequest, 'params'>) {
  const { id } = request.params as { id: string }
  if (!id.isWellFormed() || /[\x00-\x1f\x7f]/.test(id)) throw nothingHere('entry')
  return id
}

export function nothingHere(noun: 'generation' | 'image' | 'webhook' | 'entry') {
  return new Refusal('not_found', `There is no ${noun} with this id; it may have been deleted.`)
}
