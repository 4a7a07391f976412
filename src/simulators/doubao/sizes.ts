/** How large a picture of the simulated Ark becomes. */
import type { Reference } from './inputs.ts'
import { offTable, parseSize, type Size } from './models.ts'
import type { Order } from './requests.ts'

/** The pixels of a picture of this order. `chance` is any whole number; a tier leaves the choice to the model. */
export function chooseSize(order: Order, references: readonly Reference[], chance: number): Size {
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
