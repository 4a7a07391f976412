/** A request to DashScope, as calls with their exact bodies. Pure. */

import type { JsonObject, JsonValue, Model, Size, Warning, WarningCode } from '../../catalogue/model.ts'
import { InvalidRequest, type Violation } from '../../catalogue/violation.ts'
import type { Plan, PlannedCall, PlanRequest } from '../provider.ts'
import { negativePromptCharacters, type Route, type Wire, wireOf } from './models.ts'

// The service gives up after 300 s; a submit is answered at once. But 20 MB of references take their time on a slow line, and to hang
// up on a synchronous answer would lose a picture that is paid.
const synchronousTimeoutMs = 330_000

const uploadTimeoutMs = 300_000

const largestSeed = 2_147_483_647

/** The most pictures of one generation outside a series. */
const maxPictures = 10

const maxInterleaved = 5

/** What one kind of request makes of the model: a plain one, a series, or text with pictures. */
type Manner = 'plain' | 'series' | 'interleaved'

/** @see Provider.plan */
export function plan(request: PlanRequest, model: Model): Plan {
  const wire = wireOf(model.family)
  const manner = mannerOf(request, model)
  const { parameters, warnings } = settledParameters(request, model, manner)

  const violations = findViolations(request, model, manner, parameters)
  if (violations.length > 0) throw new InvalidRequest(violations)

  const sizes = request.references.length > 0 ? model.sizes.withReferences : model.sizes.textToImage
  const size = sizes && request.size ? spelled(request.size, '*') : undefined
  if (request.size && !sizes) {
    warnings.push({
      code: 'size_of_reference',
      parameter: 'size',
      message: `${model.name} takes the size from the reference and has none to set.`,
    })
  }

  const calls = countsPerCall(request.count, model, manner).map(({ images, before }): PlannedCall => {
    const seed = typeof parameters.seed === 'number' ? (parameters.seed + before) % (largestSeed + 1) : undefined
    const sent: JsonObject = { ...parameters, ...(seed === undefined ? {} : { seed }) }
    if (size !== undefined) sent.size = size
    if (wire.takesCount) sent.n = manner === 'interleaved' ? 1 : images
    if (manner === 'interleaved') sent.max_images = images
    return {
      route: wire.route,
      body: bodyOf(request, wire, sent),
      images,
      ...(manner === 'plain' ? {} : { mayMakeFewer: true }),
      timeoutMs: timeoutOf(wire.route, request.references.length),
    }
  })

  const resolvedSize: JsonObject = size === undefined ? {} : { size: spelled(request.size!, 'x') }
  return { calls, warnings, resolved: { ...resolvedSize, n: request.count, ...parameters } }
}

function timeoutOf(route: Route, references: number): number {
  if (route !== 'MM') return uploadTimeoutMs
  return synchronousTimeoutMs + (references > 0 ? uploadTimeoutMs : 0)
}

function mannerOf(request: PlanRequest, model: Model): Manner {
  const { enable_sequential, enable_interleave } = request.parameters
  if ('enable_sequential' in model.parameters && enable_sequential === true) return 'series'
  // Without a reference this is the only thing that such a model can do.
  const interleaves = enable_interleave ?? request.references.length === 0
  return 'enable_interleave' in model.parameters && interleaves === true ? 'interleaved' : 'plain'
}

/** What was asked for over what we send by default, less what has no effect in this combination. */
function settledParameters(request: PlanRequest, model: Model, manner: Manner) {
  const parameters: JsonObject = {}
  const warnings: Warning[] = []
  for (const [name, schema] of Object.entries(model.parameters)) {
    const value = request.parameters[name] ?? (schema.default as JsonValue | undefined)
    if (value !== undefined) parameters[name] = value
  }
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
function findViolations(request: PlanRequest, model: Model, manner: Manner, parameters: JsonObject): Violation[] {
  const violations: Violation[] = []
  const references = request.references.length
  const violation = (path: string, message: string) => violations.push({ path, message })

  if (manner === 'plain' && request.count > maxPictures) {
    const series = model.images.group
      ? `, or ask for a series of up to ${model.images.group.limit} with enable_sequential: true`
      : ''
    violation(
      'parameters.n',
      `One generation makes at most ${maxPictures} pictures, for example n: ${maxPictures}${series}.`,
    )
  }
  if (manner === 'series' && request.count > (model.images.group?.limit ?? maxPictures)) {
    violation('parameters.n', `A series has at most ${model.images.group?.limit} pictures, for example n: 4.`)
  }
  if (manner === 'interleaved' && request.count > maxInterleaved) {
    violation('parameters.n', `Text with pictures holds at most ${maxInterleaved}, for example n: ${maxInterleaved}.`)
  }
  if (manner === 'interleaved' && references > 1) {
    violation(
      'images',
      'Text with pictures takes at most 1 reference; send 1, or set enable_interleave to false to edit them.',
    )
  }
  if ('enable_interleave' in model.parameters && manner === 'plain' && references === 0) {
    violation('images', 'Editing needs at least 1 reference; send 1 to 4, or set enable_interleave to true.')
  }
  if (parameters.prompt_extend_mode === 'agent' && references > 0) {
    violation('parameters.prompt_extend_mode', 'The mode "agent" works without references only; use "direct".')
  }
  if (model.family === 'wan2.7-image') violations.push(...findWan27Violations(request, model, manner, parameters))
  if (model.family === 'wanx2.1-imageedit') violations.push(...findEditViolations(request, parameters))
  return violations
}

function findWan27Violations(request: PlanRequest, model: Model, manner: Manner, parameters: JsonObject): Violation[] {
  const violations: Violation[] = []
  const { size, references } = request

  const isSmallOnly = manner === 'series' || references.length > 0
  const most = isSmallOnly ? 2048 * 2048 : model.sizes.textToImage?.free?.maxArea
  if (isSmallOnly && size && 'keyword' in size && size.keyword === '4K') {
    violations.push({ path: 'parameters.size', message: '4K works for pictures from text that are no series; use 2K.' })
  }
  if (size && 'width' in size && most !== undefined && size.width * size.height > most) {
    violations.push({
      path: 'parameters.size',
      message: `${spelled(size, 'x')} is more than ${most} pixels, the most here; use 2048x2048 or smaller.`,
    })
  }

  const palette = parameters.color_palette
  if (Array.isArray(palette)) {
    // In hundredths of a percent, because sums of decimals are not exact.
    const shares = palette.map(entry => {
      const ratio = Object(entry).ratio
      return typeof ratio === 'string' ? Math.round(Number.parseFloat(ratio) * 100) : Number.NaN
    })
    const total = shares.reduce((sum, share) => sum + share, 0)
    if (total !== 10_000) {
      violations.push({
        path: 'parameters.color_palette',
        message: `The ratios add up to ${(total / 100).toFixed(2)}% and must add up to 100.00%, for example 40.00%, 35.00% and 25.00%.`,
      })
    }
    if (palette.length < 3 || palette.length > 10) {
      violations.push({
        path: 'parameters.color_palette',
        message: `A palette has 3 to 10 colours, not ${palette.length}; give 3, for example.`,
      })
    }
  }

  const boxes = parameters.bbox_list
  if (Array.isArray(boxes)) {
    if (boxes.length !== references.length) {
      violations.push({
        path: 'parameters.bbox_list',
        message: `There must be one list of boxes for each of the ${references.length} references, [] for none, not ${boxes.length} lists.`,
      })
    }
    boxes.forEach((list, index) => {
      if (!Array.isArray(list)) return
      if (list.length > 2) {
        violations.push({
          path: `parameters.bbox_list.${index}`,
          message: `A reference has at most 2 boxes, not ${list.length}; give 2 or fewer.`,
        })
      }
      list.forEach((box, position) => {
        const [left, top, right, bottom] = Array.isArray(box) ? box.map(Number) : []
        if (left !== undefined && right! > left && bottom! > top!) return
        violations.push({
          path: `parameters.bbox_list.${index}.${position}`,
          message:
            'A box is [x1, y1, x2, y2] with x2 greater than x1 and y2 greater than y1, for example [0, 0, 100, 100].',
        })
      })
    })
  }
  return violations
}

function findEditViolations(request: PlanRequest, parameters: JsonObject): Violation[] {
  const [base, mask] = request.references
  if (parameters.function !== 'description_edit_with_mask') {
    if (!mask) return []
    return [
      {
        path: 'images',
        message: `The function "${String(parameters.function)}" takes 1 reference; send 1, or use "description_edit_with_mask" with a mask as the second.`,
      },
    ]
  }
  if (!mask || !base) {
    return [
      {
        path: 'images',
        message:
          'The function "description_edit_with_mask" takes 2 references: the picture and its mask, white where to edit.',
      },
    ]
  }
  if (mask.width === base.width && mask.height === base.height) return []
  return [
    {
      path: 'images',
      message: `The mask is ${mask.width}x${mask.height} and must have the size of the picture, ${base.width}x${base.height}.`,
    },
  ]
}

function countsPerCall(count: number, model: Model, manner: Manner): { images: number; before: number }[] {
  const perCall = manner === 'plain' ? model.images.perCall : count
  return Array.from({ length: Math.ceil(count / perCall) }, (_, index) => ({
    images: Math.min(perCall, count - index * perCall),
    before: index * perCall,
  }))
}

/** DashScope wants 1024*1024 where everyone else writes 1024x1024. */
function spelled(size: Size, separator: '*' | 'x'): string {
  return 'keyword' in size ? size.keyword : `${size.width}${separator}${size.height}`
}

function bodyOf(request: PlanRequest, wire: Wire, parameters: JsonObject): JsonObject {
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
