/** What is wrong with a request, found before anything is sent. */

/** A request that the model would refuse; holds every violation with a dotted path such as `parameters.n`. */
export class InvalidRequest extends Error {
  override name = 'InvalidRequest'
  readonly violations: Violation[]

  constructor(violations: Violation[]) {
    super(violations.map(violation => violation.message).join(' '))
    this.violations = violations
  }
}

export interface Violation {
  path: string
  message: string
}
