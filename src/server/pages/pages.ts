/** The face of people with browsers: the studio, the login page, the reference of the API. */

import { Problem } from '../../api/problems.ts'
import { presentProblem, problemType } from '../api/problems.ts'
import { refuseMethod } from '../errors/refusals.ts'
import type { Face } from '../face.ts'
import { wantsPage } from '../gates.ts'
import { addOidc } from '../oidc/oidc.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import type { Routing } from '../routing.ts'
import { addLoginPage } from './login.ts'
import { addReference } from './reference.ts'
import { addStudio, type StudioPage } from './studio.ts'

export function createPagesFace(routing: Routing, studio: StudioPage): Face {
  return {
    prefixes: [],
    isForPeople: true,
    errorType: problemType,
    errorSchema: Problem,
    presentError: presentProblem,
    async answerNotFound(request, reply) {
      // The studio shows a 404 page of its own; subresources get no page.
      const isFile = request.url.startsWith('/assets/')
      const page = wantsPage(request) && !isFile ? await studio.read() : undefined
      if (page === undefined) throw refuseMethod(request, routing)
      return studio.send(reply.code(404), page)
    },
  }
}

export async function addPages(app: App, parts: Parts, studio: StudioPage, studioFolder: string | undefined) {
  addLoginPage(app, parts)
  addOidc(app, parts)
  await addStudio(app, parts, studio, studioFolder)
  addReference(app, parts)
}
