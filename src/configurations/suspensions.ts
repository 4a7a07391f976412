/** Suspended configurations: their service refused the key or the account, so they are tried again later and later. */
import type { Pauses } from '../coordination/pauses.ts'
import type { ProviderFailure } from '../outgoing/failure.ts'
import type { Store } from '../storage/store.ts'

/** Suspension after the first refusal; doubled after each further one in a row, up to … */
const firstMs = 30_000
const longestMs = 10 * 60_000
const pagesThatCount = 2

export type Refused = Pick<ProviderFailure, 'code' | 'message' | 'providerCode' | 'providerMessage'>

export function createSuspensions({ store, pauses, changed }: { store: Store; pauses: Pauses; changed(): void }) {
  /** Refusals of each configuration that may come from a proxy, since its last success. */
  const pages = new Map<string, number>()

  /** `sentAt`: what was sent before the suspension proves nothing new. */
  async function extend(id: string, failure: Refused, sentAt: number) {
    const { code, message, providerCode = null, providerMessage = null } = failure
    const known = (await store.configurations.suspension()).get(id)
    const now = Date.now()
    // A time in the future was written before the clock was put back.
    if (known && Date.parse(known.at) > sentAt && Date.parse(known.at) <= now) return
    const refusals = (known?.refusals ?? 0) + 1
    const pauseMs = pauses.scaled(Math.min(longestMs, firstMs * 2 ** (refusals - 1)))
    const [at, retryAt] = [now, now + pauseMs].map(ms => new Date(ms).toISOString()) as [string, string]
    await store.configurations.suspend(id, { code, message, at, retryAt, refusals, providerCode, providerMessage })
    changed()
  }

  async function noteSuccess(id: string, wasTrial: boolean) {
    pages.delete(id)
    if (!wasTrial) return
    await store.configurations.reinstate(id)
    changed()
  }

  return {
    extend,
    noteSuccess,

    /** See `ConfigurationRegistry.suspend`. */
    async suspend(id: string, failure: ProviderFailure, sentAt: number) {
      if (failure.providerCode === undefined && !(await store.configurations.suspension()).has(id)) {
        const count = (pages.get(id) ?? 0) + 1
        pages.set(id, count)
        if (count < pagesThatCount) return
      }
      await extend(id, failure, sentAt)
    },
  }
}
