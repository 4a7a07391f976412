/** The program as a process of its own that can be held at a failpoint and killed there. */
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import type { Failpoint, ImportFailpoint } from '../../src/coordination/failpoints.ts'
import type { Instruction, Report } from './killable.ts'
import { maxWaitMs } from './patience.ts'
import { programFile } from './program.ts'

export interface Program {
  address: string
  /** Generations that stand still at the point that was told, with how often they have come there. */
  held: { generationId: string; occurrence: number }[]
  /** From now on. With `release`, those that stand still go on. */
  hold(
    place: { point: Failpoint | ImportFailpoint; from: number } | null,
    options?: { release: boolean },
  ): Promise<void>
  /** Puts its clock so many ms off the right time. */
  setClock(offsetMs: number): Promise<void>
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  signal(signal: NodeJS.Signals): void
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  output(): string
}

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route pass here, and tests look at what they expect
  body: any
}

export async function startProgram(environment: Record<string, string>, words: string[] = []): Promise<Program> {
  const program = await programFile('killable')
  const child = spawn(process.execPath, [program.file, ...words], {
    cwd: environment.DATA_DIR,
    env: { LOG_LEVEL: 'error', ...program.environment, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', chunk => (text += chunk))
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(resolve =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  )
  const held: Program['held'] = []
  const reports = listen(child)
  child.on('message', (report: Report) => {
    if (report.type === 'held') held.push(report)
  })
  const first = await Promise.race([reports.next('listening'), ended.then(() => undefined)])
  if (first?.type !== 'listening') throw new Error(`the program ended at its start:\n${text}`)
  const { address } = first

  return {
    address,
    held,
    ended,
    output: () => text,
    async hold(place, options) {
      held.length = 0
      const ready = reports.next('ready')
      child.send({ hold: place, ...options } satisfies Instruction)
      await ready
    },
    async setClock(offsetMs) {
      const ready = reports.next('ready')
      child.send({ clock: offsetMs } satisfies Instruction)
      await ready
    },
    async call(method, path, body, headers = {}) {
      const response = await fetch(`${address}${path}`, {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
      })
      const answered = await response.text()
      const isJson = /json/.test(response.headers.get('content-type') ?? '')
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(answered) : answered }
    },
    signal: signal => void child.kill(signal),
    end(signal) {
      child.kill(signal)
      return ended
    },
  }
}

function listen(child: ChildProcess) {
  return {
    next: (type: Report['type']) =>
      new Promise<Report>(resolve => {
        const look = (report: Report) => {
          if (report.type !== type) return
          child.off('message', look)
          resolve(report)
        }
        child.on('message', look)
      }),
  }
}

/** Waits for a state, not for a time; what it waits for stands in the error. */
export async function until(what: () => string, isTrue: () => boolean | Promise<boolean>, maxMs = maxWaitMs) {
  for (const end = performance.now() + maxMs; ; ) {
    if (await isTrue()) return
    if (performance.now() > end) throw new Error(`waited too long: ${what()}`)
    await pause(30)
  }
}
