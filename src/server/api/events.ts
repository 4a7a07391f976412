/** Server-sent events: the state of generations as it changes. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { GenerationEvent } from '../../coordination/events.ts'
import { restrictTo } from '../../members/tokens.ts'
import { getCaller } from '../access/access.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { nothingHere, readId } from '../route.ts'
import { presentGeneration } from './present/generations.ts'

/** Proxies close a connection that is silent for a minute, some earlier. */
const heartbeatMs = 15_000

const lastEventId = {
  'header last-event-id': 'The `id` of the newest event that was seen: everything that changed since is sent.',
}

export function eventRoutes(app: App, { services, access, limits, discretion, base, closing }: Parts) {
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
    reply: Reply,
    generationId?: string,
  ) {
    const caller = getCaller(request)
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    // A stream can last for days; a caller who lost access meanwhile must not go on reading.
    const stopListening = access.onAccessEnd(request, () => gone.abort())
    const signal = AbortSignal.any([gone.signal, closing])
    const events = generations.events.follow({
      generationId,
      after: parseRevision(request.headers['last-event-id']),
      owner: restrictTo(caller),
      signal,
    })
    const response = open(reply)
    limits.answering(reply)
    const heartbeat = setInterval(() => {
      // A client that does not read needs no heartbeat.
      if (!response.writableNeedDrain) response.write(':\n\n')
    }, heartbeatMs)
    try {
      for await (const event of events) {
        const data = event.type === 'generation' ? presentGeneration(event.generation, place) : { id: event.id }
        const isTaken = response.write(formatEvent(event, await discretion.apply(data, caller)))
        if (!isTaken) await once(response, 'drain', { signal })
      }
      response.end()
    } catch (error) {
      if (closing.aborted) response.end()
      else {
        if (!gone.signal.aborted) request.log.error({ err: error }, 'an event stream broke off')
        // The connection is cut, not ended in order, so that the client reconnects with its Last-Event-ID.
        response.destroy()
      }
    } finally {
      stopListening()
      clearInterval(heartbeat)
      gone.abort()
    }
  }
}

type Reply = Pick<FastifyReply, 'raw' | 'hijack' | 'getHeaders'>

function open(reply: Reply): ServerResponse {
  reply.hijack()
  reply.raw.writeHead(200, {
    // Headers that hooks have set, such as those for CORS.
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    // A stopping server waits for connections; one kept open after its stream would delay it.
    connection: 'close',
  })
  reply.raw.write(':\n\n')
  return reply.raw
}

function parseRevision(header: string | string[] | undefined) {
  const text = Array.isArray(header) ? header[0] : header
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function formatEvent(event: GenerationEvent, data: object) {
  return `event: ${event.type}\nid: ${event.revision}\ndata: ${JSON.stringify(data)}\n\n`
}
