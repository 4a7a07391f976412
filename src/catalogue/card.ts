/**
 * The card of a model: the same facts as `Model` here and as JSON of `GET /api/models`. The server writes it; the studio reads it, and so
 * does whoever corrects it in MODELS_FILE.
 */
import type { Model as ModelJson } from '../api/models.ts'
import type { Model, ModelLife, Price, SizeRule } from './model.ts'
import { maxImages, modelSchema } from './schema.ts'

/** Without what depends on where and by whom it is asked. */
export type CardJson = Omit<
  ModelJson,
  'provider' | 'provider_name' | 'configured' | 'is_default' | 'is_served' | 'state' | 'life'
> & { life: Pick<ModelJson['life'], 'by_platform'> }

type RuleJson = NonNullable<ModelJson['sizes']['group']>
type LifeJson = ModelJson['life']['by_platform'][number]
type PriceJson = NonNullable<ModelJson['price']>

export function writeCard(model: Model): CardJson {
  const { references, images } = model
  return {
    id: model.id,
    name: model.name,
    platforms: model.platforms ? [...model.platforms] : null,
    family: model.family,
    aliases: [...(model.aliases ?? [])],
    id_at: { ...model.idAt },
    about: model.about,
    life: { by_platform: (model.life ?? []).map(writeLife) },
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
      text_to_image: writeRule(model.sizes.textToImage),
      with_references: writeRule(model.sizes.withReferences),
      group: writeRule(model.sizes.group),
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
            is_implied: images.group.isImplied ?? false,
            max_references: images.group.maxReferences ?? null,
            max_layers: images.group.maxLayers ?? 0,
          }
        : null,
    },
    parameters: modelSchema(model),
    price: model.price ? writePrice(model.price) : null,
    typical_seconds: [model.typicalSeconds[0], model.typicalSeconds[1]],
    concurrency: model.concurrency,
    source: model.source,
    checked: model.checked,
  }
}

export function readCard(json: CardJson): Model {
  const { references, images, price } = json
  // Both follow from sizes and counts.
  const { size: _, n: __, ...parameters } = (json.parameters.properties ?? {}) as Model['parameters']
  return {
    id: json.id,
    name: json.name,
    platforms: json.platforms ?? undefined,
    family: json.family,
    aliases: filled(json.aliases),
    idAt: Object.keys(json.id_at).length > 0 ? json.id_at : undefined,
    state: 'current',
    about: json.about,
    life: filled(json.life.by_platform)?.map(readLife),
    textToImage: json.text_to_image,
    promptRequired: json.prompt.required,
    promptMaxCharacters: json.prompt.max_characters ?? undefined,
    references: {
      min: references.min,
      max: references.max,
      types: references.types,
      alpha: references.alpha,
      minSide: references.min_side,
      maxSide: references.max_side,
      maxArea: references.max_area ?? undefined,
      maxRatio: references.max_ratio ?? undefined,
      maxEncodedBytes: references.max_encoded_bytes,
      maxTotalEncodedBytes: references.max_total_encoded_bytes,
    },
    sizes: {
      textToImage: readRule(json.sizes.text_to_image),
      withReferences: readRule(json.sizes.with_references),
      group: readRule(json.sizes.group),
    },
    images: {
      max: images.max_separate,
      perCall: images.per_call,
      group: images.group
        ? {
            limit: images.group.max,
            countsReferences: images.group.counts_references,
            askedBy: images.group.asked_by ?? undefined,
            isImplied: images.group.is_implied || undefined,
            maxReferences: images.group.max_references ?? undefined,
            maxLayers: images.group.max_layers || undefined,
          }
        : undefined,
    },
    parameters,
    price: price ? readPrice(price) : undefined,
    typicalSeconds: json.typical_seconds,
    concurrency: json.concurrency,
    source: json.source,
    checked: json.checked,
  }
}

function writeRule(rule: SizeRule | undefined): RuleJson | null {
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

function readRule(json: RuleJson | null): SizeRule | undefined {
  if (!json) return undefined
  const { free } = json
  return {
    keywords: filled(json.keywords),
    exact: filled(json.exact),
    free: free
      ? {
          minArea: free.min_area ?? undefined,
          maxArea: free.max_area ?? undefined,
          minSide: free.min_side ?? undefined,
          maxSide: free.max_side ?? undefined,
          minRatio: free.min_ratio ?? undefined,
          maxRatio: free.max_ratio ?? undefined,
        }
      : undefined,
    table: json.recommended,
    defaultTier: json.default_tier ?? undefined,
    default: json.default ?? undefined,
    followsLastReference: json.follows_last_reference || undefined,
  }
}

function writeLife(entry: ModelLife): LifeJson {
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

export function readLife(json: LifeJson): ModelLife {
  return {
    platforms: json.platforms ?? undefined,
    announcedAt: json.announced_at ?? undefined,
    closedToNewAt: json.closed_to_new_at ?? undefined,
    endsAt: json.ends_at ?? undefined,
    hasEnded: json.has_ended || undefined,
    successors: filled(json.successors),
    certainty: json.certainty,
    source: json.source,
    checked: json.checked,
  }
}

function writePrice(price: Price): PriceJson {
  const writeStep = (step: Price['image'][number]) => ({ up_to_area: step.upToArea ?? null, amount: step.amount })
  return {
    currency: price.currency,
    image: price.image.map(writeStep),
    layer: price.layer?.map(writeStep) ?? null,
    reference: price.reference ?? null,
    factor_when: price.factorWhen ?? null,
    certainty: price.certainty,
    source: price.source,
    checked: price.checked,
  }
}

export function readPrice(json: PriceJson): Price {
  const readStep = (step: PriceJson['image'][number]) => ({
    upToArea: step.up_to_area ?? undefined,
    amount: step.amount,
  })
  return {
    currency: json.currency,
    image: json.image.map(readStep),
    layer: json.layer?.map(readStep),
    reference: json.reference ?? undefined,
    factorWhen: json.factor_when ?? undefined,
    certainty: json.certainty,
    source: json.source,
    checked: json.checked,
  }
}

/** An empty list is the same as none. */
function filled<Item>(list: Item[]): Item[] | undefined {
  return list.length > 0 ? list : undefined
}
