import { authorization, readAnswer, withReferences } from '../exchange.ts'
import type { Provider } from '../provider.ts'
import { check, listModels } from './check.ts'
import { guide } from './guide.ts'
import { models, platformAt, platforms, priceListAt, unlisted } from './models.ts'
import { parse } from './parse.ts'
import { plan } from './plan.ts'
import { readStream } from './stream.ts'

/**
 * Seedream on Volcengine Ark, and on BytePlus ModelArk, which speaks the same. Synchronous only: there are no tasks, and an answer
 * that is lost cannot be asked for again.
 */
export const doubao: Provider = {
  id: 'doubao',
  name: 'Doubao Seedream',
  defaultBaseUrl: 'https://ark.cn-beijing.volces.com/api/v3',
  environmentPrefix: 'DOUBAO',
  otherKeyVariable: 'ARK_API_KEY',
  guide,
  models,
  unlisted,
  platformAt,
  platforms,
  priceListAt,
  plan,
  parse,
  check,
  listModels,

  addressOf: (_route, baseUrl) => `${baseUrl}/images/generations`,

  async *send(call, context) {
    const response = await context.http.request({
      method: 'POST',
      url: doubao.addressOf(call.route, context.baseUrl),
      headers: {
        authorization: authorization(context.apiKey),
        'content-type': 'application/json',
        'x-client-request-id': call.id,
      },
      body: JSON.stringify(await withReferences(call.body, context)),
      signal: context.signal,
      // The headers arrive with the first image of a stream, and with the last one otherwise.
      headersTimeoutMs: call.timeoutMs,
      // Images of a group follow each other in 20 to 40 s; waiting too long costs nothing, hanging up costs an image.
      idleTimeoutMs: 300_000,
    })
    if (response.status === 200 && call.body.stream === true) return yield* readStream(response, call)
    yield { type: 'answer', answer: await readAnswer(response) }
  },
}
