import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FetchError, type FetchOptions, fetchImage, type InlineText } from '../../src/images/download.ts'
import { createHttp } from '../../src/outgoing/client.ts'
import { createFolderFiles, type Files, storageError } from '../../src/storage/files/folder.ts'

let root: string
let files: Files
let png: Buffer
const opened: (() => unknown)[] = []
beforeAll(async () => {
  png = await noise(64, 48).png().toBuffer()
})
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'webimgui-download-'))
  files = createFolderFiles(root)
})
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
  await rm(root, { recursive: true, force: true })
})

function noise(width: number, height: number) {
  return sharp({
    create: { width, height, channels: 3, background: '#888', noise: { type: 'gaussian', mean: 128, sigma: 40 } },
  })
}

async function serve(handle: RequestListener) {
  const server = createServer(handle)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  opened.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Answers these bytes as they are and closes the connection. */
async function serveRaw(answer: Buffer) {
  const server = createTcpServer(socket => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(answer))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  opened.push(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function fetchFrom(url: string, options: Partial<FetchOptions> = {}) {
  const http = createHttp({ allowedHosts: ['127.0.0.1'], allowedOrigins: [] })
  opened.push(() => http.close())
  return fetchImage({ http, files, source: { url }, ...options })
}

async function failure(promise: Promise<unknown>): Promise<FetchError> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(FetchError)
  return error as FetchError
}

async function leftOver() {
  return readdir(join(root, '.temporary')).catch(() => [])
}

describe('from an address', () => {
  test('keeps the bytes as they came and tells what they are, whatever the server says', async () => {
    let asked = ''
    const origin = await serve((request, response) => {
      asked = request.url ?? ''
      response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': png.length }).end(png)
    })

    const kept = await fetchFrom(`${origin}/a.jpeg?Signature=%2B%3D+&Expires=1`)

    expect(asked).toBe('/a.jpeg?Signature=%2B%3D+&Expires=1')
    expect(kept).toEqual({
      temporaryPath: expect.stringContaining(root),
      isSynced: true,
      bytes: png.length,
      sha256: createHash('sha256').update(png).digest('hex'),
      mimeType: 'image/png',
      extension: 'png',
      width: 64,
      height: 48,
      state: 'whole',
    })
    expect(await readFile(kept.temporaryPath)).toEqual(png)
  })

  test.each(['jpeg', 'webp', 'avif', 'gif', 'tiff'] as const)('knows %s', async format => {
    const bytes = await noise(32, 16).toFormat(format).toBuffer()
    const origin = await serve((_request, response) => response.end(bytes))

    const kept = await fetchFrom(origin)

    expect(kept).toMatchObject({ mimeType: `image/${format}`, width: 32, height: 16, bytes: bytes.length })
  })

  test.each([
    ['content-length', (bytes: Buffer) => `content-length: ${bytes.length}\r\n\r\n`, 'again'],
    ['nothing but the end of the connection', () => 'connection: close\r\n\r\n', 'not_a_picture'],
  ])('a body that is cut, announced by %s, is worth another fetch', async (_name, header, kind) => {
    const begin = Buffer.from(`HTTP/1.1 200 OK\r\n${header(png)}`)
    const cut = await serveRaw(Buffer.concat([begin, png.subarray(0, png.length - 500)]))
    const whole = await serveRaw(Buffer.concat([begin, png]))

    expect(await failure(fetchFrom(cut))).toMatchObject({ kind, kept: undefined })
    expect(await leftOver()).toEqual([])
    expect(await failure(fetchFrom(cut, { keepUnfinished: true }))).toMatchObject({
      kind,
      kept: { state: 'damaged', bytes: png.length - 500, width: 64 },
    })
    expect(await fetchFrom(whole)).toMatchObject({ bytes: png.length, width: 64 })
  })

  test('an empty body is worth another fetch', async () => {
    const origin = await serve((_request, response) => response.end())

    expect(await failure(fetchFrom(origin))).toMatchObject({ kind: 'again', status: 200 })
  })

  test.each([429, 500, 502, 503, 504, 404, 403])('an answer %i is worth another fetch', async status => {
    const origin = await serve((_request, response) => response.writeHead(status).end('<Error>Busy</Error>'))

    expect(await failure(fetchFrom(origin, { expiresAt: Date.now() + 60_000 }))).toMatchObject({
      kind: 'again',
      status,
    })
  })

  test('an address that says it has expired, or whose time is over, is dead', async () => {
    const xml = '<Error><Code>AccessDenied</Code><Message>Request has expired.</Message></Error>'
    const saying = await serve((_request, response) => response.writeHead(403).end(xml))
    const silent = await serve((_request, response) => response.writeHead(403).end())
    const gone = await serve((_request, response) => response.writeHead(410).end())
    // A `Date` counts whole seconds.
    const late = { expiresAt: Date.now() - 2000 }

    expect(await failure(fetchFrom(saying))).toMatchObject({ kind: 'expired', status: 403 })
    expect(await failure(fetchFrom(silent, late))).toMatchObject({ kind: 'expired', status: 403 })
    expect(await failure(fetchFrom(gone))).toMatchObject({ kind: 'expired', status: 410 })
  })

  test('whose time is over tells the clock of the host, not ours', async () => {
    const serveAt = (date: number | undefined) =>
      serve((_request, response) => {
        response.sendDate = false
        response.writeHead(403, date === undefined ? {} : { date: new Date(date).toUTCString() }).end()
      })
    const hour = 3600_000
    const over = { expiresAt: Date.now() - hour }

    expect(await failure(fetchFrom(await serveAt(Date.now() - 2 * hour), over))).toMatchObject({ kind: 'again' })
    expect(await failure(fetchFrom(await serveAt(undefined), over))).toMatchObject({ kind: 'again' })
    const alive = { expiresAt: Date.now() + hour }
    expect(await failure(fetchFrom(await serveAt(Date.now() + 2 * hour), alive))).toMatchObject({ kind: 'expired' })
  })

  test('a refused connection and a slow server are worth another fetch', async () => {
    const slow = await serve((_request, response) => void response.writeHead(200).write(png.subarray(0, 100)))

    expect(await failure(fetchFrom('http://127.0.0.1:1/'))).toMatchObject({ kind: 'again' })
    expect(await failure(fetchFrom(slow, { timeoutMs: 200 }))).toMatchObject({ kind: 'again' })
    expect(await failure(fetchFrom(slow, { idleTimeoutMs: 200 }))).toMatchObject({ kind: 'again' })
    // One that says a byte now and then is never silent, and has only so long in all.
    const dripping = await serve((_request, response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(timer))
    })
    expect(await failure(fetchFrom(dripping, { idleTimeoutMs: 10_000, timeoutMs: 300 }))).toMatchObject({
      kind: 'again',
    })
    expect(await leftOver()).toEqual([])
  })

  test.each([
    ['a page', Buffer.from('<!doctype html><html><body>log in</body></html>')],
    ['a page with a drawing in it', Buffer.from('<html><svg xmlns="http://www.w3.org/2000/svg"></svg></html>')],
    ['the error of a store', Buffer.from('<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>')],
    ['a script', Buffer.from('#!/bin/sh\necho hello\n')],
    ['an error in JSON', Buffer.from('{"error":{"code":"NoSuchKey"}}')],
    ['a program', Buffer.from(`MZ\x90\0\x03${'\0'.repeat(80)}`, 'latin1')],
    ['a document', Buffer.from('%PDF-1.7\n%âãÏÓ\n')],
    ['a head without a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0])],
  ])('%s is not a picture', async (_name, bytes) => {
    const origin = await serve((_request, response) => response.setHeader('content-type', 'image/png').end(bytes))

    expect(await failure(fetchFrom(origin))).toMatchObject({ kind: 'not_a_picture' })
    expect(await leftOver()).toEqual([])
  })

  test.each(['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'] as const)('half of a %s is no picture', async format => {
    const whole = await noise(64, 48).toFormat(format).toBuffer()
    const origin = await serve((_request, response) => {
      const half = whole.subarray(0, whole.length / 2)
      response.setHeader('content-length', half.length).end(half)
    })

    expect(await failure(fetchFrom(origin))).toMatchObject({ kind: 'not_a_picture' })
    expect(await leftOver()).toEqual([])
  })

  test('a picture with something behind its end is whole', async () => {
    for (const filling of [Buffer.alloc(2000), Buffer.from('\r\n'), Buffer.from('and a few words more')]) {
      const origin = await serve((_request, response) => response.end(Buffer.concat([png, filling])))

      expect(await fetchFrom(origin)).toMatchObject({ state: 'whole', bytes: png.length + filling.length })
    }
  })

  test.each<[string, string, Buffer]>([
    [
      'SVG',
      'image/svg+xml',
      Buffer.from('<?xml version="1.0"?>\n<!-- x -->\n<svg xmlns="http://www.w3.org/2000/svg"></svg>\n'),
    ],
    ['JPEG XL', 'image/jxl', Buffer.concat([Buffer.from('0000000c4a584c200d0a870a', 'hex'), Buffer.alloc(64, 9)])],
    [
      'a Photoshop file',
      'image/vnd.adobe.photoshop',
      Buffer.concat([Buffer.from('38425053', 'hex'), Buffer.alloc(64)]),
    ],
  ])('%s is kept as it came, although it cannot be shown', async (_name, mimeType, bytes) => {
    const origin = await serve((_request, response) => response.end(bytes))

    const kept = await fetchFrom(origin)

    expect(kept).toMatchObject({ state: 'not_shown', mimeType, width: 0, height: 0 })
    expect(await readFile(kept.temporaryPath)).toEqual(bytes)
  })

  test('too many bytes are too many, announced or not', async () => {
    const announced = await serve((_request, response) =>
      response.setHeader('content-length', 5000).end(Buffer.alloc(5000)),
    )
    const silent = await serve((_request, response) => {
      response.write(Buffer.alloc(3000))
      response.end(Buffer.alloc(3000))
    })

    expect(await failure(fetchFrom(announced, { maxBytes: 4000 }))).toMatchObject({ kind: 'too_large' })
    expect(await failure(fetchFrom(silent, { maxBytes: 4000 }))).toMatchObject({ kind: 'too_large' })
    expect(await leftOver()).toEqual([])
  })

  test('no message holds the query, which is the key to the picture', async () => {
    const origin = await serve((_request, response) => response.writeHead(500).end())

    const answered = await failure(fetchFrom(`${origin}/a?Signature=secret`))
    const refused = await failure(fetchFrom('http://127.0.0.1:1/a?Signature=secret'))

    expect(`${answered.message} ${refused.message}`).not.toContain('secret')
  })

  test('the reason of an abort passes as it is and nothing stays on the disk', async () => {
    let began = () => {}
    const beginning = new Promise<void>(resolve => {
      began = resolve
    })
    const origin = await serve((_request, response) => {
      response.writeHead(200).write(png.subarray(0, 100))
      began()
    })
    const abort = new AbortController()

    const fetching = fetchFrom(origin, { signal: abort.signal })
    fetching.catch(() => {})
    await beginning
    abort.abort('enough')

    await expect(fetching).rejects.toBe('enough')
    expect(await leftOver()).toEqual([])
  })

  test('a disk that does not take the bytes is our own failure', async () => {
    const origin = await serve((_request, response) => response.end(png))
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
    const fullFiles: Files = {
      ...files,
      create() {
        return Promise.reject(storageError(full))
      },
    }
    await writeFile(join(root, 'a file'), '')
    const noFolder = createFolderFiles(join(root, 'a file', 'images'))

    const error = await failure(fetchFrom(origin, { files: fullFiles }))

    expect(error).toMatchObject({ kind: 'storage', cause: { name: 'StorageError', code: 'full' } })
    expect(await failure(fetchFrom(origin, { files: noFolder }))).toMatchObject({ kind: 'storage' })
  })
})

describe('from base64', () => {
  const decode = (base64: InlineText, options: Partial<FetchOptions> = {}) =>
    fetchFrom('', { source: { base64 }, ...options })
  async function* inPieces(text: string, length: number) {
    for (let start = 0; start < text.length; start += length) yield text.slice(start, start + length)
  }

  test('keeps the bytes, with and without a prefix, also of several megabytes', async () => {
    const large = await noise(1200, 1000).png({ compressionLevel: 0 }).toBuffer()

    const kept = await decode(large.toString('base64'))
    const prefixed = await decode(`data:image/png;base64,${png.toString('base64')}`)
    const broken = await decode(png.toString('base64').replace(/.{76}/g, '$&\r\n'))

    expect(large.length).toBeGreaterThan(3_000_000)
    expect(await readFile(kept.temporaryPath)).toEqual(large)
    expect(kept).toMatchObject({ bytes: large.length, width: 1200, height: 1000 })
    expect(await readFile(prefixed.temporaryPath)).toEqual(png)
    expect(await readFile(broken.temporaryPath)).toEqual(png)
  })

  test.each<[string, (base64: string) => string]>([
    ['the alphabet of addresses', text => text.replaceAll('+', '-').replaceAll('/', '_')],
    ['no padding', text => text.replace(/=+$/, '')],
    [
      'the alphabet of addresses and no padding',
      text => text.replace(/[+/=]/g, letter => ({ '+': '-', '/': '_' })[letter] ?? ''),
    ],
    ['spaces and lines', text => ` ${text.replace(/.{60}/g, '$&\r\n ')}\t`],
    ['a data URI in upper case', text => `DATA:IMAGE/PNG;BASE64,${text}`],
    ['a data URI with parameters', text => `data:image/png;name=a.png;charset=utf-8;base64,${text}`],
    ['a data URI with escapes', text => `data:image/png;base64,${encodeURIComponent(text)}`],
    [
      'a data URI of escapes alone',
      text =>
        `data:,${[...Buffer.from(text, 'base64')].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('')}`,
    ],
  ])('%s makes no difference', async (_name, spell) => {
    // Sizes of every remainder, above one piece of the reader too.
    for (const width of [16, 17, 18, 640]) {
      const bytes = await noise(width, width).png({ compressionLevel: 0 }).toBuffer()

      const text = spell(bytes.toString('base64'))

      const kept = await decode(text)

      expect(await readFile(kept.temporaryPath)).toEqual(bytes)
      expect(kept).toMatchObject({ state: 'whole', width })
      for (const length of width < 100 ? [1, 2, 5, 64] : []) {
        const read = await decode(() => inPieces(text, length))
        expect(await readFile(read.temporaryPath)).toEqual(bytes)
      }
    }
  })

  test('half a picture is kept as what it is, because time does not make it whole', async () => {
    const text = png.toString('base64')

    expect(await decode(text.slice(0, text.length / 2))).toMatchObject({ state: 'damaged', width: 64 })
  })

  test.each([
    ['letters of no alphabet', (text: string) => `${text.slice(0, 8)}!?${text.slice(10)}`],
    ['something after the end', (text: string) => `${text.replace(/=*$/, '')}==AAAA`],
    ['something after the end, a megabyte later', () => `${'A'.repeat(1024 * 1024 - 4)}AA==AAAA`],
    ['words', () => 'no picture here!'],
  ])('%s is refused', async (_name, spoil) => {
    const text = (await noise(16, 16).png().toBuffer()).toString('base64')

    const error = await failure(decode(spoil(text)))

    expect(error).toMatchObject({ kind: 'unusable', message: expect.stringContaining('base64') })
    expect(await leftOver()).toEqual([])
  })

  test.each([
    ['nothing', ''],
    ['a page', Buffer.from('<html><body>Sign in</body></html>').toString('base64')],
  ])('%s is no picture, and will not become one', async (_name, text) => {
    expect(await failure(decode(text))).toMatchObject({ kind: 'unusable' })
    expect(await leftOver()).toEqual([])
  })

  test('too many bytes are too many', async () => {
    expect(await failure(decode(png.toString('base64'), { maxBytes: 1000 }))).toMatchObject({ kind: 'unusable' })
    expect(await leftOver()).toEqual([])
  })
})
