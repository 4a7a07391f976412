/** Edits with a mask: what each service gets, by both APIs, and what is refused for free. */
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OPENAI_DEMO_KEY } from '../../src/simulators/openai/keys.ts'
import { openApp, type TestApp } from '../support/app.ts'
import { dataUri, png } from '../support/pictures.ts'

const wan = 'wanx2.1-imageedit'
const gpt = 'gpt-image-1'

let app: TestApp
let picture: Buffer
let mask: Buffer

beforeAll(async () => {
  app = await openApp()
  picture = await png(600, 400)
  mask = await maskOf(600, 400)
  await app.call('POST', '/api/config', {
    name: 'gateway',
    provider: 'openai',
    base_url: app.openai.baseUrl,
    api_key: OPENAI_DEMO_KEY,
    model: gpt,
    is_active: true,
  })
})
afterAll(() => app.close())

/** The left half is erased. */
function maskOf(width: number, height: number) {
  const hole = { input: { create: { width: width / 2, height, channels: 4, background: '#000' } } } as const
  return sharp({ create: { width, height, channels: 4, background: '#808080' } })
    .composite([{ ...hole, left: 0, top: 0, blend: 'dest-out' }])
    .png()
    .toBuffer()
}

async function edit(members: Record<string, string | Buffer>) {
  const form = new FormData()
  for (const [name, value] of Object.entries(members)) {
    if (typeof value === 'string') form.append(name, value)
    else form.append(name, new Blob([new Uint8Array(value)], { type: 'image/png' }), `${name}.png`)
  }
  const answer = await fetch(`${app.url}/v1/images/edits`, { method: 'POST', body: form })
  // biome-ignore lint/suspicious/noExplicitAny: as answered
  return { status: answer.status, body: (await answer.json()) as any }
}

/** Opacity, or lightness, of one pixel in each half. */
async function halvesOf(bytes: Buffer, channel: 'alpha' | 'red') {
  const { data, info } = await sharp(bytes).extractChannel(channel).raw().toBuffer({ resolveWithObject: true })
  const middle = Math.floor(info.height / 2) * info.width
  return { size: `${info.width}x${info.height}`, left: data[middle + 5], right: data[middle + info.width - 5] }
}

function lastWanInput() {
  const sent = app.qwen.requests.findLast(({ method, path }) => method === 'POST' && /image2image/.test(path))
  return (sent!.body as { input: Record<string, string> }).input
}

async function lastForm() {
  const sent = app.openai.requests.findLast(({ path }) => path.endsWith('/images/edits'))
  const headers = { 'content-type': String(sent?.headers['content-type']) }
  return new Response(Buffer.from(String(sent?.body), 'latin1'), { headers }).formData()
}

test('Wan gets a mask that is white where that of the client is transparent', async () => {
  const { status, body } = await edit({ model: wan, prompt: 'a red hat', image: picture, mask })

  expect(status, JSON.stringify(body)).toBe(200)
  const { function: named, mask_image_url = '' } = lastWanInput()
  const sent = Buffer.from(mask_image_url.replace('data:image/png;base64,', ''), 'base64')
  expect(named).toBe('description_edit_with_mask')
  expect(await halvesOf(sent, 'red')).toEqual({ size: '600x400', left: 255, right: 0 })
  expect((await sharp(sent).metadata()).hasAlpha).toBe(false)
})

test('models of the OpenAI API get it as it is meant there, beside their pictures', async () => {
  const images = [dataUri(picture), dataUri(await png(300, 300))]
  const answer = await app.generate({ model: gpt, prompt: 'a red hat', images, mask: dataUri(mask) })

  const form = await lastForm()
  const sent = Buffer.from(await (form.get('mask') as File).arrayBuffer())
  expect(form.getAll('image[]')).toHaveLength(2)
  expect(await halvesOf(sent, 'alpha')).toEqual({ size: '600x400', left: 0, right: 255 })
  expect(answer).toMatchObject({ parameters: { mask: true }, references: [{}, {}, {}] })

  // A retry knows which of them is the mask.
  const again = await app.call('POST', `/api/history/${answer.id}/retry`, {})
  expect(again.status).toBe(202)
  await expect.poll(async () => (await app.call('GET', `/api/history/${again.body.id}`)).body.status).toBe('succeeded')
  expect((await lastForm()).getAll('image[]')).toHaveLength(2)
})

test('a picture and its mask are shrunk alike', async () => {
  const large = await png(6000, 3000)

  const { status } = await edit({ model: wan, prompt: 'a hat', image: large, mask: await maskOf(6000, 3000) })

  const { base_image_url = '', mask_image_url = '' } = lastWanInput()
  const sizes = [base_image_url, mask_image_url].map(async uri => {
    const { width, height } = await sharp(Buffer.from(uri.split(',')[1]!, 'base64')).metadata()
    return `${width}x${height}`
  })
  expect(status).toBe(200)
  expect(new Set(await Promise.all(sizes)).size).toBe(1)
})

test('what cannot be kept is refused before money moves, and says what would work', async () => {
  const billed = () => app.qwen.billed.length + app.openai.billed.length + app.doubao.billed.length
  const before = billed()
  const refusals = [
    await edit({ model: wan, prompt: 'a hat', image: picture, mask: await maskOf(500, 300) }),
    await edit({ model: wan, prompt: 'a hat', image: picture, mask: picture }),
    await edit({ model: wan, prompt: 'a hat', image: picture, mask: Buffer.from('no picture') }),
    await edit({ model: 'doubao-seedream-4-0-20260415', prompt: 'a hat', image: picture, mask }),
    await edit({ model: gpt, prompt: 'a hat', image: picture, mask: await maskOf(500, 300) }),
  ]
  const both = { model: wan, images: [dataUri(picture), dataUri(picture)], mask: dataUri(mask), prompt: 'a hat' }
  const two = await app.call('POST', '/api/generate', both)
  const alone = await app.call('POST', '/api/generate', { ...both, images: [] })
  const unsuited = await app.call('POST', '/api/generate', {
    ...both,
    parameters: { function: 'colorization' },
    images: [dataUri(picture)],
  })

  expect(refusals.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400])
  const said = refusals.map(({ body }) => body.error.message)
  expect(said[0]).toMatch(/mask is 500x300 and must have the size of the picture, 600x400/)
  expect(said[1]).toMatch(/The mask: Nothing of it is transparent/)
  expect(said[2]).toMatch(/The mask: /)
  expect(said[3]).toMatch(
    /takes no mask\. Choose a model that does \(.*gpt-image-1.*wanx2\.1-imageedit|takes no mask\. Choose a model that does \(.*wanx2\.1-imageedit.*gpt-image-1/,
  )
  expect(said[4]).toMatch(/mask is 500x300/)
  expect(two.body.errors).toMatchObject([{ path: 'images', code: 'mask_one_picture', values: { max: 1, got: 2 } }])
  expect(alone.body.errors).toMatchObject([{ path: 'images' }])
  expect(unsuited.body.errors).toMatchObject([{ code: 'function_one_reference' }])
  expect(billed()).toBe(before)
})

test('the card of a model says whether it takes a mask', async () => {
  const { body } = await app.call('GET', '/api/models')
  const maskOfModel = (id: string) => body.items.find((model: { id: string }) => model.id === id)?.mask

  expect(maskOfModel(wan)).toEqual({ marks: 'white', parameters: { function: 'description_edit_with_mask' } })
  expect(maskOfModel(gpt)).toEqual({ marks: 'transparent', parameters: { mask: true } })
  expect(maskOfModel('doubao-seedream-4-0-20260415')).toBeNull()
})
