/** What can be asked of each model, and the services that have them. */

import { ModelList } from '../../api/models.ts'
import { ProviderList } from '../../api/providers.ts'
import { getCaller } from '../access/access.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { presentModels } from './present/model-list.ts'
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
    async request => ({ items: await presentModels(services, getCaller(request)) }),
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
}
