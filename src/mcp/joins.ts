/**
 * Calls that ask again for what is already on its way. Agents and their libraries repeat a call whose answer they lost or did not wait
 * for; the repeat joins the first one instead of paying again.
 */
import { createHash } from 'node:crypto'
import type { Generation } from '../api/generations.ts'
import { hasEnded } from '../client/client.ts'
import type { Operations } from './operations.ts'

/** After so long the same words mean another picture. */
const rememberedMs = 10 * 60_000
const maxRemembered = 10_000

export interface Made {
  generation: Generation
  /** An equal call began it. */
  isJoined: boolean
}

export interface Joins {
  /** Makes it, or joins the generation that an equal call of this owner began and whose end it was not told. */
  once(owner: string, body: object, operations: Operations, make: () => Promise<Generation>): Promise<Made>
  /** Its end is answered: an equal call now means another picture, unless nobody knows whether this one was paid. */
  delivered(owner: string, body: object, generation: Generation): void
}

/** In the memory of this process; a key that the caller gives holds across restarts and processes as well. */
export function createJoins(): Joins {
  const known = new Map<string, { id: Promise<string>; at: number }>()

  function forgetOld() {
    const now = performance.now()
    for (const [name, { at }] of known) {
      if (now - at < rememberedMs && known.size <= maxRemembered) return
      known.delete(name)
    }
  }

  /** Undefined where the first call was refused, or ended without a charge. */
  async function findFormer(name: string, operations: Operations) {
    const id = await known.get(name)?.id.catch(() => undefined)
    const generation = id === undefined ? undefined : await operations.find(id).catch(() => undefined)
    return generation && (!hasEnded(generation) || generation.charge !== 'none') ? generation : undefined
  }

  return {
    async once(owner, body, operations, make) {
      forgetOld()
      const name = nameOf(owner, body)
      const former = known.get(name)
      const generation = former && (await findFormer(name, operations))
      if (generation) return { generation, isJoined: true }
      // Others that waited for the same former one may have begun meanwhile.
      const newer = known.get(name)
      if (newer && newer !== former) return this.once(owner, body, operations, make)
      const making = make()
      known.delete(name)
      known.set(name, { id: making.then(({ id }) => id), at: performance.now() })
      known.get(name)?.id.catch(() => known.delete(name))
      return { generation: await making, isJoined: false }
    },
    delivered(owner, body, generation) {
      if (!hasEnded(generation) || generation.charge === 'unknown') return
      known.delete(nameOf(owner, body))
    },
  }
}

export function hashBody(body: object) {
  return createHash('sha256').update(JSON.stringify(body)).digest('base64url')
}

function nameOf(owner: string, body: object) {
  return `${owner}/${hashBody(body)}`
}
