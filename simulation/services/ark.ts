/** Ark: pictures in one answer, or a series of them as a stream. It has no tasks, so an answer that is lost is lost. */
import type { Answer, Request } from '../world/network.ts'
import type { Books, Exchange } from './books.ts'
import { refuse } from './refusals.ts'

interface Body {
  prompt: string
  stream?: boolean
  sequential_image_generation_options?: { max_images: number }
}

export function openArk(books: Books, host: string) {
  books.network.serve(host, request => {
    if (request.method === 'GET') return books.answer(200, { object: 'list', data: [] })
    return create(books, request)
  })
}

function create(books: Books, request: Request): Answer {
  const { chance, weather } = books
  const body = JSON.parse(request.body) as Body
  const exchange = books.open('ark', orderIn(body.prompt), request)
  const wanted = body.sequential_image_generation_options?.max_images ?? 1
  const refusal = refuse(books, exchange, wanted, {
    busy: [429, { error: { code: 'ModelAccountIpmRateLimitExceeded', message: 'Rate limit exceeded.' } }],
    away: [503, { error: { code: 'ServerOverloaded', message: 'The service is overloaded.' } }],
    content: [400, { error: { code: 'InputTextSensitiveContentDetected', message: 'The prompt may be sensitive.' } }],
    key: [401, { error: { code: 'AuthenticationError', message: 'The API key is not valid.' } }],
    fault: [500, { error: { code: 'InternalServiceError', message: 'The service had an error.' } }],
  })
  if (refusal) return refusal
  if (chance.happens(weather.lie / 4)) return emptyAnswer(books, exchange)
  const isFewer = wanted > 1 && chance.happens(weather.lie)
  books.make(exchange, isFewer ? 1 + chance.below(wanted) : wanted)
  exchange.isClear = true
  return body.stream ? streamed(books, exchange, wanted) : whole(books, exchange)
}

/** Nothing was made, and the answer says so. */
function emptyAnswer(books: Books, exchange: Exchange) {
  return books.watch(exchange, books.answer(200, { data: [], usage: { generated_images: 0 } }), () => 0)
}

function whole(books: Books, exchange: Exchange): Answer {
  const data = exchange.pictures.map(({ url }) => ({ url, size: '960x960' }))
  const usage = { generated_images: data.length, output_tokens: 4096, total_tokens: 4096 }
  const answer = books.answer(200, { model: 'seedream', created: 1, data, usage })
  return books.watch(exchange, answer, pieces => (pieces < answer.pieces.length ? 0 : data.length))
}

/** An event for each picture; some come twice, or in another order. */
function streamed(books: Books, exchange: Exchange, wanted: number): Answer {
  const { chance, weather } = books
  const event = (type: string, fields: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
  const failed = Array.from({ length: wanted - exchange.pictures.length }, (_, index) => ({
    picture: -1,
    text: event('image_generation.partial_failed', {
      image_index: exchange.pictures.length + index,
      error: { code: 'OutputImageSensitiveContentDetected', message: 'The picture may be sensitive.' },
    }),
  }))
  const made = exchange.pictures.map(({ url }, index) => ({
    picture: index,
    text: event('image_generation.partial_succeeded', { image_index: index, url, size: '960x960' }),
  }))
  const events = [...made, ...failed]
  if (chance.happens(weather.lie)) events.reverse()
  const last =
    event('image_generation.completed', { usage: { generated_images: made.length, output_tokens: 1 } }) +
    'data: [DONE]\n\n'
  const isCut = chance.happens(weather.cut)
  const pieces = [...events.map(({ text }) => text), last].map(bytes => ({
    afterMs: chance.next() * (weather.maxMs / 4),
    bytes,
  }))
  const answer: Answer = {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8' },
    pieces,
    hasLength: false,
    end: isCut ? { how: chance.pick(['cut', 'silent']), afterPieces: chance.below(pieces.length) } : undefined,
  }
  return {
    ...books.watch(exchange, answer, () => 0),
    arrived(count) {
      const picture = events[count - 1]?.picture ?? -1
      if (picture >= 0) exchange.named[picture] = books.world.now
      if (count < pieces.length) return
      exchange.wholeAt = books.world.now
      exchange.wholeIn = books.world.life
    },
  }
}

export function orderIn(text: string) {
  return /order-\d+/.exec(text)?.[0] ?? 'nobody'
}
