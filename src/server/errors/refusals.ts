/** Errors that the server itself throws to end a request. */
import type { Advice } from '../../api/generations.ts'
import type { ProblemCode } from '../../api/problems.ts'
import type { GenerationRecord } from '../../storage/records.ts'
import { pathOnly, type Routing } from '../routing.ts'

/** An error of the HTTP layer itself. */
export class HttpRefusal extends Error {
  override name = 'HttpRefusal'
  readonly code: ProblemCode
  readonly headers: Record<string, string>

  constructor(code: ProblemCode, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.code = code
    this.headers = headers
  }
}

/** A generation that a caller waited for and that made no image. */
export class GenerationFailed extends Error {
  override name = 'GenerationFailed'
  readonly generation: GenerationRecord
  readonly advice: Advice | undefined

  constructor(generation: GenerationRecord, advice: Advice | undefined) {
    super(generation.error?.message ?? 'The generation was cancelled.')
    this.generation = generation
    this.advice = advice
  }
}

export function nothingThere() {
  return new HttpRefusal('not_found', 'There is nothing at this address; /docs lists all addresses.')
}

/** Refuses a request that no route takes: its method is wrong, or its address. */
export function refuseMethod({ method, url }: { method: string; url: string }, routing: Routing) {
  const methods = routing.methodsOf(pathOnly(url))
  if (methods.length === 0) return nothingThere()
  const message = `${method} is not allowed at this address; it takes ${methods.filter(name => name !== 'OPTIONS').join(', ')}.`
  return new HttpRefusal('method_not_allowed', message, { allow: methods.join(', ') })
}
