/**
 * Holds one stream for all tabs: a browser has six connections to a server that speaks HTTP/1.1, and a tab that held one for good
 * would leave none for the seventh.
 */
import { openStream, type StreamMessage } from './event-stream.ts'

/** What a page sends. */
export type WorkerRequest = { type: 'follow'; address: string } | { type: 'leave' }

/** Of those that ended: a page that was just opened may have asked for its lists a moment before. */
const maxEnded = 100

const ports = new Set<MessagePort>()
let stop: (() => void) | undefined
let isOpen = false
/** The last that was told of each, the newest at the end. */
const latest = new Map<string, { message: StreamMessage; hasEnded: boolean }>()

function tell(message: StreamMessage) {
  if (message.type === 'open') {
    isOpen = true
    // It may be that of somebody else, who signed in since.
    if (message.isFresh) latest.clear()
  } else if (message.type === 'interrupted') {
    isOpen = false
  } else remember(message)
  for (const port of ports) port.postMessage(message)
}

function remember(message: StreamMessage & { data: string }) {
  const { id, status } = JSON.parse(message.data) as { id: string; status?: string }
  latest.delete(id)
  latest.set(id, { message, hasEnded: status !== 'queued' && status !== 'running' })
  const ended = [...latest].filter(([, { hasEnded }]) => hasEnded)
  for (const [old] of ended.slice(0, -maxEnded)) latest.delete(old)
}

function follow(port: MessagePort, address: string) {
  if (!stop) stop = openStream(address, tell)
  else if (isOpen && !ports.has(port)) {
    port.postMessage({ type: 'open', isFresh: true } satisfies StreamMessage)
    for (const { message } of latest.values()) port.postMessage(message)
  }
  ports.add(port)
}

function leave(port: MessagePort) {
  ports.delete(port)
  if (ports.size > 0) return
  stop?.()
  stop = undefined
  isOpen = false
  latest.clear()
}

addEventListener('connect', event => {
  const [port] = (event as MessageEvent).ports
  port!.onmessage = ({ data }: MessageEvent<WorkerRequest>) => {
    if (data.type === 'follow') follow(port!, data.address)
    else leave(port!)
  }
})
