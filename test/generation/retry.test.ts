import { expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { dataUri, png } from '../support/pictures.ts'

const group = {
  prompt: '4 pictures of a boat',
  model: 'doubao-seedream-4-0-20260415',
  parameters: { size: '960x960', n: 4 },
}

test('the missing pictures of a group are made as a linked generation, after its price was told', async () => {
  const app = await startApp()
  app.doubao.misbehave({ kind: 'partial', failIndexes: [1, 2] })
  const first = await app.generate(group)
  const path = `/api/history/${first.id}/retry`
  const posts = app.doubao.requests.length

  const told = await app.call('POST', path, { only: 'missing', dry_run: true })

  expect(told).toMatchObject({
    status: 200,
    body: { images: 2, calls: 1, cost: { min: 0.2, max: 0.4, currency: 'CNY' } },
  })
  expect(app.doubao.requests.length - posts).toBe(0)
  const started = await app.call('POST', path, { only: 'missing' })
  expect(started).toMatchObject({ status: 202, body: { retry_of: first.id, parameters: { n: 2, size: '960x960' } } })
  const ended = await (await fetch(`${app.url}/api/history/${started.body.id}/events`)).text()
  expect(ended).toContain('"status":"succeeded"')
  expect(app.doubao.billed).toHaveLength(4)
})

test('all of a failed edit is made again with its references', async () => {
  const app = await startApp()
  app.qwen.misbehave({
    kind: 'status',
    status: 400,
    body: { code: 'DataInspectionFailed', message: 'Output data may contain inappropriate content.' },
  })
  const request = { prompt: 'make it night', model: 'qwen-image-edit-plus', images: [dataUri(await png(800, 600))] }
  const failed = await app.call('POST', '/api/generate', request)

  const started = await app.call('POST', `/api/history/${failed.body.generation_id}/retry`, undefined)

  expect(started).toMatchObject({
    status: 202,
    body: { retry_of: failed.body.generation_id, references: [{ width: 800 }] },
  })
  const ended = await (await fetch(`${app.url}/api/history/${started.body.id}/events`)).text()
  expect(ended).toContain('"status":"succeeded"')
})

test('a retry with a key never makes two', async () => {
  const app = await startApp()
  const first = await app.generate({ ...group, parameters: { size: '960x960' } })
  const key = { 'idempotency-key': 'again' }

  const [a, b] = await Promise.all([1, 2].map(() => app.call('POST', `/api/history/${first.id}/retry`, {}, key)))

  expect(a?.status).toBe(202)
  expect(a?.body.id).toBe(b?.body.id)
})

test('what is whole, running or unknown cannot be made again', async () => {
  const app = await startApp()
  const whole = await app.generate({ ...group, parameters: { size: '960x960' } })
  app.qwen.holdTasks('PENDING')
  const running = await app.generate(
    { prompt: 'x', model: 'wan2.7-image', parameters: { size: '768x768' } },
    { prefer: 'respond-async' },
  )

  const answers = await Promise.all([
    app.call('POST', `/api/history/${whole.id}/retry`, { only: 'missing' }),
    app.call('POST', `/api/history/${running.id}/retry`, {}),
    app.call('POST', '/api/history/nothing/retry', {}),
    app.call('POST', `/api/history/${whole.id}/retry`, { only: 'some' }),
  ])

  expect(answers.map(answer => answer.status)).toEqual([409, 409, 404, 422])
})
