/** File formats that a model does not make: converted for the answer, while what is stored stays as it came. */
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openApp, type TestApp } from '../support/app.ts'
import { clientOf, generationsOf, makeToken, model, serverToken } from './client.ts'

const flash = 'doubao-seedream-5-0-flash-260915'

let app: TestApp
let token: string
beforeAll(async () => {
  app = await openApp({ environment: { ACCESS_TOKEN: serverToken } })
  token = (await makeToken(app)).token
})
afterAll(() => app.close())

function images() {
  return clientOf(app, { apiKey: token }).images
}

async function factsOf(bytes: Buffer) {
  const { format, width, height, size } = await sharp(bytes).metadata()
  return { format, width, height, bytes: size ?? bytes.length }
}

async function fetched(url: string) {
  const answer = await fetch(url)
  return { answer, facts: await factsOf(Buffer.from(await answer.arrayBuffer())) }
}

async function storedFor(prompt: string) {
  const all = await generationsOf(app, { authorization: `Bearer ${token}` })
  return all.find((generation: { prompt: string }) => generation.prompt === prompt)
}

test('a picture is answered as it was asked for, and stored byte for byte', async () => {
  const prompt = 'a boat in another form'
  const asked = { model, prompt, size: '1024x1024', output_format: 'webp', output_compression: 40 } as const
  const { data, response } = await images().generate(asked).withResponse()

  const [picture] = data.data!
  const stored = await storedFor(prompt)
  const [original] = stored.images
  const bytes = await app.call('GET', original.url, undefined, { authorization: `Bearer ${token}` })
  expect(response.headers.get('x-webimgui-converted')).toBe('webp')
  expect(response.headers.get('x-webimgui-ignored')).toBeNull()
  expect(data.output_format).toBe('webp')
  expect(await factsOf(Buffer.from(picture!.b64_json!, 'base64'))).toMatchObject({ format: 'webp', width: 1024 })
  expect(await fetched(picture!.url!)).toMatchObject({ facts: { format: 'webp', width: 1024 } })
  expect(original.mime_type).toBe('image/jpeg')
  expect(bytes.headers.get('content-type')).toBe('image/jpeg')
  expect(stored.parameters).not.toHaveProperty('output_format')
})

test('what a model makes itself is asked of it; only the rest is made here', async () => {
  const native = { model: flash, prompt: 'its own png', output_format: 'png', response_format: 'url' } as const
  const own = await images().generate(native).withResponse()
  const smaller = { model: flash, prompt: 'smaller', output_format: 'jpeg', output_compression: 5 } as const
  const compressed = await images().generate(smaller).withResponse()
  const webp = { model: flash, prompt: 'from png', output_format: 'webp', response_format: 'b64_json' } as const
  const other = await images().generate(webp).withResponse()

  const [first, second, third] = [
    await storedFor('its own png'),
    await storedFor('smaller'),
    await storedFor('from png'),
  ]
  expect(own.response.headers.get('x-webimgui-converted')).toBeNull()
  expect(first.images[0].mime_type).toBe('image/png')
  expect(own.data.data![0]!.url).not.toContain('format=')
  expect(compressed.response.headers.get('x-webimgui-converted')).toBe('jpeg')
  expect(second.images[0].mime_type).toBe('image/jpeg')
  const small = await factsOf(Buffer.from(compressed.data.data![0]!.b64_json!, 'base64'))
  expect(small).toMatchObject({ format: 'jpeg', width: second.images[0].width })
  expect(small.bytes).not.toBe(second.images[0].bytes)
  // From PNG nothing is lost twice.
  expect(third.images[0].mime_type).toBe('image/png')
  expect(await factsOf(Buffer.from(other.data.data![0]!.b64_json!, 'base64'))).toMatchObject({ format: 'webp' })
})

test('a stream has it too; a task says that it was left out, and its pictures have it by their address', async () => {
  const wanted = { model, prompt: 'streamed', output_format: 'png' } as const
  const streamed = await images()
    .generate({ ...wanted, stream: true })
    .withResponse()
  const events = []
  for await (const event of streamed.data) events.push(event)
  const last = events.at(-1) as { b64_json: string; output_format: string }
  expect(streamed.response.headers.get('x-webimgui-converted')).toBe('png')
  expect(last.output_format).toBe('png')
  expect((await factsOf(Buffer.from(last.b64_json, 'base64'))).format).toBe('png')

  const own = { authorization: `Bearer ${token}` }
  const task = await app.call('POST', '/v1/images/generations', { ...wanted, prompt: 'a task', async: true }, own)
  const state = () => app.call('GET', `/v1/images/tasks/${task.body.id}`, undefined, own)
  await expect.poll(async () => (await state()).body.status).toBe('completed')
  const { url } = (await state()).body.result.data[0]
  expect(task.headers.get('x-webimgui-ignored')).toBe('output_format')
  expect((await fetched(url)).facts.format).toBe('jpeg')
  expect(await fetched(`${url}&format=png`)).toMatchObject({ facts: { format: 'png' } })
  expect((await fetch(`${url}&format=png&recipe`)).status).toBe(401)
})

test('a form that nobody can make is refused before money moves', async () => {
  const before = app.doubao.billed.length
  const ask = (more: object) =>
    app.call('POST', '/v1/images/generations', { model, prompt: 'x', ...more }, { authorization: `Bearer ${token}` })

  const answers = [
    await ask({ output_format: 'gif' }),
    await ask({ output_format: 'png', output_compression: 50 }),
    await ask({ output_format: 'webp', output_compression: 101 }),
    await ask({ output_format: 'jpeg', background: 'transparent' }),
  ]
  const picture = (await storedFor('a boat in another form')).images[0].url
  const wrong = ['?format=gif', '?format=png&quality=0', '?format=png&quality=1.5'].map(
    async query => (await app.call('GET', picture + query, undefined, { authorization: `Bearer ${token}` })).status,
  )

  expect(answers.map(({ status, body }) => [status, body.error.param])).toEqual([
    [400, 'output_format'],
    [400, 'output_compression'],
    [400, 'output_compression'],
    [400, 'output_format'],
  ])
  expect(await Promise.all(wrong)).toEqual([422, 422, 422])
  expect(app.doubao.billed.length).toBe(before)
})
