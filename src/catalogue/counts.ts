/** How many pictures and references a request may have, and how many paid requests it becomes. */
import type { JsonObject, Model, SizeRule } from './model.ts'
import type { RuleViolation, Values } from './violation.ts'

/** The part of a request that decides the count. */
export interface CountRequest {
  /** Pictures wanted. */
  count: number
  references: number
  parameters: JsonObject
}

/** One paid request makes all its pictures as a series; the model decides how many of them. */
export function asksForGroup({ images: { group } }: Model, { count, references, parameters }: CountRequest): boolean {
  if (!group) return false
  if (group.askedBy === undefined) return count > 1
  return (parameters[group.askedBy] ?? (group.isImplied === true && references === 0)) === true
}

/** The most pictures of a request like this one. Where references count for a group, each takes the place of a picture. */
export function limitImages(model: Model, request: Omit<CountRequest, 'count'>): number {
  const { max, group } = model.images
  if (!group || !asksForGroup(model, { ...request, count: 2 })) return max
  return group.countsReferences ? Math.max(1, group.limit - request.references) : group.limit
}

/** Pictures of each paid request. `perCall`: where the service takes fewer at a time than the model says. */
export function splitCount(model: Model, request: CountRequest, perCall = model.images.perCall): number[] {
  const { count } = request
  if (asksForGroup(model, request)) return [count]
  return Array.from({ length: Math.ceil(count / perCall) }, (_, index) => Math.min(perCall, count - index * perCall))
}

/** The rule that a size has to keep; undefined when this model takes none in this mode. */
export function findSizeRule(model: Model, request: CountRequest): SizeRule | undefined {
  const { textToImage, withReferences, group } = model.sizes
  if (group && asksForGroup(model, request)) return group
  return request.references > 0 ? (withReferences ?? textToImage) : (textToImage ?? withReferences)
}

export function checkCounts(model: Model, request: CountRequest): RuleViolation[] {
  return [checkReferences(model, request), checkImages(model, request)].filter(found => found !== undefined)
}

function checkReferences(model: Model, request: CountRequest): RuleViolation | undefined {
  const { references: got } = request
  const { min, max } = model.references
  const { group } = model.images
  const path = 'images'
  if (got > max) return { path, code: 'too_many_references', values: { model: model.id, max, got } }
  if (got < min) return { path, code: 'too_few_references', values: { model: model.id, min, got } }
  if (!group?.askedBy) return undefined
  const parameter = group.askedBy
  const isGroup = asksForGroup(model, request)
  if (isGroup && group.maxReferences !== undefined && got > group.maxReferences) {
    return { path, code: 'too_many_references', values: { model: model.id, max: group.maxReferences, got, parameter } }
  }
  if (!isGroup && group.isImplied && got === 0) {
    return { path, code: 'too_few_references', values: { model: model.id, min: 1, got, parameter } }
  }
  return undefined
}

function checkImages(model: Model, request: CountRequest): RuleViolation | undefined {
  const { count: got } = request
  const { group } = model.images
  const isGroup = asksForGroup(model, request)
  const max = isGroup ? limitImages(model, request) : model.images.max
  if (got <= max) return undefined
  const together: Values = isGroup && group?.countsReferences ? { together: group.limit } : {}
  const isSeriesLarger = !isGroup && group?.askedBy !== undefined && group.limit >= got
  const series: Values = isSeriesLarger ? { series: group.limit, parameter: group.askedBy! } : {}
  return {
    path: 'parameters.n',
    code: 'too_many_pictures',
    values: { model: model.id, max, got, ...together, ...series },
  }
}
