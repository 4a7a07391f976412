/**
 * The card of a model: the same facts as `Model` here and as JSON of `GET /api/models`. The server writes it; the studio reads it, and so
 * does whoever corrects it in MODELS_FILE.
 */
import type { Model as ModelJson } from '../api/models.ts'
import { fromJson, toJson } from '../api/names.ts'
import type { JsonObject, Model, ModelLife, Price, SizeRule } from './model.ts'
import { maxImages, modelSchema } from './parameters.ts'

/** Without what depends on where and by whom it is asked. */
export type CardJson = Omit<
  ModelJson,
  'provider' | 'provider_name' | 'configured' | 'is_default' | 'is_served' | 'state' | 'life'
> & { life: Pick<ModelJson['life'], 'by_platform'> }

type RuleJson = NonNullable<ModelJson['sizes']['group']>
type GroupJson = NonNullable<ModelJson['images']['group']>
type LifeJson = ModelJson['life']['by_platform'][number]
type PriceJson = NonNullable<ModelJson['price']>

// The JSON of an absent group.

const noBounds = { min_area: null, max_area: null, min_side: null, max_side: null, min_ratio: null, max_ratio: null }
export const noRule: RuleJson = {
  keywords: [],
  exact: [],
  free: null,
  recommended: {},
  default_tier: null,
  default: null,
  follows_last_reference: false,
}
export const noGroup: GroupJson = {
  max: 1,
  counts_references: false,
  asked_by: null,
  is_implied: false,
  max_references: null,
  max_layers: 0,
}
const noLife = {
  platforms: null,
  announced_at: null,
  closed_to_new_at: null,
  ends_at: null,
  has_ended: false,
  successors: [],
}

export function writeCard(model: Model): CardJson {
  const { id, name, family, about, platforms, typicalSeconds, concurrency, source, checked } = model
  const { max, perCall, group } = model.images
  return {
    ...toJson({
      id,
      name,
      family,
      about,
      textToImage: model.textToImage,
      typicalSeconds,
      concurrency,
      source,
      checked,
    }),
    platforms: platforms ? [...platforms] : null,
    aliases: [...(model.aliases ?? [])],
    id_at: { ...model.idAt },
    life: { by_platform: (model.life ?? []).map(entry => ({ ...noLife, ...toJson(entry) })) },
    prompt: { required: model.promptRequired, max_characters: model.promptMaxCharacters ?? null },
    references: { max_area: null, max_ratio: null, ...toJson(model.references) },
    mask: model.mask ?? null,
    sizes: {
      text_to_image: writeRule(model.sizes.textToImage),
      with_references: writeRule(model.sizes.withReferences),
      group: writeRule(model.sizes.group),
    },
    images: {
      max: maxImages(model),
      max_separate: max,
      per_call: perCall,
      group: group ? writeGroup(group) : null,
    },
    parameters: modelSchema(model),
    price: model.price ? writePrice(model.price) : null,
  }
}

export function readCard(json: CardJson): Model {
  const { id, name, family, about, typical_seconds, concurrency, source, checked, references } = json
  const { images, price, mask } = json
  // `size` and `n` follow from the sizes and counts of the model.
  const { size: _, n: __, ...parameters } = (json.parameters.properties ?? {}) as Model['parameters']
  return {
    ...fromJson({ id, name, family, about, typical_seconds, concurrency, source, checked, references }),
    platforms: json.platforms ?? undefined,
    aliases: filled(json.aliases),
    idAt: Object.keys(json.id_at).length > 0 ? json.id_at : undefined,
    state: 'current',
    life: filled(json.life.by_platform)?.map(readLife),
    textToImage: json.text_to_image,
    promptRequired: json.prompt.required,
    mask: mask ? { marks: mask.marks, parameters: mask.parameters as JsonObject } : undefined,
    promptMaxCharacters: json.prompt.max_characters ?? undefined,
    sizes: {
      textToImage: readRule(json.sizes.text_to_image),
      withReferences: readRule(json.sizes.with_references),
      group: readRule(json.sizes.group),
    },
    images: { max: images.max_separate, perCall: images.per_call, group: readGroup(images.group) },
    parameters,
    price: price ? readPrice(price) : undefined,
  }
}

function writeRule(rule: SizeRule | undefined): RuleJson | null {
  if (!rule) return null
  const { table, free, ...others } = rule
  return { ...noRule, ...toJson(others), recommended: table, free: free ? { ...noBounds, ...toJson(free) } : null }
}

function readRule(json: RuleJson | null): SizeRule | undefined {
  if (!json) return undefined
  const { recommended, keywords, exact, follows_last_reference, ...others } = json
  return {
    ...fromJson(others),
    keywords: filled(keywords),
    exact: filled(exact),
    table: recommended,
    followsLastReference: follows_last_reference || undefined,
  }
}

function writeGroup({ limit, ...others }: NonNullable<Model['images']['group']>): GroupJson {
  return { ...noGroup, ...toJson(others), max: limit }
}

function readGroup(json: GroupJson | null): Model['images']['group'] {
  if (!json) return undefined
  const { max: limit, is_implied, max_layers, ...others } = json
  return { ...fromJson(others), limit, isImplied: is_implied || undefined, maxLayers: max_layers || undefined }
}

/** Members that are left out mean: not known. */
export function readLife(given: Partial<LifeJson> & Pick<LifeJson, 'certainty' | 'source' | 'checked'>): ModelLife {
  const { has_ended, successors, ...others } = given
  return { ...fromJson(others), hasEnded: has_ended || undefined, successors: filled(successors ?? []) }
}

function writePrice({ image, layer, ...others }: Price): PriceJson {
  const writeStep = ({ upToArea = null, amount }: { upToArea?: number | null; amount: number }) => {
    return { up_to_area: upToArea, amount }
  }
  return {
    reference: null,
    factor_when: null,
    ...toJson(others),
    image: image.map(writeStep),
    layer: layer?.map(writeStep) ?? null,
  }
}

export function readPrice(json: PriceJson): Price {
  return fromJson(json)
}

/** An empty list is the same as none. */
function filled<Item>(list: Item[]): Item[] | undefined {
  return list.length > 0 ? list : undefined
}
