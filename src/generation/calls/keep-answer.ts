/**
 * Stores a raw answer before anything is made of it. `keepAnswer` parses it first, in memory, for what the same commit says of the money;
 * whatever that finds, also when it throws, the answer is stored. One answer is not: where `provesNothing` holds and the task of the
 * submit was found all the same (`keepOrAdopt` in `exchange.ts`).
 */
import type { Warning } from '../../catalogue/model.ts'
import type { RawAnswer } from '../../providers/provider.ts'
import type { AnswerStep } from '../../storage/ledger/call-steps.ts'
import { findProvider, type OpenCall, publish, reached } from './open.ts'
import { retryUntilStored } from './until-stored.ts'

/** Answers up to this many characters are kept in the row itself. */
export const largestInRow = 64 * 1024

const notProven: Warning = {
  code: 'task_not_proven',
  parameter: 'prompt',
  message:
    'The answer of the service was lost, and its only task of that time was used for this one. The service does not show what was asked for: if it is not your picture, another program of the account asked for it.',
}

/**
 * Retries until the database takes the answer. Meanwhile a file holds it, so that it outlives this process.
 * @param keptFile the file that holds the answer already
 * @param isProven the answer proves that the task which was found is the call's own
 */
export async function keepAnswer(call: OpenCall, answer: RawAnswer, keptFile?: string, { isProven = false } = {}) {
  const { parts, generation, record } = call
  const { store, answers } = parts
  const { id } = record
  const { body, ...head } = answer
  const isSmall = body.length <= largestInRow
  const paid = describePaid(call, answer, { isDoubtful: record.wasFound && !isProven })
  let file: string | undefined
  let spare: string | undefined
  await reached(call, 'answer-read-before-kept')
  const at = new Date().toISOString()
  const changed = await retryUntilStored(call, 'keep the answer', async () => {
    file = keptFile
    if (!file && !isSmall) {
      file = await answers.write(id, answer)
      await reached(call, 'answer-file-written')
    }
    try {
      // The new owner of the database may not see writes of this process.
      if (isSmall && !keptFile && !store.isOurs()) await answers.write(id, answer)
      const kept = { ...head, isProven, file, body: file ? undefined : body }
      return await store.ledger.answer({ callId: id, generationId: generation.id, at, answer: kept, paid })
    } catch (error) {
      if (isSmall && !keptFile) spare ??= await answers.write(id, answer).catch(() => undefined)
      throw error
    }
  })
  const { status, contentType, complete, retryAfterMs, requestId } = head
  call.record = {
    ...record,
    state: 'answered',
    answeredAt: at,
    answer: { status, contentType, complete, retryAfterMs, body: file ? null : body, file: file ?? null },
    wasFound: record.wasFound && !isProven,
    providerRequestId: requestId || record.providerRequestId,
  }
  if (paid) publish(parts, generation, changed)
  if (spare)
    await answers.remove(spare).catch(error => call.log.warn({ err: error }, 'a surplus answer file was not removed'))
  await reached(call, 'answer-kept')
}

/** An answer that reached the disk before its row could tell of it. */
export async function recoverAnswer(call: OpenCall): Promise<boolean> {
  const found = await call.parts.answers.find(call.record.id)
  if (!found) return false
  const { name, ...answer } = found
  call.log.warn('an answer whose file was written before its row is processed')
  await keepAnswer(call, answer, name)
  return true
}

/** What an answer with pictures changes at once. That it cannot be understood is told when the call is settled. */
function describePaid(call: OpenCall, answer: RawAnswer, { isDoubtful }: { isDoubtful: boolean }): AnswerStep['paid'] {
  const requestId = answer.requestId ?? call.record.providerRequestId ?? undefined
  call.understood = parseQuietly(call, { ...answer, requestId })
  if (!call.understood || call.understood.images.length === 0) return undefined
  const revisedPrompt = call.understood.revisedPrompt || undefined
  return isDoubtful ? { charge: 'unknown', revisedPrompt, warning: notProven } : { charge: 'charged', revisedPrompt }
}

export function parseQuietly(call: OpenCall, answer: RawAnswer) {
  try {
    return findProvider(call).parse(answer, call.record)
  } catch {
    return undefined
  }
}

/** An answer that is not the service's own says nothing about the task that the submit may have made. */
export function provesNothing(call: OpenCall, answer: RawAnswer): boolean {
  const parsed = parseQuietly(call, answer)
  return parsed?.images.length === 0 && parsed.error?.disposition === 'maybe_billed'
}
