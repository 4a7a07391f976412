/** Gateways that copy OpenAI's API and answer with a task, each in its own way (their documents, 2026-11). */
import { randomBytes } from 'node:crypto'

export type TaskDialect = 'list' | 'object' | 'plain' | 'location'

interface GatewayTask {
  id: string
  dialect: TaskDialect
  readyAt: number
  looks: number
  urls: string[]
  /** Why it makes nothing. */
  failure?: string
}

interface Reply {
  status: number
  body: object | string
  headers?: Record<string, string>
}

interface Dialect {
  /** Where tasks are looked at, below `/v1/`. */
  folder: string
  submitted(id: string): Reply
  /** `word` in place of the usual one. */
  working(id: string, word?: string): Reply
  done(id: string, urls: string[]): Reply
  failed(id: string, reason: string): Reply
}

const answer = (body: object): Reply => ({ status: 200, body })
const listAnswer = (data: object) => answer({ code: 200, data })
const objectAnswer = (data: object) => answer({ code: 'success', message: '', data })
const plainAnswer = (id: string, status: string, more: object) => answer({ id, object: 'image.task', status, ...more })
const unixSeconds = () => Math.floor(Date.now() / 1000)

const dialects: Readonly<Record<TaskDialect, Dialect>> = {
  /** APIMart. */
  list: {
    folder: 'tasks',
    submitted: id => listAnswer([{ status: 'submitted', task_id: id }]),
    working: (id, word = 'processing') => listAnswer({ id, status: word, progress: 50 }),
    done(id, urls) {
      const images = [{ url: urls, expires_at: unixSeconds() + 86_400 }]
      const times = { created: unixSeconds(), completed: unixSeconds(), actual_time: 1 }
      return listAnswer({ ...times, id, status: 'completed', progress: 100, result: { images } })
    },
    failed(id, message) {
      const error = { code: 'task_failed', message, type: 'task_failed' }
      return listAnswer({ id, status: 'failed', error })
    },
  },
  /** New API. */
  object: {
    folder: 'images/tasks',
    submitted: id => objectAnswer({ task_id: id }),
    working: (id, word = 'IN_PROGRESS') => objectAnswer({ task_id: id, status: word, data: {} }),
    done: (id, urls) => objectAnswer({ task_id: id, status: 'SUCCESS', fail_reason: '', data: { output: urls } }),
    failed: (id, reason) => objectAnswer({ task_id: id, status: 'FAILURE', fail_reason: reason }),
  },
  /** EvoLink. */
  plain: {
    folder: 'tasks',
    submitted: id => plainAnswer(id, 'queued', { progress: 0 }),
    working: (id, word = 'in_progress') => plainAnswer(id, word, { progress: 50 }),
    done: (id, urls) => plainAnswer(id, 'completed', { progress: 100, results: urls }),
    failed: (id, error) => answer({ id, status: 'error', error }),
  },
  /** 202 with an address, as sub2api. */
  location: {
    folder: 'jobs',
    submitted: id => ({ status: 202, body: '', headers: { location: `/v1/jobs/${id}`, 'retry-after': '1' } }),
    working: (_id, word = 'Running') => ({ status: 202, body: { state: word }, headers: { 'retry-after': '1' } }),
    done: (_id, urls) => answer({ state: 'Done', url: urls }),
    failed: (_id, message) => answer({ state: 'Cancelled', message }),
  },
}

export function createGatewayTasks() {
  const tasks = new Map<string, GatewayTask>()
  let held: { word?: string } | undefined

  return {
    add(task: Omit<GatewayTask, 'id' | 'looks'>): Reply {
      const id = `task_${randomBytes(12).toString('hex')}`
      tasks.set(id, { ...task, id, looks: 0 })
      return dialects[task.dialect].submitted(id)
    },

    /** Undefined where nothing is at this path. */
    look(path: string): Reply | undefined {
      const [, folder, id = ''] = /^\/v1\/(tasks|images\/tasks|jobs)\/([^/]+)\/?$/.exec(path) ?? []
      const task = tasks.get(id)
      const dialect = task && dialects[task.dialect]
      if (!dialect || folder !== dialect.folder) return undefined
      task.looks++
      // The first look always finds it at work.
      const isWorking = held !== undefined || task.looks === 1 || Date.now() < task.readyAt
      if (isWorking) return dialect.working(id, held?.word)
      return task.failure === undefined ? dialect.done(id, task.urls) : dialect.failed(id, task.failure)
    },

    /** Tasks do not end until `release`. `word` in place of the dialect's own for a task that works. */
    hold(word?: string): void {
      held = { word }
    },
    release(): void {
      held = undefined
    },
  }
}
