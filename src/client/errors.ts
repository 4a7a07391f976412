import type { Problem } from '../api/problems.ts'

/** The server refused, or did not answer at all. `message` is in English and says what to do. */
export class ApiError extends Error {
  override name = 'ApiError'
  /** A code of the contract, or `offline` when there was no answer. */
  code: Problem['code'] | 'offline'
  /** 0 when there was no answer. */
  status: number
  /** Undefined when the answer was not one of our server, such as that of a proxy. */
  problem: Problem | undefined
  constructor(code: ApiError['code'], message: string, status = 0, problem?: Problem, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.status = status
    this.problem = problem
  }
}
