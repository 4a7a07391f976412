/** An answer that is an error: thrown by the check that finds it, worded on the wire by its service. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly status: number
  readonly code: string | null
  readonly details: RefusalDetails

  constructor(status: number, code: string | null, message: string, details: RefusalDetails = {}) {
    super(message)
    this.status = status
    this.code = code
    this.details = details
  }
}

interface RefusalDetails {
  /** The member of the request that is wrong. */
  param?: string
  /** Where it is not the usual one of the service and the status. */
  type?: string
  headers?: Record<string, string>
  /** Real seconds of the service until it says so. */
  seconds?: number
}

/** What a service refuses without looking at the members of a request, by the name that keys, prompts and tests have for it. */
export type NamedRefusals = Readonly<Record<string, ConstructorParameters<typeof Refusal>>>

/** `values` take the place of their names in braces in the message. */
export function namedRefusal(refusals: NamedRefusals, name: string, values: Record<string, string> = {}): Refusal {
  const words = refusals[name]
  if (!words) throw new Error(`this service has no refusal "${name}"`)
  const [status, code, message, details] = words
  return new Refusal(
    status,
    code,
    message.replace(/\{(\w+)\}/g, (_, key: string) => values[key] ?? ''),
    details,
  )
}
