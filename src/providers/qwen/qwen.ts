/** Qwen-Image, Wan and Z-Image of Alibaba Cloud Model Studio (DashScope). */

import type { JsonObject, JsonValue } from '../../catalogue/model.ts'
import { ExchangeError } from '../../outgoing/errors.ts'
import type { HttpRequest } from '../../outgoing/http.ts'
import type { CheckResult, Context, Learned, Polled, Provider, RawAnswer } from '../provider.ts'
import { failureOf } from './errors.ts'
import { models, platformAt, platforms, priceListAt, type Route, unlistedModel, wireOf } from './models.ts'
import { asRecord, parseAnswer, parseJson, planCalls, text } from './wire.ts'

const paths: Record<Route, string> = {
  MM: '/services/aigc/multimodal-generation/generation',
  IG: '/services/aigc/image-generation/generation',
  T2I: '/services/aigc/text2image/image-synthesis',
  I2I: '/services/aigc/image2image/image-synthesis',
}

// An answer names pictures and never holds them; this is far more than any of them takes.
const maxAnswerBytes = 16 * 1024 * 1024
const lookTimeoutMs = 30_000

// The runner looks first after 2 s. Documented limit: 20 looks a second for the whole account.
const pauseAfterFirstLookMs = 3_000
const steadyPauseMs = 5_000
const pauseInTroubleMs = 10_000
/** "Unknown" is said of what does not exist and of what cannot be seen: a task whose id was just given out gets some time to appear. */
const looksBeforeUnknown = 3
/** A wrong key or address does not mend itself in seconds, but someone may mend it before the task is forgotten. */
const pauseWhenRefusedMs = 30_000
const longestPauseMs = 60_000

export const qwen: Provider = {
  id: 'qwen',
  name: 'Qwen (DashScope)',
  defaultBaseUrl: 'https://dashscope.aliyuncs.com/api/v1',
  models,
  unlisted: unlistedModel,
  platformAt,
  platforms,
  priceListAt,
  plan: planCalls,
  parse: parseAnswer,

  addressOf: (route, baseUrl) => `${baseUrl}${paths[route as Route]}`,

  async *send(call, context): AsyncGenerator<Learned> {
    const route = call.route as Route
    const isTask = route !== 'MM'
    const body = JSON.stringify(await withReferences(call.body, context))
    let answer: RawAnswer
    try {
      answer = await exchange(context, {
        method: 'POST',
        path: paths[route],
        headers: { 'content-type': 'application/json', ...(isTask ? { 'x-dashscope-async': 'enable' } : {}) },
        body,
        headersTimeoutMs: call.timeoutMs,
        idleTimeoutMs: Math.min(call.timeoutMs, 60_000),
      })
    } catch (error) {
      // The task may already be named in what came before the connection broke.
      const taskId = isTask && error instanceof ExchangeError && /"task_id"\s*:\s*"([^"\\]+)"/.exec(error.partial)?.[1]
      if (taskId) yield { type: 'task', taskId }
      // What came without an id is worth nothing; without it the task is looked for in the list.
      else throw isTask && error instanceof ExchangeError ? new ExchangeError(error.failure, { cause: error }) : error
      return
    }
    const taskId = isTask && isSuccess(answer) ? text(outputOf(answer)?.task_id) : undefined
    if (taskId === undefined) yield { type: 'answer', answer }
    else yield { type: 'task', taskId, requestId: answer.requestId }
  },

  async poll(task, context): Promise<Polled> {
    let answer: RawAnswer
    try {
      answer = await look(context, `/tasks/${encodeURIComponent(task.id)}`)
    } catch (error) {
      if (context.signal.aborted) throw error
      return { state: 'unsure', afterMs: pauseInTroubleMs, reason: reasonOf(error) }
    }
    const status = text(outputOf(answer)?.task_status)
    if (isSuccess(answer) && status === 'UNKNOWN' && (task.polls < looksBeforeUnknown || task.isOtherKey)) {
      return { state: 'unsure', afterMs: steadyPauseMs, reason: 'DashScope says that it does not know the task.' }
    }
    if (isSuccess(answer) && status !== undefined) {
      if (['SUCCEEDED', 'FAILED', 'CANCELED', 'UNKNOWN'].includes(status)) return { state: 'ended', answer }
      const afterMs = task.polls === 0 ? pauseAfterFirstLookMs : steadyPauseMs
      return { state: 'pending', afterMs, running: status !== 'PENDING' }
    }
    // No trouble with looking says anything about the task, which goes on and may be paid for.
    const isPassing = answer.status === 429 || answer.status >= 500 || answer.status < 300
    // A longer pause, as plan quotas name it, could outlast the day for which the service keeps the task.
    const wished = answer.retryAfterMs ?? (isPassing ? pauseInTroubleMs : pauseWhenRefusedMs)
    const afterMs = Math.min(wished, longestPauseMs)
    return { state: 'unsure', afterMs, reason: reasonIn(answer) }
  },

  async cancel(task, context) {
    try {
      const path = `/tasks/${encodeURIComponent(task.id)}/cancel`
      const answer = await exchange(context, { method: 'POST', path, ...lookTimeouts })
      if (answer.status === 200 && text(envelopeOf(answer)?.code) === undefined) return true
      // It may be an earlier cancel, whose word was lost, that stands in the way of this one.
      return text(outputOf(await look(context, `/tasks/${encodeURIComponent(task.id)}`))?.task_status) === 'CANCELED'
    } catch (error) {
      if (context.signal.aborted) throw error
      return false
    }
  },

  async findTasks({ model, route, from, to }, context) {
    if (route === 'MM') return null
    // Tasks are forgotten after a day, and a longer window is refused.
    const start = new Date(Math.max(from.getTime(), to.getTime() - oneDayMs))
    const ids = new Set<string>()
    for (let page = 1; page <= maxPages; page++) {
      const query = new URLSearchParams({
        start_time: beijingTime(start, 'floor'),
        end_time: beijingTime(to, 'ceil'),
        model_name: model,
        page_no: String(page),
        page_size: String(tasksPerPage),
      })
      let answer: RawAnswer
      try {
        answer = await look(context, `/tasks/?${query}`)
      } catch (error) {
        if (context.signal.aborted) throw error
        return undefined
      }
      const list = envelopeOf(answer)
      if (!isSuccess(answer) || !list || !Array.isArray(list.data)) return undefined
      for (const entry of list.data) {
        const task = asRecord(entry)
        const id = text(task?.task_id)
        if (task && id !== undefined && isOf(task, model, from, to) && isOnRoute(task, route)) ids.add(id)
      }
      const pages = typeof list.total_page === 'number' ? list.total_page : undefined
      const isLast = pages === undefined ? list.data.length < tasksPerPage : page >= pages
      if (isLast || list.data.length === 0) return [...ids]
    }
    return undefined
  },

  isOwnTask: (answer, { body }) => isOwn(answer, body),

  check: (model, context) => checkConfiguration(model, context),
}

// ── Exchanges ───────────────────────────────────────────────────────────────────────────────────────────────────────

const lookTimeouts = { headersTimeoutMs: lookTimeoutMs, idleTimeoutMs: lookTimeoutMs, timeoutMs: 2 * lookTimeoutMs }

function look(context: Context, path: string): Promise<RawAnswer> {
  return exchange(context, { method: 'GET', path, ...lookTimeouts })
}

async function exchange(context: Context, { path, ...request }: Omit<HttpRequest, 'url'> & { path: string }) {
  const response = await context.http.request({
    ...request,
    url: `${context.baseUrl}${path}`,
    headers: { authorization: `Bearer ${context.apiKey}`, accept: 'application/json', ...request.headers },
    signal: context.signal,
  })
  const body = await response.text(maxAnswerBytes)
  const answer: RawAnswer = {
    status: response.status,
    contentType: response.headers['content-type'],
    requestId: text(asRecord(parseJson(body))?.request_id) ?? response.headers['x-request-id'],
    retryAfterMs: retryAfterOf(response.headers['retry-after']),
    body,
    complete: true,
  }
  return answer
}

/** In seconds; undocumented and seen on exhausted plans only. */
function retryAfterOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header.trim()) ? Number(header) * 1000 : undefined
}

/** The body with every reference in its place, as a data URI. */
async function withReferences(value: JsonValue, context: Context): Promise<JsonValue> {
  if (Array.isArray(value)) return Promise.all(value.map(item => withReferences(item, context)))
  const record = asRecord(value)
  if (!record) return value
  if (typeof record.$reference === 'number') {
    const { mimeType, bytes } = await context.reference(record.$reference)
    return `data:${mimeType};base64,${bytes.toString('base64')}`
  }
  const members = await Promise.all(
    Object.entries(record).map(async ([name, member]) => [name, await withReferences(member, context)] as const),
  )
  return Object.fromEntries(members)
}

const isSuccess = (answer: RawAnswer) => answer.status >= 200 && answer.status < 300

function envelopeOf(answer: RawAnswer): JsonObject | undefined {
  return asRecord(parseJson(answer.body))
}

function outputOf(answer: RawAnswer): JsonObject | undefined {
  return asRecord(envelopeOf(answer)?.output)
}

function failureIn(answer: RawAnswer) {
  const envelope = envelopeOf(answer)
  const place = { status: answer.status, submitsTask: false, isFinal: false, requestId: answer.requestId }
  const inner = asRecord(envelope?.error)
  return failureOf(text(envelope?.code) ?? text(inner?.code), text(envelope?.message) ?? text(inner?.message), place)
}

function reasonIn(answer: RawAnswer): string {
  const code = text(envelopeOf(answer)?.code)
  const advice = answer.status === 401 || answer.status === 403 ? ' Check the API key; the task goes on meanwhile.' : ''
  return `DashScope answered with status ${answer.status}${code ? ` (${code})` : ''} when asked for the task.${advice}`
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'The service could not be asked.'
}

// ── The list of tasks ───────────────────────────────────────────────────────────────────────────────────────────────

const oneDayMs = 24 * 60 * 60 * 1000
/** The documented size; whether more are given is not. */
const tasksPerPage = 10
/** Two thousand tasks of one model in a day: beyond that the search is given up. */
const maxPages = 200

/** `YYYYMMDDhhmmss` in Beijing, which keeps no summer time. */
function beijingTime(time: Date, rounding: 'floor' | 'ceil'): string {
  const second = Math[rounding](time.getTime() / 1000) * 1000
  return new Date(second + 8 * 60 * 60 * 1000).toISOString().slice(0, 19).replace(/\D/g, '')
}

function isOf(task: JsonObject, model: string, from: Date, to: Date): boolean {
  const created = task.gmt_create ?? task.start_time
  // What does not say when or for which model it is counts as a match: to adopt the wrong task would be worse than none.
  const isInTime = typeof created !== 'number' || (created >= from.getTime() && created <= to.getTime())
  return isInTime && (text(task.model_name) ?? model) === model
}

/** As the list names what a task is asked of: `apikey:v1:aigc:text2image:image-synthesis:wan2.2-t2i-flash` (docs/providers.md, Qwen). */
function isOnRoute(task: JsonObject, route: string): boolean {
  const told = text(task.user_api_unique_key)?.split(':').slice(3, 5).join('/')
  const [, own] = /([^/]+\/[^/]+)$/.exec(paths[route as Route] ?? '') ?? []
  return !told?.includes('/') || own === undefined || told === own
}

/** The old routes repeat the prompt, the new one only what came of it (docs/providers.md, Qwen). */
function isOwn(answer: RawAnswer, body: JsonObject): boolean | undefined {
  const envelope = envelopeOf(answer)
  const results = asRecord(envelope?.output)?.results
  const usage = asRecord(envelope?.usage)
  const wanted = asRecord(body.parameters)
  if (isFarFrom(text(usage?.size), text(wanted?.size))) return false
  if (typeof usage?.image_count === 'number' && typeof wanted?.n === 'number' && usage.image_count > wanted.n)
    return false
  const own = text(asRecord(body.input)?.prompt)
  const told = (Array.isArray(results) ? results : []).flatMap(result => text(asRecord(result)?.orig_prompt) ?? [])
  return own === undefined || told.length === 0 ? undefined : told.every(prompt => isSamePrompt(prompt, own))
}

/** The service cuts long prompts without a word. */
function isSamePrompt(told: string, own: string): boolean {
  return told.trim() === own.trim() || (told.length >= 400 && own.startsWith(told.trim()))
}

/** Sizes are rounded here and there, so only what no rounding explains counts. */
function isFarFrom(told: string | undefined, wanted: string | undefined): boolean {
  const [one, other] = [told, wanted].map(size =>
    /^(\d+)\*(\d+)$/
      .exec(size ?? '')
      ?.slice(1)
      .map(Number),
  )
  if (!one || !other) return false
  return one.some((side, index) => Math.abs(side / other[index]! - 1) > 0.1)
}

// ── Checking a configuration ────────────────────────────────────────────────────────────────────────────────────────

const regions =
  'dashscope.aliyuncs.com (Beijing), dashscope-intl.aliyuncs.com (Singapore), dashscope-us.aliyuncs.com (Virginia) or the host of your workspace, such as WORKSPACE.cn-beijing.maas.aliyuncs.com'

async function checkConfiguration(modelId: string | undefined, context: Context): Promise<CheckResult> {
  const result = (await checkKey(context)) ?? (await checkModel(modelId, context))
  if (!context.apiKey.startsWith('sk-sp-')) return result
  const warnings: Partial<Record<CheckResult['code'], string>> = {
    ok: 'This is the key of a subscription plan, whose terms may forbid use by programs.',
    provider_key_rejected:
      'A key that begins with sk-sp- is one of a subscription plan and works only at its own address.',
  }
  const warning = warnings[result.code]
  return warning ? { ...result, detail: `${result.detail} ${warning}` } : result
}

/** Asks for a task that nobody ever had. Undefined when the key passed. */
async function checkKey(context: Context): Promise<CheckResult | undefined> {
  const answer = await attempt(context, () => look(context, '/tasks/00000000-0000-0000-0000-000000000000'))
  if ('detail' in answer) return answer
  const envelope = envelopeOf(answer)
  const code = text(envelope?.code)
  if (isSuccess(answer) && asRecord(envelope?.output)) return undefined
  const { status } = answer
  const isRefusalOfTask = (status === 400 || status === 404) && code !== undefined
  const refused = refusal(answer)
  if (isRefusalOfTask && refused.code === 'ok') return undefined
  // "Not found" may mean the task or the address; the list of tasks tells which.
  if (isRefusalOfTask && refused.code === 'wrong_address') {
    const list = await attempt(context, () => look(context, '/tasks/?page_no=1&page_size=10'))
    if (!('detail' in list) && isSuccess(list) && Array.isArray(envelopeOf(list)?.data)) return undefined
  }
  // Too many looks: the key was accepted before they were counted.
  if (status === 429 && refused.code === 'provider_unavailable') return undefined
  return refused.code === 'ok' ? noAnswerOfDashScope(answer) : refused
}

/**
 * Asks the model for a picture of 1 by 1 pixel and for none of them, which is refused before anything is generated: two
 * refusals are certain where one was measured. Only for listed models whose synchronous route checks the size.
 */
async function checkModel(modelId: string | undefined, context: Context): Promise<CheckResult> {
  const keyOnly = { code: 'ok', detail: 'The key and the address are right.' } as const
  if (modelId === undefined) return keyOnly
  const model = models.find(model => model.id === modelId || model.aliases?.includes(modelId))
  if (!model || !wireOf(model.family).checksSize) {
    const detail = `${keyOnly.detail} Whether ${modelId} may be used shows with the first picture, because asking could cost one.`
    return { code: 'ok', detail }
  }

  const answer = await attempt(context, () =>
    exchange(context, {
      method: 'POST',
      path: paths.MM,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: modelId,
        input: { messages: [{ role: 'user', content: [{ text: 'A white square' }] }] },
        parameters: { size: '1*1', n: 0, watermark: false },
      }),
      ...lookTimeouts,
    }),
  )
  if ('detail' in answer) return answer
  const limited = answer.status === 429 ? ' The account is at its rate limit just now.' : ''
  if (isSuccess(answer) && outputOf(answer)) return keyOnly
  const refused = refusal(answer)
  if (refused.code === 'ok' || (answer.status === 429 && refused.code === 'provider_unavailable')) {
    return { code: 'ok', detail: `The key and the address are right, and ${modelId} may be used.${limited}` }
  }
  return refused
}

/** The answer, or what its absence means. */
async function attempt(context: Context, ask: () => Promise<RawAnswer>): Promise<RawAnswer | CheckResult> {
  try {
    return await ask()
  } catch (error) {
    if (context.signal.aborted || !(error instanceof ExchangeError)) throw error
    if (error.failure.disposition === 'maybe_billed') return { code: 'provider_unavailable', detail: error.message }
    return { code: 'wrong_address', detail: `${error.message} Check the base address; usual ones are at ${regions}.` }
  }
}

/** What an answer says about the configuration; `ok` when it only finds fault with the request itself. */
function refusal(answer: RawAnswer): CheckResult {
  const envelope = envelopeOf(answer)
  const code = text(envelope?.code) ?? text(asRecord(envelope?.error)?.code)
  const failure = failureIn(answer)
  const words = text(envelope?.message)
  switch (failure.code) {
    case 'provider_key_rejected':
      return {
        code: 'provider_key_rejected',
        detail: `DashScope does not accept the API key at this address. Check the key; if it is from another region, use the address of that region: ${regions}.`,
      }
    case 'provider_quota_exhausted':
      return { code: 'provider_quota_exhausted', detail: failure.message }
    case 'provider_access_denied':
      if (code === undefined) return noAnswerOfDashScope(answer)
      return { code: 'provider_access_denied', detail: failure.message }
    case 'rate_limited':
    case 'provider_unavailable':
    case 'provider_timeout':
    case 'outcome_unknown':
      return {
        code: 'provider_unavailable',
        detail: `DashScope answered with status ${answer.status}${code ? ` (${code})` : ''}. Try again a little later.`,
      }
    case 'invalid_request':
    case 'content_rejected':
      return { code: 'ok', detail: failure.message }
    case 'provider_rejected':
      if (code === undefined) return noAnswerOfDashScope(answer)
      if (/url error/i.test(words ?? '') || /^(NotFound|WorkSpaceNotFound)$/i.test(code)) {
        return { code: 'wrong_address', detail: `${failure.message} Usual ones are at ${regions}.` }
      }
      if (/model not exist/i.test(words ?? '') || /^model_?not_?(found|supported)$/i.test(code)) {
        return { code: 'provider_access_denied', detail: failure.message }
      }
      if (/does not support/i.test(words ?? '')) return { code: 'provider_access_denied', detail: failure.message }
      return { code: 'ok', detail: failure.message }
  }
}

function noAnswerOfDashScope(answer: RawAnswer): CheckResult {
  return {
    code: 'wrong_address',
    detail: `The address answered with status ${answer.status} and not as DashScope does. Check the base address; usual ones are https://${regions}, followed by /api/v1.`,
  }
}
