/** Pure: what is sent to each model for what stands in the form, what it would cost, and what has to be said before. */
import type { Model } from '../../api/models.ts'
import { readCard } from '../../catalogue/card.ts'
import { checkRequest } from '../../catalogue/checks.ts'
import { estimateCost } from '../../catalogue/costs.ts'
import { asksForGroup, findSizeRule, limitImages, splitCount } from '../../catalogue/counts.ts'
import { checkValue, type ValueSchema } from '../../catalogue/json-schema.ts'
import type { Model as Card, JsonObject, JsonValue, Price, SizeRule } from '../../catalogue/model.ts'
import { fillDefaults } from '../../catalogue/parameters.ts'
import { followsReference } from '../../catalogue/sizes.ts'
import type { RuleViolation } from '../../catalogue/violation.ts'
import { type ChosenSize, chooseSize, readPixels, type SizeChoice } from './size-choice.ts'

/** What stands in the form; the names of `values` are those of the parameters, the same for every model. */
export interface FormValues {
  prompt: string
  references: readonly string[]
  size: SizeChoice
  count: number
  values: Readonly<Record<string, unknown>>
}

export const generatePath = 'api/generate'

export interface Plan {
  model: Model
  /** The body of `POST /api/generate`. */
  body: { prompt: string; model: string; parameters: JsonObject; images?: string[] }
  count: number
  /** The rule that its size has to keep. */
  sizeRule: SizeRule | undefined
  /** The resulting size, where it is known before. */
  pixels: { width: number; height: number } | undefined
  cost: Cost | undefined
  /** What this model does otherwise than asked. */
  notes: PlanNote[]
  /** Why it cannot be sent; nothing is sent while one stands here. */
  violations: PlanViolation[]
}

export interface Cost {
  min: number
  max: number
  currency: Price['currency']
  /** Depends on something, or no document of the service says so. */
  isEstimate: boolean
  /** Only the end shows how much more than `min` it is: layers are paid each. */
  isLeast: boolean
  /** There may be less than `max`: the model decides how many pictures of a group it makes, and those are paid. */
  isMost: boolean
}

export type PlanNote =
  | { kind: 'size'; instead: string }
  | { kind: 'count'; count: number }
  | { kind: 'left_out'; parameter: string }
  | { kind: 'prompt_cut'; most: number; length: number }
  | { kind: 'series'; most: number }
  /** The model ends, or the address of the key does not have it. */
  | { kind: 'standing' }

/** Violations of the catalogue, and those that only this form knows. */
export type PlanViolation = Omit<RuleViolation, 'code'> & {
  code: RuleViolation['code'] | 'not_configured' | 'size_unfinished'
}

const cards = new WeakMap<Model, Card>()

/** The model as the catalogue knows it. */
export function toCard(model: Model): Card {
  const card = cards.get(model) ?? readCard(model)
  cards.set(model, card)
  return card
}

/** The parameters of a model by name, `size` and `n` included. */
export function listSchemas(model: Model): Record<string, ValueSchema> {
  return (model.parameters.properties ?? {}) as Record<string, ValueSchema>
}

export function planFor(model: Model, form: FormValues): Plan {
  const card = toCard(model)
  const notes: PlanNote[] = []
  const values: JsonObject = {}
  for (const [name, value] of Object.entries(form.values)) {
    if (value === undefined || value === '') continue
    const schema = card.parameters[name]
    if (schema && checkValue(schema, value).length === 0) values[name] = value as JsonValue
    else notes.push({ kind: 'left_out', parameter: name })
  }

  const references = form.references.length
  const count = Math.min(form.count, limitImages(card, { references, parameters: values }))
  if (count < form.count) notes.push({ kind: 'count', count })
  const counts = { count, references, parameters: values }
  const isGroup = asksForGroup(card, counts)
  if (isGroup && count > 1 && card.images.group?.askedBy !== undefined) notes.push({ kind: 'series', most: count })
  const sizeRule = findSizeRule(card, counts)
  const chosen = chooseSize(sizeRule, form.size)
  if (chosen.instead !== undefined) notes.push({ kind: 'size', instead: chosen.instead })

  const parameters: JsonObject = { ...values }
  if (chosen.size !== undefined) parameters.size = chosen.size
  if (count > 1) parameters.n = count
  const checked = checkRequest(card, { prompt: form.prompt, parameters, references }, new Set())
  const violations: PlanViolation[] = [...checked.violations]
  if (form.size.pixels !== undefined && sizeRule && !readPixels(form.size.pixels)) {
    violations.push({ path: 'parameters.size', code: 'size_unfinished', values: {} })
  }
  if (!model.configured) violations.push({ path: 'model', code: 'not_configured', values: { model: model.id } })
  for (const { code, values } of checked.warnings) {
    if (code === 'prompt_cut') notes.push({ kind: code, most: Number(values?.most), length: Number(values?.length) })
  }
  const isHere = model.is_served || !model.configured
  if (model.life.stage !== 'current' || !isHere) notes.push({ kind: 'standing' })

  const size = openSize(sizeRule, chosen, references) ?? checked.resolvedSize
  const estimate = estimateCost(card, {
    images: count,
    calls: splitCount(card, counts).length,
    size,
    references,
    parameters: fillDefaults(card, values),
    mayMakeFewer: isGroup,
  })
  const isMost = isGroup && count > 1
  const isLeast = isGroup && (card.images.group?.maxLayers ?? 0) > 0
  return {
    model,
    body: {
      prompt: form.prompt,
      model: model.id,
      parameters,
      ...(references > 0 ? { images: [...form.references] } : {}),
    },
    ...{ count, sizeRule, notes, violations },
    pixels: size && 'width' in size ? size : undefined,
    cost: estimate
      ? {
          ...estimate,
          isEstimate: card.price?.certainty !== 'documented' || (estimate.min < estimate.max && !isMost && !isLeast),
          ...{ isLeast, isMost },
        }
      : undefined,
  }
}

/** A tier whose shape is that of a reference, which only the server knows. */
function openSize(rule: SizeRule | undefined, { size }: ChosenSize, references: number) {
  const keyword = size ?? rule?.default
  return rule && keyword !== undefined && references > 0 && followsReference(rule, keyword) ? { keyword } : undefined
}

/** Together, one sum a currency; undefined where no price is known at all. */
export function sumCosts(costs: readonly (Cost | undefined)[]): { costs: Cost[]; isComplete: boolean } {
  const sums = new Map<string, Cost>()
  const round = (amount: number) => Math.round(amount * 1e6) / 1e6
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
