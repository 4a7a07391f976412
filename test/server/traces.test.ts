/** Traces of OpenTelemetry, as a collector receives them over OTLP/HTTP. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { png } from '../support/pictures.ts'

const token = 'the-token-of-the-server'
const admin = { authorization: `Bearer ${token}` }
const prompt = 'a-prompt-that-nobody-else-should-read'
const body = { prompt, model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }
const parentTrace = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${parentTrace}-b7ad6b7169203331-01`

interface SpanJson {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  startTimeUnixNano: string
  endTimeUnixNano: string
  status: { code?: number; message?: string }
  attributes: { key: string; value: Record<string, unknown> }[]
}

/** A collector: OTLP/HTTP with JSON. */
async function startCollector(status = 200) {
  const posts: { path: string; headers: Record<string, unknown>; text: string }[] = []
  const server = createServer(async (request, response) => {
    const pieces = await request.toArray()
    posts.push({ path: request.url ?? '', headers: request.headers, text: Buffer.concat(pieces).toString() })
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const spans = () =>
    posts.flatMap(({ text }) =>
      JSON.parse(text).resourceSpans.flatMap((resource: { scopeSpans: { spans: SpanJson[] }[] }) =>
        resource.scopeSpans.flatMap(scope => scope.spans),
      ),
    ) as SpanJson[]
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, posts, spans }
}

function startTraced(endpoint: string, more: { environment?: Record<string, string>; logLines?: string[] } = {}) {
  const { environment, ...options } = more
  const traced = {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20planted%20collector%20key',
    OTEL_SERVICE_NAME: 'pictures',
    OTEL_BSP_SCHEDULE_DELAY: '1',
  }
  return startApp({ environment: { ACCESS_TOKEN: token, ...traced, ...environment }, thumbnailsAfterMs: 0, ...options })
}

function attributesOf(span: SpanJson | undefined) {
  return Object.fromEntries((span?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]))
}

const find = (spans: SpanJson[], name: string) => spans.filter(span => span.name === name)

test('a generation is one trace: it goes on with that of its client, and tells each step, exchange, download and thumbnail', async () => {
  const collector = await startCollector()
  const app = await startTraced(collector.url)

  const answer = await app.call('POST', '/api/generate', body, { ...admin, traceparent })

  await expect.poll(() => find(collector.spans(), 'generation').length).toBe(1)
  await expect.poll(() => find(collector.spans(), 'thumbnails').length).toBe(1)
  const spans = collector.spans()
  const [generation] = find(spans, 'generation')
  expect(answer.headers.get('traceresponse')).toBe(`00-${parentTrace}-${generation!.spanId}-01`)
  expect(generation).toMatchObject({ traceId: parentTrace, parentSpanId: 'b7ad6b7169203331' })
  expect(attributesOf(generation)).toMatchObject({
    ...{ 'webimgui.generation': answer.body.id, 'webimgui.provider': 'doubao', 'webimgui.model': body.model },
    ...{ 'webimgui.status': 'succeeded', 'webimgui.charge': 'charged' },
  })
  const children = spans.filter(span => span.parentSpanId === generation!.spanId)
  const names = children.map(({ name }) => name)
  expect(names).toEqual(
    expect.arrayContaining([
      ...['ledger create', 'ledger send', 'upstream request', 'ledger answer', 'download'],
      'ledger finish',
    ]),
  )
  // In the order in which they happened, inside of their generation.
  const order = children.toSorted((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)))
  const steps = order.map(({ name }) => name).filter(name => name.startsWith('ledger '))
  expect(steps).toEqual(['ledger create', 'ledger send', 'ledger answer', 'ledger finish'])
  expect(collector.posts[0]).toMatchObject({ path: '/v1/traces', headers: { 'x-key': 'a planted collector key' } })
  expect(collector.posts[0]!.text).toContain('"pictures"')
})

test('nothing of what people wrote or keep secret is in a trace', async () => {
  const collector = await startCollector()
  const app = await startTraced(collector.url)
  const { body: member } = await app.call('POST', '/api/tokens', { name: 'a-planted-token-name' }, admin)
  const form = new FormData()
  const members = {
    prompt,
    model: body.model,
    images: new File([new Uint8Array(await png(300, 300))], 'planted-file.png'),
  }
  for (const [name, value] of Object.entries(members)) form.append(name, value)
  const own = { authorization: `Bearer ${member.token}` }

  await fetch(`${app.url}/api/generate`, { method: 'POST', body: form, headers: own })
  app.doubao.misbehave({ kind: 'all-refused' })
  await app.call(
    'POST',
    '/api/generate',
    { ...body, prompt: `${prompt} again` },
    { ...own, tracestate: 'planted=state' },
  )

  await expect.poll(() => find(collector.spans(), 'generation').length).toBe(2)
  const all = collector.posts.map(({ text }) => text).join('\n')
  const addresses = collector
    .spans()
    .flatMap(span => Object.values(attributesOf(span)))
    .filter(value => /https?:/.test(String(value)))
  for (const planted of [prompt, token, member.token, 'planted', app.environment.DOUBAO_API_KEY!, app.dataDir]) {
    expect(all, planted).not.toContain(planted)
  }
  expect(addresses).toEqual([])
  expect(
    find(collector.spans(), 'generation')
      .map(span => span.status.code ?? 0)
      .sort(),
  ).toEqual([0, 2])
})

test('what goes on after a restart is a trace that says so', async () => {
  const collector = await startCollector()
  const app = await startTraced(collector.url)
  app.qwen.holdTasks('PENDING')
  const task = { prompt, model: 'wan2.7-image', parameters: { size: '768x768' } }
  const { body: begun } = await app.call('POST', '/api/generate', task, { ...admin, prefer: 'respond-async' })
  await expect.poll(() => app.qwen.tasks().length).toBe(1)
  await app.restart()
  app.qwen.releaseTasks()

  await expect.poll(() => find(collector.spans(), 'generation').length).toBe(2)
  const [first, second] = find(collector.spans(), 'generation').map(attributesOf)
  expect(first).toMatchObject({ 'webimgui.generation': begun.id, 'webimgui.interrupted': true })
  expect(second).toMatchObject({
    'webimgui.generation': begun.id,
    'webimgui.resumed': true,
    'webimgui.status': 'succeeded',
  })
  expect(find(collector.spans(), 'upstream poll').length).toBeGreaterThan(0)
})

test('a collector that is away is told of once, and costs no picture', async () => {
  const logLines: string[] = []
  const app: TestApp = await startTraced('http://127.0.0.1:9', { logLines })

  for (const words of ['one', 'two', 'three']) {
    const { status } = await app.call('POST', '/api/generate', { ...body, prompt: words }, admin)
    expect(status).toBe(200)
  }
  const told = () => logLines.filter(line => line.includes('traces cannot be sent'))
  await expect.poll(told).toHaveLength(1)
  await app.call('POST', '/api/generate', { ...body, prompt: 'four' }, admin)
  await app.stop()

  expect(told()).toHaveLength(1)
  expect(told()[0]).not.toContain('planted')
})

test('the samplers of the specification keep what they say', async () => {
  const collector = await startCollector()
  const off = await startTraced(collector.url, { environment: { OTEL_TRACES_SAMPLER: 'always_off' } })
  const parent = await startTraced(collector.url, {
    environment: { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
  })

  expect((await off.call('POST', '/api/generate', body, admin)).status).toBe(200)
  expect((await parent.call('POST', '/api/generate', body, admin)).status).toBe(200)
  expect((await parent.call('POST', '/api/generate', { ...body, prompt: 'x' }, { ...admin, traceparent })).status).toBe(
    200,
  )

  await expect.poll(() => find(collector.spans(), 'generation').length).toBe(1)
  await off.stop()
  await parent.stop()
  expect(find(collector.spans(), 'generation').map(({ traceId }) => traceId)).toEqual([parentTrace])
})

test('a header that is none begins a trace of its own', async () => {
  const collector = await startCollector()
  const app = await startTraced(collector.url, { environment: { MONTHLY_CAP_IMAGES: '4' } })
  const wrong = [
    '00-0-0-00',
    `ff-${'1'.repeat(32)}-${'1'.repeat(16)}-01`,
    `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
    `${traceparent}-more`,
  ]

  for (const header of wrong) {
    const { status, headers } = await app.call('POST', '/api/generate', body, { ...admin, traceparent: header })
    expect(status).toBe(200)
    expect(headers.get('traceresponse')).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/)
    expect(headers.get('traceresponse')).not.toContain('1'.repeat(16))
  }
  const refused = await app.call('POST', '/api/generate', body, admin)
  expect([refused.status, refused.headers.get('traceresponse')]).toEqual([402, null])
  const other = await app.call('GET', '/api/history', undefined, { ...admin, traceparent })
  expect(other.headers.get('traceresponse')).toBeNull()
})
