/** The operations of the tools over the services of this process, with the same checks, limits and words as the API has. */
import type { FastifyRequest } from 'fastify'
import { GenerateRequest } from '../../api/generations.ts'
import { HistoryQuery } from '../../api/history.ts'
import { ApiError } from '../../client/errors.ts'
import { invalid } from '../../errors.ts'
import type { Joined, RepeatOptions } from '../../generation/services.ts'
import type { GenerationInput, HistoryFilter, Made, MakeOptions, Operations } from '../../mcp/operations.ts'
import { restrictTo } from '../../members/tokens.ts'
import type { JsonValue } from '../../storage/records.ts'
import type { SpendingSession } from '../../storage/session-spending.ts'
import { getCaller } from '../access/access.ts'
import { baseFor, chooseLinkOwner } from '../access/signed-links.ts'
import { readWhole } from '../api/archive.ts'
import { toGenerationRequest } from '../api/generate.ts'
import { presentEstimate, presentGeneration } from '../api/present/generations.ts'
import { presentModels } from '../api/present/model-list.ts'
import { presentProblem } from '../api/problems.ts'
import { hashJson } from '../bodies/json.ts'
import { describeError } from '../errors/answer.ts'
import { errorTable } from '../errors/codes.ts'
import { HttpRefusal } from '../errors/refusals.ts'
import type { Parts } from '../parts.ts'
import { nothingHere } from '../route.ts'

/** An answer of a tool is in memory as a whole, and a third larger in base64. */
const maxOriginalBytes = 10 * 1024 * 1024

/** @param session what it spends counts in */
export function operateInside(parts: Parts, request: FastifyRequest, session: SpendingSession | undefined): Operations {
  const { services, settings, limits, links, discretion, base } = parts
  const { generations, images } = services
  const caller = getCaller(request)
  const owner = restrictTo(caller)
  const place = { base, catalogue: services.catalogue }

  /** What members may see of an answer, or of a refusal. */
  async function told<Answer>(work: () => Promise<Answer>, context: { own?: string[] } = {}): Promise<Answer> {
    try {
      return await discretion.apply(await work(), caller, context)
    } catch (error) {
      const answer = describeError(error, request)
      if (answer.isOurs) request.log.error({ err: error }, 'a tool failed')
      const problem = await discretion.apply(presentProblem(answer, request.id), caller, context)
      throw new ApiError(answer.code, problem.detail, errorTable[answer.code].status, problem)
    }
  }

  /** @throws Refusal `not_found` also for what belongs to another token */
  async function find(id: string) {
    const generation = isId(id) ? await generations.find(id, owner) : undefined
    if (!generation) throw nothingHere('generation')
    return generation
  }

  async function findImage(id: string) {
    const image = isId(id) ? await images.find(id, owner) : undefined
    if (!image) throw nothingHere('image')
    return image
  }

  async function made(
    bodyHash: string,
    { key, isOwnKey, left }: MakeOptions,
    context: { own?: string[] },
    create: (options: RepeatOptions) => Promise<Joined>,
  ): Promise<Made> {
    let isJoined = false
    const generation = await told(async () => {
      limits.pace('generation', caller)
      const joined = await create({
        caller,
        requestId: request.id,
        idempotency: { key, bodyHash },
        fingerprint: hashJson([caller.ownerId, 'mcp', bodyHash]),
        repeats: isOwnKey ? 'never' : 'unanswered',
        left,
        session,
      })
      isJoined = joined.isJoined
      await services.whenDurable()
      return presentGeneration(joined.generation, place)
    }, context)
    return { generation, isJoined }
  }

  return {
    models: () => told(() => presentModels(services, caller)),

    estimate: body =>
      told(async () => {
        limits.pace('other', caller)
        return presentEstimate(await generations.estimate(readBody(body), caller))
      }, own(body)),

    generate: (body, options) =>
      made(hashJson(body as JsonValue), options, own(body), given =>
        generations.createUnlessRepeated(readBody(body), given),
      ),

    find: id => told(async () => presentGeneration(await find(id), place)),

    search: filter =>
      told(async () => {
        const { items, nextCursor } = await generations.list({ ...readFilter(filter), owner })
        return { items: items.map(record => presentGeneration(record, place)), next_cursor: nextCursor }
      }),

    cancel: id =>
      told(async () => {
        await find(id)
        const cancelled = await generations.cancel(id)
        await services.whenDurable()
        return presentGeneration(cancelled, place)
      }),

    retry: (id, only, options) =>
      made(hashJson({ retry_of: id, only }), options, {}, async given => {
        await find(id)
        return generations.retryUnlessRepeated(id, only, given)
      }),

    left: () => told(async () => (session ? generations.sessionLeft(session) : undefined)),

    noteDelivered: id =>
      told(async () => {
        await find(id)
        await generations.noteAnswered(id)
      }),

    async follow(id, signal, tell) {
      for await (const event of generations.events.follow({ generationId: id, owner, signal })) {
        if (event.type === 'removed') return
        tell(await discretion.apply(presentGeneration(event.generation, place), caller))
      }
    },

    thumbnail: (id, size) => told(async () => images.thumbnail(await findImage(id), size)),

    original: id =>
      told(async () => {
        const image = await findImage(id)
        if (image.bytes > maxOriginalBytes) {
          const message = `The picture has ${image.bytes} bytes, more than can be answered here. Open its url instead.`
          throw new HttpRefusal('too_large', message)
        }
        return { bytes: await readWhole(await images.read(image)), mimeType: image.mimeType }
      }),

    link: ({ id }) =>
      links.link(`/images/${encodeURIComponent(id)}`, baseFor(settings, request), chooseLinkOwner(caller)),
  }
}

/** No row can have such an id. */
function isId(id: string) {
  return id.isWellFormed() && !/[\x00-\x1f\x7f]/.test(id) && id !== ''
}

function readBody(body: GenerationInput) {
  const read = GenerateRequest.safeParse(body)
  if (!read.success) throw invalid(read.error.issues.map(toViolation))
  return toGenerationRequest(read.data, new Map())
}

function readFilter({ limit, favorite, ...filter }: HistoryFilter) {
  const given = Object.entries({ ...filter, limit, favorite }).filter(([, value]) => value !== undefined)
  const read = HistoryQuery.safeParse(Object.fromEntries(given.map(([name, value]) => [name, String(value)])))
  if (!read.success) throw invalid(read.error.issues.map(toViolation))
  return { ...read.data, limit: read.data.limit ?? 20 }
}

function toViolation({ path, message }: { path: PropertyKey[]; message: string }) {
  return { path: path.map(String).join('.'), message }
}

/** Addresses that the caller itself wrote. */
function own({ images }: GenerationInput) {
  return { own: (images ?? []).filter(text => /^https?:/i.test(text) && text.length < 10_000) }
}
