/** Parses the answers of OpenAI's image API (types of its official client 7.57.0, 2026-11). Pure. */

import { besideBill, readEntries, toProviderImage, weighRefusal } from '../answers.ts'
import { errorIn, parseBeginning, pickWorstFailure, quoteBeginning, withoutReason } from '../failures.ts'
import { asRecord, isObject, outline, parseJson, text } from '../json.ts'
import type { Parsed, ProviderImage, RawAnswer } from '../provider.ts'
import { interpretError } from './errors.ts'
import { failureOfTask } from './tasks.ts'

const service = 'The service'

export function parse(answer: RawAnswer): Parsed {
  const json = parseJson(answer.body)
  if (answer.status < 200 || answer.status >= 300) {
    const error = interpretError(answer, errorIn(json) ?? { message: quoteBeginning(answer) })
    return { images: [], failures: [], error: weighRefusal(error, answer), complete: true }
  }
  if (typeof json !== 'object' || json === null) return parseBeginning(answer, 'an image service', readExpiry)
  const images: ProviderImage[] = []
  const failures: Parsed['failures'] = []
  const revised: string[] = []
  readEntries(json).forEach(({ source, item }, index) => {
    if (source) images.push(toProviderImage(index, source, readExpiry))
    else failures.push(failedItem(item, index, answer))
    const prompt = text(asRecord(item)?.revised_prompt)
    if (prompt !== undefined) revised.push(prompt)
  })
  const parsed: Parsed = { images, failures, revisedPrompt: revised[0], complete: true }
  if (images.length > 0) return parsed
  const found = errorIn(json)
  const error =
    failureOfTask(answer, json) ??
    (found ? interpretError(answer, found) : (pickWorstFailure(failures) ?? withoutReason(answer, service, json)))
  parsed.error = besideBill(error, answer.body)
  return parsed
}

/** OpenAI's links are signed by the store behind them, which writes the end of their life into `se`. */
function readExpiry(url: string): number | undefined {
  const end = URL.canParse(url) ? Date.parse(new URL(url).searchParams.get('se') ?? '') : Number.NaN
  return Number.isNaN(end) ? undefined : end
}

/** Why an image is missing, as far as the service says. */
function failedItem(item: unknown, index: number, answer: RawAnswer): Parsed['failures'][number] {
  const found = isObject(item) && item.error ? errorIn(item) : undefined
  if (found) {
    const failed = interpretError(answer, found)
    // Only the picture was refused; the call as a whole was taken, and is not sent again.
    return { ...failed, disposition: failed.disposition === 'retry_safe' ? 'refused' : failed.disposition, index }
  }
  return {
    index,
    code: 'provider_rejected',
    disposition: 'maybe_billed',
    message: `The service answered with something that is not a picture (${outline(item, 0)}).`,
    requestId: answer.requestId,
  }
}
