/** Pictures as events, by the client library of OpenAI. */
import type { ImageEditStreamEvent, ImageGenStreamEvent } from 'openai/resources/images'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { dataUri, png } from '../support/pictures.ts'
import { clientOf, generationsOf, model } from './client.ts'

const prompt = 'a boat'

async function collect<Event extends ImageGenStreamEvent | ImageEditStreamEvent>(stream: AsyncIterable<Event>) {
  const events: Event[] = []
  for await (const event of stream) events.push(event)
  return events
}

test('a streamed picture ends with its event, byte for byte', async () => {
  const app = await startApp()

  const events = await collect(
    await clientOf(app).images.generate({ model, prompt, size: '1024x1024', stream: true, partial_images: 2 }),
  )

  const [generation] = await generationsOf(app)
  const bytes = Buffer.from(await (await fetch(app.url + generation.images[0].url)).arrayBuffer())
  const last = events.at(-1)!
  expect(last).toMatchObject({
    ...{ type: 'image_generation.completed', output_format: 'jpeg', size: '1024x1024' },
    usage: { generated_images: 1 },
  })
  expect(Buffer.from(last.b64_json, 'base64').equals(bytes)).toBe(true)
  expect(events.filter(({ type }) => type === 'image_generation.completed')).toHaveLength(1)
})

test('the pictures of a series come one by one, each once at the end', async () => {
  const app = await startApp()

  const plain = await collect(await clientOf(app).images.generate({ model, prompt, n: 3, stream: true }))
  const early = await collect(
    await clientOf(app).images.generate({ model, prompt: 'a ship', n: 3, stream: true, partial_images: 3 }),
  )

  const [ships, boats] = await generationsOf(app)
  expect(plain.map(({ type }) => type)).toEqual(Array(3).fill('image_generation.completed'))
  expect(new Set(plain.map(event => (event as unknown as { url: string }).url))).toEqual(
    new Set(boats.images.map(({ url }: { url: string }) => app.url + url)),
  )
  const completed = early.filter(({ type }) => type === 'image_generation.completed')
  expect(new Set(completed.map(event => (event as unknown as { url: string }).url))).toEqual(
    new Set(ships.images.map(({ url }: { url: string }) => app.url + url)),
  )
  for (const [index, event] of early.filter(({ type }) => type === 'image_generation.partial_image').entries()) {
    expect(event).toMatchObject({ partial_image_index: index })
  }
})

test('an edit has events of its own', async () => {
  const app = await startApp()
  const body = { model, prompt, images: [dataUri(await png(300, 300))], stream: true }

  const answer = await app.call('POST', '/v1/images/edits', body)

  expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  expect(answer.body).toMatch(/event: image_edit\.completed\ndata: \{"b64_json":"/)
})

test('what is wrong before it begins is an ordinary error, and afterwards an event', async () => {
  const app = await startApp()
  const { images } = clientOf(app)

  await expect(images.generate({ model, prompt, n: 99, stream: true })).rejects.toMatchObject({
    status: 400,
    param: 'n',
  })
  const stream = await images.generate({ model, prompt: '[[cut]]', stream: true })
  await expect(collect(stream)).rejects.toMatchObject({ error: { code: 'outcome_unknown', charge: 'unknown' } })
})
