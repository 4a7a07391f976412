/** The description of the API, made from the schemas that check the requests, and a page to read it. */
import { randomBytes } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import swagger from '@fastify/swagger'
import reference from '@scalar/fastify-api-reference'
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import { GenerateForm, GenerateRequest } from '../api/generations.ts'
import { UploadForm } from '../api/images.ts'
import { Problem } from '../api/problems.ts'
import type { App } from './app.ts'

interface Operation {
  responses?: Record<string, { description?: string; content?: Record<string, unknown> }>
  requestBody?: { content: Record<string, { schema?: unknown; example?: unknown }>; required?: boolean }
  security?: unknown[]
}

interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown> }
}

const reuse = createJsonSchemaTransformObject({})

/** Has to be registered before the routes. `prefix` is the path of PUBLIC_URL. */
export async function describeApi(app: App, options: { version: string; prefix: string; needsToken: boolean }) {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'webimgui',
        version: options.version,
        description:
          'Makes pictures with Doubao Seedream, Qwen-Image and Wan. It never pays twice by itself and never loses a picture that was paid for. ' +
          'Errors are RFC 9457 problem documents; `code` is a stable word.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: options.prefix || '/' }],
      tags: [
        { name: 'Generating' },
        { name: 'History' },
        { name: 'Images' },
        { name: 'Configurations' },
        { name: 'Tokens' },
        { name: 'Usage' },
        { name: 'System' },
      ],
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'The access token.' },
          session: { type: 'apiKey', in: 'cookie', name: 'webimgui_session', description: 'Set by `POST /api/login`.' },
        },
      },
      ...(options.needsToken ? { security: [{ token: [] }, { session: [] }] } : {}),
    },
    transform: createJsonSchemaTransform({}),
    transformObject: documents =>
      complete(reuse(documents) as unknown as Document) as unknown as ReturnType<typeof reuse>,
  })
}

/** What the route schemas cannot say: problems, forms, and answers that are no JSON. */
function complete(document: Document) {
  for (const methods of Object.values(document.paths)) {
    for (const operation of Object.values(methods)) {
      operation.responses = { ...operation.responses, default: problemAnswer }
      for (const [status, response] of Object.entries(operation.responses)) {
        if (response.description === 'Default Response') response.description = `${STATUS_CODES[status] ?? 'Done'}.`
      }
      // An empty object is taken where no body is needed, but nobody has to know.
      const body = JSON.stringify(operation.requestBody ?? '')
      if (body.includes('"additionalProperties":false') && body.includes('"properties":{}'))
        delete operation.requestBody
    }
  }
  const { paths } = document
  const [example] = (GenerateRequest.meta()?.examples ?? []) as unknown[]
  for (const path of ['/api/generate', '/api/estimate']) {
    const content = paths[path]?.post?.requestBody?.content
    if (!content) continue
    content['application/json'] = { ...content['application/json'], example }
    content['multipart/form-data'] = { schema: referTo(GenerateForm) }
  }
  const upload = paths['/api/images']?.post
  if (upload)
    upload.requestBody = { required: true, content: { 'multipart/form-data': { schema: referTo(UploadForm) } } }
  for (const [path, type, description] of otherAnswers) {
    const operation = paths[path]?.get
    if (operation)
      operation.responses = { ...operation.responses, 200: { description, content: { [type]: { schema: {} } } } }
  }
  const login = paths['/api/login']?.post
  if (login) login.responses = { 204: { description: 'Signed in.' }, default: problemAnswer }
  for (const path of ['/health', '/api/login', '/api/logout']) {
    for (const operation of Object.values(paths[path] ?? {})) operation.security = []
  }
  document.components.schemas = usedSchemas(document)
  return document
}

/** Every schema is offered as input and as output; only what something refers to is worth reading. */
function usedSchemas({ paths, components }: Document) {
  const used: Record<string, unknown> = {}
  const waiting: unknown[] = [paths]
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

const problemAnswer = {
  description: 'A problem.',
  content: { 'application/problem+json': { schema: referTo(Problem) } },
}

const otherAnswers = [
  ['/images/{id}', 'image/*', 'The picture.'],
  ['/images/{id}/thumbnail', 'image/webp', 'A WebP of at most 512 pixels a side.'],
  [
    '/api/events',
    'text/event-stream',
    'Events `generation` (the whole generation) and `removed` (`{id}`); `id` is a growing revision.',
  ],
  ['/api/history/{id}/events', 'text/event-stream', 'Events of this generation; ends after its last state.'],
] as const

/** `/docs` and its script, from this server alone: no foreign fonts, no telemetry, no assistants. */
export async function showApi(app: App, prefix: string) {
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
        const path = request.url.split('?', 1)[0] ?? ''
        reply.header('content-security-policy', policy)
        if (path === '/docs') reply.redirect(`${prefix}/docs/`, 308)
        else done()
      },
    },
  })
  app.get('/openapi.json', { config: { access: 'member' }, schema: { hide: true } }, async () => app.swagger())
}
