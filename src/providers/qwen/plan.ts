/** A request to DashScope, as calls with their exact bodies. Pure. */

import { asksForGroup, type CountRequest, findSizeRule, splitCount } from '../../catalogue/counts.ts'
import type { JsonObject, JsonValue, Model, Warning, WarningCode } from '../../catalogue/model.ts'
import { fillDefaults } from '../../catalogue/parameters.ts'
import { formatPixels, formatSize, resolveSize } from '../../catalogue/sizes.ts'
import { InvalidRequest, type RuleViolation } from '../../catalogue/violation.ts'
import type { Plan, PlannedCall, PlanRequest } from '../provider.ts'
import { findWire, negativePromptCharacters, type Route, type Wire } from './models.ts'

// The service gives up after 300 s; a submit is answered at once. But 20 MB of references take their time on a slow line, and to hang
// up on a synchronous answer would lose a picture that is paid.
const synchronousTimeoutMs = 330_000

const uploadTimeoutMs = 300_000

const largestSeed = 2_147_483_647

/** The limits of the model for one kind of request: a plain one, a series, or text with images. */
type Manner = 'plain' | 'series' | 'interleaved'

/** @see Provider.plan */
export function plan(request: PlanRequest, model: Model): Plan {
  const wire = findWire(model.family)
  const counts = { count: request.count, references: request.references.length, parameters: request.parameters }
  const manner = findManner(model, counts)
  const { parameters, warnings } = settledParameters(request, model, manner)

  const violations = findViolations(request, model, counts, parameters)
  if (violations.length > 0) throw new InvalidRequest(violations)

  const sizes = request.references.length > 0 ? model.sizes.withReferences : model.sizes.textToImage
  const asked = request.size && formatSize(request.size)
  // DashScope wants 1024*1024 where everyone else writes 1024x1024.
  const size = sizes && asked ? asked.replace(/^(\d+)x(\d+)$/, '$1*$2') : undefined
  if (asked && !sizes) {
    warnings.push({
      code: 'size_of_reference',
      parameter: 'size',
      message: `${model.name} takes the size from the reference and has none to set.`,
    })
  }

  const calls = splitCount(model, counts).map((images, index): PlannedCall => {
    const before = index * model.images.perCall
    const seed = typeof parameters.seed === 'number' ? (parameters.seed + before) % (largestSeed + 1) : undefined
    const sent: JsonObject = { ...parameters, ...(seed === undefined ? {} : { seed }) }
    if (size !== undefined) sent.size = size
    if (wire.takesCount) sent.n = manner === 'interleaved' ? 1 : images
    if (manner === 'interleaved') sent.max_images = images
    return {
      route: wire.route,
      body: buildBody(request, wire, sent),
      images,
      ...(manner === 'plain' ? {} : { mayMakeFewer: true }),
      timeoutMs: estimateTimeout(wire.route, request.references.length),
    }
  })

  const resolvedSize: JsonObject = size === undefined ? {} : { size: asked! }
  return { calls, warnings, resolved: { ...resolvedSize, n: request.count, ...parameters } }
}

function estimateTimeout(route: Route, references: number): number {
  if (route !== 'MM') return uploadTimeoutMs
  return synchronousTimeoutMs + (references > 0 ? uploadTimeoutMs : 0)
}

function findManner(model: Model, counts: CountRequest): Manner {
  if (!asksForGroup(model, counts)) return 'plain'
  return 'enable_interleave' in model.parameters ? 'interleaved' : 'series'
}

/** The requested parameters over our defaults, without those that have no effect in this combination. */
function settledParameters(request: PlanRequest, model: Model, manner: Manner) {
  const parameters = fillDefaults(model, request.parameters)
  const warnings: Warning[] = []
  const leaveOut = (parameter: string, code: WarningCode, reason: string) => {
    if (request.parameters[parameter] !== undefined) warnings.push({ code, parameter, message: `Not sent: ${reason}` })
    delete parameters[parameter]
  }

  const hasReferences = request.references.length > 0
  if (parameters.prompt_extend === false) {
    leaveOut('enable_thinking', 'needs_rewriting', 'it works only while prompt_extend is true.')
    leaveOut('prompt_extend_mode', 'needs_rewriting', 'it works only while prompt_extend is true.')
  }
  if (hasReferences || manner === 'series') {
    leaveOut('thinking_mode', 'needs_plain_text', 'it works only for pictures from text that are no series.')
  }
  if (!hasReferences) {
    leaveOut('ref_strength', 'needs_reference', 'it needs a reference.')
    leaveOut('ref_mode', 'needs_reference', 'it needs a reference.')
  }
  const negative = parameters.negative_prompt
  const length = typeof negative === 'string' ? [...negative].length : 0
  const most = negativePromptCharacters(model.family)
  if (most !== undefined && length > most) {
    const message = `It has ${length} characters; ${model.id} reads the first ${most} and ignores the rest.`
    const values = { length, most }
    warnings.push({ code: 'negative_prompt_cut', parameter: 'negative_prompt', message, values })
  }
  if (manner === 'interleaved') {
    leaveOut('prompt_extend', 'story_writes_itself', 'text with pictures is written by the model itself.')
    parameters.enable_interleave = true
    if (request.parameters.enable_interleave === undefined) {
      warnings.push({
        code: 'story_without_reference',
        parameter: 'enable_interleave',
        message: `Without references ${model.name} makes text with pictures; the pictures are kept. Add a reference to edit it.`,
      })
    }
  }
  return { parameters, warnings }
}

/** Every violation of the rules that join several parts of a request. */
function findViolations(
  request: PlanRequest,
  model: Model,
  counts: CountRequest,
  parameters: JsonObject,
): RuleViolation[] {
  const violations: RuleViolation[] = []
  // Checked again here, because it costs money.
  const rule = findSizeRule(model, counts)
  const resolved = rule && request.size ? resolveSize(rule, model.id, formatSize(request.size)) : {}
  if ('violation' in resolved) violations.push(resolved.violation)
  if (parameters.prompt_extend_mode === 'agent' && counts.references > 0) {
    violations.push({ path: 'parameters.prompt_extend_mode', code: 'agent_with_references', values: {} })
  }
  if (model.family === 'wan2.7-image') violations.push(...checkPalette(parameters), ...checkBoxes(parameters, counts))
  if (model.family === 'wanx2.1-imageedit') violations.push(...checkMask(request, parameters))
  return violations
}

function checkPalette({ color_palette: palette }: JsonObject): RuleViolation[] {
  if (!Array.isArray(palette)) return []
  // Counted in hundredths of a percent, because sums of decimals are not exact.
  const shares = palette.map(entry => {
    const ratio = Object(entry).ratio
    return typeof ratio === 'string' ? Math.round(Number.parseFloat(ratio) * 100) : Number.NaN
  })
  const total = shares.reduce((sum, share) => sum + share, 0)
  if (total === 10_000) return []
  const values = { total: `${(total / 100).toFixed(2)}%` }
  return [{ path: 'parameters.color_palette', code: 'palette_sum', values }]
}

function checkBoxes({ bbox_list: boxes }: JsonObject, { references }: CountRequest): RuleViolation[] {
  if (!Array.isArray(boxes)) return []
  const violations: RuleViolation[] = []
  if (boxes.length !== references) {
    const values = { references, got: boxes.length }
    violations.push({ path: 'parameters.bbox_list', code: 'boxes_per_reference', values })
  }
  boxes.forEach((list, index) => {
    if (!Array.isArray(list)) return
    list.forEach((box, position) => {
      const [left, top, right, bottom] = Array.isArray(box) ? box.map(Number) : []
      if (left !== undefined && right! > left && bottom! > top!) return
      violations.push({ path: `parameters.bbox_list.${index}.${position}`, code: 'box_corners', values: {} })
    })
  })
  return violations
}

function checkMask({ references }: PlanRequest, parameters: JsonObject): RuleViolation[] {
  const [base, mask] = references
  const refuse = (code: RuleViolation['code'], values: RuleViolation['values'] = {}) => {
    return [{ path: 'images', code, values }]
  }
  if (parameters.function !== 'description_edit_with_mask') {
    return mask ? refuse('function_one_reference', { function: String(parameters.function) }) : []
  }
  if (!mask || !base) return refuse('mask_missing')
  if (mask.width === base.width && mask.height === base.height) return []
  return refuse('mask_size', { got: formatPixels(mask), size: formatPixels(base) })
}

function buildBody(request: PlanRequest, wire: Wire, parameters: JsonObject): JsonObject {
  const places = request.references.map((_, index): JsonValue => ({ $reference: index }))
  if (wire.route === 'MM' || wire.route === 'IG') {
    // References first and the text last: the order of every Qwen example, and Wan takes both.
    const content = [...places.map((image): JsonValue => ({ image })), { text: request.prompt }]
    return { model: request.modelId, input: { messages: [{ role: 'user', content }] }, parameters }
  }

  const input: JsonObject = { prompt: request.prompt }
  const rest = { ...parameters }
  // These two belong to `input` on the older routes.
  for (const name of ['negative_prompt', 'function']) {
    if (rest[name] === undefined) continue
    input[name] = rest[name]
    delete rest[name]
  }
  const [first, second] = places
  if (first !== undefined) {
    if (wire.references === 'ref_img') input.ref_img = first
    else if (wire.references === 'base_and_mask') input.base_image_url = first
    else input.images = places
  }
  if (second !== undefined && wire.references === 'base_and_mask') input.mask_image_url = second
  return { model: request.modelId, input, parameters: rest }
}
