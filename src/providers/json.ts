/** JSON of services, without any guarantee of its shape. */
import type { JsonObject, JsonValue } from '../catalogue/model.ts'

/** Names of lists of images, those first that hold only results: some answers repeat the request. */
export const listNames = [
  'data',
  'output',
  'outputs',
  'output_images',
  'result',
  'results',
  'task_result',
  'images',
  'image_urls',
  'urls',
]

/** Undefined when it is not JSON. Lists of images under duplicate names are joined, where `JSON.parse` keeps only the last. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    const value = JSON.parse(text) as JsonValue
    return isObject(value) ? joinRepeatedLists(value, text) : value
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function joinRepeatedLists(value: JsonObject, text: string): JsonObject {
  const repeated = listNames.filter(name => name in value && isTwiceIn(text, `"${name}"`))
  if (repeated.length === 0) return value
  const members = topMembers(text)
  const joined = { ...value }
  for (const name of repeated) {
    const values = members.filter(member => member.name === name).map(member => JSON.parse(member.text) as JsonValue)
    if (values.length > 1) joined[name] = values.flat().filter(item => item !== null)
  }
  return joined
}

function isTwiceIn(text: string, part: string): boolean {
  const first = text.indexOf(part)
  return first >= 0 && text.includes(part, first + part.length)
}

/** The members of the outermost object, with the text of their values. */
function topMembers(text: string): { name: string; text: string }[] {
  const members: { name: string; text: string }[] = []
  let depth = 0
  let name: string | undefined
  let start = 0
  for (const { 0: token, index } of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}:,]/g)) {
    if (token === '[' || token === '{') depth++
    else if (token === ']' || token === '}') depth--
    if (depth === 1 && token === ':') start = index + 1
    else if (depth === 1 && name === undefined && token.startsWith('"')) name = JSON.parse(token) as string
    const isEnd = (depth === 1 && token === ',') || (depth === 0 && token === '}')
    if (isEnd && name !== undefined) {
      members.push({ name, text: text.slice(start, index) })
      name = undefined
    }
  }
  return members
}

export function asRecord(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined
}

export function asList(value: unknown): JsonValue[] {
  return Array.isArray(value) ? value : []
}

/** A string that is not blank. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The shape of a value without its content: a report must show no prompt and no signature. Below `depth` only names. */
export function outline(value: unknown, depth = 3): string {
  if (Array.isArray(value)) {
    if (depth === 0) return '[…]'
    const items = value.slice(0, 3).map(item => outline(item, depth - 1))
    return `[${items.join(', ')}]`
  }
  if (!isObject(value)) return value === null ? 'null' : typeof value
  const members = Object.entries(value).slice(0, 12)
  return `{${members.map(([name, member]) => (depth === 0 ? name : `${name}: ${outline(member, depth - 1)}`)).join(', ')}}`
}
