/** Bodies that are too large, never end or drip: each gets its answer while it is still being sent, and the connection ends. */
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

const megabyte = 1024 * 1024
const form = { 'content-type': 'multipart/form-data; boundary=x' }
const json = { 'content-type': 'application/json' }
const chunked = { 'transfer-encoding': 'chunked' }
const part = (head: string) => `--x\r\nContent-Disposition: form-data; ${head}\r\n\r\n`

interface Sent {
  status: number
  head: string
  code: string
  /** Bytes of the body that had been written when the answer came. */
  bytes: number
}

/** Sends `beginning` and then `piece` again and again until the server ends the connection. */
async function sendOn(
  app: TestApp,
  target: string,
  {
    headers,
    beginning = '',
    piece,
    everyMs,
  }: { headers: Record<string, string>; beginning?: string; piece: Buffer; everyMs?: number },
): Promise<Sent> {
  const { hostname, port } = new URL(app.url)
  const socket = connect({ host: hostname, port: Number(port) })
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  const lines = Object.entries({ host: new URL(app.url).host, ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  socket.write(`POST ${target} HTTP/1.1\r\n${lines.join('')}\r\n`)
  let answer = ''
  let bytesAtAnswer: number | undefined
  socket.on('data', data => {
    bytesAtAnswer ??= bytes
    answer += data.toString()
  })
  const isChunked = 'transfer-encoding' in headers
  let bytes = 0
  const closed = new Promise(resolve => socket.once('close', resolve))
  const write = (text: Buffer) => {
    bytes += text.length
    return socket.write(
      isChunked ? Buffer.concat([Buffer.from(`${text.length.toString(16)}\r\n`), text, Buffer.from('\r\n')]) : text,
    )
  }
  if (beginning !== '') write(Buffer.from(beginning))
  if (everyMs === undefined) void pour(socket, () => write(piece))
  else {
    const timer = setInterval(() => void (socket.writable && write(piece)), everyMs)
    socket.once('close', () => clearInterval(timer))
  }
  await closed
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  return {
    ...{ head, bytes: bytesAtAnswer ?? bytes },
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]),
    code: body === '' ? '' : (JSON.parse(body) as { code: string }).code,
  }
}

async function pour(socket: Socket, write: () => boolean) {
  let go = () => {}
  socket.on('drain', () => go()).on('close', () => go())
  while (socket.writable) {
    const isFull = !write()
    await new Promise<void>(resolve => {
      go = resolve
      if (!isFull) setImmediate(resolve)
    })
  }
}

describe('a body without end gets its 413 at once', () => {
  const text = Buffer.alloc(256 * 1024, 'a')
  test.each([
    ['JSON', '/api/generate', { ...json, ...chunked }, '{"prompt":"', 64],
    ['JSON of another address', '/api/estimate', { ...json, ...chunked }, '{"prompt":"', 64],
    ['small JSON', '/api/config', { ...json, ...chunked }, '{"name":"', 1],
    ['a list of pictures', '/api/images/archive', { ...json, ...chunked }, '{"ids":["', 1],
    ['a token', '/api/login', { ...json, ...chunked }, '{"token":"', 1],
    [
      'a token in a form',
      '/api/login',
      { 'content-type': 'application/x-www-form-urlencoded', ...chunked },
      'token=',
      1,
    ],
    ['a file', '/api/generate', { ...form, ...chunked }, part('name="images"; filename="a.png"'), 20],
    ['a text beside files', '/api/generate', { ...form, ...chunked }, part('name="prompt"'), 28],
    ['a reference', '/api/images', { ...form, ...chunked }, part('name="file"; filename="a.png"'), 20],
    ['a text where only files belong', '/api/images', { ...form, ...chunked }, part('name="note"'), 1],
    ['what stands before the first part of a form', '/api/images', { ...form, ...chunked }, '', 4],
    ['what stands behind the last one', '/api/images', { ...form, ...chunked }, `${part('name="a"')}b\r\n--x--\r\n`, 4],
    ['a part that has no name', '/api/images', { ...form, ...chunked }, '--x\r\nContent-Type: text/plain\r\n\r\n', 4],
    ['JSON of a terabyte', '/api/generate', { ...json, 'content-length': '1000000000000' }, '{"prompt":"', 1],
    ['a form of a terabyte', '/api/generate', { ...form, 'content-length': '1000000000000' }, part('name="prompt"'), 1],
    ['a token of a terabyte', '/api/login', { ...json, 'content-length': '1000000000000' }, '{"token":"', 1],
  ] as const)('%s', async (_, target, headers, beginning, megabytes) => {
    const app = await startApp()

    const { status, code, head, bytes } = await sendOn(app, target, { headers, beginning, piece: text })

    expect([status, code]).toEqual([413, 'too_large'])
    expect(head).toMatch(/\r\nconnection: close/i)
    // What is on its way in the buffers of both sides comes on top.
    expect(bytes).toBeLessThan((megabytes + 48) * megabyte)
    expect((await app.call('GET', '/health')).status).toBe(200)
  })

  test('and one that is refused for another reason gets that', async () => {
    const app = await startApp({ environment: { ACCESS_TOKEN: 'an-access-token-for-the-admin' } })

    const refused = await sendOn(app, '/api/generate', {
      headers: { ...json, ...chunked },
      beginning: '{"prompt":"',
      piece: text,
    })

    expect([refused.status, refused.code]).toEqual([401, 'unauthorized'])
    expect(refused.bytes).toBeLessThan(16 * megabyte)
  })
})

test.each([
  ['an address', 'POST /', 'a'.repeat(64 * 1024), 431],
  ['headers', 'POST / HTTP/1.1\r\n', 'x: y\r\n'.repeat(10_000), 431],
  ['something that is no HTTP', '', '\0'.repeat(64 * 1024), 400],
] as const)('%s without end is answered, and the connection ends', async (_, beginning, piece, status) => {
  const app = await startApp()
  const { hostname, port } = new URL(app.url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true }).on('error', () => {})
  onTestFinished(() => void socket.destroy())
  let answer = ''
  socket.on('data', data => {
    answer += data.toString()
  })
  const closed = new Promise(resolve => socket.once('close', resolve))
  socket.write(beginning)

  void pour(socket, () => socket.write(piece))

  await closed
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
})

describe('a body that drips is ended', () => {
  test.each([
    ['JSON', '/api/generate', { ...json, 'content-length': '1000' }, '{"prompt":"'],
    ['a token', '/api/login', { ...json, 'content-length': '1000' }, '{"token":"'],
    ['a file', '/api/generate', { ...form, ...chunked }, part('name="images"; filename="a.png"')],
    ['a text of a form', '/api/generate', { ...form, ...chunked }, part('name="prompt"')],
  ] as const)('%s', async (_, target, headers, beginning) => {
    const app = await startApp({ slowBodyAfterMs: 400 })

    const dripping = sendOn(app, target, { headers, beginning, piece: Buffer.from('a'), everyMs: 20 })
    const quick = await app.call('POST', '/api/generate', { prompt: 'a boat', model: 'qwen-image-max' })

    expect(quick.status).toBe(200)
    const { status, code, head } = await dripping
    expect([status, code]).toEqual([408, 'request_timeout'])
    expect(head).toMatch(/\r\nconnection: close/i)
  })
})

test('a small body that nobody reads costs no connection', async () => {
  const app = await startApp()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const ask = async (path: string) => {
    const asked = request(`${app.url}${path}`, { method: 'POST', agent, headers: json })
    asked.end('{"a":1}')
    const [answer] = await once(asked, 'response')
    const { localPort } = answer.socket as Socket
    answer.resume()
    await once(answer, 'end')
    return [answer.statusCode, localPort] as const
  }

  const first = await ask('/api/nothing')
  const second = await ask('/api/nothing')

  expect([first[0], second[0]]).toEqual([404, 404])
  expect(second[1]).toBe(first[1])
})
