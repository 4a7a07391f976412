/** What is done about a request whose answer was lost, or says nothing. */
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import type { Generation } from '../../src/api/generations.ts'
import { QWEN_DEMO_KEY } from '../../src/simulators/qwen.ts'
import { startApp, type TestApp } from '../support/app.ts'

const task = { prompt: 'a boat', model: 'wan2.7-image', parameters: { size: '768x768' } }

describe('a task', () => {
  test.each([
    ['a gateway swallowed', { kind: 'status', status: 502, body: '<html>bad gateway</html>', billed: true }],
    ['was cut off', { kind: 'cut', after: 'request', billed: true }],
  ] as const)('whose id %s is found in the list of the service, and collected', async (_what, fault) => {
    const app = await startApp()
    app.qwen.misbehave(fault)

    const generation = await app.generate(task)

    expect(generation).toMatchObject({ status: 'succeeded', charge: 'charged', images: [{}] })
    expect(app.qwen.requests.filter(request => request.method === 'POST')).toHaveLength(1)
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

/** The last state that the stream of events tells. */
async function end(app: TestApp, id: string): Promise<Generation> {
  const response = await fetch(`${app.url}/api/history/${id}/events`)
  const data = [...(await response.text()).matchAll(/^data: (.*)$/gm)].at(-1)?.[1]
  return JSON.parse(data ?? 'null')
}
