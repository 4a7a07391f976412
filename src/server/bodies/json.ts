/** Untrusted JSON: parsed within bounds, so that no body can exhaust the server, and checked for text that databases reject. */
import { createHash } from 'node:crypto'
import type { Violation } from '../../catalogue/violation.ts'
import { invalid } from '../../errors.ts'
import type { JsonObject, JsonValue } from '../../storage/records.ts'
import { HttpRefusal } from '../errors/refusals.ts'

const deepest = 32
const maxValues = 100_000

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * `where` names the field of a form that holds the text; empty for a whole body.
 * @throws HttpRefusal `invalid_json`; Refusal `invalid_request` for what is JSON and yet cannot be taken.
 */
export function readJson(bytes: Uint8Array, where = ''): JsonValue {
  checkBounds(bytes, where)
  let value: JsonValue
  try {
    value = JSON.parse(decoder.decode(bytes)) as JsonValue
  } catch (error) {
    const what = where ? `The field "${where}"` : 'The body'
    if (error instanceof SyntaxError)
      throw new HttpRefusal('invalid_json', `${what} is not JSON: ${syntaxAdvice(error)}`)
    throw new HttpRefusal('invalid_json', `${what} is not UTF-8 text; send JSON in UTF-8.`)
  }
  const violations: Violation[] = []
  checkTexts(value, where, violations)
  if (violations.length > 0) throw invalid(violations.slice(0, 20))
  return value
}

/** Checked before parsing: millions of brackets or commas would cost far more memory than they take in the body. */
function checkBounds(bytes: Uint8Array, where: string) {
  const quote = 0x22
  const backslash = 0x5c
  let depth = 0
  let values = 0
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]
    if (byte === quote) {
      // Images are long strings: jump from quote to quote instead of reading every byte.
      for (;;) {
        index = bytes.indexOf(quote, index + 1)
        if (index < 0) return
        let backslashes = 0
        while (bytes[index - 1 - backslashes] === backslash) backslashes++
        if (backslashes % 2 === 0) break
      }
    } else if (byte === 0x5b || byte === 0x7b) {
      depth++
      values++
      if (depth > deepest)
        throw invalid([{ path: where, message: `The JSON is nested deeper than ${deepest} levels.` }])
    } else if (byte === 0x5d || byte === 0x7d) {
      depth--
    } else if (byte === 0x2c) {
      values++
    }
    if (values > maxValues) throw invalid([{ path: where, message: `The JSON holds more than ${maxValues} values.` }])
  }
}

function checkTexts(value: JsonValue, path: string, violations: Violation[]) {
  if (typeof value === 'string') {
    const message = faultOfText(value)
    if (message) violations.push({ path, message })
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) violations.push({ path, message: 'The number is too large.' })
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) checkTexts(item, joined(path, String(index)), violations)
  } else if (value !== null && typeof value === 'object') {
    for (const [name, item] of Object.entries(value)) {
      const message = name === '__proto__' ? 'No member can have this name.' : faultOfText(name)
      if (message) violations.push({ path: joined(path, name.toWellFormed().replaceAll('\0', '')), message })
      else checkTexts(item, joined(path, name), violations)
    }
  }
}

/** A sentence about what makes the text unfit to be stored, if anything. */
export function faultOfText(text: string) {
  if (text.includes('\0')) return 'The text holds a NUL character; remove it.'
  if (!text.isWellFormed()) return 'The text holds half a character (a lone surrogate); send whole Unicode characters.'
  return undefined
}

function joined(path: string, name: string) {
  return path ? `${path}.${name.slice(0, 100)}` : name.slice(0, 100)
}

/** V8 gives the position; the text around it is left out, because it may be secret. */
function syntaxAdvice(error: SyntaxError) {
  const position = /at position (\d+)(?: \(line (\d+) column (\d+)\))?/.exec(error.message)
  if (!position) return 'it ends too early or has a stray character.'
  return position[2] ? `look at line ${position[2]}, column ${position[3]}.` : `look at character ${position[1]}.`
}

/** Independent of the order of members and of white space. */
function canonical(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value !== null && typeof value === 'object') {
    const names = Object.keys(value).sort()
    return `{${names.map(name => `${JSON.stringify(name)}:${canonical((value as JsonObject)[name])}`).join(',')}}`
  }
  return JSON.stringify(value ?? null)
}

/** SHA-256 in hexadecimal. */
export function hashJson(value: JsonValue) {
  return createHash('sha256').update(canonical(value)).digest('hex')
}
