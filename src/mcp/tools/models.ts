/** `list_models`: what can be asked for, short enough to be read before each order. */
import type { z } from 'zod'
import type { Model } from '../../api/models.ts'
import type { Operations } from '../operations.ts'
import type { ModelsAnswer } from '../schemas.ts'

type ShownModel = z.infer<typeof ModelsAnswer>['models'][number]
type SizeRule = NonNullable<Model['sizes']['text_to_image']>

const maxShownSizes = 12

export async function listModels(
  operations: Pick<Operations, 'models'>,
  { model, all = false }: { model?: string; all?: boolean },
): Promise<ShownModel[]> {
  const models = await operations.models()
  if (model !== undefined) {
    return models.filter(one => one.id === model || one.aliases.includes(model)).map(one => showModel(one, true))
  }
  return models
    .filter(one => all || (isUsable(one) && (one.state === 'current' || one.is_default)))
    .toSorted((one, other) => rank(one) - rank(other))
    .map(one => showModel(one, false))
}

export function isUsable({ configured, is_served: isServed, state }: Model) {
  return configured && isServed && state !== 'retired'
}

/** The usual ones first, then those of today. */
function rank({ is_default: isDefault, state }: Model) {
  return isDefault ? 0 : state === 'current' ? 1 : 2
}

function showModel(model: Model, isWhole: boolean): ShownModel {
  const rules = [model.sizes.text_to_image, model.sizes.with_references, model.sizes.group].filter(
    rule => rule !== null,
  )
  const { properties = {} } = model.parameters as { properties?: Record<string, unknown> }
  const note = describeLife(model)
  return {
    id: model.id,
    name: model.name,
    provider: model.provider_name,
    is_default: model.is_default,
    usable: isUsable(model),
    about: model.about.en,
    makes: [
      ...(model.text_to_image ? (['text_to_image'] as const) : []),
      ...(model.references.max > 0 ? (['edit'] as const) : []),
    ],
    sizes: [...new Set(rules.flatMap(describeSizes))].slice(0, maxShownSizes),
    default_size: rules[0]?.default ?? undefined,
    max_n: model.images.max,
    max_references: model.references.max,
    takes_mask: model.mask !== null,
    price: describePrice(model.price),
    typical_seconds: [...model.typical_seconds],
    parameters: Object.keys(properties).filter(name => name !== 'size' && name !== 'n'),
    ...(isWhole ? { parameters_schema: model.parameters } : {}),
    ...(note ? { note } : {}),
  }
}

function describeSizes({ keywords, exact, free, recommended }: SizeRule) {
  const tiers = Object.keys(recommended).filter(Boolean)
  const ratios = Object.keys(Object.values(recommended)[0] ?? {})
  return [...keywords, ...tiers, ...ratios, ...(free ? [describeBounds(free)] : exact.slice(0, maxShownSizes))]
}

function describeBounds({
  min_area: minArea,
  max_area: maxArea,
  min_side: minSide,
  max_side: maxSide,
}: NonNullable<SizeRule['free']>) {
  const bounds = [
    ...(minSide || maxSide ? [`sides ${minSide ?? 1} to ${maxSide ?? 'any'}`] : []),
    ...(minArea || maxArea ? [`area ${minArea ?? 1} to ${maxArea ?? 'any'}`] : []),
  ]
  return `any WIDTHxHEIGHT${bounds.length > 0 ? ` (${bounds.join(', ')})` : ''}`
}

function describePrice(price: Model['price']) {
  if (!price) return 'not known'
  const { currency, image, reference } = price
  const steps = image.map(({ up_to_area: area, amount }) =>
    image.length === 1
      ? `${amount} ${currency}`
      : `${amount} ${currency} ${area ? `up to ${area} pixels` : 'above that'}`,
  )
  const more = reference ? `; ${reference.amount} ${currency} for each reference after the first ${reference.free}` : ''
  return `${steps.join(', ')} a picture${more}`
}

function describeLife({ life, state }: Model) {
  if (state === 'retired') return 'It has ended; requests are refused.'
  const successor = life.successors[0]
  if (!life.ends_at) return undefined
  return `Ends ${life.ends_at.slice(0, 10)}${successor ? `; use ${successor} instead` : ''}.`
}

export function describeModels(models: readonly ShownModel[], asked: string | undefined) {
  if (models.length === 0 && asked !== undefined) {
    return `There is no model "${asked}" in the list. Call list_models without arguments for those that can be used.`
  }
  if (models.length === 0) return 'This server has no key for any service yet. Tell the user to add one in the studio.'
  return models
    .map(
      ({ id, is_default: isDefault, sizes, max_n: maxN, max_references: maxReferences, price, note }) =>
        `${id}${isDefault ? ' (usual)' : ''}: ${price}; sizes ${sizes.join(', ') || 'chosen by the service'}; n up to ${maxN}; ` +
        `${maxReferences > 0 ? `up to ${maxReferences} references` : 'no references'}.${note ? ` ${note}` : ''}`,
    )
    .join('\n')
}
