/** The tasks of the simulated DashScope: their clock, their answers and their list. */
import { Refusal } from '../refusal.ts'
import { invalidParameter } from './refusals.ts'
import type { QwenJob } from './requests.ts'

export type QwenTaskStatus = 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELED'

export interface QwenTask {
  id: string
  /** Request id of the submit; ledger and list show it. */
  requestId: string
  account: string
  /** The name of the key that submitted it. */
  key: string
  job: QwenJob
  status: QwenTaskStatus
  /** ms since 1970. */
  submittedAt: number
  scheduledAt?: number
  endedAt?: number
  /** What a look adds to `output` once it has ended, and `usage`. */
  ended?: { status: 'SUCCEEDED' | 'FAILED'; output: object; usage?: object }
}

interface Entry extends QwenTask {
  work: () => NonNullable<QwenTask['ended']>
  /** What the clock has already allowed; a hold may keep the task from it. */
  allowed: 'PENDING' | 'RUNNING' | 'end'
  looks: number
  /** A slow or hanging task keeps to the clock, however often it is looked at. */
  byClock: boolean
  timers: NodeJS.Timeout[]
}

/** At time scale 0 each look brings a task one step on; without looks it moves by itself after this. */
const unwatchedMs = 1000
const pendingMs = 600

export function createTasks(options: { timeScale: number; finishAtOnce: boolean }) {
  const entries = new Map<string, Entry>()
  let held: 'PENDING' | 'RUNNING' | undefined

  /** As far as the clock and the hold allow. Billing happens in `work`, when a task ends. */
  function move(entry: Entry) {
    if (entry.status === 'PENDING' && entry.allowed !== 'PENDING' && held !== 'PENDING') {
      entry.status = 'RUNNING'
      entry.scheduledAt = Date.now()
    }
    if (entry.status === 'RUNNING' && entry.allowed === 'end' && held === undefined) {
      entry.ended = entry.work()
      entry.status = entry.ended.status
      entry.endedAt = Date.now()
    }
  }

  function allow(entry: Entry, allowed: Entry['allowed']) {
    entry.allowed = allowed
    move(entry)
  }

  function later(entry: Entry, ms: number, allowed: Entry['allowed']) {
    const timer = setTimeout(() => allow(entry, allowed), ms)
    timer.unref()
    entry.timers.push(timer)
  }

  return {
    /** `runMs` is real time, Infinity for a task that never ends; undefined: at once, step by step as it is looked at. */
    submit(
      task: Pick<QwenTask, 'id' | 'requestId' | 'account' | 'key' | 'job'>,
      runMs: number | undefined,
      work: Entry['work'],
    ): QwenTask {
      const entry: Entry = {
        ...task,
        status: 'PENDING',
        submittedAt: Date.now(),
        work,
        allowed: 'PENDING',
        looks: 0,
        byClock: runMs !== undefined,
        timers: [],
      }
      entries.set(task.id, entry)
      if (runMs === undefined && options.finishAtOnce) allow(entry, 'end')
      else if (runMs === undefined) later(entry, unwatchedMs, 'end')
      else {
        const beginMs = pendingMs * options.timeScale
        later(entry, beginMs, 'RUNNING')
        if (Number.isFinite(runMs)) later(entry, beginMs + runMs, 'end')
      }
      return entry
    },

    /** One look by a caller; undefined when the account has no such task or the service has forgotten it. */
    look(id: string, account: string): QwenTask | undefined {
      const entry = entries.get(id)
      if (!entry || entry.account !== account || isForgotten(entry)) return undefined
      if (!entry.byClock && entry.allowed !== 'end') {
        entry.looks += 1
        allow(entry, entry.looks === 1 ? 'RUNNING' : 'end')
      }
      return entry
    },

    /** @throws Refusal unless the task is pending */
    cancel(id: string, account: string) {
      const entry = entries.get(id)
      if (!entry || entry.account !== account || entry.status !== 'PENDING' || isForgotten(entry)) {
        throw new Refusal(
          400,
          'UnsupportedOperation',
          'Failed to cancel the task, please confirm if the task is in PENDING status.',
        )
      }
      entry.status = 'CANCELED'
      entry.endedAt = Date.now()
    },

    /** Not ended, of one account and model: what the limit on running tasks counts. */
    unfinished: (account: string, modelId: string) =>
      [...entries.values()].filter(
        entry => entry.account === account && entry.job.model.id === modelId && isOpen(entry.status),
      ).length,

    /** The page that `GET tasks/` answers, newest first. @throws Refusal for a window over 24 hours */
    list(account: string, query: URLSearchParams, identity: { region: string; requestId: string }): object {
      const { from, to } = readWindow(query)
      const model = query.get('model_name')
      const status = query.get('status')
      const pageNumber = readCount(query, 'page_no', 1, 10_000)
      const pageSize = readCount(query, 'page_size', 10, 100)
      const found = [...entries.values()]
        .filter(entry => entry.account === account && !isForgotten(entry))
        .filter(entry => entry.submittedAt >= from && entry.submittedAt <= to)
        .filter(entry => (!model || entry.job.model.id === model) && (!status || entry.status === status))
        .reverse()
      return {
        request_id: identity.requestId,
        total: found.length,
        total_page: Math.ceil(found.length / pageSize),
        page_no: pageNumber,
        page_size: pageSize,
        data: found
          .slice((pageNumber - 1) * pageSize, pageNumber * pageSize)
          .map(entry => listed(entry, identity.region)),
      }
    },

    all: (): readonly QwenTask[] => [...entries.values()],

    hold(status: 'PENDING' | 'RUNNING') {
      held = status
    },

    release() {
      held = undefined
      for (const entry of entries.values()) move(entry)
    },

    /** As after 24 hours: every task there is becomes unknown. */
    forget() {
      for (const entry of entries.values()) entry.submittedAt = 0
    },

    close() {
      for (const entry of entries.values()) for (const timer of entry.timers) clearTimeout(timer)
    },
  }

  function isForgotten(entry: Entry) {
    return Date.now() - entry.submittedAt > dayMs
  }
}

const isOpen = (status: QwenTaskStatus) => status === 'PENDING' || status === 'RUNNING'

/** The body of `GET tasks/{id}`, which is 200 in every state. */
export function taskAnswer(task: QwenTask, requestId: string): object {
  return {
    request_id: requestId,
    output: {
      task_id: task.id,
      task_status: task.status,
      submit_time: beijingTime(task.submittedAt),
      ...(task.scheduledAt !== undefined && { scheduled_time: beijingTime(task.scheduledAt) }),
      ...(task.endedAt !== undefined && { end_time: beijingTime(task.endedAt) }),
      ...task.ended?.output,
    },
    ...(task.ended?.usage && { usage: task.ended.usage }),
  }
}

const functionOf: Readonly<Record<string, string>> = {
  IG: 'image-generation:generation',
  T2I: 'text2image:image-synthesis',
  I2I: 'image2image:image-synthesis',
}

function listed(task: QwenTask, region: string) {
  return {
    task_id: task.id,
    status: task.status,
    model_name: task.job.model.id,
    region,
    request_id: task.requestId,
    api_key_id: '15',
    caller_parent_id: task.account,
    caller_uid: task.account,
    gmt_create: task.submittedAt,
    ...(task.scheduledAt !== undefined && { start_time: task.scheduledAt }),
    ...(task.endedAt !== undefined && { end_time: task.endedAt }),
    user_api_unique_key: `apikey:v1:aigc:${functionOf[task.job.route]}:${task.job.model.id}`,
  }
}

const beijingOffsetMs = 8 * 3600 * 1000
const dayMs = 24 * 3600 * 1000

/** `2026-11-23 10:00:00.120`, without a word about the zone. */
const beijingTime = (at: number) => new Date(at + beijingOffsetMs).toISOString().replace('T', ' ').replace('Z', '')

function readWindow(query: URLSearchParams) {
  const begin = readMoment(query, 'start_time')
  const end = readMoment(query, 'end_time')
  const to = end ?? (begin === undefined ? Date.now() : begin + dayMs)
  const from = begin ?? to - dayMs
  if (to - from > dayMs || to < from) {
    throw invalidParameter('The interval between start_time and end_time must not exceed 24 hours.')
  }
  // The last second counts whole, as the times have no smaller unit.
  return { from, to: end === undefined ? to : to + 999 }
}

function readMoment(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (!text) return undefined
  const match = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/.exec(text)
  if (!match) throw invalidParameter(`${name} should be formatted as yyyyMMddHHmmss`)
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return Date.UTC(year, month - 1, day, hour, minute, second) - beijingOffsetMs
}

function readCount(query: URLSearchParams, name: string, standard: number, max: number) {
  const text = query.get(name)
  if (!text) return standard
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= max) return value
  throw invalidParameter(`Range of ${name} should be [1, ${max}]`)
}
