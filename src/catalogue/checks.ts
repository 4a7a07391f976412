/** Everything that can be rejected before money moves and before a reference is fetched. */
import { asksForGroup, type CountRequest, checkCounts, findSizeRule } from './counts.ts'
import { checkValue, type ValueSchema } from './json-schema.ts'
import type { JsonObject, Model, Size, SizeRule, Warning } from './model.ts'
import { listSizeRules, modelSchema } from './parameters.ts'
import { findNearestSize, resolveSize } from './sizes.ts'
import type { RuleViolation } from './violation.ts'

export interface CheckedRequest {
  count: number
  /** `size` as asked, or the nearest one where that was asked for. */
  size: string | undefined
  /** Parameters that the model honours, without `size` and `n`. */
  parameters: JsonObject
  warnings: Warning[]
  /** The rule that a size has to keep; undefined when this model takes none in this mode. */
  sizeRule: SizeRule | undefined
  /** The size, as far as it does not depend on the ratio of a reference, which may change it but not whether it is allowed. */
  resolvedSize: Size | undefined
  violations: RuleViolation[]
}

/** Checks prompt, parameters, counts and size against the model; holds every violation, not just the first. */
export function checkRequest(
  model: Model,
  request: { prompt: string; parameters: JsonObject; references: number; fitsSize?: boolean },
  knownNames: ReadonlySet<string>,
): CheckedRequest {
  const violations: RuleViolation[] = []
  const warnings: Warning[] = []
  const honoured: JsonObject = {}
  const names = modelSchema(model).properties
  for (const [name, value] of Object.entries(request.parameters)) {
    if (Object.hasOwn(names, name)) honoured[name] = value
    else if (knownNames.has(name))
      warnings.push({ code: 'left_out', parameter: name, message: `${model.id} has no ${name}; it was left out.` })
    else violations.push(refuseName(name, Object.keys(names), knownNames))
  }
  violations.push(...checkValues(model, honoured, names))

  const { size: asked, n, ...parameters } = honoured
  let size = typeof asked === 'string' ? asked : undefined
  const counts = { count: typeof n === 'number' ? n : 1, references: request.references, parameters }
  if (request.prompt.trim() === '' && needsPrompt(model, counts)) {
    violations.push({ path: 'prompt', code: 'prompt_missing', values: {} })
  }
  const length = [...request.prompt].length
  if (model.promptMaxCharacters && length > model.promptMaxCharacters) {
    const message = `The prompt has ${length} characters; ${model.id} reads the first ${model.promptMaxCharacters} and ignores the rest.`
    const values = { length, most: model.promptMaxCharacters }
    warnings.push({ code: 'prompt_cut', parameter: 'prompt', message, values })
  }
  const sizeRule = findSizeRule(model, counts)
  let resolved = sizeRule ? resolveSize(sizeRule, model.id, size) : {}
  const nearest =
    request.fitsSize && sizeRule && size && 'violation' in resolved ? findNearestSize(sizeRule, size) : undefined
  if (sizeRule && size && nearest) {
    const message = `${model.id} has no size ${size}; it is made in the nearest one, ${nearest}.`
    warnings.push({ code: 'size_fitted', parameter: 'size', message, values: { asked: size, size: nearest } })
    size = nearest
    resolved = resolveSize(sizeRule, model.id, size)
  }
  const isNew = ({ path }: RuleViolation) => violations.every(violation => violation.path !== path)
  violations.push(...checkCounts(model, counts).filter(isNew))
  if ('violation' in resolved && isNew(resolved.violation)) violations.push(resolved.violation)
  return {
    ...{ count: counts.count, size, parameters, warnings, sizeRule, violations },
    resolvedSize: 'size' in resolved ? resolved.size : undefined,
  }
}

/** A model that splits an image into layers needs no prompt for that, and only for that. */
function needsPrompt(model: Model, request: CountRequest) {
  return model.promptRequired || (model.images.group?.askedBy !== undefined && !asksForGroup(model, request))
}

function checkValues(model: Model, parameters: JsonObject, schemas: Record<string, ValueSchema>): RuleViolation[] {
  return Object.entries(parameters).flatMap(([name, value]) => {
    // The size has a check of its own, which knows more than a schema can say.
    if (name !== 'size') return checkParameter(model, name, schemas[name] ?? {}, value)
    if (typeof value === 'string') return []
    return [{ path: 'parameters.size', code: 'size_type', values: { example: exampleSize(model) } }]
  })
}

function checkParameter(model: Model, name: string, schema: ValueSchema, value: unknown): RuleViolation[] {
  return checkValue(schema, value).map(({ path: inside, code, values }) => {
    const parameter = inside === '' ? name : `${name}.${inside}`
    return { path: `parameters.${parameter}`, code, values: { ...values, parameter, model: model.id } }
  })
}

function exampleSize(model: Model) {
  const rule = listSizeRules(model)[0]
  return Object.values(rule?.table ?? {}).flatMap(Object.values)[0] ?? rule?.keywords?.[0] ?? '1024x1024'
}

function refuseName(name: string, names: string[], knownNames: ReadonlySet<string>): RuleViolation {
  const near = [...names, ...knownNames].find(known => isClose(known, name))
  return {
    path: `parameters.${name}`,
    code: 'unknown_parameter',
    values: { parameter: name.slice(0, 60), ...(near ? { near } : { known: names.join(', ') }) },
  }
}

/** Equal except for case and separators, or one letter apart. */
function isClose(known: string, name: string) {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  const [a, b] = [plain(known), plain(name)]
  if (a === b) return true
  if (Math.abs(a.length - b.length) > 1 || Math.min(a.length, b.length) < 4) return false
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  const rest = (text: string, skip: number) => text.slice(start + skip)
  return rest(a, 1) === rest(b, 1) || rest(a, 1) === rest(b, 0) || rest(a, 0) === rest(b, 1)
}
