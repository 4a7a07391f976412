/** Proves a configuration without paying. */

import { ExchangeError } from '../../outgoing/errors.ts'
import { isObject, jsonOf } from '../answers.ts'
import type { CheckResult, Context } from '../provider.ts'
import { authorization, errorIn, failure, metaOf } from './exchange.ts'

/** The list of models is free. Where it names models at all, one that is missing cannot be used with this key. */
export async function check(model: string | undefined, context: Context): Promise<CheckResult> {
  try {
    const response = await context.http.request({
      method: 'GET',
      url: `${context.baseUrl}/models`,
      headers: { authorization: authorization(context.apiKey) },
      signal: context.signal,
      headersTimeoutMs: 20_000,
      idleTimeoutMs: 20_000,
    })
    return checked(model, { ...metaOf(response), body: await response.text(8 * 1024 * 1024) })
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error
    const { code, disposition, message } = error.failure
    if (code === 'provider_key_rejected') return { code, detail: message }
    // What no second try would change is the address: an unknown name, a refused address, a foreign certificate.
    return { code: disposition === 'refused' ? 'wrong_address' : 'provider_unavailable', detail: message }
  }
}

function checked(model: string | undefined, answer: ReturnType<typeof metaOf> & { body: string }): CheckResult {
  const json = jsonOf(answer.body)
  const found = errorIn(json)
  const data = isObject(json) && Array.isArray(json.data) ? json.data : undefined
  if (answer.status === 200 && data) {
    const ids: unknown[] = data.filter(isObject).map(item => item.id)
    if (model === undefined || ids.length === 0) return { code: 'ok', detail: 'The key works at this address.' }
    if (ids.includes(model)) return { code: 'ok', detail: `The key works at this address, and ${model} is open to it.` }
    return {
      code: 'provider_access_denied',
      detail: `The key works, but the service does not list ${model} for it. Check the id.`,
    }
  }
  const { code, message, providerMessage } = failure(answer, found ?? {})
  const said = providerMessage ? ` It says: ${providerMessage.slice(0, 300)}` : ''
  const detail = `${message}${said}`
  const isAboutAccount =
    code === 'provider_key_rejected' || code === 'provider_access_denied' || code === 'provider_quota_exhausted'
  // A page that answers 403 to everybody says nothing about a key.
  if (isAboutAccount && (found || answer.status === 401)) return { code, detail }
  if (answer.status >= 500 || answer.status === 429 || answer.status === 408) {
    // What such an answer means for a picture that was asked for would only alarm: none was.
    const trouble = `The service cannot say now (HTTP ${answer.status}).${said}`
    return { code: 'provider_unavailable', detail: `${trouble} Nothing was proved about the key; test again later.` }
  }
  return {
    code: 'wrong_address',
    detail: `The address has no list of models (HTTP ${answer.status}). The base address should look like https://api.openai.com/v1.`,
  }
}
