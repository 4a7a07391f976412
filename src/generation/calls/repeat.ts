/** Nothing was made: the call is sent again, with the same or another configuration, or it is refused. */
import { randomUUID } from 'node:crypto'
import { maxAttempts, maxRetryAfterMs } from '../../coordination/pauses.ts'
import type { PlacementRequest } from '../../coordination/pool.ts'
import type { ProviderFailure } from '../../outgoing/failure.ts'
import { toPlanned } from '../../storage/calls.ts'
import type { FailureRecord } from '../../storage/records.ts'
import { toErrorRecord } from './errors.ts'
import { type OpenCall, reached, withoutBody } from './open.ts'
import { describePlacement } from './placement.ts'
import { settleCall, toSettled } from './settle-call.ts'
import { retryUntilStored } from './until-stored.ts'

/** Sends the call again: at once with a configuration that was not asked yet, or after a pause. */
export async function repeatOrRefuse(call: OpenCall, failure: ProviderFailure) {
  const { record, generation } = call
  const { pauses, pool } = call.parts
  const isRateLimit = failure.code === 'rate_limited'
  const placement = describePlacement(call)
  const tried = placement.tried.add(record.configId)
  const repeats = record.attempt - tried.size
  const asked = pauses.scaled(failure.retryAfterMs ?? 0)
  const pauseMs = Math.max(asked, pauses.repeat(repeats + 1, isRateLimit))
  // A single answer that names a day must not hold back everything else for a day.
  if (isRateLimit) pool.rest(record.configId, Math.min(pauseMs, pauses.scaled(maxRetryAfterMs)))
  if (generation.cancelled.aborted || wasRepeatedEnough(call, failure)) return endRefused(call, failure)
  if (await isThereAnother(call, placement)) return planAgain(call, failure, isRateLimit ? 0 : pauseMs)
  const isTooLong = (failure.retryAfterMs ?? 0) > maxRetryAfterMs
  if (repeats >= maxAttempts - 1 || isTooLong) return endRefused(call, failure)
  return planAgain(call, failure, pauseMs)
}

/** Refuses the call for good. Where the reason is the key and not the request, another configuration may still make it. */
export async function refuse(call: OpenCall, given: ProviderFailure, failures: FailureRecord[] = []) {
  const { pool, configurations } = call.parts
  const failure = given.isModelUnknown ? await explainUnknownModel(call, given) : given
  const { configId, model, sentAt } = call.record
  if (failure.concerns === 'configuration') {
    const sentMs = Date.parse(sentAt ?? '') || Date.now()
    await retryUntilStored(call, 'suspend a configuration', () => configurations.suspend(configId, failure, sentMs))
    call.log.error({ configuration: configId, code: failure.code }, 'a service refused the configuration')
  } else if (failure.concerns === 'model') pool.avoid(configId, model)
  if (failure.concerns && !call.generation.cancelled.aborted) {
    const placement = describePlacement(call)
    placement.tried.add(configId)
    placement.excluded.add(configId)
    if (await isThereAnother(call, placement)) return planAgain(call, failure, 0)
  }
  return endRefused(call, failure, failures)
}

/** Whatever configuration it was sent with. */
function wasRepeatedEnough({ earlier }: OpenCall, { code, maxRepeats }: ProviderFailure): boolean {
  return maxRepeats !== undefined && earlier.filter(({ error }) => error?.code === code).length >= maxRepeats
}

async function explainUnknownModel(call: OpenCall, failure: ProviderFailure): Promise<ProviderFailure> {
  const { explainUnknownModel, stopping } = call.parts
  try {
    return await explainUnknownModel(call.record, failure, AbortSignal.any([call.generation.cancelled, stopping]))
  } catch (error) {
    call.log.warn({ err: error }, 'nothing more could be found out about a model that the service does not know')
    return failure
  }
}

function isThereAnother(call: OpenCall, placement: PlacementRequest) {
  return retryUntilStored(call, 'look for another configuration', () => call.parts.pool.isThereAnother(placement))
}

/** The same call once more, as a row of its own. */
async function planAgain(call: OpenCall, failure: ProviderFailure, pauseMs: number) {
  const { parts, record } = call
  const notBefore = new Date(Date.now() + pauseMs).toISOString()
  const next = toPlanned({ ...record, id: randomUUID(), attempt: record.attempt + 1, notBefore })
  const settlement = { outcome: 'repeated', charge: 'none', error: toErrorRecord(failure) } as const
  const step = { callId: record.id, at: new Date().toISOString(), settlement, next }
  await retryUntilStored(call, 'note that a call is repeated', () => parts.store.ledger.repeat(step))
  if (pauseMs > 0) {
    const message = `${failure.message} Nothing was charged; it is sent again automatically at ${notBefore.slice(11, 19)} (UTC).`
    const values = { detail: failure.message, at: notBefore }
    await parts.waiting.note(record.generationId, { code: 'sent_again', message, values }, { isBounded: true })
  }
  await reached(call, 'repeat-written')
  call.log.warn(
    { code: failure.code, attempt: record.attempt, pause_ms: Math.round(pauseMs) },
    'refused without a picture; it will be sent again',
  )
  parts.underWay.delete(record.id)
  call.earlier.push(toSettled(record, settlement))
  call.record = withoutBody(next)
}

async function endRefused(call: OpenCall, failure: ProviderFailure, failures: FailureRecord[] = []) {
  // Prefer the error of a configuration with a valid key.
  const said = failure.concerns === 'configuration' ? call.earlier : []
  const telling = said.find(({ error }) => error?.concerns === 'model')?.error
  await settleCall(call, { outcome: 'refused', charge: 'none', error: telling ?? toErrorRecord(failure), failures })
}
