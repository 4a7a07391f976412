import { STATUS_CODES } from 'node:http'
import swagger from '@fastify/swagger'
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import { GenerateForm, GenerateRequest } from '../api/generations.ts'
import { UploadForm } from '../api/images.ts'
import { Problem } from '../api/problems.ts'
import type { Access } from './access/access.ts'
import { describedCodes, problemsOf } from './described-problems.ts'
import type { App } from './route.ts'

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
  components: { schemas: Record<string, unknown> }
}

const reuse = createJsonSchemaTransformObject({})

/** Has to be registered before the routes. `prefix` is the path of PUBLIC_URL. */
export async function describeApi(
  app: App,
  options: { version: string; prefix: string } & Pick<Access, 'needsToken' | 'sessionCookie'>,
) {
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
      complete(reuse(documents) as unknown as Document) as unknown as ReturnType<typeof reuse>,
  })
}

/** What the route schemas cannot say: problems, forms, headers, and answers that are no JSON. */
function complete(document: Document) {
  const { paths } = document
  for (const methods of Object.values(paths)) {
    for (const [method, given] of Object.entries(methods)) {
      // GET and HEAD of one route share what they are.
      const operation = structuredClone(given)
      methods[method] = operation
      for (const [status, response] of Object.entries(operation.responses ?? {})) {
        if (response.description === 'Default Response') response.description = `${STATUS_CODES[status] ?? 'Done'}.`
      }
      // An empty object is taken where no body is needed, but nobody has to know.
      const body = JSON.stringify(operation.requestBody ?? '')
      if (body.includes('"additionalProperties":false') && body.includes('"properties":{}'))
        delete operation.requestBody
    }
  }
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
  const login = paths['/api/login']?.post
  if (login) login.responses = { 204: { description: 'Signed in.' } }
  for (const [key, more] of Object.entries(additions)) {
    const [method = '', path = ''] = key.split(' ')
    const operation = paths[path]?.[method]
    if (!operation) continue
    operation.parameters = [...(operation.parameters ?? []), ...(more.parameters ?? [])]
    for (const [status, response] of Object.entries(more.responses ?? {})) {
      const known = operation.responses?.[status]
      const content = { ...known?.content, ...response.content }
      operation.responses = { ...operation.responses, [status]: { ...known, ...response, content } }
    }
  }
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      operation.operationId = nameOf(method, path)
      for (const [status, codes] of problemsOf(method, path, operation)) {
        const answer: Response = { description: describedCodes(codes), content: problemContent }
        if (status === '429' || status === '503') answer.headers = { 'Retry-After': headers['Retry-After'] }
        operation.responses = { ...operation.responses, [status]: answer }
      }
    }
  }
  for (const path of ['/health', '/api/login', '/api/logout']) {
    for (const operation of Object.values(paths[path] ?? {})) operation.security = []
  }
  document.components.schemas = usedSchemas(document)
  return document
}

/** `getApiHistoryId`, for the programs that make clients from the description. */
function nameOf(method: string, path: string) {
  const words = path.match(/\w+/g) ?? []
  return method + words.map(word => word.charAt(0).toUpperCase() + word.slice(1)).join('')
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

const problemContent = { 'application/problem+json': { schema: referTo(Problem) } }

const text = { type: 'string' }

const headers = {
  Location: { description: 'Where the record is.', schema: text },
  'Preference-Applied': { description: 'Which of the preferences counted.', schema: text },
  'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } },
  'Content-Range': { description: 'Which bytes these are, of how many.', schema: text },
  ETag: { description: 'Stays the same for as long as the picture is there.', schema: text },
}

const ofRecord = { headers: { Location: headers.Location, 'Preference-Applied': headers['Preference-Applied'] } }
const ofNewThing = { headers: { Location: headers.Location } }

const lastEventId = {
  in: 'header',
  name: 'last-event-id',
  required: false,
  description: 'The `id` of the newest event that was seen: everything that changed since is told.',
  schema: text,
}

function ifNoneMatch() {
  return { in: 'header', name: 'if-none-match', required: false, description: 'An `ETag`.', schema: text }
}

function flag(name: string, description: string) {
  return { in: 'query', name, required: false, description, schema: text }
}

const pictureQueries = [
  flag('download', 'With any value or none: as a file with a name.'),
  flag('recipe', 'With any value or none: with the recipe inside, and without ranges.'),
]

/** By method and path, what the schemas of the routes cannot say. */
const additions: Record<string, { parameters?: Operation['parameters']; responses?: Record<string, Response> }> = {
  'post /api/generate': { responses: { 200: ofRecord, 202: ofRecord } },
  'post /api/history/{id}/retry': { responses: { 202: ofNewThing } },
  'post /api/images': { responses: { 201: ofNewThing } },
  'post /api/config': { responses: { 201: ofNewThing } },
  'get /images/{id}': {
    parameters: [
      ...pictureQueries,
      { in: 'header', name: 'range', required: false, description: 'One range of bytes.', schema: text },
      ifNoneMatch(),
    ],
    responses: {
      200: { description: 'The picture.', content: { 'image/*': {} }, headers: { ETag: headers.ETag } },
      206: {
        description: 'A part of the picture.',
        content: { 'image/*': {} },
        headers: { 'Content-Range': headers['Content-Range'] },
      },
      304: { description: 'The client has it already.' },
    },
  },
  'head /images/{id}': {
    parameters: [...pictureQueries, ifNoneMatch()],
    responses: { 200: { description: 'What `GET` would send.', headers: { ETag: headers.ETag } } },
  },
  'get /images/{id}/thumbnail': {
    parameters: [ifNoneMatch()],
    responses: {
      200: { description: 'A WebP of at most 512 pixels a side.', content: { 'image/webp': {} } },
      304: { description: 'The client has it already.' },
    },
  },
  'post /api/images/archive': { responses: { 200: { description: 'A ZIP.', content: { 'application/zip': {} } } } },
  'get /api/events': {
    parameters: [lastEventId],
    responses: {
      200: {
        description:
          'Events `generation` (the whole generation) and `removed` (`{id}`); `id` is a growing revision. At the start come all unfinished ones.',
        content: { 'text/event-stream': {} },
      },
    },
  },
  'get /api/history/{id}/events': {
    parameters: [lastEventId],
    responses: {
      200: {
        description: 'Events of this generation, its present state first; ends after its last state.',
        content: { 'text/event-stream': {} },
      },
    },
  },
  'get /api/usage': { responses: { 200: { content: { 'text/csv': {} } } } },
}
