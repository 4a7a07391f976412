/** The parameters of a model: their names, their JSON Schema, and their defaults. */

import type { ValueSchema } from './json-schema.ts'
import type { JsonObject, Model, SizeRule } from './model.ts'

/** Names that every client may send to every model; what a model cannot honour is left out with a warning. */
const commonNames = [
  'size',
  'n',
  'seed',
  'negative_prompt',
  'guidance_scale',
  'watermark',
  'prompt_extend',
  'output_format',
]

/** Every parameter name that at least one model knows. */
export function collectNames(models: readonly Model[]): ReadonlySet<string> {
  return new Set([...commonNames, ...models.flatMap(model => Object.keys(model.parameters))])
}

/** The most pictures that one generation of this model may ask for. */
export function maxImages(model: Model) {
  return Math.max(model.images.max, model.images.group?.limit ?? 0)
}

export function listSizeRules(model: Model): SizeRule[] {
  return [model.sizes.textToImage, model.sizes.withReferences, model.sizes.group].filter(rule => rule !== undefined)
}

/** The JSON Schema (draft 2020-12) of `parameters` for this model: enough to draw its form and to refuse a bad request. */
export function modelSchema(model: Model) {
  const rules = listSizeRules(model)
  const properties: Record<string, ValueSchema> = {}
  if (rules.length > 0) properties.size = sizeSchema(rules)
  properties.n = {
    type: 'integer',
    minimum: 1,
    maximum: maxImages(model),
    default: 1,
    description: 'Pictures wanted, made in as few paid requests as the service allows.',
  }
  Object.assign(properties, model.parameters)
  return { type: 'object', properties, additionalProperties: false }
}

/** Values that the service gets where nothing is asked for. */
export function fillDefaults({ parameters: schemas }: Model, asked: JsonObject): JsonObject {
  const filled = Object.entries(schemas).map(([name, schema]) => [name, asked[name] ?? schema.default])
  return Object.fromEntries(filled.filter(([, value]) => value !== undefined))
}

function sizeSchema(rules: SizeRule[]): ValueSchema {
  const tiers = unique(rules.flatMap(rule => [...(rule.keywords ?? []), ...Object.keys(rule.table).filter(Boolean)]))
  const ratios = unique(rules.flatMap(rule => Object.values(rule.table).flatMap(Object.keys)))
  const exact = unique(rules.flatMap(rule => rule.exact ?? []))
  const free = rules.some(rule => rule.free)
  const forms: ValueSchema[] = []
  if (tiers.length > 0) forms.push({ title: 'tier', enum: tiers })
  if (ratios.length > 0) forms.push({ title: 'ratio', pattern: '^\\d+(\\.\\d+)?:\\d+(\\.\\d+)?$', examples: ratios })
  if (free) forms.push({ title: 'pixels', pattern: '^\\d{1,5}x\\d{1,5}$', examples: recommended(rules) })
  else if (exact.length > 0) forms.push({ title: 'pixels', enum: exact })
  const schema: ValueSchema = {
    type: 'string',
    description:
      'Width and height in pixels (`WxH`), a ratio such as `16:9`, or a tier such as `2K`, as far as listed.',
    anyOf: forms,
  }
  const standard = rules[0]?.default
  return standard ? { ...schema, default: standard } : schema
}

function recommended(rules: SizeRule[]) {
  return unique(rules.flatMap(rule => Object.values(rule.table).flatMap(Object.values))).slice(0, 24)
}

function unique(words: string[]) {
  return [...new Set(words)]
}
