/** Metrics in the text format of Prometheus. Labels are names that the program or its operator chose, never what a request holds. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Observer } from './observer.ts'

export interface Metrics extends Observer {
  /** An HTTP request was answered; `route` is the pattern of its address, such as `/api/history/:id`. */
  answered(request: { method: string; route: string; status: number; seconds: number }): void
  /** @throws whatever reading the state throws */
  render(): Promise<{ type: string; text: string }>
}

/** What is read when somebody asks. */
export interface StateSnapshot {
  database: boolean
  storage: boolean
  freeBytes: number | undefined
  queued: number
  running: number
  /** Unfinished generations that do not progress, and say why. */
  stuck: number
  /** `address`: the host that its requests go to; in the demo that of a simulator on this machine. */
  configurations: { name: string; provider: string; address: string; status: string; running: number }[]
  /** Of this calendar month (UTC). */
  spent: { model: string; currency: string; amount: number }[]
  /** What the caps for everyone leave of this month; null without such a cap. */
  left: { amount: { amount: number; currency: string } | null; images: number | null } | undefined
}

/** Seconds: from an address in memory to a series of 4K pictures. */
const exchangeBuckets = [0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600]
const answerBuckets = [0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120, 600]

/** `version`: of the program. */
export function createMetrics(version: string, read: () => Promise<StateSnapshot>): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name: `webimgui_${name}`, help, labelNames, registers })
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge({ name: `webimgui_${name}`, help, labelNames, registers })
  const histogram = <Label extends string>(name: string, help: string, buckets: number[], ...labelNames: Label[]) =>
    new Histogram({ name: `webimgui_${name}`, help, buckets, labelNames, registers })

  const requests = histogram(
    'http_request_duration_seconds',
    'Requests to this server, until their answer was sent',
    answerBuckets,
    'method',
    'route',
    'status',
  )
  const exchanges = histogram(
    'upstream_duration_seconds',
    'Requests to the services: paid ones, and polls of tasks',
    exchangeBuckets,
    'provider',
    'model',
    'kind',
    'code',
  )
  const calls = counter(
    'calls_total',
    'Requests that can cost money, by what became of them and whether the service charges',
    'provider',
    'model',
    'outcome',
    'charge',
    'code',
  )
  const billed = counter('billed_images_total', 'Pictures that the services say they charge for', 'provider', 'model')
  const generations = counter('generations_total', 'Generations that ended', 'provider', 'model', 'status', 'charge')
  const images = counter('images_total', 'Pictures that were stored', 'provider', 'model')
  const duration = histogram(
    'generation_duration_seconds',
    'Generations, from the request to their end',
    exchangeBuckets,
    'provider',
    'model',
    'status',
  )
  const fetches = histogram('image_fetch_duration_seconds', 'Tries to fetch a picture', exchangeBuckets, 'code')
  const fetchedBytes = counter('image_fetched_bytes_total', 'Bytes of pictures that were fetched')

  const webhooks = counter('webhook_tries_total', 'Tries to deliver a webhook', 'outcome')
  // From zero on, so that `increase` sees the first one.
  for (const outcome of ['delivered', 'repeated', 'given_up']) webhooks.inc({ outcome }, 0)

  gauge('info', 'The version of this server', 'version').set({ version }, 1)
  const database = gauge('database_up', 'Does the database answer?')
  const storage = gauge('storage_up', 'Can pictures be stored?')
  const free = gauge('storage_free_bytes', 'Free space where pictures are stored')
  const unfinished = gauge('unfinished_generations', 'Generations that wait or run', 'state')
  const stuck = gauge('stuck_generations', 'Unfinished generations that do not progress')
  const places = gauge(
    'configuration_running',
    'Paid requests in flight with a configuration',
    'configuration',
    'provider',
    'address',
  )
  const ready = gauge(
    'configuration_ready',
    'Could a configuration take a request now?',
    'configuration',
    'provider',
    'address',
    'status',
  )
  const spent = gauge('spent_this_month', 'Spent or reserved in this calendar month (UTC)', 'model', 'currency')
  const left = gauge('cap_left', 'What the monthly caps for everyone leave, in a currency and in images', 'unit')
  let isFirst = true

  return {
    answered: ({ seconds, ...labels }) => requests.observe(labels, seconds),
    exchanged: ({ seconds, generationId: _, ...labels }) => exchanges.observe(labels, seconds),
    fetched({ seconds, bytes, code }) {
      fetches.observe({ code }, seconds)
      fetchedBytes.inc(bytes)
    },
    settled({ provider, model, outcome, charge, error, billedImages }) {
      calls.inc({ provider, model, outcome: outcome ?? 'unknown', charge, code: error?.code ?? 'ok' })
      if (billedImages) billed.inc({ provider, model }, billedImages)
    },
    ended({ provider, model, status, charge, images: stored, timestamp, finishedAt }) {
      const labels = { provider: provider ?? 'none', model: model ?? 'none' }
      generations.inc({ ...labels, status, charge })
      if (stored.length > 0) images.inc(labels, stored.length)
      const ms = Date.parse(finishedAt ?? '') - Date.parse(timestamp)
      if (ms >= 0) duration.observe({ ...labels, status }, ms / 1000)
    },
    delivered: outcome => webhooks.inc({ outcome }),
    async render() {
      // Watching the event loop costs a little all the time, so it begins with the first who looks.
      if (isFirst) collectDefaultMetrics({ register: registry })
      isFirst = false
      show(await read())
      return { type: registry.contentType, text: await registry.metrics() }
    },
  }

  function show(state: StateSnapshot) {
    database.set(Number(state.database))
    storage.set(Number(state.storage))
    if (state.freeBytes !== undefined) free.set(state.freeBytes)
    unfinished.set({ state: 'queued' }, state.queued)
    unfinished.set({ state: 'running' }, state.running)
    stuck.set(state.stuck)
    // What is gone since the last look must not stand there for ever.
    for (const gauge of [places, ready, spent, left]) gauge.reset()
    for (const { name: configuration, provider, address, status, running } of state.configurations) {
      const labels = { configuration, provider, address }
      places.set(labels, running)
      ready.set({ ...labels, status }, Number(status === 'ready'))
    }
    for (const { model, currency, amount } of state.spent) spent.inc({ model, currency }, amount)
    const { amount, images } = state.left ?? {}
    if (amount) left.set({ unit: amount.currency }, amount.amount)
    if (images != null) left.set({ unit: 'images' }, images)
  }
}
