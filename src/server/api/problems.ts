/** The shape of errors under `/api`: problem documents (RFC 9457). */
import type { Problem } from '../../api/problems.ts'
import type { ErrorAnswer } from '../errors/answer.ts'
import { errorTable } from '../errors/codes.ts'

export const problemType = 'application/problem+json; charset=utf-8'

export function presentProblem({ code, detail, members }: ErrorAnswer, requestId: string): Problem {
  const { status, title } = errorTable[code]
  return { type: `urn:webimgui:problem:${code}`, title, status, detail, code, request_id: requestId, ...members }
}
