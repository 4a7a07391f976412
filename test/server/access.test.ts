import { once } from 'node:events'
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Problem } from '../../src/api/problems.ts'
import type { Events } from '../../src/coordination/events.ts'
import { loginLink, readAccessToken } from '../../src/server/access/access-token.ts'
import { loadSettings } from '../../src/settings.ts'
import type { TokenRecord } from '../../src/storage/records.ts'
import { startServer } from './harness.ts'

/** `fetch` does not let a program choose its Host header. */
function ask(port: number, options: http.RequestOptions & { body?: string }) {
  return new Promise<{ status: number; headers: http.IncomingHttpHeaders; body: string }>((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, agent: false, ...options }, response => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    request.on('error', reject)
    request.end(options.body)
  })
}

/** Wrong tokens wait until they are released, instead of for the clock. */
function holdRefusals() {
  const held: { ms: number; resolve(): void }[] = []
  return {
    pause: (ms: number) => new Promise<void>(resolve => void held.push({ ms, resolve })),
    /** How long each that waits would have waited, in ms. */
    waiting: () => held.map(({ ms }) => ms),
    release() {
      for (const { resolve } of held.splice(0)) resolve()
    },
  }
}

describe('on a loopback address without a token', () => {
  test.each([
    ['localhost', 200],
    ['LOCALHOST:8000', 200],
    ['127.0.0.1:9', 200],
    ['[::1]:8000', 200],
    ['images.example.org', 200],
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['192.168.1.5:8000', 403],
    ['0.0.0.0', 403],
  ])('the name %s is %i', async (host, status) => {
    const { port } = await startServer({ environment: { PUBLIC_URL: 'https://images.example.org' } })

    const answer = await ask(port, { path: '/api/history', headers: { host } })

    expect(answer.status).toBe(status)
    if (status === 403) expect(Problem.parse(JSON.parse(answer.body)).code).toBe('forbidden')
  })

  test.each([
    [undefined, 200],
    ['http://localhost:5173', 200],
    ['own', 200],
    ['https://images.example.org', 200],
    ['https://evil.example', 403],
    ['http://localhost:1', 403],
    ['null', 403],
  ])('a change from the origin %s is %i', async (origin, status) => {
    const { port, created } = await startServer({ environment: { PUBLIC_URL: 'https://images.example.org' } })
    const own = `http://localhost:${port}`

    const answer = await ask(port, {
      method: 'POST',
      path: '/api/generate',
      headers: {
        host: `localhost:${port}`,
        'content-type': 'application/json',
        ...(origin ? { origin: origin === 'own' ? own : origin } : {}),
      },
      body: '{"prompt":"x"}',
    })

    expect(answer.status).toBe(status)
    expect(created).toHaveLength(status === 200 ? 1 : 0)
  })

  test('a page of another site that hides its origin changes nothing', async () => {
    const { call, created } = await startServer()

    const response = await call('POST', '/api/generate', { prompt: 'x' }, { 'sec-fetch-site': 'cross-site' })

    expect(response.status).toBe(403)
    expect(created).toEqual([])
  })

  test('nobody has to log in', async () => {
    const { call, url, settings } = await startServer()

    expect((await call('POST', '/api/login', { token: 'x' })).status).toBe(204)
    expect((await call('GET', '/login')).headers.get('location')).toBe('/')
    expect(loginLink(settings, 8000)).toBe('http://127.0.0.1:8000/')
    expect((await fetch(url)).headers.get('content-type')).toBe('text/html; charset=utf-8')
  })
})

describe('origins', () => {
  test('those in CORS_ORIGINS get the headers, preflights included, others get none', async () => {
    const { call, port } = await startServer({ environment: { CORS_ORIGINS: 'https://studio.example.org' } })
    const preflight = (origin: string) =>
      call('OPTIONS', '/api/history/g1', undefined, {
        origin,
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'content-type,authorization',
      })

    const allowed = await preflight('https://studio.example.org')
    const foreign = await preflight('https://evil.example')
    const read = await ask(port, { path: '/api/history', headers: { origin: 'https://studio.example.org' } })
    const foreignRead = await ask(port, { path: '/api/history', headers: { origin: 'https://evil.example' } })

    expect(allowed.status).toBe(204)
    expect(Object.fromEntries(allowed.headers)).toMatchObject({
      'access-control-allow-origin': 'https://studio.example.org',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': expect.stringContaining('PATCH'),
      'access-control-allow-headers': 'content-type,authorization',
    })
    expect(foreign.status).toBe(403)
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull()
    expect(read.headers['access-control-allow-origin']).toBe('https://studio.example.org')
    expect(read.headers.vary).toContain('Origin')
    expect(foreignRead.headers['access-control-allow-origin']).toBeUndefined()
  })

  test('those that nobody listed look and make, and neither delete nor administer', async () => {
    const page = { origin: 'http://localhost:5173' }
    const usual = await startServer()
    const listed = await startServer({ environment: { CORS_ORIGINS: page.origin } })
    const requests: [method: string, target: string, body?: unknown][] = [
      ['POST', '/api/generate', { prompt: 'x' }],
      ['PATCH', '/api/history/g1', { favorite: true }],
      ['DELETE', '/api/history'],
      ['DELETE', '/api/history/g1'],
      ['DELETE', '/images/i1'],
      ['POST', '/api/tokens', { name: 'x' }],
      ['PUT', '/api/config/k1', { name: 'x' }],
    ]
    const ask = async ({ call }: typeof usual, headers: Record<string, string>) => {
      const statuses = []
      for (const [method, target, body] of requests)
        statuses.push((await call(method, target, body, headers)).status === 403)
      return statuses
    }

    const refused = await ask(usual, page)

    expect(refused).toEqual([false, false, true, true, true, true, true])
    // A token that other programs send where none is needed opens nothing more.
    expect(await ask(usual, { ...page, authorization: 'Bearer sk-anything' })).toEqual(refused)
    const none = requests.map(() => false)
    expect(await ask(usual, { origin: `http://127.0.0.1:${usual.port}` })).toEqual(none)
    expect(await ask(usual, {})).toEqual(none)
    expect(await ask(listed, page)).toEqual(none)
  })

  test('errors carry them too', async () => {
    const { call } = await startServer({ environment: { ACCESS_TOKEN: 'a-token' } })

    const response = await call('GET', '/api/history', undefined, { origin: 'http://localhost:5173' })

    expect(response.status).toBe(401)
    expect(response.headers.get('access-control-allow-origin')).toBe('http://localhost:5173')
  })
})

describe('where a token is needed', () => {
  const environment = { ACCESS_TOKEN: 'correct-horse' }

  test('everything but health and the login page wants it, pictures and unknown addresses included', async () => {
    const { call } = await startServer({ environment })

    for (const target of [
      '/api/history',
      '/images/i1',
      '/images/i1/thumbnail',
      '/api/models',
      '/api/status',
      '/api/events',
      '/docs/',
      '/openapi.json',
      '/nope',
    ]) {
      const response = await call('GET', target)
      expect(response.status, target).toBe(401)
      expect(response.headers.get('www-authenticate')).toContain('Bearer')
      expect(Problem.parse(await response.json()).code).toBe('unauthorized')
      const inside = await call('GET', target, undefined, { authorization: 'bearer correct-horse' })
      expect(inside.status, target).toBe(target === '/nope' ? 404 : 200)
      await inside.body?.cancel()
    }
    expect((await call('GET', '/health')).status).toBe(200)
    expect((await call('GET', '/login')).status).toBe(200)
  })

  test('there is no rule for names, and none for origins with the token itself', async () => {
    const { port } = await startServer({ environment })

    const answer = await ask(port, {
      method: 'DELETE',
      path: '/api/history',
      headers: { host: 'pictures.lan', origin: 'https://evil.example', authorization: 'Bearer correct-horse' },
    })

    expect(answer.status).toBe(200)
  })

  test('a wrong one is refused, later and later', async () => {
    const refusals = holdRefusals()
    const { call } = await startServer({ environment, pauseBeforeRefusal: refusals.pause })
    const ask = (token: string) => call('GET', '/api/history', undefined, { authorization: `Bearer ${token}` })

    for (const ms of [100, 200, 300]) {
      const wrong = ask('wrong')
      await expect.poll(refusals.waiting).toEqual([ms])
      refusals.release()
      expect((await wrong).status).toBe(401)
    }
    const more = Array.from({ length: 9 }, () => ask('wrong'))
    await expect.poll(refusals.waiting).toHaveLength(9)

    // Whoever knows the token does not wait for those who do not.
    expect((await ask('correct-horse')).status).toBe(200)
    expect(refusals.waiting()).toHaveLength(9)
    refusals.release()
    expect(new Set((await Promise.all(more)).map(({ status }) => status))).toEqual(new Set([401]))
  })

  test('as late as that by the clock', async () => {
    const { call } = await startServer({ environment })
    const began = performance.now()

    const wrong = await call('GET', '/api/history', undefined, { authorization: 'Bearer wrong' })

    expect([wrong.status, performance.now() - began > 90]).toEqual([401, true])
  })

  test('a header for a proxy on the way is not ours: the session counts, and it is no wrong token', async () => {
    const { call } = await startServer({ environment })
    const login = await call('POST', '/api/login', { token: 'correct-horse' })
    const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? ''
    const ask = async (headers: Record<string, string>) =>
      (await call('GET', '/api/history', undefined, headers)).status

    for (const authorization of ['Basic cHJveHk6cHc=', 'Digest username="x"', 'Negotiate YII=', 'correct-horse', '']) {
      expect([authorization, await ask({ authorization, cookie })]).toEqual([authorization, 200])
      expect([authorization, await ask({ authorization })]).toEqual([authorization, 401])
    }
    for (const authorization of ['Bearer wrong', 'bearer', 'Bearer two words']) {
      expect([authorization, await ask({ authorization, cookie })]).toEqual([authorization, 401])
    }
    // Were they counted, the eleventh at once would be told to wait, and this token, which can be guessed, with it.
    const many = await Promise.all(Array.from({ length: 40 }, () => ask({ authorization: 'Basic cHJveHk6cHc=' })))
    expect(new Set(many)).toEqual(new Set([401]))
  })

  test.each(['  correct-horse\n', 'Bearer correct-horse', '\u200bbearer  correct-horse\u00a0'])(
    'the token is taken as it was pasted: %j',
    async token => {
      const { call, url } = await startServer({ environment })

      const json = await call('POST', '/api/login', { token })
      const body = new URLSearchParams({ token })
      const form = await fetch(`${url}/api/login`, { method: 'POST', body, redirect: 'manual' })
      const link = await call('GET', `/login?${body}`)

      expect([json.status, form.status, form.headers.get('location')]).toEqual([204, 303, '/'])
      expect([link.status, link.headers.get('location')]).toEqual([303, '/'])
    },
  )

  test('a program whose key was pasted with its word comes in', async () => {
    const { call } = await startServer({ environment: { ACCESS_TOKEN: 'Bearer correct-horse' } })

    const answer = await call('GET', '/api/history', undefined, { authorization: 'Bearer Bearer correct-horse ' })

    expect(answer.status).toBe(200)
  })

  test('servers on two ports of one host leave each other their sessions', async () => {
    const servers = [
      await startServer({ environment }),
      await startServer({ environment: { ACCESS_TOKEN: 'another' } }),
    ]
    // What a browser keeps of one host, whatever the port.
    const jar = new Map<string, string>()
    const headers = () => ({ cookie: [...jar].map(pair => pair.join('=')).join('; ') })
    const keep = (response: Response) => {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(response.headers.get('set-cookie') ?? '') ?? []
      if (value === '') jar.delete(name)
      else jar.set(name, value)
    }
    for (const [index, { call }] of servers.entries())
      keep(await call('POST', '/api/login', { token: ['correct-horse', 'another'][index] }, headers()))
    const look = () =>
      Promise.all(servers.map(async ({ call }) => (await call('GET', '/api/history', undefined, headers())).status))

    expect(await look()).toEqual([200, 200])
    keep(await servers[1]!.call('POST', '/api/logout', undefined, headers()))
    expect(await look()).toEqual([200, 401])
  })

  test('a copy of the data folder on another port has a cookie of its own', async () => {
    const dataDir = mkdtempSync(path.join(os.tmpdir(), 'webimgui-token-'))
    const nameOn = async (port: string) => {
      const { call } = await startServer({ environment: { ...environment, DATA_DIR: dataDir, PORT: port } })
      const login = await call('POST', '/api/login', { token: 'correct-horse' })
      return login.headers.get('set-cookie')?.split('=')[0]
    }
    const name = await nameOn('8000')

    expect(await nameOn('8000')).toBe(name)
    expect(await nameOn('8001')).not.toBe(name)
  })

  test('a session under the name of before still counts, and ends for good', async () => {
    const { call } = await startServer({ environment })
    const login = await call('POST', '/api/login', { token: 'correct-horse' })
    const value = login.headers.get('set-cookie')?.split(';')[0]?.split('=')[1]
    const cookie = `webimgui_session=${value}; other=1`

    expect((await call('GET', '/api/history', undefined, { cookie })).status).toBe(200)
    await call('POST', '/api/logout', undefined, { cookie })
    expect((await call('GET', '/api/history', undefined, { cookie })).status).toBe(401)
  })

  test('whoever is refused hears what to do, without being told of a server that is not theirs', async () => {
    const { call, url } = await startServer({ environment })

    const problem = await call('GET', '/api/history', undefined, { authorization: 'Bearer wig_revoked' })
    const body = new URLSearchParams({ token: 'wig_revoked' })
    const page = await (await fetch(`${url}/api/login`, { method: 'POST', body })).text()

    expect(Problem.parse(await problem.json()).detail).toMatch(
      /wrong or was revoked.*whoever gave it to you.*已被撤销/s,
    )
    expect(page).toMatch(/whoever gave it to you/)
  })

  test('a token that can be guessed is not looked at while ten guesses wait; others come in meanwhile', async () => {
    const named = `wig_${'n'.repeat(43)}`
    const record: TokenRecord = {
      ...{ id: 't1', name: 'team', role: 'admin' as const, monthlyCap: null, monthlyImages: null, models: null },
      ...{ createdAt: '2026-11-23T08:00:00.000Z', lastUsedAt: null, revokedAt: null, userId: null },
    }
    const identify = async (text: string) => (text === named ? record : undefined)
    const refusals = holdRefusals()
    const { call } = await startServer({
      environment,
      services: { tokens: { identify } },
      pauseBeforeRefusal: refusals.pause,
    })
    const session = await call('POST', '/api/login', { token: 'correct-horse' })
    const cookie = session.headers.get('set-cookie')?.split(';')[0] ?? ''
    const ask = (headers: Record<string, string>) => call('GET', '/api/history', undefined, headers)

    const guesses = Array.from({ length: 40 }, (_, index) => ask({ authorization: `Bearer guess-${index}` }))
    await expect.poll(refusals.waiting).toHaveLength(10)
    const right = await ask({ authorization: 'Bearer correct-horse' })
    const others = [await ask({ cookie }), await ask({ authorization: `Bearer ${named}` })]

    expect([right.status, right.headers.get('retry-after')]).toEqual([429, '5'])
    expect(others.map(({ status }) => status)).toEqual([200, 200])
    // The eleventh and all after it were refused at once.
    let refused = 0
    for (const guess of guesses) void guess.then(({ status }) => (refused += Number(status === 429)))
    await expect.poll(() => refused).toBe(30)
    refusals.release()
    const statuses = (await Promise.all(guesses)).map(({ status }) => status)
    expect(statuses.filter(status => status === 401)).toHaveLength(10)
    expect(statuses.filter(status => status === 429)).toHaveLength(30)
    expect((await ask({ authorization: 'Bearer correct-horse' })).status).toBe(200)
  })

  test('a long token is let in whoever guesses', async () => {
    const long = 'x'.repeat(20)
    const refusals = holdRefusals()
    const { call } = await startServer({ environment: { ACCESS_TOKEN: long }, pauseBeforeRefusal: refusals.pause })
    const ask = (token: string) => call('GET', '/api/history', undefined, { authorization: `Bearer ${token}` })

    const guesses = Array.from({ length: 40 }, (_, index) => ask(`guess-${index}`))
    await expect.poll(refusals.waiting).toHaveLength(40)

    expect((await ask(long)).status).toBe(200)
    refusals.release()
    await Promise.all(guesses)
  })

  test('no foreign page signs anybody in or out', async () => {
    const { call } = await startServer({ environment })
    const login = await call('POST', '/api/login', { token: 'correct-horse' })
    const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? ''
    const foreign = { cookie, origin: 'https://evil.example' }

    const signedIn = await call('POST', '/api/login', { token: 'correct-horse' }, foreign)
    const signedOut = await call('POST', '/api/logout', undefined, foreign)

    expect([signedIn.status, signedIn.headers.get('set-cookie'), signedOut.status]).toEqual([403, null, 403])
    expect((await call('GET', '/api/history', undefined, { cookie })).status).toBe(200)
  })

  test('a token does not begin any number of sessions: those that end have to be remembered', async () => {
    const { call } = await startServer({ environment })

    const statuses = []
    for (let count = 0; count < 31; count++) {
      statuses.push((await call('POST', '/api/login', { token: 'correct-horse' })).status)
    }

    expect(statuses).toEqual([...Array(30).fill(204), 429])
  })

  test('a list of ended sessions that was cut by a crash ends those that it names whole', async () => {
    const server = await startServer({ environment })
    const begin = async () =>
      (await server.call('POST', '/api/login', { token: 'correct-horse' })).headers.get('set-cookie')?.split(';')[0] ??
      ''
    const [one, two] = [await begin(), await begin()]
    for (const cookie of [one, two]) await server.call('POST', '/api/logout', undefined, { cookie })
    const file = path.join(server.dataDir, 'ended-sessions')
    const [first = '', second = ''] = readFileSync(file, 'utf8').split('\n')
    writeFileSync(file, `${first}\n${second.slice(0, 9)}`)

    const restarted = await startServer({ environment: { ...environment, DATA_DIR: server.dataDir } })

    const look = async (cookie: string) => (await restarted.call('GET', '/api/history', undefined, { cookie })).status
    expect([await look(one), await look(two)]).toEqual([401, 200])
    expect((await restarted.call('POST', '/api/logout', undefined, { cookie: two })).status).toBe(204)
    expect(readFileSync(file, 'utf8')).toBe(`${first}\n${second}\n`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('the events of a session end with it', async () => {
    const follow: Events['follow'] = async function* ({ signal }) {
      yield { type: 'removed', revision: 1, id: 'g0' }
      await once(signal, 'abort')
    }
    const { url, call } = await startServer({ environment, services: { generations: { events: { follow } } } })
    const login = await call('POST', '/api/login', { token: 'correct-horse' })
    const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? ''
    const stream = await fetch(`${url}/api/events`, { headers: { cookie } })

    await call('POST', '/api/logout', undefined, { cookie })

    expect(await stream.text().catch(() => 'cut')).toMatch(/^(cut|:)/)
  })

  test('a session begins with the token, is not readable by scripts, and ends for good', async () => {
    const server = await startServer({ environment: { ...environment, PUBLIC_URL: 'https://example.org/app' } })
    const { call } = server

    const wrong = await call('POST', '/api/login', { token: 'nope' })
    const login = await call('POST', '/api/login', { token: 'correct-horse' })
    const setCookie = login.headers.get('set-cookie') ?? ''
    const cookie = setCookie.split(';')[0]!

    expect(wrong.status).toBe(401)
    expect(wrong.headers.get('set-cookie')).toBeNull()
    expect(login.status).toBe(204)
    for (const part of ['HttpOnly', 'SameSite=Lax', 'Path=/app', 'Secure', 'Max-Age='])
      expect(setCookie).toContain(part)
    expect(setCookie).not.toContain('correct-horse')
    expect((await call('GET', '/api/history', undefined, { cookie })).status).toBe(200)
    expect((await call('GET', '/api/history', undefined, { cookie: `${cookie}x` })).status).toBe(401)

    expect((await call('POST', '/api/logout', undefined, { cookie })).headers.get('set-cookie')).toContain(
      `${cookie.split('=')[0]}=;`,
    )
    expect((await call('GET', '/api/history', undefined, { cookie })).status).toBe(401)
    const restarted = await startServer({ environment: { ...environment, DATA_DIR: server.dataDir } })
    expect((await restarted.call('GET', '/api/history', undefined, { cookie })).status).toBe(401)
  })

  test('a session outlives a restart, but not another token', async () => {
    const { call, dataDir } = await startServer({ environment })
    const cookie = (await call('POST', '/api/login', { token: 'correct-horse' })).headers
      .get('set-cookie')!
      .split(';')[0]!

    const restarted = await startServer({ environment: { ...environment, DATA_DIR: dataDir } })
    const changed = await startServer({ environment: { ACCESS_TOKEN: 'another', DATA_DIR: dataDir } })

    expect((await restarted.call('GET', '/api/history', undefined, { cookie })).status).toBe(200)
    expect((await changed.call('GET', '/api/history', undefined, { cookie })).status).toBe(401)
  })

  test('a session changes nothing for a foreign page', async () => {
    const { call } = await startServer({ environment })
    const cookie = (await call('POST', '/api/login', { token: 'correct-horse' })).headers
      .get('set-cookie')!
      .split(';')[0]!

    expect((await call('DELETE', '/api/history', undefined, { cookie, origin: 'https://evil.example' })).status).toBe(
      403,
    )
    expect((await call('DELETE', '/api/history', undefined, { cookie, origin: 'http://localhost:5173' })).status).toBe(
      200,
    )
    expect((await call('DELETE', '/api/history', undefined, { cookie })).status).toBe(200)
  })

  test('the page works without a script, and a link with the token logs in', async () => {
    const { call, url, settings, port } = await startServer({ environment })
    const send = (token: string) =>
      fetch(`${url}/api/login`, { method: 'POST', body: new URLSearchParams({ token }), redirect: 'manual' })

    const visitor = await call('GET', '/', undefined, { accept: 'text/html' })
    const page = await (await call('GET', '/login')).text()
    const wrong = await send('<b>wrong</b>')
    const right = await send('correct-horse')
    const link = loginLink(settings, port)
    const opened = await call('GET', '/login?token=correct-horse')
    const stale = await call('GET', '/login?token=old')
    const ended = await call('GET', '/login?ended')

    expect([visitor.status, visitor.headers.get('location')]).toEqual([303, '/login'])
    expect(page).toContain('<form method="post" action="/api/login?language=en">')
    expect(page).not.toContain('<script')
    // A page that is loaded again sends no form, and an address holds no token.
    expect([wrong.status, wrong.headers.get('location')]).toEqual([303, '/login?reason=wrong'])
    expect(await (await call('GET', '/login?reason=wrong')).text()).toMatch(/role="alert".*revoked/)
    expect([right.status, right.headers.get('location')]).toEqual([303, '/'])
    expect(right.headers.get('set-cookie')).toMatch(/^webimgui_session_[0-9a-f]{8}=/)
    // The token came from the environment: whoever starts the server knows it, and what is printed is kept by others.
    expect(link).toBe(`http://127.0.0.1:${port}/login`)
    expect([opened.status, opened.headers.get('location')]).toEqual([303, '/'])
    expect(opened.headers.get('set-cookie')).toContain('HttpOnly')
    expect([stale.status, stale.headers.get('location')]).toEqual([303, '/login?reason=wrong'])
    expect([ended.status, await ended.text()]).toEqual([200, expect.stringMatching(/role="alert".*revoked/)])
  })

  test('the login page speaks one language: that of the browser, or the one that was chosen', async () => {
    const { call, url } = await startServer({ environment })
    const pageIn = async (accepted: string, path = '/login?reason=wrong') =>
      (await call('GET', path, undefined, { 'accept-language': accepted })).text()

    const zh = await pageIn('fr;q=0.9, zh-CN, en;q=0.5')
    expect(zh).toContain('<html lang="zh-CN"')
    expect(zh).toContain('href="/login?language=en&#38;reason=wrong"')
    expect(zh).not.toContain('Access token')
    for (const page of [await pageIn('en-GB, zh;q=0.5'), await pageIn('zh-CN', '/login?language=en')]) {
      expect(page).toContain('<html lang="en"')
      expect(page).not.toContain('访问令牌')
    }
    const body = new URLSearchParams({ token: 'wrong' })
    const wrong = await fetch(`${url}/api/login?language=zh`, { method: 'POST', body, redirect: 'manual' })
    expect(wrong.headers.get('location')).toBe('/login?reason=wrong&language=zh')
  })
})

describe('on any other address', () => {
  test('a token is made once and kept for its owner alone', () => {
    const dataDir = mkdtempSync(path.join(os.tmpdir(), 'webimgui-token-'))
    const settings = loadSettings({ HOST: '0.0.0.0', DATA_DIR: dataDir })

    const token = readAccessToken(settings)
    const file = path.join(dataDir, 'access.token')

    expect(token).toMatch(/^[\w-]{32}$/)
    expect(readAccessToken(settings)).toBe(token)
    expect(readFileSync(file, 'utf8').trim()).toBe(token)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(loginLink(settings, 8000)).toBe(`http://localhost:8000/login?token=${token}`)
    expect(readAccessToken(loadSettings({ HOST: '::', DATA_DIR: dataDir, ACCESS_TOKEN: 'mine' }))).toBe('mine')
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', '[::1]', 'localhost']) {
      expect(readAccessToken(loadSettings({ HOST: host, DATA_DIR: dataDir })), host).toBeUndefined()
    }
  })

  test('nothing is open', async () => {
    const { call } = await startServer({ environment: { HOST: '0.0.0.0' } })

    expect((await call('GET', '/api/history')).status).toBe(401)
    expect((await call('POST', '/api/generate', { prompt: 'x' })).status).toBe(401)
  })
})
