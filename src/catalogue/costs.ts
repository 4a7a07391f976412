/**
 * What pictures cost: from the price data beside each model, for the address that a request goes to, or from the user's own file, and from
 * what an answer says was made.
 */

import type { JsonObject, Model, Price, Size } from './model.ts'
import { listSizeRules } from './parameters.ts'
import { parsePixels } from './sizes.ts'

export interface PricedImage {
  width: number
  height: number
  /** A layer other than the base. */
  layer: boolean
}

export interface Cost {
  amount: number
  currency: string
}

export interface CostRange {
  min: number
  max: number
  currency: Price['currency']
}

export interface Wanted {
  /** Pictures asked for, in all calls together. */
  images: number
  calls: number
  /** Absent: the service chooses. */
  size: Size | undefined
  references: number
  /** Parameters as they are sent, after defaults. */
  parameters: JsonObject
  /** The service decides how many of `images` it makes. */
  mayMakeFewer?: boolean
}

// ── What was made ───────────────────────────────────────────────────────────────────────────────────────────────────

/** What determines the cost of an ended call. */
export interface BilledCall {
  id: string
  charge: 'none' | 'charged' | 'unknown' | null
  outcome: string | null
  /** Null where its answer did not say. */
  billedImages: number | null
}

/** What determines the cost of a stored image. */
export interface MadeImage {
  callId: string | null
  index: number
  width: number
  height: number
  details: JsonObject | null
}

/** The cost of the pictures that were made; undefined where no price of the model is known. */
export function sumImages(
  model: Model,
  made: { images: PricedImage[]; references: number; calls: number; parameters: JsonObject },
): Cost | undefined {
  const price = model.price
  if (!price) return undefined
  const factor = findFactor(price, made.parameters)
  let amount = 0
  for (const picture of made.images) amount += findStep(price, picture) * factor
  if (price.reference && made.images.length > 0) {
    amount += countPaidReferences(price, made.references) * price.reference.amount * made.calls
  }
  return { amount: rounded(amount), currency: price.currency }
}

/**
 * What the calls of a generation cost: as many pictures as their answers say were billed, also those that were lost on the way
 * here. Null when nothing was billed for certain, or no price is known.
 */
export function sumCalls(
  model: Model,
  made: {
    calls: readonly BilledCall[]
    images: readonly MadeImage[]
    references: number
    /** Parameters as they were sent. */
    parameters: JsonObject
  },
): Cost | null {
  const paid = made.calls.filter(call => call.charge === 'charged' || call.outcome === 'made')
  if (paid.length === 0) return null
  const billed = paid.map(call => listBilled(model, call, made))
  const cost = sumImages(model, {
    images: billed.flat(),
    references: made.references,
    calls: billed.filter(images => images.length > 0).length,
    parameters: made.parameters,
  })
  return cost ?? null
}

function listBilled(
  model: Model,
  call: BilledCall,
  { images, parameters }: { images: readonly MadeImage[]; parameters: JsonObject },
): PricedImage[] {
  const stored = images
    .filter(image => image.callId === call.id)
    .toSorted((a, b) => a.index - b.index)
    .map(({ width, height, details }) => ({ width, height, layer: Number(details?.z_index ?? 0) > 0 }))
  const billed = call.billedImages ?? stored.length
  const base = stored.find(picture => !picture.layer)
  const isLayered = countLayers(model, parameters) > 0 && base !== undefined
  // Each layer costs by its own pixels (price page of Ark, copy of 2026-08-27). Of one that was lost, no more is known than its base.
  const lost = { ...(base ?? parsePixels(String(parameters.size ?? '')) ?? images[0] ?? largest), layer: isLayered }
  const missing = Math.max(0, billed - stored.length)
  return [...stored.slice(0, billed), ...Array.from({ length: missing }, () => ({ ...lost }))]
}

/** If unknown, the most expensive step is taken. */
const largest = { width: Number.MAX_SAFE_INTEGER, height: 1 }

// ── What would be made ──────────────────────────────────────────────────────────────────────────────────────────────

/**
 * From the lowest cost of a success to the highest possible bill; the same number twice when it is certain. Null where no price
 * is known.
 */
export function estimateCost(model: Model, wanted: Wanted): CostRange | null {
  const { price } = model
  if (!price) return null
  const areas = findAreas(model, price, wanted)
  const least = wanted.mayMakeFewer ? Math.min(wanted.images, wanted.calls) : wanted.images
  const images = (count: number, area: number, layer = false) =>
    Array.from({ length: count }, () => ({ width: area, height: 1, layer }))
  const layers = countLayers(model, wanted.parameters) * wanted.calls
  const amounts = areas.map(area => ({
    min: sumImages(model, { ...wanted, images: images(least, area) })?.amount ?? 0,
    max:
      sumImages(model, { ...wanted, images: [...images(wanted.images, area), ...images(layers, area, true)] })
        ?.amount ?? 0,
  }))
  return {
    min: Math.min(...amounts.map(amount => amount.min)),
    max: Math.max(...amounts.map(amount => amount.max)),
    currency: price.currency,
  }
}

/** Explains the numbers of `estimateCost`, one sentence each. */
export function explainEstimate(model: Model, modelId: string, wanted: Wanted): string[] {
  const { price } = model
  const { images, calls, references, parameters } = wanted
  if (!price) {
    const why = model.unpriced
      ? `No price is known for ${modelId}: ${model.unpriced}`
      : `No price is known for ${modelId} at this address`
    return [`${why}; a file named in PRICES_FILE can give one.`, failuresAreFree]
  }
  const areas = findAreas(model, price, wanted)
  const amount = (layer: boolean) => {
    const amounts = areas.map(area => findStep(price, { width: area, height: 1, layer }))
    const [least, most] = [Math.min(...amounts), Math.max(...amounts)]
    const money = `${price.currency} ${least === most ? least : `${least} to ${most}`}`
    return least === most ? `${money} each` : `${money} each, by the area that the service chooses`
  }
  const reasons = [`${many(images, 'picture')} in ${many(calls, 'paid request')}, at ${amount(false)}.`]
  if (wanted.mayMakeFewer && images > calls) {
    reasons.push(`The model decides how many pictures it makes, at most ${images}; only those are charged.`)
  }
  const layers = countLayers(model, parameters)
  if (layers > 0) reasons.push(`Each request may add up to ${layers} layers, at ${amount(true)}.`)
  if (price.reference && references > 0) {
    const { free, amount } = price.reference
    const paid = countPaidReferences(price, references)
    const after = free > 0 ? `, the first ${free === 1 ? 'one' : free} free` : ''
    const each = calls > 1 ? ' in each request' : ''
    reasons.push(
      paid > 0
        ? `${many(references, 'reference')}${after}: ${paid} at ${price.currency} ${amount} each${each}.`
        : `${many(references, 'reference')}: free.`,
    )
  }
  const factor = findFactor(price, parameters)
  if (factor !== 1) reasons.push(`${price.factorWhen?.parameter} multiplies the price of a picture by ${factor}.`)
  return [...reasons, `${certainties[price.certainty]}: ${price.source}, ${price.checked}.`, failuresAreFree]
}

const certainties: Record<Price['certainty'], string> = {
  documented: 'The price is documented',
  reported: 'The price is reported by others, not documented',
  inferred: 'The price is inferred, not documented',
}

const failuresAreFree = 'A picture that the service refuses, blocks or fails to make is not charged.'

/** The smallest and the largest area that the service may make, reduced to what makes a difference to the price. */
function findAreas(model: Model, price: Price, { size }: Pick<Wanted, 'size'>): number[] {
  // Some models round to multiples of 16, which may push an image over a step.
  if (size && 'width' in size) return [size.width * size.height, up16(size.width) * up16(size.height)]
  const tier = size && listSizeRules(model).map(rule => rule.table[size.keyword])
  const sizes = tier?.flatMap(sizes => Object.values(sizes ?? {})).map(parsePixels) ?? []
  const listed = sizes.map(size => (size ? size.width * size.height : 0))
  // With a tier the service chooses the ratio; no image was ever seen on the other side of a step.
  if (listed.length > 0) return [Math.min(...listed), Math.max(...listed)]
  return [...price.image, ...(price.layer ?? [])].map(step => step.upToArea ?? Number.MAX_SAFE_INTEGER)
}

/** How many layers a call may bill beside its base picture. */
function countLayers(model: Model, parameters: JsonObject) {
  const { group } = model.images
  return group?.maxLayers && group.askedBy && parameters[group.askedBy] === true ? group.maxLayers : 0
}

function findStep(price: Price, picture: PricedImage) {
  const steps = picture.layer && price.layer ? price.layer : price.image
  const area = picture.width * picture.height
  return (steps.find(step => step.upToArea === undefined || area <= step.upToArea) ?? steps.at(-1))?.amount ?? 0
}

function findFactor({ factorWhen }: Price, parameters: JsonObject) {
  return factorWhen && parameters[factorWhen.parameter] === true ? factorWhen.factor : 1
}

function countPaidReferences(price: Price, references: number) {
  return Math.max(0, references - (price.reference?.free ?? 0))
}

function many(count: number, noun: string) {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** Sums of hundredths are inexact in binary. */
function rounded(amount: number) {
  return Math.round(amount * 1e6) / 1e6
}

const up16 = (side: number) => Math.ceil(side / 16) * 16
