/** What the process knows of a generation that it runs, and of each of its calls. One process runs it, so nothing is read back. */
import type { Logger } from 'pino'
import type { ConfigurationRegistry } from '../../configurations/configurations.ts'
import type { Notifier } from '../../coordination/events.ts'
import type { Failpoint, Reached } from '../../coordination/failpoints.ts'
import type { Pauses } from '../../coordination/pauses.ts'
import type { PollRates } from '../../coordination/polling.ts'
import type { Pool } from '../../coordination/pool.ts'
import type { Reason, Waiting } from '../../coordination/waiting.ts'
import { type Collector, placeImage } from '../../images/collect.ts'
import type { Budget } from '../../members/budget.ts'
import type { Prices } from '../../offers/prices.ts'
import type { ExplainUnknownModel } from '../../offers/unknown-model.ts'
import type { OutgoingHttp } from '../../outgoing/http.ts'
import type { Parsed, Provider } from '../../providers/provider.ts'
import type { Catalogue } from '../../providers/registry.ts'
import type { Answers } from '../../storage/answers.ts'
import type { CallRecord } from '../../storage/calls.ts'
import type { Files } from '../../storage/files/folder.ts'
import type { BareGeneration, Surroundings } from '../../storage/generations.ts'
import type { Finished } from '../../storage/ledger/generation-steps.ts'
import type { FailureRecord, GenerationRecord, ImageRecord, JsonObject } from '../../storage/records.ts'
import type { Store } from '../../storage/store.ts'
import type { Observer } from '../../telemetry/observer.ts'

export interface CallParts {
  store: Store
  files: Files
  answers: Answers
  http: OutgoingHttp
  configurations: ConfigurationRegistry
  collector: Collector
  notifier: Notifier
  pauses: Pauses
  pollRates: PollRates
  waiting: Waiting
  reached: Reached
  observer: Observer
  log: Logger
  /** The pool, where paid requests wait for their turn. */
  pool: Pool
  budget: Budget
  catalogue: Catalogue
  prices: Prices
  explainUnknownModel: ExplainUnknownModel
  /** Ids of calls that this process has sent and still waits for; others without an answer are in doubt. */
  underWay: Set<string>
  /** Aborts waits and polls when the process stops; what is being sent goes on. */
  stopping: AbortSignal
  /** Aborts also what is being sent. */
  ending: AbortSignal
}

export interface OpenGeneration
  extends Pick<
    GenerationRecord,
    'id' | 'ownerId' | 'timestamp' | 'requestId' | 'provider' | 'model' | 'configId' | 'references'
  > {
  resolved: JsonObject
  /** Stored so far. */
  images: ImageRecord[]
  /** Their files are stored, their rows are written with the end. */
  keptForEnd: ImageRecord[]
  calls: OpenCall[]
  cancelled: AbortSignal
  /** Set when its end is written. */
  ended: Finished | undefined
}

export interface OpenCall {
  parts: CallParts
  generation: OpenGeneration
  /** The row of the call. The body is read when its turn has come, because thousands may wait. */
  record: CallRecord
  /** Earlier attempts of this call, which were refused without a picture. */
  earlier: CallRecord[]
  log: Logger
  /** The answer that was just kept; after a restart it is read from where it is kept. */
  understood: Parsed | undefined
  /** Its whole answer is known, and names one picture. */
  isForOne: boolean
  /** By their index: each picture is collected once, however often the answer is parsed. */
  collecting: Map<number, Promise<FailureRecord | undefined>>
  /** The last reported reason why it is not progressing. */
  noted: Reason | null
}

/** Thrown on shutdown: stops without changing any row, and the next start resumes from there. */
export class Stopped extends Error {
  override name = 'Stopped'
}

/** `records`: every attempt of every slot, in order. */
export function openGeneration(
  parts: CallParts,
  generation: GenerationRecord,
  records: CallRecord[],
  cancelled: AbortSignal,
): OpenGeneration {
  const { id, ownerId, timestamp, requestId, provider, model, configId, references, images } = generation
  const resolved = generation.resolved ?? {}
  const open: OpenGeneration = {
    id,
    ownerId,
    timestamp,
    requestId,
    provider,
    model,
    configId,
    references,
    resolved,
    images: [...images],
    keptForEnd: [],
    calls: [],
    cancelled,
    ended: undefined,
  }
  const log = parts.log.child({ generation: id, request_id: requestId })
  for (const attempts of Map.groupBy(records, record => record.slot).values()) {
    const latest = attempts.at(-1)!
    open.calls.push({
      parts,
      generation: open,
      record: latest.state === 'planned' ? withoutBody(latest) : latest,
      earlier: attempts.slice(0, -1).map(withoutBody),
      log: log.child({ call: latest.id, provider: latest.provider, model: latest.model }),
      understood: undefined,
      isForOne: false,
      collecting: new Map(),
      noted: null,
    })
  }
  return open
}

/** `latest`: of each slot, where it is not as in the open call. */
export function describeAround(
  { calls, images, references }: OpenGeneration,
  latest: readonly CallRecord[] = calls.map(call => call.record),
): Surroundings {
  const attempts = calls.flatMap(({ earlier }, index) => [...earlier, latest[index]!])
  const isOpen = latest.some(({ state }) => state !== 'settled')
  // Without those that certainly cost nothing, and only while it is unfinished.
  const counted = isOpen ? attempts.filter(({ state, charge }) => state !== 'settled' || charge !== 'none') : []
  const unsent = counted.filter(({ state }) => state === 'planned').length
  return {
    images: [...images],
    references,
    providerRequestIds: attempts.map(call => call.providerRequestId).filter(id => id !== null),
    calls: { unsent, sent: counted.length - unsent },
  }
}

/** Tells followers how it is now. Without `changed` they look for themselves. */
export function publish({ notifier }: CallParts, generation: OpenGeneration, changed: BareGeneration | undefined) {
  notifier.notify(generation.id, changed && { ...changed, ...describeAround(generation) })
}

export function withoutBody(record: CallRecord): CallRecord {
  return { ...record, body: {} }
}

export function findProvider({ parts, record }: OpenCall): Provider {
  return parts.catalogue.provider(record.provider)
}

/** Position of a picture of the call in the generation. */
export function findPosition({ record, generation }: OpenCall, index: number) {
  const planned = generation.calls.reduce((sum, call) => sum + call.record.images, 0)
  return placeImage(record, planned, index)
}

export function reached({ parts, generation }: OpenCall, point: Failpoint) {
  return parts.reached(point, generation.id)
}

/** `began`: as `performance.now()` had it; `code`: of the error, or `ok`. */
export function observeExchange(
  { parts, record: { provider, model, generationId } }: OpenCall,
  kind: 'request' | 'poll',
  began: number,
  code: string,
) {
  parts.observer.exchanged({ generationId, provider, model, kind, seconds: (performance.now() - began) / 1000, code })
}

export function throwIfStopping({ parts }: OpenCall) {
  if (parts.stopping.aborted) throw new Stopped()
}
