/** Signed links: each opens one picture without a token, for a time, and nothing else. */
import { expect, test, vi } from 'vitest'
import { baseFor, createSignedLinks } from '../../src/server/access/signed-links.ts'
import { loadSettings } from '../../src/settings.ts'
import { startApp } from '../support/app.ts'

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
  const link = linksWith({ IMAGE_LINK_HOURS: '2' }).link(url, app.url)

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
  expect((await fetch(linksWith().link(`${url}/thumbnail`, app.url))).headers.get('content-type')).toBe('image/webp')
})

test('a signed link opens nothing else, and nothing once it is changed', async () => {
  const { app, make, linksWith } = await startClosed()
  const [url, other] = [await make(), await make()]
  const link = linksWith().link(url, app.url)
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
  expect(await ask(linksWith({ ACCESS_TOKEN: 'another-token-of-the-server' }).link(url, app.url))).toBe(401)
  expect(await ask(linksWith({ SECRET_KEY: 'another-secret-of-the-server' }).link(url, app.url))).toBe(401)
})

test('an expired link says so, and a deleted picture is gone', async () => {
  const { app, make, linksWith } = await startClosed()
  const url = await make()
  const link = linksWith({ IMAGE_LINK_HOURS: '1' }).link(url, app.url)

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

  expect(createSignedLinks(settings).link('/images/a', base)).toBe(`${app.url}/images/a`)
})
