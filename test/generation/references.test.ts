import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ReferenceLimits } from '../../src/catalogue/model.ts'
import { describeViolation, InvalidRequest } from '../../src/catalogue/violation.ts'
import { prepareReferences } from '../../src/images/fitting.ts'
import { type ReferenceParts, readReference, storedBytes } from '../../src/images/references.ts'
import { createHttp } from '../../src/outgoing/client.ts'
import { createFolderFiles, StorageError, storageError } from '../../src/storage/files/folder.ts'
import type { ImageRecord } from '../../src/storage/records.ts'
import { bmp, heic } from '../support/pictures.ts'

let root: string
let parts: ReferenceParts
const opened: (() => unknown)[] = []
const images = new Map<string, ImageRecord>()
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'webimgui-references-'))
  const http = createHttp({ allowedHosts: ['127.0.0.1'], allowedOrigins: [] })
  opened.push(() => http.close())
  parts = { http, files: createFolderFiles(root), findImage: async id => images.get(id) }
})
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
  images.clear()
  await rm(root, { recursive: true, force: true })
})

async function serve(handle: RequestListener) {
  const server = createServer(handle)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  opened.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Noise, which hardly compresses; or one colour, which compresses to nothing. */
function noise(width: number, height: number) {
  const grain = { type: 'gaussian', mean: 128, sigma: 60 } as const
  return sharp({ create: { width, height, channels: 3, background: '#888', noise: grain } })
}
function plain(width: number, height: number, background: string | object = '#cc2200', channels: 3 | 4 = 3) {
  return sharp({ create: { width, height, channels, background: background as string } })
}

const dataUri = (bytes: Buffer, type = 'image/png') => `data:${type};base64,${bytes.toString('base64')}`
const leftOver = () => readdir(join(root, '.temporary')).catch(() => [])

async function faultOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(InvalidRequest)
  const { violations } = error as InvalidRequest
  expect(violations).toHaveLength(1)
  expect(violations[0]!.path).toMatch(/^images\.\d$/)
  return describeViolation(violations[0]!)
}

describe('taking in', () => {
  test('a data URI, whatever type it names', async () => {
    const png = await noise(40, 30).png().toBuffer()

    const original = await readReference({ text: dataUri(png, 'IMAGE/JPEG;charset=x') }, 0, parts)

    expect(original).toMatchObject({
      mimeType: 'image/png',
      extension: 'png',
      width: 40,
      height: 30,
      bytes: png.length,
    })
    expect(original.sha256).toBe(createHash('sha256').update(png).digest('hex'))
    expect(await readFile(original.temporaryPath!)).toEqual(png)
  })

  test.each<[string, (base64: string) => string]>([
    ['in upper case', base64 => `DATA:IMAGE/PNG;BASE64,${base64}`],
    ['with parameters', base64 => `data:image/png;name="a b.png";charset=utf-8;base64,${base64}`],
    ['without padding', base64 => `data:image/png;base64,${base64.replace(/=+$/, '')}`],
    ['with escapes', base64 => `data:image/png;base64,${encodeURIComponent(base64)}`],
    ['in the alphabet of addresses', base64 => `data:;base64,${base64.replaceAll('+', '-').replaceAll('/', '_')}`],
    ['between spaces', base64 => `\n data:image/png;base64,${base64}\n`],
  ])('a data URI %s', async (_name, spell) => {
    const png = await noise(40, 31).png().toBuffer()

    const original = await readReference({ text: spell(png.toString('base64')) }, 0, parts)

    expect(await readFile(original.temporaryPath!)).toEqual(png)
  })

  test('an address, an upload and a stored image', async () => {
    const webp = await noise(50, 20).webp().toBuffer()
    const origin = await serve((_request, response) => response.end(webp))
    const path = join(root, 'upload')
    await writeFile(path, webp)
    const temporary = await parts.files.temporary()
    await writeFile(temporary, webp)
    await parts.files.put('2026/11/a.webp', temporary)
    const stored = {
      ...record('a', '2026/11/a.webp'),
      mimeType: 'image/webp',
      width: 50,
      height: 20,
      bytes: webp.length,
    }
    images.set('a', stored)

    const fetched = await readReference({ text: `${origin}/a?b=%2B` }, 0, parts)
    const uploaded = await readReference({ upload: { path, bytes: webp.length, sha256: 'x' } }, 1, parts)
    const known = await readReference({ text: 'a' }, 2, parts)

    const facts = { mimeType: 'image/webp', width: 50, height: 20, bytes: webp.length }
    expect(fetched).toMatchObject(facts)
    expect(uploaded).toMatchObject({ ...facts, temporaryPath: path, sha256: 'x' })
    expect(known).toMatchObject({ ...facts, extension: 'webp', stored })
    expect(known.temporaryPath).toBeUndefined()
    expect(await storedBytes(stored, parts.files)).toEqual(webp)
  })

  test('sizes are those that a viewer sees', async () => {
    const turned = await noise(40, 30).withMetadata({ orientation: 6 }).jpeg().toBuffer()

    expect(await readReference({ text: dataUri(turned) }, 0, parts)).toMatchObject({ width: 30, height: 40 })
  })

  test.each([
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"></svg>'), /not a picture/],
    ['SVG with a head', Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'), /not a picture/],
    ['HTML', Buffer.from('<!doctype html><p>hello'), /not a picture/],
    ['PDF', Buffer.from('%PDF-1.7\n1 0 obj\n'), /application\/pdf, not a picture/],
    ['a head of BMP', Buffer.concat([Buffer.from('BM'), Buffer.alloc(100)]), /BMP.*Convert it to PNG/],
    ['half a BMP', bmp(40, 40, Buffer.alloc(4800)).subarray(0, 2000), /image\/bmp is damaged/],
    ['a head of HEIC', headOfHeic(), /image\/heic.*Convert it to JPEG or PNG/],
    ['half a HEIC', heic.subarray(0, heic.length - 20), /damaged or incomplete/],
    ['nothing', Buffer.alloc(0), /not a picture|base64/],
  ])('%s is refused with a sentence', async (_name, bytes, sentence) => {
    expect(await faultOf(readReference({ text: dataUri(bytes) }, 3, parts))).toMatch(sentence)
    expect(await leftOver()).toEqual([])
  })

  test('a damaged picture is refused here, not in the middle of a generation', async () => {
    const png = await noise(200, 200).png().toBuffer()
    const jpeg = await noise(200, 200).jpeg().toBuffer()

    for (const cut of [png.subarray(0, png.length / 2), jpeg.subarray(0, jpeg.length / 2)]) {
      expect(await faultOf(readReference({ text: dataUri(cut) }, 0, parts))).toMatch(/damaged or incomplete/)
    }
    expect(await leftOver()).toEqual([])
  })

  test('a bomb of pixels is refused before it is decoded', async () => {
    const bomb = await plain(12_000, 10_000).png({ compressionLevel: 9 }).toBuffer()

    expect(bomb.length).toBeLessThan(2_000_000)
    expect(await faultOf(readReference({ text: dataUri(bomb) }, 0, parts))).toMatch(/100 million pixels/)
  })

  test('more than 30 MB are refused wherever they come from', async () => {
    const origin = await serve((_request, response) => {
      response.setHeader('content-length', 30_000_001).write(Buffer.alloc(1000))
    })
    const path = join(root, 'upload')
    await writeFile(path, 'x')
    const text = `data:image/png;base64,${'A'.repeat(40_000_008)}`

    expect(await faultOf(readReference({ text: origin }, 0, parts))).toMatch(/larger than 30 MB/)
    expect(await faultOf(readReference({ text }, 0, parts))).toMatch(/larger than 30 MB/)
    const upload = { path, bytes: 30_000_001, sha256: 'x' }
    expect(await faultOf(readReference({ upload }, 0, parts))).toMatch(/larger than 30 MB/)
    await expect(stat(path)).rejects.toThrow()
    expect(await leftOver()).toEqual([])
  })

  test('an address that cannot be had is refused in words', async () => {
    const missing = await serve((_request, response) => response.writeHead(404).end())
    const inside = await serve((_request, response) => response.end('secret'))
    const guarded = createHttp({ allowedHosts: [], allowedOrigins: [] })
    opened.push(() => guarded.close())

    expect(await faultOf(readReference({ text: missing }, 0, parts))).toMatch(/404/)
    expect(await faultOf(readReference({ text: 'http://127.0.0.1:1/?key=secret' }, 0, parts))).toMatch(/ECONNREFUSED/)
    const message = await faultOf(readReference({ text: `${inside}/?key=secret` }, 0, { ...parts, http: guarded }))
    expect(message).toMatch(/ALLOWED_HOSTS/)
    expect(message).not.toContain('secret')
  })

  test.each(['', 'nobody', 'file:///etc/passwd', 'data:image/png,abc', 'data:image/png;base64,%%%', '../../a.png'])(
    '%j is refused',
    async text => {
      expect(await faultOf(readReference({ text }, 2, parts))).toMatch(/^Reference 3: /)
    },
  )

  test('a stored image whose file is missing is refused', async () => {
    images.set('a', record('a', '2026/11/gone.png'))

    expect(await faultOf(readReference({ text: 'a' }, 0, parts))).toMatch(/missing/)
  })

  test('a full disk is no fault of the request', async () => {
    const full = storageError(Object.assign(new Error('full'), { code: 'ENOSPC' }))
    const files = { ...parts.files, create: () => Promise.reject(full) }
    const png = await noise(20, 20).png().toBuffer()

    await expect(readReference({ text: dataUri(png) }, 0, { ...parts, files })).rejects.toBeInstanceOf(StorageError)
  })

  test('the reason of an abort passes as it is', async () => {
    const origin = await serve(() => {})
    const abort = new AbortController()

    const reading = readReference({ text: origin }, 0, parts, abort.signal)
    setTimeout(() => abort.abort('gone'), 50)

    await expect(reading).rejects.toBe('gone')
  })
})

const limits: ReferenceLimits = {
  min: 0,
  max: 10,
  types: ['image/jpeg', 'image/png', 'image/webp'],
  alpha: true,
  maxEncodedBytes: 10_000_000,
  maxTotalEncodedBytes: 40_000_000,
  minSide: 14,
  maxSide: 4096,
}

async function prepare(image: Buffer, changes: Partial<ReferenceLimits> = {}) {
  const [prepared] = await prepareReferences([image], { ...limits, ...changes })
  const metadata = await sharp(prepared!.bytes).metadata()
  expect(metadata).toMatchObject({ width: prepared!.width, height: prepared!.height })
  expect(`image/${metadata.format}`).toBe(prepared!.mimeType)
  return { ...prepared!, metadata }
}

const pixelsOf = (bytes: Buffer) => sharp(bytes).removeAlpha().raw().toBuffer()

describe('preparing', () => {
  test.each(['jpeg', 'png', 'webp'] as const)('%s that fits keeps its bytes', async format => {
    const image = await noise(300, 200).toFormat(format).toBuffer()

    const prepared = await prepare(image)

    expect(prepared.bytes).toEqual(image)
    expect(prepared).toMatchObject({ mimeType: `image/${format}`, width: 300, height: 200, transparent: false })
  })

  test('BMP becomes the same pixels in a type that the model takes', async () => {
    const pixels = await noise(31, 20).raw().toBuffer()

    const prepared = await prepare(bmp(31, 20, pixels))

    expect(prepared).toMatchObject({ mimeType: 'image/png', width: 31, height: 20, transparent: false })
    expect(await pixelsOf(prepared.bytes)).toEqual(pixels)
  })

  test.each<[string, number, number, number, string, string]>([
    // Two colours of a palette, a bit each, rows of four bytes from the bottom.
    ['two colours', 1, 2, 2, '00000000ffffff00' + '40000000' + '80000000', 'ffffff000000' + '000000ffffff'],
    ['16 bits', 16, 2, 1, '007c1f00', 'ff00000000ff'],
    // From top to bottom; the transparent one is laid on white.
    ['32 bits', 32, 1, -2, '03020100' + '060504ff', 'ffffff' + '040506'],
  ])('BMP of %s', async (_name, bits, width, height, data, colors) => {
    const head = bmp(1, 1, Buffer.alloc(3)).subarray(0, 54)
    head.writeUInt32LE(bits === 1 ? 62 : 54, 10)
    head.writeInt32LE(width, 18)
    head.writeInt32LE(height, 22)
    head.writeUInt16LE(bits, 28)

    const prepared = await prepare(Buffer.concat([head, Buffer.from(data, 'hex')]), { minSide: 1, alpha: false })

    expect((await sharp(prepared.bytes).toColourspace('srgb').removeAlpha().raw().toBuffer()).toString('hex')).toBe(
      colors,
    )
  })

  test('HEIC is passed on where the model takes it, and refused with what works elsewhere', async () => {
    const types = [...limits.types, 'image/heic']

    const [prepared] = await prepareReferences([heic], { ...limits, types })

    expect(prepared).toMatchObject({ mimeType: 'image/heic', width: 64, height: 64, bytes: heic })
    expect(await faultOf(prepareReferences([heic], limits))).toMatch(/It takes JPEG, PNG, WEBP; save it as JPEG first/)
    expect(await faultOf(prepareReferences([heic], { ...limits, types, maxSide: 32 }))).toMatch(/cannot be shrunk here/)
  })

  test('a file on disk is prepared like its bytes', async () => {
    const path = join(root, 'picture')
    const image = await noise(100, 100).jpeg().toBuffer()
    await writeFile(path, image)

    const [small] = await prepareReferences([path], { ...limits, maxSide: 50 })
    const [whole] = await prepareReferences([path], limits)

    expect(small).toEqual((await prepareReferences([image], { ...limits, maxSide: 50 }))[0])
    expect(whole!.bytes).toEqual(image)
  })

  test('is turned upright', async () => {
    const left = await plain(20, 40, '#ff0000').png().toBuffer()
    const upright = await plain(80, 40, '#0000ff')
      .composite([{ input: left, left: 0, top: 0 }])
      .png()
      .toBuffer()
    const turned = await sharp(upright).rotate(90).withMetadata({ orientation: 8 }).jpeg({ quality: 100 }).toBuffer()

    const prepared = await prepare(turned)

    expect(prepared).toMatchObject({ width: 80, height: 40 })
    expect(prepared.metadata.orientation ?? 1).toBe(1)
    const pixels = await pixelsOf(prepared.bytes)
    expect(pixels[0]).toBeGreaterThan(200)
    expect(pixels[79 * 3 + 2]).toBeGreaterThan(200)
  })

  test('becomes sRGB of 8 bits', async () => {
    const cmyk = await plain(64, 64, '#00aa55').toColourspace('cmyk').jpeg().toBuffer()
    const wide = await plain(64, 64, '#00aa55').withIccProfile('p3').png().toBuffer()
    const deep = await noise(64, 64).toColourspace('rgb16').png().toBuffer()
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk')
    expect((await sharp(deep).metadata()).depth).toBe('ushort')

    for (const image of [cmyk, wide, deep]) {
      const { bytes, metadata } = await prepare(image)
      expect(bytes).not.toEqual(image)
      expect(metadata).toMatchObject({ space: 'srgb', depth: 'uchar' })
      expect(metadata.icc).toBeUndefined()
    }
    const [red, green, blue] = await pixelsOf((await prepare(wide)).bytes)
    expect(Math.abs(red! - 0) + Math.abs(green! - 0xaa) + Math.abs(blue! - 0x55)).toBeLessThan(12)
  })

  test('a picture with the usual profile keeps its bytes', async () => {
    const image = await noise(64, 64).withIccProfile('srgb').jpeg().toBuffer()
    expect((await sharp(image).metadata()).icc).toBeDefined()

    expect((await prepare(image)).bytes).toEqual(image)
  })

  test('an animation gives its first frame', async () => {
    const frames = await Promise.all(['#ff0000', '#00ff00'].map(colour => plain(40, 30, colour).png().toBuffer()))
    const gif = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer()
    const webp = await sharp(frames, { join: { animated: true } })
      .webp({ lossless: true })
      .toBuffer()

    for (const image of [gif, webp]) {
      expect((await sharp(image).metadata()).pages).toBe(2)
      const { bytes, metadata, width, height } = await prepare(image, { types: [...limits.types, 'image/gif'] })
      expect({ pages: metadata.pages ?? 1, width, height }).toEqual({ pages: 1, width: 40, height: 30 })
      const [red, green] = await pixelsOf(bytes)
      expect(red).toBeGreaterThan(240)
      expect(green).toBeLessThan(15)
    }
  })

  test('transparency is kept where it is allowed and laid on white where it is not', async () => {
    const clear = await plain(40, 40, { r: 255, g: 0, b: 0, alpha: 0.5 }, 4).png().toBuffer()
    const opaque = await plain(40, 40, { r: 255, g: 0, b: 0, alpha: 1 }, 4).png().toBuffer()

    expect(await prepare(clear)).toMatchObject({ transparent: true, bytes: clear })
    expect(await prepare(opaque)).toMatchObject({ transparent: false, bytes: opaque })
    expect(await prepare(clear, { maxSide: 20 })).toMatchObject({ transparent: true, mimeType: 'image/png', width: 20 })
    expect(await prepare(clear, { types: ['image/webp'] })).toMatchObject({ transparent: true, mimeType: 'image/webp' })
    for (const changes of [{ alpha: false }, { types: ['image/jpeg'] }]) {
      const { transparent, metadata, bytes } = await prepare(clear, changes)
      expect({ transparent, hasAlpha: metadata.hasAlpha }).toEqual({ transparent: false, hasAlpha: false })
      const [red, green] = await pixelsOf(bytes)
      expect(red).toBeGreaterThan(250)
      expect(Math.abs(green! - 128)).toBeLessThan(4)
    }
    expect((await prepare(opaque, { alpha: false })).metadata.hasAlpha).toBe(false)
  })

  test('a type that the model does not take becomes one that it takes', async () => {
    const tiff = await noise(40, 40).tiff().toBuffer()
    const avif = await noise(40, 40).avif().toBuffer()
    const png = await noise(40, 40).png().toBuffer()

    const lossless = await prepare(tiff)

    expect(lossless.mimeType).toBe('image/png')
    expect(await pixelsOf(lossless.bytes)).toEqual(await pixelsOf(tiff))
    expect(await prepare(avif)).toMatchObject({ mimeType: 'image/jpeg' })
    expect(await prepare(png, { types: ['image/jpeg'] })).toMatchObject({ mimeType: 'image/jpeg' })
    expect(await prepare(png, { types: ['image/webp'] })).toMatchObject({ mimeType: 'image/webp' })
    const jpeg = await noise(40, 40).jpeg().toBuffer()
    expect(await prepare(jpeg, { types: ['image/png'] })).toMatchObject({ mimeType: 'image/png' })
  })

  test('shrinks to the side, the area and never beyond the ratio', async () => {
    const wide = await plain(4000, 500).png().toBuffer()

    expect(await prepare(wide, { maxSide: 1000 })).toMatchObject({ width: 1000, height: 125 })
    expect(await prepare(wide, { maxArea: 500_000 })).toMatchObject({ width: 2000, height: 250 })
    for (const maxSide of [999, 777, 333]) {
      const { width, height } = await prepare(wide, { maxSide, maxRatio: 8 })
      expect(width).toBeLessThanOrEqual(maxSide)
      expect(width).toBeGreaterThan(maxSide - 9)
      expect(width / height).toBeLessThanOrEqual(8)
    }
    const square = await plain(1001, 1001).png().toBuffer()
    expect(await prepare(square, { maxSide: 1000 })).toMatchObject({ width: 1000, height: 1000 })
    const { width, height } = await prepare(square, { maxArea: 654_321 })
    expect(width).toBe(height)
    expect(width * height).toBeLessThanOrEqual(654_321)
  })

  test('what cannot be made to fit is refused by its limit', async () => {
    const small = await plain(100, 13).png().toBuffer()
    const long = await plain(1700, 100).png().toBuffer()

    const refusal = (image: Buffer, changes: Partial<ReferenceLimits>) =>
      faultOf(prepareReferences([image], { ...limits, ...changes }))

    expect(await refusal(small, {})).toMatch(/100×13.*no side under 14.*larger/)
    expect(await refusal(long, { maxRatio: 16 })).toMatch(/1700×100.*16:1.*Crop/)
    expect(await refusal(long, { maxSide: 200 })).toMatch(/under 14.*Crop/)
  })

  test('stays under the limit of bytes by quality first, then by size', async () => {
    const png = await noise(400, 400).png().toBuffer()
    const encoded = (bytes: Buffer) => Math.ceil(bytes.length / 3) * 4
    expect(encoded(png)).toBeGreaterThan(400_000)

    const lowered = await prepare(png, { maxEncodedBytes: 300_000 })
    const shrunk = await prepare(png, { maxEncodedBytes: 30_000 })
    const onlyPng = await prepare(png, { maxEncodedBytes: 100_000, types: ['image/png'] })

    expect(lowered).toMatchObject({ mimeType: 'image/jpeg', width: 400, height: 400 })
    expect(encoded(lowered.bytes)).toBeLessThanOrEqual(300_000)
    expect(shrunk.mimeType).toBe('image/jpeg')
    expect(shrunk.width).toBeLessThan(400)
    expect(shrunk.width).toBe(shrunk.height)
    expect(encoded(shrunk.bytes)).toBeLessThanOrEqual(30_000)
    expect(onlyPng.mimeType).toBe('image/png')
    expect(encoded(onlyPng.bytes)).toBeLessThanOrEqual(100_000)
    const impossible = prepareReferences([png], { ...limits, maxEncodedBytes: 3000, minSide: 240 })
    expect(await faultOf(impossible)).toMatch(/bytes are left/)
  })

  test('many share the limit of all together', async () => {
    const image = await noise(300, 300).png().toBuffer()
    const total = 600_000
    expect(image.length * 4).toBeGreaterThan(total)

    const prepared = await prepareReferences([image, image, image, image], {
      ...limits,
      maxTotalEncodedBytes: total,
    })

    const sum = prepared.reduce((sum, { bytes }) => sum + bytes.toString('base64').length, 0)
    expect(prepared).toHaveLength(4)
    expect(sum).toBeLessThanOrEqual(total)
    expect((await prepareReferences([image], { ...limits, maxTotalEncodedBytes: total }))[0]!.bytes).toEqual(image)
  })

  test('a picture and its mask keep the same size, also when only one has to shrink for its bytes', async () => {
    const photo = await noise(600, 400).png().toBuffer()
    const mask = await plain(600, 400, '#ffffff').png().toBuffer()
    const other = await plain(500, 500, '#ffffff').png().toBuffer()

    const small = await prepareReferences([photo, mask], { ...limits, maxSide: 333 })
    const tight = await prepareReferences([mask, photo, other], { ...limits, maxEncodedBytes: 40_000 })

    expect(small[0]).toMatchObject({ width: 333, height: 222 })
    expect(small[1]).toMatchObject({ width: 333, height: 222 })
    expect(tight[1]!.width).toBeLessThan(600)
    expect(tight[0]).toMatchObject({ width: tight[1]!.width, height: tight[1]!.height, mimeType: 'image/png' })
    expect(tight[2]).toMatchObject({ width: 500, height: 500, bytes: other })
    expect(tight[0]).not.toHaveProperty('originalSize')
  })

  test('the same input gives the same bytes', async () => {
    const image = await noise(500, 300).webp().toBuffer()
    const changes = { ...limits, maxSide: 200, types: ['image/jpeg'] }

    expect(await prepareReferences([image], changes)).toEqual(await prepareReferences([image], changes))
  })

  test('names every reference that is at fault', async () => {
    const good = await plain(100, 100).png().toBuffer()
    const small = await plain(5, 5).png().toBuffer()

    const error = await prepareReferences([small, good, Buffer.from('x')], limits).catch((error: unknown) => error)

    expect((error as InvalidRequest).violations.map(violation => violation.path)).toEqual(['images.0', 'images.2'])
  })
})

function record(id: string, file: string): ImageRecord {
  return {
    ...{ id, file, role: 'reference', generationId: null, callId: null, index: 0, width: 1, height: 1, bytes: 1 },
    ...{ mimeType: 'image/png', sha256: '', createdAt: '2026-11-23T08:00:00.000Z', details: null },
  }
}

/** The first box of a HEIC file, as a telephone writes it. */
function headOfHeic(): Buffer {
  const box = Buffer.alloc(200)
  box.writeUInt32BE(24)
  box.write('ftypheic\0\0\0\0mif1heic', 4, 'latin1')
  return box
}
