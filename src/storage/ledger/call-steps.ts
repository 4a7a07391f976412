/** The steps of a call: each moves its row forward, and its generation with it where that shows; it returns how that is now. */
import type { KeptAnswer, NewCall, Settlement } from '../calls.ts'
import type { Connection } from '../connection.ts'
import type { BareGeneration } from '../generations.ts'
import { createImageRepository } from '../images.ts'
import type { Charge, GenerationRecord, ImageRecord } from '../records.ts'
import { insertCall, moveCall, moveToConfiguration } from './call-rows.ts'
import { Undone } from './create.ts'
import { addWarning, changeGeneration, goesOn } from './generation-rows.ts'
import { type FixedCaps, shiftReservation } from './reservation.ts'

interface CallStep {
  callId: string
  generationId: string
}

/** From here on the request may have reached the service. `cancelled`: nothing is changed and must be sent, its cancel came before. */
export async function send(
  db: Connection,
  { callId, generationId, at, sentWith }: CallStep & { at: string; sentWith: string | null },
): Promise<BareGeneration | 'cancelled' | undefined> {
  await moveCall(db, callId, 'sending', { sent_at: at, sent_with: sentWith, charge: 'unknown' })
  const changed = await changeGeneration(
    db,
    generationId,
    { status: 'running', waiting: null },
    { startedAt: at, isMaybeCharged: true },
  )
  // Looked at in the transaction: of a cancel and a send, whichever commits first counts.
  if (changed?.cancelRequested) throw new Undone('cancelled')
  return changed
}

/** The service gave a task id. `wasFound`: it was found in its list, and nothing proves that it is this call's own. */
export async function accept(
  db: Connection,
  step: CallStep & { at: string; taskId: string; requestId?: string; wasFound: boolean },
) {
  const isRevived = await moveCall(db, step.callId, 'accepted', {
    task_id: step.taskId,
    accepted_at: step.at,
    provider_request_id: step.requestId ?? null,
    was_found: step.wasFound ? 1 : 0,
  })
  if (isRevived) await changeGeneration(db, step.generationId, goesOn)
}

/** The file that the parts of a stream are being written to; the call stays `sending` until its end. */
export async function stream(
  db: Connection,
  step: { callId: string; file: string; status: number; contentType?: string; requestId?: string },
) {
  await db
    .updateTable('provider_calls')
    .set({
      answer_file: step.file,
      answer_status: step.status,
      answer_type: step.contentType ?? null,
      answer_complete: 0,
      provider_request_id: step.requestId ?? null,
    })
    .where('id', '=', step.callId)
    .execute()
}

export interface AnswerStep extends CallStep {
  at: string
  answer: KeptAnswer
  /** Facts that an answer with pictures gives at once; undefined for one without. */
  paid?: { charge: Charge; revisedPrompt?: string; warning?: GenerationRecord['warnings'][number] }
}

/** The raw answer is stored and not parsed yet. */
export async function answer(
  db: Connection,
  { callId, generationId, at, answer, paid }: AnswerStep,
): Promise<BareGeneration | undefined> {
  const isRevived = await moveCall(db, callId, 'answered', {
    answered_at: at,
    answer_status: answer.status,
    answer_type: answer.contentType ?? null,
    answer_body: answer.body ?? null,
    answer_file: answer.file ?? null,
    answer_complete: answer.complete ? 1 : 0,
    retry_after_ms: answer.retryAfterMs ?? null,
    ...(answer.isProven ? { was_found: 0 } : {}),
    ...(answer.requestId ? { provider_request_id: answer.requestId } : {}),
  })
  if (!paid && !isRevived) return undefined
  const { warning, ...told } = paid ?? {}
  const changed = await changeGeneration(db, generationId, { ...(isRevived && goesOn), ...told })
  return changed && warning ? addWarning(db, changed, warning) : changed
}

/** An answer to a call that was given up: both go on from there. */
export function revive(db: Connection, step: AnswerStep) {
  return answer(db, step)
}

/** An image has its file. Stores one per position, however often it is offered. */
export async function storeImage(
  db: Connection,
  {
    generationId,
    image,
    warning,
  }: { generationId: string; image: ImageRecord; warning?: GenerationRecord['warnings'][number] },
): Promise<BareGeneration | undefined> {
  if (!(await createImageRepository(db).insert(image))) return undefined
  const changed = await changeGeneration(db, generationId, { charge: 'charged' })
  return changed && warning ? addWarning(db, changed, warning) : changed
}

export interface SettleStep {
  callId: string
  at: string
  settlement: Settlement
}

/** Every image that the answer names is stored, or its failure is recorded. */
export async function settle(db: Connection, { callId, at, settlement }: SettleStep) {
  await moveCall(db, callId, 'settled', {
    settled_at: at,
    sent_with: null,
    outcome: settlement.outcome,
    charge: settlement.charge,
    billed_images: settlement.billedImages ?? null,
    error: settlement.error ? JSON.stringify(settlement.error) : null,
    failures: JSON.stringify(settlement.failures ?? []),
  })
}

/** Refused without cost: settled, and the same planned once more as a row of its own. */
export async function repeat(db: Connection, { next, ...settled }: SettleStep & { next: NewCall }) {
  await settle(db, settled)
  await insertCall(db, next)
  const calls = await db
    .selectFrom('provider_calls')
    .select('charge')
    .distinct()
    .where('generation_id', '=', next.generationId)
    .execute()
  const charges = calls.map(({ charge }) => charge)
  const charge = (['charged', 'unknown'] as const).find(charge => charges.includes(charge)) ?? 'none'
  await changeGeneration(db, next.generationId, { charge })
}

export interface MoveStep extends CallStep {
  slot: number
  images: number
  from: string
  to: string
  fixedCaps: FixedCaps
}

/** Another configuration sends it. False when the cap of that one has no room for what it may cost. */
export async function move(db: Connection, { callId, to, ...step }: MoveStep): Promise<boolean> {
  // The row is locked first, so an earlier try of this move has committed or rolled back, and is not made twice.
  if (!(await moveToConfiguration(db, callId, to))) return true
  if (!(await shiftReservation(db, { ...step, to }, step.fixedCaps))) throw new Undone(false)
  if (step.slot === 0) await changeGeneration(db, step.generationId, { configId: to })
  return true
}
