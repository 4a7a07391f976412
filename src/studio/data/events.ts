/** The events of the server: they keep the query cache up to date, also after a lost network. */
import type { QueryClient } from '@tanstack/react-query'
import { useEffect, useEffectEvent } from 'react'
import type { StreamMessage } from '../../client/events.ts'
import { api } from './client.ts'
import { announceReconnect, connection } from './connection.ts'
import type { WorkerMessage, WorkerRequest } from './event-worker.ts'
import { dropGeneration, findGeneration, type Generation, hasEnded, putGeneration } from './generations.ts'
import { modelsChanged, modelsQuery } from './models.ts'
import { createStore } from './store.ts'
import { spendingChanged } from './tokens.ts'

/** Delay before the "offline" banner, to ignore brief reconnects. */
const patienceMs = 2500
/** Refusals in a row after which a worker that has never received events is given up. */
const maxRefusals = 3

export interface GenerationEvent {
  /** It was under way before. */
  isEnd: boolean
  /** No tab of the studio is seen, and of all of them this one may say so. */
  mayTell: boolean
}
type Listener = (generation: Generation, event: GenerationEvent) => void

const listeners = new Set<Listener>()

/** Unfinished generations by id, as the stream reports them. */
export const unfinished = createStore<ReadonlyMap<string, Generation>>(new Map())

function changeUnfinished(id: string, generation?: Generation) {
  const changed = new Map(unfinished.get())
  if (generation) changed.set(id, generation)
  else if (!changed.delete(id)) return
  unfinished.set(changed)
}

/** How many were asked for earlier and wait for the same: a service takes few at once with one key and model. */
export function countAhead({ id, config_id, model, timestamp }: Generation): number {
  return [...unfinished.get().values()].filter(
    other =>
      other.id !== id &&
      other.status === 'queued' &&
      other.config_id === config_id &&
      other.model === model &&
      other.timestamp < timestamp,
  ).length
}

/** Calls back for every change of a generation, after the cache was brought up to date. */
export function useGenerationEvents(onChange: Listener) {
  const listener = useEffectEvent(onChange)
  useEffect(() => onGenerationEvent((generation, event) => listener(generation, event)), [])
}

/** Outside of components. The returned function ends it. */
export function onGenerationEvent(listener: Listener) {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

/** Follows for as long as the page is there. */
export function followEvents(client: QueryClient) {
  let lostTimer: ReturnType<typeof setTimeout> | undefined
  let wasOpen = false

  function take(message: WorkerMessage) {
    switch (message.type) {
      case 'open':
        clearTimeout(lostTimer)
        if (message.isFresh) unfinished.set(new Map())
        connection.set('open')
        // Generations that ended meanwhile have to be asked for.
        if (wasOpen) {
          announceReconnect()
          void client.invalidateQueries({ predicate: query => query.queryKey[0] !== modelsQuery.queryKey[0] })
        }
        wasOpen = true
        return
      case 'interrupted':
        clearTimeout(lostTimer)
        lostTimer = setTimeout(() => connection.set('lost'), patienceMs)
        // Leads to the login page when that is the cause.
        if (message.isRefused) void api.status().catch(() => undefined)
        return
      case 'generation':
        return change(message.generation, message.mayTell ?? false)
      case 'removed':
        changeUnfinished(message.id)
        dropGeneration(client, message.id)
    }
  }

  function change(generation: Generation, mayTell: boolean) {
    const isNew = findGeneration(client, generation.id) === undefined
    const isEnd = hasEnded(generation) && unfinished.get().has(generation.id)
    changeUnfinished(generation.id, hasEnded(generation) ? undefined : generation)
    putGeneration(client, generation)
    if (isNew || generation.finished_at !== null) spendingChanged(client)
    if (generation.error?.reason_code) modelsChanged(client)
    for (const listener of listeners) listener(generation, { isEnd, mayTell })
  }

  if ('SharedWorker' in globalThis) followWorker(take)
  else followWhileSeen(take)
}

/** Through the worker that all tabs share. */
function followWorker(take: (message: WorkerMessage) => void) {
  const worker = new SharedWorker(new URL('./event-worker.ts', import.meta.url), { type: 'module' })
  const send = (message: WorkerRequest) => worker.port.postMessage(message)
  const look = () => send({ type: 'look', isSeen: document.visibilityState === 'visible' })
  const follow = () => {
    send({ type: 'follow', baseUrl: document.baseURI })
    look()
  }
  const leave = () => send({ type: 'leave' })
  let refusals = 0
  worker.port.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
    if (data.type === 'open') refusals = Number.NEGATIVE_INFINITY
    else if (data.type === 'interrupted' && data.isRefused) refusals++
    take(data)
    // Something on the way lets pages through, and workers not.
    if (refusals === maxRefusals) doWithout()
  }
  addEventListener('pagehide', leave)
  // A page that was put aside comes back as it was left.
  addEventListener('pageshow', follow)
  document.addEventListener('visibilitychange', look)
  worker.onerror = doWithout
  follow()

  function doWithout() {
    leave()
    worker.onerror = null
    worker.port.close()
    removeEventListener('pagehide', leave)
    removeEventListener('pageshow', follow)
    document.removeEventListener('visibilitychange', look)
    followWhileSeen(take)
  }
}

/** Where there are no such workers, a tab holds a stream only while somebody looks at it. */
function followWhileSeen(take: (message: StreamMessage) => void) {
  let following: AbortController | undefined
  function look() {
    if (document.visibilityState === 'hidden') {
      following?.abort()
      following = undefined
    } else if (!following) {
      following = new AbortController()
      void api.follow({ signal: following.signal }, take)
    }
  }
  document.addEventListener('visibilitychange', look)
  look()
}
