/** `sending`, and no answer: the request may have arrived. It is never sent again automatically. */
import type { ProviderFailure } from '../../outgoing/failure.ts'
import type { RawAnswer } from '../../providers/provider.ts'
import { adoptOrphan } from './adopt.ts'
import { toErrorRecord, unknownOutcome } from './errors.ts'
import { keepAnswer, recoverAnswer } from './keep-answer.ts'
import type { OpenCall } from './open.ts'
import { readAnswer } from './read-answer.ts'
import { settleCall } from './settle-call.ts'
import { retryUntilStored } from './until-stored.ts'

/** What came of an answer, condensed, and the file that holds all of it. */
export interface CutAnswer extends Pick<RawAnswer, 'status' | 'contentType' | 'requestId'> {
  file: string | undefined
  body: string
}

/** Resumes a call after a restart: the request may have been sent, and its answer was lost. */
export async function recover(call: OpenCall) {
  if (await recoverAnswer(call)) return
  // What another server has sent since is its own to wait for.
  await retryUntilStored(call, 'recover a request that was sent', () => call.parts.store.ledger.confirmOwner())
  const { answer } = call.record
  const file = answer?.file ?? undefined
  const body = file === undefined ? '' : ((await readAnswer(call, file)) ?? '')
  const failure = unknownOutcome('The server was stopped while it waited for the answer.')
  await resolveInDoubt(call, failure, { status: answer?.status ?? 200, contentType: answer?.contentType, file, body })
}

/** Settles a call whose answer did not arrive, or only in part. */
export async function resolveInDoubt(call: OpenCall, failure: ProviderFailure, { file, body, ...head }: CutAnswer) {
  if (call.record.state !== 'sending') return
  const requestId = failure.requestId ?? head.requestId
  if (body !== '') return keepAnswer(call, { ...head, requestId, body, complete: isWholeJson(body) }, file)
  if (await adoptOrphan(call)) return
  await settleCall(call, { outcome: 'unknown', charge: 'unknown', error: toErrorRecord({ ...failure, requestId }) })
}

/** True when the JSON is whole, whatever became of the connection that brought it. */
function isWholeJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
