import type { JsonObject, JsonValue } from '../../catalogue/model.ts'
import { ExchangeError } from '../../outgoing/errors.ts'
import type { HttpResponse } from '../../outgoing/http.ts'
import { isObject, jsonOf } from '../answers.ts'
import type { CheckResult, Context, Provider, RawAnswer } from '../provider.ts'
import { authorization, errorIn, failure, metaOf } from './exchange.ts'
import { models, platformAt, platforms, unlisted } from './models.ts'
import { pollTasks, taskIn, taskInBeginning } from './tasks.ts'
import { parse, plan } from './wire.ts'

/**
 * OpenAI's image API, and every service that speaks it under a base address of its own. Most answer with the pictures, and an answer
 * that is lost cannot be asked for again; gateways that answer with a task are asked for its end.
 */
export const openai: Provider = {
  id: 'openai',
  name: 'OpenAI and compatible services',
  defaultBaseUrl: 'https://api.openai.com/v1',
  models,
  unlisted,
  platformAt,
  platforms,
  plan,
  parse,
  check,

  addressOf: (route, baseUrl) => `${baseUrl}/images/${route === 'edits' ? 'edits' : 'generations'}`,

  async *send(call, context) {
    const isEdit = call.route === 'edits'
    const response = await context.http.request({
      method: 'POST',
      url: openai.addressOf(call.route, context.baseUrl),
      headers: {
        authorization: authorization(context.apiKey),
        'x-client-request-id': call.id,
        ...(isEdit ? {} : { 'content-type': 'application/json' }),
      },
      body: isEdit ? await formOf(call.body, context) : JSON.stringify(call.body),
      signal: context.signal,
      // The headers come when the pictures are done.
      headersTimeoutMs: call.timeoutMs,
      idleTimeoutMs: 300_000,
    })
    let answer: RawAnswer
    try {
      answer = await wholeAnswer(response)
    } catch (error) {
      const taskId = error instanceof ExchangeError ? taskInBeginning(error.partial) : undefined
      if (taskId === undefined) throw error
      yield { type: 'task', taskId, requestId: response.headers['x-request-id'] }
      return
    }
    const sentTo = openai.addressOf(call.route, context.baseUrl)
    const taskId = taskIn(answer, response.headers.location, sentTo)
    if (taskId === undefined) yield { type: 'answer', answer }
    else yield { type: 'task', taskId, requestId: answer.requestId }
  },

  poll: pollTasks,
}

/** The status alone tells what an error proves, so that one whose text was cut is an answer as well. */
async function wholeAnswer(response: HttpResponse): Promise<RawAnswer> {
  const meta = metaOf(response)
  try {
    return { ...meta, body: await response.text(), complete: true }
  } catch (error) {
    if (response.status < 400 || !(error instanceof ExchangeError)) throw error
    return { ...meta, body: error.partial, complete: false }
  }
}

/** One picture goes as `image`, several as `image[]`; everything else is text. */
async function formOf(body: JsonObject, context: Context): Promise<FormData> {
  const form = new FormData()
  for (const [name, value] of Object.entries(body)) {
    const places = (Array.isArray(value) ? value : [value]).map(placeOf)
    if (places.every(place => place === undefined)) form.append(name, textOf(value))
    for (const place of places) {
      if (place === undefined) continue
      const { mimeType, bytes } = await context.reference(place)
      const file = new Blob([new Uint8Array(bytes)], { type: mimeType })
      form.append(
        Array.isArray(value) ? `${name}[]` : name,
        file,
        `reference-${place}.${mimeType.replace('image/', '')}`,
      )
    }
  }
  return form
}

function placeOf(value: JsonValue): number | undefined {
  const isPlace = isObject(value) && typeof value.$reference === 'number'
  return isPlace ? (value.$reference as number) : undefined
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The list of models is free. Where it names models at all, one that is missing cannot be used with this key. */
async function check(model: string | undefined, context: Context): Promise<CheckResult> {
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
