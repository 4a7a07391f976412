import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FetchError, type FetchOptions, fetchPicture } from '../../src/generation/download.ts'
import { createHttp } from '../../src/providers/http.ts'
import { createFolderFiles, type Files, storageError } from '../../src/storage/files.ts'

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
  return fetchPicture({ http, files, source: { url }, ...options })
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
      bytes: png.length,
      sha256: createHash('sha256').update(png).digest('hex'),
      mimeType: 'image/png',
      extension: 'png',
      width: 64,
      height: 48,
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
    ['content-length', (bytes: Buffer) => `content-length: ${bytes.length}\r\n\r\n`],
    ['nothing but the end of the connection', () => 'connection: close\r\n\r\n'],
  ])('a body that is cut, announced by %s, is worth another fetch', async (_name, header) => {
    const begin = Buffer.from(`HTTP/1.1 200 OK\r\n${header(png)}`)
    const cut = await serveRaw(Buffer.concat([begin, png.subarray(0, png.length - 500)]))
    const whole = await serveRaw(Buffer.concat([begin, png]))

    expect(await failure(fetchFrom(cut))).toMatchObject({ kind: 'again' })
    expect(await leftOver()).toEqual([])
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
    const late = { expiresAt: Date.now() - 1 }

    expect(await failure(fetchFrom(saying))).toMatchObject({ kind: 'expired', status: 403 })
    expect(await failure(fetchFrom(silent, late))).toMatchObject({ kind: 'expired', status: 403 })
    expect(await failure(fetchFrom(gone))).toMatchObject({ kind: 'expired', status: 410 })
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
    [
      'a drawing that could hold scripts',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    ],
    ['a document', Buffer.from('%PDF-1.7\n%âãÏÓ\n')],
    ['a head without a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0])],
  ])('%s is not a picture', async (_name, bytes) => {
    const origin = await serve((_request, response) => response.setHeader('content-type', 'image/png').end(bytes))

    expect(await failure(fetchFrom(origin))).toMatchObject({ kind: 'not_a_picture' })
    expect(await leftOver()).toEqual([])
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
      temporary() {
        return Promise.reject(storageError(full))
      },
    }
    const noFolder: Files = { ...files, temporary: () => Promise.resolve(join(root, 'nowhere', 'file')) }

    const error = await failure(fetchFrom(origin, { files: fullFiles }))

    expect(error).toMatchObject({ kind: 'storage', cause: { name: 'StorageError', code: 'full' } })
    expect(await failure(fetchFrom(origin, { files: noFolder }))).toMatchObject({ kind: 'storage' })
  })
})

describe('from base64', () => {
  const decode = (base64: string, options: Partial<FetchOptions> = {}) =>
    fetchFrom('', { source: { base64 }, ...options })

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

  test.each([
    ['letters of another alphabet', (text: string) => `${text.slice(0, 8)}-_${text.slice(10)}`],
    ['a missing end', (text: string) => text.slice(0, -1)],
    ['something after the end', (text: string) => `${text.replace(/=*$/, '')}==AAAA`],
    ['a prefix that is not base64', (text: string) => `data:image/png,${text}`],
    ['something after the end, a megabyte later', () => `${'A'.repeat(1024 * 1024 - 4)}AA==AAAA`],
    ['words', () => 'no picture here!'],
  ])('%s is refused', async (_name, spoil) => {
    const text = (await noise(16, 16).png().toBuffer()).toString('base64')

    const error = await failure(decode(spoil(text)))

    expect(error).toMatchObject({ kind: 'not_a_picture', message: expect.stringContaining('base64') })
    expect(await leftOver()).toEqual([])
  })

  test('nothing is not a picture', async () => {
    expect(await failure(decode(''))).toMatchObject({ kind: 'not_a_picture' })
  })

  test('too many bytes are too many', async () => {
    expect(await failure(decode(png.toString('base64'), { maxBytes: 1000 }))).toMatchObject({ kind: 'too_large' })
    expect(await leftOver()).toEqual([])
  })
})
