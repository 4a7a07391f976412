/** How OpenAI's image API spells requests and answers (types of its official client 7.57.0, 2026-11). */

import type { JsonObject, Model, Warning } from '../../catalogue/model.ts'
import { InvalidRequest, type Violation } from '../../catalogue/violation.ts'
import type { ProviderFailure } from '../../outgoing/errors.ts'
import {
  besideBill,
  type Entry,
  isObject,
  type JsonRecord,
  jsonOf,
  mayNamePicture,
  readEntries,
  wholeSourcesIn,
} from '../answers.ts'
import type { Parsed, Picture, Plan, PlannedCall, PlanRequest, RawAnswer, ReferencePlace } from '../provider.ts'
import { errorIn, failure } from './exchange.ts'
import { failureOfTask } from './tasks.ts'

// ── Requests ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The endpoints: JSON for pictures from text, a form with files for pictures from pictures. */
type Route = 'generations' | 'edits'

export function plan(request: PlanRequest, model: Model): Plan {
  const violations = findViolations(request)
  if (violations.length > 0) throw new InvalidRequest(violations)
  const warnings: Warning[] = []
  const isEdit = request.references.length > 0
  const parameters = { ...request.parameters }
  if (isEdit && parameters.moderation !== undefined) {
    delete parameters.moderation
    warnings.push({
      code: 'edit_without_moderation',
      parameter: 'moderation',
      message: `${request.modelId} has no moderation for edits; it was left out.`,
    })
  }
  const size = sizeOf(request, model)
  const calls: PlannedCall[] = []
  const perCall = Math.min(model.images.perCall, maxInAnswer(request))
  for (let missing = request.count; missing > 0; missing -= perCall) {
    const images = Math.min(missing, perCall)
    calls.push({
      route: (isEdit ? 'edits' : 'generations') satisfies Route,
      body: {
        model: request.modelId,
        prompt: request.prompt,
        ...imageOf(request),
        n: images,
        ...(size === undefined ? {} : { size }),
        // Its links die after an hour; the picture itself in the answer cannot be lost any more. GPT image models send nothing else
        // and refuse the parameter.
        ...(model.family === 'dall-e' ? { response_format: 'b64_json' } : {}),
        ...parameters,
      },
      images,
      // Ten minutes are what the official client waits; a late answer is a paid one.
      timeoutMs: Math.min(600_000 + 60_000 * (images - 1), 1_200_000),
    })
  }
  return { calls, warnings, resolved: { ...parameters, n: request.count, ...(size === undefined ? {} : { size }) } }
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

function imageOf({ references }: PlanRequest): JsonObject {
  const places = references.map((_, index): ReferencePlace => ({ $reference: index }))
  if (places.length === 0) return {}
  return { image: places.length === 1 ? places[0]! : places }
}

function sizeOf(request: PlanRequest, model: Model): string | undefined {
  const { size } = request
  if (size) return 'keyword' in size ? size.keyword : `${size.width}x${size.height}`
  return (request.references.length > 0 ? model.sizes.withReferences : model.sizes.textToImage)?.default
}

function findViolations(request: PlanRequest): Violation[] {
  const violations: Violation[] = []
  const { output_format: format = 'png', output_compression: compression, background } = request.parameters
  const { size } = request
  if (
    size &&
    'width' in size &&
    request.modelId.startsWith('gpt-image-') &&
    (size.width % 16 !== 0 || size.height % 16 !== 0)
  ) {
    const nearest = [size.width, size.height].map(side => Math.max(Math.round(side / 16), 1) * 16).join('x')
    const got = `${size.width}x${size.height}`
    violations.push({
      path: 'parameters.size',
      message: `Width and height must be multiples of 16; got ${got}. Use ${nearest}.`,
    })
  }
  if (compression !== undefined && format === 'png') {
    const message = 'output_compression is for jpeg and webp. Choose one of them as output_format, or leave it out.'
    violations.push({ path: 'parameters.output_compression', message })
  }
  if (background === 'transparent' && format === 'jpeg') {
    violations.push({
      path: 'parameters.output_format',
      message: 'A transparent background needs png or webp; got jpeg.',
    })
  }
  return violations
}

// ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export function parse(answer: RawAnswer): Parsed {
  const json = jsonOf(answer.body)
  if (answer.status < 200 || answer.status >= 300) {
    const error = failure(answer, errorIn(json) ?? { message: beginningOf(answer) })
    return { pictures: [], failures: [], error: besideBill(error, answer.body), complete: true }
  }
  if (typeof json !== 'object' || json === null) return parseBeginning(answer)
  const pictures: Picture[] = []
  const failures: Parsed['failures'] = []
  const revised: string[] = []
  readEntries(json).forEach(({ source, item }, index) => {
    if (source) pictures.push(pictureAt(index, source))
    else failures.push(failedItem(item, index, answer))
    if (isObject(item) && typeof item.revised_prompt === 'string' && item.revised_prompt)
      revised.push(item.revised_prompt)
  })
  const parsed: Parsed = { pictures, failures, revisedPrompt: revised[0], complete: true }
  if (pictures.length > 0) return parsed
  const envelope = isObject(json) ? json : {}
  const found = errorIn(envelope)
  const error = failureOfTask(answer, json) ?? (found ? failure(answer, found) : nothing(answer, envelope, failures))
  parsed.error = besideBill(error, answer.body)
  return parsed
}

function pictureAt(index: number, source: NonNullable<Entry['source']>): Picture {
  return source.url === undefined
    ? { index, base64: source.base64 }
    : { index, url: source.url, expiresAt: expiryOf(source.url) }
}

/** OpenAI's links are signed by the store behind them, which writes the end of their life into `se`. */
function expiryOf(url: string): number | undefined {
  const end = URL.canParse(url) ? Date.parse(new URL(url).searchParams.get('se') ?? '') : Number.NaN
  return Number.isNaN(end) ? undefined : end
}

/** The pictures of an answer that was cut or garbled, as far as they are whole. */
function parseBeginning(answer: RawAnswer): Parsed {
  const pictures = wholeSourcesIn(answer.body).map((source, index) => pictureAt(index, source))
  if (answer.complete && pictures.length === 0) return unintelligible(answer)
  return { pictures, failures: [], complete: false }
}

/** Why a picture is not there, as far as the service says it. */
function failedItem(item: unknown, index: number, answer: RawAnswer): Parsed['failures'][number] {
  const found = isObject(item) && item.error ? errorIn(item) : undefined
  if (found) {
    const failed = failure(answer, found)
    // Only the picture was refused; the call as a whole was taken, and is not sent again.
    return { ...failed, disposition: failed.disposition === 'retry_safe' ? 'refused' : failed.disposition, index }
  }
  const names = isObject(item) ? Object.keys(item).slice(0, 12).join(', ') : typeof item
  return {
    index,
    code: 'provider_rejected',
    disposition: 'maybe_billed',
    message: `The service answered with something that is no picture (${names}).`,
    requestId: answer.requestId,
  }
}

function unintelligible(answer: RawAnswer): Parsed {
  const error: ProviderFailure = {
    code: 'provider_rejected',
    // Something other than the service may have answered, or have garbled its answer.
    disposition: 'maybe_billed',
    message: 'The address answered with something that is not an answer of an image service. Check the base address.',
    providerMessage: beginningOf(answer),
    requestId: answer.requestId,
  }
  return { pictures: [], failures: [], error, complete: true }
}

function nothing(answer: RawAnswer, json: JsonRecord, failures: Parsed['failures']): ProviderFailure {
  // One that may have been billed says more about money than one that was refused.
  const failed = failures.find(failure => failure.disposition === 'maybe_billed') ?? failures[0]
  if (failed) {
    const { index: _, ...failure } = failed
    return failure
  }
  const isEmptyList = Array.isArray(json.data) && json.data.length === 0 && !mayNamePicture(answer.body)
  return {
    code: 'provider_rejected',
    disposition: isEmptyList ? 'refused' : 'maybe_billed',
    message: 'The service answered without a picture and without a reason. Change the prompt or try again.',
    requestId: answer.requestId,
  }
}

/** Of an answer that is no JSON: a page of some gateway, mostly. */
function beginningOf(answer: RawAnswer): string {
  return `HTTP ${answer.status}: ${answer.body.trim().slice(0, 300)}`
}
