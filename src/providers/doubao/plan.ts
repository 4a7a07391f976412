/** A request to Ark, as calls with their exact bodies: Volcengine Ark document 1541523 (images), 2026-10. Pure. */

import { asksForGroup } from '../../catalogue/counts.ts'
import type { JsonObject, JsonValue, Model, Warning } from '../../catalogue/model.ts'
import { formatSize } from '../../catalogue/sizes.ts'
import { InvalidRequest, type RuleViolation } from '../../catalogue/violation.ts'
import { placeReferences } from '../exchange.ts'
import type { Plan, PlannedCall, PlanRequest } from '../provider.ts'
import { isOfBytePlus, traits } from './models.ts'

/** `images` makes images, `layers` splits one. Both use the same endpoint. */
type Route = 'images' | 'layers'

export function plan(request: PlanRequest, model: Model): Plan {
  const warnings: Warning[] = []
  const { parameters } = request
  const layers = parameters.layer_decomposition === true
  const violations = findViolations(request, model)
  if (violations.length > 0) throw new InvalidRequest(violations)

  const extras: JsonObject = {}
  for (const name of ['output_format', 'background', 'guidance_scale']) {
    if (parameters[name] !== undefined) extras[name] = parameters[name]
  }
  if (
    parameters.background === 'opaque' &&
    request.references.length !== 1 &&
    !traits[model.family]?.transparentFromText
  ) {
    delete extras.background
    warnings.push({
      code: 'needs_one_reference',
      parameter: 'background',
      message: `${request.modelId} takes a background only together with exactly one reference; otherwise it is opaque anyway.`,
    })
  }
  if (parameters.background === 'transparent') extras.output_format = 'png'

  // BytePlus refuses the field on lite (live, 2026-06).
  const searches = parameters.web_search === true && !isOfBytePlus(request.modelId)
  if (parameters.web_search === true && !searches) {
    const message = `${request.modelId} has no web_search; it was left out.`
    warnings.push({ code: 'left_out', parameter: 'web_search', message })
  }

  const size = writeSize(request, model, layers)
  const watermark = parameters.watermark === true
  const body: JsonObject = {
    model: request.modelId,
    ...(request.prompt.trim() === '' ? {} : { prompt: request.prompt }),
    ...placeReferences(request),
    size,
    response_format: 'url',
    // The service adds its watermark to every image unless told not to.
    watermark,
    ...extras,
    ...(parameters.optimize_prompt === 'fast' ? { optimize_prompt_options: { mode: 'fast' } } : {}),
    ...(searches ? { tools: [{ type: 'web_search' }] } : {}),
    ...(layers ? { layer_decomposition: true } : {}),
  }
  const resolved: JsonObject = { ...parameters, ...extras, size, watermark }
  if (extras.background === undefined) delete resolved.background
  if (parameters.web_search === true && !searches) delete resolved.web_search

  if (layers) {
    if (parameters.seed !== undefined) {
      const message = 'Layers are made without a seed; it was left out.'
      warnings.push({ code: 'layers_without_seed', parameter: 'seed', message })
      delete resolved.seed
    }
    // One image is requested; the number of layers is unknown, so none of them can be missing.
    const call: PlannedCall = { route: 'layers' satisfies Route, body, images: 1, timeoutMs: 900_000 }
    return { calls: [call], warnings, resolved: { ...resolved, n: 1 } }
  }
  if (asksForGroup(model, { count: request.count, references: request.references.length, parameters })) {
    const images = request.count
    if (!namesNumber(request.prompt, images)) warnings.push(numberWarning(request, images))
    const call: PlannedCall = {
      route: 'images' satisfies Route,
      body: {
        ...body,
        sequential_image_generation: 'auto',
        sequential_image_generation_options: { max_images: images },
        // A group takes minutes and would otherwise come as one answer: a cut connection would lose all of it.
        stream: true,
      },
      images,
      mayMakeFewer: true,
      timeoutMs: estimateTimeout(images),
    }
    return { calls: [call], warnings, resolved: { ...resolved, n: images } }
  }
  const calls = Array.from({ length: request.count }, (_, index): PlannedCall => {
    const seeded = parameters.seed === undefined ? body : { ...body, seed: nextSeed(parameters.seed, index) }
    return { route: 'images' satisfies Route, body: seeded, images: 1, timeoutMs: estimateTimeout(1) }
  })
  return { calls, warnings, resolved: { ...resolved, n: request.count } }
}

/** Always sent: what a missing size means differs between models and even between pages of the documents. */
function writeSize(request: PlanRequest, model: Model, layers: boolean): string {
  const { size } = request
  if (size) return formatSize(size)
  const { textToImage, withReferences, group } = model.sizes
  const rule = layers ? group : request.references.length > 0 ? withReferences : textToImage
  return rule?.default ?? '2K'
}

/** Several calls with one seed would make the same image several times. */
function nextSeed(seed: JsonValue, index: number): JsonValue {
  return typeof seed === 'number' && seed >= 0 ? (seed + index) % 2 ** 31 : seed
}

/** 300 s and 60 s for each further picture: lite takes 20 to 40 s for one, and a late answer is still billed. */
function estimateTimeout(images: number): number {
  return Math.min(300_000 + 60_000 * (images - 1), 1_200_000)
}

/** Number words, from two on. */
const english = 'two|pair|couple three four five six seven eight nine ten eleven twelve|dozen thirteen fourteen fifteen'
const chinese = '[二两俩] 三 四 五 六 七 八 九 十 十一 十二 十三 十四 十五'

/** Does the prompt say this number somewhere? `4K` and `4:3` do not count. */
function namesNumber(prompt: string, count: number): boolean {
  const text = prompt.normalize('NFKC').toLowerCase()
  const [word = count, numeral = count] = [english, chinese].map(words => words.split(' ')[count - 2])
  return new RegExp(`(?<![\\d.:x])${count}(?![\\d.:xk])|\\b(${word})\\b|${numeral}`).test(text)
}

function numberWarning({ modelId }: PlanRequest, images: number): Warning {
  return {
    code: 'series_number',
    parameter: 'n',
    message: `${modelId} takes from the prompt how many pictures of a series it makes, at most ${images}. Name the number there ("${images} pictures of …", "生成${images}张…") to get them all.`,
    values: { images },
  }
}

/** Rules that join several parameters. The service refuses the same, but only after the references were sent. */
function findViolations({ parameters, references, modelId: model }: PlanRequest, { family }: Model): RuleViolation[] {
  const violations: RuleViolation[] = []
  const refuse = (path: string, code: RuleViolation['code'], values: RuleViolation['values'] = {}) => {
    violations.push({ path, code, values })
  }
  const { background, output_format: format } = parameters
  const [reference] = references
  const got = references.length

  if (parameters.layer_decomposition === true) {
    if (got !== 1 || !reference) refuse('images', 'layers_one_reference', { model, got })
    else if (reference.width * reference.height < 262_144) {
      refuse('images', 'layers_small_reference', { area: 262_144, example: '512x512', got: formatSize(reference) })
    } else if (reference.mimeType === 'image/heic') refuse('images', 'layers_reference_type')
    if (background !== undefined) refuse('parameters.background', 'layers_with_background')
    return violations
  }

  if (background === 'transparent') {
    if (format !== undefined && format !== 'png') {
      refuse('parameters.output_format', 'transparent_format', { allowed: 'png', got: String(format) })
    }
    if (!traits[family]?.transparentFromText) {
      if (got !== 1 || !reference) refuse('images', 'transparent_reference', { model, got })
      else if (reference.mimeType !== 'image/png' || !reference.transparent) {
        refuse('images', 'transparent_reference_opaque', { model })
      }
    }
  }
  return violations
}
