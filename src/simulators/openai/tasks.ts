/**
 * Gateways that copy OpenAI's API and answer with a task: `list` as APIMart, `object` as New API, `plain` as EvoLink, `location` with
 * the headers of sub2api (their documents, 2026-11).
 */
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

export interface Reply {
  status: number
  body: object | string
  headers?: Record<string, string>
}

export interface GatewayTasks {
  add(task: Omit<GatewayTask, 'id' | 'looks'>): Reply
  /** Undefined where nothing is at this path. */
  look(path: string): Reply | undefined
  /** Tasks do not end until `release`. `word` in place of the dialect's own for a task that works. */
  hold(word?: string): void
  release(): void
}

export function createGatewayTasks(): GatewayTasks {
  const tasks = new Map<string, GatewayTask>()
  let held: { word?: string } | undefined

  return {
    add(task) {
      const id = `task_${randomBytes(12).toString('hex')}`
      tasks.set(id, { ...task, id, looks: 0 })
      return submitted(id, task.dialect)
    },
    look(path) {
      const [, folder, id = ''] = /^\/v1\/(tasks|images\/tasks|jobs)\/([^/]+)\/?$/.exec(path) ?? []
      const task = tasks.get(id)
      if (!task || folder !== folders[task.dialect]) return undefined
      task.looks++
      // The first look always finds it at work.
      const isWorking = held !== undefined || task.looks === 1 || Date.now() < task.readyAt
      if (isWorking) return working(task, held?.word)
      return task.failure === undefined ? done(task) : failed(task, task.failure)
    },
    hold(word) {
      held = { word }
    },
    release() {
      held = undefined
    },
  }
}

const folders: Readonly<Record<TaskDialect, string>> = {
  list: 'tasks',
  object: 'images/tasks',
  plain: 'tasks',
  location: 'jobs',
}

function submitted(id: string, dialect: TaskDialect): Reply {
  switch (dialect) {
    case 'list':
      return { status: 200, body: { code: 200, data: [{ status: 'submitted', task_id: id }] } }
    case 'object':
      return { status: 200, body: { code: 'success', message: '', data: { task_id: id } } }
    case 'plain':
      return { status: 200, body: { id, object: 'image.task', status: 'queued', progress: 0 } }
    case 'location':
      return { status: 202, body: '', headers: { location: `/v1/jobs/${id}`, 'retry-after': '1' } }
  }
}

function working({ id, dialect }: GatewayTask, word: string | undefined): Reply {
  switch (dialect) {
    case 'list':
      return { status: 200, body: { code: 200, data: { id, status: word ?? 'processing', progress: 50 } } }
    case 'object':
      return { status: 200, body: { code: 'success', data: { task_id: id, status: word ?? 'IN_PROGRESS', data: {} } } }
    case 'plain':
      return { status: 200, body: { id, object: 'image.task', status: word ?? 'in_progress', progress: 50 } }
    case 'location':
      return { status: 202, body: { state: word ?? 'Running' }, headers: { 'retry-after': '1' } }
  }
}

function done({ id, dialect, urls }: GatewayTask): Reply {
  const created = Math.floor(Date.now() / 1000)
  switch (dialect) {
    case 'list': {
      const images = [{ url: urls, expires_at: created + 86_400 }]
      const times = { created, completed: created, actual_time: 1 }
      return {
        status: 200,
        body: { code: 200, data: { ...times, id, status: 'completed', progress: 100, result: { images } } },
      }
    }
    case 'object': {
      const data = { task_id: id, status: 'SUCCESS', fail_reason: '', data: { output: urls } }
      return { status: 200, body: { code: 'success', message: '', data } }
    }
    case 'plain':
      return { status: 200, body: { id, object: 'image.task', status: 'completed', progress: 100, results: urls } }
    case 'location':
      return { status: 200, body: { state: 'Done', url: urls } }
  }
}

function failed({ id, dialect }: GatewayTask, reason: string): Reply {
  switch (dialect) {
    case 'list': {
      const error = { code: 'task_failed', message: reason, type: 'task_failed' }
      return { status: 200, body: { code: 200, data: { id, status: 'failed', error } } }
    }
    case 'object':
      return { status: 200, body: { code: 'success', data: { task_id: id, status: 'FAILURE', fail_reason: reason } } }
    case 'plain':
      return { status: 200, body: { id, status: 'error', error: reason } }
    case 'location':
      return { status: 200, body: { state: 'Cancelled', message: reason } }
  }
}
