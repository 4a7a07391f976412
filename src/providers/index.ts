/** The registry. A new provider is one folder and one line here. */

import type { Model } from '../catalogue/model.ts'
import { doubao } from './doubao/doubao.ts'
import { openai } from './openai/openai.ts'
import type { Provider } from './provider.ts'
import { qwen } from './qwen/qwen.ts'

export const providers = { doubao, qwen, openai } satisfies Record<string, Provider>
export type ProviderId = keyof typeof providers
export const providerIds = Object.keys(providers) as [ProviderId, ...ProviderId[]]

export interface FoundModel {
  provider: ProviderId
  model: Model
}

/** The models as data: those that came with the program, or those and what the user's own file says of them. */
export interface Catalogue {
  models: Readonly<Record<ProviderId, readonly Model[]>>
  /** Every model, provider by provider. */
  all(): FoundModel[]
  /**
   * The model for an id: from the catalogue (aliases too), else by the family that the id names, else the cautious form of the
   * `declared` provider. Undefined when nobody knows the id.
   */
  find(id: string, declared?: ProviderId): FoundModel | undefined
}

export function createCatalogue(models: Catalogue['models']): Catalogue {
  return {
    models,

    all: () => providerIds.flatMap(provider => models[provider].map(model => ({ provider, model }))),

    find(id, declared) {
      const searched = declared ? [declared] : providerIds
      for (const provider of searched) {
        const model = models[provider].find(model => model.id === id || model.aliases?.includes(id))
        if (model) return { provider, model }
      }
      for (const provider of searched) {
        const model = providers[provider].unlisted(id, declared === provider)
        if (model) return { provider, model }
      }
      return undefined
    },
  }
}

/** What came with the program. */
export const shipped = createCatalogue({
  doubao: doubao.models,
  qwen: qwen.models,
  openai: openai.models,
})

export const { all: catalogue, find: findModel } = shipped
