/**
 * Values against JSON Schema (draft 2020-12), as far as schemas of parameters use it. Small enough for the studio, which checks with the
 * same code before it sends.
 */
import type { JsonSchema } from './model.ts'
import type { Values, ViolationCode } from './violation.ts'

/** The shape of those that are checked here. */
export interface ValueSchema {
  type?: string | string[]
  title?: string
  description?: string
  default?: unknown
  examples?: unknown[]
  enum?: unknown[]
  const?: unknown
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  multipleOf?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  minItems?: number
  maxItems?: number
  items?: ValueSchema
  properties?: Record<string, ValueSchema>
  required?: string[]
  additionalProperties?: boolean
  anyOf?: ValueSchema[]
}

export interface ValueViolation {
  /** Inside the value, such as `0.hex`; empty for the value itself. */
  path: string
  code: ViolationCode
  values: Values
}

/** Every place that is wrong, each once. */
export function checkValue(schema: ValueSchema, value: unknown, path = ''): ValueViolation[] {
  const found = checkWhole(schema, value)
  if (found) return [{ path, ...found }]
  const below = (name: string | number) => (path === '' ? String(name) : `${path}.${name}`)
  if (Array.isArray(value)) {
    const { items } = schema
    return items ? value.flatMap((item, index) => checkValue(items, item, below(index))) : []
  }
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([name, item]) => {
    const property = schema.properties?.[name]
    return property ? checkValue(property, item, below(name)) : []
  })
}

/** Without what stands inside. */
function checkWhole(schema: ValueSchema, value: unknown): Omit<ValueViolation, 'path'> | undefined {
  const broken = (code: ViolationCode, values: Values = {}) => ({ code, values: { got: shorten(value), ...values } })
  const types = schema.type === undefined ? [] : [schema.type].flat()
  if (types.length > 0 && !types.some(type => isOfType(type, value))) {
    return broken('wrong_type', { type: types.join(', ') })
  }
  if (schema.enum && !schema.enum.some(one => isSame(one, value))) {
    return broken('not_listed', { allowed: schema.enum.map(shorten).join(', ') })
  }
  if (schema.const !== undefined && !isSame(schema.const, value)) {
    return broken('not_listed', { allowed: shorten(schema.const) })
  }
  if (schema.anyOf?.every(one => checkValue(one, value).length > 0)) return broken('not_valid')
  if (typeof value === 'number') {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema
    if (minimum !== undefined && value < minimum) return broken('too_small', { limit: minimum })
    if (maximum !== undefined && value > maximum) return broken('too_large', { limit: maximum })
    const isOutside =
      (exclusiveMinimum !== undefined && value <= exclusiveMinimum) ||
      (exclusiveMaximum !== undefined && value >= exclusiveMaximum)
    const steps = multipleOf === undefined ? 0 : value / multipleOf
    if (isOutside || Math.abs(steps - Math.round(steps)) > 1e-9) return broken('not_valid')
  }
  if (typeof value === 'string') {
    const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern } = schema
    const { length } = [...value]
    if (length < minLength) return broken('too_short', { limit: minLength, length })
    if (length > maxLength) return broken('too_long', { limit: maxLength, length })
    if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) return broken('wrong_form', { pattern })
  }
  if (Array.isArray(value)) {
    const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema
    const { length } = value
    if (length < minItems || length > maxItems) {
      return broken('entry_count', { min: minItems, max: schema.maxItems ?? '∞', length })
    }
  }
  if (isObject(value)) {
    const missing = schema.required?.find(name => !Object.hasOwn(value, name))
    if (missing !== undefined) return broken('member_missing', { member: missing })
    const known = schema.properties ?? {}
    const unknown = Object.keys(value).find(name => !Object.hasOwn(known, name))
    if (unknown !== undefined && schema.additionalProperties === false) {
      return broken('member_unknown', { member: unknown })
    }
  }
  return undefined
}

/** A value as it stands in a sentence. */
function shorten(value: unknown) {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

function isSame(one: unknown, other: unknown) {
  return one === other || JSON.stringify(one) === JSON.stringify(other)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const checks: Record<string, (value: unknown) => boolean> = {
  integer: value => Number.isInteger(value),
  number: value => typeof value === 'number',
  string: value => typeof value === 'string',
  boolean: value => typeof value === 'boolean',
  array: value => Array.isArray(value),
  object: isObject,
  null: value => value === null,
}

function isOfType(type: string, value: unknown) {
  return checks[type]?.(value) ?? false
}

// ── Schemas ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value)
const isCount = (value: unknown) => Number.isInteger(value) && Number(value) >= 0
const isList = (value: unknown) => Array.isArray(value) && value.length > 0
const isNote = () => true

/** Every keyword that is understood here, and what it may hold. */
const keywords: Record<string, (value: unknown) => boolean> = {
  type: value => [value].flat().every(type => typeof type === 'string' && Object.hasOwn(checks, type)),
  enum: isList,
  const: isNote,
  minimum: isNumber,
  maximum: isNumber,
  exclusiveMinimum: isNumber,
  exclusiveMaximum: isNumber,
  multipleOf: value => isNumber(value) && Number(value) > 0,
  minLength: isCount,
  maxLength: isCount,
  pattern: isPattern,
  minItems: isCount,
  maxItems: isCount,
  items: isSchema,
  properties: value => isObject(value) && Object.values(value).every(isSchema),
  required: value => Array.isArray(value) && value.every(name => typeof name === 'string'),
  additionalProperties: value => typeof value === 'boolean',
  anyOf: value => isList(value) && (value as unknown[]).every(isSchema),
  title: isNote,
  description: isNote,
  default: isNote,
  examples: isNote,
  $comment: isNote,
}

/** The keyword that is not understood here, or whose value is none; a value is never let through because of it. */
export function findUnusableKeyword(schema: JsonSchema): string | undefined {
  return Object.keys(schema).find(keyword => !Object.hasOwn(keywords, keyword) || !keywords[keyword]?.(schema[keyword]))
}

function isSchema(value: unknown): boolean {
  return isObject(value) && findUnusableKeyword(value) === undefined
}

function isPattern(value: unknown) {
  try {
    return typeof value === 'string' && new RegExp(value, 'u') !== undefined
  } catch {
    return false
  }
}
