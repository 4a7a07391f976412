/** Starts the program and the floors as processes of their own, each in a folder of its own. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type Target = 'floor-safe' | 'floor-store' | 'webimgui'

export interface Program {
  origin: string
  pid: number
  /** From its start to its first answer. */
  startMs: number
  /** Stands still while others are measured, so that what it does later is not done at their cost. */
  pause(): void
  resume(): void
  stop(): Promise<void>
}

const maxStartMs = 300_000
const here = import.meta.dirname
const folders = mkdtempSync(path.join(tmpdir(), 'webimgui-bench-'))
const children = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folders, { recursive: true, force: true })
})

export function createFolder() {
  return mkdtempSync(path.join(folders, 'data-'))
}

export async function startService() {
  const child = fork(path.join(here, 'service.ts'))
  children.add(child)
  const [port] = await once(child, 'message')
  return { origin: `http://127.0.0.1:${port}`, stop: () => void child.disconnect() }
}

export async function startProgram(target: Target, options: { service: string; folder?: string; database?: string }) {
  const { service, folder = createFolder(), database } = options
  const port = await findPort()
  const environment = {
    PATH: process.env.PATH,
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: `${port}`,
    DATA_DIR: folder,
    ...(target === 'webimgui' ? describeService(service, database) : describeFloor(target, service, database)),
  }
  const words =
    target === 'webimgui' ? [path.join(here, '../tools/webimgui.mjs'), 'start'] : [path.join(here, 'floor.ts')]
  const began = performance.now()
  const child = spawn(process.execPath, words, {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  children.add(child)
  let complaints = ''
  child.stderr.on('data', chunk => {
    complaints += chunk
  })
  const origin = `http://127.0.0.1:${port}`
  if (!(await isHealthyAtLast(child, origin))) throw new Error(`${target} did not start: ${complaints}`)
  return {
    origin,
    pid: child.pid!,
    startMs: performance.now() - began,
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    async stop() {
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      children.delete(child)
    },
  } satisfies Program
}

function describeService(service: string, database: string | undefined) {
  return {
    DOUBAO_API_URL: `${service}/api/v3`,
    DOUBAO_API_KEY: 'bench-0123456789',
    REQUESTS_PER_MINUTE: '0',
    DRAIN_SECONDS: '1',
    ...(database ? { DATABASE_URL: `sqlite:///${database}` } : {}),
  }
}

function describeFloor(target: Target, service: string, database: string | undefined) {
  return {
    FLOOR: target.replace('floor-', ''),
    SERVICE: service,
    ...(database ? { DATABASE_FILE: database } : {}),
  }
}

async function isHealthyAtLast(child: ChildProcess, origin: string) {
  const until = performance.now() + maxStartMs
  while (performance.now() < until && child.exitCode === null) {
    const isHealthy = await fetch(`${origin}/health`).then(
      async response => {
        await response.text()
        return response.ok
      },
      () => false,
    )
    if (isHealthy) return true
    await sleep(5)
  }
  return false
}

async function findPort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
