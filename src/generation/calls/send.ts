/** `planned`: waits for its time and its place, notes that it is being sent, and sends it. */
import { maxRetryAfterMs } from '../../coordination/pauses.ts'
import { credentialsOrSettle } from './credentials.ts'
import { exchange } from './exchange.ts'
import { findProvider, type OpenCall, publish, reached, throwIfStopping } from './open.ts'
import { acquireLease } from './placement.ts'
import { processAnswer } from './process-answer.ts'
import { drop } from './settle-call.ts'
import { follow } from './task.ts'
import { note, retryUntilStored, wait } from './until-stored.ts'

export async function send(call: OpenCall) {
  const { parts, generation } = call
  const { configurations, pauses, stopping } = parts
  // No longer than such a pause can be: the clock may have been put back since.
  const ms = Math.min(Date.parse(call.record.notBefore ?? '') - Date.now(), pauses.scaled(maxRetryAfterMs))
  if (ms > 0) await wait(call, ms, generation.cancelled, stopping)
  const lease = await acquireLease(call)
  if (!lease) return
  try {
    await waitUntilStoreIsSound(call)
    throwIfStopping(call)
    if (generation.cancelled.aborted) return await drop(call)
    const context = await credentialsOrSettle(call)
    if (!context) return
    await readBody(call)
    if (!(await noteSending(call, context))) return await drop(call)
    await exchange(call, context)
    if (call.record.state === 'accepted' || (call.understood?.images.length ?? 0) > 0) {
      await retryUntilStored(call, 'note that a configuration works', () =>
        configurations.noteSuccess(call.record.configId, lease.isTrial),
      )
    }
    // The place is held while the task is known to run: the services limit running tasks, not only requests.
    if (call.record.state === 'accepted') await follow(call, lease)
    // A refusal is processed before the next call is sent into the same one.
    if (call.record.state === 'answered' && call.understood?.images.length === 0) await processAnswer(call)
  } finally {
    lease.release()
  }
}

/** No paid request is sent while storage is failing. */
async function waitUntilStoreIsSound(call: OpenCall) {
  const { collector, pauses, stopping } = call.parts
  const { cancelled } = call.generation
  for (let tries = 1; !cancelled.aborted && !stopping.aborted; tries++) {
    const trouble = await collector.storeTrouble()
    if (trouble === undefined) return
    const message = `Nothing is sent while pictures cannot be stored: ${trouble} Trying again.`
    await note(call, { code: 'nothing_can_be_stored', message, values: { detail: trouble } })
    await wait(call, pauses.storing(tries), cancelled, stopping)
  }
}

async function readBody(call: OpenCall) {
  const { id } = call.record
  const body = await retryUntilStored(call, 'read the ledger', () => call.parts.store.calls.body(id))
  if (!body) throw new Error(`call ${id} is missing from the ledger`)
  call.record = { ...call.record, body }
}

/** False when it was cancelled first, so it must not be sent. */
async function noteSending(call: OpenCall, context: { apiKey: string; baseUrl: string }) {
  const { parts, generation, record } = call
  const at = new Date().toISOString()
  // A task may have to be polled after its configuration got another key.
  const sentWith = findProvider(call).poll ? parts.configurations.sealSent(record.id, context) : null
  await reached(call, 'before-sending')
  parts.underWay.add(record.id)
  const step = { callId: record.id, generationId: generation.id, at, sentWith }
  const changed = await retryUntilStored(call, 'note that a request is being sent', () => parts.store.ledger.send(step))
  if (changed === 'cancelled') return false
  call.record = { ...record, state: 'sending', sentAt: at, sentWith, charge: 'unknown' }
  await parts.waiting.note(generation.id, null)
  publish(parts, generation, changed)
  await reached(call, 'sending-written')
  return true
}
