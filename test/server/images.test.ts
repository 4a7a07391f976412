import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { Refusal } from '../../src/errors.ts'
import { image, picture, startServer } from './harness.ts'

const tag = `"${'ab'.repeat(32)}"`

describe('a picture', () => {
  test('comes byte for byte, to be kept for ever', async () => {
    const { call } = await startServer()

    const response = await call('GET', '/images/i1')

    expect(response.status).toBe(200)
    expect(Buffer.from(await response.arrayBuffer()).equals(picture)).toBe(true)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': '16',
      'content-disposition': 'inline; filename="webimgui-2026-11-23-i1-1.png"',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'private, max-age=31536000, immutable',
      'accept-ranges': 'bytes',
      etag: tag,
    })
  })

  test('is downloaded under a name when asked for', async () => {
    const { call } = await startServer()

    const response = await call('GET', '/images/i1?download')

    expect(response.headers.get('content-disposition')).toBe('attachment; filename="webimgui-2026-11-23-i1-1.png"')
  })

  test('HEAD tells the length without opening the file', async () => {
    let reads = 0
    const read = async () => {
      reads++
      return Readable.from([picture])
    }
    const { call } = await startServer({ services: { images: { read } } })

    const response = await call('HEAD', '/images/i1')

    expect([response.status, response.headers.get('content-length'), reads]).toEqual([200, '16', 0])
  })

  test.each([tag, `W/${tag}`, `"other", ${tag}`, '*'])('is not sent again to one who has %s', async known => {
    const { call } = await startServer()

    const response = await call('GET', '/images/i1', undefined, { 'if-none-match': known })

    expect(response.status).toBe(304)
    expect(response.headers.get('etag')).toBe(tag)
    expect(await response.text()).toBe('')
  })

  test.each([
    ['bytes=0-3', 206, 'bytes 0-3/16', '0123'],
    ['bytes=10-', 206, 'bytes 10-15/16', 'abcdef'],
    ['bytes=-2', 206, 'bytes 14-15/16', 'ef'],
    ['bytes=-99', 206, 'bytes 0-15/16', '0123456789abcdef'],
    ['bytes=8-999', 206, 'bytes 8-15/16', '89abcdef'],
    ['bytes=16-', 416, 'bytes */16', undefined],
    ['bytes=-0', 416, 'bytes */16', undefined],
    ['bytes=5-2', 200, null, '0123456789abcdef'],
    ['bytes=0-1,4-5', 200, null, '0123456789abcdef'],
    ['bytes=-', 200, null, '0123456789abcdef'],
    ['pixels=0-3', 200, null, '0123456789abcdef'],
  ])('Range: %s is %i', async (range, status, contentRange, text) => {
    const { call } = await startServer()

    const response = await call('GET', '/images/i1', undefined, { range })

    expect(response.status).toBe(status)
    expect(response.headers.get('content-range')).toBe(contentRange)
    if (text === undefined) expect(await response.json()).toMatchObject({ code: 'range_not_satisfiable' })
    else {
      expect(await response.text()).toBe(text)
      expect(response.headers.get('content-length')).toBe(String(text.length))
    }
  })

  test('a range of another version is answered with the whole', async () => {
    const { call } = await startServer()

    const same = await call('GET', '/images/i1', undefined, { range: 'bytes=0-3', 'if-range': tag })
    const other = await call('GET', '/images/i1', undefined, { range: 'bytes=0-3', 'if-range': '"other"' })

    expect([same.status, other.status]).toEqual([206, 200])
  })

  test('of a type that a browser might run is only ever downloaded', async () => {
    const find = async () => image({ mimeType: 'image/svg+xml' })
    const { call } = await startServer({ services: { images: { find } } })

    const { headers } = await call('GET', '/images/i1')

    expect(headers.get('content-type')).toBe('application/octet-stream')
    expect(headers.get('content-disposition')).toMatch(/^attachment/)
  })

  test('that is not there is 404 and not cached', async () => {
    const read = async () => {
      throw new Refusal('not_found', 'The file of this picture is missing.')
    }
    const { call } = await startServer({ services: { images: { read } } })

    const unknown = await call('GET', '/images/nope')
    const lost = await call('GET', '/images/i1')

    for (const response of [unknown, lost]) {
      expect(response.status).toBe(404)
      expect(response.headers.get('content-type')).toContain('application/problem+json')
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(response.headers.get('etag')).toBeNull()
    }
  })

  test('has a thumbnail, which is cached too', async () => {
    const { call } = await startServer()

    const first = await call('GET', '/images/i1/thumbnail')
    const again = await call('GET', '/images/i1/thumbnail', undefined, { 'if-none-match': first.headers.get('etag')! })

    expect([first.status, first.headers.get('content-type'), again.status]).toEqual([200, 'image/webp', 304])
    expect(first.headers.get('etag')).not.toBe(tag)
  })

  test('only unused references can be deleted', async () => {
    const remove = async (id: string) => {
      if (id === 'used') throw new Refusal('conflict', 'A generation uses this picture.')
    }
    const { call } = await startServer({ services: { images: { remove } } })

    expect((await call('DELETE', '/images/ref1')).status).toBe(204)
    expect((await call('DELETE', '/images/used')).status).toBe(409)
  })
})
