import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { problemCodes } from '../../src/api/problems.ts'
import { errorTable } from '../../src/server/errors/codes.ts'
import { startServer } from './harness.ts'

interface Description {
  openapi: string
  servers: { url: string }[]
  paths: Record<
    string,
    Record<
      string,
      {
        operationId: string
        parameters?: { in: string; name: string }[]
        requestBody?: { content: Record<string, unknown> }
        responses: Record<
          string,
          { description: string; content?: Record<string, unknown>; headers?: Record<string, unknown> }
        >
      }
    >
  >
  webhooks: {
    event: {
      post: { parameters: { name: string }[]; requestBody: { content: Record<string, { schema: { $ref: string } }> } }
    }
  }
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
    '/api/providers': ['get'],
    '/api/history': ['delete', 'get'],
    '/api/history/count': ['get'],
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
    '/metrics': ['get'],
    '/ready': ['get'],
    '/api/status': ['get'],
    '/api/tokens': ['get', 'post'],
    '/api/tokens/{id}': ['delete', 'patch'],
    '/api/webhooks': ['get', 'post'],
    '/api/webhooks/{id}': ['delete', 'patch'],
    '/api/webhooks/{id}/secret': ['post'],
    '/api/webhooks/{id}/test': ['post'],
    '/api/webhooks/{id}/deliveries': ['get'],
    '/api/webhooks/{id}/deliveries/{delivery}/resend': ['post'],
    '/api/imports': ['get', 'post'],
    '/api/imports/{id}': ['get', 'patch'],
    '/api/imports/{id}/report': ['get'],
    '/api/imports/folder': ['get'],
    '/api/imports/upload': ['post'],
    '/api/export': ['get', 'post'],
    '/api/me': ['get'],
    '/api/usage': ['get'],
    '/api/users': ['get'],
    '/api/users/{id}': ['patch'],
    '/api/users/{id}/sessions': ['delete'],
    '/api/status/errors': ['get'],
    '/api/images/archive': ['post'],
    '/api/login': ['post'],
    '/api/logout': ['post'],
    '/v1/models': ['get'],
    '/v1/models/{id}': ['get'],
    '/v1/images/generations': ['post'],
    '/v1/images/edits': ['post'],
    '/v1/images/variations': ['post'],
    '/v1/images/tasks/{id}': ['delete', 'get'],
    '/v1/images/tasks/{id}/cancel': ['post'],
    '/v1/chat/completions': ['post'],
  })
  for (const [path, operations] of Object.entries(paths)) {
    const errorType = path.startsWith('/v1/') ? 'application/json' : 'application/problem+json'
    for (const { responses } of Object.values(operations)) {
      expect(Object.keys(responses.default?.content ?? {})).toEqual([errorType])
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

test('what clients may send and get changes on purpose alone', async () => {
  const { paths } = await describe()

  const lines = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { parameters = [], requestBody, responses }]) => [
      [method.toUpperCase(), path, ...Object.keys(requestBody?.content ?? {})].join(' '),
      ...parameters.map(parameter => `  takes ${parameter.in} ${parameter.name}`),
      ...Object.entries(responses).map(([status, { description, content = {}, headers = {} }]) => {
        const codes = [...description.matchAll(/^- `(\w+)`/gm)].map(([, code]) => code)
        const types = codes.length > 0 ? codes : Object.keys(content)
        return ['  answers', status, ...types, ...Object.keys(headers).map(name => `[${name}]`)].join(' ')
      }),
    ]),
  )

  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('operations.txt')
})

test('is a valid set of JSON Schemas, and every operation has a name of its own', async () => {
  const { components, paths } = await describe()

  const text = JSON.stringify(components).replaceAll('"#/components', '"api#/components')
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: 'api', components: JSON.parse(text).components ?? JSON.parse(text) })
  for (const name of Object.keys(components.schemas)) {
    expect(() => ajv.compile({ $ref: `api#/components/schemas/${name}` }), name).not.toThrow()
  }
  const names = Object.values(paths).flatMap(operations =>
    Object.values(operations).map(operation => operation.operationId),
  )
  expect(new Set(names).size).toBe(names.length)
  expect(names).toEqual(expect.arrayContaining(['postApiGenerate', 'getApiHistoryId', 'headImagesId']))
})

const anywhere = ['bad_request', 'method_not_allowed', 'headers_too_large', 'internal_error', 'shutting_down']

test('tells what a webhook is sent', async () => {
  const { components, webhooks } = await describe()
  const { post } = webhooks.event

  expect(post.requestBody.content['application/json']?.schema.$ref).toBe('#/components/schemas/WebhookEvent')
  expect(JSON.stringify(components.schemas.WebhookEvent)).toContain('generation.partially_succeeded')
  expect(post.parameters.map(({ name }) => name)).toEqual(['webhook-id', 'webhook-timestamp', 'webhook-signature'])
})

test('every code of a problem stands somewhere, under its status and with its meaning', async () => {
  const { paths } = await describe()

  const answers = Object.values(paths).flatMap(operations =>
    Object.values(operations).map(({ responses }) => responses),
  )
  for (const code of problemCodes.filter(code => code !== 'uri_too_long')) {
    const status = anywhere.includes(code) ? 'default' : errorTable[code].status
    const described = answers.map(responses => responses[status]?.description ?? '')
    expect(
      described.some(text => new RegExp(`^- \`${code}\`: \\w+`, 'm').test(text)),
      code,
    ).toBe(true)
  }
})

test('what the server refuses is described where it refuses it', async () => {
  const { call } = await startServer()
  const { paths } = (await (await call('GET', '/openapi.json')).json()) as Description
  const refusals: [string, string, string, unknown?, Record<string, string>?][] = [
    ['POST', '/api/generate', '/api/generate', { prompt: 1 }],
    ['POST', '/api/generate', '/api/generate', { prompt: 'x' }, { 'content-type': 'text/plain' }],
    ['POST', '/api/generate', '/api/generate', { prompt: 'x' }, { origin: 'https://evil.example' }],
    ['GET', '/api/history/nope', '/api/history/{id}'],
    ['GET', '/api/history?limit=x', '/api/history'],
    ['GET', '/images/i1', '/images/{id}', undefined, { range: 'bytes=99-' }],
    ['POST', '/api/images', '/api/images', {}],
    ['POST', '/api/config', '/api/config', {}],
    ['POST', '/api/config', '/api/config', { name: 'x'.repeat(1024 * 1024) }],
    ['GET', '/api/usage?group=x', '/api/usage'],
    ['DELETE', '/api/tokens/t1', '/api/tokens/{id}', undefined, { origin: 'https://evil.example' }],
  ]
  for (const [method, target, path, body, headers] of refusals) {
    const { status } = await call(method, target, body, headers)
    expect(status, target).toBeGreaterThanOrEqual(400)
    const { responses } = paths[path]![method.toLowerCase()]!
    expect(Object.keys(responses), `${method} ${target} is ${status}`).toContain(String(status))
  }
})

test('describes what is no JSON: ranges, downloads, events, tables and headers', async () => {
  const { paths } = await describe()

  const image = paths['/images/{id}']!.get!
  expect(image.parameters?.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['id', 'download', 'recipe', 'range', 'if-none-match']),
  )
  expect(Object.keys(image.responses)).toEqual(expect.arrayContaining(['200', '206', '304', '416']))
  expect(paths['/api/events']!.get!.parameters).toMatchObject([{ in: 'header', name: 'last-event-id' }])
  expect(paths['/api/images/archive']!.post!.responses[200]?.content).toHaveProperty('application/zip')
  expect(Object.keys(paths['/api/usage']!.get!.responses[200]?.content ?? {})).toEqual(['application/json', 'text/csv'])
  expect(paths['/api/generate']!.post!.responses[202]?.headers).toHaveProperty('Location')
  expect(paths['/api/generate']!.post!.responses[429]?.headers).toHaveProperty('Retry-After')
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
    expect(errorTable[code].status).toBeGreaterThanOrEqual(400)
    expect(errorTable[code].status).toBeLessThan(600)
  }
  expect(errorTable.provider_key_rejected.status).toBe(502)
})
