/** Tells an observer of every step of the ledger, by the ids of rows alone: what else a step holds is nobody's business. */
import type { Created } from '../storage/ledger/create.ts'
import type { Ledger } from '../storage/ledger/ledger.ts'
import type { Observer, Step } from './observer.ts'

/** Members of the steps that name rows. */
interface Named {
  id?: string
  generationId?: string
  callId?: string
  generation?: { id: string; requestId: string | null; provider: string; model: string }
  calls?: { id: string }[]
  last?: { callId: string }
  next?: { id: string; generationId: string }
}

export function observeLedger(ledger: Ledger, { stepped }: Pick<Observer, 'stepped'>): Ledger {
  if (!stepped) return ledger
  const steps = ledger as unknown as Record<string, (step?: unknown) => Promise<unknown>>
  const observed = Object.entries(steps).map(([name, make]) => [
    name,
    async (step?: unknown) => {
      const began = performance.now()
      let isMade = false
      try {
        const result = await make(step)
        // A refusal for want of room, or of a key that is taken, wrote nothing.
        isMade = name !== 'create' || (result as Created).type === 'created'
        return result
      } finally {
        stepped({ name, ...idsOf(step), began, isMade })
      }
    },
  ])
  return Object.fromEntries(observed) as Ledger
}

function idsOf(step: unknown): Pick<Step, 'generationId' | 'callId' | 'calls' | 'created'> {
  const { generation, generationId, callId, calls, last, next, id } = (step ?? {}) as Named
  return {
    generationId: generation?.id ?? generationId ?? next?.generationId ?? id,
    callId: callId ?? last?.callId,
    calls: [...(calls ?? []), ...(next ? [next] : [])].map(call => call.id),
    created: generation && {
      requestId: generation.requestId,
      provider: generation.provider,
      model: generation.model,
    },
  }
}
