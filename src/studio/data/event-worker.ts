/**
 * Holds one stream for all tabs: a browser has six connections to a server that speaks HTTP/1.1, and a tab that held one for good
 * would leave none for the seventh.
 */
import { createClient, hasEnded } from '../../client/client.ts'
import type { StreamMessage } from '../../client/events.ts'

/** Messages of a page. */
export type WorkerRequest = { type: 'follow'; baseUrl: string } | { type: 'look'; isSeen: boolean } | { type: 'leave' }

/** `mayTell`: nobody looks at the studio, and this is the page that was looked at last. */
export type WorkerMessage = StreamMessage & { mayTell?: boolean }

/** Ended generations that are remembered: a page that was just opened may have asked for its lists a moment before. */
const maxEnded = 100

/** Whether each page is seen, the one that was looked at last at the end. */
const ports = new Map<MessagePort, boolean>()
let following: AbortController | undefined
let isOpen = false
/** The last that was told of each, the newest at the end. */
const latest = new Map<string, StreamMessage>()

function tell(message: StreamMessage) {
  switch (message.type) {
    case 'open':
      isOpen = true
      // The stream may belong to another account that signed in since.
      if (message.isFresh) latest.clear()
      break
    case 'interrupted':
      isOpen = false
      break
    case 'generation':
      remember(message.generation.id, message)
      break
    case 'removed':
      remember(message.id, message)
  }
  const isSeen = [...ports.values()].includes(true)
  const lastSeen = [...ports.keys()].at(-1)
  for (const port of ports.keys()) {
    port.postMessage({ ...message, mayTell: !isSeen && port === lastSeen } satisfies WorkerMessage)
  }
}

function remember(id: string, message: StreamMessage) {
  latest.delete(id)
  latest.set(id, message)
  const ended = [...latest].filter(([, kept]) => kept.type !== 'generation' || hasEnded(kept.generation))
  for (const [old] of ended.slice(0, -maxEnded)) latest.delete(old)
}

function follow(port: MessagePort, baseUrl: string) {
  if (!following) {
    following = new AbortController()
    void createClient({ baseUrl }).follow({ signal: following.signal }, tell)
  } else if (isOpen && !ports.has(port)) {
    port.postMessage({ type: 'open', isFresh: true } satisfies StreamMessage)
    for (const message of latest.values()) port.postMessage(message)
  }
  if (!ports.has(port)) look(port, false)
}

function look(port: MessagePort, isSeen: boolean) {
  ports.delete(port)
  ports.set(port, isSeen)
}

function leave(port: MessagePort) {
  ports.delete(port)
  if (ports.size > 0) return
  following?.abort()
  following = undefined
  isOpen = false
  latest.clear()
}

addEventListener('connect', event => {
  const [port] = (event as MessageEvent).ports
  // Of a page that crashed, where the browser tells.
  port!.addEventListener('close', () => leave(port!))
  port!.onmessage = ({ data }: MessageEvent<WorkerRequest>) => {
    if (data.type === 'follow') follow(port!, data.baseUrl)
    else if (data.type === 'leave') leave(port!)
    else if (ports.has(port!)) look(port!, data.isSeen)
  }
})
