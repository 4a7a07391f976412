/** How a picture was made, in our words, whoever wrote it down. */
import { createHash } from 'node:crypto'
import type { FailureRecord, GenerationRecord, JsonObject, JsonValue } from '../storage/records.ts'
import type { Source } from './sources.ts'

export interface FoundRecipe {
  source: Source
  /** The program that made it, where an export of ours says that it was imported before. */
  importedFrom?: string
  prompt: string
  revisedPrompt?: string | null
  /** As its program named it; null where nobody knows. */
  model: string | null
  /** The service that made it; its program where that is not known. */
  provider?: string | null
  /** Under our names where we have one: `seed`, `negative_prompt`, `size`. */
  parameters: JsonObject
  /** ISO 8601. */
  timestamp?: string
  /** Of the picture as it was made, where this is a copy with the recipe inside. */
  originalSha256?: string
}

/** What a program may know of a picture beside its recipe. */
export interface FoundMarks {
  favorite?: boolean
  /** 1 to 5; 0: none were given. */
  stars?: number
  isRejected?: boolean
  /** This picture stands for its group. */
  isCover?: boolean
  tags?: string[]
  startedAt?: string | null
  finishedAt?: string | null
  resolved?: JsonObject | null
  warnings?: GenerationRecord['warnings']
  failures?: FailureRecord[]
  details?: JsonObject | null
}

/** Recognises the same recipe in whatever order its parameters stand. */
export function hashRecipe({ prompt, model, parameters }: Pick<FoundRecipe, 'prompt' | 'model' | 'parameters'>) {
  return createHash('sha256')
    .update(JSON.stringify(sorted({ prompt, model, parameters })))
    .digest('hex')
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  )
}

/** Without members that say nothing, and nothing larger than a database should hold. */
export function cleanParameters(given: Record<string, unknown>): JsonObject {
  const known = Object.entries(given).filter(
    ([name, value]) => value !== undefined && value !== null && value !== '' && name.length <= 100,
  )
  return Object.fromEntries(
    known.filter(([, value]) => JSON.stringify(value)?.length <= maxParameterLength),
  ) as JsonObject
}

const maxParameterLength = 20_000

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '') : undefined
}

export function asNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

export function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

/** The objects of a list; empty for what is no list. */
export function objectsIn(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(asObject).filter(one => one !== undefined) : []
}

/** A time as ISO 8601; undefined for what is none, or lies outside of any history of pictures. */
export function asTime(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const time = new Date(value)
  const year = time.getUTCFullYear()
  return Number.isNaN(time.getTime()) || year < 1970 || year > 2200 ? undefined : time.toISOString()
}

export function formatSize(width: unknown, height: unknown): string | undefined {
  const [w, h] = [asNumber(width), asNumber(height)]
  return w !== undefined && h !== undefined && w > 0 && h > 0 ? `${w}x${h}` : undefined
}

export function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    // Python writes numbers that JSON does not have.
    try {
      return JSON.parse(text.replace(/(?<=[:[,]\s*)-?(?:NaN|Infinity)(?=\s*[,\]}])/g, 'null'))
    } catch {
      return undefined
    }
  }
}
