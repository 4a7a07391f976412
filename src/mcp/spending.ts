/** The most that one session may spend. It stands beside the caps of tokens, configurations and the server, which hold as well. */
import type { Estimate } from '../api/estimate.ts'
import type { Generation } from '../api/generations.ts'
import { hasEnded } from '../client/client.ts'
import { ToolRefusal } from './errors.ts'
import type { Made, Operations } from './operations.ts'

export interface Money {
  amount: number
  currency: string
}

export interface Spending {
  cap: Money | undefined
  /** What is left, with what runs counted at the most that it may cost. */
  left(): Money | undefined
  /**
   * Sets aside the most that a request may cost, then makes it.
   * @throws ToolRefusal `session_cap_exceeded`
   */
  spend(operations: Operations, estimate: () => Promise<Estimate>, make: () => Promise<Made>): Promise<Made>
  /** What it did cost takes the place of what was set aside. */
  settle(generation: Generation): void
}

export function createSpending(cap: Money | undefined): Spending {
  let spent = 0
  /** By generation, what was set aside. */
  const reserved = new Map<string, number>()
  /** An order that is repeated with its key is the same generation. */
  const settled = new Set<string>()
  /** Of requests that are being made. */
  let pending = 0

  function left() {
    if (!cap) return undefined
    const taken = spent + pending + [...reserved.values()].reduce((sum, amount) => sum + amount, 0)
    return { amount: round(Math.max(0, cap.amount - taken)), currency: cap.currency }
  }

  function settle(generation: Generation) {
    const amount = reserved.get(generation.id)
    if (amount === undefined || !hasEnded(generation)) return
    reserved.delete(generation.id)
    settled.add(generation.id)
    const { charge, cost } = generation
    if (charge === 'none') return
    // What may have been charged counts as charged.
    spent += charge === 'charged' && cost?.currency === cap?.currency ? (cost?.amount ?? amount) : amount
  }

  return {
    cap,
    left,
    settle,
    async spend(operations, estimate, make) {
      if (!cap) return make()
      for (const id of reserved.keys()) {
        // One that cannot be read stays counted.
        const found = await operations.find(id).catch(() => undefined)
        if (found) settle(found)
      }
      const expected = await estimate()
      // From here to the addition nothing is awaited, so two calls cannot take the same rest.
      const amount = checkCost(expected, cap, left()?.amount ?? 0)
      pending += amount
      try {
        const made = await make()
        const { id } = made.generation
        if (!settled.has(id)) reserved.set(id, amount)
        return made
      } finally {
        pending -= amount
      }
    },
  }
}

function checkCost({ cost, model }: Estimate, cap: Money, left: number) {
  const rule = `This session may spend ${cap.amount} ${cap.currency}`
  if (cost === null || cost.currency !== cap.currency) {
    const price = cost === null ? 'no price is known' : `the price is in ${cost.currency}`
    throw new ToolRefusal(
      'session_cap_exceeded',
      `${rule}, and ${price} for ${model}, so that could not be kept. Choose a model with a price in ${cap.currency}; list_models shows them.`,
    )
  }
  if (cost.max <= left + 1e-9) return cost.max
  throw new ToolRefusal(
    'session_cap_exceeded',
    `${rule}; ${left} ${cap.currency} are left, and this request may cost up to ${cost.max} ${cost.currency}. ` +
      'Ask for fewer or smaller pictures or a cheaper model, or tell the user that the cap of this session is used up.',
  )
}

function round(amount: number) {
  return Math.round(amount * 1e6) / 1e6
}
