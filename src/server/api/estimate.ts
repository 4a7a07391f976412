/** `POST /api/estimate`: what a request would make and cost. */
import { Estimate } from '../../api/estimate.ts'
import { GenerateForm, GenerateRequest } from '../../api/generations.ts'
import { getCaller } from '../access/access.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { maxRequestBytes, refuseMalformed, toGenerationRequest } from './generate.ts'
import { presentEstimate } from './present/generations.ts'

export function estimateRoutes(app: App, { services }: Parts) {
  app.post(
    '/api/estimate',
    {
      bodyLimit: maxRequestBytes,
      attachValidation: true,
      config: {
        access: 'member',
        rateLimit: 'other',
        accepts: 'json or files',
        filesForm: GenerateForm,
        problems: ['not_allowed', 'configuration_missing', 'storage_failed'],
      },
      schema: {
        tags: ['Generating'],
        summary: 'Estimate the cost of a request',
        description:
          'Takes the body of `POST /api/generate` and refuses what that refuses. Sends nothing to the service and stores nothing.',
        body: GenerateRequest,
        response: { 200: Estimate },
      },
    },
    async request => {
      await refuseMalformed(request, services)
      const estimate = await services.generations.estimate(
        toGenerationRequest(request.body, request.uploads ?? new Map()),
        getCaller(request),
      )
      return presentEstimate(estimate)
    },
  )
}
