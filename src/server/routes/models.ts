/** `GET /api/models`: what can be asked of each model. */
import { ModelList } from '../../api/models.ts'
import { usualConfiguration } from '../../generation/target.ts'
import { mayUse } from '../../generation/tokens.ts'
import { catalogue, type FoundModel } from '../../providers/index.ts'
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
      const usable = new Set(
        configurations.filter(({ isActive, hasKey }) => isActive && hasKey).map(({ provider }) => provider),
      )
      return {
        items: catalogue()
          .filter(({ model }) => mayUse(caller, model.id))
          .map(found => presentModel(priced(found, configurations), usable.has(found.provider))),
      }
    },
  )

  /** The price is that of a request which names the model alone. */
  function priced(found: FoundModel, configurations: ConfigurationRecord[]) {
    const { prices, configurations: book } = services
    const usual = usualConfiguration(configurations, found) ?? { provider: found.provider, baseUrl: null }
    // Of a model by this name that another service sells, this catalogue does not know the price.
    return prices.priced(found, { address: usual.provider === found.provider ? book.addressOf(usual) : null })
  }
}
