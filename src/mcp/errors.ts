/** Refusals as a model can act on them: what was wrong, whether anything was paid, what to do next. */
import type { CallToolResult } from '@modelcontextprotocol/server'
import { ApiError } from '../client/errors.ts'

/** A refusal of the tools themselves. Nothing was sent. */
export class ToolRefusal extends Error {
  override name = 'ToolRefusal'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Codes after which something may have been sent to a service; all others refuse before. */
const afterSending = new Set(['offline', 'internal_error', 'storage_failed', 'outcome_unknown'])

const adviceFor: Partial<Record<string, string>> = {
  not_found: 'Find the id with search_history.',
  not_allowed: 'Call list_models to see what this token may use.',
  configuration_missing: 'Call list_models and choose a model that is listed there.',
  idempotency_mismatch: 'Repeat the same arguments with this idempotency_key, or give a new key.',
  too_many_requests: 'Wait as long as it says, then repeat the call with the same arguments.',
  shutting_down: 'Repeat the call with the same arguments in a moment.',
  unauthorized: 'The user has to set WEBIMGUI_TOKEN to a token of this server.',
  offline: 'Look with search_history whether it began before you repeat it.',
  internal_error: 'Look with search_history whether it began before you repeat it.',
  storage_failed: 'Look with search_history whether it began before you repeat it.',
}

/** The answer of a tool, or its refusal as one. */
export async function answering(work: () => Promise<CallToolResult>): Promise<CallToolResult> {
  try {
    return await work()
  } catch (error) {
    return refuse(error)
  }
}

function refuse(error: unknown): CallToolResult {
  if (error instanceof ToolRefusal)
    return failure(error.code, [error.message, 'Nothing was sent, and nothing was paid.'])
  // What is inside an error that nobody expected is nothing for a client.
  if (!(error instanceof ApiError))
    return failure('internal_error', ['Something went wrong.', adviceFor.internal_error ?? ''])
  const { code, message, problem } = error
  const faults = problem?.errors?.map(({ path, message }) => `- ${argumentAt(path)}${message}`) ?? []
  const isSaid = /nothing was sent/i.test(message)
  return failure(code, [
    faults.length > 0 ? 'The arguments cannot be used:' : message,
    ...faults,
    ...(afterSending.has(code) || isSaid ? [] : ['Nothing was sent, and nothing was paid.']),
    ...(adviceFor[code] ? [adviceFor[code]] : []),
  ])
}

export function failure(code: string, lines: readonly string[]): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: `[${code}] ${lines.join('\n')}` }] }
}

/** Paths of the API in the words of the tools. */
function argumentAt(path: string) {
  const name = path.replace(/^parameters\.(?=size$|n$|seed$|negative_prompt$)/, '').replace(/^images\b/, 'references')
  return name === '' ? '' : `${name}: `
}
