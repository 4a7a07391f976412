/** One stream of events for the whole page: it keeps the query cache up to date, also after a lost network. */
import type { QueryClient } from '@tanstack/react-query'
import { useEffect, useEffectEvent, useSyncExternalStore } from 'react'
import type { Generation } from '../api/generations.ts'
import { address, dropGeneration, findGeneration, putGeneration, request, spendingChanged } from './api.ts'
import { announceReconnect } from './reconnects.ts'

export type Connection = 'connecting' | 'open' | 'lost'

const firstPauseMs = 1000
const longestPauseMs = 15_000
/** A short break is not worth a word. */
const patienceMs = 2500

let connection: Connection = 'connecting'
const connectionListeners = new Set<() => void>()
const generationListeners = new Set<(generation: Generation, isNew: boolean) => void>()

/** What waits or is drawn, as the stream tells it. */
const unfinished = new Map<string, Generation>()

/** How many were asked for earlier and wait for the same: a service takes few at once with one key and model. */
export function countAhead({ id, config_id, model, timestamp }: Generation): number {
  return [...unfinished.values()].filter(
    other =>
      other.id !== id &&
      other.status === 'queued' &&
      other.config_id === config_id &&
      other.model === model &&
      other.timestamp < timestamp,
  ).length
}

/** Is the server there? */
export function useConnection(): Connection {
  return useSyncExternalStore(subscribe, () => connection)
}

function subscribe(listener: () => void) {
  connectionListeners.add(listener)
  return () => connectionListeners.delete(listener)
}

/** Calls back for every change of a generation, after the cache was brought up to date; `isNew` when it was not in it. */
export function useGenerationEvents(onChange: (generation: Generation, isNew: boolean) => void) {
  const listener = useEffectEvent(onChange)
  useEffect(() => {
    const handle = (generation: Generation, isNew: boolean) => listener(generation, isNew)
    generationListeners.add(handle)
    return () => {
      generationListeners.delete(handle)
    }
  }, [])
}

/** Follows until the returned function is called. */
export function followEvents(client: QueryClient) {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let lostTimer: ReturnType<typeof setTimeout> | undefined
  let pauseMs = firstPauseMs
  let wasOpen = false
  let isClosed = false

  function say(next: Connection) {
    clearTimeout(lostTimer)
    if (connection === next) return
    connection = next
    for (const listener of connectionListeners) listener()
  }

  function open() {
    source = new EventSource(address('api/events'))
    unfinished.clear()
    source.addEventListener('open', () => {
      // A stream of its own begins with what is unfinished; what ended meanwhile has to be asked for.
      if (wasOpen) announceReconnect()
      if (wasOpen) void client.invalidateQueries({ predicate: query => query.queryKey[0] !== 'models' })
      wasOpen = true
      pauseMs = firstPauseMs
      say('open')
    })
    source.addEventListener('generation', event => {
      const generation = JSON.parse(event.data) as Generation
      const isNew = findGeneration(client, generation.id) === undefined
      if (generation.status === 'queued' || generation.status === 'running') unfinished.set(generation.id, generation)
      else unfinished.delete(generation.id)
      putGeneration(client, generation)
      if (isNew || generation.finished_at !== null) spendingChanged(client)
      for (const listener of generationListeners) listener(generation, isNew)
    })
    source.addEventListener('removed', event => {
      const { id } = JSON.parse(event.data) as { id: string }
      unfinished.delete(id)
      dropGeneration(client, id)
    })
    source.addEventListener('error', () => {
      clearTimeout(lostTimer)
      lostTimer = setTimeout(() => say('lost'), patienceMs)
      // While it is only interrupted it comes back by itself, with its Last-Event-ID.
      if (source?.readyState !== EventSource.CLOSED) return
      // It gives up for good on an answer that is no stream: a proxy without its server, or a session that ended.
      void askAgain()
    })
  }

  async function askAgain() {
    // Leads to the login page when that is the cause.
    await request('api/status').catch(() => undefined)
    if (isClosed) return
    clearTimeout(timer)
    timer = setTimeout(open, pauseMs)
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  }

  open()
  return () => {
    isClosed = true
    clearTimeout(timer)
    clearTimeout(lostTimer)
    source?.close()
  }
}
