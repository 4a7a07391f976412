import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import { unzipSync } from 'fflate'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { withRecipe } from '../../src/images/recipe.ts'
import type { ImageRecord } from '../../src/storage/records.ts'
import { readRecipe } from '../../src/studio/data/read-recipe.ts'
import { startApp } from '../support/app.ts'
import { generation, image, startServer } from './harness.ts'

const prompt = '水墨山水，远处一叶小舟 <&"\'> \u0007 🎨 \r\n第二行 \ufffe'
const noise = { create: { width: 61, height: 47, channels: 3 as const, background: '#888' } }

function drawn(alpha = false) {
  return sharp({
    create: { ...noise.create, channels: alpha ? 4 : 3, background: { r: 90, g: 160, b: 40, alpha: 0.5 } },
  }).composite([
    { input: Buffer.from('<svg width="61" height="47"><circle cx="30" cy="20" r="15" fill="#b5372a"/></svg>') },
  ])
}

const files: Record<string, () => Promise<Buffer>> = {
  'image/png': () => drawn(true).png().toBuffer(),
  'image/jpeg': () => drawn().jpeg().toBuffer(),
  'image/webp lossy': () => drawn().webp({ quality: 60 }).toBuffer(),
  'image/webp lossless': () => drawn(true).webp({ lossless: true }).toBuffer(),
  'image/webp with a profile': () => drawn().withIccProfile('p3').webp().toBuffer(),
}

async function pixels(bytes: Buffer) {
  return sharp(bytes).raw().toBuffer()
}

/** A server whose one picture is `bytes`. */
async function serving(bytes: Buffer, mimeType: string, changes: Parameters<typeof generation>[0] = {}) {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const stored: Partial<ImageRecord> = { mimeType, bytes: bytes.length, sha256 }
  const record = generation({
    prompt,
    parameters: { seed: 7, negative_prompt: '文字' },
    images: [image(stored)],
    ...changes,
  })
  return startServer({
    services: {
      images: { find: async id => (id === 'i1' ? image(stored) : undefined), read: async () => Readable.from([bytes]) },
      generations: { find: async id => (id === 'g1' ? record : undefined) },
    },
  })
}

describe('a picture with its recipe inside', () => {
  test.each(Object.keys(files))('%s: reads back whole, with every pixel as it was', async name => {
    const mimeType = name.split(' ')[0]!
    const original = await files[name]!()
    const { call } = await serving(original, mimeType)

    const response = await call('GET', '/images/i1?download&recipe')
    const bytes = Buffer.from(await response.arrayBuffer())

    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe(mimeType)
    expect(response.headers.get('content-disposition')).toMatch(/^attachment/)
    expect(bytes.equals(original)).toBe(false)
    expect((await pixels(bytes)).equals(await pixels(original))).toBe(true)
    const before = await sharp(original).metadata()
    const after = await sharp(bytes).metadata()
    expect([after.width, after.height, after.hasAlpha, after.icc?.length]).toEqual([
      before.width,
      before.height,
      before.hasAlpha,
      before.icc?.length,
    ])
    expect(await readRecipe(new Blob([bytes]))).toMatchObject({
      webimgui: 1,
      prompt,
      model: 'doubao-seedream-4-0-20260415',
      parameters: { seed: 7, negative_prompt: '文字' },
      image_id: 'i1',
      sha256: createHash('sha256').update(original).digest('hex'),
    })
  })

  test('a PNG carries its description in Chinese where every viewer looks, before the pixels', async () => {
    const { call } = await serving(await files['image/png']!(), 'image/png', { prompt: '水墨山水' })

    const bytes = Buffer.from(await (await call('GET', '/images/i1?recipe')).arrayBuffer())

    const chunks = pngChunks(bytes)
    const texts = chunks.filter(chunk => chunk.type === 'iTXt').map(chunk => chunk.data.toString('utf8'))
    expect(texts.map(text => text.split('\0')[0])).toEqual(['Description', 'Software', 'parameters', 'webimgui'])
    expect(texts[0]!.split('\0').at(-1)).toBe('水墨山水')
    expect(texts[2]!.split('\0').at(-1)).toBe(
      '水墨山水\nNegative prompt: 文字\nSize: 2048x1024, Seed: 7, Model: doubao-seedream-4-0-20260415',
    )
    expect(chunks.every(chunk => chunk.isSound)).toBe(true)
    const order = chunks.map(chunk => chunk.type)
    expect(order.lastIndexOf('iTXt')).toBeLessThan(order.indexOf('IDAT'))
  })

  test('the XMP of others stays, and ours is added to it', async () => {
    const theirs =
      '<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description r:about="" xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"><TC260:AIGC>{"Label":"1"}</TC260:AIGC></r:Description></r:RDF></x:xmpmeta>'
    for (const format of ['jpeg', 'webp'] as const) {
      const original = await drawn().withXmp(theirs).toFormat(format).toBuffer()
      const { call } = await serving(original, `image/${format}`)

      const bytes = Buffer.from(await (await call('GET', '/images/i1?recipe')).arrayBuffer())

      const { xmp } = await sharp(bytes).metadata()
      expect(xmp?.toString('utf8')).toContain('<TC260:AIGC>{"Label":"1"}</TC260:AIGC>')
      expect(xmp?.toString('utf8').match(/xmpmeta/g)).toHaveLength(2)
      expect((await readRecipe(new Blob([bytes])))?.prompt).toBe(prompt)
    }
  })

  test('a prompt longer than a JPEG segment is carried whole', async () => {
    const long = '山高月小，水落石出。'.repeat(9000)
    const original = await files['image/jpeg']!()
    const { call } = await serving(original, 'image/jpeg', { prompt: long })

    const bytes = Buffer.from(await (await call('GET', '/images/i1?recipe')).arrayBuffer())

    expect((await readRecipe(new Blob([bytes])))?.prompt).toBe(long)
    expect((await pixels(bytes)).equals(await pixels(original))).toBe(true)
  })

  test('a type without a place for it comes as it is', async () => {
    const original = await drawn().gif().toBuffer()
    const { call } = await serving(original, 'image/gif')

    const bytes = Buffer.from(await (await call('GET', '/images/i1?recipe')).arrayBuffer())

    expect(bytes.equals(original)).toBe(true)
  })

  test('is another file to caches than the picture alone', async () => {
    const { call } = await serving(await files['image/png']!(), 'image/png')

    const plain = await call('GET', '/images/i1')
    const written = await call('GET', '/images/i1?recipe')
    const again = await call('GET', '/images/i1?recipe', undefined, { 'if-none-match': written.headers.get('etag')! })

    expect(written.headers.get('etag')).not.toBe(plain.headers.get('etag'))
    expect(again.status).toBe(304)
  })
})

test.each(['image/png', 'image/jpeg', 'image/webp', 'image/gif'])(
  'a broken %s is never made worse',
  (mimeType: string) => {
    const texts = { json: '{}', description: '', parameters: '' }
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('no'),
      Buffer.from('RIFF....WEBPVP8 '),
      Buffer.from('ffd8ffe0', 'hex'),
    ]) {
      expect(withRecipe(bytes, mimeType, texts)).toBeUndefined()
    }
  },
)

test.each([
  ['nothing', Buffer.alloc(0)],
  ['text', Buffer.from('not a picture at all')],
  ['half a PNG', Buffer.from('89504e470d0a1a0a0000ffff69545874', 'hex')],
  ['half a JPEG', Buffer.from('ffd8ffe1ffff6874', 'hex')],
  ['half a WebP', Buffer.from('RIFF\xff\xff\0\0WEBPXMP ', 'latin1')],
])('no recipe is found in %s', async (_name, bytes) => {
  expect(await readRecipe(new Blob([bytes]))).toBeUndefined()
})

describe('an archive', () => {
  test('holds pictures that open and tell their recipe, and all recipes in one file', async () => {
    const test = await startApp()
    const one = await test.generate({
      prompt: '水墨山水：一叶/小舟',
      model: 'doubao-seedream-4-0-20260415',
      parameters: { n: 2 },
    })
    const other = await test.generate({ prompt: 'a lighthouse', model: 'qwen-image-plus' })
    await test.call('PATCH', `/api/history/${one.id}`, { tags: ['山水'], favorite: true })
    const images = [...one.images, ...other.images]

    const response = await fetch(`${test.url}/api/images/archive`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ids: [...images.map(({ id }) => id), images[0]!.id, 'gone'] }),
    })
    const archive = unzipSync(new Uint8Array(await response.arrayBuffer()))

    expect(response.headers.get('content-type')).toBe('application/zip')
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="webimgui-[\d-]+\.zip"$/)
    const { pictures, missing } = JSON.parse(new TextDecoder().decode(archive['recipes.json']))
    expect(missing).toEqual([])
    expect(pictures).toHaveLength(3)
    expect(pictures[0]).toMatchObject({ prompt: '水墨山水：一叶/小舟', tags: ['山水'], favorite: true, index: 0 })
    expect(pictures[0].file).toMatch(/^\d{4}-\d\d-\d\d 水墨山水：一叶 小舟 \w{8}-1\.\w+$/)
    for (const [index, picture] of pictures.entries()) {
      const bytes = archive[picture.file]!
      const { width, height } = await sharp(bytes).metadata()
      expect([width, height]).toEqual([images[index]!.width, images[index]!.height])
      expect((await readRecipe(new Blob([bytes as Uint8Array<ArrayBuffer>])))?.image_id).toBe(images[index]!.id)
    }
    expect(Object.keys(archive)).toHaveLength(4)
  })

  test('is also answered to a form, as a page posts it', async () => {
    const { url } = await serving(await files['image/png']!(), 'image/png')

    const response = await fetch(`${url}/api/images/archive`, {
      method: 'POST',
      headers: { origin: url },
      body: new URLSearchParams({ ids: 'i1,gone' }),
    })

    expect(Object.keys(unzipSync(new Uint8Array(await response.arrayBuffer())))).toHaveLength(2)
  })

  test('leaves out a picture whose file is lost, and says so', async () => {
    const test = await startApp()
    const { images } = await test.generate({
      prompt: 'two',
      model: 'doubao-seedream-4-0-20260415',
      parameters: { n: 2 },
    })
    const record = await test.app.store.images.find(images[0]!.id)
    const { rm } = await import('node:fs/promises')
    await rm(`${test.dataDir}/images/${record!.file}`)

    const response = await fetch(`${test.url}/api/images/archive`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ids: images.map(({ id }) => id) }),
    })

    const archive = unzipSync(new Uint8Array(await response.arrayBuffer()))
    const { pictures, missing } = JSON.parse(new TextDecoder().decode(archive['recipes.json']))
    expect(pictures.map((picture: { image_id: string }) => picture.image_id)).toEqual([images[1]!.id])
    expect(missing).toEqual([{ image_id: images[0]!.id, reason: 'Its file is not in the picture store.' }])
  })

  test.each([
    [{ ids: ['gone'] }, 404, 'not_found'],
    [{ ids: [] }, 422, 'invalid_request'],
    [{ ids: 5 }, 422, 'invalid_request'],
    [{}, 422, 'invalid_request'],
    [{ ids: Array.from({ length: 1001 }, (_, index) => `i${index}`) }, 422, 'invalid_request'],
  ])('of nothing is refused', async (body, status, code) => {
    const { call } = await startServer()

    const response = await call('POST', '/api/images/archive', body)

    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ code })
  })

  test('that its format cannot hold is refused before it begins', async () => {
    const find = async (id: string) => image({ id, bytes: 3_000_000_000 })
    const { call } = await startServer({ services: { images: { find } } })

    const response = await call('POST', '/api/images/archive', { ids: ['a', 'b'] })

    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ code: 'too_large' })
  })
})

function pngChunks(bytes: Buffer) {
  const chunks: { type: string; data: Buffer; isSound: boolean }[] = []
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const end = at + 8 + bytes.readUInt32BE(at)
    const isSound = crc32(bytes.subarray(at + 4, end)) === bytes.readUInt32BE(end)
    chunks.push({ type: bytes.toString('latin1', at + 4, at + 8), data: bytes.subarray(at + 8, end), isSound })
  }
  return chunks
}
