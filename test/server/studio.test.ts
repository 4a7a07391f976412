import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { Problem } from '../../src/api/problems.ts'
import { startServer } from './harness.ts'

const page = '<!doctype html><head><base href="/" /><script type="module" src="./assets/index-abc.js"></script></head>'
const screens = [
  '/',
  '/index.html',
  '/gallery',
  '/picture/g1',
  '/usage',
  '/configurations',
  '/team',
  '/status',
  '/welcome',
]

/** A built studio with one script. */
function buildStudio() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'webimgui-studio-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(path.join(folder, 'assets'))
  writeFileSync(path.join(folder, 'index.html'), page)
  writeFileSync(path.join(folder, 'assets/index-abc.js'), 'export {}\n')
  writeFileSync(path.join(folder, 'assets/index-abc.js.br'), brotliCompressSync('export {}\n'))
  writeFileSync(path.join(folder, 'assets/event-worker-abc.js'), 'export {}\n')
  mkdirSync(path.join(folder, 'icons'))
  writeFileSync(path.join(folder, 'icons/icon-192.png'), 'png')
  writeFileSync(path.join(folder, 'manifest.webmanifest'), '{}')
  writeFileSync(path.join(folder, 'service-worker.js'), '\n')
  writeFileSync(path.join(folder, 'secret.txt'), 'not to be served')
  return folder
}

test('every screen is the same page, which is never kept and runs its own files alone', async () => {
  const { call } = await startServer({ studioFolder: buildStudio() })

  for (const screen of screens) {
    const answer = await call('GET', screen)
    expect(answer.status, screen).toBe(200)
    expect(await answer.text()).toBe(page)
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
  }
})

test('the worker of all tabs may reach the events, and nothing else', async () => {
  const { call } = await startServer({ studioFolder: buildStudio() })

  const policyOf = async (path: string) => (await call('GET', path)).headers.get('content-security-policy')
  expect(await policyOf('/assets/event-worker-abc.js')).toBe(
    "default-src 'none'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'",
  )
  expect(await policyOf('/assets/index-abc.js')).not.toContain('connect-src')
  expect(await policyOf('/')).toContain("worker-src 'self'")
})

test('what a device needs to install it is open, and is asked for again', async () => {
  const { call } = await startServer({ studioFolder: buildStudio(), environment: { ACCESS_TOKEN: 'correct-horse' } })

  const answers = await Promise.all(
    ['/manifest.webmanifest', '/service-worker.js', '/icons/icon-192.png'].map(async target => {
      const { status, headers } = await call('GET', target)
      return [status, headers.get('content-type'), headers.get('cache-control')]
    }),
  )
  expect(answers).toEqual([
    [200, expect.stringContaining('application/manifest+json'), 'no-cache'],
    [200, expect.stringContaining('javascript'), 'no-cache'],
    [200, 'image/png', 'public, max-age=86400'],
  ])
  const worker = await call('GET', '/service-worker.js')
  expect(worker.headers.get('content-security-policy')).toMatch(/^default-src 'none'; connect-src 'self';/)
  for (const target of ['/icons/nope.png', '/icons/..%2fsecret.txt', '/icons/..%2findex.html']) {
    expect([400, 401, 404], target).toContain((await call('GET', target)).status)
  }
})

test('its files are kept for good, and sent compressed to those who take that', async () => {
  const { call } = await startServer({ studioFolder: buildStudio() })

  const plain = await call('GET', '/assets/index-abc.js', undefined, { 'accept-encoding': 'identity' })
  const small = await call('GET', '/assets/index-abc.js', undefined, { 'accept-encoding': 'br' })

  expect([plain.status, await plain.text()]).toEqual([200, 'export {}\n'])
  expect(plain.headers.get('content-type')).toMatch(/^(text|application)\/javascript/)
  expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect(plain.headers.get('x-content-type-options')).toBe('nosniff')
  expect([small.headers.get('content-encoding'), await small.text()]).toEqual(['br', 'export {}\n'])
})

test('what is no screen says so in the page to people, and in JSON to programs', async () => {
  const { call } = await startServer({ studioFolder: buildStudio() })

  for (const target of [
    '/nope',
    '/keys?from=mail',
    '/gallery/nope',
    '/picture',
    '/secret.txt',
    '/assets/../secret.txt',
  ]) {
    const answer = await call('GET', target, undefined, { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' })
    expect([answer.status, answer.headers.get('content-type')], target).toEqual([404, 'text/html; charset=utf-8'])
    expect(await answer.text()).toBe(page)
    expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'")
    const program = await call('GET', target)
    expect([program.status, program.headers.get('content-type')], target).toEqual([
      404,
      'application/problem+json; charset=utf-8',
    ])
    expect((await call('POST', target, {}, { accept: 'text/html' })).status, target).toBe(404)
  }
})

test('what is missing among the addresses of programs stays a problem', async () => {
  const { call } = await startServer({ studioFolder: buildStudio() })

  for (const target of ['/api/nope', '/api', '/assets/nope.js', '/assets/']) {
    const answer = await call('GET', target, undefined, { accept: 'text/html' })
    expect([answer.status, answer.headers.get('content-type')], target).toEqual([
      404,
      'application/problem+json; charset=utf-8',
    ])
    expect(Problem.parse(await answer.json()).code).toBe('not_found')
    expect(answer.headers.get('cache-control'), target).toBe('no-store')
  }
  for (const target of ['/assets/..%2fsecret.txt', '/assets/%2e%2e%2fsecret.txt', '/assets/%00']) {
    const answer = await call('GET', target)
    expect([400, 404], target).toContain(answer.status)
    expect(Problem.parse(await answer.json()).detail).not.toContain('secret')
  }
  const wrong = await call('POST', '/gallery', {})
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
})

test('knows the path that it is reached under, with and without it in the request', async () => {
  const environment = { PUBLIC_URL: 'https://example.org/images-app/' }
  const { call } = await startServer({ studioFolder: buildStudio(), environment })

  for (const target of ['/images-app/', '/images-app', '/images-app/gallery', '/images-app/picture/g1', '/gallery']) {
    const answer = await call('GET', target)
    expect(answer.status, target).toBe(200)
    expect(await answer.text()).toContain('<base href="/images-app/" />')
  }
  expect((await call('GET', '/images-app/assets/index-abc.js')).status).toBe(200)
})

test('where a token is needed, a browser is led to the login page from every screen', async () => {
  const { call } = await startServer({ studioFolder: buildStudio(), environment: { ACCESS_TOKEN: 'correct-horse' } })

  const visit = (target: string, headers: Record<string, string> = {}) =>
    call('GET', target, undefined, { accept: 'text/html,*/*', ...headers })
  const login = await call('POST', '/api/login', { token: 'correct-horse' })
  const cookie = login.headers.get('set-cookie')!.split(';')[0]!

  for (const screen of [...screens, '/nope']) {
    const stranger = await visit(screen)
    expect([stranger.status, stranger.headers.get('location')], screen).toEqual([303, '/login'])
    expect((await visit(screen, { cookie })).status).toBe(screen === '/nope' ? 404 : 200)
  }
  expect((await visit('/assets/index-abc.js')).status).toBe(401)
  expect((await visit('/assets/index-abc.js', { cookie })).status).toBe(200)
})

test('a server without a built studio says how to build it, and shows it as soon as it is there', async () => {
  const studioFolder = path.join(mkdtempSync(path.join(os.tmpdir(), 'webimgui-studio-')), 'dist')
  onTestFinished(() => rmSync(path.dirname(studioFolder), { recursive: true, force: true }))
  const { call } = await startServer({ studioFolder })

  const before = await call('GET', '/')
  mkdirSync(path.join(studioFolder, 'assets'), { recursive: true })
  writeFileSync(path.join(studioFolder, 'index.html'), page)
  writeFileSync(path.join(studioFolder, 'assets/index-abc.js'), 'export {}\n')

  expect(before.status).toBe(200)
  expect(await before.text()).toContain('npm run build')
  expect(before.headers.get('content-security-policy')).not.toContain('script-src')
  expect(await (await call('GET', '/')).text()).toBe(page)
  expect((await call('GET', '/assets/index-abc.js')).status).toBe(200)
})
