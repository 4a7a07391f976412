import { besideBill, readEntries, toPicture } from '../../../src/providers/answers.ts'
import { errorIn, parseBeginning, quoteBeginning, withoutReason } from '../../../src/providers/failures.ts'
import { isObject, parseJson } from '../../../src/providers/json.ts'
import type { Parsed, RawAnswer } from '../../../src/providers/provider.ts'
import { failureOf } from './errors.ts'

export function parse(answer: RawAnswer): Parsed {
  const json = parseJson(answer.body)
  if (answer.status >= 300) {
    const error = failureOf(answer, errorIn(json) ?? { message: quoteBeginning(answer) })
    return { pictures: [], failures: [], error: besideBill(error, answer.body), complete: true }
  }
  if (!isObject(json)) return parseBeginning(answer, 'Easel', () => undefined)
  const pictures = readEntries(json).flatMap(({ source }, index) => (source ? [toPicture(index, source)] : []))
  const error = pictures.length > 0 ? undefined : withoutReason(answer, 'Easel', json)
  return { pictures, failures: [], error, complete: true }
}
