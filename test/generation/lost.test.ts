/** What is done about a request whose answer was lost, or says nothing. */
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import type { Generation } from '../../src/api/generations.ts'
import { QWEN_DEMO_KEY, QWEN_FREE_TIER_KEY } from '../../src/simulators/qwen/keys.ts'
import { startApp, type TestApp } from '../support/app.ts'

const task = { prompt: 'a boat', model: 'wan2.7-image', parameters: { size: '768x768' } }

/** On the old route, where the answer repeats the prompt. */
const telling = { prompt: 'a boat', model: 'wan2.2-t2i-flash', parameters: { size: '512x512', n: 1 } }

describe('a task', () => {
  test.each([
    ['a gateway swallowed', { kind: 'status', status: 502, body: '<html>bad gateway</html>', billed: true }],
    ['was cut off', { kind: 'cut', after: 'request', billed: true }],
  ] as const)('whose id %s is found in the list of the service, and proven by its prompt', async (_what, fault) => {
    const app = await startApp()
    app.qwen.misbehave(fault)

    const generation = await app.generate(telling)

    expect(generation).toMatchObject({ status: 'succeeded', charge: 'charged', images: [{}], warnings: [] })
    expect(app.qwen.requests.filter(request => request.method === 'POST')).toHaveLength(1)
  })

  test('that was found and tells nothing of what was asked for is kept with a warning, and its charge is not known', async () => {
    const app = await startApp()
    app.qwen.misbehave({ kind: 'cut', after: 'request', billed: true })

    const generation = await app.generate(task)

    expect(generation).toMatchObject({ status: 'succeeded', charge: 'unknown', images: [{}] })
    expect(generation.warnings).toMatchObject([{ code: 'task_not_proven' }])
  })

  test.each([
    ['prompt', telling, { input: { prompt: 'a secret product' }, parameters: { size: '512*512', n: 1 } }],
    ['number of pictures', telling, { input: { prompt: 'a boat' }, parameters: { size: '512*512', n: 3 } }],
    [
      'size',
      task,
      {
        input: { messages: [{ role: 'user', content: [{ text: 'a boat' }] }] },
        parameters: { size: '1280*960', n: 1, watermark: false },
      },
    ],
  ])('of another program, with another %s, is not shown', async (_what, ours, theirs) => {
    const app = await startApp()
    const route = ours === telling ? 'text2image/image-synthesis' : 'image-generation/generation'
    const foreign = await fetch(`${app.qwen.baseUrl}/services/aigc/${route}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${QWEN_DEMO_KEY}`,
        'content-type': 'application/json',
        'x-dashscope-async': 'enable',
      },
      body: JSON.stringify({ model: ours.model, ...theirs }),
    })
    expect(foreign.status).toBe(200)
    app.qwen.misbehave({ kind: 'cut', after: 'request', billed: false })

    const { body } = await app.call('POST', '/api/generate', ours)

    expect(body).toMatchObject({ code: 'outcome_unknown', charge: 'unknown' })
    const { body: record } = await app.call('GET', `/api/history/${body.generation_id}`)
    expect(record).toMatchObject({ status: 'failed', charge: 'unknown', images: [] })
    expect(JSON.stringify(record)).not.toContain('secret product')
  })

  test('of a submit that was given up for lost is not taken for that of another', async () => {
    const app = await startApp()
    app.qwen.misbehave({ kind: 'status', status: 502, body: '<html>bad gateway</html>', billed: true })
    app.qwen.misbehave({ kind: 'status', status: 500 }, { target: 'other', times: 10 })
    const first = await app.call('POST', '/api/generate', task)
    app.qwen.misbehave({ kind: 'cut', after: 'request', billed: false })

    const second = await app.call('POST', '/api/generate', { ...task, prompt: 'a house' })

    expect(app.qwen.tasks()).toHaveLength(1)
    expect([first, second]).toMatchObject([
      { status: 502, body: { charge: 'unknown' } },
      { status: 504, body: { charge: 'unknown' } },
    ])
  })

  const ofAnotherAccount = QWEN_FREE_TIER_KEY

  test('whose configuration got the key of another account meanwhile is asked for with its own', async () => {
    const app = await startApp({ environment: { QWEN_API_KEY: undefined } })
    const configuration = { provider: 'qwen', api_key: QWEN_DEMO_KEY, base_url: app.qwen.baseUrl }
    const { body: stored } = await app.call('POST', '/api/config', configuration)
    const id = await running(app)
    await app.call('PUT', `/api/config/${stored.id}`, { api_key: ofAnotherAccount })
    // Its own may have been revoked, so the new one is tried too; that it finds nothing proves nothing.
    app.qwen.misbehave({ kind: 'status', status: 401 }, { target: 'task', times: 5 })
    await expect
      .poll(() => new Set(looks(app).map(look => look.keyName)))
      .toEqual(new Set(['demo', 'free-tier-exhausted']))

    app.qwen.releaseTasks()

    expect(await end(app, id)).toMatchObject({ status: 'succeeded', charge: 'charged', images: [{}] })
  })

  test.each([
    ['with another key', ofAnotherAccount],
    ['without any', undefined],
  ])('that runs while the server is started anew %s is asked for with its own', async (_what, key) => {
    const app = await startApp()
    const id = await running(app)

    await app.restart(async () => {
      if (key) app.environment.QWEN_API_KEY = key
      else delete app.environment.QWEN_API_KEY
      app.qwen.releaseTasks()
    })

    expect(await end(app, id)).toMatchObject({ status: 'succeeded', charge: 'charged', images: [{}] })
  })

  test('keeps its key sealed, also anew, and no longer than it runs', async () => {
    const app = await startApp()
    const id = await running(app)
    const kept = async () => (await app.app.store.calls.ofGeneration(id))[0]?.sentWith

    expect(await kept()).toMatch(/^v1\./)
    app.qwen.releaseTasks()
    await end(app, id)

    expect(await kept()).toBeNull()
  })

  test('that was cancelled at the service, and then the process died, is cancelled here too', async () => {
    const app = await startApp()
    app.qwen.holdTasks('PENDING')
    const started = await app.generate(task, { prefer: 'respond-async' })
    await expect.poll(async () => (await app.app.store.calls.ofGeneration(started.id))[0]?.state).toBe('accepted')

    await app.restart(async () => {
      const [{ id } = { id: '' }] = app.qwen.tasks()
      const headers = { authorization: `Bearer ${QWEN_DEMO_KEY}` }
      await fetch(`${app.qwen.baseUrl}/tasks/${id}/cancel`, { method: 'POST', headers })
      const database = new DatabaseSync(path.join(app.dataDir, 'chat_history.db'))
      database.exec('update chat_history set cancel_requested = 1')
      database.close()
    })

    expect(await end(app, started.id)).toMatchObject({ status: 'cancelled', charge: 'none' })
  })
})

test('an answer of which only the head came still names the request that the service can be asked about', async () => {
  const app = await startApp()
  app.doubao.misbehave({ kind: 'cut', after: 'headers' })

  const answer = await app.call('POST', '/api/generate', {
    ...{ prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } },
  })

  const [{ requestId } = { requestId: 'none' }] = app.doubao.billed
  expect(answer.body).toMatchObject({
    charge: 'unknown',
    provider_request_id: requestId,
    advice: { en: expect.stringContaining(requestId), zh: expect.stringContaining(requestId) },
  })
})

/** A generation whose task the service was asked for at least once, and that goes on when it is told to. */
async function running(app: TestApp): Promise<string> {
  app.qwen.holdTasks('PENDING')
  const { id } = await app.generate(task, { prefer: 'respond-async' })
  await expect.poll(() => looks(app).length).toBeGreaterThan(0)
  return id
}

function looks(app: TestApp) {
  return app.qwen.requests.filter(request => request.method === 'GET' && request.path.includes('/tasks/'))
}

/** The last state that the stream of events tells. */
async function end(app: TestApp, id: string): Promise<Generation> {
  const response = await fetch(`${app.url}/api/history/${id}/events`)
  const data = [...(await response.text()).matchAll(/^data: (.*)$/gm)].at(-1)?.[1]
  return JSON.parse(data ?? 'null')
}
