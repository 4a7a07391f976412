/** The changes of generations as the server sends them, over a connection that is opened again whenever it ends. */
import type { Generation } from '../api/generations.ts'
import { ApiError } from './errors.ts'
import type { Connection } from './request.ts'

export type StreamMessage =
  /** `isFresh`: it begins with all that is unfinished, and does not go on where it was interrupted. */
  | { type: 'open'; isFresh: boolean }
  /** The stream broke and is tried again; `isRefused`: the answer was no stream, such as that of a proxy or after the end of a session. */
  | { type: 'interrupted'; isRefused: boolean }
  | { type: 'generation'; generation: Generation }
  /** The id of one that was removed. */
  | { type: 'removed'; id: string }

const firstPauseMs = 1000
const maxPauseMs = 15_000

/** Tells until the signal aborts; returns then. Without an `id` the events of all generations are told. */
export async function followEvents(
  connection: Connection,
  { signal, id }: { signal: AbortSignal; id?: string },
  tell: (message: StreamMessage) => void,
) {
  const path = id === undefined ? 'api/events' : `api/history/${encodeURIComponent(id)}/events`
  let pauseMs = firstPauseMs
  let revision: string | undefined
  while (!signal.aborted) {
    let isRefused = false
    try {
      const headers = { accept: 'text/event-stream', ...(revision === undefined ? {} : { 'last-event-id': revision }) }
      const response = await connection.exchange(path, { headers, signal })
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
        throw new ApiError('internal_error', 'The answer is not a stream of events.', response.status)
      }
      tell({ type: 'open', isFresh: revision === undefined })
      pauseMs = firstPauseMs
      for await (const event of readEvents(response)) {
        const data = JSON.parse(event.data)
        if (event.type === 'generation') tell({ type: 'generation', generation: data })
        else if (event.type === 'removed') tell({ type: 'removed', id: data.id })
        revision = event.id ?? revision
      }
    } catch (error) {
      isRefused = error instanceof ApiError && error.status !== 0
    }
    if (signal.aborted) return
    // After a refusal the next answer may be for another account.
    if (isRefused) revision = undefined
    tell({ type: 'interrupted', isRefused })
    await pause(pauseMs, signal)
    pauseMs = Math.min(pauseMs * 2, maxPauseMs)
  }
}

interface ServerEvent {
  type: string
  data: string
  id?: string
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html, as far as our server uses it. */
async function* readEvents({ body }: Response): AsyncGenerator<ServerEvent> {
  if (!body) return
  // Safari cannot iterate over a stream.
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const blocks = (text + read.value).split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map(line => {
          const [name = '', ...value] = line.split(': ')
          return [name, value.join(': ')]
        }),
      )
      const data = fields.get('data')
      if (data !== undefined) yield { type: fields.get('event') ?? 'message', data, id: fields.get('id') }
    }
  }
}

function pause(ms: number, signal: AbortSignal) {
  return new Promise<void>(resolve => {
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
    function end() {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
  })
}
