/** Logging in at an issuer: who comes in as whom, and everything that an issuer, a page or a person could try instead. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openApp, type TestApp } from '../support/app.ts'
import {
  clientSecret,
  createVisitor,
  newKey,
  oidcEnvironment,
  startIssuer,
  type TestIssuer,
} from '../support/issuer.ts'

const picture = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }
const root = { authorization: 'Bearer the-token-of-the-server' }

let issuer: TestIssuer
let app: TestApp
const logLines: string[] = []

beforeAll(async () => {
  issuer = await startIssuer()
  app = await openApp({ logLines, environment: { ...oidcEnvironment(issuer), OIDC_USER_CAP: '5 CNY' } })
})
afterAll(async () => {
  await app.close()
  await issuer.stop()
})
beforeEach(() => {
  issuer.lies = {}
  issuer.person = { sub: 'ann', name: 'Ann', groups: ['painters'] }
  issuer.requests.length = 0
})

/** Logs in; the last page is where the browser stops. */
async function logIn(visitor = createVisitor(), to = '') {
  const pages = await visitor.follow(`${app.url}/login/oidc${to}`)
  return { visitor, pages, last: pages.at(-1)! }
}

async function enter(person: Record<string, unknown>) {
  issuer.person = person
  const { visitor } = await logIn()
  const me = await visitor.call('GET', `${app.url}/api/me`)
  expect(me.status).toBe(200)
  return { visitor, me: me.body, id: me.body.user.id as string }
}

/** Why the login page was shown. */
function reasonOf(url: string) {
  return new URL(url).searchParams.get('reason')
}

describe('whoever the issuer names', () => {
  test('comes in as a member or an administrator, with the name and caps that a new one begins with', async () => {
    const ann = await enter({ sub: 'ann', name: ' Ann\u202e  Lee\n', email: 'ann@example.org', groups: ['painters'] })
    const max = await enter({ sub: 'max', preferred_username: 'max', groups: ['x', 'masters', 'painters'] })

    expect(ann.me).toMatchObject({
      ...{ role: 'member', name: 'Ann Lee', manages_tokens: 'own', user: { email: 'ann@example.org' } },
      ...{ monthly_cap: { amount: 5, currency: 'CNY' }, left: { amount: 5, currency: 'CNY' } },
    })
    expect(max.me).toMatchObject({ role: 'admin', name: 'max', manages_tokens: 'all', monthly_cap: null })
    const again = await enter({ sub: 'ann', name: 'Ann Li', groups: ['painters'] })
    expect(again.id).toBe(ann.id)
    expect(again.me.name).toBe('Ann Li')
  })

  test('sends no key and no code anywhere but to the issuer, and its cookies only to the login pages', async () => {
    const { visitor, pages } = await logIn()

    const [begun] = pages
    const query = new URL(begun!.location!).searchParams
    expect(Object.fromEntries(query)).toMatchObject({
      ...{ response_type: 'code', client_id: 'webimgui', scope: 'openid profile email', code_challenge_method: 'S256' },
      redirect_uri: `${app.url}/login/oidc/callback`,
    })
    expect(query.get('nonce')!.length).toBeGreaterThan(40)
    expect(query.get('state')!.length).toBeGreaterThan(40)
    for (const line of pages.flatMap(({ setCookies }) => setCookies)) {
      expect(line).toMatch(/; HttpOnly; SameSite=Lax/)
      if (!line.startsWith('webimgui_session_')) expect(line).toContain('; Path=/login;')
    }
    // What was begun is over; what is left is the session, and what ends it at the issuer.
    expect([...visitor.jar.keys()].filter(name => name.startsWith('webimgui_login_'))).toEqual([])
    expect(JSON.stringify([...visitor.jar])).not.toContain('eyJ')
    expect(logLines.join('\n')).not.toMatch(new RegExp(`${clientSecret}|planted-access-token|eyJ|code=`))
  })

  test('gets back to the picture that a link named, and never to another site', async () => {
    const visitor = createVisitor()
    const [first] = await visitor.follow(`${app.url}/picture/abc?image=1`)
    const { text } = await visitor.open(first!.location!)
    const button = /class="button" href="([^"]+)"/.exec(text)![1]!.replaceAll('&#38;', '&')
    expect(text).toContain('Log in with the Atelier')
    expect((await logInWith(button)).url).toBe(`${app.url}/picture/abc?image=1`)

    for (const to of [
      ...['https://evil.example/', '//evil.example', '/\\evil.example', '/..//evil.example', '/login/leave', '/api/me'],
      ...['/gallery/../..//evil.example', 'javascript:alert(1)', '/\tgallery', '/gallery\r\nset-cookie: a=b', ''],
    ]) {
      const end = await logInWith(`${app.url}/login/oidc?${new URLSearchParams({ to })}`)
      expect(end.url).toBe(`${app.url}/`)
    }

    async function logInWith(address: string) {
      return (await createVisitor().follow(address)).at(-1)!
    }
  })

  test('is asked for its role where the issuer tells it only apart from the token', async () => {
    issuer.lies.userInfo = { groups: [{ name: 'masters' }], name: 'Apart' }
    const { me } = await enter({ sub: 'apart' })

    expect(me).toMatchObject({ role: 'admin', name: 'Apart' })
  })

  test('who comes with a key that was not there before is let in, once the issuer shows it', async () => {
    issuer.rotate()
    // Keys are asked for again when they are older than a minute, so this takes a new look at the issuer.
    await app.restart()

    expect((await logIn()).last.url).toBe(`${app.url}/`)
  })

  test.each([50, -50])('may have a clock that is %d s away', async seconds => {
    const now = Math.floor(Date.now() / 1000) + seconds
    issuer.lies.claims = { iat: now, nbf: now, exp: now + 20 }

    expect((await logIn()).last.url).toBe(`${app.url}/`)
  })
})

describe('nobody comes in', () => {
  async function expectOut(reason: string) {
    const before = (await app.call('GET', '/api/users', undefined, root)).body.items.length
    const { last, visitor } = await logIn()
    expect(reasonOf(last.url)).toBe(reason)
    expect(last.status).toBe(200)
    expect([...visitor.jar.keys()].filter(name => name.startsWith('webimgui_session'))).toEqual([])
    expect((await app.call('GET', '/api/users', undefined, root)).body.items.length).toBe(before)
  }

  test.each<[string, Record<string, unknown>]>([
    ['without the claim', { sub: 'a-stranger' }],
    ['with another value', { sub: 'a-stranger', groups: ['Painters', 'painters2'] }],
    ['with the value in a text of several', { sub: 'a-stranger', groups: 'painters masters' }],
    ['with the name of a member of objects', { sub: 'a-stranger', groups: { painters: true } }],
  ])('%s', async (_, person) => {
    issuer.person = person
    await expectOut('not_let_in')
  })

  const lies: [string, TestIssuer['lies']][] = [
    ['signed by another key', { key: newKey().privateKey }],
    ['without a signature', { header: { alg: 'none' }, isUnsigned: true }],
    ['with "none" and a signature', { header: { alg: 'none' } }],
    ['signed with a shared secret', { header: { alg: 'HS256' } }],
    ['of an unknown key', { header: { kid: 'another' } }],
    ['with a part of it critical that nobody knows', { header: { crit: ['x'], x: 1 } }],
    ['changed afterwards', { tamper: token => raise(token) }],
    ['cut off', { tamper: token => token.split('.').slice(0, 2).join('.') }],
    ['for another client', { claims: { aud: 'somebody-else' } }],
    ['for several clients, of whom another asked', { claims: { aud: ['webimgui', 'other'], azp: 'other' } }],
    ['of another issuer', { claims: { iss: 'https://evil.example' } }],
    ['of another login', { claims: { nonce: 'n'.repeat(43) } }],
    ['of no login', { claims: { nonce: undefined } }],
    ['that has expired', { claims: { exp: Math.floor(Date.now() / 1000) - 120 } }],
    ['that is not valid yet', { claims: { nbf: Math.floor(Date.now() / 1000) + 600 } }],
    ['without a subject', { claims: { sub: undefined } }],
    ['that never ends', { claims: { exp: undefined } }],
  ]
  test.each(lies)('with a token %s', async (_, lie) => {
    issuer.lies = lie
    await expectOut('failed')
  })

  /** The same token for an administrator. */
  function raise(token: string) {
    const [head, claims = '', signature] = token.split('.')
    const changed = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), groups: ['masters'] }
    return [head, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.')
  }

  test('with the user information of somebody else', async () => {
    issuer.person = { sub: 'ann' }
    issuer.lies.userInfo = { sub: 'max', groups: ['masters'] }
    await expectOut('failed')
  })

  test.each<[string, string, (url: URL) => void]>([
    ['from another issuer', 'failed', url => url.searchParams.set('iss', 'https://evil.example')],
    ['from no issuer, though this one says who it is', 'failed', url => url.searchParams.delete('iss')],
    ['with a code that the issuer never gave', 'failed', url => url.searchParams.set('code', 'guessed')],
    ['with two codes', 'failed', url => url.searchParams.append('code', 'guessed')],
    ['with a state that was never given', 'start_again', url => url.searchParams.set('state', 's'.repeat(43))],
    [
      'with a state that begins like the right one',
      'start_again',
      url => url.searchParams.set('state', `${url.searchParams.get('state')!.slice(0, 20)}${'s'.repeat(23)}`),
    ],
    ['without a state', 'start_again', url => url.searchParams.delete('state')],
    ['with two states', 'start_again', url => url.searchParams.append('state', url.searchParams.get('state')!)],
    ['after a no', 'denied', url => deny(url, 'access_denied')],
    ['after an error', 'failed', url => deny(url, 'invalid_scope')],
  ])('%s', async (_, reason, redirect) => {
    issuer.lies = { redirect }
    await expectOut(reason)
  })

  function deny(url: URL, error: string) {
    const { state, iss } = Object.fromEntries(url.searchParams) as { state: string; iss: string }
    url.search = new URLSearchParams({ error, state, iss }).toString()
  }

  test('in a browser in which nobody began to: a login cannot be pushed on somebody else', async () => {
    const mallory = createVisitor()
    const begun = await mallory.open(`${app.url}/login/oidc`)
    const back = (await mallory.open(begun.location!)).location!

    const victim = createVisitor()
    const { last } = await logIn(victim)
    expect(last.url).toBe(`${app.url}/`)
    const before = victim.jar.get([...victim.jar.keys()].find(name => name.startsWith('webimgui_session'))!)
    const pushed = (await victim.follow(back)).at(-1)!

    expect(reasonOf(pushed.url)).toBe('start_again')
    expect([...victim.jar.values()]).toContainEqual(before)
  })

  test('twice with one answer of the issuer', async () => {
    const { visitor, pages } = await logIn()
    const begun = createVisitor()
    for (const line of pages[0]!.setCookies) {
      const [name = '', value = ''] = line.split('; ')[0]!.split(/=(.*)/s)
      begun.jar.set(name, { value, path: '/login' })
    }
    const back = pages[1]!.location!
    issuer.requests.length = 0

    expect(reasonOf((await visitor.follow(back)).at(-1)!.url)).toBe('start_again')
    // Also with the cookie of before: nobody asks the issuer a second time.
    expect(reasonOf((await begun.follow(back)).at(-1)!.url)).toBe('start_again')
    expect(issuer.requests).toEqual([])
  })

  test.each(['', 'v1.00000000.AAAAAAAAAAAAAAAA.AAAA', '"{}"', 'x'.repeat(5000)])('with the cookie %s', async value => {
    const visitor = createVisitor()
    const begun = await visitor.open(`${app.url}/login/oidc`)
    const back = (await visitor.open(begun.location!)).location!
    for (const name of visitor.jar.keys()) visitor.jar.set(name, { value, path: '/login' })
    const answer = await visitor.open(back)

    expect([303, 431]).toContain(answer.status)
    if (answer.location) expect(reasonOf(answer.location)).toBe('start_again')
  })
})

describe('an issuer', () => {
  test('that is down at the start and later stops nothing but the login, and is told on the login page', async () => {
    await issuer.stop()
    await app.restart()
    expect((await app.call('POST', '/api/generate', picture, root)).status).toBe(200)
    const visitor = createVisitor()

    const { last } = await logIn(visitor)
    expect(reasonOf(last.url)).toBe('issuer_down')
    expect(last.text).toContain('does not answer at the moment')
    expect(logLines.join('\n')).toMatch(/"msg":"the issuer of OpenID Connect cannot be used"/)

    await issuer.start()
    await expect.poll(async () => (await logIn()).last.url, { timeout: 60_000, interval: 300 }).toBe(`${app.url}/`)
    expect((await visitor.open(`${app.url}/login`)).text).not.toContain('does not answer')
  })

  test('that fails at the exchange is not down, and not trusted', async () => {
    issuer.lies.tokenStatus = 500

    expect(reasonOf((await logIn()).last.url)).toBe('failed')
  })

  test('whose document names another issuer is not used, and one whose address ends with a slash is', async () => {
    issuer.metadata = { issuer: 'https://evil.example' }
    await app.restart()
    expect(reasonOf((await logIn()).last.url)).toBe('issuer_down')

    issuer.metadata = { issuer: `${issuer.url}/` }
    issuer.lies = { claims: { iss: `${issuer.url}/` }, redirect: url => url.searchParams.set('iss', `${issuer.url}/`) }
    await app.restart()
    expect((await logIn()).last.url).toBe(`${app.url}/`)
    issuer.metadata = {}
    await app.restart()
  })
})
