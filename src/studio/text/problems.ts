/** Errors in words that say what to do. */
import { ApiError } from '../../client/errors.ts'
import { explainShortage } from './caps.ts'
import { findText } from './text.ts'
import { describeRefusal } from './violations.ts'

/** Faults of the input are worth more than the general sentence for their code. `model`: the name of the one that was asked. */
export function explain(error: unknown, model?: string): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error)
  if (error.problem?.budget) return explainShortage(error.problem.budget)
  const refusals = error.problem?.errors ?? []
  if (refusals.length > 0) return refusals.map(refusal => describeRefusal(refusal, model)).join(' ')
  return explainCode(error)
}

/** The server's own sentence for a code that is not known here. */
export function explainCode({ code, message }: { code: string; message: string }): string {
  return findText('problems', code) ?? message
}
