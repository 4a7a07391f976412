/** Shared by every exchange with DashScope. */
import type { JsonObject } from '../../catalogue/model.ts'
import { ask, type FreeRequest } from '../exchange.ts'
import { asRecord, parseJson, text } from '../json.ts'
import type { Context, RawAnswer } from '../provider.ts'
import type { Route } from './models.ts'

export const paths: Record<Route, string> = {
  MM: '/services/aigc/multimodal-generation/generation',
  IG: '/services/aigc/image-generation/generation',
  T2I: '/services/aigc/text2image/image-synthesis',
  I2I: '/services/aigc/image2image/image-synthesis',
}

/** An answer names pictures and never holds them; this is far more than any of them takes. */
export const maxAnswerBytes = 16 * 1024 * 1024

/** A read-only request, which is free. @throws ExchangeError */
export async function look(
  context: Context,
  path: string,
  request: Omit<FreeRequest, 'url' | 'timeoutMs'> = {},
): Promise<RawAnswer> {
  const answer = await ask(context, {
    ...request,
    url: `${context.baseUrl}${path}`,
    headers: { accept: 'application/json', ...request.headers },
    timeoutMs: 30_000,
    maxBytes: maxAnswerBytes,
  })
  return withOwnId(answer)
}

/** The service's id of an exchange stands in the body, and in a header where a gateway gave one. */
export function withOwnId(answer: RawAnswer): RawAnswer {
  return { ...answer, requestId: text(parseEnvelope(answer)?.request_id) ?? answer.requestId }
}

export const isSuccess = (answer: RawAnswer) => answer.status >= 200 && answer.status < 300

export function parseEnvelope(answer: RawAnswer): JsonObject | undefined {
  return asRecord(parseJson(answer.body))
}

export function parseOutput(answer: RawAnswer): JsonObject | undefined {
  return asRecord(parseEnvelope(answer)?.output)
}
