import { expect, test } from 'vitest'
import { problemCodes } from '../../src/api/problems.ts'
import { statusOf } from '../../src/server/errors.ts'
import { startServer } from './harness.ts'

interface Description {
  openapi: string
  servers: { url: string }[]
  paths: Record<
    string,
    Record<
      string,
      {
        requestBody?: { content: Record<string, unknown> }
        responses: Record<string, { description: string; content?: Record<string, unknown> }>
      }
    >
  >
  components: {
    schemas: Record<string, { required?: string[]; properties?: Record<string, unknown> }>
    securitySchemes: Record<string, unknown>
  }
}

async function describe(environment: Record<string, string> = {}) {
  const { call } = await startServer({ environment })
  const response = await call('GET', '/openapi.json', undefined, { authorization: 'Bearer a-token' })
  expect(response.status).toBe(200)
  return (await response.json()) as Description
}

test('describes every address with its methods, and every answer', async () => {
  const { openapi, paths } = await describe()

  expect(openapi).toBe('3.1.0')
  const methods = Object.fromEntries(
    Object.entries(paths).map(([path, operations]) => [
      path,
      Object.keys(operations)
        .filter(method => method !== 'head')
        .sort(),
    ]),
  )
  expect(methods).toEqual({
    '/api/generate': ['post'],
    '/api/estimate': ['post'],
    '/api/models': ['get'],
    '/api/history': ['delete', 'get'],
    '/api/history/{id}': ['delete', 'get', 'patch'],
    '/api/history/{id}/cancel': ['post'],
    '/api/history/{id}/events': ['get'],
    '/api/history/{id}/retry': ['post'],
    '/api/events': ['get'],
    '/api/images': ['post'],
    '/images/{id}': ['delete', 'get'],
    '/images/{id}/thumbnail': ['get'],
    '/api/config': ['get', 'post'],
    '/api/config/{id}': ['delete', 'put'],
    '/api/config/test': ['post'],
    '/health': ['get'],
    '/api/status': ['get'],
    '/api/tokens': ['get', 'post'],
    '/api/tokens/{id}': ['delete'],
    '/api/me': ['get'],
    '/api/usage': ['get'],
    '/api/status/errors': ['get'],
    '/api/images/archive': ['post'],
    '/api/login': ['post'],
    '/api/logout': ['post'],
  })
  for (const operations of Object.values(paths)) {
    for (const { responses } of Object.values(operations)) {
      expect(Object.keys(responses.default?.content ?? {})).toEqual(['application/problem+json'])
      expect(Object.keys(responses).some(status => status.startsWith('2'))).toBe(true)
      for (const { description } of Object.values(responses)) expect(description).not.toBe('Default Response')
    }
  }
  expect(Object.keys(paths['/api/generate']!.post!.requestBody!.content)).toEqual([
    'application/json',
    'multipart/form-data',
  ])
  expect(paths['/api/history/{id}/cancel']!.post!.requestBody).toBeUndefined()
})

test('refers to nothing that is missing, and holds nothing that is not referred to', async () => {
  const description = await describe()

  const text = JSON.stringify(description)
  const referred = new Set([...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(match => match[1]))
  expect([...referred].sort()).toEqual(Object.keys(description.components.schemas).sort())
  expect(text).not.toContain('#/$defs/')
  expect(description.components.schemas.Generation?.required).toEqual(
    expect.arrayContaining(['id', 'status', 'image_urls', 'charge', 'failures']),
  )
})

test('knows the prefix and the two ways to show the token', async () => {
  const description = await describe({ PUBLIC_URL: 'https://example.org/app', ACCESS_TOKEN: 'a-token' })

  expect(description.servers).toEqual([{ url: '/app' }])
  expect(Object.keys(description.components.securitySchemes)).toEqual(['token', 'session'])
})

test('the page to read it comes from this server alone', async () => {
  const { call } = await startServer()

  const moved = await call('GET', '/docs')
  const page = await call('GET', '/docs/')
  const html = await page.text()
  const script = await call('GET', '/docs/js/scalar.js')

  expect([moved.status, moved.headers.get('location')]).toEqual([308, '/docs/'])
  expect(page.status).toBe(200)
  const policy = page.headers.get('content-security-policy')
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toMatch(/https?:|unsafe-eval|script-src[^;]*unsafe-inline/)
  expect(html).not.toMatch(/https?:\/\//)
  expect(html).toContain('../openapi.json')
  expect(html).toMatch(/"?telemetry"?: ?false/)
  expect(html).toMatch(/"?withDefaultFonts"?: ?false/)
  expect([script.status, script.headers.get('content-type')]).toEqual([200, 'application/javascript; charset=utf-8'])
  await script.body?.cancel()
})

test('every code has a status of its own kind', () => {
  for (const code of problemCodes) {
    expect(statusOf(code)).toBeGreaterThanOrEqual(400)
    expect(statusOf(code)).toBeLessThan(600)
  }
  expect(statusOf('provider_key_rejected')).toBe(502)
})
