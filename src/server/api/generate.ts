/** `POST /api/generate`: is the request well formed? Then wait for the end, or answer at once. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { GenerateForm, GenerateHeaders, GenerateRequest, Generation } from '../../api/generations.ts'
import { endProblemCodes, type ProblemCode } from '../../api/problems.ts'
import { invalid, Refusal } from '../../errors.ts'
import type { CreateOptions, GenerationRequest, Joined, RepeatOptions } from '../../generation/services.ts'
import type { ReferenceInput, UploadedFile } from '../../images/references.ts'
import type { GenerationRecord, JsonObject, JsonValue } from '../../storage/records.ts'
import { getCaller } from '../access/access.ts'
import { readSession } from '../access/spending-session.ts'
import { hashJson } from '../bodies/json.ts'
import { removeUploads } from '../bodies/uploads.ts'
import { GenerationFailed } from '../errors/refusals.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { adviceFor, presentGeneration } from './present/generations.ts'

/** References are inside the JSON, three or four large ones together. */
export const maxRequestBytes = 64 * 1024 * 1024
const longestWaitSeconds = 24 * 3600

/** Problems before there is a record. */
export const newGenerationProblems: ProblemCode[] = ['not_allowed', 'budget_exceeded', 'configuration_missing']
export const idempotencyProblems: ProblemCode[] = ['gone', 'idempotency_mismatch', 'invalid_request']

export function generateRoutes(app: App, { services, limits, base, prefix }: Parts) {
  const place = { base, catalogue: services.catalogue }
  app.post(
    '/api/generate',
    {
      bodyLimit: maxRequestBytes,
      attachValidation: true,
      config: {
        access: 'member',
        rateLimit: 'generation',
        accepts: 'json or files',
        filesForm: GenerateForm,
        problems: [...newGenerationProblems, ...idempotencyProblems, ...endProblemCodes],
        answers: {
          200: { headers: ['Location', 'Preference-Applied', 'X-Webimgui-Joined'] },
          202: { headers: ['Location', 'Preference-Applied', 'X-Webimgui-Joined'] },
        },
      },
      schema: {
        tags: ['Generating'],
        summary: 'Make images',
        description:
          'Waits for the end unless `Prefer` says otherwise: 200 when at least one picture was made, otherwise the problem. 202 with ' +
          'the record when the wait ended first. A client that goes away cancels nothing; `Location` names the record.',
        headers: GenerateHeaders,
        body: GenerateRequest,
        response: { 200: Generation, 202: Generation },
      },
    },
    async (request, reply) => {
      const preference = parsePreference(request.headers.prefer)
      const created = await create(request, reply)

      reply.header('location', `${prefix}/api/history/${encodeURIComponent(created.id)}`)
      if (preference.applied) reply.header('preference-applied', preference.applied)
      if (preference.waitSeconds === 0) return reply.code(202).send(presentGeneration(created, place))

      const gone = new AbortController()
      reply.raw.once('close', () => reply.raw.writableFinished || gone.abort())
      const record = await services.generations.whenEnded(created.id, {
        timeoutMs: preference.waitSeconds === undefined ? undefined : preference.waitSeconds * 1000,
        signal: gone.signal,
      })
      if (record.status === 'failed' || record.status === 'cancelled')
        throw new GenerationFailed(record, adviceFor(record, services.catalogue))
      return reply.code(record.status === 'succeeded' ? 200 : 202).send(presentGeneration(record, place))
    },
  )

  async function create(request: FastifyRequest, reply: FastifyReply) {
    await refuseMalformed(request, services)
    const body = request.body as GenerateRequest
    const uploads = request.uploads ?? new Map<string, UploadedFile>()
    const key = request.headers['idempotency-key']
    const wanted = toGenerationRequest(body, uploads)
    // The body may be tens of megabytes: without a key and a wish to join, nobody compares it.
    const hashBody = () => hashJson(comparable(body, uploads))
    const idempotency = key === undefined ? undefined : { key: String(key), bodyHash: hashBody() }
    const caller = getCaller(request)
    const options = { caller, requestId: request.id, idempotency, session: readSession(request, caller) }
    const created = await unlessJoined(
      request,
      reply,
      { options, hashBody },
      {
        create: () => services.generations.create(wanted, options),
        createUnlessRepeated: given => services.generations.createUnlessRepeated(wanted, given),
      },
    )
    await releaseBody(request, limits)
    const { id: generation, model, prompt, parameters } = created
    request.log.debug({ generation, model, prompt, parameters }, 'a generation was asked for')
    return created
  }
}

/** Joins what an equal request began, where this one asks for that (`x-webimgui-join`). */
export async function unlessJoined(
  request: FastifyRequest,
  reply: FastifyReply,
  { options, hashBody }: { options: CreateOptions; hashBody(): string },
  ways: {
    create(): Promise<GenerationRecord>
    createUnlessRepeated(options: RepeatOptions): Promise<Joined>
  },
): Promise<GenerationRecord> {
  if (request.headers['x-webimgui-join'] !== 'unanswered') {
    const created = await ways.create()
    // Another request has made it with the same key.
    if (created.requestId !== request.id) reply.header('x-webimgui-joined', created.id)
    return created
  }
  const left = new AbortController()
  reply.raw.once('close', () => left.abort())
  const { generation, isJoined } = await ways.createUnlessRepeated({
    ...options,
    fingerprint: hashJson([
      options.caller.ownerId,
      request.routeOptions.url ?? '',
      options.idempotency?.bodyHash ?? hashBody(),
    ]),
    repeats: 'unanswered',
    left: left.signal,
  })
  if (isJoined) reply.header('x-webimgui-joined', generation.id)
  return generation
}

/** The body may be tens of megabytes, and the following wait may take minutes. */
export async function releaseBody(request: FastifyRequest, limits: Parts['limits']) {
  // Files of a new generation have been moved; a repeated request took none.
  if (request.uploads) await removeUploads(request.uploads)
  request.body = undefined
  limits.forgotten(request)
}

/**
 * For routes with `attachValidation`: reports violations of the schema together with those of the model, because
 * nobody wants to learn of them one after the other.
 */
export async function refuseMalformed(request: FastifyRequest, { generations }: Parts['services']) {
  const { validationError: error, body } = request
  if (error === undefined) return
  if (!(error instanceof Refusal)) throw error
  const faulty = new Set(error.violations.map(({ path }) => firstMember(path)))
  // Violations of a model that was not meant would be misleading.
  const isModelKnown = ['', 'model', 'provider', 'config_id'].every(name => !faulty.has(name))
  const sound = Object.fromEntries(Object.entries(Object(body)).filter(([name]) => !faulty.has(name)))
  const read = GenerateRequest.safeParse(sound)
  if (!isModelKnown || !read.success) throw error
  const hasImages = Object.hasOwn(Object(body), 'images')
  const more = await generations
    .estimate({ ...toGenerationRequest(read.data, new Map()), references: [], mask: undefined }, getCaller(request))
    .then(
      () => [],
      refusal => (refusal instanceof Refusal ? refusal.violations : []),
    )
  const known = more.filter(({ path }) => {
    // References were omitted from this check, and sizes may depend on them.
    const dependsOnImages = path === 'images' || (hasImages && path === 'parameters.size')
    return !faulty.has(firstMember(path)) && !dependsOnImages
  })
  throw invalid([...error.violations, ...known])
}

function firstMember(path: string) {
  return path.split('.', 1)[0] ?? ''
}

export function toGenerationRequest(body: GenerateRequest, uploads: Map<string, UploadedFile>): GenerationRequest {
  return {
    prompt: body.prompt,
    model: body.model,
    configId: body.config_id,
    provider: body.provider,
    parameters: (body.parameters ?? {}) as JsonObject,
    references: (body.images ?? []).map(text => toReference(text, uploads)),
    callbackUrl: body.callback_url,
    mask: body.mask === undefined ? undefined : toReference(body.mask, uploads),
  }
}

function toReference(text: string, uploads: Map<string, UploadedFile>): ReferenceInput {
  const upload = uploads.get(text)
  return upload ? { upload } : { text }
}

/** The request in the form that is compared for the same idempotency key: files by their content. */
function comparable(body: GenerateRequest, uploads: Map<string, UploadedFile>): JsonValue {
  const comparableText = (text: string) => {
    const upload = uploads.get(text)
    return upload ? { file: upload.sha256 } : text
  }
  const mask = body.mask && comparableText(body.mask)
  return JSON.parse(JSON.stringify({ ...body, images: body.images?.map(comparableText), mask })) as JsonValue
}

/** RFC 7240. Without `waitSeconds` the answer waits for the end. */
export function parsePreference(header: string | undefined): { waitSeconds?: number; applied?: string } {
  const preferences = (header ?? '')
    .toLowerCase()
    .split(',')
    .map(part => part.split(';', 1)[0]?.trim() ?? '')
  const isAsync = preferences.includes('respond-async')
  const wait = preferences.map(preference => /^wait\s*=\s*"?(\d{1,9})"?$/.exec(preference)?.[1]).find(Boolean)
  if (wait !== undefined) {
    const waitSeconds = Math.min(Number(wait), longestWaitSeconds)
    return { waitSeconds, applied: isAsync ? `respond-async, wait=${waitSeconds}` : `wait=${waitSeconds}` }
  }
  return isAsync ? { waitSeconds: 0, applied: 'respond-async' } : {}
}
