/** The stage of each model in its life at an address, at this moment. Everything that shows or sends a model asks here. */

import { isServedAt, type LifeAt, lifeAt } from '../catalogue/life.ts'
import type { Model, Warning } from '../catalogue/model.ts'
import type { ProviderFailure } from '../outgoing/failure.ts'
import { findDefaultModel } from '../providers/default-model.ts'
import { findPlatform } from '../providers/platforms.ts'
import type { Catalogue, FoundModel } from '../providers/registry.ts'
import type { Message } from '../storage/records.ts'
import type { ModelLists } from './model-lists.ts'

/** The model and the address that a request is for. */
export interface LifePlace {
  /** The id as it is sent, which may be an alias or an endpoint id; the model's own id when absent. */
  modelId?: string
  /** The base address; null where it is that of another service, of which this catalogue knows nothing. */
  address: string | null
}

export interface Standing extends LifeAt {
  /** Equivalent models there that have not ended themselves, the best first. */
  successors: readonly string[]
  /** Platform of the service; undefined for a foreign address, where it is not known what is available. */
  platform?: string
}

export type Lives = ReturnType<typeof createLives>

/** `standIns`: addresses that the operator configured in place of a service's usual one. */
export function createLives({
  lists,
  catalogue,
  standIns,
}: {
  lists: Pick<ModelLists, 'seen' | 'offered'>
  catalogue: Catalogue
  standIns: readonly string[]
}) {
  function seenAt({ provider, model }: FoundModel, { modelId = model.id, address }: LifePlace) {
    if (address === null) return undefined
    return lists.seen(provider, address, [modelId, model.id, ...(model.aliases ?? [])])
  }

  const platformAt = (provider: string, address: string | null) =>
    address === null ? undefined : findPlatform(catalogue.provider(provider), address, standIns)

  function plainAt(found: FoundModel, place: LifePlace): LifeAt {
    return lifeAt(found.model, platformAt(found.provider, place.address), new Date(), seenAt(found, place))
  }

  return {
    at(found: FoundModel, place: LifePlace): Standing {
      const life = plainAt(found, place)
      const platform = platformAt(found.provider, place.address)
      // A successor may have ended as well and have successors of its own.
      const successors = new Set<string>()
      const asked = new Set([found.model.id])
      const waiting = [...(life.entry?.successors ?? [])]
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
        if (asked.has(id)) continue
        asked.add(id)
        const heir = catalogue.find(id, found.provider)
        if (!heir || !isServedAt(heir.model, platform)) continue
        const { stage, entry } = plainAt(heir, { modelId: id, address: place.address })
        if (stage === 'current' || stage === 'announced') successors.add(id)
        else waiting.push(...(entry?.successors ?? []))
      }
      return { ...life, successors: [...successors], platform }
    },

    /** The id of the default model there. */
    standardAt(provider: string, address: string) {
      const offer = { ...catalogue.provider(provider), models: catalogue.models[provider] ?? [] }
      const seen = (model: Model) => seenAt({ provider, model }, { address })
      return findDefaultModel(offer, platformAt(provider, address), new Date(), seen).id
    },

    /** Image models that the list at this address offers and the catalogue does not have, in the cautious form of their family. */
    newAt(provider: string, address: string): FoundModel[] {
      return lists.offered(provider, address).flatMap(({ id }) => {
        const found = catalogue.find(id, provider)
        return found?.model.state === 'unlisted' ? [found] : []
      })
    },
  }
}

// ── In words ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Shown before money moves. Requests are still sent: a refusal is free, and the model may still work somewhere. */
export function lifeWarnings(modelId: string, { stage, entry, endedAt, successors }: Standing): Warning[] {
  if (stage === 'current') return []
  const successor = successors[0]
  const heir = successor === undefined ? '' : ` ${successor} takes its place.`
  if (stage === 'ended') {
    return [
      {
        code: 'model_retired',
        parameter: 'model',
        message: `${modelId} has ended on this host${endedAt ? `, since ${dayIn(endedAt)}` : ''}; the request is sent anyway, and a refusal is free.${heir}`,
        values: known({ since: endedAt, successor }),
      },
    ]
  }
  const when = entry?.endsAt ? ` on ${dayIn(entry.endsAt)}` : ', on a date that is not known'
  const closed = stage === 'retiring' ? ' Accounts that never opened it can no longer open it.' : ''
  return [
    {
      code: 'model_ending',
      parameter: 'model',
      message: `${modelId} ends on this host${when}.${closed}${heir}`,
      values: known({ stage, ends_at: entry?.endsAt, successor }),
    },
  ]
}

/** After the service said that it has no such model; `current`: another that is available there, if one is known. */
export function wordsForUnknown(
  { message }: Pick<ProviderFailure, 'message'>,
  modelId: string,
  { stage, entry, endedAt, successors }: Standing,
  current: string | undefined,
): Message {
  const successor = successors[0]
  if (stage === 'ended') {
    const heir = successor === undefined ? '' : ` ${successor} does the same there.`
    return {
      code: 'model_ended',
      message: `${modelId} was retired on this host${endedAt ? `; it has been unavailable since ${dayIn(endedAt)}` : ''}.${heir} Nothing was charged.`,
      values: known({ model: modelId, since: endedAt, successor }),
    }
  }
  if (stage === 'retiring') {
    const heir = successor === undefined ? '' : ` ${successor} takes its place.`
    return {
      code: 'model_closed',
      message: `${modelId} is being retired on this host: accounts that never opened it can no longer open it.${heir} Nothing was charged.`,
      values: known({ model: modelId, ends_at: entry?.endsAt, successor }),
    }
  }
  const offered = successor ?? current
  return {
    code: 'model_unknown',
    message: `${message}${offered === undefined ? '' : ` ${offered} is available there.`} Nothing was charged.`,
    values: known({ model: modelId, successor: offered }),
  }
}

function known(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

/** The day as the service wrote it, in its own zone. */
function dayIn(time: string) {
  const day = new Date(`${time.slice(0, 10)}T00:00Z`)
  return day.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })
}
