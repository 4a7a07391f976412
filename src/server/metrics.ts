/** `/metrics`: behind the token of an administrator, and at METRICS_ADDRESS without one. */
import { createServer, type Server } from 'node:http'
import type { Services } from '../generation/services.ts'
import type { Settings } from '../settings.ts'
import { findMonth } from '../storage/periods.ts'
import type { Metrics, StateSnapshot } from '../telemetry/metrics.ts'
import type { App } from './route.ts'
import { pathOnly } from './routing.ts'

export function addMetricsRoute(app: App, metrics: Metrics) {
  app.get(
    '/metrics',
    {
      config: {
        access: 'admin',
        answers: { 200: { description: 'The text format of Prometheus', type: 'text/plain' } },
      },
      schema: { tags: ['System'], summary: 'Metrics for Prometheus' },
    },
    async (_request, reply) => {
      const { type, text } = await metrics.render()
      return reply.type(type).send(text)
    },
  )
}

/** Answers `GET /metrics` to whoever reaches the address. @throws when it cannot listen there */
export async function listenForMetrics(
  address: NonNullable<Settings['metricsAddress']>,
  metrics: Metrics,
): Promise<Server> {
  const server = createServer((request, response) => {
    const isOurs = pathOnly(request.url ?? '') === '/metrics'
    if (!isOurs || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(isOurs ? 405 : 404, { allow: 'GET, HEAD' }).end('There is only GET /metrics here.\n')
      return
    }
    metrics.render().then(
      ({ type, text }) => response.writeHead(200, { 'content-type': type }).end(text),
      () => response.writeHead(503).end('The state of the server cannot be read.\n'),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(address.port, address.host, resolve)
  })
  return server
}

export async function readState({ status, configurations, pool, usage }: Services): Promise<StateSnapshot> {
  const { database, storage, queue } = await status()
  // A database that fails must not take the other metrics away.
  const spent = await usage.report(findMonth(new Date().toISOString()), 'model').catch(() => [])
  const left = await usage.forAll().catch(() => undefined)
  const all = await configurations.list().catch(() => [])
  return {
    database: database.state === 'ok',
    storage: storage.state === 'ok',
    freeBytes: storage.freeBytes,
    queued: queue.queued,
    running: queue.running,
    stuck: queue.waiting.length,
    configurations: all.map(configuration => ({
      name: configuration.name,
      provider: configuration.provider,
      address: new URL(configurations.addressOf(configuration)).host,
      ...pool.stateOf(configuration),
    })),
    spent: spent.flatMap(({ key, currency, amount }) => (currency === null ? [] : [{ model: key, currency, amount }])),
    left: left && { amount: left.left, images: left.leftImages },
  }
}
