/** How a call is settled. The last one of a generation is settled together with the end of that. */
import type { CallRecord, Settlement } from '../../storage/calls.ts'
import type { FinishStep } from '../../storage/ledger/generation-steps.ts'
import { composeEnd } from '../finish.ts'
import { plainError } from './errors.ts'
import { type OpenCall, reached, withoutBody } from './open.ts'
import { retryUntilStored } from './until-stored.ts'

export async function settleCall(call: OpenCall, settlement: Settlement) {
  const { parts, generation, record } = call
  const { outcome, charge, error } = settlement
  await reached(call, 'before-settled')
  const settled = toSettled(record, settlement)
  const step = { callId: record.id, at: new Date().toISOString(), settlement }
  const isLast = generation.calls.every(other => other === call || other.record.state === 'settled')
  if (isLast) await reached(call, 'before-finish')
  let finishing: FinishStep | undefined
  await retryUntilStored(call, 'note how a call ended', async () => {
    if (!isLast) return parts.store.ledger.settle(step)
    const records = generation.calls.map(other => (other === call ? settled : other.record))
    finishing ??= { ...(await composeEnd(parts, generation, records)), last: step }
    generation.ended = await parts.store.ledger.finish(finishing)
    parts.collector.forget(finishing.images)
  })
  call.record = settled
  parts.observer.settled(settled)
  await reached(call, 'settled')
  const { providerRequestId } = record
  call.log.info(
    { outcome, charge, code: error?.code, provider_code: error?.providerCode, provider_request_id: providerRequestId },
    'call settled',
  )
}

/** Settles a call before it was sent. */
export async function drop(call: OpenCall) {
  const message = 'Cancelled before it was sent; nothing was charged.'
  await settleCall(call, { outcome: 'dropped', charge: 'none', error: plainError('cancelled', message) })
}

export function toSettled(record: CallRecord, { outcome, charge, billedImages, error, failures }: Settlement) {
  return {
    ...withoutBody(record),
    state: 'settled',
    sentWith: null,
    answer: null,
    outcome,
    charge,
    billedImages: billedImages ?? null,
    error: error ?? null,
    failures: failures ?? [],
  } satisfies CallRecord
}
