import type { JsonObject, JsonValue } from '../../catalogue/model.ts'
import { ExchangeError } from '../../outgoing/failure.ts'
import { authorization, readAnswer } from '../exchange.ts'
import { isObject } from '../json.ts'
import type { Context, Provider, RawAnswer } from '../provider.ts'
import { check } from './check.ts'
import { guide } from './guide.ts'
import { models, platformAt, platforms, unlisted } from './models.ts'
import { parse } from './parse.ts'
import { plan } from './plan.ts'
import { pollTasks, taskIn, taskInBeginning } from './tasks.ts'

/**
 * OpenAI's image API, and every service that speaks it under a base address of its own. Most answer with the pictures, and an answer
 * that is lost cannot be asked for again; gateways that answer with a task are asked for its end.
 */
export const openai: Provider = {
  id: 'openai',
  name: 'OpenAI and compatible services',
  defaultBaseUrl: 'https://api.openai.com/v1',
  isCommonProtocol: true,
  guide,
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
      body: isEdit ? await buildForm(call.body, context) : JSON.stringify(call.body),
      signal: context.signal,
      // The headers arrive when the images are done.
      headersTimeoutMs: call.timeoutMs,
      idleTimeoutMs: 300_000,
    })
    let answer: RawAnswer
    try {
      answer = await readAnswer(response)
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

/** One picture goes as `image`, several as `image[]`; everything else is text. */
async function buildForm(body: JsonObject, context: Context): Promise<FormData> {
  const form = new FormData()
  for (const [name, value] of Object.entries(body)) {
    const places = (Array.isArray(value) ? value : [value]).map(findReferenceMark)
    if (places.every(place => place === undefined)) form.append(name, toFormText(value))
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

function findReferenceMark(value: JsonValue): number | undefined {
  const isPlace = isObject(value) && typeof value.$reference === 'number'
  return isPlace ? (value.$reference as number) : undefined
}

function toFormText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
