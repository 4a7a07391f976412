/** Requests whose client does not wait: a generation as a task, which is looked at and cancelled under an address of its own. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { NoBody } from '../../api/history.ts'
import { V1Task } from '../../api/v1/images.ts'
import { type GenerationRecord, type GenerationStatus, hasEnded } from '../../storage/records.ts'
import { adviceFor } from '../api/present/generations.ts'
import { describeError } from '../errors/answer.ts'
import { GenerationFailed } from '../errors/refusals.ts'
import type { Parts } from '../parts.ts'
import { type App, nothingHere, readId } from '../route.ts'
import { type AnswerParts, presentImages, toSeconds } from './answer.ts'
import { presentV1Error } from './errors.ts'

const retryAfterSeconds = 2

const statuses: Record<GenerationStatus, V1Task['status']> = {
  queued: 'queued',
  running: 'in_progress',
  succeeded: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
}

export function v1TaskRoutes(app: App, parts: Parts) {
  const { generations } = parts.services
  const tags = ['OpenAI API']

  app.get(
    '/v1/images/tasks/:id',
    {
      config: { access: 'own generation' },
      schema: {
        tags,
        summary: 'The state of a task, with its pictures at the end',
        response: { 200: V1Task },
      },
    },
    async (request, reply) => {
      const record = await generations.find(readId(request))
      if (!record) throw nothingHere('generation')
      return sendTask(parts, record, request, reply)
    },
  )

  const cancelFacts = {
    config: { access: 'own generation', problems: ['conflict'] },
    schema: {
      tags,
      summary: 'Cancel a task',
      description:
        'What was not sent is dropped; a task that is still pending at the service is cancelled there; paid pictures are kept.',
      body: NoBody,
      response: { 202: V1Task },
    },
  } as const
  async function cancel(request: FastifyRequest, reply: FastifyReply) {
    reply.code(202)
    return sendTask(parts, await generations.cancel(readId(request)), request, reply)
  }
  app.delete('/v1/images/tasks/:id', cancelFacts, cancel)
  app.post('/v1/images/tasks/:id/cancel', cancelFacts, cancel)
}

export function sendTask(
  parts: AnswerParts & Pick<Parts, 'prefix'>,
  record: GenerationRecord,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  reply.header('location', `${parts.prefix}/v1/images/tasks/${encodeURIComponent(record.id)}`)
  if (!hasEnded(record.status)) reply.header('retry-after', String(retryAfterSeconds))
  return presentTask(parts, record, request)
}

function presentTask(parts: AnswerParts, record: GenerationRecord, request: FastifyRequest): V1Task {
  const { id, status, model, images, timestamp, finishedAt, cancelRequested } = record
  const hasFailed = status === 'failed' || status === 'cancelled'
  const failure = new GenerationFailed(record, adviceFor(record, parts.services.catalogue))
  return {
    id,
    object: 'image.task',
    status: statuses[status],
    created_at: toSeconds(timestamp),
    completed_at: finishedAt === null ? null : toSeconds(finishedAt),
    model,
    images_ready: images.length,
    cancel_requested: cancelRequested,
    result: status === 'succeeded' ? presentImages(parts, record, request) : null,
    error: hasFailed ? presentV1Error(describeError(failure, request), request.id).error : null,
  }
}
