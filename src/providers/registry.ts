/** The providers and their models as data. A program with other providers, such as a test, creates its own registry. */
import type { Model } from '../catalogue/model.ts'
import type { Provider } from './provider.ts'

export type Registry = Readonly<Record<string, Provider>>

export interface FoundModel {
  /** Provider id. */
  provider: string
  model: Model
}

/** The providers and their models: the built-in ones, or those with the changes of MODELS_FILE. */
export interface Catalogue {
  providers: Registry
  providerIds: readonly string[]
  models: Readonly<Record<string, readonly Model[]>>
  /** @throws Error for an id that is none of `providerIds` */
  provider(id: string): Provider
  /** Undefined for an id that is none of `providerIds`: a row of the database may come from another version. */
  findProvider(id: string | null | undefined): Provider | undefined
  /** Every model, provider by provider. */
  all(): FoundModel[]
  /**
   * The model for an id: from the catalogue (aliases too), else by the family that the id names, else the cautious form of the
   * `declared` provider. Undefined when nobody knows the id.
   */
  find(id: string, declared?: string | null): FoundModel | undefined
}

/** `models`: instead of those that came with each provider. */
export function createCatalogue(providers: Registry, models?: Catalogue['models']): Catalogue {
  const providerIds = Object.keys(providers)
  const modelsOf = (id: string) => models?.[id] ?? providers[id]?.models ?? []
  const findProvider: Catalogue['findProvider'] = id =>
    typeof id === 'string' && Object.hasOwn(providers, id) ? providers[id] : undefined

  return {
    providers,
    providerIds,
    models: Object.fromEntries(providerIds.map(id => [id, modelsOf(id)])),
    findProvider,

    provider(id) {
      const provider = findProvider(id)
      if (!provider) throw new Error(`"${id}" is not a provider here`)
      return provider
    },

    all: () => providerIds.flatMap(provider => modelsOf(provider).map(model => ({ provider, model }))),

    find(id, declared) {
      const searched = declared ? providerIds.filter(one => one === declared) : providerIds
      for (const provider of searched) {
        const model = modelsOf(provider).find(model => model.id === id || model.aliases?.includes(id))
        if (model) return { provider, model }
      }
      for (const provider of searched) {
        const model = providers[provider]?.unlisted(id, declared === provider)
        if (model) return { provider, model }
      }
      return undefined
    },
  }
}
