/** The registry. A new provider is one folder and one line here. */
import { doubao } from './doubao/doubao.ts'
import { openai } from './openai/openai.ts'
import type { Model, Provider } from './provider.ts'
import { qwen } from './qwen/qwen.ts'

export const providers = { doubao, qwen, openai } satisfies Record<string, Provider>
export type ProviderId = keyof typeof providers
export const providerIds = Object.keys(providers) as [ProviderId, ...ProviderId[]]

export interface FoundModel {
  provider: ProviderId
  model: Model
}

/** Every model of the catalogue, provider by provider. */
export function catalogue(): FoundModel[] {
  return providerIds.flatMap(provider => providers[provider].models.map(model => ({ provider, model })))
}

/**
 * The model for an id: from the catalogue (aliases too), else by the family that the id names, else the cautious form of the
 * `declared` provider. Undefined when nobody knows the id.
 */
export function findModel(id: string, declared?: ProviderId): FoundModel | undefined {
  const searched = declared ? [declared] : providerIds
  for (const provider of searched) {
    const model = providers[provider].models.find(model => model.id === id || model.aliases?.includes(id))
    if (model) return { provider, model }
  }
  for (const provider of searched) {
    const model = providers[provider].unlisted(id, declared === provider)
    if (model) return { provider, model }
  }
  return undefined
}
