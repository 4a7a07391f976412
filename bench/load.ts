/** A closed loop of requests over kept connections, and what Linux tells of a process. */
import { readFileSync } from 'node:fs'
import { Pool } from 'undici'

export interface Order {
  bytes: number
  /** How long the service takes. */
  ms: number
}

const place = { method: 'POST', headers: { 'content-type': 'application/json' } } as const
let count = 0

function bodyOf({ bytes, ms }: Order) {
  return JSON.stringify({
    prompt: `No ${++count}. A quiet harbour at dawn, 写实 摄影, fishing boats with lanterns sim(bytes=${bytes},ms=${ms})`,
    model: 'doubao-seedream-4-0-20260415',
    parameters: { size: '2K', watermark: false },
  })
}

/** @throws when it was not answered with an image */
export async function generate(pool: Pool, order: Order) {
  const { statusCode, body } = await pool.request({ ...place, path: '/api/generate', body: bodyOf(order) })
  const text = await body.text()
  if (statusCode >= 300 || !text.includes('/images/')) throw new Error(`answered ${statusCode}: ${text.slice(0, 300)}`)
}

/** What a generation asks of the service, without anything between. */
export async function askDirectly(pool: Pool, order: Order) {
  const path = '/api/v3/images/generations'
  const { body } = await pool.request({ ...place, path, body: bodyOf(order) })
  const { data } = (await body.json()) as { data: { url: string }[] }
  const image = await pool.request({ method: 'GET', path: new URL(data[0]!.url).pathname })
  await image.body.arrayBuffer()
}

export async function withPool<T>(origin: string, connections: number, work: (pool: Pool) => Promise<T>) {
  const pool = new Pool(origin, { connections, headersTimeout: 180_000, bodyTimeout: 180_000 })
  try {
    return await work(pool)
  } finally {
    await pool.destroy()
  }
}

/** Requests a second. Those that begin within `ms` count, and the time until the last has ended. */
export async function load(origin: string, options: { connections: number; ms: number; order: Order }) {
  return withPool(origin, options.connections, async pool => {
    const began = performance.now()
    let done = 0
    const lane = async () => {
      while (performance.now() - began < options.ms) {
        await generate(pool, options.order)
        done++
      }
    }
    await Promise.all(Array.from({ length: options.connections }, lane))
    return { perSecond: (done * 1000) / (performance.now() - began), done }
  })
}

/** Microseconds of processor time so far, and bytes of memory with those of its child processes; undefined where there is no `/proc`. */
export function readProcess(pid: number) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /, '')
      .split(' ')
    // Ticks of 10 ms.
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean)
    const bytes = [`${pid}`, ...children].reduce((sum, one) => sum + readMemory(one), 0)
    return { cpu: (Number(fields[11]) + Number(fields[12])) * 10_000, bytes }
  } catch {
    return undefined
  }
}

function readMemory(pid: string) {
  try {
    const memory = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))
    return Number(memory?.[1]) * 1024
  } catch {
    // A child that has just ended.
    return 0
  }
}

export function median(values: readonly number[]) {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN
}
