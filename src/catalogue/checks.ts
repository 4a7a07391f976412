/** Everything that can be refused before money moves and before a reference is fetched. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import type { JsonObject, JsonValue, Model, SizeRule, Warning } from './model.ts'
import { modelSchema, sizeRules } from './schema.ts'
import type { Violation } from './violation.ts'

export interface CheckedRequest {
  count: number
  /** `size` as asked. */
  size: string | undefined
  /** Only what the model honours, without `size` and `n`. */
  parameters: JsonObject
  warnings: Warning[]
  /** The rule that a size has to keep; undefined when this model takes none in this mode. */
  sizeRule: SizeRule | undefined
  violations: Violation[]
}

/** Checks prompt, parameters and counts against the model; holds every violation, not just the first. */
export function checkRequest(
  model: Model,
  request: { prompt: string; parameters: JsonObject; references: number },
  knownNames: ReadonlySet<string>,
): CheckedRequest {
  const violations: Violation[] = []
  const warnings: Warning[] = []
  const honoured: JsonObject = {}
  const schema = modelSchema(model)
  const names = schema.properties as Record<string, unknown>
  for (const [name, value] of Object.entries(request.parameters)) {
    if (Object.hasOwn(names, name)) honoured[name] = value
    else if (knownNames.has(name))
      warnings.push({ code: 'left_out', parameter: name, message: `${model.id} has no ${name}; it was left out.` })
    else violations.push({ path: `parameters.${name}`, message: unknownName(name, Object.keys(names), knownNames) })
  }
  violations.push(...checkValues(model, honoured))

  if (request.prompt.trim() === '' && needsPrompt(model, honoured)) {
    violations.push({ path: 'prompt', message: 'Say in "prompt" what to draw.' })
  }
  const length = [...request.prompt].length
  if (model.promptMaxCharacters && length > model.promptMaxCharacters) {
    const message = `The prompt has ${length} characters; ${model.id} reads the first ${model.promptMaxCharacters} and ignores the rest.`
    const values = { length, most: model.promptMaxCharacters }
    warnings.push({ code: 'prompt_cut', parameter: 'prompt', message, values })
  }
  violations.push(...checkReferenceCount(model, request.references))

  const { size, n, ...parameters } = honoured
  const count = typeof n === 'number' ? n : 1
  const group = asksForGroup(model, count, parameters)
  const most = group ? groupLimit(model, request.references) : model.images.max
  if (count > most && violations.every(violation => violation.path !== 'parameters.n')) {
    const why =
      group && model.images.group?.countsReferences
        ? `, of ${model.images.group.limit} together with the references`
        : ''
    violations.push({
      path: 'parameters.n',
      message: `${model.id} makes at most ${most} pictures here${why}; got n = ${count}.`,
    })
  }
  return {
    count,
    size: typeof size === 'string' ? size : undefined,
    parameters,
    warnings,
    sizeRule: sizeRuleFor(model, { group, references: request.references }),
    violations,
  }
}

/** A model that takes pictures apart needs no prompt for that, and for nothing else. */
function needsPrompt(model: Model, parameters: JsonObject) {
  return model.promptRequired || (model.images.group?.askedBy !== undefined && !asksForGroup(model, 1, parameters))
}

function asksForGroup(model: Model, count: number, parameters: JsonObject) {
  const group = model.images.group
  if (!group) return false
  return group.askedBy ? parameters[group.askedBy] === true : count > 1
}

function groupLimit(model: Model, references: number) {
  const group = model.images.group
  if (!group) return model.images.max
  return group.countsReferences ? group.limit - references : group.limit
}

function sizeRuleFor(model: Model, mode: { group: boolean; references: number }) {
  const { textToImage, withReferences, group } = model.sizes
  if (mode.group && group) return group
  return mode.references > 0 ? (withReferences ?? textToImage) : (textToImage ?? withReferences)
}

function checkReferenceCount(model: Model, count: number): Violation[] {
  const { min, max } = model.references
  if (count > max) {
    const most =
      max === 0 ? 'takes no references; choose another model to edit a picture' : `takes at most ${max} references`
    return [{ path: 'images', message: `${model.id} ${most}; got ${count}.` }]
  }
  if (count < min) {
    const needed = min === 1 ? 'a reference picture' : `${min} reference pictures`
    return [{ path: 'images', message: `${model.id} edits pictures: give it ${needed} in "images".` }]
  }
  return []
}

// ── Values ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const ajv = new Ajv2020({ allErrors: true, strict: false, verbose: true })
const validators = new WeakMap<Model, ValidateFunction>()

function checkValues(model: Model, parameters: JsonObject): Violation[] {
  let validate = validators.get(model)
  if (!validate) {
    // The size has a check of its own, which knows more than a schema can say.
    const { size: _, ...properties } = modelSchema(model).properties as Record<string, unknown>
    validate = ajv.compile({ type: 'object', properties })
    validators.set(model, validate)
  }
  const violations: Violation[] = []
  if ('size' in parameters && typeof parameters.size !== 'string') {
    violations.push({ path: 'parameters.size', message: `size must be a text such as "${exampleSize(model)}".` })
  }
  if (!validate(parameters)) violations.push(...(validate.errors ?? []).map(error => toViolation(model, error)))
  // A value that fits none of several alternatives yields an error for each; one a path is enough.
  return violations.filter((violation, index) => violations.findIndex(other => other.path === violation.path) === index)
}

function exampleSize(model: Model) {
  const rule = sizeRules(model)[0]
  return Object.values(rule?.table ?? {}).flatMap(Object.values)[0] ?? rule?.keywords?.[0] ?? '1024x1024'
}

function toViolation(model: Model, error: ErrorObject): Violation {
  const path = `parameters${error.instancePath.replaceAll('/', '.')}`
  const name = path.slice('parameters.'.length)
  const limit = error.params.limit as number | undefined
  const got = shown(error.data as JsonValue)
  switch (error.keyword) {
    case 'minimum':
      return { path, message: `${name} must be at least ${limit} for ${model.id}; got ${got}. Use ${limit} or more.` }
    case 'maximum':
      return { path, message: `${name} must be at most ${limit} for ${model.id}; got ${got}. Use ${limit} or less.` }
    case 'enum':
      return {
        path,
        message: `${name} must be one of ${(error.params.allowedValues as unknown[]).map(shown).join(', ')} for ${model.id}; got ${got}.`,
      }
    case 'type':
      return { path, message: `${name} must be ${article(String(error.params.type))}; got ${got}.` }
    case 'maxLength':
      return {
        path,
        message: `${name} must have at most ${limit} characters for ${model.id}; it has ${[...String(error.data)].length}.`,
      }
    default:
      return { path, message: `${name} ${error.message ?? 'is not valid'} (${model.id}).` }
  }
}

function article(type: string) {
  return (
    {
      integer: 'a whole number',
      number: 'a number',
      boolean: 'true or false',
      string: 'a text',
      array: 'a list',
      object: 'an object',
    }[type] ?? type
  )
}

function shown(value: unknown) {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

function unknownName(name: string, names: string[], knownNames: ReadonlySet<string>) {
  const near = [...names, ...knownNames].find(known => closeTo(known, name))
  const hint = near ? `Did you mean "${near}"?` : `This model takes: ${names.join(', ')}.`
  return `No model has a parameter "${name.slice(0, 60)}". ${hint}`
}

/** Alike but for case and separators, or one letter apart. */
function closeTo(known: string, name: string) {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  const [a, b] = [plain(known), plain(name)]
  if (a === b) return true
  if (Math.abs(a.length - b.length) > 1 || Math.min(a.length, b.length) < 4) return false
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  const rest = (text: string, skip: number) => text.slice(start + skip)
  return rest(a, 1) === rest(b, 1) || rest(a, 1) === rest(b, 0) || rest(a, 0) === rest(b, 1)
}
