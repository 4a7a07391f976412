/** The face of programs that speak the OpenAI API: pictures, tasks, chats and models under `/v1`. */
import { V1Error } from '../../api/v1/errors.ts'
import { refuseMethod } from '../errors/refusals.ts'
import type { Face } from '../face.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import type { Routing } from '../routing.ts'
import { v1ChatRoutes } from './chat.ts'
import { headersOfV1, presentV1Error, statusOfV1, v1ErrorType } from './errors.ts'
import { v1ImageRoutes } from './images.ts'
import { v1ModelRoutes } from './models.ts'
import { v1TaskRoutes } from './tasks.ts'

export function createV1Face(routing: Routing): Face {
  return {
    prefixes: ['/v1'],
    isForPeople: false,
    errorType: v1ErrorType,
    errorSchema: V1Error,
    statusOf: statusOfV1,
    headersOf: headersOfV1,
    presentError: presentV1Error,
    async answerNotFound(request) {
      throw refuseMethod(request, routing)
    },
  }
}

export function addV1(app: App, parts: Parts) {
  v1ModelRoutes(app, parts)
  v1ImageRoutes(app, parts)
  v1TaskRoutes(app, parts)
  v1ChatRoutes(app, parts)
}
