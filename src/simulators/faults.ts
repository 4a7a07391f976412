/** How an answer goes wrong on purpose, where the wire format does not matter. */
import type { Exchange, Fault } from './server.ts'

/** The faults that come after the pictures were made or the task was taken: what was paid for is lost on its way. */
export function isLate(fault: Fault): boolean {
  if (fault.kind === 'cut') return fault.billed !== false
  return (fault.kind === 'status' || fault.kind === 'hang' || fault.kind === 'garbage') && fault.billed === true
}

/** What the service would have answered, as far as a fault needs to know. */
export interface Spoiled {
  headers: Record<string, string>
  /** Cut in two when a cut comes before anything was made. */
  body: object
  /** The members of an error without the object around them. */
  unwrapped: (code: string, message: string) => object
}

/** Before anything is made; true when the fault has answered, or seen to it that nothing will. */
export async function meetFault(exchange: Exchange, fault: Fault | undefined, spoiled: Spoiled): Promise<boolean> {
  switch (fault?.kind) {
    case 'slow':
      await exchange.wait(fault.ms)
      return false
    case 'status':
      await exchange.send(fault.status, fault.body ?? '', fault.headers)
      return true
    case 'hang':
      await exchange.hang()
      return true
    case 'garbage':
      await exchange.send(200, fault.body, typeOf(fault))
      return true
    case 'cut':
      await exchange.sendCut(200, spoiled.body, spoiled.headers, fault.after)
      return true
    case 'unwrapped-error': {
      const { status = 400, code = 'invalid_request', message = 'The request is not valid.' } = fault
      await exchange.send(status, spoiled.unwrapped(code, message), spoiled.headers)
      return true
    }
    default:
      return false
  }
}

/** Sends an answer that is known, unless a late fault loses it. */
export async function deliver(
  exchange: Exchange,
  late: Fault | undefined,
  answer: object,
  headers: Record<string, string>,
): Promise<void> {
  if (late?.kind === 'status') return exchange.send(late.status, late.body ?? '', late.headers)
  if (late?.kind === 'hang') return exchange.hang()
  if (late?.kind === 'garbage') return exchange.send(200, late.body, typeOf(late))
  if (late?.kind === 'cut') return exchange.sendCut(200, answer, headers, late.after)
  return exchange.send(200, answer, headers)
}

const typeOf = (fault: { contentType?: string }) => ({ 'content-type': fault.contentType ?? 'application/json' })
