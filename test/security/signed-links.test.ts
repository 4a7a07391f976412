/** Signed links: each opens one picture without a token, for a time, and nothing else. */
import { expect, test, vi } from 'vitest'
import { baseFor, createSignedLinks } from '../../src/server/access/signed-links.ts'
import { loadSettings } from '../../src/settings.ts'
import { startApp } from '../support/app.ts'
import { createDatabase } from '../support/postgres.ts'

const token = 'the-token-of-the-server'
const admin = { authorization: `Bearer ${token}` }
const picture = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }

async function startClosed() {
  const app = await startApp({ environment: { ACCESS_TOKEN: token, PORT: '0' } })
  const make = async () => {
    const { body } = await app.call('POST', '/api/generate', picture, admin)
    return body.images[0].url as string
  }
  const linksWith = (environment: Record<string, string> = {}) =>
    createSignedLinks(loadSettings({ ...app.environment, ...environment }))
  return { app, make, linksWith }
}

test('a signed link opens its picture without a token, also in part, and is private to its client for as long as it lives', async () => {
  const { app, make, linksWith } = await startClosed()
  const url = await make()
  const link = linksWith({ IMAGE_LINK_HOURS: '2' }).link(url, app.url, null)

  const whole = await fetch(link)
  const part = await fetch(link, { headers: { range: 'bytes=0-9' } })
  const head = await fetch(link, { method: 'HEAD' })
  const again = await fetch(link, { headers: { 'if-none-match': whole.headers.get('etag')! } })

  expect((await app.call('GET', url)).status).toBe(401)
  expect([whole.status, part.status, head.status, again.status]).toEqual([200, 206, 200, 304])
  expect(whole.headers.get('content-type')).toMatch(/^image\//)
  expect((await part.arrayBuffer()).byteLength).toBe(10)
  expect(head.headers.get('content-length')).toBe(String((await whole.arrayBuffer()).byteLength))
  for (const { headers } of [whole, part, head, again]) {
    const seconds = Number(/^private, max-age=(\d+), immutable$/.exec(headers.get('cache-control')!)?.[1])
    expect(seconds).toBeGreaterThan(7000)
    expect(seconds).toBeLessThanOrEqual(7200)
  }
  expect((await fetch(linksWith().link(`${url}/thumbnail`, app.url, null))).headers.get('content-type')).toBe(
    'image/webp',
  )
})

test('a signed link opens nothing else, and nothing once it is changed', async () => {
  const { app, make, linksWith } = await startClosed()
  const [url, other] = [await make(), await make()]
  const link = linksWith().link(url, app.url, null)
  const query = new URL(link).search
  const ask = async (address: string, method = 'GET') => (await fetch(address, { method })).status
  const later = link.replace(/expires=(\d+)/, (_, seconds) => `expires=${Number(seconds) + 60}`)

  expect(await ask(app.url + other + query)).toBe(401)
  expect(await ask(`${app.url}${url}/thumbnail${query}`)).toBe(401)
  expect(await ask(`${app.url}/api/history${query}`)).toBe(401)
  expect(await ask(`${app.url}/images/none${query}`)).toBe(401)
  expect(await ask(link, 'DELETE')).toBe(401)
  expect(await ask(`${link}&recipe`)).toBe(401)
  expect(await ask(`${link}&download`)).toBe(200)
  expect(await ask(later)).toBe(401)
  expect(await ask(`${link.slice(0, -1)}${link.endsWith('A') ? 'Q' : 'A'}`)).toBe(401)
  expect(await ask(`${link}&expires=9999999999`)).toBe(401)
  expect(await ask(linksWith({ ACCESS_TOKEN: 'another-token-of-the-server' }).link(url, app.url, null))).toBe(401)
  expect(await ask(linksWith({ SECRET_KEY: 'another-secret-of-the-server' }).link(url, app.url, null))).toBe(401)
})

test('an expired link says so, and a deleted picture is gone', async () => {
  const { app, make, linksWith } = await startClosed()
  const url = await make()
  const link = linksWith({ IMAGE_LINK_HOURS: '1' }).link(url, app.url, null)

  vi.setSystemTime(Date.now() + 3601_000)
  const expired = await app.call('GET', link.slice(app.url.length))
  vi.useRealTimers()
  await app.call('DELETE', '/api/history', undefined, admin)

  expect(expired.status).toBe(401)
  expect(expired.body.detail).toContain('This link has expired')
  expect((await fetch(link)).status).toBe(404)
})

test('where no token is needed addresses stay as they are', async () => {
  const app = await startApp()

  const settings = loadSettings(app.environment)
  const base = baseFor(settings, { headers: { host: new URL(app.url).host } })

  expect(createSignedLinks(settings).link('/images/a', base, null)).toBe(`${app.url}/images/a`)
})

test.each(['sqlite', 'postgresql'])('on %s the links that a token was given end with it, at once', async kind => {
  const database = kind === 'postgresql' ? { DATABASE_URL: await createDatabase() } : {}
  const app = await startApp({ environment: { ACCESS_TOKEN: token, ...database } })
  const make = async () => (await app.call('POST', '/api/tokens', { name: 'a script' }, admin)).body
  const [one, other] = [await make(), await make()]
  const ask = async (bearer: string) => {
    const own = { authorization: `Bearer ${bearer}` }
    const body = { prompt: 'a boat', model: picture.model, size: '960x960', response_format: 'url' }
    return (await app.call('POST', '/v1/images/generations', body, own)).body.data[0].url as string
  }
  const [gone, kept, ofServer] = [await ask(one.token), await ask(other.token), await ask(token)]
  const states = () => Promise.all([gone, kept, ofServer].map(async link => (await fetch(link)).status))
  // Nobody can take a link for another's.
  const owned = (link: string) => new URL(link).searchParams.get('signature')!.slice(0, -43)
  expect([owned(gone), owned(kept), owned(ofServer)]).toEqual([one.id, other.id, ''])
  expect((await fetch(gone.replace(one.id, other.id))).status).toBe(401)
  expect((await fetch(gone.replace(one.id, ''))).status).toBe(401)
  expect(await states()).toEqual([200, 200, 200])

  await app.call('DELETE', `/api/tokens/${one.id}`, undefined, admin)

  expect(await states()).toEqual([401, 200, 200])
  const told = await app.call('GET', gone.slice(app.url.length))
  expect(told.body.detail).toMatch(/token that made it was revoked/)
})
