/** A small service that nobody has: the fourth provider of docs/add-a-provider.md. */
import { authorization, readAnswer, withReferences } from '../../../src/providers/exchange.ts'
import type { Provider } from '../../../src/providers/provider.ts'
import { check } from './check.ts'
import { guide } from './guide.ts'
import { models, platformAt, platforms, unlisted } from './models.ts'
import { parse } from './parse.ts'
import { plan } from './plan.ts'

export const easel: Provider = {
  id: 'easel',
  name: 'Easel',
  defaultBaseUrl: 'https://easel.example/v1',
  environmentPrefix: 'EASEL',
  guide,
  models,
  unlisted,
  platformAt,
  platforms,
  plan,
  parse,
  check,

  addressOf: (_route, baseUrl) => `${baseUrl}/paint`,

  async *send(call, context) {
    const response = await context.http.request({
      method: 'POST',
      url: easel.addressOf(call.route, context.baseUrl),
      headers: { authorization: authorization(context.apiKey), 'content-type': 'application/json' },
      body: JSON.stringify(await withReferences(call.body, context)),
      signal: context.signal,
      headersTimeoutMs: call.timeoutMs,
      idleTimeoutMs: 60_000,
    })
    yield { type: 'answer', answer: await readAnswer(response) }
  },
}
