/** What is wrong with a model of MODELS_FILE that only the whole of it shows. */

import { findUnusableKeyword } from '../catalogue/json-schema.ts'
import type { Model } from '../catalogue/model.ts'
import { resolveSize } from '../catalogue/sizes.ts'
import { describeViolation } from '../catalogue/violation.ts'
import type { Catalogue } from '../providers/registry.ts'
import type { Entry } from './models-form.ts'

/** Notes what is wrong, and where in the entry. */
export type NoteFault = (message: string, ...place: PropertyKey[]) => void

export function checkModel(model: Model, provider: string, base: Catalogue, fault: NoteFault) {
  if (model.typicalSeconds[0] > model.typicalSeconds[1]) fault('must be fast first, then slow', 'typical_seconds')
  checkParameters(model, provider, base, fault)
  checkSizes(model, fault)
  checkCounts(model, fault)
}

function checkParameters(model: Model, provider: string, base: Catalogue, fault: NoteFault) {
  const sent = new Set((base.models[provider] ?? []).flatMap(({ parameters }) => Object.keys(parameters)))
  for (const [name, schema] of Object.entries(model.parameters)) {
    if (!sent.has(name)) {
      fault(`is a parameter that this program does not send to ${provider}`, 'parameters', 'properties', name)
      continue
    }
    const keyword = findUnusableKeyword(schema)
    if (keyword !== undefined) {
      fault(`is not a JSON Schema that this program can check: see "${keyword}"`, 'parameters', 'properties', name)
    }
  }
}

function checkSizes(model: Model, fault: NoteFault) {
  const rules = {
    text_to_image: model.sizes.textToImage,
    with_references: model.sizes.withReferences,
    group: model.sizes.group,
  }
  for (const [name, rule] of Object.entries(rules)) {
    if (!rule) continue
    const place = ['sizes', name] as const
    const tiers = [...Object.keys(rule.table), ...(rule.keywords ?? [])]
    if (rule.defaultTier !== undefined && !tiers.includes(rule.defaultTier))
      fault(`must be one of ${tiers.join(', ')}`, ...place, 'default_tier')
    const refused = (size: string | undefined) => {
      const resolved = resolveSize(rule, model.id, size)
      return 'violation' in resolved ? describeViolation(resolved.violation) : undefined
    }
    const trouble = rule.default === undefined ? undefined : refused(rule.default)
    if (trouble) fault(`contradicts the rule itself: ${trouble}`, ...place, 'default')
    for (const [tier, sizes] of Object.entries(rule.table)) {
      for (const [ratio, size] of Object.entries(sizes)) {
        const trouble = refused(size)
        if (trouble) fault(`contradicts the rule itself: ${trouble}`, ...place, 'recommended', tier, ratio)
      }
    }
  }
}

function checkCounts({ references, images }: Model, fault: NoteFault) {
  if (references.max > 0 && references.types.length === 0) fault('must name a type', 'references', 'types')
  if (references.min > references.max) fault('must not be more than max', 'references', 'min')
  if (references.minSide > references.maxSide) fault('must not be more than max_side', 'references', 'min_side')
  if (images.perCall > Math.max(images.max, images.group?.limit ?? 0))
    fault('must not be more than max', 'images', 'per_call')
}

/** Unknown successors and platforms, and names that two models share. */
export function findStrangers(
  { id, life, platforms, aliases, id_at: idAt }: Entry,
  { models, all, find, provider }: Catalogue,
): [PropertyKey[], string][] {
  const found = all().find(({ model }) => model.id === id)
  if (!found) return []
  const named = [...(life?.successors ?? []), ...(life?.by_platform ?? []).flatMap(({ successors = [] }) => successors)]
  const unknown = named.filter(successor => {
    const heir = find(successor, found.provider)
    return !heir || heir.model.state === 'unlisted' || heir.model.id === id
  })
  const nameless = Object.values(idAt ?? {}).filter(alias => !found.model.aliases?.includes(alias))
  const taken = (aliases ?? []).filter(alias =>
    models[found.provider]?.some(other => other.id !== id && [other.id, ...(other.aliases ?? [])].includes(alias)),
  )
  const places = [
    ...(platforms ?? []),
    ...Object.keys(idAt ?? {}),
    ...[life, ...(life?.by_platform ?? [])].flatMap(one => one?.platforms ?? []),
  ]
  const known = provider(found.provider).platforms
  const elsewhere = places.filter(place => !known.includes(place))
  return [
    ...elsewhere.map((one): [PropertyKey[], string] => [
      ['platforms'],
      `${one} is not a platform of ${found.provider}; choose from ${known.join(', ')}`,
    ]),
    ...unknown.map((one): [PropertyKey[], string] => [
      ['life', 'successors'],
      `${one} is not another model of ${found.provider}`,
    ]),
    ...nameless.map((one): [PropertyKey[], string] => [['id_at'], `${one} is not one of its aliases`]),
    ...taken.map((one): [PropertyKey[], string] => [['aliases'], `${one} is the name of another model`]),
  ]
}
