/** A service that speaks like OpenAI: pictures inside the answer, or, as gateways do, a task without a list to find it in. */
import type { Answer, Request } from '../world/network.ts'
import { orderIn } from './ark.ts'
import type { Books, Exchange } from './books.ts'
import { refuse } from './refusals.ts'

interface Job {
  exchange: Exchange
  endsAt: number
}

export function openOpenai(books: Books, host: string) {
  const jobs = new Map<string, Job>()
  books.network.serve(host, request => {
    const { pathname } = request.url
    if (request.method === 'POST') return create(books, request, jobs)
    const job = jobs.get(pathname.split('/').at(-1) ?? '')
    if (job) return look(books, job)
    return books.answer(pathname.endsWith('/models') ? 200 : 404, { object: 'list', data: [] })
  })
}

function create(books: Books, request: Request, jobs: Map<string, Job>): Answer {
  const { chance, world } = books
  const { prompt, model, n = 1 } = JSON.parse(request.body) as { prompt: string; model: string; n?: number }
  const exchange = books.open('openai', orderIn(prompt), request)
  const refusal = refuse(books, exchange, n, {
    busy: [429, { error: { code: 'rate_limit_exceeded', type: 'requests', message: 'Rate limit reached' } }],
    away: [503, { error: { message: 'The engine is overloaded.', type: 'server_error' } }],
    content: [400, { error: { code: 'moderation_blocked', type: 'image_error', message: 'Rejected.' } }],
    key: [401, { error: { code: 'invalid_api_key', type: 'invalid_request_error', message: 'Incorrect API key.' } }],
    fault: [500, { error: { message: 'The server had an error.', type: 'server_error' } }],
  })
  if (refusal) return refusal
  exchange.isClear = true
  if (model.startsWith('task-')) {
    const id = `job-${exchange.number}`
    books.make(exchange, n)
    const endsAt = world.trueMs + 1000 + chance.next() ** 2 * 60_000
    exchange.task = {
      ...{ id, model, route: 'gateway', prompt, size: '', submittedAt: world.trueMs, startsAt: world.trueMs, endsAt },
      ...{ end: 'made', isCancelled: false, toldAt: undefined, toldIn: 0 },
    }
    jobs.set(id, { exchange, endsAt })
    const answer = books.answer(200, { code: 200, data: [{ status: 'submitted', task_id: id }] })
    return {
      ...answer,
      arrived(pieces) {
        if (pieces < answer.pieces.length || !exchange.task) return
        exchange.task.toldAt = world.now
        exchange.task.toldIn = world.life
      },
    }
  }
  const isLarge = chance.happens(0.5)
  books.make(exchange, n, isLarge ? { width: 170, height: 130 } : {})
  const data = exchange.pictures.map(({ bytes }) => ({ b64_json: bytes.toString('base64') }))
  const answer = books.answer(200, { created: 1, data, usage: { output_tokens: 100, total_tokens: 100 } })
  return books.watch(exchange, answer, pieces => (pieces < answer.pieces.length ? 0 : data.length))
}

function look(books: Books, { exchange, endsAt }: Job): Answer {
  const id = exchange.task?.id ?? ''
  if (books.chance.happens(books.weather.fault / 2)) return books.answer(502, '<html>bad gateway</html>')
  if (books.world.trueMs < endsAt) return books.answer(200, { code: 200, data: { id, status: 'processing' } })
  const urls = exchange.pictures.map(({ url }) => url)
  const data = { id, status: 'completed', result: { images: [{ url: urls }] } }
  const answer = books.answer(200, { code: 200, data })
  return books.watch(exchange, answer, pieces => (pieces < answer.pieces.length ? 0 : urls.length))
}
