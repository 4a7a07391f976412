/** Sends what was pressed once, however often it is pressed by mistake, whatever becomes of the answer, and also when the server is away. */
import type { QueryClient } from '@tanstack/react-query'
import { newKey } from '../../client/client.ts'
import { ApiError } from '../../client/errors.ts'
import { rememberAsked } from '../data/asked.ts'
import { api } from '../data/client.ts'
import { onReconnect } from '../data/connection.ts'
import { type Generation, putAnswer } from '../data/generations.ts'
import { createKept, createStore } from '../data/store.ts'
import { toastError } from '../ui/query.tsx'

interface Press {
  path: string
  /** JSON. */
  body: string
  /** `Idempotency-Key`: the same key never makes a second generation. */
  key: string
  /** Milliseconds since 1970. */
  at: number
  isAnswered?: boolean
}

const maxKept = 20
const kept = createKept('presses', parsePresses)
/** Presses of this tab that are sent when the server is back, also after a reload. */
const keptOutbox = createKept('outbox', parsePresses, { isOfTab: true })

/** A second press this soon is a double click, not a wish for a second picture. */
const doubleClickMs = 1500
/** Time for which somebody may press again because an answer was lost. */
const forgetAfterMs = 10 * 60_000
/** Well within the week for which the server knows a key. */
const maxWaitMs = 12 * 3600_000
const firstPauseMs = 1000
const maxPauseMs = 30_000

/** A press that was withdrawn before the server could be reached. */
export class Withdrawn extends Error {
  override name = 'Withdrawn'
}

/**
 * POSTs what makes something. A press whose answer was lost keeps its key, so that pressing again asks for the same generation and not
 * for another one. While the server is away it waits, and is sent when it is back.
 * @throws ApiError, Withdrawn
 */
export async function press(path: string, body: object): Promise<Generation> {
  const text = JSON.stringify(body)
  const now = Date.now()
  const earlier = kept.read().filter(({ at, isAnswered }) => now - at < (isAnswered ? doubleClickMs : forgetAfterMs))
  const same = earlier.find(press => press.path === path && press.body === text)
  const sent: Press = same ?? { path, body: text, key: newKey(), at: now }
  keepPresses([...earlier.filter(press => press !== same), sent])
  return deliver(sent)
}

/** Goes on with what waited when the page was loaded again. */
export async function resumePresses(client: QueryClient) {
  await Promise.all(
    keptOutbox.read().map(press =>
      deliver(press, { hasWaited: true }).then(
        generation => putAnswer(client, generation),
        error => void (error instanceof Withdrawn || toastError(error)),
      ),
    ),
  )
}

async function deliver(press: Press, { hasWaited = false } = {}): Promise<Generation> {
  const waiting = new AbortController()
  try {
    if (hasWaited) changeOutbox(presses => new Map(presses).set(press, waiting))
    for (let tries = 0; ; tries++) {
      try {
        const generation = await api.generateAt(press.path, JSON.parse(press.body), { key: press.key })
        // Read again, because several are sent side by side.
        keepPresses(kept.read().map(other => (other.key === press.key ? { ...other, isAnswered: true } : other)))
        rememberAsked(generation.id)
        return generation
      } catch (error) {
        if (!isAway(error) || Date.now() - press.at > maxWaitMs) throw error
        changeOutbox(presses => new Map(presses).set(press, waiting))
        await reconnected(Math.min(firstPauseMs * 2 ** tries, maxPauseMs), waiting.signal)
        if (waiting.signal.aborted) throw new Withdrawn()
      }
    }
  } catch (error) {
    const isAnswered = error instanceof ApiError && error.status >= 400 && error.status < 500
    if (isAnswered) keepPresses(kept.read().filter(({ key }) => key !== press.key))
    throw error
  } finally {
    changeOutbox(presses => new Map([...presses].filter(([other]) => other !== press)))
  }
}

/** No answer, or one of a proxy in front of the server. */
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

const outbox = createStore<ReadonlyMap<Press, AbortController>>(new Map())

function changeOutbox(change: (presses: ReadonlyMap<Press, AbortController>) => ReadonlyMap<Press, AbortController>) {
  outbox.set(change(outbox.get()))
  const presses = [...outbox.get().keys()]
  keptOutbox.write(presses.length === 0 ? undefined : presses.slice(-maxKept))
}

/** Does something for this address wait for the server? */
export function useIsWaiting(path: string) {
  return outbox.use(presses => [...presses.keys()].some(press => press.path === path))
}

/** Withdraws a press that was not sent. What reached the server before is not touched. */
export function withdraw(path: string) {
  for (const [press, waiting] of outbox.get()) if (press.path === path) waiting.abort()
}

function parsePresses(json: unknown): Press[] {
  return Array.isArray(json)
    ? json.filter(press => typeof press?.key === 'string' && typeof press.path === 'string')
    : []
}

/** Without storage a double click is still caught by the disabled button. */
function keepPresses(presses: readonly Press[]) {
  kept.write(presses.length === 0 ? undefined : presses.slice(-maxKept))
}
