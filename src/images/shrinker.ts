/**
 * Shrinks pictures in a process of its own. What the decoder and the C library keep of large pictures would stay in the server; this
 * process ends when it has nothing to do, and takes it along. A picture that crashes it does not crash the server.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { shrink } from './shrink.ts'

export interface ShrinkOrder {
  path: string
  /** Longest sides in pixels. */
  sides: readonly number[]
}

export type ShrinkAnswer = { made: Buffer[] } | { reason: string }

export interface Shrinker {
  /** One WebP for each side, in order; one call at a time. Rejects when the picture cannot be shrunk. */
  shrink(path: string, sides: readonly number[]): Promise<Buffer[]>
  /** Ends the process; call it when nothing is being shrunk. */
  close(): Promise<void>
}

/** In this process, for whoever needs everything in one order. */
export const inlineShrinker: Shrinker = { shrink, close: async () => {} }

/** Starting costs a tenth of a second, which is not spent again while thumbnails are asked for one after another. */
const usualIdleMs = 5_000
/** A picture of 100 megapixels takes seconds. */
const maxMs = 120_000

class ProcessEnded extends Error {
  override name = 'ProcessEnded'
}

/**
 * @param options.idleMs without a picture, until the process ends
 * @param options.started told of each process
 */
export function createShrinker(options: { idleMs?: number; started?(child: ChildProcess): void } = {}): Shrinker {
  const { idleMs = usualIdleMs, started } = options
  let running: ChildProcess | undefined
  let idle: NodeJS.Timeout | undefined

  return {
    async shrink(path, sides) {
      clearTimeout(idle)
      const order = { path, sides }
      try {
        return await ask(order).catch(error => {
          if (!(error instanceof ProcessEnded)) throw error
          // It may have been killed for something else, such as the memory of the whole machine.
          return ask(order)
        })
      } finally {
        idle = setTimeout(() => void end(), idleMs).unref()
      }
    },

    async close() {
      clearTimeout(idle)
      await end()
    },
  }

  async function ask(order: ShrinkOrder): Promise<Buffer[]> {
    running ??= await start()
    // Nothing may start processes here.
    if (!running) return shrink(order.path, order.sides)
    const answer = await exchange(running, order)
    if ('reason' in answer) throw new Error(answer.reason)
    return answer.made
  }

  async function start(): Promise<ChildProcess | undefined> {
    try {
      const child = fork(new URL('./shrink-process.ts', import.meta.url), {
        execArgv: [],
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      })
      child.once('exit', () => {
        if (running === child) running = undefined
      })
      await once(child, 'spawn')
      child.on('error', () => {})
      child.unref()
      child.channel?.unref()
      started?.(child)
      return child
    } catch {
      return undefined
    }
  }

  async function end() {
    const child = running
    running = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    // Whoever closes waits for this, and has more to close, when nothing else keeps the process running.
    child.ref()
    const ended = once(child, 'exit')
    if (child.connected) child.disconnect()
    await ended
  }
}

function exchange(child: ChildProcess, order: ShrinkOrder): Promise<ShrinkAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ShrinkAnswer>()
  const ended = () => reject(new ProcessEnded('The process that makes thumbnails has ended.'))
  const timer = setTimeout(() => child.kill('SIGKILL'), maxMs)
  child.once('message', resolve)
  child.once('exit', ended)
  child.send(order, error => error && ended())
  return promise.finally(() => {
    clearTimeout(timer)
    child.off('message', resolve)
    child.off('exit', ended)
  })
}
