import type { Problem } from '../api/problems.ts'

/** The server refused, or did not answer at all. `message` is in English and says what to do. */
export class ApiError extends Error {
  override name = 'ApiError'
  /** A code of the contract, `offline` when there was no answer, or `redirected` when it names another address and that is refused. */
  code: Problem['code'] | 'offline' | 'redirected'
  /** 0 when there was no answer. */
  status: number
  /** Undefined when the answer was not one of our server, such as that of a proxy. */
  problem: Problem | undefined
  /** How long the server asks to wait before another try. */
  retryAfterMs: number | undefined
  constructor(code: ApiError['code'], message: string, status = 0, problem?: Problem, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.status = status
    this.problem = problem
  }
}
