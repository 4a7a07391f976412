/** What pictures cost, from the price data beside each model. */
import type { JsonObject, Model, Price, Size } from '../providers/provider.ts'

export interface PricedPicture {
  width: number
  height: number
  /** A layer of a decomposition other than the base. */
  layer: boolean
}

export interface Cost {
  amount: number
  currency: string
}

/** The cost of the pictures that were made; undefined where no price of the model is known. */
export function costOf(
  model: Model,
  made: { pictures: PricedPicture[]; references: number; calls: number; parameters: JsonObject },
): Cost | undefined {
  const price = model.price
  if (!price) return undefined
  const factor = price.factorWhen && made.parameters[price.factorWhen.parameter] === true ? price.factorWhen.factor : 1
  let amount = 0
  for (const picture of made.pictures) amount += stepFor(price, picture) * factor
  if (price.reference && made.pictures.length > 0) {
    amount += Math.max(0, made.references - price.reference.free) * price.reference.amount * made.calls
  }
  return { amount: Math.round(amount * 1e6) / 1e6, currency: price.currency }
}

/** What pictures would cost: one number when their size is known, else from the cheapest step to the dearest. */
export function estimateCost(
  model: Model,
  wanted: { images: number; size: Size | undefined; references: number; calls: number; parameters: JsonObject },
) {
  const steps = model.price?.image
  const { size } = wanted
  if (!steps) return null
  const areas =
    size && 'width' in size ? [size.width * size.height] : steps.map(step => step.upToArea ?? Number.MAX_SAFE_INTEGER)
  const amounts = areas.map(area => {
    const pictures = Array.from({ length: wanted.images }, () => ({ width: area, height: 1, layer: false }))
    return costOf(model, { ...wanted, pictures })?.amount ?? 0
  })
  return { min: Math.min(...amounts), max: Math.max(...amounts), currency: model.price?.currency ?? 'CNY' }
}

function stepFor(price: Price, picture: PricedPicture) {
  const steps = picture.layer && price.layer ? price.layer : price.image
  const area = picture.width * picture.height
  return (steps.find(step => step.upToArea === undefined || area <= step.upToArea) ?? steps.at(-1))?.amount ?? 0
}
