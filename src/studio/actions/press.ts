/** Sends what was pressed once, however often it is pressed by mistake, whatever becomes of the answer, and also when the server is away. */
import type { QueryClient } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { ApiError, explain, type Generation, newKey, putAnswer, request } from '../data/api.ts'
import { onReconnect } from '../data/reconnects.ts'
import { keepJson, readKeptJson } from '../data/store.ts'
import { toast } from '../ui/toast.tsx'

interface Press {
  path: string
  /** JSON. */
  body: string
  /** For `Idempotency-Key`: the same key never makes a second generation. */
  key: string
  /** Milliseconds since 1970. */
  at: number
  isAnswered?: boolean
}

const pressesName = 'presses'
/** Of this tab: they are sent when the server is back, also after a reload. */
const outboxName = 'outbox'
/** Nobody means a second picture this soon; a double click does. */
const doubleClickMs = 1500
/** As long as somebody may still press because of a lost answer. */
const forgetAfterMs = 10 * 60_000
/** Well within the week for which the server knows a key. */
const maxWaitMs = 12 * 3600_000
const firstPauseMs = 1000
const maxPauseMs = 30_000

/** It was taken back before the server could be reached. */
export class TakenBack extends Error {
  override name = 'TakenBack'
}

/**
 * POSTs what makes something. A press whose answer was lost keeps its key, so that pressing again asks for the same generation and not
 * for another one. While the server is away it waits, and is sent when it is back.
 * @throws ApiError, TakenBack
 */
export async function press(path: string, body: object): Promise<Generation> {
  const text = JSON.stringify(body)
  const now = Date.now()
  const earlier = readPresses(pressesName).filter(
    ({ at, isAnswered }) => now - at < (isAnswered ? doubleClickMs : forgetAfterMs),
  )
  const same = earlier.find(press => press.path === path && press.body === text)
  const sent: Press = same ?? { path, body: text, key: newKey(), at: now }
  keepPresses(pressesName, [...earlier.filter(press => press !== same), sent])
  return deliver(sent)
}

/** Goes on with what waited when the page was loaded again. */
export async function resumePresses(client: QueryClient) {
  await Promise.all(
    readPresses(outboxName).map(press =>
      deliver(press, { hasWaited: true }).then(
        generation => putAnswer(client, generation),
        error => void (error instanceof TakenBack || toast(explain(error), { look: 'bad' })),
      ),
    ),
  )
}

async function deliver(press: Press, { hasWaited = false } = {}): Promise<Generation> {
  const waiting = new AbortController()
  try {
    if (hasWaited) changeOutbox(outbox => outbox.set(press, waiting))
    for (let tries = 0; ; tries++) {
      try {
        const generation = await request<Generation>(press.path, {
          method: 'POST',
          body: JSON.parse(press.body),
          headers: { prefer: 'respond-async', 'idempotency-key': press.key },
        })
        // Read again, because several are sent side by side.
        keepPresses(
          pressesName,
          readPresses(pressesName).map(other => (other.key === press.key ? { ...other, isAnswered: true } : other)),
        )
        return generation
      } catch (error) {
        if (!isAway(error) || Date.now() - press.at > maxWaitMs) throw error
        changeOutbox(outbox => outbox.set(press, waiting))
        await reconnected(Math.min(firstPauseMs * 2 ** tries, maxPauseMs), waiting.signal)
        if (waiting.signal.aborted) throw new TakenBack()
      }
    }
  } catch (error) {
    const isAnswered = error instanceof ApiError && error.status >= 400 && error.status < 500
    if (isAnswered)
      keepPresses(
        pressesName,
        readPresses(pressesName).filter(({ key }) => key !== press.key),
      )
    throw error
  } finally {
    changeOutbox(outbox => outbox.delete(press))
  }
}

/** Nobody answered, or somebody in front of the server did. */
function isAway(error: unknown) {
  if (!(error instanceof ApiError)) return false
  if (error.status === 0 || error.code === 'shutting_down') return true
  return error.problem === undefined && [502, 503, 504].includes(error.status)
}

/** Resolves when the server is back, when it may be, or when the press is taken back. */
function reconnected(ms: number, signal: AbortSignal) {
  return new Promise<void>(resolve => {
    const timer = setTimeout(end, ms)
    const stopListening = onReconnect(end)
    signal.addEventListener('abort', end)
    function end() {
      clearTimeout(timer)
      stopListening()
      resolve()
    }
  })
}

// ── Those that wait ─────────────────────────────────────────────────────────────────────────────────────────────────

const outbox = new Map<Press, AbortController>()
const listeners = new Set<() => void>()

function changeOutbox(change: (presses: typeof outbox) => void) {
  change(outbox)
  keepPresses(outboxName, [...outbox.keys()])
  for (const listener of listeners) listener()
}

/** Does something for this address wait for the server? */
export function useIsWaiting(path: string) {
  return useSyncExternalStore(subscribe, () => [...outbox.keys()].some(press => press.path === path))
}

/** It is not sent. What reached the server before is not touched. */
export function reinstate(path: string) {
  for (const [press, waiting] of outbox) if (press.path === path) waiting.abort()
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

function storageOf(name: string) {
  return name === outboxName ? sessionStorage : localStorage
}

function readPresses(name: string): Press[] {
  const kept = readKeptJson(name, storageOf(name))
  return Array.isArray(kept)
    ? kept.filter(press => typeof press?.key === 'string' && typeof press.path === 'string')
    : []
}

/** Without storage a double click is still caught by the disabled button. */
function keepPresses(name: string, presses: readonly Press[]) {
  keepJson(name, presses.length === 0 ? undefined : presses.slice(-20), storageOf(name))
}
