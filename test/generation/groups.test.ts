/** Several pictures in one call: what came is kept, and what did not come is told. */
import { describe, expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { png } from '../support/pictures.ts'

const group = {
  prompt: '4 pictures of a boat through the year',
  model: 'doubao-seedream-4-0-20260415',
  parameters: { size: '960x960', n: 4 },
}

describe('a group that Ark streams', () => {
  test('is one request, and its pictures are stored in order', async () => {
    const app = await startApp()

    const generation = await app.generate(group)

    expect(generation).toMatchObject({
      status: 'succeeded',
      charge: 'charged',
      failures: [],
      cost: { amount: 0.8, currency: 'CNY' },
    })
    expect(generation.images.map(image => image.index)).toEqual([0, 1, 2, 3])
    expect(app.doubao.requests.filter(request => request.method === 'POST')).toHaveLength(1)
  })

  test('keeps the rest when one picture is refused', async () => {
    const app = await startApp()
    app.doubao.misbehave({ kind: 'partial', failIndexes: [1] })

    const generation = await app.generate(group)

    expect(generation).toMatchObject({ status: 'succeeded', charge: 'charged', cost: { amount: 0.6 } })
    expect(generation.images.map(image => image.index)).toEqual([0, 2, 3])
    expect(generation.failures).toMatchObject([
      { index: 1, code: 'content_rejected', provider_code: 'OutputImageSensitiveContentDetected' },
    ])
  })

  test('keeps what came when the connection is cut, never asks again, and says that more may have been charged', async () => {
    const app = await startApp()
    app.doubao.misbehave({ kind: 'cut', after: 'n-events', n: 2 })

    const generation = await app.generate(group)

    expect(generation).toMatchObject({ status: 'succeeded', charge: 'unknown' })
    expect(generation.images.map(image => image.index)).toEqual([0, 1])
    expect(generation.failures.map(failure => [failure.index, failure.code])).toEqual([
      [2, 'outcome_unknown'],
      [3, 'outcome_unknown'],
    ])
    expect(app.doubao.requests.filter(request => request.method === 'POST')).toHaveLength(1)
  })

  test('understands events that are cut inside characters and lines', async () => {
    const app = await startApp()
    app.doubao.misbehave({ kind: 'stream', how: 'split-chunks' })

    expect((await app.generate(group)).images).toHaveLength(4)
  })

  test('is whole without its last event when all pictures came', async () => {
    const app = await startApp()
    app.doubao.misbehave({ kind: 'stream', how: 'no-completed' })

    expect(await app.generate(group)).toMatchObject({ status: 'succeeded', charge: 'charged', failures: [] })
  })

  test('keeps the first picture when an error ends the stream', async () => {
    const app = await startApp()
    app.doubao.misbehave({ kind: 'stream', how: 'error-event' })

    const generation = await app.generate(group)

    expect(generation.status).toBe('succeeded')
    expect(generation.images).toHaveLength(1)
    expect(generation.failures).toHaveLength(3)
  })

  test('fails when its only event is a failure', async () => {
    const app = await startApp()
    app.doubao.misbehave({ kind: 'stream', how: 'partial-failed-first' })

    const answer = await app.call('POST', '/api/generate', group)

    expect(answer.status).toBeGreaterThanOrEqual(422)
    expect(answer.body.generation_id).toEqual(expect.any(String))
  })

  test('tells which pictures were not made when there are fewer than asked for', async () => {
    const app = await startApp()
    app.doubao.misbehave({ kind: 'fewer', count: 2 })

    const generation = await app.generate(group)

    expect(generation).toMatchObject({ status: 'succeeded', charge: 'charged', cost: { amount: 0.4 } })
    expect(generation.failures.map(failure => [failure.index, failure.code])).toEqual([
      [2, 'not_made'],
      [3, 'not_made'],
    ])
  })

  test('says of a picture that is billed and not in the answer that nobody knows where it is', async () => {
    const app = await startApp()
    const data = [{ b64_json: (await png(960, 960)).toString('base64'), size: '960x960' }]
    const body = { model: group.model, created: 1789900000, data, usage: { generated_images: 2 } }
    app.doubao.misbehave({ kind: 'status', status: 200, body })

    const generation = await app.generate(group)

    expect(generation).toMatchObject({ status: 'succeeded', charge: 'charged', cost: { amount: 0.4 } })
    expect(generation.images).toHaveLength(1)
    expect(generation.failures.map(failure => [failure.index, failure.code])).toEqual([
      [1, 'outcome_unknown'],
      [2, 'not_made'],
      [3, 'not_made'],
    ])
  })

  test('shows each picture as soon as it is there', async () => {
    const app = await startApp()
    app.doubao.misbehave({ kind: 'cut', after: 'n-events', n: 3 })
    const started = await app.generate(group, { prefer: 'respond-async' })

    const response = await fetch(`${app.url}/api/history/${started.id}/events`)
    const counts = [...(await response.text()).matchAll(/^data: (.*)$/gm)].map(
      ([, data]) => JSON.parse(data ?? '').images.length,
    )

    expect(counts.at(-1)).toBe(3)
    expect(counts.toSorted((a, b) => a - b)).toEqual(counts)
  })
})

describe('several calls for one generation', () => {
  const several = { prompt: 'a boat', model: 'qwen-image-max', parameters: { n: 3, seed: 100 } }

  test('take one seed after the other', async () => {
    const app = await startApp()

    const generation = await app.generate(several)

    expect(generation.images).toHaveLength(3)
    const sent = app.qwen.requests
      .filter(request => request.method === 'POST')
      .map(request => request.body as { parameters: { seed: number } })
    expect(sent.map(body => body.parameters.seed).sort()).toEqual([100, 101, 102])
  })

  test('succeed with the pictures that were made when one call fails', async () => {
    const app = await startApp()
    app.qwen.misbehave({
      kind: 'status',
      status: 400,
      body: {
        code: 'DataInspectionFailed',
        message: 'Output data may contain inappropriate content.',
        request_id: 'r',
      },
    })

    const generation = await app.generate(several)

    expect(generation).toMatchObject({ status: 'succeeded', charge: 'charged', cost: { amount: 1 } })
    expect(generation.images).toHaveLength(2)
    expect(generation.failures).toMatchObject([{ code: 'content_rejected', provider_code: 'DataInspectionFailed' }])
  })
})

test('an old route that fails one of two keeps the other', async () => {
  const app = await startApp()
  app.qwen.misbehave({ kind: 'partial', failIndexes: [0] })

  const generation = await app.generate({
    prompt: 'a boat',
    model: 'wan2.2-t2i-flash',
    parameters: { n: 2, size: '512x512' },
  })

  expect(generation).toMatchObject({
    status: 'succeeded',
    failures: [{ index: 0, code: 'content_rejected' }],
    images: [{ index: 1 }],
  })
})

test('layers come with their names and places, behind the base picture', async () => {
  const app = await startApp()
  const { png, dataUri } = await import('../support/pictures.ts')

  const generation = await app.generate({
    model: 'doubao-seedream-5-0-pro-260628',
    parameters: { layer_decomposition: true },
    images: [dataUri(await png(1024, 1024))],
  })

  expect(generation.status).toBe('succeeded')
  expect(generation.images.length).toBeGreaterThan(1)
  expect(generation.failures).toEqual([])
  expect(generation.cost?.amount).toBeCloseTo(0.3 + 0.15 * (generation.images.length - 1))
})
