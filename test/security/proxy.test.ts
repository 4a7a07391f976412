/** Requests through the proxy that the environment names: where they go, what they prove, and what nobody learns. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type LookupFunction, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startDoubaoSimulator } from '../../src/simulators/doubao/doubao.ts'
import { DOUBAO_DEMO_KEY } from '../../src/simulators/doubao/keys.ts'
import { call, startApp, type TestOptions } from '../support/app.ts'
import { startProgram } from '../support/program.ts'

const body = { prompt: 'x', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }

/** Only the own DNS of the proxy knows the services; this one knows what is inside. */
const lookup: LookupFunction = (host, _options, callback) => {
  if (host === 'private.example') return callback(null, [{ address: '10.1.2.3', family: 4 }])
  callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), [])
}

/** Leads every name to one port of the own machine, unless `answer` says otherwise. */
async function startProxy(options: { to?: number; answer?: string; first?(bytes: Buffer): void } = {}) {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', head => {
      const text = head.toString('latin1')
      const password = /^proxy-authorization: (.*)\r$/im.exec(text)?.[1]
      asked.push(`${text.split(' HTTP')[0]}${password ? ` ${password}` : ''}`)
      if (options.answer) return socket.end(options.answer)
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      if (options.first) {
        return socket.once('data', bytes => {
          options.first?.(bytes)
          socket.destroy()
        })
      }
      const other = connect(options.to ?? 0, '127.0.0.1')
      other.on('error', () => socket.destroy())
      socket.pipe(other).pipe(socket)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

/** A service whose name the proxy alone can look up. */
const behindProxy = (proxy: { host: string }, environment: TestOptions['environment'] = {}) =>
  startApp({
    lookup,
    environment: {
      DOUBAO_API_URL: 'http://ark.example/api/v3',
      HTTP_PROXY: `http://${proxy.host}`,
      HTTPS_PROXY: `http://${proxy.host}`,
      ...environment,
    },
  })

test('the program sends through it, says so, and tells its password to nobody else', async () => {
  const service = await startDoubaoSimulator({ timeScale: 0 })
  const dataDir = await mkdtemp(path.join(tmpdir(), 'webimgui-proxy-'))
  onTestFinished(async () => {
    await service.close()
    await rm(dataDir, { recursive: true, force: true })
  })
  const proxy = await startProxy({ to: Number(new URL(service.baseUrl).port) })
  const program = await startProgram('start', {
    dataDir,
    environment: {
      DOUBAO_API_URL: 'http://ark.example/api/v3',
      DOUBAO_API_KEY: DOUBAO_DEMO_KEY,
      LOG_LEVEL: 'trace',
      // Where its pictures are.
      ALLOWED_HOSTS: new URL(service.baseUrl).host,
      HTTP_PROXY: 'http://127.0.0.1:1',
      http_proxy: `http://somebody:p%40ss-word@${proxy.host}`,
    },
  })
  const url = (await program.says(/webimgui is at (\S+)/))[1] ?? ''

  const generated = await call(`${url}/api/generate`, 'POST', body)

  // The picture, on the own machine, was fetched directly.
  expect(generated).toMatchObject({ status: 200, body: { status: 'succeeded', charge: 'charged', images: [{}] } })
  const basic = `Basic ${Buffer.from('somebody:p@ss-word').toString('base64')}`
  expect(proxy.asked).toEqual([`CONNECT ark.example:80 ${basic}`])
  await program.says(new RegExp(`proxy.*http://${proxy.host}`))
  await program.ended('SIGTERM')
  const told = `${program.output()}${await readFile(path.join(dataDir, 'backend.log'), 'utf8')}`
  for (const secret of ['p@ss-word', 'p%40ss-word', basic]) expect(told).not.toContain(secret)
})

test('https goes through it inside TLS, and what breaks there was not sent', async () => {
  let hello: Buffer = Buffer.alloc(0)
  const proxy = await startProxy({
    first: bytes => {
      hello = bytes
    },
  })
  const app = await behindProxy(proxy, { DOUBAO_API_URL: 'https://ark.example/api/v3' })

  expect(await app.end(body)).toMatchObject({ charge: 'none', error: { code: 'provider_unavailable' } })
  expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT ark.example:443']))
  // A handshake that names whom it wants, and no key in plain.
  expect([hello[0], hello.includes('ark.example'), hello.includes(DOUBAO_DEMO_KEY)]).toEqual([0x16, true, false])
})

test.each([
  ['cannot reach the service', 'HTTP/1.1 502 Bad Gateway\r\n\r\n', 4, 'could not reach'],
  ['lets nothing through', 'HTTP/1.1 403 Forbidden\r\n\r\n', 1, 'lets nothing through'],
  ['wants a password', 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n', 1, 'user name and password'],
  ['is none', '220 smtp ready\r\n', 4, 'could not be reached'],
])('a proxy that %s costs nothing', async (_what, answer, times, words) => {
  const proxy = await startProxy({ answer })
  const app = await behindProxy(proxy)

  const generated = await app.end(body)

  expect(generated).toMatchObject({ charge: 'none', error: { code: 'provider_unavailable' } })
  expect(generated.error?.message).toContain(words)
  expect(generated.error?.message).not.toContain(proxy.host)
  expect(proxy.asked).toHaveLength(times)
})

test.each([
  'http://10.0.0.1/a.png',
  'http://0x7f.1:8080/a.png',
  'http://[fd00::1]/a.png',
  'http://169.254.169.254/latest/meta-data/',
  'http://printer/a.png',
  'http://printer.lan/a.png',
  'http://metadata.google.internal/',
  'https://private.example/a.png',
])('%s is not asked for through it either, not even after a redirect', async address => {
  const redirect = await startProxy({
    answer: `HTTP/1.1 302 Found\r\nLocation: ${address}\r\nContent-Length: 0\r\n\r\n`,
  })
  const proxy = await startProxy({ to: Number(redirect.host.split(':')[1]) })
  const app = await behindProxy(proxy)
  const reference = (image: string) =>
    app.call('POST', '/api/generate', { ...body, model: 'qwen-image-edit', parameters: {}, images: [image] })

  const asked = await reference(address)
  const redirected = await reference('http://public.example/a.png')
  const stored = await app.call('POST', '/api/config', { provider: 'openai', api_key: 'sk-x', base_url: address })

  expect(asked).toMatchObject({ status: 422, body: { code: 'invalid_request' } })
  expect(redirected).toMatchObject({ status: 422, body: { code: 'invalid_request' } })
  expect(redirected.body.errors[0].message).toContain('not a public address')
  expect(stored.status).toBe(422)
  expect(proxy.asked).toEqual(['CONNECT public.example:80'])
})

test.each([['.example'], ['other.test, ark.example:80'], ['*']])('NO_PROXY=%s goes past it', async NO_PROXY => {
  const proxy = await startProxy()
  const app = await behindProxy(proxy, { NO_PROXY })

  const generated = await app.call('POST', '/api/generate', body)

  expect(generated.body.detail).toContain('The name of ark.example is unknown')
  expect(proxy.asked).toEqual([])
})
