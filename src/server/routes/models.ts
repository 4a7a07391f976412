/** `GET /api/models`: what can be asked of each model. */
import { ModelList } from '../../api/models.ts'
import { activeInTurn, usualConfiguration, usualModel } from '../../generation/target.ts'
import { mayUse } from '../../generation/tokens.ts'
import { catalogue, type FoundModel, providerIds } from '../../providers/index.ts'
import { lifeAt } from '../../providers/life.ts'
import type { ConfigurationRecord } from '../../storage/records.ts'
import { callerOf } from '../access.ts'
import type { App, Parts } from '../app.ts'
import { presentModel } from '../present.ts'

export function modelRoutes(app: App, { services }: Parts) {
  app.get(
    '/api/models',
    {
      config: { access: 'member' },
      schema: {
        tags: ['Generating'],
        summary: 'What can be asked of each model',
        description:
          'Enough to draw a form and to refuse a bad request without asking the service. Other ids are usable with the cautious parameters of their family.',
        response: { 200: ModelList },
      },
    },
    async request => {
      const caller = callerOf(request)
      const configurations = await services.configurations.list()
      const inTurn = activeInTurn(configurations)
      const usual = new Map(
        providerIds.map(provider => {
          const standard = inTurn.find(one => one.provider === provider)
          return [provider, { standard, modelId: usualModel(services.configurations, provider, standard) }]
        }),
      )
      return {
        items: catalogue()
          .filter(({ model }) => mayUse(caller, model.id))
          .map(found => {
            const { provider, model } = found
            const { standard, modelId = '' } = usual.get(provider) ?? {}
            return presentModel(priced(found, configurations), {
              configured: standard !== undefined,
              isDefault: model.id === modelId || model.aliases?.includes(modelId) === true,
              stage: lifeAt(model, platformFor(found, configurations), new Date()).stage,
            })
          }),
      }
    },
  )

  /** Of the configuration that takes it when a request names nothing else. */
  function platformFor(found: FoundModel, configurations: ConfigurationRecord[]) {
    const usual = usualConfiguration(configurations, found)
    // Another service that has a model of this name counts as nobody knows whose.
    if (usual && usual.provider !== found.provider) return undefined
    return services.configurations.platformOf(usual ?? { provider: found.provider, baseUrl: null })
  }

  /** The price is that of a request which names the model alone. */
  function priced(found: FoundModel, configurations: ConfigurationRecord[]) {
    const { prices, configurations: book } = services
    const usual = usualConfiguration(configurations, found) ?? { provider: found.provider, baseUrl: null }
    // Of a model by this name that another service sells, this catalogue does not know the price.
    return prices.priced(found, { address: usual.provider === found.provider ? book.addressOf(usual) : null })
  }
}
