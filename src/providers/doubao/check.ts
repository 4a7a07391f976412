/** Proves a configuration without paying: document 1541523 and probes published in 2026-09 and 2026-10. */

import type { JsonObject, ListedModel } from '../../catalogue/model.ts'
import { ExchangeError } from '../../outgoing/failure.ts'
import { ask } from '../exchange.ts'
import { errorIn, listedModels, type ServiceError, unreachable } from '../failures.ts'
import { isObject, parseJson } from '../json.ts'
import type { CheckResult, Context, RawAnswer } from '../provider.ts'
import { interpretError } from './errors.ts'
import { models, traits } from './models.ts'

const timeoutMs = 20_000

/** A model id that does not exist: it is refused right after the key was accepted, and nothing can be made with it. */
const noModel = 'does-not-exist'

export async function check(model: string | undefined, context: Context): Promise<CheckResult> {
  try {
    const list = await askForModels(context)
    const probeable = model !== undefined && isProbeable(model) && isArk(context.baseUrl, list)
    if (listedModels(list)) {
      if (model === undefined) return ok('The key works at this address. No model was named, so none was tried.')
      if (probeable) return probed(await probe(context, model), model)
      return unprobed(list, model)
    }
    const refusal = explainRefusal(list)
    // A plan address has no list of models: 404, and not even JSON. Whether it is one shows where pictures are made.
    if (refusal && !(list.status === 404 && refusal.code === 'wrong_address')) return refusal
    if (!probeable) {
      const first = probed(await probe(context, noModel), noModel)
      if (first.code !== 'ok' || model === undefined) return first
      // A refusal of an unknown model in Ark's words comes from Ark.
      if (!isProbeable(model)) return ok(`${first.detail} ${untried(model)}`)
    }
    return probed(await probe(context, model), model)
  } catch (error) {
    if (error instanceof ExchangeError) return unreachable(error)
    throw error
  }
}

function askForModels(context: Context): Promise<RawAnswer> {
  return ask(context, { url: `${context.baseUrl}/models`, timeoutMs })
}

/** Live probes of 2026-08 and 2026-09. An unknown status says nothing about an end. */
const statuses: Readonly<Record<string, ListedModel['status']>> = { Retiring: 'retiring', Shutdown: 'ended' }

/** The list names models of every kind, also ones that the key cannot call. A plan address has none. */
export async function listModels(context: Context): Promise<ListedModel[] | null | undefined> {
  let answer: RawAnswer
  try {
    answer = await askForModels(context)
  } catch (error) {
    if (error instanceof ExchangeError && !context.signal.aborted) return undefined
    throw error
  }
  const listed = listedModels(answer)
  if (!listed) return answer.status === 404 || answer.status === 200 ? null : undefined
  return listed.flatMap(({ id, domain, status, name, task_type, modalities }) => {
    if (typeof id !== 'string' || domain !== 'ImageGeneration' || typeof status !== 'string') return []
    const told = JSON.parse(JSON.stringify({ name, domain, task_type, modalities })) as JsonObject
    return { id, status: statuses[status] ?? 'offered', word: status, told }
  })
}

/**
 * May the probe be sent? Only where the documents bound the size from below, so that a picture of 1x1 is refused by every version of
 * the model. Not for endpoint ids and unlisted models, behind which an old one may stand that draws whatever it is asked for.
 */
function isProbeable(id: string): boolean {
  const model = models.find(model => model.id === id || model.aliases?.includes(id))
  return model !== undefined && traits[model.family]?.refusesTinySize === true
}

/** Another gateway may correct a size that Ark refuses, and make an image. Ark's own list names the purpose of each model. */
function isArk(baseUrl: string, list: RawAnswer): boolean {
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : ''
  return (
    /(?:^|\.)(?:volces|bytepluses)\.com$/.test(host) ||
    (listedModels(list) ?? []).some(item => typeof item.domain === 'string')
  )
}

/** Nothing may be added here: unknown members are ignored, and a valid request makes an image and bills it. */
function probe(context: Context, model: string): Promise<RawAnswer> {
  return ask(context, {
    method: 'POST',
    url: `${context.baseUrl}/images/generations`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, prompt: 'ping', size: '1x1' }),
    timeoutMs,
  })
}

function unprobed(list: RawAnswer, model: string): CheckResult {
  if (listedModels(list)?.some(item => item.id === model && item.status === 'Shutdown')) {
    return {
      code: 'provider_access_denied',
      detail: `The key works, but Ark has shut ${model} down. Choose another model.`,
    }
  }
  return ok(`The key works at this address. ${untried(model)}`)
}

function untried(model: string): string {
  return `Whether ${model} can be used was not tried, because a picture might be made and billed.`
}

function probed(answer: RawAnswer, model: string): CheckResult {
  const found = errorIn(parseJson(answer.body))
  // The key is looked at before the model, and the model before the size: a complaint about the size proves both.
  if (answer.status === 400 && /^(?:Invalid|Missing)Parameter(?:\.|$)/.test(found?.code ?? '')) {
    return ok(`Key and address work, and ${model} is open to them.`)
  }
  if (model === noModel && answer.status === 404 && isAboutModel(found)) return ok('The key works at this address.')
  if (answer.status === 200 && isObject(parseJson(answer.body))) {
    return ok(
      `Key, address and ${model} work. The service made a picture of 1x1 instead of refusing it and may bill it.`,
    )
  }
  return explainRefusal(answer) ?? notArk(answer)
}

const isAboutModel = (found: ServiceError | undefined) =>
  /^(?:InvalidEndpointOrModel|UnsupportedModel|ModelNotOpen)/.test(found?.code ?? '')

/** What an answer other than success says about the configuration; undefined when it says nothing. */
function explainRefusal(answer: RawAnswer): CheckResult | undefined {
  const found = errorIn(parseJson(answer.body))
  if (answer.status < 400) return undefined
  const { code, message, providerMessage } = interpretError(answer, found ?? {})
  const said = providerMessage ? ` Ark says: ${providerMessage.slice(0, 300)}` : ''
  const detail = `${message}${said}`
  if (code === 'provider_key_rejected' || code === 'provider_access_denied' || code === 'provider_quota_exhausted') {
    // A page that answers 403 to everybody says nothing about a key.
    if (answer.status === 403 && !found) return notArk(answer)
    return { code, detail }
  }
  if (answer.status >= 500 || answer.status === 429 || answer.status === 408) {
    // The usual message about a possible charge would only alarm: no image was requested.
    const trouble = `Ark could not answer the check (HTTP ${answer.status}).${said}`
    return { code: 'provider_unavailable', detail: `${trouble} This says nothing about the key; test again later.` }
  }
  if (found?.code === 'InvalidAction') return { code: 'wrong_address', detail }
  if (isAboutModel(found) || found?.code?.startsWith('InvalidEndpoint'))
    return { code: 'provider_access_denied', detail }
  return notArk(answer)
}

function notArk(answer: RawAnswer): CheckResult {
  const detail = `The address does not answer like Ark (HTTP ${answer.status}). The base address should look like https://ark.cn-beijing.volces.com/api/v3.`
  return { code: 'wrong_address', detail }
}

function ok(detail: string): CheckResult {
  return { code: 'ok', detail }
}
