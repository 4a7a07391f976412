/** `GET /v1/models`: what can be asked for now, by whoever asks. */

import { V1Model, V1ModelList } from '../../api/v1/models.ts'
import { isServedAt } from '../../catalogue/life.ts'
import { Refusal } from '../../errors.ts'
import { activeInTurn, usualConfiguration, usualModel } from '../../generation/target.ts'
import type { Caller } from '../../members/caller.ts'
import { mayUse } from '../../members/tokens.ts'
import type { FoundModel } from '../../providers/registry.ts'
import { getCaller } from '../access/access.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'

type ModelParts = Pick<Parts, 'services' | 'settings'>

interface Offer {
  /** As a request names it: an alias too. */
  id: string
  found: FoundModel
}

const tags = ['OpenAI API']

export function v1ModelRoutes(app: App, parts: ModelParts) {
  app.get(
    '/v1/models',
    {
      config: { access: 'member' },
      schema: {
        tags,
        summary: 'List models',
        description: 'Those that this token may use and that an active configuration serves, and aliases for them.',
        response: { 200: V1ModelList },
      },
    },
    async request => {
      const offers = await listOffers(parts, getCaller(request))
      return { object: 'list' as const, data: offers.map(presentOffer) }
    },
  )

  app.get(
    '/v1/models/:id',
    {
      config: { access: 'member', problems: ['not_found'] },
      schema: { tags, summary: 'One model', response: { 200: V1Model } },
    },
    async request => {
      const { id } = request.params as { id: string }
      const offers = await listOffers(parts, getCaller(request))
      const offer = offers.find(one => one.id === id || one.found.model.aliases?.includes(id))
      if (!offer) throw modelNotFound(id, offers)
      return presentOffer({ ...offer, id })
    },
  )
}

/** Models of the catalogue that would work, those that only a configuration names, and aliases of both. */
export async function listOffers({ services, settings }: ModelParts, caller: Caller): Promise<Offer[]> {
  const { catalogue, configurations, lives } = services
  const active = activeInTurn(await configurations.list())
  const listed = catalogue.all().filter(found => {
    const usual = usualConfiguration(active, found)
    if (usual?.provider !== found.provider) return false
    const { platform, stage } = lives.at(found, { address: configurations.addressOf(usual) })
    return stage !== 'ended' && isServedAt(found.model, platform)
  })
  const offers: Offer[] = listed.map(found => ({ id: found.model.id, found }))
  for (const { model: id, provider } of active) {
    const found = id === null ? undefined : catalogue.find(id, provider)
    if (id !== null && found && offers.every(offer => offer.id !== id)) offers.push({ id, found })
  }
  const usable = offers.filter(({ id }) => mayUse(catalogue, caller, id))
  const aliases = Object.entries(settings.modelAliases).flatMap(([id, target]) => {
    const offer = usable.find(one => one.id === target || one.found.model.aliases?.includes(target))
    return offer ? [{ id, found: offer.found }] : []
  })
  return [...aliases, ...usable.filter(({ id }) => aliases.every(alias => alias.id !== id))]
}

export interface NamedModel {
  /** Undefined: the usual model of this server. */
  id: string | undefined
  /** Undefined where nothing is known about it, and the request is going to be refused. */
  found: FoundModel | undefined
}

/** The model that a request means, with its alias resolved. */
export async function findNamedModel(
  { services, settings }: ModelParts,
  named: string | undefined,
): Promise<NamedModel> {
  const { catalogue, configurations } = services
  const active = activeInTurn(await configurations.list())
  const id = named === undefined ? undefined : (settings.modelAliases[named] ?? named)
  if (id !== undefined) {
    return { id, found: catalogue.find(id, active.find(one => one.model === id)?.provider) ?? catalogue.find(id) }
  }
  const [standard] = active
  return { id, found: standard && catalogue.find(usualModel(services, standard.provider, standard), standard.provider) }
}

export function modelNotFound(id: string, offers: readonly Offer[]) {
  const names = offers.map(offer => offer.id)
  const known =
    names.length > 0 ? `Use one of ${names.join(', ')}.` : 'No service has a key yet: add one in the studio.'
  const message = `The model "${id.slice(0, 80)}" does not exist here, or this token may not use it. ${known}`
  return new Refusal('not_found', message, { violations: [{ path: 'model', message }] })
}

function presentOffer({ id, found: { provider, model } }: Offer): V1Model {
  const day = Date.parse(model.checked)
  return { id, object: 'model', created: Number.isNaN(day) ? 0 : Math.floor(day / 1000), owned_by: provider }
}
