/** The JSON files in which the operator keeps prices and models. */
import type { z } from 'zod'
import { typeNames } from '../catalogue/violation.ts'
import { readTextFile, TextFileError } from '../operator/text-file.ts'

/** A sentence in both languages. */
interface FileFault {
  en: string
  zh: string
}

/** Violations in the file, a sentence for each place. */
export class OwnFileError extends Error {
  override name = 'OwnFileError'
  readonly faults: FileFault[]

  constructor(faults: FileFault[], options: { cause?: unknown } = {}) {
    super(faults.map(({ en }) => en).join('\n'), options)
    this.faults = faults.slice(0, maxFaults)
  }
}

/** One mistake often causes many violations. */
const maxFaults = 10

/** A fault of the file that `variable` names, at a place in it. */
export function faultIn(variable: string, file: string, place: readonly PropertyKey[], message: string): FileFault {
  const where = place.map(String).join(' → ')
  return {
    en: `${variable}: ${where ? `"${where}"` : 'the whole'} of ${file}: ${message.replace(/\.$/, '')}.`,
    zh: `${variable}：${file} 中的${where ? ` "${where}" ` : '整体'}不正确：${message}`,
  }
}

/**
 * @param nameOf what people call a place; the path as it stands when absent
 * @throws OwnFileError
 */
export function readOwnFile<Schema extends z.ZodType>(
  variable: string,
  file: string,
  schema: Schema,
  nameOf: (place: readonly PropertyKey[], json: unknown) => readonly PropertyKey[] = place => place,
): z.output<Schema> {
  const json = readJson(variable, file)
  const result = schema.safeParse(json, { error: describeIssue })
  if (result.success) return result.data
  throw new OwnFileError(
    result.error.issues.map(({ path, message }) => faultIn(variable, file, nameOf(path, json), message)),
  )
}

/** Message where the schema itself has none. */
function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${typeNames[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`
    case 'too_small':
      if (issue.origin === 'string' || issue.origin === 'array') return 'must not be empty'
      return `must be ${issue.inclusive ? 'at least' : 'greater than'} ${issue.minimum}`
    case 'too_big':
      return `must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters long' : ''}`
    default:
      return undefined
  }
}

function readJson(variable: string, file: string): unknown {
  try {
    return JSON.parse(readTextFile(file))
  } catch (error) {
    throw new OwnFileError([readingFault(variable, file, error)], { cause: error })
  }
}

function readingFault(variable: string, file: string, error: unknown): FileFault {
  if (error instanceof TextFileError) return { en: `${variable}: ${error.message}`, zh: `${variable}：${error.zh}` }
  if (error instanceof SyntaxError) {
    return {
      en: `${variable} names ${file}, which is not JSON (${error.message}).`,
      zh: `${variable} 指向的 ${file} 不是 JSON（${error.message}）。`,
    }
  }
  const reason = error instanceof Error && 'code' in error ? error.code : error
  return {
    en: `${variable} names ${file}, which cannot be read (${reason}).`,
    zh: `${variable} 指向的 ${file} 无法读取（${reason}）。`,
  }
}
