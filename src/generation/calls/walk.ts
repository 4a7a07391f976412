/**
 * Walks one call of the ledger to its end. Every step is committed before the next begins, so the process may die anywhere: after the
 * next start the walk goes on from the state that the row tells (`docs/recovery.md`).
 */
import type { CallState } from '../../storage/tables.ts'
import { recover } from './in-doubt.ts'
import { recoverAnswer } from './keep-answer.ts'
import type { OpenCall } from './open.ts'
import { processAnswer } from './process-answer.ts'
import { send } from './send.ts'
import { follow } from './task.ts'

/** What is done in each state; each moves the call on, or ends it. */
const steps: Record<Exclude<CallState, 'settled'>, (call: OpenCall) => Promise<void>> = {
  /** Nothing was sent: send it. */
  planned: send,
  /** After a restart, or when its answer was lost: the request may have reached the service. */
  sending: recover,
  /** The service gave a task id: ask until it ends. */
  accepted: async call => {
    if (!(await recoverAnswer(call))) await follow(call)
  },
  /** The raw answer is safe: parse it and collect its pictures. */
  answered: processAnswer,
}

/** @throws Stopped */
export async function walk(call: OpenCall) {
  try {
    while (call.record.state !== 'settled') await steps[call.record.state](call)
  } finally {
    call.parts.underWay.delete(call.record.id)
  }
}
