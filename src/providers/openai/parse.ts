/** What an answer of OpenAI's image API holds (types of its official client 7.57.0, 2026-11). Pure. */

import type { ProviderFailure } from '../../outgoing/errors.ts'
import {
  besideBill,
  type Entry,
  isObject,
  type JsonRecord,
  jsonOf,
  mayNamePicture,
  readEntries,
  wholeSourcesIn,
} from '../answers.ts'
import type { Parsed, Picture, RawAnswer } from '../provider.ts'
import { errorIn, failure } from './exchange.ts'
import { failureOfTask } from './tasks.ts'

export function parse(answer: RawAnswer): Parsed {
  const json = jsonOf(answer.body)
  if (answer.status < 200 || answer.status >= 300) {
    const error = failure(answer, errorIn(json) ?? { message: beginningOf(answer) })
    return { pictures: [], failures: [], error: besideBill(error, answer.body), complete: true }
  }
  if (typeof json !== 'object' || json === null) return parseBeginning(answer)
  const pictures: Picture[] = []
  const failures: Parsed['failures'] = []
  const revised: string[] = []
  readEntries(json).forEach(({ source, item }, index) => {
    if (source) pictures.push(pictureAt(index, source))
    else failures.push(failedItem(item, index, answer))
    if (isObject(item) && typeof item.revised_prompt === 'string' && item.revised_prompt)
      revised.push(item.revised_prompt)
  })
  const parsed: Parsed = { pictures, failures, revisedPrompt: revised[0], complete: true }
  if (pictures.length > 0) return parsed
  const envelope = isObject(json) ? json : {}
  const found = errorIn(envelope)
  const error = failureOfTask(answer, json) ?? (found ? failure(answer, found) : nothing(answer, envelope, failures))
  parsed.error = besideBill(error, answer.body)
  return parsed
}

function pictureAt(index: number, source: NonNullable<Entry['source']>): Picture {
  return source.url === undefined
    ? { index, base64: source.base64 }
    : { index, url: source.url, expiresAt: expiryOf(source.url) }
}

/** OpenAI's links are signed by the store behind them, which writes the end of their life into `se`. */
function expiryOf(url: string): number | undefined {
  const end = URL.canParse(url) ? Date.parse(new URL(url).searchParams.get('se') ?? '') : Number.NaN
  return Number.isNaN(end) ? undefined : end
}

/** The pictures of an answer that was cut or garbled, as far as they are whole. */
function parseBeginning(answer: RawAnswer): Parsed {
  const pictures = wholeSourcesIn(answer.body).map((source, index) => pictureAt(index, source))
  if (answer.complete && pictures.length === 0) return unintelligible(answer)
  return { pictures, failures: [], complete: false }
}

/** Why a picture is not there, as far as the service says it. */
function failedItem(item: unknown, index: number, answer: RawAnswer): Parsed['failures'][number] {
  const found = isObject(item) && item.error ? errorIn(item) : undefined
  if (found) {
    const failed = failure(answer, found)
    // Only the picture was refused; the call as a whole was taken, and is not sent again.
    return { ...failed, disposition: failed.disposition === 'retry_safe' ? 'refused' : failed.disposition, index }
  }
  const names = isObject(item) ? Object.keys(item).slice(0, 12).join(', ') : typeof item
  return {
    index,
    code: 'provider_rejected',
    disposition: 'maybe_billed',
    message: `The service answered with something that is no picture (${names}).`,
    requestId: answer.requestId,
  }
}

function unintelligible(answer: RawAnswer): Parsed {
  const error: ProviderFailure = {
    code: 'provider_rejected',
    // Something other than the service may have answered, or have garbled its answer.
    disposition: 'maybe_billed',
    message: 'The address answered with something that is not an answer of an image service. Check the base address.',
    providerMessage: beginningOf(answer),
    requestId: answer.requestId,
  }
  return { pictures: [], failures: [], error, complete: true }
}

function nothing(answer: RawAnswer, json: JsonRecord, failures: Parsed['failures']): ProviderFailure {
  // One that may have been billed says more about money than one that was refused.
  const failed = failures.find(failure => failure.disposition === 'maybe_billed') ?? failures[0]
  if (failed) {
    const { index: _, ...failure } = failed
    return failure
  }
  const isEmptyList = Array.isArray(json.data) && json.data.length === 0 && !mayNamePicture(answer.body)
  return {
    code: 'provider_rejected',
    disposition: isEmptyList ? 'refused' : 'maybe_billed',
    message: 'The service answered without a picture and without a reason. Change the prompt or try again.',
    requestId: answer.requestId,
  }
}

/** Of an answer that is no JSON: a page of some gateway, mostly. */
function beginningOf(answer: RawAnswer): string {
  return `HTTP ${answer.status}: ${answer.body.trim().slice(0, 300)}`
}
