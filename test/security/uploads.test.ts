/** Files from outside: what is no picture is not taken, what is one is served as nothing else, and none can exhaust the server. */
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openApp, type TestApp } from '../support/app.ts'
import { jpeg, png } from '../support/pictures.ts'

let app: TestApp
beforeAll(async () => {
  app = await openApp()
})
afterAll(() => app.close())

function upload(bytes: Buffer, type = 'image/png', name = 'a.png') {
  const form = new FormData()
  form.set('file', new Blob([new Uint8Array(bytes)], { type }), name)
  return app.call('POST', '/api/images', form)
}

const page = '<!doctype html><script>document.title = document.cookie</script>'

describe('what is no picture', () => {
  test.each([
    ['a page', page],
    ['a page that begins like a GIF', `GIF89a/*${page}*/`],
    ['a drawing with a script', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'],
    [
      'XML that reads files',
      '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><svg>&b;</svg>',
    ],
    ['a document', '%PDF-1.7 %%EOF'],
    ['a program', '\x7fELF'],
    ['nothing', ''],
    ['a signature alone', '\x89PNG\r\n\x1a\n'],
  ])('%s is refused, whatever it calls itself', async (_, text) => {
    const bytes = Buffer.from(text, 'latin1')

    for (const [type, name] of [
      ['image/png', 'a.png'],
      ['text/html', 'a.html'],
      ['image/svg+xml', 'a.svg'],
    ] as const) {
      expect(await upload(bytes, type, name)).toMatchObject({ status: 422, body: { code: 'invalid_request' } })
    }
    const inline = `data:image/png;base64,${bytes.toString('base64')}`
    const generated = await app.call('POST', '/api/generate', {
      prompt: 'x',
      model: 'qwen-image-edit',
      images: [inline],
    })
    expect(generated).toMatchObject({ status: 422, body: { errors: [{ path: 'images.0' }] } })
  })
})

test('a picture with a page behind it stays a picture for every browser', async () => {
  const both = Buffer.concat([await png(64, 64), Buffer.from(page)])

  for (const [type, name] of [
    ['text/html', 'a.html'],
    ['image/svg+xml', '../../a.svg'],
    ['image/png', '<b>.png'],
  ] as const) {
    const stored = await upload(both, type, name)
    // Refusing it is fine as well.
    if (stored.status === 422) continue
    expect(stored.status).toBe(201)
    const paths = [
      stored.body.url,
      `${stored.body.url}?download`,
      `${stored.body.url}?recipe`,
      stored.body.thumbnail_url,
    ]
    for (const address of paths) {
      const answer = await fetch(`${app.url}${address}`, { headers: { accept: 'text/html' } })
      await answer.arrayBuffer()
      expect(answer.headers.get('content-type')).toMatch(/^image\/(png|webp)$/)
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox")
      expect(answer.headers.get('content-disposition') ?? '').not.toMatch(/html|svg|<|\.\./)
    }
  }
})

test('names of files reach nothing outside of the store', async () => {
  const before = await everyFile()

  for (const name of [
    '../../../evil.png',
    '..\\..\\evil.png',
    '/etc/evil.png',
    'evil.png\0.html',
    'CON',
    '.'.repeat(300),
  ]) {
    await upload(await png(32, 32), 'image/png', name)
  }

  const added = (await everyFile()).filter(file => !before.includes(file))
  expect(added.filter(file => /evil|CON|\.\./.test(file))).toEqual([])
})

describe('picture bombs', () => {
  test.each([
    ['a PNG of 60000 × 60000', () => flatPng(60_000, 60_000, 1_000)],
    ['a PNG that says more than it holds', () => flatPng(2_147_483_647, 2_147_483_647, 10)],
    ['a PNG of one endless line', () => flatPng(1_000_000, 1, 1)],
    ['a PNG whose text expands to a gigabyte', async () => withText(await png(64, 64), 1_000_000_000)],
    ['a GIF of 65535 × 65535', () => emptyGif(65_535, 65_535)],
    ['a TIFF of 60000 × 60000', () => hugeTiff(60_000)],
    ['a TIFF that leads to itself', () => endlessTiff()],
    [
      'a WebP of 16384 × 16384',
      async () =>
        hugeWebp(
          await sharp(await png(64, 64))
            .webp()
            .toBuffer(),
        ),
    ],
    [
      'an AVIF that says 60000 × 60000',
      async () =>
        hugeAvif(
          await sharp(await png(64, 64))
            .avif()
            .toBuffer(),
        ),
    ],
    ['a drawing that names itself without end', () => Buffer.from(nestedSvg)],
    [
      'a GIF of a thousand large frames',
      async () =>
        manyFrames(
          await sharp(await png(2000, 2000))
            .gif()
            .toBuffer(),
        ),
    ],
    ['a JPEG that says 65500 × 65500', async () => resizedJpeg(await jpeg(64, 64), 65_500)],
  ])('%s costs no memory to speak of', async (_, make) => {
    const bytes = await make()
    expect(bytes.length).toBeLessThan(20_000_000)
    const before = process.memoryUsage().rss

    const stored = await upload(bytes)
    const generated = await app.call('POST', '/api/generate', {
      prompt: 'x',
      model: 'qwen-image-edit',
      images: [`data:image/png;base64,${bytes.toString('base64')}`],
    })

    // A picture may be fine but for what is packed beside its pixels; that is never unpacked.
    expect([201, 413, 422]).toContain(stored.status)
    expect([200, 413, 422]).toContain(generated.status)
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024)
    expect((await app.call('GET', '/health')).status).toBe(200)
  })
})

test('what is too large is refused while it comes', async () => {
  const large = await upload(Buffer.alloc(21 * 1024 * 1024, 1))
  const many = new FormData()
  for (let index = 0; index < 40; index++) many.append('images', new Blob(['x']), `${index}.png`)
  const crowd = await app.call('POST', '/api/generate', many)

  expect(large).toMatchObject({ status: 413, body: { code: 'too_large' } })
  expect(crowd).toMatchObject({ status: 413, body: { code: 'too_large' } })
  expect((await everyFile()).filter(file => file.endsWith('.part'))).toEqual([])
})

async function everyFile() {
  const entries = await readdir(app.dataDir, { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(entry => path.join(entry.parentPath, entry.name))
}

function chunk(name: string, data: Buffer) {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const whole = Buffer.alloc(body.length + 8)
  whole.writeUInt32BE(data.length, 0)
  body.copy(whole, 4)
  whole.writeUInt32BE(crc32(body), body.length + 4)
  return whole
}

/** One bit a pixel; `lines` are really there. */
function flatPng(width: number, height: number, lines: number) {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 1
  const line = Math.min(Math.ceil(width / 8) + 1, 1_000_000)
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(line * lines))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function withText(image: Buffer, bytes: number) {
  // Compressed in pieces that repeat: a thousand times smaller than what it holds.
  const text = Buffer.concat([Buffer.from('Comment\0\0'), deflateSync(Buffer.alloc(Math.min(bytes, 100_000_000), 65))])
  return Buffer.concat([image.subarray(0, 33), chunk('zTXt', text), chunk('zTXt', text), image.subarray(33)])
}

function emptyGif(width: number, height: number) {
  const gif = Buffer.from('474946383961ffffffff800000000000ffffff2c00000000ffffffff0002024401003b', 'hex')
  for (const at of [6, 24]) {
    gif.writeUInt16LE(width, at)
    gif.writeUInt16LE(height, at + 2)
  }
  return gif
}

/** Uncompressed, one bit a pixel, and its lines are not there. */
function hugeTiff(side: number) {
  const tags = [
    [256, side],
    [257, side],
    [258, 1],
    [259, 1],
    [262, 1],
    [273, 8],
    [277, 1],
    [278, side],
    [279, (side * side) / 8],
  ]
  return tiff(tags, 0)
}

/** The next directory after the first is the first. */
function endlessTiff() {
  return tiff(
    [
      [256, 64],
      [257, 64],
      [258, 8],
      [259, 1],
      [262, 1],
      [273, 8],
      [277, 1],
      [278, 64],
      [279, 64],
    ],
    8,
  )
}

function tiff(tags: number[][], next: number) {
  const bytes = Buffer.alloc(8 + 2 + tags.length * 12 + 4 + 4096)
  bytes.write('II*\0', 0, 'latin1')
  bytes.writeUInt32LE(8, 4)
  bytes.writeUInt16LE(tags.length, 8)
  for (const [index, [tag = 0, value = 0]] of tags.entries()) {
    const at = 10 + index * 12
    bytes.writeUInt16LE(tag, at)
    bytes.writeUInt16LE(4, at + 2)
    bytes.writeUInt32LE(1, at + 4)
    bytes.writeUInt32LE(value, at + 8)
  }
  bytes.writeUInt32LE(next, 10 + tags.length * 12)
  return bytes
}

/** A small picture on the largest canvas that there is. */
function hugeWebp(small: Buffer) {
  const canvas = Buffer.alloc(18)
  canvas.write('VP8X', 0, 'latin1')
  canvas.writeUInt32LE(10, 4)
  canvas.writeUIntLE(16_383, 12, 3)
  canvas.writeUIntLE(16_383, 15, 3)
  const whole = Buffer.concat([small.subarray(0, 12), canvas, small.subarray(12)])
  whole.writeUInt32LE(whole.length - 8, 4)
  return whole
}

function hugeAvif(small: Buffer) {
  const changed = Buffer.from(small)
  for (let at = changed.indexOf('ispe'); at >= 0; at = changed.indexOf('ispe', at + 4)) {
    changed.writeUInt32BE(60_000, at + 8)
    changed.writeUInt32BE(60_000, at + 12)
  }
  return changed
}

const nestedSvg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink" width="99999" height="99999">${Array.from(
  { length: 30 },
  (_, depth) => `<g id="g${depth}">${`<use x:href="#g${depth + 1}"/>`.repeat(20)}</g>`,
).join('')}<use x:href="#g0"/></svg>`

/** The frame of a GIF again and again: small in the file, 4 million pixels each when all are unpacked. */
function manyFrames(gif: Buffer) {
  const start = gif.indexOf(Buffer.from([0x21, 0xf9]))
  const frame = gif.subarray(start, -1)
  const count = Math.min(1000, Math.floor(18_000_000 / frame.length))
  return Buffer.concat([gif.subarray(0, start), ...Array(count).fill(frame), gif.subarray(-1)])
}

function resizedJpeg(image: Buffer, side: number) {
  const changed = Buffer.from(image)
  const frame = changed.indexOf(Buffer.from([0xff, 0xc0]))
  changed.writeUInt16BE(side, frame + 5)
  changed.writeUInt16BE(side, frame + 7)
  return changed
}
