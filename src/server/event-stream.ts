/** Server-sent events: an answer that is written bit by bit, for as long as its client listens and may. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Parts } from './parts.ts'

/** Proxies close a connection that is silent for a minute, some earlier. */
const heartbeatMs = 15_000

export type StreamedReply = Pick<FastifyReply, 'raw' | 'hijack' | 'getHeaders'>

/**
 * Opens the stream and ends it when `produce` is done. `write` waits for a client that reads slowly; `signal` aborts when the client has
 * gone, has lost access, or the server stops.
 */
export async function streamEvents(
  request: Pick<FastifyRequest, 'log' | 'caller' | 'session'>,
  reply: StreamedReply,
  { access, limits, closing }: Pick<Parts, 'access' | 'limits' | 'closing'>,
  produce: (write: (text: string) => Promise<void>, signal: AbortSignal) => Promise<void>,
) {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  // A stream can last for days; a caller who lost access meanwhile must not go on reading.
  const stopListening = access.onAccessEnd(request, () => gone.abort())
  const signal = AbortSignal.any([gone.signal, closing])
  const response = open(reply)
  limits.answering(reply)
  let isInside = false
  const heartbeat = setInterval(() => {
    // A client that does not read needs no heartbeat, and one within an event would break it.
    if (!response.writableNeedDrain && !isInside) response.write(':\n\n')
  }, heartbeatMs)
  async function write(text: string) {
    isInside = !text.endsWith('\n\n')
    if (!response.write(text)) await once(response, 'drain', { signal })
  }
  try {
    await produce(write, signal)
    response.end()
  } catch (error) {
    if (closing.aborted) response.end()
    else {
      if (!gone.signal.aborted) request.log.error({ err: error }, 'an event stream broke off')
      // Not an orderly end: the client can tell that something is missing.
      response.destroy()
    }
  } finally {
    stopListening()
    clearInterval(heartbeat)
    gone.abort()
  }
}

function open(reply: StreamedReply): ServerResponse {
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
