/** What the simulated Ark makes of an order: which pictures come of it or fail, and how the answer tells of each. */
import { createHash } from 'node:crypto'
import type { ImageOptions } from '../drawing/picture.ts'
import type { Fault } from '../faults.ts'
import { Refusal } from '../refusal.ts'
import type { Reference } from './inputs.ts'
import type { Platform } from './keys.ts'
import { offTable, parseSize, type Size } from './models.ts'
import { countInPrompt, type Order } from './requests.ts'

/** One place of the answer: a picture, with what the item says beside its address and size, or why there is none. */
export type Item = { index: number } & ({ image: ImageOptions; facts: object } | { error: Failure })

interface Failure {
  code: string
  message: string
}

/** A request that passed everything and what will come of it. */
export interface Job {
  id: string
  order: Order
  /** As the request named the model. */
  spelling: string
  platform: Platform
  keyName: string
  items: Item[]
  secondsFirst: number
  secondsFurther: number
}

export const outputBlocked: Failure = {
  code: 'OutputImageSensitiveContentDetected',
  message: 'The request failed because the output image may contain sensitive information.',
}
export const innerFailure: Failure = {
  code: 'InternalServiceError',
  message: 'The service encountered an unexpected internal error.',
}

/** Decides what will come of the order, before anything is drawn. @throws Refusal when nothing will. */
export function imagine(
  call: Pick<Job, 'id' | 'order' | 'spelling' | 'platform' | 'keyName'>,
  references: readonly Reference[],
  { seed, fault }: { seed: number; fault: Fault | undefined },
): Job {
  const { order } = call
  const { seconds } = order.model.family
  const size = chooseSize(order, references, hashOf(order.prompt))
  const isSmall = size.width * size.height < 2_700_000
  const thumbnails = references.flatMap(reference => reference.thumbnail ?? [])
  const wanted = order.layers ? layerItems(order, size, seed, thumbnails) : imageItems(order, size, seed, thumbnails)
  const job: Job = {
    ...call,
    items: spoil(wanted, fault),
    secondsFirst: order.layers ? 37 : isSmall ? seconds.small : seconds.large,
    secondsFurther: seconds.further,
  }
  refuseWhenNothing(job, fault)
  return job
}

function spoil(items: Item[], fault: Fault | undefined): Item[] {
  const fail = (error: Failure, isHit: (index: number) => boolean) =>
    items.map(item => (isHit(item.index) ? { index: item.index, error } : item))
  switch (fault?.kind) {
    case 'fewer':
      return items.slice(0, Math.max(0, fault.count))
    case 'partial':
      return fail(outputBlocked, index => fault.failIndexes.includes(index))
    case 'stops':
      return fail(innerFailure, index => index === fault.atIndex).slice(0, fault.atIndex + 1)
    case 'all-refused':
      return fault.form === 'empty' ? [] : fail(outputBlocked, () => true)
    default:
      return items
  }
}

/** A single picture that fails is an ordinary error; so is any layer that fails. */
function refuseWhenNothing({ order, items, secondsFirst }: Job, fault: Fault | undefined): void {
  const error = errorOf(items)
  if (!error) return
  const allFailed = items.every(item => 'error' in item)
  const asStatus = fault?.kind === 'all-refused' ? (fault.form ?? 'status') === 'status' : allFailed && !order.isGroup
  if (!asStatus && !order.layers) return
  throw new Refusal(error === innerFailure ? 500 : 400, error.code, error.message, { seconds: secondsFirst })
}

export function errorOf(items: readonly Item[]): Failure | undefined {
  return items.flatMap(item => ('error' in item ? item.error : []))[0]
}

// ── Sizes ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The pixels of a picture of this order. `chance` is any whole number; a tier leaves the choice to the model. */
function chooseSize(order: Order, references: readonly Reference[], chance: number): Size {
  const exact = parseSize(order.size)
  if (exact) return exact
  const last = references.at(-1)
  const { family } = order.model
  if (order.layers && last) return layerBase(order, last)
  const table = [...family.tiers[order.size]!, ...(offTable[order.size] ?? [])].map(size => parseSize(size)!)
  if (!last) return table[chance % table.length]!
  const distance = (size: Size) => Math.abs(Math.log((size.width * last.height) / (size.height * last.width)))
  return table.reduce((best, size) => (distance(size) < distance(best) ? size : best))
}

/** The base of layers has the form of the input: its own size within the limits, or the area of the tier. */
function layerBase(order: Order, { width, height }: Reference): Size {
  const { family } = order.model
  const square = order.size === 'auto' ? undefined : parseSize(family.tiers[order.size]![0]!)
  const area = square
    ? square.width * square.height
    : Math.min(Math.max(width * height, family.minArea), family.maxArea)
  const scale = Math.sqrt(area / (width * height))
  // Rounded so that the area stays within the limits.
  const whole = scale > 1 ? Math.ceil : Math.floor
  return scale === 1 ? { width, height } : { width: whole(width * scale), height: whole(height * scale) }
}

// ── Items ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function imageItems(order: Order, size: Size, seed: number, references: Buffer[]): Item[] {
  const { images, prompt, background } = order
  const count = order.isGroup ? Math.max(1, Math.min(images, countInPrompt(prompt) ?? images)) : 1
  const transparent =
    background === 'transparent' ||
    (background === 'auto' && order.type === 'png' && /透明|transparent|sticker|logo/i.test(prompt))
  return Array.from({ length: count }, (_, index) => itemFor(order, { ...size, seed, index, references, transparent }))
}

/** The base, then layers cut from it at places that the prompt decides. */
function layerItems(order: Order, size: Size, seed: number, references: Buffer[]): Item[] {
  const { width, height } = size
  const names = ['figure', 'foreground', 'mountain', 'text', 'sun', 'water']
  const wanted = countInPrompt(order.prompt) ?? 1 + (hashOf(order.prompt) % 3)
  const layers = Math.max(1, Math.min(wanted, order.model.family.maxLayers))
  const items: Item[] = [itemFor(order, { ...size, seed, index: 0, references, transparent: false }, { z_index: 0 })]
  for (let index = 1; index <= layers; index++) {
    const chance = hashOf(`${order.prompt} ${index}`)
    const left = Math.floor((width * (chance % 40)) / 100)
    const top = Math.floor((height * ((chance >>> 8) % 40)) / 100)
    const right = Math.min(width, left + Math.ceil(width * 0.5))
    const bottom = Math.min(height, top + Math.ceil(height * 0.5))
    // The size of a layer is not that of its box: some come larger, in the ratio of their region.
    const scale = index % 3 === 0 ? 1.25 : 1
    const layer = { width: Math.round((right - left) * scale), height: Math.round((bottom - top) * scale) }
    const name = names[(index - 1) % names.length]!
    const normalized = [left / width, top / height, right / width, bottom / height].map(share =>
      Math.round(share * 1000),
    )
    items.push(
      itemFor(
        { ...order, type: 'png', watermark: false },
        { ...layer, seed, index, references: [], transparent: true },
        {
          z_index: index,
          name,
          description: `${name} of the picture`,
          bounding_box: { absolute: [left, top, right, bottom], normalized },
        },
      ),
    )
  }
  return items
}

function itemFor(
  order: Order,
  image: Omit<ImageOptions, 'type' | 'prompt' | 'watermark'>,
  layerFacts: object = {},
): Item {
  const { prompt, type, watermark } = order
  const { family } = order.model
  const facts = {
    ...(family.namesFormat && { output_format: type }),
    ...(family.name === '5.5' &&
      order.background !== undefined && { background: image.transparent ? 'transparent' : 'opaque' }),
    ...layerFacts,
  }
  return { index: image.index, image: { ...image, type, prompt, watermark }, facts }
}

// ── What the answer says ────────────────────────────────────────────────────────────────────────────────────────────

/** The documents say the full id; measured with subscription keys: the name alone, in a stream the spelling of the request. */
export function echoOf({ order, platform, spelling }: Job, inStream: boolean): { model: string; created: number } {
  const { name, id, echo = id } = order.model
  const model = platform !== 'plan' ? echo : inStream ? spelling : name
  return { model, created: Math.floor(Date.now() / 1000) }
}

export function toolsOf({ order }: Job): object {
  return order.tools === undefined ? {} : { tools: order.tools }
}

export function usageOf({ order, items }: Job, withTools: boolean): object {
  const areas = items.flatMap(item => ('image' in item ? item.image.width * item.image.height : []))
  // Layers are counted with the area of their base, however small they were cut.
  const area = order.layers ? areas.length * (areas[0] ?? 0) : areas.reduce((sum, each) => sum + each, 0)
  const tokens = Math.round(area / 256)
  const { family } = order.model
  const isNews = /today|latest|news|weather|今天|最新|新闻|天气/i.test(order.prompt)
  return {
    ...(family.countsInputs && { input_images: order.references.length }),
    generated_images: areas.length,
    output_tokens: tokens,
    total_tokens: tokens,
    ...(family.search && withTools && { tool_usage: { web_search: order.tools !== undefined && isNews ? 1 : 0 } }),
  }
}

function hashOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32LE()
}
