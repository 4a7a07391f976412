/** Tasks of DashScope: polling one, cancelling it, and finding one whose id was lost. */

import type { JsonObject } from '../../catalogue/model.ts'
import { asRecord, text } from '../json.ts'
import type { Context, Polled, RawAnswer, Task, TaskWindow } from '../provider.ts'
import { isSuccess, look, parseEnvelope, parseOutput, paths } from './exchange.ts'
import type { Route } from './models.ts'

/** Documented: 20 a second for the whole account, which may have other keys and other programs. */
export const maxPollsPerSecond = 15

const pauseForNewTaskMs = 5_000
const pauseInTroubleMs = 10_000
/** "Unknown" is the answer for tasks that do not exist and that are not visible yet: a new task gets some time to appear. */
const looksBeforeUnknown = 3
/** A wrong key or address is not fixed in seconds, but someone may fix it before the task expires. */
const pauseWhenRefusedMs = 30_000
const longestPauseMs = 60_000

export async function poll(task: Task, context: Context): Promise<Polled> {
  let answer: RawAnswer
  try {
    answer = await look(context, `/tasks/${encodeURIComponent(task.id)}`)
  } catch (error) {
    if (context.signal.aborted) throw error
    return { state: 'unsure', afterMs: pauseInTroubleMs, reason: describeReason(error) }
  }
  const status = text(parseOutput(answer)?.task_status)
  if (isSuccess(answer) && status === 'UNKNOWN' && (task.polls < looksBeforeUnknown || task.isOtherKey)) {
    return { state: 'unsure', afterMs: pauseForNewTaskMs, reason: 'DashScope says that it does not know the task.' }
  }
  if (isSuccess(answer) && status !== undefined) {
    if (['SUCCEEDED', 'FAILED', 'CANCELED', 'UNKNOWN'].includes(status)) return { state: 'ended', answer }
    return { state: 'pending', running: status !== 'PENDING' }
  }
  // A failed poll says nothing about the task, which goes on and may be paid for.
  const isPassing = answer.status === 429 || answer.status >= 500 || answer.status < 300
  // A longer pause, as plan quotas name it, could outlast the day for which the service keeps the task.
  const wished = answer.retryAfterMs ?? (isPassing ? pauseInTroubleMs : pauseWhenRefusedMs)
  const afterMs = Math.min(wished, longestPauseMs)
  return { state: 'unsure', afterMs, reason: reasonIn(answer) }
}

export async function cancel(task: Task, context: Context): Promise<boolean> {
  try {
    const path = `/tasks/${encodeURIComponent(task.id)}/cancel`
    const answer = await look(context, path, { method: 'POST' })
    if (answer.status === 200 && text(parseEnvelope(answer)?.code) === undefined) return true
    // An earlier cancel, whose answer was lost, may have caused this refusal.
    return text(parseOutput(await look(context, `/tasks/${encodeURIComponent(task.id)}`))?.task_status) === 'CANCELED'
  } catch (error) {
    if (context.signal.aborted) throw error
    return false
  }
}

function reasonIn(answer: RawAnswer): string {
  const code = text(parseEnvelope(answer)?.code)
  const advice = answer.status === 401 || answer.status === 403 ? ' Check the API key; the task goes on meanwhile.' : ''
  return `DashScope answered with status ${answer.status}${code ? ` (${code})` : ''} when asked for the task.${advice}`
}

function describeReason(error: unknown): string {
  return error instanceof Error ? error.message : 'The service could not be reached.'
}

// ── The list of tasks ───────────────────────────────────────────────────────────────────────────────────────────────

const oneDayMs = 24 * 60 * 60 * 1000
/** The documented size; whether more are given is not. */
const tasksPerPage = 10
/** Two thousand tasks of one model in a day; beyond that the search stops. */
const maxPages = 200

export async function findTasks(
  { model, route, from, to }: TaskWindow,
  context: Context,
): Promise<string[] | undefined | null> {
  if (route === 'MM') return null
  // Tasks expire after a day, and a longer window is refused.
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
    const list = parseEnvelope(answer)
    if (!isSuccess(answer) || !list || !Array.isArray(list.data)) return undefined
    for (const entry of list.data) {
      const task = asRecord(entry)
      const id = text(task?.task_id)
      if (task && id !== undefined && matchesTask(task, model, from, to) && isOnRoute(task, route)) ids.add(id)
    }
    const pages = typeof list.total_page === 'number' ? list.total_page : undefined
    const isLast = pages === undefined ? list.data.length < tasksPerPage : page >= pages
    if (isLast || list.data.length === 0) return [...ids]
  }
  return undefined
}

/** `YYYYMMDDhhmmss` in Beijing, which keeps no summer time. */
function beijingTime(time: Date, rounding: 'floor' | 'ceil'): string {
  const second = Math[rounding](time.getTime() / 1000) * 1000
  return new Date(second + 8 * 60 * 60 * 1000).toISOString().slice(0, 19).replace(/\D/g, '')
}

function matchesTask(task: JsonObject, model: string, from: Date, to: Date): boolean {
  const created = task.gmt_create ?? task.start_time
  // A task without time or model counts as a match, so that two candidates prevent adopting the wrong one.
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
export function isOwnTask(answer: RawAnswer, { body }: { body: JsonObject }): boolean | undefined {
  const envelope = parseEnvelope(answer)
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

/** The service cuts long prompts silently. */
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
