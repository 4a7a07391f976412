/** A request on its way to a generation: everything that can be known, and refused, before anything is written or sent. */
import { randomUUID } from 'node:crypto'
import { type CheckedRequest, checkRequest } from '../catalogue/checks.ts'
import { estimateCost, explainEstimate, type Wanted } from '../catalogue/costs.ts'
import type { Model, ReferenceFacts, Size } from '../catalogue/model.ts'
import { formatSize, resolveSize } from '../catalogue/sizes.ts'
import { InvalidRequest, type RuleViolation, type Violation } from '../catalogue/violation.ts'
import { invalid, Refusal } from '../errors.ts'
import type { TakenReference } from '../images/images.ts'
import type { Caller } from '../members/caller.ts'
import { mayUse } from '../members/tokens.ts'
import { lifeWarnings, type Standing } from '../offers/lives.ts'
import type { Plan, Provider } from '../providers/provider.ts'
import type { JsonObject } from '../storage/records.ts'
import type { GenerationParts } from './parts.ts'
import type { Estimate, GenerationRequest } from './services.ts'
import { chooseTarget, type Target } from './target.ts'

export interface Draft {
  id: string
  request: GenerationRequest
  prompt: string
  target: Target
  standing: Standing
  checked: CheckedRequest
  taken: TakenReference[]
  plan: Plan
  size: Size | undefined
}

export function collectWarnings({ target, standing, checked, plan }: Draft) {
  return [...lifeWarnings(target.modelId, standing), ...checked.warnings, ...plan.warnings]
}

/** What determines the price of a draft. */
export function describeWanted({ checked, plan, size, taken }: Draft): Wanted {
  return {
    images: checked.count,
    calls: plan.calls.length,
    size,
    references: taken.length,
    parameters: plan.resolved,
    mayMakeFewer: plan.calls.some(call => call.mayMakeFewer),
  }
}

/** The caller keeps or discards the references. @throws Refusal */
export async function draft(
  parts: GenerationParts,
  given: GenerationRequest,
  { caller, signal, isEstimate }: { caller: Caller; signal?: AbortSignal; isEstimate?: boolean },
): Promise<Draft> {
  if (given.callbackUrl !== undefined) await parts.webhooks.checkCallback(caller.ownerId, given.callbackUrl)
  const chosen = await chooseTarget(parts, given)
  if (chosen.refusal && !isEstimate) throw chosen.refusal
  const target = { ...chosen, found: parts.prices.priced(chosen.found, chosen) }
  const { model } = target.found
  if (!mayUse(parts.catalogue, caller, target.modelId)) {
    const allowed = caller.models?.join(', ')
    throw new Refusal('not_allowed', `This token may not use ${target.modelId}; it may use: ${allowed || 'none'}.`)
  }
  if (given.mask) refuse(findMaskViolations(parts, target, given))
  const request = withMaskParameters(given, model)
  const { prompt = '', parameters, fitsSize, mask } = request
  const references = request.references.length + (mask ? 1 : 0)
  const checked = checkRequest(model, { prompt, parameters, references, fitsSize }, parts.knownNames)
  refuse(checked.violations)
  const maskFile = mask && (await parts.references.convertMask(mask, model.mask!.marks, { caller, signal }))
  const inputs = maskFile ? [...request.references, maskFile] : request.references
  const taken = await parts.references.prepare(inputs, model.references, { caller, signal })
  const id = randomUUID()
  try {
    const facts = taken.map(reference => reference.facts)
    const standing = parts.lives.at(target.found, target)
    const planned = plan(parts.catalogue.provider(target.found.provider), target, prompt, checked, facts)
    return { id, request: withSize(request, checked), prompt, target, standing, checked, taken, ...planned }
  } catch (error) {
    await parts.references.discard(id, taken)
    throw error
  }
}

/** Models of the catalogue that take a mask are named to whoever asked another one for it. */
function findMaskViolations(
  { catalogue }: GenerationParts,
  { found, modelId }: Target,
  { references }: GenerationRequest,
): RuleViolation[] {
  const { model } = found
  if (!model.mask) {
    const able = catalogue.all().filter(({ model }) => model.mask && model.state !== 'unlisted')
    const models = [...new Set(able.map(({ model }) => model.id))].join(', ')
    return [{ path: 'mask', code: 'mask_not_taken', values: { model: modelId, models } }]
  }
  const max = model.references.max - 1
  if (references.length >= 1 && references.length <= max) return []
  return [{ path: 'images', code: 'mask_one_picture', values: { model: modelId, max, got: references.length } }]
}

/** With what says that the last reference is a mask, so that it can be made again as it is. */
function withMaskParameters(request: GenerationRequest, { mask }: Model): GenerationRequest {
  if (!request.mask || !mask) return request
  return { ...request, parameters: { ...mask.parameters, ...request.parameters } }
}

/** Sends nothing to the service and keeps nothing. */
export async function estimate(parts: GenerationParts, request: GenerationRequest, caller: Caller): Promise<Estimate> {
  const drafted = await draft(parts, request, { caller, isEstimate: true })
  await parts.references.discard(drafted.id, drafted.taken)
  const { target } = drafted
  const wanted = describeWanted(drafted)
  return {
    model: target.modelId,
    images: wanted.images,
    calls: wanted.calls,
    cost: estimateCost(target.found.model, wanted),
    reasons: explainEstimate(target.found.model, target.modelId, wanted),
    warnings: collectWarnings(drafted),
  }
}

/** With the size that was found for it, so that it can be made again as it is. */
function withSize(request: GenerationRequest, { size }: CheckedRequest): GenerationRequest {
  const { parameters } = request
  if (typeof parameters.size !== 'string' || size === undefined || size === parameters.size) return request
  return { ...request, parameters: { ...parameters, size } }
}

function plan(
  provider: Provider,
  target: Target,
  prompt: string,
  checked: CheckedRequest,
  references: ReferenceFacts[],
): { plan: Plan; size: Size | undefined } {
  const { model } = target.found
  const rule = checked.sizeRule
  const resolution = rule ? resolveSize(rule, model.id, checked.size, references.at(-1)) : {}
  if ('violation' in resolution) throw invalid([resolution.violation])
  try {
    const planned = provider.plan(
      {
        modelId: target.modelId,
        prompt,
        count: checked.count,
        size: resolution.size,
        parameters: checked.parameters,
        references,
      },
      model,
    )
    const size: JsonObject = resolution.size ? { size: formatSize(resolution.size) } : {}
    return { plan: { ...planned, resolved: { ...size, n: checked.count, ...planned.resolved } }, size: resolution.size }
  } catch (error) {
    if (error instanceof InvalidRequest) throw invalid(error.violations)
    throw error
  }
}

function refuse(violations: readonly Violation[]) {
  if (violations.length > 0) throw invalid(violations)
}
