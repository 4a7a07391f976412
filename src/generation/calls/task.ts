/** `accepted`: a task of the service is known, and polled until it ends. */
import { choosePause, type PollShare } from '../../coordination/polling.ts'
import type { Lease } from '../../coordination/pool.ts'
import { resultLifeMs } from '../../images/collect.ts'
import type { Polled, RawAnswer } from '../../providers/provider.ts'
import { findCredentials, type Unusable } from './credentials.ts'
import { plainError, toErrorRecord, unknownOutcome } from './errors.ts'
import { keepAnswer } from './keep-answer.ts'
import { findProvider, type OpenCall, reached, throwIfStopping } from './open.ts'
import { poll } from './poll.ts'
import { settleCall } from './settle-call.ts'
import { note, retryUntilStored, wait } from './until-stored.ts'

/** Failed polls in a row before the person is informed. */
const maxQuietTroubles = 4

/** `wasFound`: the service did not tell the id, it stood in its list. */
export async function accept(call: OpenCall, task: { taskId: string; requestId?: string; wasFound?: boolean }) {
  const { parts, generation, record } = call
  const { taskId, requestId, wasFound = false } = task
  const at = new Date().toISOString()
  const step = { callId: record.id, generationId: generation.id, at, taskId, requestId, wasFound }
  await retryUntilStored(call, 'keep the task id', () => parts.store.ledger.accept(step))
  call.record = { ...record, state: 'accepted', taskId, wasFound, providerRequestId: requestId ?? null }
}

export async function follow(call: OpenCall, lease?: Lease) {
  const share = call.parts.pollRates.enter(findProvider(call).maxPollsPerSecond)
  try {
    await pollUntilEnded(call, share, lease)
  } finally {
    share.leave()
  }
}

async function pollUntilEnded(call: OpenCall, share: PollShare, lease?: Lease) {
  const { pauses, stopping } = call.parts
  const { cancelled } = call.generation
  const { route, taskId: firstId } = call.record
  const provider = findProvider(call)
  if (!provider.poll || !firstId) return
  // Counted by this process: a clock that was put forward gives nothing up.
  const beganAt = performance.now()
  let taskId = firstId
  let askedToCancel = false
  let ageMs = 0
  let pauseMs = choosePause(ageMs)
  let troubles = 0
  for (let polls = 0; ; polls++) {
    await wait(call, pauses.poll(pauseMs), stopping, ...(askedToCancel ? [] : [cancelled]))
    ageMs += pauseMs
    throwIfStopping(call)
    // Read anew each time: a key that was refused may have been replaced meanwhile.
    const context = await findCredentials(call, troubles)
    const isOtherKey = !('unusable' in context) && context.isOtherKey
    const task = { id: taskId, route, polls, isOtherKey }
    if (cancelled.aborted && !askedToCancel && !('unusable' in context)) {
      askedToCancel = true
      if (await provider.cancel?.(task, context)) {
        const message = 'Cancelled while it waited at the service; nothing was charged.'
        return settleCall(call, { outcome: 'dropped', charge: 'none', error: plainError('cancelled', message) })
      }
    }
    if (!('unusable' in context)) await share.turn(context)
    throwIfStopping(call)
    await reached(call, 'before-poll')
    const { polled, file } = 'unusable' in context ? explainUnusable(context) : await poll(call, task, context)
    if ('taskId' in polled && polled.taskId !== undefined) taskId = polled.taskId
    if (polled.state === 'ended')
      return call.record.wasFound ? keepFound(call, polled.answer, file) : keepAnswer(call, polled.answer, file)
    if (performance.now() - beganAt > pauses.scaled(resultLifeMs)) return giveUp(call, polled)
    if (polled.state === 'unsure') {
      call.log.warn({ task: task.id, reason: polled.reason }, 'a task could not be polled')
      if (++troubles === maxQuietTroubles) {
        const message = `The service is working on it, but its result cannot be fetched: ${polled.reason} Trying again.`
        await note(call, { code: 'result_out_of_reach', message, values: { detail: polled.reason } })
        // Nobody knows for how long: until then it would stand in the way of what can be sent.
        lease?.release()
      }
    } else if (troubles > 0) {
      troubles = 0
      await note(call, null)
    }
    pauseMs = share.stretch(Math.max(choosePause(ageMs), polled.afterMs ?? 0))
  }
}

function explainUnusable({ unusable }: Unusable): { polled: Polled; file?: undefined } {
  return { polled: { state: 'unsure', afterMs: 30_000, reason: unusable } }
}

async function giveUp(call: OpenCall, { state }: Polled) {
  const what =
    state === 'unsure'
      ? 'The service could not be asked about its task for a day, and has deleted it.'
      : 'The service did not finish its task within a day.'
  await settleCall(call, { outcome: 'unknown', charge: 'unknown', error: toErrorRecord(unknownOutcome(what)) })
}

/** Another program of the account may have asked for it: then its image must not be shown here. */
async function keepFound(call: OpenCall, answer: RawAnswer, file: string | undefined) {
  const isOwn = findProvider(call).isOwnTask?.(answer, call.record)
  if (isOwn !== false) return keepAnswer(call, answer, file, { isProven: isOwn === true })
  const failure = unknownOutcome(
    'The answer of the service was lost, and its only task of that time belongs to another program.',
  )
  await settleCall(call, { outcome: 'unknown', charge: 'unknown', error: toErrorRecord(failure) })
}
