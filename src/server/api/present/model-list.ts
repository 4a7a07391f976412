/** The models that a caller may use, each at the address that a request which names only the model goes to. */

import type { Model } from '../../../api/models.ts'
import type { Services } from '../../../generation/services.ts'
import { activeInTurn, usualConfiguration, usualModel } from '../../../generation/target.ts'
import type { Caller } from '../../../members/caller.ts'
import { mayUse } from '../../../members/tokens.ts'
import type { FoundModel } from '../../../providers/registry.ts'
import type { ConfigurationRecord } from '../../../storage/records.ts'
import { presentModel } from './models.ts'

export async function presentModels(
  services: Pick<Services, 'catalogue' | 'configurations' | 'lives' | 'prices'>,
  caller: Caller,
): Promise<Model[]> {
  const configurations = await services.configurations.list()
  const inTurn = activeInTurn(configurations)
  const usual = new Map(
    services.catalogue.providerIds.map(provider => {
      const standard = inTurn.find(one => one.provider === provider)
      return [provider, { standard, modelId: usualModel(services, provider, standard) }]
    }),
  )
  return [...services.catalogue.all(), ...newModels(inTurn)]
    .filter(({ model }) => mayUse(services.catalogue, caller, model.id))
    .map(found => {
      const { provider, model } = found
      const { standard, modelId = '' } = usual.get(provider) ?? {}
      const address = addressFor(found, configurations)
      return presentModel(services.prices.priced(found, { address }), {
        providerName: services.catalogue.provider(provider).name,
        configured: standard !== undefined,
        isDefault: model.id === modelId || model.aliases?.includes(modelId) === true,
        standing: services.lives.at(found, { address }),
      })
    })

  /** The address of a request that names only the model; null where another service has a model by this name. */
  function addressFor(found: FoundModel, all: ConfigurationRecord[]) {
    const { configurations } = services
    const usual = usualConfiguration(all, found) ?? { provider: found.provider, baseUrl: null }
    return usual.provider === found.provider ? configurations.addressOf(usual) : null
  }

  /** The configurations that are used when a request names nothing else. */
  function newModels(inTurn: ConfigurationRecord[]) {
    return services.catalogue.providerIds.flatMap(provider => {
      const usual = inTurn.find(one => one.provider === provider)
      return usual ? services.lives.newAt(provider, services.configurations.addressOf(usual)) : []
    })
  }
}
