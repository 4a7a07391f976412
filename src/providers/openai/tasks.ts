/**
 * Gateways of OpenAI's kind that answer a paid request with a task instead of pictures. No two of them spell it alike (documents of
 * APIMart, sub2api, New API, EvoLink and Baidu Qianfan, 2026-11), so what they have in common is taken: a task id somewhere, a word
 * for its state somewhere, one of a few addresses where it is looked at.
 *
 * The ledger holds a task as one text: ids, and addresses where they are known, separated by spaces.
 */

import type { JsonObject } from '../../catalogue/model.ts'
import type { ProviderFailure } from '../../outgoing/failure.ts'
import { readEntries } from '../answers.ts'
import { authorization, readAnswer } from '../exchange.ts'
import { errorIn } from '../failures.ts'
import { isObject, parseJson, text } from '../json.ts'
import type { Context, Polled, RawAnswer, Task } from '../provider.ts'
import { interpretError } from './errors.ts'

const wordList = (text: string) => new Set(text.split(' '))
const queuedWords = wordList('submitted pending queued queueing in_queue not_start not_started created scheduled')
const workingWords = wordList('accepted waiting starting preparing processing running in_progress generating working')
const pendingWords = new Set([...queuedWords, ...workingWords])
const doneWords = wordList('completed complete succeeded succeed success successful done finished ready')
const failedWords = wordList('failed fail failure error cancelled canceled rejected expired timeout timed_out aborted')
const reasonNames = 'fail_reason failReason task_status_msg failure_reason error_message reason message'.split(' ')

// ── What was submitted ──────────────────────────────────────────────────────────────────────────────────────────────

/** The text for the ledger; undefined when the answer is no task but the answer itself. `location`: its header of that name. */
export function taskIn(answer: RawAnswer, location: string | undefined, sentTo: string): string | undefined {
  if (answer.status < 200 || answer.status >= 300) return undefined
  const json = parseJson(answer.body)
  const records = recordsIn(json)
  const isWaiting = records.some(
    record => record.task_id !== undefined && pendingWords.has(findStateWord(record) ?? ''),
  )
  // An address in an unfinished task is that of the task.
  if (!isWaiting && readEntries(json).some(entry => entry.source !== undefined)) return undefined
  const place =
    location ??
    records.flatMap(record => [record.poll_url, record.polling_url, record.status_url].map(text)).find(Boolean)
  const ids = records.flatMap(record => findTaskId(record) ?? [])
  if (place !== undefined && (answer.status === 202 || ids.length === 1)) return placeFrom(place, sentTo)
  // The same id may stand at two levels.
  return ids.length > 0 ? [...new Set(ids)].join(' ') : undefined
}

/** What came of a submit before the connection broke may name its task already. */
export function taskInBeginning(beginning: string): string | undefined {
  return /"task_?id"\s*:\s*"([^"\\\s]+)"/i.exec(beginning)?.[1]
}

function findTaskId(record: JsonObject): string | undefined {
  const word = findStateWord(record)
  if (word !== undefined && failedWords.has(word)) return undefined
  const isWaiting = word !== undefined && pendingWords.has(word)
  const id = record.task_id ?? record.taskId ?? record.job_id ?? (isWaiting ? record.id : undefined)
  const written = typeof id === 'number' ? String(id) : text(id)
  return written !== undefined && /^\S{1,300}$/.test(written) ? written : undefined
}

/** The path alone where it is on the host that answered, so that it still leads there when the configuration moves. */
function placeFrom(location: string, from: string): string | undefined {
  if (!URL.canParse(location, from)) return undefined
  const url = new URL(location, from)
  return url.origin === new URL(from).origin ? url.pathname + url.search : url.href
}

// ── Looks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const lookTimeoutMs = 30_000
const longestPauseMs = 60_000
const pauseInTroubleMs = 10_000
/** A wrong key is not fixed in seconds, but someone may fix it before the task expires. */
const pauseWhenRefusedMs = 30_000
/** Images under an unknown status may be previews; after this many polls they are accepted. */
const looksBeforeUnknownWord = 30

/** Polls each task of a call once. A more precise address is returned as `taskId`. */
export async function pollTasks(task: Task, context: Context): Promise<Polled> {
  const looks: Look[] = []
  for (const place of task.id.split(' ')) looks.push(await lookAt(place, task, context))
  const taskId = looks.map(look => look.place).join(' ')
  const unsure = looks.find(look => look.state === 'unsure')
  if (unsure) return { ...unsure, taskId }
  const pending = looks.filter(look => look.state === 'pending')
  if (pending.length > 0) {
    const wished = pending.flatMap(look => look.afterMs ?? [])
    const afterMs = wished.length > 0 ? Math.max(...wished) : undefined
    return { state: 'pending', afterMs, running: pending.some(look => look.running), taskId }
  }
  const answers = looks.flatMap(look => (look.state === 'ended' ? [look.answer] : []))
  const [first, ...others] = answers
  if (others.length === 0) return { state: 'ended', answer: first! }
  return { state: 'ended', answer: { ...first!, body: `[${answers.map(answer => answer.body).join(',')}]` } }
}

type Look = { place: string } & (
  | { state: 'pending'; running: boolean; afterMs?: number }
  | { state: 'unsure'; afterMs: number; reason: string }
  | { state: 'ended'; answer: RawAnswer }
)

async function lookAt(place: string, { polls }: Task, context: Context): Promise<Look> {
  let strange = 'The service does not know the task.'
  for (const candidate of candidatesFor(place, context.baseUrl)) {
    let exchanged: Awaited<ReturnType<typeof look>>
    try {
      exchanged = await look(candidate, context)
    } catch (error) {
      if (context.signal.aborted) throw error
      const reason = error instanceof Error ? error.message : 'The service could not be reached.'
      return { place, state: 'unsure', afterMs: pauseInTroubleMs, reason }
    }
    const { answer, location } = exchanged
    const found = placeFrom(candidate, context.baseUrl) ?? place
    if (answer.status >= 300 && answer.status < 400 && location !== undefined) {
      // The result has an address of its own, which the next poll uses.
      return { place: placeFrom(location, candidate) ?? found, state: 'pending', running: true }
    }
    const wished = answer.retryAfterMs === undefined ? undefined : Math.min(answer.retryAfterMs, longestPauseMs)
    if (answer.status >= 200 && answer.status < 300) {
      const json = parseJson(answer.body)
      const state = readTaskState(json)
      const hasImages = readEntries(json).some(entry => entry.source !== undefined)
      if (state.is === 'pending' || (answer.status === 202 && state.is === 'unknown')) {
        return { place: found, state: 'pending', running: state.running, afterMs: wished }
      }
      const isEnd = state.is === 'done' || state.is === 'failed' || (hasImages && state.word === undefined)
      if (isEnd || (hasImages && polls >= looksBeforeUnknownWord)) return { place: found, state: 'ended', answer }
      if (state.word !== undefined) {
        const reason = `The service says "${state.word.slice(0, 40)}" of the task.`
        return { place: found, state: 'unsure', afterMs: wished ?? pauseInTroubleMs, reason }
      }
    }
    const said = errorIn(parseJson(answer.body))?.message?.slice(0, 200)
    strange = `The service answered with status ${answer.status} when asked for the task${said ? ` (${said})` : ''}.`
    // Another address may be the right one; errors of the key or the service are the same at all of them.
    if ([401, 402, 403, 408, 429].includes(answer.status) || answer.status >= 500) {
      const isRefused = answer.status >= 401 && answer.status <= 403
      const advice = isRefused ? ' Check the API key; the task goes on meanwhile.' : ''
      const afterMs = wished ?? (isRefused ? pauseWhenRefusedMs : pauseInTroubleMs)
      return { place, state: 'unsure', afterMs, reason: strange + advice }
    }
  }
  return { place, state: 'unsure', afterMs: pauseInTroubleMs, reason: strange }
}

/** Addresses at which gateways serve tasks, the most common first. */
function candidatesFor(place: string, baseUrl: string): string[] {
  if (/^(?:\/|https?:)/i.test(place)) return [new URL(place, baseUrl).href]
  const id = encodeURIComponent(place)
  return ['tasks', 'images/tasks', 'images/generations'].map(folder => `${baseUrl}/${folder}/${id}`)
}

async function look(url: string, context: Context) {
  // The key is sent only to its own service, whatever an answer names.
  const isOwn = new URL(url).origin === new URL(context.baseUrl).origin
  const response = await context.http.request({
    method: 'GET',
    url,
    headers: { accept: 'application/json', ...(isOwn ? { authorization: authorization(context.apiKey) } : {}) },
    signal: context.signal,
    headersTimeoutMs: lookTimeoutMs,
    idleTimeoutMs: lookTimeoutMs,
  })
  return { answer: await readAnswer(response), location: response.headers.location }
}

// ── The state of a task ──────────────────────────────────────────────────────────────────────────────────────

interface TaskState {
  is: 'pending' | 'done' | 'failed' | 'unknown'
  running: boolean
  /** The word as written; undefined where there is none. */
  word?: string
}

function readTaskState(json: unknown): TaskState {
  const words = wordsIn(json)
  const pending = words.find(word => pendingWords.has(word))
  if (pending !== undefined) return { is: 'pending', running: !queuedWords.has(pending), word: pending }
  const strange = words.find(word => !doneWords.has(word) && !failedWords.has(word))
  if (strange !== undefined || words.length === 0) return { is: 'unknown', running: true, word: strange }
  return { is: words.some(word => doneWords.has(word)) ? 'done' : 'failed', running: false, word: words[0] }
}

/** The innermost words: what stands around a task is often the success of asking for it. */
function wordsIn(json: unknown): string[] {
  const records = recordsIn(json)
  const inner = records.slice(0, -1).flatMap(record => findStateWord(record) ?? [])
  return inner.length > 0 ? inner : records.slice(-1).flatMap(record => findStateWord(record) ?? [])
}

/** Objects that may be a task, the outermost last. */
function recordsIn(json: unknown): JsonObject[] {
  if (Array.isArray(json)) return json.flatMap(recordsIn)
  if (!isObject(json)) return []
  const { data, output, result } = json
  return [...[data, output, result].flat().filter(isObject), json]
}

function findStateWord(record: JsonObject): string | undefined {
  const word = [record.task_status, record.taskStatus, record.status, record.state].map(text).find(Boolean)
  return word
    ?.trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_')
}

/** Why a failed task made nothing. */
export function failureOfTask(answer: RawAnswer, json: unknown): ProviderFailure | undefined {
  if (readTaskState(json).is !== 'failed') return undefined
  const found = recordsIn(json).flatMap(record => reasonIn(record) ?? [])[0]
  const known = interpretError(answer, found ?? {})
  const isRefused = known.disposition === 'refused'
  return {
    ...known,
    // The submit was accepted, so the task is not sent again automatically, and only a known refusal is free.
    code: known.disposition === 'retry_safe' ? 'provider_rejected' : known.code,
    disposition: isRefused ? 'refused' : 'maybe_billed',
    message: isRefused
      ? known.message
      : `The task failed at the service${found?.message ? `: ${found.message.slice(0, 500)}` : ', without a reason'}. Its usage page tells whether it was charged; look there before you ask again.`,
    concerns: undefined,
    retryAfterMs: undefined,
  }
}

function reasonIn(record: JsonObject): { code?: string; message?: string } | undefined {
  const inError = record.error ? errorIn(record) : undefined
  const message = inError?.message ?? reasonNames.map(name => text(record[name])).find(Boolean)
  const code = inError?.code ?? text(record.error_code)
  return message === undefined && code === undefined ? undefined : { code, message }
}
