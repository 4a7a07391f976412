/** Requests out of the server go only where they should: a server on the own machine stands for everything private, and must see nothing. */
import { createServer, type Server } from 'node:http'
import {
  type AddressInfo,
  createServer as createTcpServer,
  isIP,
  type LookupFunction,
  type Server as TcpServer,
} from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openApp, type TestApp } from '../support/app.ts'
import { png } from '../support/pictures.ts'

let app: TestApp
let canary: Server
let canaryPort: number
/** Connections, not only requests: even a knock would tell that a port is open. */
let seen: string[]
/** May be asked, and sends everybody to where its path says. */
let signpost: TcpServer
let signpostOrigin: string
/** How often each name was looked up. */
const lookups = new Map<string, number>()

/** A public address that is never connected to: every name that gives it first is asked for no more than its address. */
const publicAddress = '93.184.215.14'

const names: Record<string, (nth: number) => string[]> = {
  'private.test': () => ['127.0.0.1'],
  'lan.test': () => ['192.168.1.10'],
  'metadata.google.internal': () => ['169.254.169.254'],
  'mapped.test': () => ['::ffff:127.0.0.1'],
  'six.test': () => ['::1'],
  'both.test': () => [publicAddress, '127.0.0.1'],
  'both-reversed.test': () => ['127.0.0.1', publicAddress],
  '127.0.0.1.nip.test': () => ['127.0.0.1'],
  // Public when it is checked, private when it is connected to.
  'rebinding.test': nth => (nth === 1 ? [publicAddress] : ['127.0.0.1']),
}

const lookup: LookupFunction = (host, options, callback) => {
  const nth = (lookups.get(host) ?? 0) + 1
  lookups.set(host, nth)
  const addresses = names[host]?.(nth) ?? (host === 'localhost' ? ['127.0.0.1', '::1'] : [])
  const found = addresses.map(address => ({ address, family: isIP(address) }))
  const [first] = found
  if (!first) return callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), [])
  if (options.all) callback(null, found)
  else callback(null, first.address, first.family)
}

beforeAll(async () => {
  const picture = await png(64, 64)
  canary = createServer((_, response) => response.setHeader('content-type', 'image/png').end(picture))
  canary.on('connection', socket => seen.push(`${socket.localAddress}`))
  // On every address of the machine, IPv6 too, where there is one.
  await new Promise<void>(resolve => {
    canary.once('error', () => canary.listen(0, '127.0.0.1', resolve))
    canary.listen(0, '::', resolve)
  })
  canaryPort = (canary.address() as AddressInfo).port
  // Written by hand: the location may hold what a well-behaved server would never send.
  signpost = createTcpServer(socket => {
    socket.on('error', () => {})
    socket.once('data', data => {
      const [, to = ''] = /^\S+ \/(\S*)/.exec(data.toString('latin1')) ?? []
      const location = decodeURIComponent(to).replace(/[\r\n]/g, '')
      socket.end(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
    })
  })
  await new Promise<void>(resolve => signpost.listen(0, '127.0.0.1', resolve))
  signpostOrigin = `http://127.0.0.1:${(signpost.address() as AddressInfo).port}`
  app = await openApp({
    lookup,
    environment: { ALLOWED_HOSTS: new URL(signpostOrigin).host },
  })
})
afterAll(async () => {
  await app.close()
  canary.close()
  signpost.close()
})
beforeEach(() => {
  seen = []
  lookups.clear()
})

/** Every way to write the own machine and other private places that we know of; PORT is the port of the canary. */
const addresses = [
  'http://127.0.0.1:PORT/',
  'http://127.0.0.1.:PORT/',
  'http://127.1:PORT/',
  'http://127.0.1:PORT/',
  'http://2130706433:PORT/',
  'http://0x7f000001:PORT/',
  'http://0x7f.1:PORT/',
  'http://0x7f.0x0.0x0.0x1:PORT/',
  'http://017700000001:PORT/',
  'http://0177.0.0.1:PORT/',
  'http://00000177.00000000.0.01:PORT/',
  'http://0:PORT/',
  'http://0.0.0.0:PORT/',
  'http://0x0:PORT/',
  'http://127.255.255.254:PORT/',
  'http://①②⑦.⓪.⓪.①:PORT/',
  'http://127。0。0。1:PORT/',
  'http://１２７.0.0.1:PORT/',
  'http://%31%32%37.0.0.1:PORT/',
  'http://localhost:PORT/',
  'http://LOCALHOST:PORT/',
  'http://localhost.:PORT/',
  'http://ⓛocalhost:PORT/',
  'http://[::1]:PORT/',
  'http://[0:0:0:0:0:0:0:1]:PORT/',
  'http://[::]:PORT/',
  'http://[::ffff:127.0.0.1]:PORT/',
  'http://[::ffff:7f00:1]:PORT/',
  'http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/',
  'http://[::127.0.0.1]:PORT/',
  'http://[::ffff:0:127.0.0.1]:PORT/',
  'http://[64:ff9b::7f00:1]:PORT/',
  'http://[64:ff9b:1::7f00:1]:PORT/',
  'http://[2002:7f00:1::]:PORT/',
  'http://[2001:0:7f00:1::]:PORT/',
  'http://[fe80::1]:PORT/',
  'http://[fd00::1]:PORT/',
  'http://[fc00::1]:PORT/',
  'http://[ff02::1]:PORT/',
  'http://[2001:db8::1]:PORT/',
  'http://[100::1]:PORT/',
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://172.31.255.255/',
  'http://192.168.0.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://[fd00:ec2::254]/latest/meta-data/',
  'http://100.64.0.1/',
  'http://100.100.100.200/latest/meta-data/',
  'http://192.0.0.192/',
  'http://192.0.2.1/',
  'http://198.18.0.1/',
  'http://198.51.100.1/',
  'http://203.0.113.1/',
  'http://224.0.0.1/',
  'http://240.0.0.1/',
  'http://255.255.255.255/',
  'http://private.test:PORT/',
  'http://PRIVATE.test.:PORT/',
  'http://lan.test/',
  'http://metadata.google.internal/computeMetadata/v1/',
  'http://mapped.test:PORT/',
  'http://six.test:PORT/',
  'http://both.test:PORT/',
  'http://both-reversed.test:PORT/',
  'http://127.0.0.1.nip.test:PORT/',
  'http://nowhere.test:PORT/',
  'https://127.0.0.1:PORT/',
  'https://[::1]:PORT/',
  'HTTP://127.0.0.1:PORT/',
  'http://user:password@127.0.0.1:PORT/',
  'http://example.com@127.0.0.1:PORT/',
  'http://127.0.0.1:PORT@example.com:99999/',
  'http://127.0.0.1:PORT#@example.com/',
  'http://127.0.0.1:PORT?@example.com/',
  'http://127.0.0.1:PORT\\@example.com/',
  'http:\\\\127.0.0.1:PORT/',
  'http:/127.0.0.1:PORT/',
  'http:127.0.0.1:PORT/',
  'http:///127.0.0.1:PORT/',
  'ht\ntp://127.0.0.1:PORT/',
  'http://127.0.0.1\t:PORT/',
  ' http://127.0.0.1:PORT/',
  '//127.0.0.1:PORT/',
  'file:///etc/passwd',
  'file://127.0.0.1/etc/passwd',
  'ftp://127.0.0.1:PORT/',
  'gopher://127.0.0.1:PORT/_GET',
  'ws://127.0.0.1:PORT/',
  'blob:http://127.0.0.1:PORT/x',
  'view-source:http://127.0.0.1:PORT/',
  'unix:/var/run/docker.sock',
  'http://unix:/var/run/docker.sock:/containers/json',
]

describe.each(addresses)('%s', written => {
  const address = () => written.replace('PORT', String(canaryPort))
  const refusal = { status: 422, body: { code: 'invalid_request' } }

  test('is no reference, no base address, and nowhere a redirect leads to', async () => {
    const generate = (image: string) =>
      app.call('POST', '/api/generate', { prompt: 'x', model: 'doubao-seedream-4-0-20260415', images: [image] })
    // A name that cannot be looked up is no fault of a base address: the check that counts is made when connecting.
    const isUnknownName = /nowhere\.test|^http:\/\/unix:/.test(written)
    const configuration = { provider: 'openai', api_key: 'sk-secret', base_url: address() }

    const reference = await generate(address())
    const redirected = await generate(`${signpostOrigin}/${encodeURIComponent(address())}`)
    const estimated = await app.call('POST', '/api/estimate', {
      prompt: 'x',
      model: 'qwen-image-edit',
      images: [address()],
    })
    const tried = await app.call('POST', '/api/config/test', configuration)
    const stored = await app.call('POST', '/api/config', configuration)

    expect(reference).toMatchObject(refusal)
    expect(redirected).toMatchObject(refusal)
    expect(estimated).toMatchObject(refusal)
    expect(tried).toMatchObject(isUnknownName ? { body: { ok: false } } : refusal)
    if (!isUnknownName) expect(stored).toMatchObject(refusal)
    else await app.call('DELETE', `/api/config/${stored.body.id}`)
    expect(seen).toEqual([])
  })
})

test('what is allowed is reached, so that all of the above proves something', async () => {
  const answer = await app.call('POST', '/api/generate', {
    prompt: 'x',
    model: 'doubao-seedream-4-0-20260415',
    images: [`${signpostOrigin}/${encodeURIComponent(`${app.openai.origin}/nothing`)}`],
  })
  await fetch(`http://127.0.0.1:${canaryPort}/`)

  expect(answer.body.errors[0].message).toMatch(/not a public address/)
  expect(seen).toHaveLength(1)
})

test('a name that is public when it is checked and private when it is connected to gets no key', async () => {
  const stored = await app.call('POST', '/api/config', {
    provider: 'openai',
    api_key: 'sk-secret',
    model: 'x',
    base_url: `http://rebinding.test:${canaryPort}/v1`,
  })
  expect(stored.status).toBe(201)

  const tested = await app.call('POST', '/api/config/test', { id: stored.body.id })
  const generated = await app.call('POST', '/api/generate', { prompt: 'x', config_id: stored.body.id })

  expect(lookups.get('rebinding.test')).toBeGreaterThan(2)
  expect(tested.body).toMatchObject({ ok: false, detail: expect.stringContaining('not a public address') })
  expect(generated).toMatchObject({ status: 502, body: { code: 'provider_unavailable', charge: 'none' } })
  await app.call('DELETE', `/api/config/${stored.body.id}`)
  expect(seen).toEqual([])
})

test('nobody learns from a refusal which addresses the names inside have', async () => {
  const body = { prompt: 'x', model: 'qwen-image-edit', images: ['http://lan.test/'] }

  const answer = await app.call('POST', '/api/estimate', body)

  expect(answer.status).toBe(422)
  expect(JSON.stringify(answer.body)).toContain('lan.test')
  expect(JSON.stringify(answer.body)).not.toContain('192.168.1.10')
})

test('a host that answers nobody who does not say who it is gives its reference', async () => {
  const names: unknown[] = []
  const picture = await png(512, 512)
  const host = createServer((request, response) => {
    names.push(request.headers['user-agent'])
    if (!request.headers['user-agent']) return response.writeHead(403).end()
    response.setHeader('content-type', 'image/png').end(picture)
  })
  await new Promise<void>(resolve => host.listen(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${(host.address() as AddressInfo).port}`
  const other = await openApp({ environment: { ALLOWED_HOSTS: address } })
  try {
    const images = [`http://${address}/a.png`]
    const answer = await other.call('POST', '/api/estimate', { prompt: 'x', model: 'qwen-image-edit', images })

    expect(answer.status).toBe(200)
    expect(names).toEqual([expect.stringMatching(/^webimgui\/\d+\.\d+\.\d+$/)])
  } finally {
    await other.close()
    host.close()
  }
})

test('a chain of redirects ends', async () => {
  const signposts = Array.from({ length: 12 }).reduce<string>(
    to => `${signpostOrigin}/${encodeURIComponent(to)}`,
    signpostOrigin,
  )

  const answer = await app.call('POST', '/api/generate', {
    prompt: 'x',
    model: 'doubao-seedream-4-0-20260415',
    images: [signposts],
  })

  expect(answer).toMatchObject({
    status: 422,
    body: { errors: [{ message: expect.stringMatching(/redirected more than 3/) }] },
  })
})

test('a service that answers with a private address gives no picture and no look inside', async () => {
  const service = createServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ created: 1, data: [{ url: `http://127.0.0.1:${canaryPort}/secret.png` }] }))
  })
  await new Promise<void>(resolve => service.listen(0, '127.0.0.1', resolve))
  const { port } = service.address() as AddressInfo
  const other = await openApp({ lookup, environment: { ALLOWED_HOSTS: `127.0.0.1:${port}` } })
  try {
    const base_url = `http://127.0.0.1:${port}/v1`
    const stored = await other.call('POST', '/api/config', {
      provider: 'openai',
      api_key: 'sk-secret',
      model: 'x',
      base_url,
    })
    expect(stored.status).toBe(201)

    const answer = await other.call(
      'POST',
      '/api/generate',
      { prompt: 'x', config_id: stored.body.id },
      { prefer: 'wait=1' },
    )

    expect(answer).toMatchObject({
      status: 202,
      body: { images: [], waiting: expect.stringContaining('not a public address') },
    })
    expect(seen).toEqual([])
  } finally {
    await other.close()
    service.close()
  }
})

test('a key that was stored for one address does not follow to another', async () => {
  const stored = await app.call('POST', '/api/config', {
    provider: 'openai',
    api_key: 'sk-secret',
    base_url: `${signpostOrigin}/v1`,
  })

  const moved = await app.call('PUT', `/api/config/${stored.body.id}`, {
    base_url: `http://127.0.0.1:${canaryPort}/v1`,
  })

  expect(stored.status).toBe(201)
  expect(moved).toMatchObject({ status: 422, body: { code: 'invalid_request' } })
  expect(moved.body.errors.map((fault: { path: string }) => fault.path).sort()).toEqual(['api_key', 'base_url'])
  await app.call('DELETE', `/api/config/${stored.body.id}`)
  expect(seen).toEqual([])
})
