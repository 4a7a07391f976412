/** The price of a model at the address that a request goes to: from its lists, or from the operator's own file. */

import type { Model, Price } from '../catalogue/model.ts'
import { findPlatform } from '../providers/platforms.ts'
import type { Provider } from '../providers/provider.ts'
import type { Catalogue, FoundModel } from '../providers/registry.ts'

// ── The user's own prices ───────────────────────────────────────────────────────────────────────────────────────────

/** The address and the model that a request is for. */
export interface PricePlace {
  /** The id as it is sent, which may be an alias or an endpoint id; the model's own id when absent. */
  modelId?: string
  /** The base address; that of the provider when absent, null for one whose prices nobody knows. */
  address?: string | null
}

export type Prices = ReturnType<typeof createPrices>

/**
 * `own` holds prices by model id, alias or endpoint id, which count wherever the request goes; null takes the price away.
 * `standIns`: addresses that the operator configured in place of a service's usual one.
 */
export function createPrices(
  catalogue: Pick<Catalogue, 'provider'>,
  own: ReadonlyMap<string, Price | null> = new Map(),
  standIns: readonly string[] = [],
) {
  // The same model and price give the same object, because caches are keyed by it.
  const known = new WeakMap<Model, Map<Price | null | undefined, Model>>()
  return {
    /** The same model with the price that counts there, or without one where none is known. */
    priced(found: FoundModel, { modelId = found.model.id, address }: PricePlace = {}): FoundModel {
      const { model } = found
      const chosen = [modelId, model.id, ...(model.aliases ?? [])].map(id => own.get(id)).find(one => one !== undefined)
      const price =
        chosen === undefined
          ? listPrice(catalogue.provider(found.provider), found.model, modelId, address, standIns)
          : chosen
      if ((price ?? undefined) === model.price) return found
      const variants = known.get(model) ?? new Map<Price | null | undefined, Model>()
      const priced = variants.get(price) ?? { ...model, price: price ?? undefined }
      known.set(model, variants.set(price, priced))
      return { ...found, model: priced }
    },
  }
}

// ── By address ──────────────────────────────────────────────────────────────────────────────────────────────────────

function listPrice(
  provider: Provider,
  model: Model,
  modelId: string,
  address: string | null | undefined,
  standIns: readonly string[],
): Price | undefined {
  if (address === null) return undefined
  const { priceListAt, defaultBaseUrl } = provider
  if (!priceListAt) return model.price
  const platform = findPlatform(provider, address ?? defaultBaseUrl, standIns)
  // A reseller or somebody's gateway sets its own prices.
  if (platform === undefined) return undefined
  return { home: model.price, abroad: model.priceAbroad, unknown: undefined }[priceListAt(platform, modelId)]
}
