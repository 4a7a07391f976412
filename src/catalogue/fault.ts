/** What is wrong with a request, found before anything is sent. */

/** A request that the model would refuse; holds every fault with a dotted path such as `parameters.n`. */
export class InvalidRequest extends Error {
  override name = 'InvalidRequest'
  readonly faults: Fault[]

  constructor(faults: Fault[]) {
    super(faults.map(fault => fault.message).join(' '))
    this.faults = faults
  }
}

export interface Fault {
  path: string
  message: string
}
