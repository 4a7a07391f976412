/** What every service may say in place of an answer: that it made nothing, which is so, or nothing that can be relied upon. */
import type { Answer } from '../world/network.ts'
import type { Books, Exchange } from './books.ts'

type Reply = [status: number, body: object]

export interface Replies {
  busy: Reply
  away: Reply
  content: Reply
  key: Reply
  /** It may have made something. */
  fault: Reply
}

export function refuse(books: Books, exchange: Exchange, wanted: number, replies: Replies): Answer | undefined {
  const { chance, weather } = books
  if (chance.happens(weather.refusal)) {
    const kind = chance.pick(['busy', 'busy', 'busy', 'away', 'content', 'key'] as const)
    const [status, body] = replies[kind]
    const isNamed = kind === 'busy' && chance.happens(0.4)
    const headers: Record<string, string> = isNamed ? { 'retry-after': String(1 + chance.below(40)) } : {}
    return books.watch(exchange, books.answer(status, body, headers), () => 0)
  }
  if (!chance.happens(weather.fault)) return undefined
  if (chance.happens(0.5)) books.make(exchange, wanted)
  const page = '<html><title>bad gateway</title></html>'
  const broken = 'upstream connect error or disconnect/reset before headers. reset reason: connection termination'
  const [status, body] = chance.pick<[number, object | string]>([
    replies.fault,
    [502, page],
    [504, page],
    [503, broken],
  ])
  return books.answer(status, body as object, typeof body === 'string' ? { 'content-type': 'text/html' } : {})
}
