/** Metrics over HTTP: who may read them, and that they tell what the ledger tells. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { freePort } from '../support/ports.ts'
import { openReceiver } from '../support/receiver.ts'

const admin = { authorization: 'Bearer the-token-of-the-server' }
const picture = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }

function startClosed(environment: Record<string, string> = {}) {
  return startApp({ environment: { ACCESS_TOKEN: 'the-token-of-the-server', ...environment } })
}

async function scrape(app: TestApp) {
  const response = await fetch(`${app.url}/metrics`, { headers: admin })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  return parse(await response.text())
}

/** The text format of Prometheus, https://prometheus.io/docs/instrumenting/exposition_formats/; throws for a line that it does not have. */
function parse(text: string) {
  const samples = new Map<string, number>()
  expect(text.endsWith('\n')).toBe(true)
  for (const line of text.split('\n')) {
    if (line === '' || /^# (HELP|TYPE) [a-zA-Z_:][\w:]* \S/.test(line)) continue
    const [, name, labels = '', value] =
      /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (Na[nN]|[+-]?(?:Inf|[\d.]+(?:e[+-]?\d+)?))$/.exec(
        line,
      ) ?? []
    if (name === undefined) throw new Error(`not a line of the format: ${line}`)
    const sorted = labels.split(/,(?=[a-zA-Z_]\w*=")/).sort()
    const key = labels === '' ? name : `${name}{${sorted.join(',')}}`
    if (samples.has(key)) throw new Error(`told twice: ${line}`)
    samples.set(key, Number(value))
  }
  return samples
}

test('what was made, refused, polled, fetched and spent is counted as the ledger has it', async () => {
  const app = await startClosed({ MONTHLY_CAP: '10 CNY', MONTHLY_CAP_IMAGES: '40' })
  const made = await app.call('POST', '/api/generate', picture, admin)
  await app.call('POST', '/api/generate', { prompt: 'a boat', model: 'wan2.6-t2i' }, admin)
  await app.call('POST', '/api/generate', { ...picture, prompt: '[[output-blocked]]' }, admin)

  const samples = await scrape(app)
  const labels = 'model="doubao-seedream-4-0-20260415",provider="doubao"'
  expect(samples.get(`webimgui_generations_total{charge="charged",${labels},status="succeeded"}`)).toBe(1)
  expect(samples.get(`webimgui_generations_total{charge="none",${labels},status="failed"}`)).toBe(1)
  expect(samples.get(`webimgui_images_total{${labels}}`)).toBe(1)
  expect(samples.get(`webimgui_billed_images_total{${labels}}`)).toBe(1)
  expect(
    samples.get(`webimgui_calls_total{charge="charged",code="ok",${labels.replace(',', ',outcome="made",')}}`),
  ).toBe(1)
  expect(samples.get(`webimgui_upstream_duration_seconds_count{code="ok",kind="request",${labels}}`)).toBe(2)
  expect(
    samples.get('webimgui_upstream_duration_seconds_count{code="ok",kind="poll",model="wan2.6-t2i",provider="qwen"}'),
  ).toBeGreaterThan(0)
  expect(samples.get('webimgui_image_fetch_duration_seconds_count{code="ok"}')).toBe(2)
  expect(samples.get(`webimgui_spent_this_month{currency="CNY",model="${picture.model}"}`)).toBeCloseTo(
    made.body.cost.amount,
  )
  expect(samples.get('webimgui_cap_left{unit="CNY"}')).toBeLessThan(10)
  expect(samples.get('webimgui_cap_left{unit="images"}')).toBe(38)
  expect(samples.get('webimgui_database_up')).toBe(1)
  expect(samples.get('webimgui_unfinished_generations{state="queued"}')).toBe(0)
  expect(
    samples.get('webimgui_http_request_duration_seconds_count{method="POST",route="/api/generate",status="200"}'),
  ).toBe(2)
  expect(samples.get('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0)
  const [name] = [...samples.keys()].filter(
    key => key.startsWith('webimgui_configuration_ready') && key.includes('doubao'),
  )
  expect(name).toContain(`address="${new URL(app.doubao.baseUrl).host}"`)
})

test('no label holds what a client wrote', async () => {
  const app = await startClosed()
  await app.call(
    'POST',
    '/api/generate',
    { ...picture, prompt: 'planted-in-the-prompt', model: 'planted-model' },
    admin,
  )
  await app.call('GET', '/planted/address?planted=1', undefined, admin)
  await app.call('GET', '/api/history/planted-id', undefined, { ...admin, 'x-request-id': 'planted-request' })

  expect([...(await scrape(app)).keys()].join('\n')).not.toContain('planted')
})

test('only administrators see them, and whoever reaches an address of their own', async () => {
  const port = await freePort()
  const app = await startClosed({ METRICS_ADDRESS: `127.0.0.1:${port}` })
  const { body: member } = await app.call('POST', '/api/tokens', { name: 'one' }, admin)

  expect((await app.call('GET', '/metrics')).status).toBe(401)
  expect((await app.call('GET', '/metrics', undefined, { authorization: `Bearer ${member.token}` })).status).toBe(403)
  const open = await fetch(`http://127.0.0.1:${port}/metrics`)
  expect(parse(await open.text()).get('webimgui_storage_up')).toBe(1)
  expect((await fetch(`http://127.0.0.1:${port}/api/history`)).status).toBe(404)
  expect((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST' })).status).toBe(405)
})

test('the dashboard and the alerts ask for metrics and labels that there are', async () => {
  const receiver = await openReceiver()
  onTestFinished(() => receiver.close())
  const app = await startClosed({ MONTHLY_CAP: '10 CNY', MONTHLY_CAP_IMAGES: '40', ALLOWED_HOSTS: receiver.host })
  const webhook = await app.call('POST', '/api/webhooks', { url: receiver.url('/hook') }, admin)
  expect(webhook.status).toBe(201)
  await app.call('POST', '/api/generate', picture, admin)
  await app.call('POST', '/api/generate', { ...picture, prompt: '[[output-blocked]]' }, admin)
  await expect
    .poll(async () => [...(await scrape(app)).keys()].some(key => key.startsWith('webimgui_webhook')))
    .toBe(true)
  const folder = path.join(import.meta.dirname, '../../docs/monitoring')
  const dashboard = JSON.parse(readFileSync(path.join(folder, 'dashboard.json'), 'utf8')) as Dashboard
  const alerts = readFileSync(path.join(folder, 'alerts.yaml'), 'utf8')
  const queries = [
    ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...[...alerts.matchAll(/^ +expr: (.+)$/gm)].map(([, expr = '']) => expr),
  ]

  const labelsOf = new Map<string, Set<string>>([['up', new Set(['job'])]])
  for (const key of (await scrape(app)).keys()) {
    const [name = '', labels = ''] = key.split('{')
    const known = labelsOf.get(name) ?? new Set()
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label)
    labelsOf.set(name, known)
  }
  const strangers = queries.flatMap(query => {
    const metrics = [...query.matchAll(/\b((?:webimgui|nodejs|process)_\w+|up(?=\{))(?:\{([^}]*)\})?/g)]
    const grouped = [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, ?/))
    return metrics.flatMap(([, name = '', matchers = '']) => {
      const known = labelsOf.get(name)
      if (!known) return [name]
      const labels = [...grouped, ...[...matchers.matchAll(/(\w+)(?==|!|~)/g)].map(([, label = '']) => label)]
      return labels.filter(label => !known.has(label)).map(label => `${name}: ${label}`)
    })
  })

  expect(queries.length).toBeGreaterThan(20)
  expect(strangers).toEqual([])
})

interface Dashboard {
  panels: { targets?: { expr: string }[] }[]
}
