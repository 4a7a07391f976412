/**
 * Traces of OpenTelemetry, made of what the observer is told: a span for each generation, and in it one for each step of the ledger,
 * each exchange with a service, each picture that is fetched, and the thumbnails. Attributes hold ids, counts, and names that the
 * program or its operator chose: no prompt, key, token, address or file name.
 */
import { type Attributes, ROOT_CONTEXT, type Span, type SpanContext, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Logger } from 'pino'
import type { TraceSettings } from '../settings.ts'
import type { Observer } from './observer.ts'

/** Requests whose answer is still being made. */
const maxRequests = 10_000
/** Ended generations that late news may still be told of. */
const maxOver = 1_000
/** A stop waits so long for a collector. */
const farewellMs = 2_000

export interface Traces extends Observer {
  /** A request begins; `traceparent` as W3C Trace Context has it. */
  received(requestId: string, traceparent: string | undefined): void
  /** The `traceresponse` of the generation that the request began; undefined where it began none. */
  responseFor(requestId: string): string | undefined
  answered(requestId: string): void
  close(): Promise<void>
}

interface Open {
  span: Span
  calls: string[]
}

export function createTraces(settings: TraceSettings, { version, log }: { version: string; log: Logger }): Traces {
  const exporter = new OTLPTraceExporter({ url: settings.url, headers: settings.headers, timeoutMillis: 5_000 })
  const processor = new BatchSpanProcessor({
    exporter: tellOnce(exporter, log),
    maxQueueSize: 4_096,
    scheduledDelayMillis: settings.delayMs,
    exportTimeoutMillis: 10_000,
  })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': settings.serviceName, 'service.version': version }),
    sampler: createSampler(settings),
    spanProcessors: [processor],
  })
  const tracer = provider.getTracer('webimgui', version)
  const generations = new Map<string, Open>()
  /** Those that ended last: a step that was committed together with the end may be told after it. */
  const over = new Map<string, Span>()
  const generationOf = new Map<string, string>()
  const requests = new Map<string, { parent: SpanContext | undefined; begun?: SpanContext }>()

  /** After a restart its beginning stands in another trace. */
  function find(generationId: string, began: number): Open {
    const known = generations.get(generationId)
    if (known) return known
    return begin(generationId, began, undefined, { 'webimgui.resumed': true })
  }

  function begin(id: string, began: number, parent: SpanContext | undefined, attributes: Attributes) {
    const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT
    const about = { 'webimgui.generation': id, ...attributes }
    const open: Open = {
      span: tracer.startSpan('generation', { startTime: began, attributes: about }, context),
      calls: [],
    }
    generations.set(id, open)
    return open
  }

  function child(
    generationId: string | undefined,
    name: string,
    began: number,
    attributes: Attributes,
    failure?: string,
  ) {
    if (generationId === undefined) return
    const parent = over.get(generationId) ?? find(generationId, began).span
    const span = tracer.startSpan(name, { startTime: began, attributes }, trace.setSpan(ROOT_CONTEXT, parent))
    if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure })
    span.end()
  }

  function close(id: string, { span, calls }: Open) {
    span.end()
    generations.delete(id)
    over.set(id, span)
    const [oldest] = over.keys()
    if (over.size > maxOver && oldest !== undefined) over.delete(oldest)
    for (const call of calls) generationOf.delete(call)
  }

  return {
    received(requestId, traceparent) {
      if (requests.size < maxRequests) requests.set(requestId, { parent: parseTraceparent(traceparent) })
    },
    responseFor(requestId) {
      const begun = requests.get(requestId)?.begun
      if (!begun) return undefined
      return `00-${begun.traceId}-${begun.spanId}-${begun.traceFlags.toString(16).padStart(2, '0')}`
    },
    answered: requestId => void requests.delete(requestId),

    stepped({ name, generationId, callId, calls, created, began: at, isMade }) {
      const id = generationId ?? generationOf.get(callId ?? '')
      const began = toEpoch(at)
      if (created && id !== undefined && isMade) {
        const request = created.requestId === null ? undefined : requests.get(created.requestId)
        const { provider, model } = created
        const open = begin(id, began, request?.parent, { 'webimgui.provider': provider, 'webimgui.model': model })
        if (request) request.begun = open.span.spanContext()
      }
      // A step of no generation in particular, or one that was refused before there was one.
      if (id === undefined || (created && !isMade)) return
      if (!generations.has(id) && !stepsOfRunning.has(name)) return
      if (name === 'revive') over.delete(id)
      const open = over.has(id) ? undefined : find(id, began)
      for (const call of open ? calls : []) {
        generationOf.set(call, id)
        open?.calls.push(call)
      }
      const attributes = callId === undefined ? {} : { 'webimgui.call': callId }
      child(id, `ledger ${name}`, began, attributes, isMade ? undefined : 'not made')
    },
    exchanged({ generationId, provider, model, kind, seconds, code }) {
      const attributes = { 'webimgui.provider': provider, 'webimgui.model': model, 'webimgui.code': code }
      const began = toEpoch(performance.now() - seconds * 1000)
      child(generationId, kind === 'poll' ? 'upstream poll' : 'upstream request', began, attributes, failureOf(code))
    },
    fetched({ generationId, seconds, bytes, code }) {
      const attributes = { 'webimgui.bytes': bytes, 'webimgui.code': code }
      child(generationId, 'download', toEpoch(performance.now() - seconds * 1000), attributes, failureOf(code))
    },
    settled() {},
    ended({ id, status, charge, images, failures, error }) {
      const open = generations.get(id)
      if (!open) return
      open.span.setAttributes({
        'webimgui.status': status,
        'webimgui.charge': charge,
        'webimgui.images': images.length,
        'webimgui.failures': failures.length,
        ...(error ? { 'webimgui.code': error.code } : {}),
      })
      if (status === 'failed') open.span.setStatus({ code: SpanStatusCode.ERROR, message: error?.code ?? 'failed' })
      close(id, open)
    },
    delivered() {},
    thumbnailsMade({ seconds, count, isMade }) {
      // They are made after the end, often for several generations in a row, so they are a trace of their own.
      const startTime = toEpoch(performance.now() - seconds * 1000)
      const span = tracer.startSpan(
        'thumbnails',
        { startTime, attributes: { 'webimgui.thumbnails': count } },
        ROOT_CONTEXT,
      )
      if (!isMade) span.setStatus({ code: SpanStatusCode.ERROR, message: 'not made' })
      span.end()
    },
    async close() {
      for (const [id, open] of generations) {
        // It goes on after the next start.
        open.span.setAttribute('webimgui.interrupted', true)
        close(id, open)
      }
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, farewellMs)
      await Promise.race([provider.shutdown().catch(() => {}), promise])
      clearTimeout(timer)
    },
  }
}

/** Steps of a generation that runs; the others are of what people do with ended ones. */
const stepsOfRunning: ReadonlySet<string> = new Set([
  ...['create', 'send', 'accept', 'stream', 'answer', 'storeImage', 'settle', 'repeat', 'move', 'finish', 'revive'],
])

function failureOf(code: string) {
  return code === 'ok' ? undefined : code
}

/** From the clock of `performance.now()` to milliseconds since 1970. */
function toEpoch(time: number) {
  return performance.timeOrigin + time
}

/** W3C Trace Context, version 00 and what later ones have in common with it. */
function parseTraceparent(text: string | undefined): SpanContext | undefined {
  const parts = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/.exec(text ?? '')
  if (!parts || (parts[1] === '00' && parts[5] !== undefined)) return undefined
  return { traceId: parts[2]!, spanId: parts[3]!, traceFlags: Number.parseInt(parts[4]!, 16) & 1, isRemote: true }
}

function createSampler({ sampler, ratio }: TraceSettings): Sampler {
  const roots: Record<string, () => Sampler> = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(ratio),
  }
  const root = roots[sampler.replace('parentbased_', '')]!()
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root
}

/** A collector that is away is told of once, and once more when it is back. */
function tellOnce(exporter: SpanExporter, log: Logger): SpanExporter {
  let isAway = false
  return {
    export: (spans: ReadableSpan[], done) =>
      exporter.export(spans, result => {
        const hasFailed = result.code !== 0
        if (hasFailed && !isAway)
          log.warn({ err: result.error }, 'traces cannot be sent; they are dropped until they can')
        if (!hasFailed && isAway) log.info('traces are sent again')
        isAway = hasFailed
        done({ code: 0 })
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  }
}
