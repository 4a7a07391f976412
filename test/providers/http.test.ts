import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type LookupFunction, type Socket } from 'node:net'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import type { buildConnector } from 'undici'
import { afterEach, describe, expect, test } from 'vitest'
import packageFile from '../../package.json' with { type: 'json' }
import { BodyTooLarge } from '../../src/outgoing/broken-exchange.ts'
import { createHttp, type HttpOptions } from '../../src/outgoing/client.ts'
import { ExchangeError } from '../../src/outgoing/failure.ts'
import type { HttpRequest } from '../../src/outgoing/http.ts'

const opened: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** A server on a free port of loopback that also counts connections. */
async function serve(handle: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void) {
  const seen: { method?: string; url?: string; headers: IncomingMessage['headers']; body: Buffer }[] = []
  let connections = 0
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const body = Buffer.concat(pieces)
    seen.push({ method: request.method, url: request.url, headers: request.headers, body })
    handle(request, response, body)
  })
  server.on('connection', () => {
    connections++
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  opened.push(() => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  })
  const port = (server.address() as AddressInfo).port
  return { port, origin: `http://127.0.0.1:${port}`, seen, connections: () => connections }
}

/** A server that speaks whatever bytes it likes. */
async function serveRaw(handle: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createTcpServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    handle(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  opened.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise(resolve => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function http(options: Partial<HttpOptions> = {}) {
  const made = createHttp({ allowedHosts: [], allowedOrigins: [], ...options })
  opened.push(() => made.close())
  return made
}

const get = (url: string): HttpRequest => ({ method: 'GET', url, headersTimeoutMs: 5000, idleTimeoutMs: 5000 })
const post = (url: string, body: HttpRequest['body'] = '{}'): HttpRequest => ({ ...get(url), method: 'POST', body })
const patience = { maxBytes: 1_000_000, headersTimeoutMs: 5000, idleTimeoutMs: 5000 }

async function failureOf(promise: Promise<unknown>): Promise<ExchangeError> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(ExchangeError)
  return error as ExchangeError
}

const answers = (table: Record<string, string[]>, asked: string[] = []): LookupFunction => {
  return (hostname, _options, callback) => {
    asked.push(hostname)
    const found = table[hostname]
    if (!found) return callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), [])
    callback(
      null,
      found.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
}

describe('an exchange', () => {
  test('sends what it was given and returns status, headers and text', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(201, {
        'content-type': 'application/json',
        'set-cookie': ['a=1', 'b=2'],
        'X-Request-Id': 'r1',
      })
      response.end('{"text":"水墨"}')
    })
    const client = http({ allowedOrigins: [server.origin] })

    const response = await client.request({
      ...post(`${server.origin}/v1/images?x=%2B%3D+y`, '{"prompt":"水墨"}'),
      headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
    })

    expect(response.status).toBe(201)
    expect(response.headers).toMatchObject({ 'set-cookie': 'a=1', 'x-request-id': 'r1' })
    expect(await response.text()).toBe('{"text":"水墨"}')
    expect(server.seen).toHaveLength(1)
    expect(server.seen[0]).toMatchObject({ method: 'POST', url: '/v1/images?x=%2B%3D+y' })
    expect(server.seen[0]!.headers).toMatchObject({
      authorization: 'Bearer k',
      'content-length': '19',
      host: `127.0.0.1:${server.port}`,
    })
    expect(server.seen[0]!.body.toString()).toBe('{"prompt":"水墨"}')
  })

  test('sends bytes and forms with their length', async () => {
    const server = await serve((_request, response) => response.end('ok'))
    const client = http({ allowedOrigins: [server.origin] })
    const form = new FormData()
    form.set('prompt', '一叶小舟')
    form.set('image', new Blob([Buffer.from([1, 2, 3])], { type: 'image/png' }), 'a.png')

    await (await client.request(post(server.origin, Buffer.from([0, 255])))).text()
    await (await client.request({ ...post(server.origin, form), headers: { authorization: 'Bearer k' } })).text()

    expect(server.seen[0]!.body).toEqual(Buffer.from([0, 255]))
    expect(server.seen[1]!.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/)
    expect(Number(server.seen[1]!.headers['content-length'])).toBe(server.seen[1]!.body.length)
    expect(server.seen[1]!.body.toString('latin1')).toContain('filename="a.png"')
    expect(server.seen[1]!.body.toString()).toContain('一叶小舟')
  })

  test('says who asks', async () => {
    const server = await serve((_request, response) => response.end('ok'))
    const client = http({ allowedOrigins: [server.origin] })

    await (await client.request(post(server.origin))).text()
    await (await client.download(server.origin, patience)).text()

    const names = server.seen.map(seen => seen.headers['user-agent'])
    expect(names).toEqual([`webimgui/${packageFile.version}`, `webimgui/${packageFile.version}`])
  })

  test.each([
    ['of 10 MB of head', `X-Trace: ${'a'.repeat(10_000_000)}\r\nContent-Length: 2\r\n\r\nok`],
    [
      'with two lengths of which one is chunks',
      'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ],
    ['with blanks behind the sizes of its chunks', 'Transfer-Encoding: chunked\r\n\r\n2 \r\nok\r\n0 \r\n\r\n'],
    ['with a folded head', 'X-A: a\r\n b\r\nContent-Length: 2\r\n\r\nok'],
    ['with a control character in its head', 'X-A: a\x01b\r\nContent-Length: 2\r\n\r\nok'],
    ['with lone line feeds', 'Content-Length: 2\n\nok'],
    ['after one that asks to go on', '', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ])('reads an answer %s', async (_what, rest, whole = `HTTP/1.1 200 OK\r\n${rest}`) => {
    const origin = await serveRaw(socket => socket.once('data', () => socket.end(whole)))
    const client = http({ allowedOrigins: [origin] })

    expect(await (await client.request(post(origin))).text()).toBe('ok')
  })

  test('never uses a connection twice', async () => {
    const server = await serve((_request, response) => response.end('ok'))
    const client = http({ allowedOrigins: [server.origin] })

    for (let count = 0; count < 3; count++) await (await client.request(post(server.origin))).text()

    expect(server.connections()).toBe(3)
  })

  test('does not follow a redirect', async () => {
    const server = await serve((_request, response) => response.writeHead(307, { location: '/elsewhere' }).end())
    const client = http({ allowedOrigins: [server.origin] })

    const response = await client.request(post(server.origin))

    expect(response.status).toBe(307)
    expect(await response.text()).toBe('')
    expect(server.seen).toHaveLength(1)
  })

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
  ])('decodes %s', async (encoding, compress) => {
    const text = '图'.repeat(100_000)
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': encoding }).end(compress(text))
    })
    const client = http({ allowedOrigins: [server.origin] })

    expect(await (await client.request(get(server.origin))).text()).toBe(text)
  })

  test('gives out the events of a compressed stream as they come', async () => {
    let finish = () => {}
    const { createGzip, constants } = await import('node:zlib')
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH })
      gzip.pipe(response)
      gzip.write('first')
      finish = () => gzip.end('second')
    })
    const client = http({ allowedOrigins: [server.origin] })

    const received: string[] = []
    for await (const piece of (await client.request(get(server.origin))).body) {
      received.push(Buffer.from(piece).toString())
      finish()
    }

    expect(received).toEqual(['first', 'second'])
  })
})

describe('what an error proves', () => {
  test('a refused connection was not sent and may be repeated', async () => {
    const server = createTcpServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await new Promise(resolve => server.close(resolve))
    const client = http({ allowedOrigins: [origin] })

    const error = await failureOf(client.request(post(origin)))

    expect(error.failure).toMatchObject({ code: 'provider_unavailable', disposition: 'retry_safe' })
    expect(error.message).toContain('ECONNREFUSED')
  })

  test('a connection that takes too long was not sent', async () => {
    const client = http({ lookup: () => {}, connectTimeoutMs: 200 })

    const error = await failureOf(client.request(post('http://slow.example/')))

    expect(error.failure).toMatchObject({ code: 'provider_unavailable', disposition: 'retry_safe' })
  })

  test('a name that is unknown is not worth repeating, one that cannot be asked for is', async () => {
    const unknown = http({ lookup: answers({}) })
    const later = http({
      lookup: (_name, _options, callback) => callback(Object.assign(new Error('later'), { code: 'EAI_AGAIN' }), []),
    })

    const error = await failureOf(unknown.request(post('http://nowhere.example/')))

    expect(error.failure).toMatchObject({ code: 'provider_unavailable', disposition: 'refused' })
    expect(error.message).toContain('nowhere.example')
    expect((await failureOf(later.request(post('http://a.example/')))).failure.disposition).toBe('retry_safe')
  })

  test('a server without TLS behind https is not worth repeating', async () => {
    const server = await serve((_request, response) => response.end())
    const origin = server.origin.replace('http', 'https')
    const client = http({ allowedOrigins: [origin] })

    const error = await failureOf(client.request(post(origin)))

    expect(error.failure).toMatchObject({ code: 'provider_unavailable', disposition: 'refused' })
    expect(error.message).toContain('TLS')
    expect(server.seen).toHaveLength(0)
  })

  test('a TLS handshake that is cut may be repeated', async () => {
    const origin = (await serveRaw(socket => socket.once('data', () => socket.resetAndDestroy()))).replace(
      'http',
      'https',
    )
    const client = http({ allowedOrigins: [origin] })

    expect((await failureOf(client.request(post(origin)))).failure.disposition).toBe('retry_safe')
  })

  test('headers that never come may have been billed', async () => {
    const server = await serve(() => {})
    const client = http({ allowedOrigins: [server.origin] })

    const error = await failureOf(client.request({ ...post(server.origin), headersTimeoutMs: 300 }))

    expect(error.failure).toMatchObject({ code: 'provider_timeout', disposition: 'maybe_billed' })
    expect(server.seen).toHaveLength(1)
  })

  test.each([
    ['reset', (socket: Socket) => socket.resetAndDestroy()],
    ['closed', (socket: Socket) => socket.end()],
    ['spoilt by something that is not HTTP', (socket: Socket) => socket.end('220 smtp ready\r\n')],
  ])('a connection that was %s before the answer may have been billed and is not repeated', async (_name, end) => {
    let requests = 0
    const origin = await serveRaw(socket =>
      socket.once('data', () => {
        requests++
        end(socket)
      }),
    )
    const client = http({ allowedOrigins: [origin] })

    const error = await failureOf(client.request(post(origin)))

    expect(error.failure).toMatchObject({ code: 'outcome_unknown', disposition: 'maybe_billed' })
    expect(requests).toBe(1)
  })

  test.each([
    ['content-length', 'content-length: 100\r\n\r\n{"data":[', '{"data":['],
    ['chunked', 'transfer-encoding: chunked\r\n\r\n9\r\n{"data":[\r\n', '{"data":['],
  ])('a cut answer (%s) brings what came', async (_name, rest, partial) => {
    const origin = await serveRaw(socket => socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${rest}`)))
    const client = http({ allowedOrigins: [origin] })

    const error = await failureOf((await client.request(post(origin))).text())

    expect(error.failure).toMatchObject({ code: 'outcome_unknown', disposition: 'maybe_billed' })
    expect(error.partial).toBe(partial)
  })

  test('a cut answer brings all that came to a reader who was late', async () => {
    const text = 'x'.repeat(300_000)
    const origin = await serveRaw(socket =>
      socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 999999\r\n\r\n${text}`)),
    )
    const client = http({ allowedOrigins: [origin] })

    const response = await client.request(post(origin))
    await new Promise(resolve => setTimeout(resolve, 100))

    expect((await failureOf(response.text())).partial).toBe(text)
  })

  test('a cut compressed answer brings what can be decoded', async () => {
    const text = Array.from({ length: 20_000 }, (_, index) => `line ${index * 7919}`).join('\n')
    const compressed = gzipSync(text)
    const origin = await serveRaw(socket =>
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${compressed.length}\r\n\r\n`)
        socket.write(compressed.subarray(0, compressed.length - 1000), () => socket.destroySoon())
      }),
    )
    const client = http({ allowedOrigins: [origin] })

    const error = await failureOf((await client.request(post(origin))).text())

    expect(error.failure.disposition).toBe('maybe_billed')
    expect(text.startsWith(error.partial)).toBe(true)
    expect(error.partial.length).toBeGreaterThan(text.length * 0.9)
  })

  test('a compressed answer that ends early although its length was right is a cut one', async () => {
    const compressed = gzipSync('x'.repeat(1000))
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(compressed.subarray(0, compressed.length - 9))
    })
    const client = http({ allowedOrigins: [server.origin] })

    const error = await failureOf((await client.request(post(server.origin))).text())

    expect(error.failure).toMatchObject({ code: 'outcome_unknown', disposition: 'maybe_billed' })
  })

  test('an answer that stops in the middle is a timeout with what came', async () => {
    const server = await serve((_request, response) => void response.writeHead(200).write('event: one\n\n'))
    const client = http({ allowedOrigins: [server.origin] })

    const response = await client.request({ ...post(server.origin), idleTimeoutMs: 300 })
    const error = await failureOf(response.text())

    expect(error.failure).toMatchObject({ code: 'provider_timeout', disposition: 'maybe_billed' })
    expect(error.partial).toBe('event: one\n\n')
  })

  test('a cut character at the end of a partial answer is left out', async () => {
    const bytes = Buffer.from('{"a":"水墨')
    const origin = await serveRaw(socket =>
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n')
        socket.end(bytes.subarray(0, bytes.length - 1))
      }),
    )
    const client = http({ allowedOrigins: [origin] })

    expect((await failureOf((await client.request(post(origin))).text())).partial).toBe('{"a":"水')
  })

  test('a key that a service repeats, whole or with stars in it, is taken out of what it says', async () => {
    const server = await serve((request, response) => {
      response.statusCode = Number(request.url?.slice(1))
      response.end(
        `{"message":"Incorrect API key provided: sk-live-*********wxyz, not ${request.headers.authorization}."}`,
      )
    })
    const client = http({ allowedOrigins: [server.origin] })
    const said = async (status: number) => {
      const headers = { authorization: 'Bearer sk-live-1234wxyz' }
      return (await client.request({ ...post(`${server.origin}/${status}`), headers })).text()
    }

    expect(await said(401)).toBe('{"message":"Incorrect API key provided: (key), not Bearer (key)."}')
    // Stars in an answer that is none of a refusal may be anybody's words.
    expect(await said(200)).toContain('sk-live-*********wxyz')
  })

  test('a text that is too large brings its beginning', async () => {
    let sendRest = () => {}
    const server = await serve((_request, response) => {
      response.write('a'.repeat(1000))
      sendRest = () => void response.end('b'.repeat(1000))
    })
    const client = http({ allowedOrigins: [server.origin] })

    const response = await client.request(post(server.origin))
    const reading = failureOf(response.text(1500))
    // What came with the headers has been read by then.
    await new Promise(resolve => setImmediate(resolve))
    sendRest()
    const error = await reading

    expect(error).toBeInstanceOf(BodyTooLarge)
    expect(error.failure.disposition).toBe('maybe_billed')
    expect(error.partial).toBe('a'.repeat(1000))
  })

  test('a header that cannot be written is refused before anything is sent', async () => {
    const server = await serve((_request, response) => response.end())
    const client = http({ allowedOrigins: [server.origin] })

    const request = { ...post(server.origin), headers: { authorization: 'Bearer 密钥\nx' } }
    const error = await failureOf(client.request(request))

    expect(error.failure.disposition).toBe('refused')
    expect(error.message).not.toContain('密钥')
    expect(server.seen).toHaveLength(0)
  })

  test('the reason of an abort passes as it is, before, during and after the headers', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/body') response.writeHead(200).write('begin')
    })
    const client = http({ allowedOrigins: [server.origin] })
    const reason = new Error('the person cancelled')

    await expect(client.request({ ...post(server.origin), signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const waiting = new AbortController()
    const inFlight = client.request({ ...post(server.origin), signal: waiting.signal })
    setTimeout(() => waiting.abort(reason), 50)
    await expect(inFlight).rejects.toBe(reason)
    const reading = new AbortController()
    const response = await client.request({ ...post(`${server.origin}/body`), signal: reading.signal })
    setTimeout(() => reading.abort(reason), 50)
    await expect(response.text()).rejects.toBe(reason)
  })

  test('discard and close let the connection go', async () => {
    let closed = 0
    const server = await serve((request, response) => {
      request.socket.on('close', () => closed++)
      response.writeHead(200).write('begin')
    })
    const client = http({ allowedOrigins: [server.origin] })

    const discarded = await client.request(get(server.origin))
    discarded.discard()
    await expect.poll(() => closed).toBe(1)
    const open = await client.request(get(server.origin))
    await client.close()

    await expect.poll(() => closed).toBe(2)
    await failureOf(open.text())
  })
})

describe('only public addresses', () => {
  test.each([
    'http://127.0.0.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::127.0.0.1]/',
    'http://[fe80::1]/',
    'http://[fd00::1]/',
    'http://[fec0::1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://0.0.0.0/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://192.168.1.1/',
    'http://100.64.0.1/',
    'http://100.100.100.200/',
    'http://192.0.2.1/',
    'http://198.18.0.1/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
  ])('%s is refused in words', async url => {
    const asked: string[] = []
    const client = http({ lookup: answers({}, asked) })

    const error = await failureOf(client.request(post(url)))

    expect(error.failure).toMatchObject({ code: 'provider_unavailable', disposition: 'refused' })
    expect(error.message).toContain('ALLOWED_HOSTS')
    expect(asked).toEqual([])
    expect(await client.refusal(url)).toBe(error.message)
  })

  test.each([
    ['localhost', ['127.0.0.1']],
    ['inside.example', ['10.1.2.3']],
    ['mixed.example', ['93.184.216.34', '127.0.0.1']],
    ['six.example', ['2606:4700::1', 'fd00::1']],
    ['strange.example', ['fe80::1%eth0']],
  ])('the name %s that leads to %s is refused', async (name, addresses) => {
    const client = http({ lookup: answers({ [name]: addresses }) })

    const error = await failureOf(client.request(post(`http://${name}/`)))

    expect(error.failure).toMatchObject({ code: 'provider_unavailable', disposition: 'refused' })
    expect(error.message).toContain(name)
    expect(error.message).toContain('ALLOWED_HOSTS')
    for (const address of addresses) expect(error.message).not.toContain(address)
    expect(await client.refusal(`http://${name}/`)).toBe(error.message)
  })

  test('a name is asked for once a connection, so it has no second answer to give', async () => {
    const server = await serve((_request, response) => response.end('secret'))
    const asked: string[] = []
    let answer = '93.184.216.34'
    const lookup: LookupFunction = (hostname, _options, callback) => {
      asked.push(hostname)
      callback(null, [{ address: answer, family: 4 }])
      answer = '127.0.0.1'
    }
    const client = http({ lookup })
    const url = `http://rebinding.example:${server.port}/`

    // Somebody looked first and found a public address; the connection looks again and that is the look that counts.
    expect(await client.refusal(url)).toBeUndefined()
    const error = await failureOf(client.request(get(url)))

    expect(error.failure.disposition).toBe('refused')
    expect(asked).toEqual(['rebinding.example', 'rebinding.example'])
    expect(server.seen).toHaveLength(0)
  })

  test('the other end of a connection is looked at as well', async () => {
    const server = await serve((_request, response) => response.end('secret'))
    const connector: buildConnector.connector = (_options, callback) => {
      const socket = connect(server.port, '127.0.0.1', () => callback(null, socket))
    }
    const client = http({ connector })

    const error = await failureOf(client.request(get('http://public.example/')))

    expect(error.failure.disposition).toBe('refused')
    // Which machines are inside is for the log, not for whoever named the address.
    expect(error.message).not.toContain('127.0.0.1')
    expect(String(error.cause)).toContain('public.example leads to 127.0.0.1')
    expect(server.seen).toHaveLength(0)
  })

  test('a public address passes the guard', async () => {
    const server = await serve((_request, response) => response.end('welcome'))
    const client = http({ connector: publicConnector(server.port) })

    expect(await (await client.request(get('http://public.example/a'))).text()).toBe('welcome')
    expect(await (await client.request(get('http://93.184.216.34/b'))).text()).toBe('welcome')
    expect(server.seen.map(seen => seen.headers.host)).toEqual(['public.example', '93.184.216.34'])
  })

  test('only the hosts, ports and origins that the operator named may be private', async () => {
    const server = await serve((_request, response) => response.end('ok'))
    const other = await serve((_request, response) => response.end('ok'))
    const lookup = answers({ 'service.lan': ['127.0.0.1'], 'service.lan.': ['127.0.0.1'], 'other.lan': ['127.0.0.1'] })
    const reaches = async (options: Partial<HttpOptions>, url: string) => {
      const client = http({ lookup, ...options })
      const wasRefused = (await client.refusal(url)) !== undefined
      const status = await client.request(get(url)).then(
        response => response.status,
        () => 0,
      )
      expect(status === 200).toBe(!wasRefused)
      return status === 200
    }

    expect(await reaches({ allowedHosts: ['Service.lan'] }, `http://service.lan:${server.port}/`)).toBe(true)
    expect(await reaches({ allowedHosts: ['service.lan'] }, `http://service.lan.:${server.port}/`)).toBe(true)
    expect(await reaches({ allowedHosts: [`service.lan:${server.port}`] }, `http://service.lan:${server.port}/`)).toBe(
      true,
    )
    expect(await reaches({ allowedHosts: ['service.lan:80'] }, `http://service.lan:${server.port}/`)).toBe(false)
    expect(await reaches({ allowedHosts: ['service.lan'] }, `http://other.lan:${server.port}/`)).toBe(false)
    expect(await reaches({ allowedHosts: ['lan'] }, `http://service.lan:${server.port}/`)).toBe(false)
    expect(await reaches({ allowedHosts: ['127.0.0.1'] }, `http://2130706433:${server.port}/`)).toBe(true)
    expect(await reaches({ allowedOrigins: [server.origin] }, `${server.origin}/deep?x=1`)).toBe(true)
    expect(await reaches({ allowedOrigins: [server.origin] }, `${other.origin}/`)).toBe(false)
    expect(await reaches({ allowedOrigins: [`http://127.0.0.1`] }, `${server.origin}/`)).toBe(false)
  })

  test.each([
    ['file:///etc/passwd', 'http'],
    ['ftp://public.example/', 'http'],
    ['data:text/plain,x', 'http'],
    ['/relative', 'http'],
    ['not a url', 'http'],
    ['http://', 'http'],
    ['http://user:pass@public.example/', 'password'],
    ['http://user@public.example/', 'password'],
  ])('%s is refused', async (url, word) => {
    const error = await failureOf(http({ lookup: answers({}) }).request(get(url)))

    expect(error.failure.disposition).toBe('refused')
    expect(error.message).toContain(word)
    expect(error.message).not.toContain('pass@')
  })
})

/** Reaches the port on loopback, and the socket says that its other end is public. */
function publicConnector(port: number): buildConnector.connector {
  return (_options, callback) => {
    const socket = connect(port, '127.0.0.1', () => {
      Object.defineProperty(socket, 'remoteAddress', { value: '93.184.216.34' })
      callback(null, socket)
    })
  }
}

describe('a download', () => {
  test('uses the address letter for letter and sends no key', async () => {
    const server = await serve((_request, response) => response.end('bytes'))
    const client = http({ allowedOrigins: [server.origin] })
    const path = "/a%2Fb/../c%20d/'x'.png?Expires=1&Signature=ab%2Bc%2f%3D+d=e&x='|{}&y=%zz&empty="

    const response = await client.download(`${server.origin}${path}#part`, patience)

    expect(await response.text()).toBe('bytes')
    expect(server.seen[0]!.url).toBe(path)
    expect(server.seen[0]!.headers.authorization).toBeUndefined()
    expect(server.seen[0]!.headers.cookie).toBeUndefined()
  })

  test('writes a query without a path, and spells what cannot go on the wire', async () => {
    const server = await serve((_request, response) => response.end())
    const client = http({ allowedOrigins: [server.origin] })

    await client.download(`${server.origin}?a=%2B`, patience)
    await client.download(server.origin, patience)
    await client.download(`${server.origin}/水 墨?a=%2B`, patience)

    expect(server.seen.map(seen => seen.url)).toEqual(['/?a=%2B', '/', '/%E6%B0%B4%20%E5%A2%A8?a=%2B'])
  })

  test('follows up to three redirects, letter for letter', async () => {
    const server = await serve((request, response) => {
      const hop = Number(/^\/(\d)/.exec(request.url ?? '')?.[1])
      if (hop === 0) return response.end('there')
      response
        .writeHead(302, { location: hop === 2 ? `${server.origin}/1?s=%2B+` : `/${hop - 1}?s=%2B%3D+` })
        .end('moved')
    })
    const client = http({ allowedOrigins: [server.origin] })

    expect(await (await client.download(`${server.origin}/3`, patience)).text()).toBe('there')
    const error = await failureOf(client.download(`${server.origin}/4`, patience))

    expect(server.seen.slice(0, 4).map(seen => seen.url)).toEqual(['/3', '/2?s=%2B%3D+', '/1?s=%2B+', '/0?s=%2B%3D+'])
    expect(error.failure.disposition).toBe('refused')
  })

  test.each([
    'http://127.0.0.1:PORT/',
    'http://localhost:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    '//127.0.0.1:PORT/',
  ])('does not follow a redirect to %s', async location => {
    const inside = await serve((_request, response) => response.end('secret'))
    const outside = await serve((_request, response) => {
      response.writeHead(302, { location: location.replace('PORT', String(inside.port)) }).end()
    })
    const client = http({ allowedOrigins: [outside.origin], lookup: answers({ localhost: ['127.0.0.1'] }) })

    const error = await failureOf(client.download(outside.origin, patience))

    expect(error.message).toContain('ALLOWED_HOSTS')
    expect(inside.seen).toHaveLength(0)
  })

  test('does not follow a redirect to another scheme', async () => {
    const server = await serve((_request, response) =>
      response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    )
    const client = http({ allowedOrigins: [server.origin] })

    expect((await failureOf(client.download(server.origin, patience))).failure.disposition).toBe('refused')
  })

  test('stops at its limit, announced or not, and when decoded', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/announced') return response.writeHead(200, { 'content-length': '2000001' }).write('x')
      if (request.url === '/bomb') {
        return response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000)))
      }
      for (let count = 0; count < 20; count++) response.write(Buffer.alloc(100_000))
      response.end()
    })
    const client = http({ allowedOrigins: [server.origin] })

    await expect(client.download(`${server.origin}/announced`, patience)).rejects.toBeInstanceOf(BodyTooLarge)
    const stream = await client.download(`${server.origin}/stream`, patience)
    await expect(stream.text()).rejects.toBeInstanceOf(BodyTooLarge)
    const bomb = await client.download(`${server.origin}/bomb`, patience)
    await expect(bomb.text()).rejects.toBeInstanceOf(BodyTooLarge)
  })
})
