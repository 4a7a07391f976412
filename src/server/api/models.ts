/** What can be asked of each model, and the services that have them. */

import { ModelList } from '../../api/models.ts'
import { ProviderList } from '../../api/providers.ts'
import { activeInTurn, usualConfiguration, usualModel } from '../../generation/target.ts'
import { mayUse } from '../../members/tokens.ts'
import type { FoundModel } from '../../providers/registry.ts'
import type { ConfigurationRecord } from '../../storage/records.ts'
import { getCaller } from '../access/access.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { presentModel } from './present/models.ts'
import { presentProvider } from './present/providers.ts'

export function modelRoutes(app: App, { services }: Parts) {
  app.get(
    '/api/models',
    {
      config: { access: 'member' },
      schema: {
        tags: ['Generating'],
        summary: 'The models and what each accepts',
        description:
          'Enough to draw a form and to reject a bad request without asking the service. Other ids can be used with the cautious parameters of their family.',
        response: { 200: ModelList },
      },
    },
    async request => {
      const caller = getCaller(request)
      const configurations = await services.configurations.list()
      const inTurn = activeInTurn(configurations)
      const usual = new Map(
        services.catalogue.providerIds.map(provider => {
          const standard = inTurn.find(one => one.provider === provider)
          return [provider, { standard, modelId: usualModel(services, provider, standard) }]
        }),
      )
      return {
        items: [...services.catalogue.all(), ...newModels(inTurn)]
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
          }),
      }
    },
  )

  app.get(
    '/api/providers',
    {
      config: { access: 'member' },
      schema: {
        tags: ['Generating'],
        summary: 'The services that requests can go to',
        description: 'Their addresses, where keys are made, and words for people in English and Chinese.',
        response: { 200: ProviderList },
      },
    },
    async () => ({ items: Object.values(services.catalogue.providers).map(presentProvider) }),
  )

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
