/** Tests a configuration without paying. */

import { ExchangeError } from '../../outgoing/failure.ts'
import { asRecord, text } from '../json.ts'
import type { CheckResult, Context, RawAnswer } from '../provider.ts'
import { interpretError } from './errors.ts'
import { isSuccess, look, parseEnvelope, parseOutput, paths } from './exchange.ts'
import { findWire, models } from './models.ts'

function failureIn(answer: RawAnswer) {
  const envelope = parseEnvelope(answer)
  const place = { status: answer.status, submitsTask: false, isFinal: false, requestId: answer.requestId }
  const inner = asRecord(envelope?.error)
  return interpretError(
    text(envelope?.code) ?? text(inner?.code),
    text(envelope?.message) ?? text(inner?.message),
    place,
  )
}

const regions =
  'dashscope.aliyuncs.com (Beijing), dashscope-intl.aliyuncs.com (Singapore), dashscope-us.aliyuncs.com (Virginia) or the host of your workspace, such as WORKSPACE.cn-beijing.maas.aliyuncs.com'

export async function check(modelId: string | undefined, context: Context): Promise<CheckResult> {
  const result = (await checkKey(context)) ?? (await checkModel(modelId, context))
  if (!context.apiKey.startsWith('sk-sp-')) return result
  const warnings: Partial<Record<CheckResult['code'], string>> = {
    ok: 'This is the key of a subscription plan, whose terms may forbid use by programs.',
    provider_key_rejected:
      'A key that begins with sk-sp- is one of a subscription plan and works only at its own address.',
  }
  const warning = warnings[result.code]
  return warning ? { ...result, detail: `${result.detail} ${warning}` } : result
}

/** Asks for a task that never existed. Undefined when the key was accepted. */
async function checkKey(context: Context): Promise<CheckResult | undefined> {
  const answer = await attempt(context, () => look(context, '/tasks/00000000-0000-0000-0000-000000000000'))
  if ('detail' in answer) return answer
  const envelope = parseEnvelope(answer)
  const code = text(envelope?.code)
  if (isSuccess(answer) && asRecord(envelope?.output)) return undefined
  const { status } = answer
  const isRefusalOfTask = (status === 400 || status === 404) && code !== undefined
  const refused = refusal(answer)
  if (isRefusalOfTask && refused.code === 'ok') return undefined
  // "Not found" may mean the task or the address; the list of tasks tells which.
  if (isRefusalOfTask && refused.code === 'wrong_address') {
    const list = await attempt(context, () => look(context, '/tasks/?page_no=1&page_size=10'))
    if (!('detail' in list) && isSuccess(list) && Array.isArray(parseEnvelope(list)?.data)) return undefined
  }
  // Too many requests: the key was accepted before they were counted.
  if (status === 429 && refused.code === 'provider_unavailable') return undefined
  return refused.code === 'ok' ? noAnswerOfDashScope(answer) : refused
}

/**
 * Asks the model for a picture of 1 by 1 pixel and for none of them, which is refused before anything is generated: two
 * refusals are certain where one was measured. Only for listed models whose synchronous route checks the size.
 */
async function checkModel(modelId: string | undefined, context: Context): Promise<CheckResult> {
  const keyOnly = { code: 'ok', detail: 'The key and the address are right.' } as const
  if (modelId === undefined) return keyOnly
  const model = models.find(model => model.id === modelId || model.aliases?.includes(modelId))
  if (!model || !findWire(model.family).checksSize) {
    const detail = `${keyOnly.detail} Whether ${modelId} may be used shows with the first picture, because asking could cost one.`
    return { code: 'ok', detail }
  }

  const answer = await attempt(context, () =>
    look(context, paths.MM, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: modelId,
        input: { messages: [{ role: 'user', content: [{ text: 'A white square' }] }] },
        parameters: { size: '1*1', n: 0, watermark: false },
      }),
    }),
  )
  if ('detail' in answer) return answer
  const limited = answer.status === 429 ? ' The account is at its rate limit just now.' : ''
  if (isSuccess(answer) && parseOutput(answer)) return keyOnly
  const refused = refusal(answer)
  if (refused.code === 'ok' || (answer.status === 429 && refused.code === 'provider_unavailable')) {
    return { code: 'ok', detail: `The key and the address are right, and ${modelId} may be used.${limited}` }
  }
  return refused
}

/** The answer, or what its absence means. */
async function attempt(context: Context, ask: () => Promise<RawAnswer>): Promise<RawAnswer | CheckResult> {
  try {
    return await ask()
  } catch (error) {
    if (context.signal.aborted || !(error instanceof ExchangeError)) throw error
    if (error.failure.code === 'provider_key_rejected') return { code: error.failure.code, detail: error.message }
    if (error.failure.disposition === 'maybe_billed') return { code: 'provider_unavailable', detail: error.message }
    return { code: 'wrong_address', detail: `${error.message} Check the base address; usual ones are at ${regions}.` }
  }
}

/** What an answer says about the configuration; `ok` when it only finds fault with the request itself. */
function refusal(answer: RawAnswer): CheckResult {
  const envelope = parseEnvelope(answer)
  const code = text(envelope?.code) ?? text(asRecord(envelope?.error)?.code)
  const failure = failureIn(answer)
  const words = text(envelope?.message)
  switch (failure.code) {
    case 'provider_key_rejected':
      return {
        code: 'provider_key_rejected',
        detail: `DashScope does not accept the API key at this address. Check the key; if it is from another region, use the address of that region: ${regions}.`,
      }
    case 'provider_quota_exhausted':
      return { code: 'provider_quota_exhausted', detail: failure.message }
    case 'provider_access_denied':
      if (code === undefined) return noAnswerOfDashScope(answer)
      return { code: 'provider_access_denied', detail: failure.message }
    case 'rate_limited':
    case 'provider_unavailable':
    case 'provider_timeout':
    case 'outcome_unknown':
      return {
        code: 'provider_unavailable',
        detail: `DashScope answered with status ${answer.status}${code ? ` (${code})` : ''}. Try again a little later.`,
      }
    case 'invalid_request':
    case 'content_rejected':
      return { code: 'ok', detail: failure.message }
    case 'provider_rejected':
      if (code === undefined) return noAnswerOfDashScope(answer)
      if (/url error/i.test(words ?? '') || /^(NotFound|WorkSpaceNotFound)$/i.test(code)) {
        return { code: 'wrong_address', detail: `${failure.message} Usual ones are at ${regions}.` }
      }
      if (/model not exist/i.test(words ?? '') || /^model_?not_?(found|supported)$/i.test(code)) {
        return { code: 'provider_access_denied', detail: failure.message }
      }
      if (/does not support/i.test(words ?? '')) return { code: 'provider_access_denied', detail: failure.message }
      return { code: 'ok', detail: failure.message }
  }
}

function noAnswerOfDashScope(answer: RawAnswer): CheckResult {
  return {
    code: 'wrong_address',
    detail: `The address answered with status ${answer.status} and not as DashScope does. Check the base address; usual ones are https://${regions}, followed by /api/v1.`,
  }
}
