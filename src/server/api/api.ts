/** The face of programs and of the studio: JSON under `/api`, pictures under `/images`, errors as problem documents. */
import { Problem } from '../../api/problems.ts'
import { refuseMethod } from '../errors/refusals.ts'
import type { Face } from '../face.ts'
import { addMetricsRoute } from '../metrics.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import type { Routing } from '../routing.ts'
import { configurationRoutes } from './configurations.ts'
import { estimateRoutes } from './estimate.ts'
import { eventRoutes } from './events.ts'
import { generateRoutes } from './generate.ts'
import { historyRoutes } from './history.ts'
import { imageRoutes } from './images.ts'
import { exportRoutes, importRoutes } from './imports.ts'
import { loginRoutes } from './login.ts'
import { modelRoutes } from './models.ts'
import { presentProblem, problemType } from './problems.ts'
import { systemRoutes } from './system.ts'
import { tokenRoutes } from './tokens.ts'
import { usageRoutes } from './usage.ts'
import { userRoutes } from './users.ts'
import { webhookRoutes } from './webhooks.ts'

export function createApiFace(routing: Routing): Face {
  return {
    prefixes: ['/api', '/images', '/openapi.json', '/metrics'],
    isForPeople: false,
    errorType: problemType,
    errorSchema: Problem,
    presentError: presentProblem,
    async answerNotFound(request) {
      throw refuseMethod(request, routing)
    },
  }
}

export function addApi(app: App, parts: Parts) {
  generateRoutes(app, parts)
  estimateRoutes(app, parts)
  historyRoutes(app, parts)
  eventRoutes(app, parts)
  imageRoutes(app, parts)
  configurationRoutes(app, parts)
  modelRoutes(app, parts)
  tokenRoutes(app, parts)
  userRoutes(app, parts)
  webhookRoutes(app, parts)
  importRoutes(app, parts)
  exportRoutes(app, parts)
  usageRoutes(app, parts)
  systemRoutes(app, parts)
  addMetricsRoute(app, parts.metrics)
  loginRoutes(app, parts)
  app.get('/openapi.json', { config: { access: 'member' }, schema: { hide: true } }, () => parts.describeApi())
}
