/** The default model of a request that names none, and how a platform spells its id. */
import { isServedAt, lifeAt, type SeenLife } from '../catalogue/life.ts'
import type { Model } from '../catalogue/model.ts'
import type { Provider } from './provider.ts'

type Offer = Pick<Provider, 'models' | 'platformAt' | 'priceListAt' | 'defaultBaseUrl'>
type Seen = (model: Model) => SeenLife | undefined

/**
 * Pure: the cheapest current general model of a platform.
 * - General: draws from text and takes references.
 * - Current: of the present lines, known to be served there, and without a word of its end.
 * - Cheapest: by the dearest picture that it makes, so that no size is a surprise. A model without a price there comes after all that have
 *   one; where none has, the order of the catalogue decides.
 *
 * An address that is not the service's own, and one where nothing fits, gets what the usual address has. `seen`: what the list at the
 * address says of a model.
 */
export function findDefaultModel(
  offer: Offer,
  platform: string | undefined,
  now: Date,
  seen: Seen = () => undefined,
): Model {
  const usual = offer.platformAt(offer.defaultBaseUrl)
  const [first] = offer.models
  if (!first) throw new Error('a provider without models')
  return cheapest(offer, platform ?? usual, now, seen) ?? cheapest(offer, usual, now, seen) ?? first
}

/** Pure. The id to send to a platform for a model that was asked for by the id of the catalogue; every other spelling stays what it is. */
export function spelledFor(model: Pick<Model, 'id' | 'idAt'>, asked: string, platform: string | undefined): string {
  return (asked === model.id && platform !== undefined && model.idAt?.[platform]) || asked
}

function cheapest(offer: Offer, platform: string | undefined, now: Date, seen: Seen): Model | undefined {
  const fitting = offer.models.filter(
    model =>
      model.state === 'current' &&
      model.textToImage &&
      model.references.max > 0 &&
      isServedAt(model, platform) &&
      lifeAt(model, platform, now, seen(model)).stage === 'current',
  )
  const [found] = fitting.toSorted((a, b) => highestPrice(offer, a, platform) - highestPrice(offer, b, platform))
  return found
}

function highestPrice({ priceListAt }: Offer, model: Model, platform: string | undefined): number {
  const list = platform === undefined ? 'home' : (priceListAt?.(platform, model.id) ?? 'home')
  const price = { home: model.price, abroad: model.priceAbroad, unknown: undefined }[list]
  return price?.image.at(-1)?.amount ?? Number.MAX_VALUE
}
