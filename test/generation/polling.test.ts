/** How often tasks are polled: soon after their end, and never more often than the service allows. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createPauses } from '../../src/coordination/pauses.ts'
import { choosePause, createPollRates } from '../../src/coordination/polling.ts'
import { QWEN_DEMO_KEY } from '../../src/simulators/qwen/keys.ts'
import { startQwenSimulator } from '../../src/simulators/qwen/qwen.ts'
import { startApp } from '../support/app.ts'
import { maxWaitMs } from '../support/patience.ts'

const model = 'wan2.5-t2i-preview'
const timeScale = 0.05
const configurations = 4
const tasks = 200

test('a task is polled within a quarter of its age after its end, or within 0.6 s', () => {
  const moments = [choosePause(0)]
  while (moments.at(-1)! < 3_600_000) {
    const ageMs = moments.at(-1)!
    expect(choosePause(ageMs)).toBeLessThanOrEqual(Math.max(600, ageMs / 4))
    moments.push(ageMs + choosePause(ageMs))
  }

  expect(moments.filter(at => at < 2_000)).toHaveLength(2)
  expect(moments.filter(at => at < 60_000).length).toBeLessThan(25)
})

test('polls with one key leave one by one, also when they were held up together, and none overtakes', async () => {
  const world = createWaits()
  const rates = createPollRates({ ...createPauses(), wait: world.wait }, new AbortController().signal)
  const left: { task: number; at: number }[] = []
  const shares = Array.from({ length: tasks }, () => rates.enter(15))
  shares.forEach(async (share, task) => {
    for (let polls = 0; polls < 3; polls++) {
      await share.turn(access)
      left.push({ task, at: world.now() })
    }
  })
  await world.pass(1_000)
  // A process that stood still for a minute finds every wait over, and still sends one after another.
  world.standStill(60_000)
  await world.pass(60_000)

  expect(left.map(({ task }) => task)).toEqual([0, 1, 2].flatMap(() => [...shares.keys()]))
  for (const { at } of left)
    expect(left.filter(other => other.at >= at && other.at < at + 1_000).length).toBeLessThan(17)
  expect(shares[0]!.stretch(600)).toBeCloseTo((tasks * 1000) / 15)
  for (const share of shares.slice(1)) share.leave()
  expect(shares[0]!.stretch(600)).toBe(600)
  await rates.enter(15).turn({ ...access, apiKey: 'another' })
})

test('200 tasks of four configurations with one key are answered within what the service allows the key', async () => {
  const { app, qwen } = await startServerBesideHeldTasks()
  const polls = () => qwen.requests.filter(({ method, path }) => method === 'GET' && path.startsWith('/api/v1/tasks/'))
  const polled = () => [...Map.groupBy(polls(), ({ path }) => path).values()]

  const body = { prompt: 'a boat', model, parameters: { size: '1280x1280' } }
  const started = await Promise.all(
    Array.from({ length: tasks }, () => app.call('POST', '/api/generate', body, { prefer: 'respond-async' })),
  )
  await vi.waitUntil(() => polled().filter(({ length }) => length >= 2).length === tasks, maxWaitMs)
  qwen.releaseTasks()
  await vi.waitUntil(async () => {
    const { items } = (await app.call('GET', '/api/history?limit=200&status=succeeded')).body
    return items.length === started.length
  }, maxWaitMs)

  const tookMs = polls().at(-1)!.at - polls()[0]!.at
  expect(polls().length).toBeLessThanOrEqual((tookMs / timeScale / 1000) * 20 + 20)
})

/** Time that passes only when it is told to. */
function createWaits() {
  let now = 0
  let waits: { until: number; resolve(): void }[] = []
  const settle = () => new Promise(resolve => setImmediate(resolve))
  return {
    now: () => now,
    wait: (ms: number) => new Promise<void>(resolve => void waits.push({ until: now + ms, resolve })),
    standStill(ms: number) {
      now += ms
    },
    async pass(ms: number) {
      const end = now + ms
      await settle()
      while (now < end) {
        now = Math.max(now, Math.min(end, ...waits.map(({ until }) => until)))
        const due = waits.filter(({ until }) => until <= now)
        waits = waits.filter(({ until }) => until > now)
        for (const { resolve } of due) resolve()
        await settle()
      }
    },
  }
}

const access = { apiKey: 'one', baseUrl: 'https://service.example' }

/** Four configurations with one key. */
async function startServerBesideHeldTasks() {
  const folder = mkdtempSync(path.join(tmpdir(), 'webimgui-models-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const modelsFile = path.join(folder, 'models.json')
  const mostRunning = tasks / configurations
  writeFileSync(modelsFile, JSON.stringify({ items: [{ id: model, concurrency: mostRunning }] }))
  const qwen = await startQwenSimulator({ timeScale, rateLimits: false, plainImages: true })
  onTestFinished(() => qwen.close())
  qwen.holdTasks('RUNNING')
  const environment = { QWEN_API_KEY: undefined, QWEN_API_URL: qwen.baseUrl, MODELS_FILE: modelsFile }
  const app = await startApp({ timeScale, environment })
  for (let index = 0; index < configurations; index++) {
    const access = { provider: 'qwen', api_key: QWEN_DEMO_KEY, base_url: qwen.baseUrl }
    const answer = await app.call('POST', '/api/config', { name: `${index}`, most_running: mostRunning, ...access })
    expect(answer.status).toBe(201)
  }
  return { app, qwen }
}
