/**
 * Everything that can go wrong on purpose. A fault is data with one name for all who ask for it: a test calls `misbehave`, a person
 * writes `[[name]]` or `[[name:argument]]` into a prompt, a demonstration key stands for a refusal of its service.
 */
import type { Exchange } from './exchange.ts'
import { type NamedRefusals, namedRefusal, Refusal } from './refusal.ts'

/** `billed` says whether the picture was made and put on the bill although its answer is lost. */
export type Fault =
  /** Any answer; an object goes as JSON, and without a body it has the service's words for this status. Not billed unless it says so. */
  | { kind: 'status'; status: number; body?: string | object; headers?: Record<string, string>; billed?: boolean }
  /** Never answers. Not billed unless it says so. */
  | { kind: 'hang'; billed?: boolean }
  /** Holds back everything, headers too, for so many real milliseconds; then all is well. */
  | { kind: 'slow'; ms: number }
  /** The same until this resolves, for whoever has something to do meanwhile. */
  | { kind: 'held'; until: Promise<unknown> }
  /** Cuts the connection; billed unless it says otherwise. `n` events of a stream come through, default 1. */
  | { kind: 'cut'; after: 'request' | 'headers' | 'half-body' | 'n-events'; n?: number; billed?: boolean }
  /** 200 with something that is no answer. Not billed unless it says so. */
  | { kind: 'garbage'; body: string; contentType?: string; billed?: boolean }
  /** One of the refusals that the service has a name for. */
  | { kind: 'refusal'; name: string }
  /** Single pictures of one call are refused. */
  | { kind: 'partial'; failIndexes: number[] }
  /** An inner failure at this picture; those after it are missing. */
  | { kind: 'stops'; atIndex: number }
  /** Makes at most so many pictures, without a word about the others. */
  | { kind: 'fewer'; count: number }
  /** Nothing is made: an error status (the default), 200 with an error at the top, 200 with error items only, 200 with no item. */
  | { kind: 'all-refused'; form?: 'status' | 'top-level' | 'items' | 'empty' }
  /** The task is taken and makes nothing. */
  | { kind: 'task-fails' }
  /** The members of the error at the top level of the body, without their `error`; default 400. */
  | { kind: 'unwrapped-error'; status?: number; code?: string; message?: string }
  | { kind: 'stream'; how: StreamFault }
  /** `ms` is how long a slow file takes, default 1000. */
  | { kind: 'download'; how: DownloadFault; ms?: number }

/**
 * `no-completed`: ends without its last event and terminator. `error-event`: a fatal error after the first picture.
 * `partial-failed-first`: one failed item and nothing after it. `split-chunks`: cut into pieces inside characters and lines.
 */
type StreamFault = 'no-completed' | 'error-event' | 'partial-failed-first' | 'split-chunks'

/** `other-type`: a real picture of another type than announced. `huge`: does not end before 2 GiB. */
export type DownloadFault = '404' | '403' | '500' | 'cut' | 'not-a-picture' | 'other-type' | 'slow' | 'huge'

// ── Words in prompts ────────────────────────────────────────────────────────────────────────────────────────────────

const streamFault = (how: StreamFault) => (): Fault => ({ kind: 'stream', how })

/** What a word in double brackets asks of every service, beside the names of its refusals and any status from 400 on. */
const words: Readonly<Record<string, (argument: string) => Fault>> = {
  /** Seconds. */
  slow: seconds => ({ kind: 'slow', ms: Number(seconds || 30) * 1000 }),
  hang: () => ({ kind: 'hang' }),
  cut: place => ({ kind: 'cut', after: place === 'events' ? 'n-events' : 'request' }),
  'output-blocked': form => ({ kind: 'all-refused', form: form === 'items' || form === 'top-level' ? form : 'status' }),
  empty: () => ({ kind: 'all-refused', form: 'empty' }),
  partial: index => ({ kind: 'partial', failIndexes: [Number(index || 1)] }),
  stops: index => ({ kind: 'stops', atIndex: Number(index || 1) }),
  fewer: count => ({ kind: 'fewer', count: Number(count || 1) }),
  garbage: () => ({ kind: 'garbage', body: '<html><body>Welcome</body></html>' }),
  'fail-task': () => ({ kind: 'task-fails' }),
  'no-completed': streamFault('no-completed'),
  'error-event': streamFault('error-event'),
  'partial-failed-first': streamFault('partial-failed-first'),
  'split-chunks': streamFault('split-chunks'),
  '503-html': () => ({ kind: 'status', status: 503, body: gatewayPage(503) }),
}

/** What the prompt asks for: the first word in double brackets that is known. */
export function faultInPrompt(prompt: string, refusals: NamedRefusals): Fault | undefined {
  for (const [, word = '', argument = ''] of prompt.matchAll(/\[\[([a-z0-9-]+)(?::([^\]]*))?\]\]/gi)) {
    const name = word.toLowerCase()
    if (Object.hasOwn(words, name)) return words[name]!(argument)
    if (Object.hasOwn(refusals, name)) return { kind: 'refusal', name }
    if (/^[45]\d\d$/.test(name)) return { kind: 'status', status: Number(name) }
  }
  return undefined
}

// ── How a fault happens to a request ────────────────────────────────────────────────────────────────────────────────

/** Whether it comes after the pictures were made or the task was taken: what was paid for is lost on its way. */
export function isLate(fault: Fault | undefined): boolean {
  if (fault?.kind === 'cut') return fault.billed !== false
  return (fault?.kind === 'status' || fault?.kind === 'hang' || fault?.kind === 'garbage') && fault.billed === true
}

/** Before anything is made. @throws Refusal */
export async function meetEarlyFault(exchange: Exchange, fault: Fault | undefined): Promise<boolean> {
  return !isLate(fault) && (await meetFault(exchange, fault))
}

/**
 * On a request that costs nothing every fault comes at once. True when it has answered, or seen to it that nothing will.
 * @throws Refusal
 */
export async function meetFault(exchange: Exchange, fault: Fault | undefined): Promise<boolean> {
  if (fault?.kind === 'slow') await exchange.wait(fault.ms)
  if (fault?.kind === 'held') await Promise.race([fault.until, exchange.hang()])
  if (fault?.kind === 'refusal') throw findRefusal(exchange, fault.name)
  if (fault?.kind === 'unwrapped-error') {
    const { status = 400, code = 'InvalidParameter', message = 'The request is not valid.' } = fault
    await exchange.answer(exchange.wording.describeRefusal(new Refusal(status, code, message), exchange), status)
    return true
  }
  return loseAnswer(exchange, fault, {})
}

/** Sends an answer that is known, unless a late fault loses it. */
export async function deliver(
  exchange: Exchange,
  fault: Fault | undefined,
  answer: object | string,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): Promise<void> {
  if (isLate(fault) && (await loseAnswer(exchange, fault, answer))) return
  await exchange.answer(answer, status, headers)
}

async function loseAnswer(exchange: Exchange, fault: Fault | undefined, answer: object | string): Promise<boolean> {
  const { 'content-type': _json, ...headers } = exchange.wording.headersOf(exchange)
  if (fault?.kind === 'status') {
    const body = fault.body ?? usualBody(exchange, fault.status)
    await exchange.send(fault.status, body, { ...headers, ...fault.headers })
  } else if (fault?.kind === 'garbage') {
    const type = fault.contentType ?? (fault.body.startsWith('<') ? 'text/html' : 'application/json')
    await exchange.send(200, fault.body, { ...headers, 'content-type': type })
  } else if (fault?.kind === 'hang') await exchange.hang()
  else if (fault?.kind === 'cut' && fault.after === 'request') exchange.cut()
  else if (fault?.kind === 'cut')
    await exchange.sendHalf(answer, headers, fault.after === 'headers' ? 'headers' : 'half-body')
  else return false
  return true
}

/** What the service says with a status; proxies before it speak HTML. */
function usualBody(exchange: Exchange, status: number): object | string {
  if (!Object.hasOwn(exchange.wording.refusals, status)) return gatewayPage(status)
  return exchange.describe(findRefusal(exchange, String(status)))
}

function findRefusal({ wording, json }: Exchange, name: string): Refusal {
  const { model } = Object(json) as { model?: unknown }
  return namedRefusal(wording.refusals, name, { model: String(model) })
}

function gatewayPage(status: number): string {
  return `<html>\r\n<head><title>${status}</title></head>\r\n<body><center><h1>${status}</h1></center></body>\r\n</html>\r\n`
}
