/** Pure: what is sent to each model for what stands in the form, what it would cost, and what has to be said before. */
import type { Model } from '../../api/models.ts'
import {
  type Pixels,
  parsePixels,
  type ResolvedSize,
  resolveSize,
  type SizeChoice,
  type SizeFault,
  type SizeRule,
  sizeRuleOf,
} from './sizes.ts'

/** What stands in the form; the names of `values` are those of the parameters, the same for every model. */
export interface PlacementRequest {
  prompt: string
  references: readonly string[]
  size: SizeChoice
  count: number
  values: Readonly<Record<string, unknown>>
}

export interface Plan {
  model: Model
  /** The body of `POST /api/generate`. */
  body: { prompt: string; model: string; parameters: Record<string, unknown>; images?: string[] }
  count: number
  pixels: Pixels | undefined
  cost: Cost | undefined
  /** What this model does otherwise than asked. */
  notes: PlanNote[]
  /** Why it cannot be sent; nothing is sent while one stands here. */
  faults: PlanFault[]
}

export interface Cost {
  min: number
  max: number
  currency: 'CNY' | 'USD'
  /** Depends on something, or no document of the service says so. */
  isEstimate: boolean
  /** There may be more, and only the end shows how much: layers are paid each. */
  isLeast: boolean
  /** There may be less: the model decides how many pictures of a group it makes, and those are paid. */
  isMost: boolean
}

export type PlanNote =
  | { kind: 'size'; instead: string }
  | { kind: 'count'; count: number }
  | { kind: 'left_out'; parameter: string }
  | { kind: 'prompt_cut'; most: number; length: number }
  | { kind: 'series'; most: number }
  | { kind: 'life' }

export type PlanFault =
  | { kind: 'prompt' }
  | { kind: 'not_configured' }
  | { kind: 'too_many_references'; most: number }
  | { kind: 'too_few_references'; least: number }
  | ({ kind: 'size' } & { fault: SizeFault })

export type Schema = {
  type?: string | string[]
  title?: string
  description?: string
  default?: unknown
  enum?: unknown[]
  minimum?: number
  maximum?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  pattern?: string
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  anyOf?: Schema[]
  examples?: unknown[]
}

/** The parameters of a model by name, `size` and `n` included. */
export function schemasOf(model: Model): Record<string, Schema> {
  return (model.parameters.properties ?? {}) as Record<string, Schema>
}

export function planFor(model: Model, wish: PlacementRequest): Plan {
  const schemas = schemasOf(model)
  const notes: PlanNote[] = []
  const faults: PlanFault[] = []
  const values: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(wish.values)) {
    if (value === undefined || value === '') continue
    const schema = schemas[name]
    if (schema && isAllowed(schema, value)) values[name] = value
    else notes.push({ kind: 'left_out', parameter: name })
  }

  const references = wish.references.length
  const most = maxImages(model, { references, values })
  const count = Math.min(wish.count, most)
  if (count < wish.count) notes.push({ kind: 'count', count })
  const isSeries = isSeriesAsked(model, values)
  if (isSeries && count > 1) notes.push({ kind: 'series', most: count })

  const isGroup = isSeries || (model.images.group !== null && model.images.group.asked_by === null && count > 1)
  // Without references Wan 2.6 tells a story, in which it decides how many pictures there are.
  const isStory = schemas.enable_interleave !== undefined && (values.enable_interleave ?? references === 0) === true
  const rule = sizeRuleOf(model, { isGroup, references })
  const size = resolveSize(rule, wish.size)
  if (size.fault) faults.push({ kind: 'size', fault: size.fault })
  if (size.instead !== undefined) notes.push({ kind: 'size', instead: size.instead })

  const length = [...wish.prompt].length
  const asksForSeries = typeof model.images.group?.asked_by === 'string'
  const needsPrompt = model.prompt.required || (asksForSeries && !isSeries)
  if (needsPrompt && wish.prompt.trim() === '') faults.push({ kind: 'prompt' })
  if (model.prompt.max_characters !== null && length > model.prompt.max_characters) {
    notes.push({ kind: 'prompt_cut', most: model.prompt.max_characters, length })
  }
  if (references > model.references.max) faults.push({ kind: 'too_many_references', most: model.references.max })
  if (references < model.references.min) faults.push({ kind: 'too_few_references', least: model.references.min })
  if (!model.configured) faults.push({ kind: 'not_configured' })
  if (model.life.stage !== 'current') notes.push({ kind: 'life' })

  const parameters: Record<string, unknown> = { ...values }
  if (size.send !== undefined) parameters.size = size.send
  if (count > 1) parameters.n = count
  return {
    model,
    body: {
      prompt: wish.prompt,
      model: model.id,
      parameters,
      ...(references > 0 ? { images: [...wish.references] } : {}),
    },
    count,
    pixels: size.pixels,
    cost: costOf(model, {
      count,
      references,
      areas: areasOf(rule, size),
      values,
      isSeries,
      isGroup: isGroup || isStory,
    }),
    notes,
    faults,
  }
}

/** Does it make a series whose length the model itself decides? */
function isSeriesAsked(model: Model, values: Record<string, unknown>) {
  const name = model.images.group?.asked_by
  return name !== null && name !== undefined && values[name] === true
}

/** The most pictures of one generation. Where references count for a group, each takes the place of a picture. */
export function maxImages(model: Model, wish: { references: number; values: Readonly<Record<string, unknown>> }) {
  const { max, max_separate, group } = model.images
  if (!group) return max
  if (group.asked_by !== null) return isSeriesAsked(model, wish.values) ? group.max : max_separate
  return Math.max(1, group.counts_references ? group.max - wish.references : group.max)
}

// ── Cost ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function costOf(
  model: Model,
  made: {
    count: number
    references: number
    /** Every one that may come out; none where nobody knows. */
    areas: number[]
    values: Record<string, unknown>
    isSeries: boolean
    isGroup: boolean
  },
): Cost | undefined {
  const { price } = model
  if (!price) return undefined
  const { count, references, areas, values } = made
  const stepOf = (area: number) => price.image.find(step => step.up_to_area === null || area <= step.up_to_area)
  const fitting = areas.length === 0 ? price.image : areas.map(area => stepOf(area) ?? price.image.at(-1)!)
  const amounts = fitting.map(step => step.amount)
  const factor = price.factor_when && isOn(model, price.factor_when.parameter, values) ? price.factor_when.factor : 1
  const calls = Math.ceil(count / Math.max(1, model.images.per_call))
  const forReferences = price.reference
    ? Math.max(0, references - price.reference.free) * price.reference.amount * calls
    : 0
  const total = (amount: number) => round(amount * factor * count + forReferences)
  return {
    min: total(Math.min(...amounts)),
    max: total(Math.max(...amounts)),
    currency: price.currency,
    isEstimate: price.certainty !== 'documented' || new Set(amounts).size > 1,
    isLeast: made.isSeries && price.layer !== null,
    isMost: made.isGroup && count > 1,
  }
}

/** Of the pixels that are asked for, or of all sizes of a tier, whose shape the service chooses. */
function areasOf(rule: SizeRule | undefined, { pixels, send }: ResolvedSize): number[] {
  const tier = send ?? rule?.default ?? ''
  const listed = Object.values(rule?.recommended[tier] ?? {}).map(parsePixels)
  // Some models round to multiples of 16, which may carry a picture over a step of the price.
  const up16 = (side: number) => Math.ceil(side / 16) * 16
  const rounded = pixels && { width: up16(pixels.width), height: up16(pixels.height) }
  const possible = pixels ? [pixels, rounded] : listed
  return possible.filter(size => size !== undefined).map(({ width, height }) => width * height)
}

function isOn(model: Model, name: string, values: Record<string, unknown>) {
  return (values[name] ?? schemasOf(model)[name]?.default) === true
}

/** Together, one sum a currency; undefined where no price is known at all. */
export function sumOf(costs: readonly (Cost | undefined)[]): { costs: Cost[]; isComplete: boolean } {
  const sums = new Map<string, Cost>()
  for (const cost of costs) {
    if (!cost) continue
    const sum = sums.get(cost.currency)
    sums.set(
      cost.currency,
      sum
        ? {
            ...sum,
            min: round(sum.min + cost.min),
            max: round(sum.max + cost.max),
            isEstimate: sum.isEstimate || cost.isEstimate,
            isLeast: sum.isLeast || cost.isLeast,
            isMost: sum.isMost || cost.isMost,
          }
        : cost,
    )
  }
  return { costs: [...sums.values()], isComplete: costs.every(cost => cost !== undefined) }
}

const round = (amount: number) => Math.round(amount * 1e6) / 1e6

// ── Values ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Why a value is refused: the keyword of the schema, and its limit. Undefined when it is fine. */
export interface Refusal {
  keyword:
    | 'type'
    | 'enum'
    | 'minimum'
    | 'maximum'
    | 'maxLength'
    | 'minItems'
    | 'maxItems'
    | 'pattern'
    | 'required'
    | 'additional'
  limit: string
  /** Where inside an array or object, such as `0.hex`; empty for the value itself. */
  path: string
}

function isAllowed(schema: Schema, value: unknown) {
  return findRefusal(schema, value) === undefined
}

/** Checks what the parameters of the catalogue use of JSON Schema; the server checks all of it once more. */
export function findRefusal(schema: Schema, value: unknown, path = ''): Refusal | undefined {
  const refuse = (keyword: Refusal['keyword'], limit: unknown = ''): Refusal => ({
    keyword,
    limit: String(limit),
    path,
  })
  const types = schema.type === undefined ? [] : [schema.type].flat()
  if (types.length > 0 && !types.some(type => isOfType(type, value))) return refuse('type', types.join(', '))
  if (schema.enum && !schema.enum.includes(value)) return refuse('enum', schema.enum.join(', '))
  if (typeof value === 'number') {
    if (schema.minimum !== undefined && value < schema.minimum) return refuse('minimum', schema.minimum)
    if (schema.maximum !== undefined && value > schema.maximum) return refuse('maximum', schema.maximum)
  }
  if (typeof value === 'string') {
    if (schema.maxLength !== undefined && [...value].length > schema.maxLength)
      return refuse('maxLength', schema.maxLength)
    if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value))
      return refuse('pattern', schema.pattern)
  }
  const below = (name: string | number) => (path === '' ? String(name) : `${path}.${name}`)
  if (Array.isArray(value)) {
    if (schema.minItems !== undefined && value.length < schema.minItems) return refuse('minItems', schema.minItems)
    if (schema.maxItems !== undefined && value.length > schema.maxItems) return refuse('maxItems', schema.maxItems)
    const { items } = schema
    if (!items) return undefined
    return value.map((item, index) => findRefusal(items, item, below(index))).find(Boolean)
  }
  if (typeof value === 'object' && value !== null && schema.properties) {
    const given = value as Record<string, unknown>
    const missing = schema.required?.find(name => given[name] === undefined)
    if (missing !== undefined) return refuse('required', missing)
    for (const [name, item] of Object.entries(given)) {
      const property = schema.properties[name]
      if (!property) return refuse('additional', name)
      const refusal = findRefusal(property, item, below(name))
      if (refusal) return refusal
    }
  }
  return undefined
}

function isOfType(type: string, value: unknown) {
  switch (type) {
    case 'integer':
      return Number.isInteger(value)
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    case 'null':
      return value === null
    default:
      return typeof value === type
  }
}
