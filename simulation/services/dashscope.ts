/** DashScope: pictures at once on one route, tasks on the others, which stand in a list. */
import type { Answer, Request } from '../world/network.ts'
import { orderIn } from './ark.ts'
import type { Books, Exchange, Task } from './books.ts'
import { refuse } from './refusals.ts'

interface Body {
  model: string
  input: { prompt?: string; messages?: { content: { text?: string }[] }[] }
  parameters?: { n?: number; size?: string }
}

export function openDashscope(books: Books, host: string) {
  const tasks: { task: Task; exchange: Exchange }[] = []
  books.network.serve(host, request => {
    const { pathname, searchParams } = request.url
    if (request.method === 'POST' && pathname.endsWith('/cancel'))
      return cancel(books, find(tasks, pathname.split('/').at(-2)))
    if (request.method === 'POST') return create(books, request, tasks)
    const isTrouble = books.chance.happens(books.weather.fault / 2)
    if (isTrouble) return books.answer(500, { code: 'InternalError', message: 'An internal error.' })
    if (pathname.endsWith('/tasks/')) return list(books, tasks, searchParams)
    return look(books, find(tasks, pathname.split('/').at(-1)))
  })
}

type Entries = { task: Task; exchange: Exchange }[]

function find(tasks: Entries, id: string | undefined) {
  return tasks.find(({ task }) => task.id === id)
}

function create(books: Books, request: Request, tasks: Entries): Answer {
  const { chance, weather } = books
  const body = JSON.parse(request.body) as Body
  const prompt = body.input.prompt ?? body.input.messages?.flatMap(({ content }) => content).at(-1)?.text ?? ''
  const exchange = books.open('dashscope', orderIn(prompt), request)
  const wanted = body.parameters?.n ?? 1
  const isTask = request.headers['x-dashscope-async'] === 'enable'
  const begin = () => {
    const task = submit(books, exchange, { prompt, wanted, body, path: request.url.pathname })
    tasks.push({ task, exchange })
    return task
  }
  if (isTask && chance.happens(weather.lie / 2)) tasks.push(foreignTask(books, request, { body, wanted }))
  const replies = {
    busy: [429, { code: 'Throttling.RateQuota', message: 'Requests rate limit exceeded.' }],
    away: [503, { code: 'ModelUnavailable', message: 'The model is not available.' }],
    content: [400, { code: 'DataInspectionFailed', message: 'Input data may contain inappropriate content.' }],
    key: [401, { code: 'InvalidApiKey', message: 'Invalid API-key provided.' }],
    fault: [500, { message: 'no code' }],
  } satisfies Record<string, [number, object]>
  if (isTask) {
    const before = exchange.pictures.length
    const refusal = refuse(books, exchange, wanted, replies)
    if (refusal) {
      // A task that was made behind a gateway which broke.
      if (exchange.pictures.length > before) {
        exchange.pictures = []
        exchange.named = []
        begin()
      }
      return refusal
    }
    const task = begin()
    exchange.isClear = true
    const output = { task_id: task.id, task_status: 'PENDING' }
    const answer = books.answer(200, { request_id: `request-${exchange.number}`, output })
    return {
      ...answer,
      arrived(pieces) {
        if (pieces < answer.pieces.length) return
        task.toldAt = books.world.now
        task.toldIn = books.world.life
      },
    }
  }
  const refusal = refuse(books, exchange, wanted, replies)
  if (refusal) return refusal
  books.make(exchange, chance.happens(weather.lie / 4) ? wanted + 1 : wanted)
  exchange.isClear = true
  const content = exchange.pictures.map(({ url }) => ({ image: url }))
  const output = { choices: [{ finish_reason: 'stop', message: { role: 'assistant', content } }] }
  const usage = { image_count: content.length, width: 512, height: 512 }
  const answer = books.answer(200, { request_id: `request-${exchange.number}`, output, usage })
  return books.watch(exchange, answer, pieces => (pieces < answer.pieces.length ? 0 : content.length))
}

/** Another program with the same account asks for the same kind of picture just before. */
function foreignTask(books: Books, request: Request, { body, wanted }: { body: Body; wanted: number }) {
  const exchange = books.describe('dashscope', 'somebody', request)
  exchange.number = 1000 + books.foreign.size
  const task = submit(books, exchange, { prompt: 'a boat of somebody', wanted, body, path: request.url.pathname })
  for (const { sha256 } of exchange.pictures) books.foreign.add(sha256)
  return { task, exchange }
}

function submit(
  books: Books,
  exchange: Exchange,
  { prompt, wanted, body, path }: { prompt: string; wanted: number; body: Body; path: string },
): Task {
  const { chance, world, weather } = books
  const waitMs = chance.next() ** 2 * 30_000
  const task: Task = {
    id: `task-${exchange.number}`,
    model: body.model,
    route: path.split('/').slice(-2).join(':'),
    prompt,
    size: body.parameters?.size ?? '512*512',
    submittedAt: world.trueMs,
    startsAt: world.trueMs + waitMs,
    endsAt: world.trueMs + waitMs + 1000 + chance.next() ** 2 * 90_000,
    end: chance.happens(weather.lie / 2) ? 'failed' : 'made',
    isCancelled: false,
    toldAt: undefined,
    toldIn: 0,
  }
  exchange.task = task
  if (task.end === 'made') books.make(exchange, wanted)
  else exchange.billed = 0
  return task
}

function stateOf(task: Task, now: number) {
  if (task.isCancelled) return 'CANCELED'
  if (now < task.startsAt) return 'PENDING'
  if (now < task.endsAt) return 'RUNNING'
  return task.end === 'made' ? 'SUCCEEDED' : 'FAILED'
}

function cancel(books: Books, found: Entries[number] | undefined): Answer {
  if (!found || stateOf(found.task, books.world.trueMs) !== 'PENDING')
    return books.answer(400, { code: 'UnsupportedOperation', message: 'Failed to cancel the task.' })
  found.task.isCancelled = true
  found.exchange.billed = 0
  books.world.tell(`  ${found.task.id} is cancelled`)
  return books.answer(200, { request_id: 'cancel' })
}

const dayMs = 24 * 3600_000

function look(books: Books, found: Entries[number] | undefined): Answer {
  const { trueMs } = books.world
  if (!found || trueMs - found.task.submittedAt > dayMs)
    return books.answer(200, { request_id: 'look', output: { task_id: 'x', task_status: 'UNKNOWN' } })
  const { task, exchange } = found
  const state = stateOf(task, trueMs)
  const output: Record<string, unknown> = { task_id: task.id, task_status: state }
  if (state === 'FAILED') Object.assign(output, { code: 'InternalError.Algo', message: 'inference internal error.' })
  if (state !== 'SUCCEEDED') return books.answer(200, { request_id: 'look', output })
  const urls = exchange.pictures.map(({ url }) => url)
  if (task.route.startsWith('text2image')) output.results = urls.map(url => ({ orig_prompt: task.prompt, url }))
  else {
    const content = urls.map(image => ({ type: 'image', image }))
    output.choices = [{ finish_reason: 'stop', message: { role: 'assistant', content } }]
  }
  const answer = books.answer(200, { request_id: 'look', output, usage: { image_count: urls.length } })
  return books.watch(exchange, answer, pieces => (pieces < answer.pieces.length ? 0 : urls.length))
}

function list(books: Books, tasks: Entries, query: URLSearchParams): Answer {
  const from = readTime(query.get('start_time'))
  const to = readTime(query.get('end_time')) + 999
  const data = tasks
    .filter(({ task }) => task.model === query.get('model_name'))
    .filter(({ task }) => task.submittedAt >= from && task.submittedAt <= to)
    .map(({ task }) => ({
      task_id: task.id,
      status: stateOf(task, books.world.trueMs),
      model_name: task.model,
      gmt_create: task.submittedAt,
      user_api_unique_key: `apikey:v1:aigc:${task.route}:${task.model}`,
    }))
  return books.answer(200, { request_id: 'list', total: data.length, total_page: 1, data })
}

function readTime(text: string | null) {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/
      .exec(text ?? '')
      ?.slice(1)
      .map(Number) ?? []
  return Date.UTC(year, month - 1, day, hour, minute, second) - 8 * 3600_000
}
