import type { Model, ModelLife } from '../../../api/models.ts'
import { writeCard } from '../../../catalogue/card.ts'
import { isServedAt } from '../../../catalogue/life.ts'
import type { Standing } from '../../../offers/lives.ts'
import type { FoundModel } from '../../../providers/registry.ts'

export function presentLife({ stage, entry, endedAt, seen, successors }: Standing): ModelLife {
  return {
    stage,
    announced_at: entry?.announcedAt ?? null,
    closed_to_new_at: entry?.closedToNewAt ?? null,
    ends_at: entry?.endsAt ?? null,
    ended_at: endedAt ?? null,
    successors: [...successors],
    certainty: entry?.certainty ?? null,
    source: entry?.source ?? null,
    checked: entry?.checked ?? null,
    learned_at: seen?.seenAt ?? null,
  }
}

export function presentModel(
  { provider, model }: FoundModel,
  place: { providerName: string; configured: boolean; isDefault: boolean; standing: Standing },
): Model {
  const card = writeCard(model)
  return {
    ...card,
    provider,
    provider_name: place.providerName,
    configured: place.configured,
    is_default: place.isDefault,
    is_served: isServedAt(model, place.standing.platform),
    state: place.standing.stage === 'ended' ? 'retired' : model.state,
    life: { ...card.life, ...presentLife(place.standing) },
  }
}
