/** A receiver of webhooks that says what it is told to say, and remembers what it got. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { vi } from 'vitest'
import type { WebhookEvent } from '../../src/api/webhooks.ts'
import { maxWaitMs } from './patience.ts'

export interface Message {
  path: string
  headers: Record<string, string>
  /** As it came: what is signed. */
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: events of every type pass here, and tests look at what they expect
  event: Extract<WebhookEvent, { type: 'generation.succeeded' }> | any
}

interface Answer {
  status: number
  headers?: Record<string, string>
  body?: string
  /** Answers when this is there. */
  after?: Promise<unknown>
}

export interface Receiver {
  /** Where it listens, such as `127.0.0.1:4711`. */
  host: string
  url(path: string): string
  messages: Message[]
  /** Requests that it has not answered yet, and the most that there were of them. */
  open: number
  maxOpen: number
  /** The next requests are answered so, and all that come after them with 200. */
  answer(...answers: Answer[]): void
  /** The first so many messages to a path, when they are there. */
  got(path: string, count?: number): Promise<Message[]>
  close(): void
}

export async function openReceiver(): Promise<Receiver> {
  const answers: Answer[] = []
  const server = createServer(async (request, response) => {
    receiver.open++
    receiver.maxOpen = Math.max(receiver.maxOpen, receiver.open)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const { status, headers, body, after } = answers.shift() ?? { status: 200, body: 'thank you' }
    receiver.messages.push({
      ...{ path: request.url ?? '', headers: flatten(request.headers), text, event: JSON.parse(text) },
    })
    await after
    response.writeHead(status, headers).end(body)
    receiver.open--
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const receiver: Receiver = {
    ...{ host, messages: [], open: 0, maxOpen: 0 },
    url: path => `http://${host}${path}`,
    answer: (...more) => void answers.push(...more),
    got: (path, count = 1) =>
      vi.waitUntil(() => {
        const found = receiver.messages.filter(message => message.path === path)
        return found.length >= count && found
      }, maxWaitMs),
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
  return receiver
}

function flatten(headers: IncomingHttpHeaders) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
