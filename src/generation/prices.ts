/** What pictures cost, from the price data beside each model. */
import type { JsonObject, Model, Price } from '../providers/provider.ts'

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

function stepFor(price: Price, picture: PricedPicture) {
  const steps = picture.layer && price.layer ? price.layer : price.image
  const area = picture.width * picture.height
  return (steps.find(step => step.upToArea === undefined || area <= step.upToArea) ?? steps.at(-1))?.amount ?? 0
}
