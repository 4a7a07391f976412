/** Server-sent events: the state of generations as it changes. */
import type { FastifyRequest } from 'fastify'
import type { GenerationEvent } from '../../coordination/events.ts'
import { restrictTo } from '../../members/tokens.ts'
import { getCaller } from '../access/access.ts'
import { type StreamedReply, streamEvents } from '../event-stream.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { nothingHere, readId } from '../route.ts'
import { presentGeneration } from './present/generations.ts'

const lastEventId = {
  'header last-event-id': 'The `id` of the newest event that was seen: everything that changed since is sent.',
}

export function eventRoutes(app: App, parts: Parts) {
  const { services, discretion, base } = parts
  const place = { base, catalogue: services.catalogue }
  const { generations } = services

  app.get(
    '/api/events',
    {
      exposeHeadRoute: false,
      config: {
        access: 'member',
        longAnswer: 'stream',
        reads: lastEventId,
        answers: {
          200: {
            description:
              'Events `generation` (the whole generation) and `removed` (`{id}`); `id` is a growing revision. The stream starts with all unfinished ones.',
            type: 'text/event-stream',
          },
        },
      },
      schema: { tags: ['History'], summary: 'Events of all generations' },
    },
    (request, reply) => follow(request, reply),
  )

  app.get(
    '/api/history/:id/events',
    {
      exposeHeadRoute: false,
      config: {
        access: 'own generation',
        longAnswer: 'stream',
        reads: lastEventId,
        answers: {
          200: {
            description: 'Events of this generation, its current state first; ends after its final state.',
            type: 'text/event-stream',
          },
        },
      },
      schema: { tags: ['History'], summary: 'Events of one generation' },
    },
    async (request, reply) => {
      const id = readId(request)
      if (!(await generations.find(id))) throw nothingHere('generation')
      return follow(request, reply, id)
    },
  )

  async function follow(
    request: Pick<FastifyRequest, 'headers' | 'log' | 'caller' | 'session'>,
    reply: StreamedReply,
    generationId?: string,
  ) {
    const caller = getCaller(request)
    await streamEvents(request, reply, parts, async (write, signal) => {
      const events = generations.events.follow({
        generationId,
        after: parseRevision(request.headers['last-event-id']),
        owner: restrictTo(caller),
        signal,
      })
      for await (const event of events) {
        const data = event.type === 'generation' ? presentGeneration(event.generation, place) : { id: event.id }
        await write(formatEvent(event, await discretion.apply(data, caller)))
      }
    })
  }
}

function parseRevision(header: string | string[] | undefined) {
  const text = Array.isArray(header) ? header[0] : header
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function formatEvent(event: GenerationEvent, data: object) {
  return `event: ${event.type}\nid: ${event.revision}\ndata: ${JSON.stringify(data)}\n\n`
}
