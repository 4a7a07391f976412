/** The description of the API: from the schemas that check the requests, and from what stands beside each route. */
import { STATUS_CODES } from 'node:http'
import { fastify, type RouteOptions } from 'fastify'
import type { z } from 'zod'
import { type ProblemCode, problemCodes } from '../api/problems.ts'
import { WebhookEvent } from '../api/webhooks.ts'
import type { Access } from './access/access.ts'
import { schemaController } from './bodies/validation.ts'
import { errorTable } from './errors/codes.ts'
import { type Face, statusAt } from './face.ts'
import type { AnswerHeader, App, RouteFacts } from './route.ts'

interface Operation {
  operationId?: string
  parameters?: { in: string; name: string; required?: boolean; description?: string; schema: unknown }[]
  responses?: Record<string, Response>
  requestBody?: { content: Record<string, { schema?: unknown; example?: unknown }>; required?: boolean }
  security?: unknown[]
}

interface Response {
  description?: string
  content?: Record<string, unknown>
  headers?: Record<string, unknown>
}

interface Document {
  paths: Record<string, Record<string, Operation>>
  /** What this server sends to others. */
  webhooks?: Record<string, Record<string, unknown>>
  components: { schemas: Record<string, unknown> }
}

/** What is known of an operation beside the document, which is made from its schemas. */
interface Known extends RouteFacts {
  /** Decides what the errors look like. */
  face: Face
  hasAnswerSchemas: boolean
  bodyExample: unknown
}

type DescribedRoute = Pick<RouteOptions, 'method' | 'url' | 'schema' | 'config'>

type Described = { version: string; prefix: string; faceAt(url: string): Face } & Pick<
  Access,
  'needsToken' | 'sessionCookie'
>

/**
 * Has to be called before the first route is added. The result makes the document when it is first called, by a server that only has the
 * routes: what describes them is large. `prefix` is the path of PUBLIC_URL.
 */
export function watchApi(app: App, options: Described): () => Promise<unknown> {
  const routes: DescribedRoute[] = []
  app.addHook('onRoute', ({ method, url, schema, config }) => {
    routes.push({ method, url, schema, config })
  })
  let document: Promise<unknown> | undefined
  return () => (document ??= describe(routes, options))
}

async function describe(routes: readonly DescribedRoute[], options: Described) {
  const [{ default: swagger }, { createJsonSchemaTransform, createJsonSchemaTransformObject }] = await Promise.all([
    import('@fastify/swagger'),
    import('fastify-type-provider-zod'),
  ])
  const reuse = createJsonSchemaTransformObject({})
  const operations = knownOperations(routes, options.faceAt)
  const app = fastify({ schemaController, exposeHeadRoutes: false })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'webimgui',
        version: options.version,
        description:
          'Makes pictures with Doubao Seedream, Qwen-Image and Wan. It never pays twice by itself and never loses a picture that was paid for. ' +
          'Errors are RFC 9457 problem documents; `code` is a stable word, and `docs/api.md` of the program says what to do about each.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: options.prefix || '/' }],
      tags: [
        { name: 'Generating' },
        { name: 'OpenAI API' },
        { name: 'History' },
        { name: 'Images' },
        { name: 'Configurations' },
        { name: 'Tokens' },
        { name: 'Webhooks' },
        { name: 'Usage' },
        { name: 'Moving' },
        { name: 'System' },
      ],
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'The access token.' },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: options.sessionCookie,
            description: 'Set by `POST /api/login`.',
          },
        },
      },
      ...(options.needsToken ? { security: [{ token: [] }, { session: [] }] } : {}),
    },
    transform: createJsonSchemaTransform({}),
    transformObject: documents =>
      complete(reuse(documents) as unknown as Document, operations) as unknown as ReturnType<typeof reuse>,
  })
  for (const route of routes) app.route({ ...route, handler: async () => undefined })
  await app.ready()
  return app.swagger()
}

function knownOperations(routes: readonly DescribedRoute[], faceAt: Described['faceAt']) {
  const operations = new Map<string, Known>()
  for (const { url, method, config, schema } of routes) {
    const body = schema?.body as z.ZodType | undefined
    const [bodyExample] = (body?.meta()?.examples ?? []) as unknown[]
    const known: Known = {
      ...config,
      face: faceAt(url),
      hasAnswerSchemas: schema?.response !== undefined,
      bodyExample,
    }
    const path = url.replace(/:(\w+)/g, '{$1}')
    for (const name of [method].flat()) operations.set(`${name.toLowerCase()} ${path}`, known)
  }
  return operations
}

function complete(document: Document, operations: ReadonlyMap<string, Known>) {
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, given] of Object.entries(methods)) {
      const known = operations.get(`${method} ${path}`)
      // GET and HEAD of one route share what they are.
      if (known) methods[method] = completeOperation(structuredClone(given), method, path, known)
    }
  }
  document.webhooks = { event: { post: sentEvent } }
  document.components.schemas = usedSchemas(document)
  return document
}

const sentEvent = {
  tags: ['Webhooks'],
  summary: 'An end is told to a webhook',
  description:
    'Signed as the Standard Webhooks specification has it, sent again for a day until it is answered with 2xx. The order is not promised, and one may come twice: its `webhook-id` stays the same.',
  operationId: 'webhookEvent',
  security: [],
  parameters: ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map(name => ({
    ...{ in: 'header', name, required: true, schema: { type: 'string' } },
  })),
  requestBody: { required: true, content: { 'application/json': { schema: referTo(WebhookEvent) } } },
  responses: {
    '2XX': { description: 'It was taken.' },
    410: { description: 'Nothing more is wanted: the webhook is switched off.' },
  },
}

function completeOperation(operation: Operation, method: string, path: string, known: Known): Operation {
  operation.operationId = operationId(method, path)
  if (known.access === 'open') operation.security = []
  describeBody(operation, known)
  for (const [place, description] of Object.entries(known.reads ?? {})) {
    const [where = '', name = ''] = place.split(' ')
    operation.parameters = [
      ...(operation.parameters ?? []),
      { in: where, name, required: false, description, schema: text },
    ]
  }
  const responses: Record<string, Response> =
    known.hasAnswerSchemas || !known.answers ? (operation.responses ?? {}) : {}
  for (const [status, { description, type, headers = [] }] of Object.entries(known.answers ?? {})) {
    const told = responses[status]
    responses[status] = {
      ...told,
      description: description ?? told?.description,
      ...(type ? { content: { ...told?.content, [type]: {} } } : {}),
      ...(headers.length > 0 ? { headers: Object.fromEntries(headers.map(name => [name, answerHeaders[name]])) } : {}),
    }
  }
  for (const [status, response] of Object.entries(responses)) {
    if (response.description === 'Default Response') response.description = `${STATUS_CODES[status] ?? 'Done'}.`
  }
  operation.responses = { ...responses, ...describeProblems(path, operation, known) }
  return operation
}

function describeBody(operation: Operation, { accepts, filesForm, bodyExample }: Known) {
  // An empty object is accepted where no body is needed; the description does not mention it.
  const body = JSON.stringify(operation.requestBody ?? '')
  if (body.includes('"additionalProperties":false') && body.includes('"properties":{}')) delete operation.requestBody
  const json = operation.requestBody?.content['application/json']
  if (json && bodyExample !== undefined) json.example = bodyExample
  if (accepts === 'bytes')
    operation.requestBody = {
      required: true,
      content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
    }
  if (!filesForm) return
  const content = { 'multipart/form-data': { schema: referTo(filesForm) } }
  if (accepts === 'files') operation.requestBody = { required: true, content }
  else Object.assign(operation.requestBody!.content, content)
}

const problemsAnywhere: ProblemCode[] = [
  'bad_request',
  'method_not_allowed',
  'headers_too_large',
  'shutting_down',
  'internal_error',
]

const bodyProblems: ProblemCode[] = [
  'invalid_json',
  'request_timeout',
  'too_large',
  'unsupported_media_type',
  'invalid_request',
]

/** By status, with `default` for what may happen everywhere. */
function describeProblems(path: string, operation: Operation, known: Known) {
  const codes = new Set<ProblemCode>(['forbidden', ...(known.problems ?? [])])
  if (operation.requestBody !== undefined) for (const code of bodyProblems) codes.add(code)
  if (operation.parameters?.some(parameter => parameter.in === 'query')) codes.add('invalid_request')
  if (path.includes('{id}')) codes.add('not_found')
  if (known.access !== 'open') codes.add('unauthorized')
  if (known.access === 'admin' || known.access === 'own tokens') codes.add('not_allowed')
  if (known.rateLimit || known.longAnswer) codes.add('too_many_requests')
  const byStatus = Map.groupBy<string, ProblemCode>(
    problemCodes.filter(code => codes.has(code)),
    code => String(statusAt(known.face, code)),
  )
  const [type = ''] = known.face.errorType.split(';')
  const content = { [type]: { schema: referTo(known.face.errorSchema) } }
  const all = [...byStatus, ['default', problemsAnywhere] as const]
  return Object.fromEntries(
    all.map(([status, codes]): [string, Response] => {
      const description = codes.map(code => `- \`${code}\`: ${errorTable[code].title}.`).join('\n')
      const headers = status === '429' || status === '503' ? { headers: { 'Retry-After': retryAfter } } : {}
      return [status, { description, content, ...headers }]
    }),
  )
}

/** `getApiHistoryId`, for client generators. */
function operationId(method: string, path: string) {
  const words = path.match(/\w+/g) ?? []
  return method + words.map(word => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

/** Every schema exists as input and as output; only the referenced ones are kept. */
function usedSchemas({ paths, webhooks, components }: Document) {
  const used: Record<string, unknown> = {}
  const waiting: unknown[] = [paths, webhooks]
  while (waiting.length > 0) {
    const text = JSON.stringify(waiting.pop())
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (name in used) continue
      used[name] = components.schemas[name]
      waiting.push(used[name])
    }
  }
  return used
}

function referTo(schema: z.ZodType) {
  return { $ref: `#/components/schemas/${schema.meta()?.id}` }
}

const text = { type: 'string' }

const retryAfter = { description: 'Seconds.', schema: { type: 'integer' } }

const answerHeaders: Record<AnswerHeader, { description: string; schema: unknown }> = {
  Location: { description: 'The address of the record.', schema: text },
  'Preference-Applied': { description: 'The preferences that were applied.', schema: text },
  'Content-Range': { description: 'Which bytes these are, of how many.', schema: text },
  'X-Webimgui-Generation': { description: 'The id of the generation in the history.', schema: text },
  'X-Webimgui-Joined': {
    description: 'Its id too, where this request repeated a former one and nothing new was made.',
    schema: text,
  },
  'X-Webimgui-Size': { description: 'The size in which it is made.', schema: text },
  'X-Webimgui-Ignored': { description: 'Members of the request that the model does not have.', schema: text },
  'X-Webimgui-Converted': {
    description: 'The file format that was made for this answer, where the stored picture has another.',
    schema: text,
  },
  ETag: { description: 'Constant for as long as the picture exists.', schema: text },
}
