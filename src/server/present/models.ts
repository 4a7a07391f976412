import type { Model, ModelLife } from '../../api/models.ts'
import type { ModelLife as ModelLifeEntry, Price, SizeRule } from '../../catalogue/model.ts'
import { maxImages, modelSchema } from '../../catalogue/schema.ts'
import type { Standing } from '../../configurations/lives.ts'
import { type FoundModel, providers } from '../../providers/index.ts'

export function presentLife({ stage, entry, endedAt, seen, successors }: Standing): ModelLife {
  return {
    stage,
    announced_at: entry?.announcedAt ?? null,
    closed_to_new_at: entry?.closedToNewAt ?? null,
    ends_at: entry?.endsAt ?? null,
    ended_at: endedAt ?? null,
    successors: [...successors],
    certainty: entry?.certainty ?? null,
    source: entry?.source ?? null,
    checked: entry?.checked ?? null,
    learned_at: seen?.seenAt ?? null,
  }
}

function presentLifeEntry(entry: ModelLifeEntry): Model['life']['by_platform'][number] {
  return {
    platforms: entry.platforms ? [...entry.platforms] : null,
    announced_at: entry.announcedAt ?? null,
    closed_to_new_at: entry.closedToNewAt ?? null,
    ends_at: entry.endsAt ?? null,
    has_ended: entry.hasEnded ?? false,
    successors: [...(entry.successors ?? [])],
    certainty: entry.certainty,
    source: entry.source,
    checked: entry.checked,
  }
}

export function presentModel(
  { provider, model }: FoundModel,
  place: { configured: boolean; isDefault: boolean; standing: Standing },
): Model {
  const { references, images } = model
  return {
    id: model.id,
    name: model.name,
    provider,
    provider_name: providers[provider].name,
    configured: place.configured,
    is_default: place.isDefault,
    state: place.standing.stage === 'ended' ? 'retired' : model.state,
    life: { ...presentLife(place.standing), by_platform: (model.life ?? []).map(presentLifeEntry) },
    platforms: model.platforms ? [...model.platforms] : null,
    family: model.family,
    aliases: [...(model.aliases ?? [])],
    id_at: { ...model.idAt },
    about: model.about,
    text_to_image: model.textToImage,
    prompt: { required: model.promptRequired, max_characters: model.promptMaxCharacters ?? null },
    references: {
      min: references.min,
      max: references.max,
      types: [...references.types],
      alpha: references.alpha,
      min_side: references.minSide,
      max_side: references.maxSide,
      max_area: references.maxArea ?? null,
      max_ratio: references.maxRatio ?? null,
      max_encoded_bytes: references.maxEncodedBytes,
      max_total_encoded_bytes: references.maxTotalEncodedBytes,
    },
    sizes: {
      text_to_image: presentSizes(model.sizes.textToImage),
      with_references: presentSizes(model.sizes.withReferences),
      group: presentSizes(model.sizes.group),
    },
    images: {
      max: maxImages(model),
      max_separate: images.max,
      per_call: images.perCall,
      group: images.group
        ? {
            max: images.group.limit,
            counts_references: images.group.countsReferences,
            asked_by: images.group.askedBy ?? null,
            max_layers: images.group.maxLayers ?? 0,
          }
        : null,
    },
    parameters: modelSchema(model),
    price: model.price ? presentPrice(model.price) : null,
    typical_seconds: [model.typicalSeconds[0], model.typicalSeconds[1]],
    concurrency: model.concurrency,
    source: model.source,
    checked: model.checked,
  }
}

function presentSizes(rule: SizeRule | undefined) {
  if (!rule) return null
  const { free } = rule
  return {
    keywords: [...(rule.keywords ?? [])],
    exact: [...(rule.exact ?? [])],
    free: free
      ? {
          min_area: free.minArea ?? null,
          max_area: free.maxArea ?? null,
          min_side: free.minSide ?? null,
          max_side: free.maxSide ?? null,
          min_ratio: free.minRatio ?? null,
          max_ratio: free.maxRatio ?? null,
        }
      : null,
    recommended: rule.table,
    default_tier: rule.defaultTier ?? null,
    default: rule.default ?? null,
    follows_last_reference: rule.followsLastReference ?? false,
  }
}

function presentPrice(price: Price) {
  return {
    currency: price.currency,
    image: price.image.map(presentStep),
    layer: price.layer?.map(presentStep) ?? null,
    reference: price.reference ?? null,
    factor_when: price.factorWhen ?? null,
    certainty: price.certainty,
    source: price.source,
    checked: price.checked,
  }
}

function presentStep(step: Price['image'][number]) {
  return { up_to_area: step.upToArea ?? null, amount: step.amount }
}
