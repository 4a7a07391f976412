/** Puts the clock, the timers and the chance of the present world into the place of those of the process. */
import crypto from 'node:crypto'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { present, type World } from './world.ts'

const require = createRequire(import.meta.url)
const real = {
  Date: globalThis.Date,
  now: performance.now.bind(performance),
  random: Math.random,
  setTimeout: globalThis.setTimeout,
  setInterval: globalThis.setInterval,
  setImmediate: globalThis.setImmediate,
  clearTimeout: globalThis.clearTimeout,
  clearImmediate: globalThis.clearImmediate,
  timeout: AbortSignal.timeout.bind(AbortSignal),
  randomUUID: crypto.randomUUID,
  randomBytes: crypto.randomBytes,
  hkdfSync: crypto.hkdfSync,
}

/** What `setTimeout` and `setInterval` give back. */
class Timer {
  private planned: { cancel(): void }
  private readonly world: World
  private readonly ms: number
  private readonly run: () => void
  private readonly isRepeated: boolean
  private isUnreferenced = false

  constructor(world: World, ms: number, run: () => void, isRepeated: boolean) {
    this.world = world
    this.ms = Number(ms) >= 1 ? Number(ms) : 1
    this.run = run
    this.isRepeated = isRepeated
    this.planned = this.plan()
  }

  private plan() {
    if (this.isRepeated && this.isUnreferenced) return this.world.repeat(this.ms, this.run)
    return this.world.plan('program', this.ms, '', () => {
      if (this.isRepeated) this.planned = this.plan()
      this.run()
    })
  }

  ref() {
    return this
  }

  unref() {
    if (!this.isUnreferenced && this.isRepeated) {
      this.isUnreferenced = true
      this.refresh()
    }
    return this
  }

  hasRef() {
    return !this.isUnreferenced
  }

  refresh() {
    this.planned.cancel()
    this.planned = this.plan()
    return this
  }

  close() {
    this.planned.cancel()
    return this
  }

  [Symbol.dispose]() {
    this.close()
  }
}

type Callback = (...values: unknown[]) => void

function installTimers() {
  const start =
    (isRepeated: boolean, otherwise: (run: Callback, ms?: number, ...values: unknown[]) => unknown) =>
    (run: Callback, ms = 1, ...values: unknown[]) => {
      const { world } = present
      return world ? new Timer(world, ms, () => run(...values), isRepeated) : otherwise(run, ms, ...values)
    }
  const stop = (timer: unknown) => {
    if (timer instanceof Timer) timer.close()
    else real.clearTimeout(timer as NodeJS.Timeout)
  }
  const timers = {
    setTimeout: start(false, real.setTimeout),
    setInterval: start(true, real.setInterval),
    setImmediate: (run: Callback, ...values: unknown[]) => {
      const { world } = present
      return world ? new Timer(world, 0, () => run(...values), false) : real.setImmediate(run, ...values)
    },
    clearTimeout: stop,
    clearInterval: stop,
    clearImmediate: (timer: unknown) =>
      timer instanceof Timer ? timer.close() : real.clearImmediate(timer as NodeJS.Immediate),
  }
  Object.assign(globalThis, timers)
  const { setImmediate: _, ...others } = timers
  // The loop of the world needs the real one.
  Object.assign(require('node:timers'), others)

  const sleep = (ms = 1, value?: unknown, options: { signal?: AbortSignal } = {}) => {
    const { world } = present
    const { signal } = options
    return new Promise((resolve, reject) => {
      const abort = () => {
        timer.close()
        reject(Object.assign(new Error('The operation was aborted', { cause: signal?.reason }), { name: 'AbortError' }))
      }
      const timer = world
        ? new Timer(world, ms, end, false)
        : { close: real.clearTimeout.bind(undefined, real.setTimeout(end, ms)) }
      function end() {
        signal?.removeEventListener('abort', abort)
        resolve(value)
      }
      if (signal?.aborted) abort()
      else signal?.addEventListener('abort', abort, { once: true })
    })
  }
  Object.assign(require('node:timers/promises'), { setTimeout: sleep })
  AbortSignal.timeout = ms => {
    const { world } = present
    if (!world) return real.timeout(ms)
    const controller = new AbortController()
    new Timer(
      world,
      ms,
      () => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
      false,
    )
    return controller.signal
  }
}

function installClock() {
  const now = () => present.world?.wallMs ?? real.Date.now()
  globalThis.Date = class extends real.Date {
    constructor(...values: [] | [number | string | Date]) {
      if (values.length === 0) super(now())
      else super(...(values as [number]))
    }

    static override now() {
      return now()
    }

    static override [Symbol.hasInstance](value: unknown) {
      return Object.prototype.toString.call(value) === '[object Date]'
    }
  } as DateConstructor
  performance.now = () => present.world?.now ?? real.now()
}

function installChance() {
  Math.random = () => present.world?.programChance.next() ?? real.random()
  Object.assign(crypto, {
    randomUUID: () => {
      const { world } = present
      if (!world) return real.randomUUID()
      const bytes = world.programChance.bytes(16)
      bytes[6] = (bytes[6]! & 0x0f) | 0x40
      bytes[8] = (bytes[8]! & 0x3f) | 0x80
      const hex = bytes.toString('hex')
      return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
    },
    randomBytes: (length: number) => present.world?.programChance.bytes(length) ?? real.randomBytes(length),
    hkdfSync,
  })
}

const derived = new Map<string, ArrayBuffer>()

/** Every life derives the same key from the same secret, which takes long. */
function hkdfSync(...values: Parameters<typeof crypto.hkdfSync>): ArrayBuffer {
  const key = values.join()
  const known = derived.get(key) ?? real.hkdfSync(...values)
  derived.set(key, known)
  return known
}

/** Once in a process, before the program is loaded. */
export function installTime() {
  installTimers()
  installClock()
  installChance()
  syncBuiltinESMExports()
}
