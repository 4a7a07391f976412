/** Chooses the configuration of a call: waits for a place with one, and moves the call there if it was planned for another. */
import type { Lease } from '../../coordination/pool.ts'
import { AllSuspended } from '../../errors.ts'
import { credentialsOrSettle } from './credentials.ts'
import { plainError } from './errors.ts'
import { type OpenCall, throwIfStopping } from './open.ts'
import { drop, settleCall } from './settle-call.ts'
import { retryUntilStored } from './until-stored.ts'

/** Undefined when there is none: the call has ended. */
export async function acquireLease(call: OpenCall): Promise<Lease | undefined> {
  const { pool, stopping } = call.parts
  const placement = describePlacement(call)
  const signal = AbortSignal.any([call.generation.cancelled, stopping])
  for (;;) {
    const lease = await retryUntilStored(call, 'find a configuration to send with', () => pool.enter(placement, signal))
    if (lease === undefined) {
      throwIfStopping(call)
      return void (await drop(call))
    }
    if (lease === 'none') return void (await endWithoutConfiguration(call))
    let isTaken = false
    try {
      isTaken = !(await isStillRefused(call, lease)) && (await moveTo(call, lease.configId))
    } finally {
      if (!isTaken) lease.release()
    }
    if (isTaken) return lease
    placement.excluded.add(lease.configId)
  }
}

/** Which configurations earlier attempts used, and which refused it for good. */
export function describePlacement({ record, earlier, generation }: OpenCall) {
  const tried = new Set<string>()
  const excluded = new Set<string>()
  for (const { configId, error } of earlier) {
    tried.add(configId)
    if (error?.concerns) excluded.add(configId)
  }
  return { call: record, owner: generation.ownerId, askedAt: generation.timestamp, tried, excluded }
}

/** A free test is preferred to a trial request. */
async function isStillRefused(call: OpenCall, { configId, isTrial }: Lease): Promise<boolean> {
  if (!isTrial) return false
  const { configurations } = call.parts
  return retryUntilStored(call, 'test a configuration that was refused', async () => {
    const suspension = (await configurations.list()).find(({ id }) => id === configId)?.suspension
    return suspension?.code === 'provider_key_rejected' && (await configurations.isKeyStillRefused(configId))
  })
}

/** Moves the reservation to the cap of another configuration; false when that has no room. */
async function moveTo(call: OpenCall, configId: string): Promise<boolean> {
  const { parts, record, generation } = call
  if (configId === record.configId) return true
  const { id: callId, generationId, slot, images, configId: from } = record
  const { fixedCaps } = parts.budget
  const step = { callId, generationId, slot, images, from, to: configId, fixedCaps }
  const isMoved = await retryUntilStored(call, 'move a call to another configuration', () =>
    parts.store.ledger.move(step),
  )
  if (!isMoved) return false
  call.record = { ...record, configId }
  if (slot === 0) generation.configId = configId
  return true
}

async function endWithoutConfiguration(call: OpenCall) {
  const { record, earlier, parts } = call
  const refusal = earlier.findLast(({ error }) => error?.concerns)?.error
  if (refusal) return settleCall(call, { outcome: 'refused', charge: 'none', error: refusal })
  const own = (await parts.configurations.list()).find(({ id }) => id === record.configId)
  if (!own?.suspension) return void (await credentialsOrSettle(call))
  const { message, providerCode, providerMessage, retryAfterMs } = new AllSuspended(own.suspension)
  const error = { ...plainError(own.suspension.code, message), providerCode, providerMessage, retryAfterMs }
  await settleCall(call, { outcome: 'dropped', charge: 'none', error })
}
