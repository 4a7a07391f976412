/** What a person asks for over HTTP, and the exact request that the service gets: every model, every mode. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { JsonValue } from '../../src/catalogue/model.ts'
import type { LoggedRequest } from '../../src/simulators/exchange.ts'
import { type Answer, openApp, type TestApp } from '../support/app.ts'
import { dataUri, png } from '../support/pictures.ts'
import { doubaoCases } from './doubao.cases.ts'
import { qwenCases } from './qwen.cases.ts'

/** Retired models, endpoints of others and ids of another region: what is sent is right, though the simulator refuses it. */
const mayBeRefused = /seedream-3-0|seededit|^ep-|^seedream|^dola-|seedream-5\.0|seedream-5-0-pro$|^wan2\.1-t2i/

let app: TestApp
let opaque: string[]
let transparent: string[]

beforeAll(async () => {
  // What is sent is looked at here, and what comes of it elsewhere: nobody has to draw it.
  app = await openApp({ urlLifetimeSeconds: 0 })
  // Different ones, so that a mix-up of their order would be seen.
  const colors = Array.from({ length: 14 }, (_, index) => `hsl(${index * 25}, 60%, 50%)`)
  opaque = await Promise.all(colors.map(async color => dataUri(await png(512, 512, { color }))))
  transparent = [dataUri(await png(512, 512, { transparent: true }))]
})
afterAll(() => app.close())
beforeEach(() => {
  app.doubao.reset()
  // What is sent is the same where they live on.
  for (const id of ['doubao-seedream-5-0-260128', 'doubao-seedream-4-5-251128', 'doubao-seedream-4-0-250828']) {
    app.doubao.retire(id, '')
  }
  app.qwen.reset()
})

describe('Doubao', () => {
  test.each(doubaoCases)('$name', async ({ request, body, calls, transparent: isTransparent }) => {
    const references = (isTransparent ? transparent : opaque).slice(0, request.references)
    const answer = await app.call('POST', '/api/generate', { ...wanted(request), images: references })

    expectMade(answer, request.model)
    const sent = app.doubao.requests.filter(({ method }) => method === 'POST')
    expect(sent).toHaveLength(calls ?? 1)
    for (const one of sent) {
      expect(one.path).toBe('/api/v3/images/generations')
      expect(one.headers['content-type']).toBe('application/json')
      expect(one.headers['x-client-request-id']).toMatch(/^[0-9a-f-]{36}$/)
      expect(one.keyName).not.toBeNull()
      expectBody(one, body, references)
    }
  })
})

describe('Qwen and Wan', () => {
  const paths = {
    MM: '/api/v1/services/aigc/multimodal-generation/generation',
    IG: '/api/v1/services/aigc/image-generation/generation',
    T2I: '/api/v1/services/aigc/text2image/image-synthesis',
    I2I: '/api/v1/services/aigc/image2image/image-synthesis',
  }

  test.each(qwenCases)('$name', async ({ request, route, body }) => {
    const references = opaque.slice(0, request.references)
    const answer = await app.call('POST', '/api/generate', { ...wanted(request), images: references })

    expectMade(answer, request.model)
    const sent = app.qwen.requests.filter(({ method }) => method === 'POST')
    expect(sent).toHaveLength(1)
    const [one] = sent as [LoggedRequest]
    expect(one.path).toBe(paths[route])
    expect(one.headers['content-type']).toBe('application/json')
    expect(one.headers['x-dashscope-async']).toBe(route === 'MM' ? undefined : 'enable')
    expect(one.keyName).not.toBeNull()
    expectBody(one, body, references)
  })
})

function wanted({ model, prompt, parameters }: { model: string; prompt: string; parameters: object }) {
  return { model, prompt, parameters, ...(model.startsWith('ep-') ? { provider: 'doubao' } : {}) }
}

/** The service took it, and gave the addresses of pictures. */
function expectMade({ body }: Answer, model: string) {
  if (mayBeRefused.test(model)) return
  expect([body.code, body.detail]).toEqual(['storage_failed', expect.stringContaining('its address has expired')])
}

function expectBody(request: LoggedRequest, expected: JsonValue, references: string[]) {
  const seen: number[] = []
  const written = withPlaces(request.body as JsonValue, references, seen)
  expect(written).toEqual(expected)
}

/** Puts `{ $reference: i }` where the picture of reference `i` stands. */
function withPlaces(value: JsonValue, references: string[], seen: number[]): JsonValue {
  if (typeof value === 'string' && value.startsWith('data:')) {
    const index = references.indexOf(value)
    seen.push(index)
    return { $reference: index }
  }
  if (Array.isArray(value)) return value.map(item => withPlaces(item, references, seen))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withPlaces(item, references, seen)]))
}
