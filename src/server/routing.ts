/** The methods of an address: for `Allow`, and to distinguish a path with the prefix of PUBLIC_URL from one without. */
import type { App } from './route.ts'

export interface Routing {
  /** Methods of a path without its query; empty when nothing is there. */
  methodsOf(path: string): string[]
  /** Is there a route with exactly this path, without parameters? */
  hasExactly(path: string): boolean
}

/** Has to be called before the first route is added. */
export function watchRoutes(app: App): Routing {
  const exact = new Set<string>()
  const routes: { pattern: RegExp; methods: string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    const methods = [method].flat().filter(name => name !== 'OPTIONS')
    if (methods.length === 0 || url.includes('*')) return
    routes.push({ pattern: toPattern(url), methods })
    if (!url.includes(':')) exact.add(url.length > 1 ? url.replace(/\/$/, '') : url)
  })
  return {
    methodsOf(path) {
      const found = routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods)
      return found.length > 0 ? [...new Set([...found, 'OPTIONS'])] : []
    },
    hasExactly: path => exact.has(path.length > 1 ? path.replace(/\/$/, '') : path),
  }
}

function toPattern(url: string) {
  const parts = url
    .split(/(:\w+)/)
    .map(part => (part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
  return new RegExp(`^${parts.join('').replace(/\/$/, '')}/?$`)
}

/**
 * Removes the prefix, unless the full path is a route of its own: with `https://example.org/images` as PUBLIC_URL, `/images/{id}` is
 * still a picture, and `/images/docs` is the page.
 */
export function withoutPrefix(url: string, prefix: string, routing: Routing) {
  if (prefix === '' || !url.startsWith(prefix)) return url
  const rest = url.slice(prefix.length)
  if (rest !== '' && !/^[/?]/.test(rest)) return url
  const stripped = rest.startsWith('/') ? rest : `/${rest}`
  if (routing.hasExactly(pathOnly(stripped))) return stripped
  return routing.methodsOf(pathOnly(url)).length > 0 ? url : stripped
}

/** Without the query. */
export function pathOnly(url: string) {
  return url.split('?', 1)[0] ?? ''
}
