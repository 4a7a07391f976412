/** Waits for the end of a generation, and tells the client how far it is. */
import type { ServerContext } from '@modelcontextprotocol/server'
import type { Generation } from '../api/generations.ts'
import { hasEnded } from '../client/client.ts'
import type { Operations } from './operations.ts'

/** Many clients give a request 60 s. */
export const usualWaitSeconds = 50
export const maxWaitSeconds = 600
/** Clients that start their time anew with each notification get one this often. */
const tellEveryMs = 5_000
/** Half of what a picture takes, for a share that only ever grows. */
const typicalMs = 20_000

/** The generation at its end, or as it is when `ms` are over or `signal` aborts. */
export async function waitForEnd(
  operations: Pick<Operations, 'follow' | 'find'>,
  begun: Generation,
  { ms, signal, tell }: { ms: number; signal: AbortSignal; tell?: (generation: Generation) => void },
): Promise<Generation> {
  let newest = begun
  if (hasEnded(newest) || ms === 0) return newest
  const timeIsUp = new AbortController()
  const timer = setTimeout(() => timeIsUp.abort(), ms)
  const heartbeat = tell && setInterval(() => tell(newest), tellEveryMs)
  try {
    tell?.(newest)
    await operations.follow(begun.id, AbortSignal.any([signal, timeIsUp.signal]), generation => {
      newest = generation
      tell?.(generation)
    })
  } catch {
    // What was begun goes on; the answer says how to find it.
  } finally {
    clearTimeout(timer)
    clearInterval(heartbeat)
  }
  return newest
}

/** Tells of progress where the client asked for it; undefined where it did not. */
export function progressTeller({ mcpReq }: ServerContext) {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return undefined
  const startedAt = performance.now()
  let last = -1
  return (generation: Generation) => {
    const elapsed = performance.now() - startedAt
    const total = countWanted(generation)
    const stored = generation.images.length
    const progress = hasEnded(generation) ? total : Math.min(total, stored + (0.9 * elapsed) / (elapsed + typicalMs))
    // The specification asks for a value that grows with every notification.
    if (progress <= last) return
    last = progress
    const message = describeProgress(generation, Math.round(elapsed / 1000))
    const params = { progressToken, progress, total, message }
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {})
  }
}

/** Pictures that were asked for. */
export function countWanted({ resolved, parameters, images, failures }: Generation) {
  const wanted = Number(resolved?.n ?? parameters.n ?? 1)
  return Math.max(Number.isFinite(wanted) ? wanted : 1, images.length + failures.length, 1)
}

function describeProgress(generation: Generation, seconds: number) {
  const { status, images, waiting } = generation
  const state = status === 'queued' ? 'queued' : `${images.length} of ${countWanted(generation)} pictures stored`
  return [`${state}, ${seconds} s`, ...(waiting ? [waiting] : [])].join('. ')
}
