/** A request to OpenAI's image API, as calls with their exact bodies (types of its official client 7.57.0, 2026-11). Pure. */

import { splitCount } from '../../catalogue/counts.ts'
import type { JsonObject, Model, Warning } from '../../catalogue/model.ts'
import { formatPixels, formatSize } from '../../catalogue/sizes.ts'
import { InvalidRequest, type RuleViolation } from '../../catalogue/violation.ts'
import { placeReferences } from '../exchange.ts'
import type { Plan, PlannedCall, PlanRequest } from '../provider.ts'

/** The endpoints: JSON for pictures from text, a form with files for pictures from pictures. */
type Route = 'generations' | 'edits'

export function plan(request: PlanRequest, model: Model): Plan {
  const violations = findViolations(request)
  if (violations.length > 0) throw new InvalidRequest(violations)
  const warnings: Warning[] = []
  const isEdit = request.references.length > 0
  const { mask: hasMask = false, ...parameters } = request.parameters
  if (isEdit && parameters.moderation !== undefined) {
    delete parameters.moderation
    warnings.push({
      code: 'edit_without_moderation',
      parameter: 'moderation',
      message: `${request.modelId} has no moderation for edits; it was left out.`,
    })
  }
  const size = writeSize(request, model)
  const counts = { count: request.count, references: request.references.length, parameters }
  const perCall = Math.min(model.images.perCall, maxInAnswer(request))
  const calls = splitCount(model, counts, perCall).map((images): PlannedCall => {
    return {
      route: (isEdit ? 'edits' : 'generations') satisfies Route,
      body: {
        model: request.modelId,
        prompt: request.prompt,
        ...placeInputs(request, hasMask === true),
        n: images,
        ...(size === undefined ? {} : { size }),
        // Links of DALL·E expire after an hour; inline images cannot be lost any more. GPT image models send nothing else
        // and refuse the parameter.
        ...(model.family === 'dall-e' ? { response_format: 'b64_json' } : {}),
        ...parameters,
      },
      images,
      // The official client waits ten minutes; a late answer is still billed.
      timeoutMs: Math.min(600_000 + 60_000 * (images - 1), 1_200_000),
    }
  })
  const asked: JsonObject = hasMask === true ? { mask: true } : {}
  return {
    calls,
    warnings,
    resolved: { ...parameters, ...asked, n: request.count, ...(size === undefined ? {} : { size }) },
  }
}

/** The pictures, and the mask in a field of its own. */
function placeInputs(request: PlanRequest, hasMask: boolean): JsonObject {
  if (!hasMask) return placeReferences(request)
  const references = request.references.slice(0, -1)
  return { ...placeReferences({ ...request, references }), mask: { $reference: references.length } }
}

/**
 * The pictures come inside the answer, in base64, and gateways on the way have limits: so many stay below 200 MB even when PNG can make
 * nothing of them, at four bytes a pixel.
 */
function maxInAnswer({ size, parameters }: PlanRequest): number {
  if (!size || 'keyword' in size || (parameters.output_format ?? 'png') !== 'png') return Number.POSITIVE_INFINITY
  const bytes = (size.width * size.height * 4 * 4) / 3
  return Math.max(1, Math.floor(200_000_000 / bytes))
}

function checkMask({ references }: PlanRequest): RuleViolation[] {
  const [first, mask] = [references[0], references.at(-1)]
  if (!first || !mask || references.length < 2) return [{ path: 'images', code: 'mask_missing', values: {} }]
  if (mask.width !== first.width || mask.height !== first.height) {
    return [{ path: 'images', code: 'mask_size', values: { got: formatPixels(mask), size: formatPixels(first) } }]
  }
  if (mask.transparent && mask.mimeType === 'image/png') return []
  return [{ path: 'images', code: 'mask_opaque', values: {} }]
}

function writeSize(request: PlanRequest, model: Model): string | undefined {
  const { size } = request
  if (size) return formatSize(size)
  return (request.references.length > 0 ? model.sizes.withReferences : model.sizes.textToImage)?.default
}

function findViolations(request: PlanRequest): RuleViolation[] {
  const { modelId, size, parameters } = request
  const violations = parameters.mask === true ? checkMask(request) : []
  const { output_format: format = 'png', output_compression: compression, background } = parameters
  const step = 16
  if (size && 'width' in size && modelId.startsWith('gpt-image-') && (size.width % step || size.height % step)) {
    const near = (side: number) => Math.max(Math.round(side / step), 1) * step
    const proposal = formatSize({ width: near(size.width), height: near(size.height) })
    violations.push({
      path: 'parameters.size',
      code: 'size_multiple',
      values: { step, size: formatSize(size), proposal },
    })
  }
  if (compression !== undefined && format === 'png') {
    violations.push({ path: 'parameters.output_compression', code: 'compression_without_loss', values: {} })
  }
  if (background === 'transparent' && format === 'jpeg') {
    const values = { allowed: 'png or webp', got: format }
    violations.push({ path: 'parameters.output_format', code: 'transparent_format', values })
  }
  return violations
}
