import { readEntries, toProviderImage, weighRefusal } from '../../../src/providers/answers.ts'
import { errorIn, parseBeginning, quoteBeginning, withoutReason } from '../../../src/providers/failures.ts'
import { isObject, parseJson } from '../../../src/providers/json.ts'
import type { Parsed, RawAnswer } from '../../../src/providers/provider.ts'
import { failureOf } from './errors.ts'

export function parse(answer: RawAnswer): Parsed {
  const json = parseJson(answer.body)
  if (answer.status >= 300) {
    const error = failureOf(answer, errorIn(json) ?? { message: quoteBeginning(answer) })
    return { images: [], failures: [], error: weighRefusal(error, answer), complete: true }
  }
  if (!isObject(json)) return parseBeginning(answer, 'Easel', () => undefined)
  const images = readEntries(json).flatMap(({ source }, index) => (source ? [toProviderImage(index, source)] : []))
  const error = images.length > 0 ? undefined : withoutReason(answer, 'Easel', json)
  return { images, failures: [], error, complete: true }
}
