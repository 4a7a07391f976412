/** Retries steps that must not be skipped until they are stored, and reports why nothing progresses. */
import type { Reason } from '../../coordination/waiting.ts'
import { LedgerError } from '../../storage/ledger/call-rows.ts'
import { type OpenCall, Stopped } from './open.ts'

/**
 * Retries a step while the disk is full or the database locked. Whatever it writes is decided before, so that a
 * step whose commit was not confirmed is the same when it is made again.
 */
export async function retryUntilStored<T>(call: OpenCall, what: string, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      const result = await work()
      if (tries > 1) await note(call, null)
      return result
    } catch (error) {
      if (error instanceof LedgerError) throw error
      call.log.error({ err: error, tries }, `could not ${what}; trying again`)
      const detail = error instanceof Error ? error.message : String(error)
      const message = `The server could not ${what}: ${detail}. Trying again.`
      await note(call, { code: 'not_recorded', message, values: { detail } })
      // Nothing is lost with a call that was not sent; anything later has the time that a stop leaves.
      const { stopping, ending, pauses } = call.parts
      const end = call.record.state === 'planned' ? stopping : ending
      await wait(call, pauses.storing(tries), end)
      if (end.aborted) throw new Stopped()
    }
  }
}

/** Reports why the generation is not progressing; null: it is again. */
export async function note(call: OpenCall, reason: Reason | null) {
  if (reason === null && call.noted === null) return
  if (reason !== null && reason.message !== call.noted?.message)
    call.log.error({ reason: reason.message }, 'a generation waits')
  call.noted = reason
  await call.parts.waiting.note(call.generation.id, reason)
}

/** Ends early, without an error, when one of the signals aborts. */
export async function wait({ parts }: OpenCall, ms: number, ...signals: AbortSignal[]) {
  await parts.pauses.wait(ms, AbortSignal.any(signals)).catch(() => {})
}
