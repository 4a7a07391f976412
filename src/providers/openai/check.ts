/** Tests a configuration without paying. */

import { ExchangeError } from '../../outgoing/failure.ts'
import { ask } from '../exchange.ts'
import { errorIn, listedModels, unreachable } from '../failures.ts'
import { parseJson } from '../json.ts'
import type { CheckResult, Context, RawAnswer } from '../provider.ts'
import { interpretError } from './errors.ts'

/** The list of models is free. Where it names models at all, one that is missing cannot be used with this key. */
export async function check(model: string | undefined, context: Context): Promise<CheckResult> {
  try {
    return checked(model, await ask(context, { url: `${context.baseUrl}/models`, timeoutMs: 20_000 }))
  } catch (error) {
    if (error instanceof ExchangeError) return unreachable(error)
    throw error
  }
}

function checked(model: string | undefined, answer: RawAnswer): CheckResult {
  const found = errorIn(parseJson(answer.body))
  const ids = listedModels(answer)?.map(item => item.id)
  if (ids) {
    if (model === undefined || ids.length === 0) return { code: 'ok', detail: 'The key works at this address.' }
    if (ids.includes(model)) return { code: 'ok', detail: `The key works at this address, and ${model} is open to it.` }
    return {
      code: 'provider_access_denied',
      detail: `The key works, but the service does not list ${model} for it. Check the id.`,
    }
  }
  const { code, message, providerMessage } = interpretError(answer, found ?? {})
  const said = providerMessage ? ` It says: ${providerMessage.slice(0, 300)}` : ''
  const detail = `${message}${said}`
  const isAboutAccount =
    code === 'provider_key_rejected' || code === 'provider_access_denied' || code === 'provider_quota_exhausted'
  // A page that answers 403 to everybody says nothing about a key.
  if (isAboutAccount && (found || answer.status === 401)) return { code, detail }
  if (answer.status >= 500 || answer.status === 429 || answer.status === 408) {
    // The usual message about a possible charge would only alarm: no image was requested.
    const trouble = `The service could not answer the check (HTTP ${answer.status}).${said}`
    return { code: 'provider_unavailable', detail: `${trouble} This says nothing about the key; test again later.` }
  }
  return {
    code: 'wrong_address',
    detail: `The address has no list of models (HTTP ${answer.status}). The base address should look like https://api.openai.com/v1.`,
  }
}
