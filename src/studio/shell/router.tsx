/** Every address of the studio. Each screen is a chunk of its own, loaded when it is first opened. */

import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'
import { screens } from '../../api/screens.ts'
import { ApiError } from '../../client/errors.ts'
import { api } from '../data/client.ts'
import type { TakenRecipe } from '../data/generations.ts'
import { filterNames } from '../data/history.ts'
import { BrokenPage } from './broken.tsx'
import { NotFound, Shell } from './shell.tsx'

/** What stands in the query, as texts; empty ones count as left out. */
function texts<Name extends string>(search: Record<string, unknown>, names: readonly Name[]) {
  const given = names.flatMap(name => {
    const value = search[name]
    return value === undefined || value === null || value === '' ? [] : [[name, String(value)] as const]
  })
  return Object.fromEntries(given) as { [Key in Name]?: string }
}

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: BrokenPage })

/** A screen, with what may stand in its query. Its file is loaded when it is first opened or in a quiet moment before. */
function route<const Path extends string, Name extends string, Screens extends object>(
  path: Path,
  names: readonly Name[],
  load: () => Promise<Screens>,
  screen: keyof Screens,
) {
  const component = lazyRouteComponent(async () => {
    try {
      return await load()
    } catch (error) {
      // Where the server answers, it has a newer studio, and the router loads the whole page again. Where it does not, that would
      // leave nothing at all.
      await api.status().catch(answer => {
        if (answer instanceof ApiError && answer.status === 0) throw answer
      })
      throw error
    }
  }, screen)
  return createRoute({ getParentRoute: () => root, path, validateSearch: search => texts(search, names), component })
}

// The path as the router spells it.
const picture = screens.picture.replace(':', '$') as '/picture/$generationId'
const routes = [
  // `from`: the generation whose settings are taken over; `reference`: a picture to work from; `seed`: `new` for another one.
  route(screens.generate, ['from', 'reference', 'seed'], () => import('../generate/generate.tsx'), 'GenerateScreen'),
  route(screens.gallery, [...filterNames, 'view'], () => import('../gallery/gallery.tsx'), 'GalleryScreen'),
  // `image`: which of its pictures, from 0. The others are the filter of the gallery that it was opened from.
  route(picture, [...filterNames, 'image'], () => import('../picture/picture.tsx'), 'ImageScreen'),
  // `ids`: two to four pictures as `places.ts` writes them.
  route(screens.compare, ['ids'], () => import('../compare/compare.tsx'), 'CompareScreen'),
  // `image`: the id of the one that is shown. The others are the filter of the gallery.
  route(screens.cull, [...filterNames, 'image'], () => import('../cull/cull.tsx'), 'CullScreen'),
  // `month`: such as 2026-11; `by`: what it is divided by.
  route(screens.usage, ['month', 'by'], () => import('../usage/usage.tsx'), 'UsageScreen'),
  // `add`: the provider to begin with.
  route(screens.configurations, ['add'], () => import('../configurations/configurations.tsx'), 'ConfigurationsScreen'),
  // `add`: the form of a new token is open.
  route(screens.team, ['add'], () => import('../team/team.tsx'), 'TeamScreen'),
  route(screens.moving, [], () => import('../moving/moving.tsx'), 'MovingScreen'),
  route(screens.status, [], () => import('../status/status.tsx'), 'StatusScreen'),
  route(screens.welcome, [], () => import('../welcome/welcome.tsx'), 'WelcomeScreen'),
] as const

const index = createRoute({
  getParentRoute: () => root,
  path: 'index.html',
  beforeLoad: () => {
    throw redirect({ to: '/' })
  },
})

/** Loads the other screens ahead, so that they open quickly, also when the server cannot be reached by then. */
export async function preloadScreens() {
  for (const { options } of routes) await options.component?.preload?.()
}

export function createStudioRouter() {
  return createRouter({
    routeTree: root.addChildren([...routes, index]),
    basepath: new URL(document.baseURI).pathname,
    // All of it is texts; as JSON, numbers among them would stand in quotes.
    parseSearch: text => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: search => {
      const given = Object.entries(search).filter(([, value]) => value !== undefined)
      const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
      return query === '' ? '' : `?${query}`
    },
    defaultPreload: 'intent',
    scrollRestoration: true,
    defaultErrorComponent: BrokenPage,
  })
}

declare module '@tanstack/history' {
  interface HistoryState {
    recipe?: TakenRecipe
  }
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createStudioRouter>
  }
}
