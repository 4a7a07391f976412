/**
 * Who gets through which door: every route × every kind of caller. The routes are read from the router, so one that is added without a
 * rule here fails.
 */
import http from 'node:http'
import net from 'node:net'
import { beforeEach, describe, expect, test } from 'vitest'
import { readAccessToken } from '../../src/server/access/access-token.ts'
import type { AccessRule } from '../../src/server/route.ts'
import type { TokenRecord } from '../../src/storage/records.ts'
import type { WebhookRecord } from '../../src/storage/webhooks.ts'
import { generation, image, type StartOptions, startServer } from '../server/harness.ts'
import { filled, type Route, routesOf } from '../support/routes.ts'

/** Written down here once more, so that no change of a rule goes unnoticed. */
const rules: Record<string, AccessRule> = {
  'GET /health': 'open',
  'GET /metrics': 'admin',
  'GET /ready': 'open',
  'GET /login': 'open',
  'POST /api/login': 'open',
  'POST /api/logout': 'open',
  'GET /': 'member',
  'GET /index.html': 'member',
  'GET /gallery': 'member',
  'GET /picture/:generationId': 'member',
  'GET /configurations': 'member',
  'GET /status': 'member',
  'GET /compare': 'member',
  'GET /cull': 'member',
  'GET /team': 'member',
  'GET /moving': 'member',
  'GET /usage': 'member',
  'GET /welcome': 'member',
  'GET /assets/*': 'member',
  'GET /manifest.webmanifest': 'open',
  'GET /service-worker.js': 'open',
  'GET /icons/*': 'open',
  'GET /docs/': 'member',
  'GET /docs/js/scalar.js': 'member',
  'GET /openapi.json': 'member',
  'POST /mcp': 'member',
  'DELETE /mcp': 'member',
  'GET /.well-known/oauth-protected-resource': 'open',
  'GET /.well-known/oauth-protected-resource/mcp': 'open',
  'GET /api/me': 'member',
  'GET /api/status': 'member',
  'GET /api/models': 'member',
  'GET /api/providers': 'member',
  'GET /api/usage': 'member',
  'GET /api/config': 'member',
  'POST /api/generate': 'member',
  'POST /api/estimate': 'member',
  'GET /api/events': 'member',
  'GET /api/history': 'member',
  'DELETE /api/history': 'member',
  'GET /api/history/count': 'member',
  'GET /api/history/:id': 'own generation',
  'PATCH /api/history/:id': 'own generation',
  'DELETE /api/history/:id': 'own generation',
  'POST /api/history/:id/cancel': 'own generation',
  'POST /api/history/:id/retry': 'own generation',
  'GET /api/history/:id/events': 'own generation',
  'POST /api/images': 'member',
  'GET /v1/models': 'member',
  'GET /v1/models/:id': 'member',
  'POST /v1/images/generations': 'member',
  'POST /v1/images/edits': 'member',
  'POST /v1/images/variations': 'member',
  'POST /v1/chat/completions': 'member',
  'GET /v1/images/tasks/:id': 'own generation',
  'DELETE /v1/images/tasks/:id': 'own generation',
  'POST /v1/images/tasks/:id/cancel': 'own generation',
  'POST /api/images/archive': 'member',
  'GET /images/:id': 'own image',
  'DELETE /images/:id': 'own image',
  'GET /images/:id/thumbnail': 'own image',
  'GET /api/export': 'member',
  'POST /api/export': 'member',
  'GET /api/status/errors': 'admin',
  'GET /api/imports': 'admin',
  'POST /api/imports': 'admin',
  'GET /api/imports/:id': 'admin',
  'PATCH /api/imports/:id': 'admin',
  'GET /api/imports/:id/report': 'admin',
  'GET /api/imports/folder': 'admin',
  'POST /api/imports/upload': 'admin',
  'POST /api/config': 'admin',
  'PUT /api/config/:id': 'admin',
  'DELETE /api/config/:id': 'admin',
  'POST /api/config/test': 'admin',
  'GET /api/webhooks': 'member',
  'POST /api/webhooks': 'member',
  'PATCH /api/webhooks/:id': 'own webhook',
  'DELETE /api/webhooks/:id': 'own webhook',
  'POST /api/webhooks/:id/secret': 'own webhook',
  'POST /api/webhooks/:id/test': 'own webhook',
  'GET /api/webhooks/:id/deliveries': 'own webhook',
  'POST /api/webhooks/:id/deliveries/:delivery/resend': 'own webhook',
  'GET /api/tokens': 'own tokens',
  'POST /api/tokens': 'own tokens',
  'PATCH /api/tokens/:id': 'own tokens',
  'DELETE /api/tokens/:id': 'own tokens',
  'GET /api/users': 'admin',
  'PATCH /api/users/:id': 'admin',
  'DELETE /api/users/:id/sessions': 'admin',
}

/** Well-formed, so that nothing but the door stands between the caller and the effect. */
const bodies: Record<string, unknown> = {
  'POST /api/generate': { prompt: 'a boat' },
  'POST /api/estimate': { prompt: 'a boat' },
  'POST /v1/images/generations': { prompt: 'a boat', response_format: 'url' },
  'POST /v1/images/edits': { prompt: 'a boat', image: 'i1', response_format: 'url' },
  'POST /v1/images/variations': { image: 'i1', response_format: 'url' },
  'POST /v1/chat/completions': { messages: [{ role: 'user', content: 'a boat' }] },
  'PATCH /api/history/:id': { favorite: true },
  'POST /api/images/archive': { ids: ['i1'] },
  'POST /api/imports': { path: 'x' },
  'PATCH /api/imports/:id': { state: 'paused' },
  'POST /api/export': { ids: ['i1'] },
  'POST /api/config': { provider: 'doubao', api_key: 'k' },
  'PUT /api/config/:id': { name: 'x' },
  'POST /api/config/test': { id: 'k1' },
  'POST /api/tokens': { name: 'x' },
  'PATCH /api/tokens/:id': { name: 'x' },
  'POST /api/webhooks': { url: null },
  'PATCH /api/webhooks/:id': { name: 'x' },
  'PATCH /api/users/:id': { disabled: true },
}

const ids: Record<string, string> = {
  '/api/history': 'g1',
  '/images': 'i1',
  '/v1/images/tasks': 'g1',
  '/v1/models': 'doubao-seedream-4-0-20260415',
  '/api/config': 'k1',
  '/api/tokens': 't1',
  '/api/webhooks': 'w1',
  '/api/users': 'u1',
}

type Server = Awaited<ReturnType<typeof startServer>>
type Headers = Record<string, string>
type Expected = 'in' | 401 | 403 | 404

interface Door {
  name: string
  environment: Headers
  headers?: (server: Server) => Headers | Promise<Headers>
  expected(rule: AccessRule, changes: boolean): Expected
}

function ofMember(rule: AccessRule): Expected {
  return rule === 'admin' || rule === 'own tokens' ? 403 : 'in'
}

/** Who has a token. */
const people = new Map<string, 'member' | 'admin'>()
beforeEach(() => {
  for (const name of ['mine', 'other', 'soon']) people.set(name, 'member')
  people.set('root', 'admin')
})

function tokenOf(name: string) {
  return `wig_${name.padEnd(43, '0')}`
}

function idOf(name: string) {
  return `00000000-0000-4000-8000-${Buffer.from(name.padEnd(6, ' ')).toString('hex').slice(0, 12)}`
}

function person(name: string): TokenRecord | undefined {
  const role = people.get(name)
  if (!role) return undefined
  const none = { monthlyCap: null, monthlyImages: null, models: null, lastUsedAt: null, revokedAt: null, userId: null }
  return { id: idOf(name), name, role, createdAt: '2026-11-23T08:00:00.000Z', ...none }
}

// Too long to be found by trying, so that wrong ones are refused one after the other, and none of them unseen.
const right = 'correct-horse-battery-staple'
const withToken = { ACCESS_TOKEN: right }
const onlyOpen = (rule: AccessRule): Expected => (rule === 'open' ? 'in' : 401)
const evil = 'https://evil.example'

const doors: Door[] = [
  // Where a token is needed.
  { name: 'no token', environment: withToken, expected: onlyOpen },
  { name: 'a wrong token', environment: withToken, headers: () => bearer('wrong'), expected: onlyOpen },
  { name: 'the token', environment: withToken, headers: () => bearer(right), expected: () => 'in' },
  {
    name: 'the token under a foreign name, from a foreign page',
    environment: withToken,
    headers: () => ({ ...bearer(right), host: 'evil.example', origin: evil }),
    // Nobody's browser sends this header by itself.
    expected: () => 'in',
  },
  {
    name: 'the token, from a foreign page',
    environment: withToken,
    headers: () => ({ ...bearer(right), origin: evil }),
    // No foreign page signs anybody in or out.
    expected: (rule, changes) => (rule === 'open' && changes ? 403 : 'in'),
  },
  { name: 'a session', environment: withToken, headers: server => session(server), expected: () => 'in' },
  {
    name: 'a session, from a foreign page',
    environment: withToken,
    headers: async server => ({ ...(await session(server)), origin: evil }),
    expected: (_, changes) => (changes ? 403 : 'in'),
  },
  {
    name: 'a session, from a page without an origin',
    environment: withToken,
    headers: async server => ({ ...(await session(server)), origin: 'null' }),
    expected: (_, changes) => (changes ? 403 : 'in'),
  },
  {
    name: 'a session, from a page of its own',
    environment: withToken,
    headers: async server => ({ ...(await session(server)), origin: `http://localhost:${server.port}` }),
    expected: () => 'in',
  },
  {
    name: 'a session that was altered',
    environment: withToken,
    headers: async server => ({ cookie: `${(await session(server)).cookie.slice(0, -1)}_` }),
    expected: onlyOpen,
  },
  {
    name: 'a session that was ended',
    environment: withToken,
    async headers(server) {
      const headers = await session(server)
      await server.call('POST', '/api/logout', undefined, headers)
      return headers
    },
    expected: onlyOpen,
  },
  {
    name: 'no token, on an address for everybody',
    environment: { HOST: '0.0.0.0' },
    expected: onlyOpen,
  },
  {
    name: 'no token but a local name, on an address for everybody',
    environment: { HOST: '0.0.0.0' },
    headers: () => ({ host: 'localhost' }),
    expected: onlyOpen,
  },
  // Named tokens.
  { name: 'a member', environment: withToken, headers: () => bearer(tokenOf('mine')), expected: ofMember },
  {
    name: 'the session of a member',
    environment: withToken,
    headers: server => session(server, tokenOf('mine')),
    expected: ofMember,
  },
  {
    name: 'the session of a member, from a foreign page',
    environment: withToken,
    headers: async server => ({ ...(await session(server, tokenOf('mine'))), origin: evil }),
    expected: (rule, changes) => (changes ? 403 : ofMember(rule)),
  },
  {
    name: 'another member',
    environment: withToken,
    headers: () => bearer(tokenOf('other')),
    expected: rule => (/^own (generation|image|webhook)$/.test(rule) ? 404 : ofMember(rule)),
  },
  {
    name: 'a named administrator',
    environment: withToken,
    headers: () => bearer(tokenOf('root')),
    expected: () => 'in',
  },
  {
    name: 'a revoked token',
    environment: withToken,
    headers: () => bearer(tokenOf('gone')),
    expected: onlyOpen,
  },
  {
    name: 'the session of a token that was revoked since',
    environment: withToken,
    async headers(server) {
      const headers = await session(server, tokenOf('soon'))
      people.delete('soon')
      return headers
    },
    expected: onlyOpen,
  },
  {
    name: 'a member on the own machine, where no token is needed',
    environment: {},
    headers: () => bearer(tokenOf('mine')),
    expected: ofMember,
  },
  // On the own machine, without a token.
  { name: 'the own machine', environment: {}, expected: () => 'in' },
  { name: 'a foreign name', environment: {}, headers: () => ({ host: 'evil.example' }), expected: () => 403 },
  {
    name: 'a name that only begins like ours',
    environment: {},
    headers: () => ({ host: 'localhost.evil.example' }),
    expected: () => 403,
  },
  {
    name: 'a foreign page',
    environment: {},
    headers: () => ({ origin: evil }),
    expected: (_, changes) => (changes ? 403 : 'in'),
  },
  {
    name: 'a page in a sandbox',
    environment: {},
    headers: () => ({ origin: 'null' }),
    expected: (_, changes) => (changes ? 403 : 'in'),
  },
  {
    name: 'a foreign page that hides its origin',
    environment: {},
    headers: () => ({ 'sec-fetch-site': 'cross-site' }),
    expected: (_, changes) => (changes ? 403 : 'in'),
  },
  {
    name: 'the page of another port of this machine that nobody listed',
    environment: {},
    headers: () => ({ origin: 'http://localhost:6666' }),
    expected: (_, changes) => (changes ? 403 : 'in'),
  },
]

test('every route has a rule, and every rule a route', async () => {
  const { app } = await startServer()

  const declared = routesOf(app).map(route => [nameOf(route), route.access] as const)
  expect(Object.fromEntries(declared)).toEqual(rules)
})

describe.each(doors)('$name', ({ environment, headers, expected }) => {
  test('opens what it should, and nothing else', async () => {
    const effects: string[] = []
    const server = await startServer({ environment, services: watched(effects) })
    const given = (await headers?.(server)) ?? {}
    const routes = routesOf(server.app).filter(route => nameOf(route) in rules)
    // The end of the session last.
    const callable = routes.toSorted((a, b) => Number(isLogout(a)) - Number(isLogout(b)))
    // All at once: wrong tokens are answered slowly.
    const first = await Promise.all(
      callable.filter(route => !isLogout(route)).map(route => knock(server, route, given)),
    )
    const last = await Promise.all(callable.filter(isLogout).map(route => knock(server, route, given)))
    const answers = [...first, ...last]

    const found = callable.map((route, index) => [nameOf(route), answers[index]?.status])
    const wanted = callable.map((route, index) => {
      const name = nameOf(route)
      const wish = expected(rules[name] ?? 'admin', route.method !== 'GET')
      const status = answers[index]?.status ?? 0
      const isIn = status !== 401 && status !== 403 && status < 500 && !(status === 404 && name.includes(':id'))
      return [name, wish === 'in' && isIn ? status : wish]
    })
    expect(found).toEqual(wanted)
    for (const [index, { headers, status }] of answers.entries()) {
      expect(headers['x-content-type-options']).toBe('nosniff')
      // A page of ours tells its own server where its forms come from.
      const isOurs = headers['content-type']?.startsWith('text/html') && callable[index]?.path !== '/docs/'
      expect(headers['referrer-policy']).toBe(isOurs ? 'same-origin' : 'no-referrer')
      expect(headers['content-security-policy']).toMatch(/default-src 'none'/)
      expect(headers['content-security-policy']).toMatch(/frame-ancestors 'none'|sandbox/)
      expect(headers['cache-control']).toBeTruthy()
      expect(headers['x-request-id']).toBeTruthy()
      expect(headers['access-control-allow-origin']).toBeUndefined()
      expect(headers['x-powered-by'] ?? headers.server).toBeUndefined()
      if (status === 401) expect(headers['www-authenticate']).toMatch(/^Bearer/)
    }
    // Whoever is refused everywhere has not changed anything, whatever was answered.
    if (expected('member', true) !== 'in') expect(effects.filter(effect => effect !== 'list')).toEqual([])
  })
})

test('a browser without a session is led to the login page, and nobody else is', async () => {
  const server = await startServer({ environment: withToken })
  const ask = (path: string, accept: string) => server.call('GET', path, undefined, { accept })

  expect((await ask('/', 'text/html')).headers.get('location')).toBe('/login')
  expect((await ask('/', 'application/json')).status).toBe(401)
  expect((await ask('/api/history', 'text/html')).status).toBe(401)
})

test.each(['Bearer', 'Bearer ', 'Bearer a b', `Basic ${btoa(`x:${right}`)}`, right, `Bearer ${right.slice(0, -1)}`])(
  '"%s" is no token',
  async authorization => {
    const server = await startServer({ environment: withToken })

    expect((await server.call('GET', '/api/history', undefined, { authorization })).status).toBe(401)
  },
)

/** As they stand in the request line: no client of a library writes them so. */
const spellings = [
  ...[
    '/API/history',
    '//api/history',
    '/api//history',
    '/api/history/',
    '/%61pi/history',
    '/api/history%2f',
    '/./api/history',
  ],
  ...['/app/api/history', '/app//api/history', '/app/app/api/history', '/app%2fapi%2fhistory', '/APP/api/history'],
  ...['/health/../api/history', '/health%2f..%2fapi%2fhistory', '/login/../api/history', '/login;/api/history'],
  ...['/api/history;x', '/api/history?x', '/api/history#x', '/api\\history', '/api/history%00', '/api/history/..'],
  ...[
    'http://localhost/api/history',
    'http://x/health/../api/history',
    '*',
    '/assets/..%2f..%2fpackage.json',
    '/healthz',
  ],
]

test.each(['GET', 'HEAD', 'POST', 'DELETE', 'TRACE', 'PROPFIND'])(
  '%s of no spelling of an address is a way in',
  async method => {
    const { port } = await startServer({ environment: { ...withToken, PUBLIC_URL: 'https://example.org/app' } })

    const answers = await Promise.all(
      spellings.map(async path => [
        path,
        await lineOf(port, `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
      ]),
    )

    expect(answers.filter(([, line]) => !/^HTTP\/1\.1 (400|401) /.test(line ?? ''))).toEqual([])
  },
)

test.each([
  ['no Host at all, in HTTP/1.0', 'GET /api/history HTTP/1.0\r\n\r\n', 403],
  ['its own name in HTTP/1.0', 'GET /api/history HTTP/1.0\r\nHost: localhost\r\n\r\n', 200],
  ['an empty Host', 'GET /api/history HTTP/1.1\r\nHost:\r\n\r\n', 400],
  ['a rooted name in capitals with a port', 'GET /api/history HTTP/1.1\r\nHost: LOCALHOST.:80\r\n\r\n', 200],
  ['a name with two dots', 'GET /api/history HTTP/1.1\r\nHost: localhost..\r\n\r\n', 403],
  ['IPv6', 'GET /api/history HTTP/1.1\r\nHost: [::1]:80\r\n\r\n', 200],
  ['another spelling of its address', 'GET /api/history HTTP/1.1\r\nHost: 127.1\r\n\r\n', 403],
  [
    'a name that a proxy is said to have seen',
    'GET /health HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\n\r\n',
    403,
  ],
  ['what else is allowed at an address', 'OPTIONS /api/history HTTP/1.1\r\nHost: evil.example\r\n\r\n', 403],
  [
    'the question before a request from another origin',
    'OPTIONS /api/history HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://localhost:5173\r\nAccess-Control-Request-Method: DELETE\r\n\r\n',
    403,
  ],
  [
    'two origins',
    'DELETE /api/history HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nOrigin: https://evil.example\r\n\r\n',
    403,
  ],
  [
    'another method in a header',
    'GET /api/history HTTP/1.1\r\nHost: localhost\r\nX-HTTP-Method-Override: DELETE\r\nOrigin: https://evil.example\r\n\r\n',
    200,
  ],
])('on the own machine: %s', async (_, request, status) => {
  const effects: string[] = []
  const note = async () => {
    effects.push('clear')
    return 0
  }
  const { port } = await startServer({ services: { generations: { clear: note } } })

  expect(await lineOf(port, request)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(effects).toEqual([])
})

/** The first line of the answer to these bytes. */
function lineOf(port: number, bytes: string) {
  return new Promise<string>((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.once('data', data => {
      socket.destroy()
      resolve(data.toString().split('\r\n', 1)[0] ?? '')
    })
    socket.once('error', reject)
  })
}

test('an address that is not there tells nothing without a token', async () => {
  const server = await startServer({ environment: withToken })

  expect((await server.call('GET', '/nothing')).status).toBe(401)
  expect((await server.call('POST', '/api/history')).status).toBe(401)
  expect((await server.call('GET', '/nothing', undefined, bearer(right))).status).toBe(404)
})

function isLogout({ path }: Route) {
  return path === '/api/logout'
}

function nameOf({ method, path }: Route) {
  return `${method} ${path}`
}

function bearer(token: string) {
  return { authorization: `Bearer ${token}` }
}

async function session(server: Server, token = right) {
  const answer = await server.call('POST', '/api/login', { token })
  return { cookie: String(answer.headers.get('set-cookie')).split(';')[0] ?? '' }
}

/** `fetch` does not let a program choose its Host and Origin headers. */
function knock({ port, settings }: Server, route: Route, headers: Headers) {
  const prefix = Object.keys(ids).find(one => route.path.startsWith(`${one}/`)) ?? ''
  const isLogin = route.path === '/api/login'
  const body = JSON.stringify(isLogin ? { token: readAccessToken(settings) ?? '' } : (bodies[nameOf(route)] ?? {}))
  const hasBody = route.method !== 'GET'
  return new Promise<{ status: number; headers: http.IncomingHttpHeaders }>((resolve, reject) => {
    const request = http.request(
      {
        host: '127.0.0.1',
        port,
        agent: false,
        method: route.method,
        path: filled(route.path, () => ids[prefix] ?? 'x'),
        headers: {
          host: `localhost:${port}`,
          ...(hasBody ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } : {}),
          ...headers,
        },
      },
      response => {
        response.resume()
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers }))
      },
    )
    request.on('error', reject)
    request.end(hasBody ? body : undefined)
  })
}

const webhook: WebhookRecord = {
  ...{ id: 'w1', ownerId: idOf('mine'), url: 'https://example.org/', name: '', state: 'active', former: null },
  ...{ createdAt: '2026-11-23T08:00:00.000Z', sealedSecret: '' },
}

/** All that there is belongs to one member. */
function isOwner(owner: string | undefined) {
  return owner === undefined || owner === idOf('mine')
}

/** Notes what would have happened. */
function watched(effects: string[]): StartOptions['services'] {
  const note = (what: string) => async (): Promise<never> => {
    effects.push(what)
    throw Object.assign(new Error(what), { statusCode: 418 })
  }
  return {
    generations: {
      ...{ list: note('list'), clear: note('clear'), remove: note('remove'), retry: note('retry') },
      find: async (id, owner) => (id === 'g1' && isOwner(owner) ? generation() : undefined),
    },
    imports: {
      ...{ start: note('start'), change: note('change'), browse: note('list'), receive: note('receive') },
      get() {
        throw Object.assign(new Error('get'), { statusCode: 418 })
      },
    },
    configurations: { add: note('add'), change: note('change'), remove: note('remove'), test: note('test') },
    images: {
      remove: note('remove'),
      find: async (id, owner) => (id === 'i1' && isOwner(owner) ? image() : undefined),
    },
    webhooks: {
      ...{ make: note('make'), change: note('change'), remove: note('remove'), test: note('test') },
      ...{ renewSecret: note('renew'), resend: note('resend') },
      find: async (id, owner) => (id === 'w1' && isOwner(owner) ? webhook : undefined),
    },
    users: { list: note('list'), change: note('change'), endSessions: note('endSessions') },
    tokens: {
      make: note('make'),
      change: note('change'),
      revoke: note('revoke'),
      identify: async text => person(text.replace(/^wig_|0+$/g, '')),
      find: async id => [...people.keys()].map(person).find(one => one?.id === id),
    },
  }
}
