/** What the faces may do with generations. */
import { collectNames } from '../catalogue/parameters.ts'
import { createEvents } from '../coordination/events.ts'
import { computeSessionLeft } from '../members/budget.ts'
import { composeRetry } from './compose-retry.ts'
import { createGeneration } from './create.ts'
import { estimate } from './draft.ts'
import { createHistory } from './history.ts'
import type { GenerationParts } from './parts.ts'
import { createRepeats } from './repeats.ts'
import type { Generations } from './services.ts'
import { waitForEnd } from './wait.ts'

export function createGenerations(given: Omit<GenerationParts, 'knownNames'>): Generations {
  const parts = { ...given, knownNames: collectNames(given.catalogue.all().map(({ model }) => model)) }
  const { store, notifier, closing } = parts
  return {
    ...createHistory(parts),
    ...createRepeats(parts),
    create: (request, options) => createGeneration(parts, request, options, null),
    estimate: (request, caller) => estimate(parts, request, caller),
    async retry(id, only, options) {
      return createGeneration(parts, await composeRetry(parts, id, only), options, id)
    },
    async estimateRetry(id, only, caller) {
      return estimate(parts, await composeRetry(parts, id, only), caller)
    },
    whenEnded(id, { timeoutMs, signal }) {
      return waitForEnd(parts, id, { timeoutMs, signal: signal ? AbortSignal.any([signal, closing]) : closing })
    },
    sessionLeft: session => computeSessionLeft(store, session),
    events: createEvents(store, notifier, closing),
  }
}
