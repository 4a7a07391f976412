/** What belongs to a user, what a user may do, and what takes it away, on both databases. */
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openApp, startApp, type TestApp } from '../support/app.ts'
import { createVisitor, oidcEnvironment, startIssuer, type TestIssuer, type Visitor } from '../support/issuer.ts'
import { createDatabase } from '../support/postgres.ts'
import { runProgram } from '../support/program.ts'
import { filled, routesOf } from '../support/routes.ts'

const picture = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }
const root = { authorization: 'Bearer the-token-of-the-server' }

let issuer: TestIssuer

beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.stop())
beforeEach(() => {
  issuer.lies = {}
})

interface Person {
  visitor: Visitor
  id: string
  call(method: string, path: string, body?: unknown): ReturnType<Visitor['call']>
}

/** Logs in as somebody in these groups. */
async function enter(app: TestApp, sub: string, ...groups: string[]): Promise<Person> {
  issuer.person = { sub, name: sub, groups }
  const visitor = createVisitor()
  expect((await visitor.follow(`${app.url}/login/oidc`)).at(-1)!.url).toBe(`${app.url}/`)
  const call = (method: string, path: string, body?: unknown) => visitor.call(method, `${app.url}${path}`, body)
  return { visitor, call, id: (await call('GET', '/api/me')).body.user.id }
}

async function makeToken(person: Person, token: Record<string, unknown> = {}) {
  const made = await person.call('POST', '/api/tokens', { name: 'a program', ...token })
  expect(made.status).toBe(201)
  return { id: made.body.id as string, headers: { authorization: `Bearer ${made.body.token}` } }
}

describe.each(['sqlite', 'postgresql'] as const)('%s', kind => {
  let app: TestApp

  beforeAll(async () => {
    const DATABASE_URL = kind === 'postgresql' ? await createDatabase() : undefined
    app = await openApp({ environment: { ...oidcEnvironment(issuer), DATABASE_URL } })
  })
  afterAll(() => app.close())

  test('what was made in the session and with tokens of a user is one history, which no other member sees', async () => {
    const ann = await enter(app, `ann-${kind}`, 'painters')
    const bob = await enter(app, `bob-${kind}`, 'painters')
    const max = await enter(app, `max-${kind}`, 'masters')
    const { id: tokenId, headers } = await makeToken(ann)
    const inSession = await ann.call('POST', '/api/generate', picture)
    const byToken = await app.generate(picture, headers)
    const ids = [byToken.id, inSession.body.id]

    expect((await ann.call('GET', '/api/history')).body.items.map(({ id }: { id: string }) => id)).toEqual(ids)
    expect((await app.call('GET', '/api/history', undefined, headers)).body.items).toHaveLength(2)
    expect((await bob.call('GET', '/api/history')).body.items).toEqual([])
    for (const path of [
      `/api/history/${ids[0]}`,
      `/api/history/${ids[1]}`,
      byToken.images[0]!.url,
      inSession.body.images[0].url,
    ])
      expect((await bob.call('GET', path)).status).toBe(404)
    expect((await max.call('GET', `/api/history/${ids[0]}`)).status).toBe(200)

    const byUser = (await max.call('GET', '/api/usage?group=user')).body.items
    expect(byUser.find(({ key }: { key: string }) => key === ann.id)).toMatchObject({ name: `ann-${kind}`, images: 2 })
    const own = (await ann.call('GET', '/api/usage?group=token')).body.items
    expect(own.map(({ name, images }: { name: string; images: number }) => [name, images])).toEqual(
      expect.arrayContaining([
        ['a program', 1],
        [`ann-${kind}`, 1],
      ]),
    )
    const listed = (await max.call('GET', '/api/users')).body.items.find(({ id }: { id: string }) => id === ann.id)
    expect(listed).toMatchObject({ role: 'member', state: 'active', tokens: 1, month: { images: 2, calls: 2 } })
    expect((await bob.call('DELETE', `/api/tokens/${tokenId}`)).status).toBe(404)
    expect((await bob.call('PATCH', `/api/tokens/${tokenId}`, { name: 'mine' })).status).toBe(404)
    expect((await bob.call('PATCH', `/api/tokens/${tokenId}`, {})).status).toBe(404)
    expect((await ann.call('DELETE', `/api/tokens/${tokenId}`)).status).toBe(204)
    expect((await app.call('GET', '/api/history', undefined, headers)).status).toBe(401)
    expect((await ann.call('GET', '/api/history')).body.items).toHaveLength(2)
  })

  test('the cap of a user holds for sessions and tokens together, however many requests come at once', async () => {
    const ann = await enter(app, `capped-${kind}`, 'painters')
    const { headers } = await makeToken(ann)
    const narrow = await makeToken(ann, { monthly_images: 1 })
    await app.call('PATCH', `/api/users/${ann.id}`, { monthly_images: 3 }, root)

    const first = await app.call('POST', '/api/generate', picture, narrow.headers)
    const again = await app.call('POST', '/api/generate', picture, narrow.headers)
    expect([first.status, again.status]).toEqual([200, 402])
    expect(again.body.budget).toMatchObject({ scope: 'token', left_images: 0 })
    const answers = await Promise.all([
      ...[1, 2, 3].map(() => app.call('POST', '/api/generate', picture, headers)),
      ...[1, 2, 3].map(() => ann.call('POST', '/api/generate', picture)),
    ])
    expect(answers.map(({ status }) => status).filter(status => status < 300)).toHaveLength(2)
    const refused = answers.find(({ status }) => status === 402)!
    expect(refused.body.budget).toMatchObject({ scope: 'user', left_images: 0 })
    expect(refused.body.detail).toContain(`the user "capped-${kind}"`)
    expect((await ann.call('GET', '/api/me')).body).toMatchObject({ monthly_images: 3, left_images: 0 })
  })
})

describe('a user', () => {
  let app: TestApp

  beforeAll(async () => {
    app = await openApp({ environment: { ...oidcEnvironment(issuer), REQUESTS_PER_MINUTE: '0' } })
  })
  afterAll(() => app.close())

  test('who is a member reaches nothing that is for administrators, in a session and with a token', async () => {
    const ann = await enter(app, 'ann', 'painters')
    const { headers } = await makeToken(ann)
    const forAdmins = routesOf(app.app.server).filter(({ access }) => access === 'admin')
    expect(forAdmins.length).toBeGreaterThan(7)

    for (const { method, path } of forAdmins) {
      const target = filled(path, () => ann.id)
      const body = method === 'GET' ? undefined : {}
      expect([target, (await ann.call(method, target, body)).status]).toEqual([target, 403])
      expect([target, (await app.call(method, target, body, headers)).status]).toEqual([target, 403])
    }
    // A token cannot make others, nor can a session that it began.
    const byToken = await app.call('POST', '/api/login', { token: headers.authorization.slice(7) })
    const session = { cookie: byToken.headers.get('set-cookie')!.split(';')[0]! }
    for (const given of [headers, session]) {
      expect((await app.call('POST', '/api/tokens', { name: 'another' }, given)).status).toBe(403)
      expect((await app.call('GET', '/api/tokens', undefined, given)).status).toBe(403)
      expect((await app.call('GET', '/api/me', undefined, given)).body).toMatchObject({
        manages_tokens: 'none',
        name: 'ann',
      })
    }
  })

  test('makes tokens within the own limits only, and a limit that comes later holds for them too', async () => {
    const ann = await enter(app, 'limited', 'painters')
    const limits = {
      monthly_cap: { amount: 10, currency: 'CNY' },
      monthly_images: 100,
      models: [picture.model, 'qwen-image'],
    }
    const before = await makeToken(ann, { models: [picture.model, 'wan2.6-t2i'] })
    await app.call('PATCH', `/api/users/${ann.id}`, limits, root)

    const refused = await ann.call('POST', '/api/tokens', {
      ...{ name: 'x', role: 'admin', monthly_cap: { amount: 11, currency: 'CNY' }, monthly_images: 101 },
      models: ['wan2.6-t2i'],
    })
    expect(refused.status).toBe(422)
    expect(refused.body.errors.map(({ path }: { path: string }) => path)).toEqual([
      'role',
      'monthly_cap',
      'monthly_images',
      'models',
    ])
    expect((await ann.call('PATCH', `/api/tokens/${before.id}`, { monthly_images: 101 })).status).toBe(422)
    const me = (await app.call('GET', '/api/me', undefined, before.headers)).body
    expect(me).toMatchObject({ models: [picture.model], monthly_images: 100, left: { amount: 10, currency: 'CNY' } })
    expect((await app.call('POST', '/api/generate', { ...picture, model: 'wan2.6-t2i' }, before.headers)).status).toBe(
      403,
    )
  })

  test('who is disabled loses sessions, tokens and open streams at once, and enabling gives no session back', async () => {
    const ann = await enter(app, 'gone', 'painters')
    const { headers } = await makeToken(ann)
    const stream = await fetch(`${app.url}/api/events`, { headers })
    const ended = stream.text()
    const url = `${app.openai.origin}/hook`
    const own = (await ann.call('POST', '/api/webhooks', { url })).body
    const { id: token_id } = await makeToken(ann)
    const byRoot = (await app.call('POST', '/api/webhooks', { url, token_id }, root)).body
    expect([own.token_id, byRoot.token_id]).toEqual([ann.id, ann.id])

    expect((await app.call('PATCH', `/api/users/${ann.id}`, { disabled: true }, root)).body.state).toBe('disabled')
    await ended
    await app.call('POST', `/api/webhooks/${own.id}/test`, undefined, root)
    const sent = () => app.call('GET', `/api/webhooks/${own.id}/deliveries`, undefined, root)
    await expect.poll(async () => (await sent()).body.items[0].state).toBe('dropped')
    expect((await ann.call('GET', '/api/me')).status).toBe(401)
    expect((await app.call('GET', '/api/me', undefined, headers)).status).toBe(401)
    const back = (await ann.visitor.follow(`${app.url}/login/oidc`)).at(-1)!
    expect(new URL(back.url).searchParams.get('reason')).toBe('disabled')
    await app.restart()
    expect((await app.call('GET', '/api/me', undefined, headers)).status).toBe(401)

    await app.call('PATCH', `/api/users/${ann.id}`, { disabled: false }, root)
    expect((await ann.call('GET', '/api/me')).status).toBe(401)
    expect((await app.call('GET', '/api/me', undefined, headers)).status).toBe(200)
    await enter(app, 'gone', 'painters')
  })

  test('a link ends with the token that it was given to, and with the user', async () => {
    const ann = await enter(app, 'linked', 'painters')
    const [one, other] = [await makeToken(ann), await makeToken(ann)]
    const body = { prompt: 'a boat', model: picture.model, size: '960x960', response_format: 'url' }
    const ask = async ({ headers }: { headers: Record<string, string> }) =>
      (await app.call('POST', '/v1/images/generations', body, headers)).body.data[0].url as string
    const links = [await ask(one), await ask(other)]
    const states = () => Promise.all(links.map(async link => (await fetch(link)).status))
    expect(await states()).toEqual([200, 200])

    await ann.call('DELETE', `/api/tokens/${one.id}`)
    expect(await states()).toEqual([401, 200])
    await app.call('PATCH', `/api/users/${ann.id}`, { disabled: true }, root)
    expect(await states()).toEqual([401, 401])
  })

  test('whose role changed at the issuer has the new one in all sessions and tokens from the next login on', async () => {
    const max = await enter(app, 'max', 'masters')
    const { headers } = await makeToken(max, { own: true, role: 'admin' })
    expect((await app.call('GET', '/api/tokens', undefined, headers)).status).toBe(200)

    const demoted = await enter(app, 'max', 'painters')
    expect(demoted.id).toBe(max.id)
    expect((await max.call('GET', '/api/users')).status).toBe(403)
    expect((await app.call('GET', '/api/tokens', undefined, headers)).status).toBe(403)
    expect((await app.call('GET', '/api/me', undefined, headers)).body.role).toBe('member')

    issuer.person = { sub: 'max', groups: [] }
    const refused = (await createVisitor().follow(`${app.url}/login/oidc`)).at(-1)!
    expect(new URL(refused.url).searchParams.get('reason')).toBe('not_let_in')
    expect((await demoted.call('GET', '/api/me')).status).toBe(401)
    expect((await app.call('GET', '/api/me', undefined, headers)).status).toBe(401)
  })

  test('who logs out is out here and led to the issuer, and a link of another page ends nothing', async () => {
    const ann = await enter(app, 'leaver', 'painters')
    expect((await ann.visitor.open(`${app.url}/login/leave`)).location).toBe(`${app.url}/`)
    expect((await ann.call('GET', '/api/me')).status).toBe(200)

    expect((await ann.call('POST', '/api/logout')).status).toBe(204)
    expect((await ann.call('GET', '/api/me')).status).toBe(401)
    const { location } = await ann.visitor.open(`${app.url}/login/leave`)
    const way = new URL(location!)
    expect(way.origin + way.pathname).toBe(`${issuer.url}/logout`)
    expect(way.searchParams.get('id_token_hint')).toMatch(/^eyJ/)
    expect(way.searchParams.get('post_logout_redirect_uri')).toBe(`${app.url}/login`)
    // Once: what ended the session there is gone.
    expect((await ann.visitor.open(`${app.url}/login/leave`)).location).toBe(`${app.url}/login?reason=left`)
  })

  test('whose sessions an administrator ended logs in again, and no administrator locks out itself', async () => {
    const max = await enter(app, 'chief', 'masters')
    const ann = await enter(app, 'dora', 'painters')
    expect((await max.call('DELETE', `/api/users/${ann.id}/sessions`)).status).toBe(204)
    expect((await ann.call('GET', '/api/me')).status).toBe(401)

    expect((await max.call('PATCH', `/api/users/${max.id}`, { disabled: true })).status).toBe(409)
    expect((await max.call('PATCH', '/api/users/nobody', { disabled: true })).status).toBe(404)
    expect((await max.call('DELETE', '/api/users/nobody/sessions')).status).toBe(404)
    expect((await app.call('POST', '/api/tokens', { name: 'x', own: true }, root)).status).toBe(422)
  })
})

test('behind a proxy and below a path, the way there and back keeps both', async () => {
  const PUBLIC_URL = 'https://images.example.org/studio'
  const app = await startApp({ environment: { ...oidcEnvironment(issuer), PUBLIC_URL, ACCESS_TOKEN: undefined } })
  const inside = `http://127.0.0.1:${(app.app.server.server.address() as AddressInfo).port}`
  const visitor = createVisitor()
  issuer.person = { sub: 'ann', groups: ['painters'] }

  // A loopback address needs a login as well, once people have one.
  expect((await visitor.call('GET', `${inside}/api/me`)).status).toBe(401)
  const page = await visitor.open(`${inside}/studio/login`)
  expect(page.text).toContain(`href="${PUBLIC_URL}/login/oidc?`.replaceAll('&', '&#38;'))
  const begun = await visitor.open(`${inside}/studio/login/oidc?to=/gallery`)
  expect(new URL(begun.location!).searchParams.get('redirect_uri')).toBe(`${PUBLIC_URL}/login/oidc/callback`)
  expect(begun.setCookies[0]).toMatch(/Path=\/studio\/login; HttpOnly; Secure; SameSite=Lax/)
  const { location } = await visitor.open(begun.location!)
  const back = await visitor.open(location!.replace('https://images.example.org', inside))
  expect(back.location).toBe(`${inside}/studio/gallery`)
  const [session] = back.setCookies.filter(line => line.startsWith('webimgui_session'))
  expect(session).toMatch(/Max-Age=86400; Path=\/studio; HttpOnly; Secure; SameSite=Lax/)
})

test('with DISABLE_LOCAL_LOGIN tokens serve programs only, and whoever has the machine gets in by a link, once', async () => {
  const app = await startApp({ environment: oidcEnvironment(issuer) })
  const login = await app.call('POST', '/api/login', { token: 'the-token-of-the-server' })
  const before = { cookie: login.headers.get('set-cookie')!.split(';')[0]! }
  expect((await app.call('GET', '/api/me', undefined, before)).status).toBe(200)
  app.environment.DISABLE_LOCAL_LOGIN = 'true'
  await app.restart()

  expect((await app.call('GET', '/api/me', undefined, before)).status).toBe(401)
  expect((await app.call('GET', '/api/me', undefined, root)).body.role).toBe('admin')
  expect((await app.call('POST', '/api/login', { token: 'the-token-of-the-server' })).body.code).toBe('not_allowed')
  const visitor = createVisitor()
  const page = await visitor.open(`${app.url}/login`)
  expect(page.text).not.toContain('<form')
  const typed = await visitor.follow(`${app.url}/login?token=the-token-of-the-server`)
  expect(typed.at(-1)!.url).toBe(`${app.url}/login?reason=local_off`)

  const { output } = await runProgram('login-link', { dataDir: app.dataDir, environment: app.environment })
  const [, once = ''] = /\/login\?once=(\S+)/.exec(output) ?? []
  expect((await visitor.follow(`${app.url}/login?once=${once}`)).at(-1)!.url).toBe(`${app.url}/`)
  expect((await visitor.call('GET', `${app.url}/api/me`)).body).toMatchObject({ role: 'admin', user: null })
  const another = createVisitor()
  for (const link of [once, `${once.slice(0, -1)}_`, once.replace(/\.\d{10}\./, '.9999999999.'), '', 'x']) {
    const end = (await another.follow(`${app.url}/login?once=${encodeURIComponent(link)}`)).at(-1)!
    expect(end.url).toBe(`${app.url}/login?reason=link_used`)
  }
  await app.restart()
  expect((await another.follow(`${app.url}/login?once=${once}`)).at(-1)!.url).toContain('link_used')
  expect((await visitor.call('GET', `${app.url}/api/me`)).status).toBe(200)
})
