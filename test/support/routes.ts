/** The route table of a server, as the server itself keeps it, so that no route can be forgotten. */
import type { FastifyInstance } from 'fastify'
import type { AccessRule } from '../../src/server/route.ts'

export interface Route {
  method: string
  /** With `:id` and the like. */
  path: string
  access: AccessRule
}

/** Every method of every address once; HEAD, which always goes with GET, is left out. */
export function routesOf(server: FastifyInstance): Route[] {
  const routes = server.accessRules
    .filter(({ method }) => method !== 'HEAD')
    .map(({ method, url, access }) => ({ method, path: url, access }))
  return [...new Map(routes.map(route => [`${route.method} ${route.path}`, route])).values()]
}

/** The address with a word in each place for one. */
export function filled(path: string, word: (name: string) => string) {
  return path.replace(/:(\w+)|\*/g, (_, name: string | undefined) => word(name ?? '*'))
}
