/** Requests whose client does not wait: tasks. */
import { expect, test, vi } from 'vitest'
import { V1Error } from '../../src/api/v1/errors.ts'
import { V1Task } from '../../src/api/v1/images.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { maxWaitMs } from '../support/patience.ts'
import { admin, generationsOf, makeToken, model, serverToken } from './client.ts'

const body = { model, prompt: 'a boat' }

function ended(app: TestApp, location: string, headers: Record<string, string> = {}) {
  return vi.waitUntil(async () => {
    const task = V1Task.parse((await app.call('GET', location, undefined, headers)).body)
    return task.completed_at === null ? undefined : task
  }, maxWaitMs)
}

test.each([
  ['Prefer', body, { prefer: 'respond-async' }],
  ['a member of the body', { ...body, async: true }, {}],
])('%s asks for a task, which ends with the pictures', async (_, body, headers) => {
  const app = await startApp()

  const begun = await app.call('POST', '/v1/images/generations', body, headers as Record<string, string>)
  const task = await ended(app, begun.headers.get('location')!)

  expect(begun.status).toBe(202)
  expect(begun.headers.get('retry-after')).toBe('2')
  expect(V1Task.parse(begun.body)).toMatchObject({ object: 'image.task', model, result: null, error: null })
  expect(task).toMatchObject({ id: begun.body.id, status: 'completed', images_ready: 1, error: null })
  expect((await fetch(task.result!.data[0]!.url!)).status).toBe(200)
})

test('a task that fails says why, as the request would have', async () => {
  const app = await startApp()
  const failing = { ...body, prompt: '[[cut]]', async: true }

  const { headers } = await app.call('POST', '/v1/images/generations', failing)
  const task = await ended(app, headers.get('location')!)

  expect(task).toMatchObject({ status: 'failed', result: null })
  expect(task.error).toMatchObject({ code: 'outcome_unknown', charge: 'unknown', generation_id: task.id })
})

test('a task is cancelled before it is sent, and an ended one is not', async () => {
  const app = await startApp({ timeScale: 1 })
  const waiting = { ...body, prompt: '[[slow:60]]' }
  const { headers } = await app.call('POST', '/v1/images/generations', { ...waiting, async: true })
  const location = headers.get('location')!

  const cancelled = await app.call('DELETE', location)
  expect(cancelled.status).toBe(202)
  expect(V1Task.parse(cancelled.body).cancel_requested).toBe(true)

  const made = await app.call('POST', '/v1/images/generations', { ...body, async: true })
  const done = made.headers.get('location')!
  await ended(app, done)
  const late = await app.call('POST', `${done}/cancel`)
  expect([late.status, V1Error.parse(late.body).error.code]).toEqual([409, 'conflict'])
})

test('a task of another token is not there', async () => {
  const app = await startApp({ environment: { ACCESS_TOKEN: serverToken } })
  const [mine, other] = [await makeToken(app), await makeToken(app)].map(({ token }) => ({
    authorization: `Bearer ${token}`,
  }))

  const { headers } = await app.call('POST', '/v1/images/generations', { ...body, async: true }, mine)
  const location = headers.get('location')!
  const answers = [
    await app.call('GET', location, undefined, other),
    await app.call('DELETE', location, undefined, other),
    await app.call('POST', `${location}/cancel`, undefined, other),
    await app.call('GET', '/v1/images/tasks/none', undefined, mine),
  ]

  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404])
  for (const { body } of answers) expect(V1Error.parse(body).error.code).toBe('not_found')
  expect((await ended(app, location, mine)).status).toBe('completed')
  expect((await app.call('GET', location, undefined, admin)).status).toBe(200)
})

test('an Idempotency-Key stands for one task', async () => {
  const app = await startApp()
  const ask = (body: object) =>
    app.call('POST', '/v1/images/generations', { ...body, async: true }, { 'idempotency-key': 'k' })

  const [first, second] = [await ask(body), await ask(body)]
  const other = await ask({ ...body, prompt: 'another' })

  expect(second.body.id).toBe(first.body.id)
  expect([other.status, other.body.error.code]).toEqual([400, 'idempotency_mismatch'])
  expect(await generationsOf(app)).toHaveLength(1)
})
