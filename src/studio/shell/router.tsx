/** Every address of the studio. Each screen is a chunk of its own, loaded when it is first opened. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'
import { ApiError, request } from '../data/api.ts'
import type { TakenRecipe } from '../data/recipe.ts'
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

/** A screen with a file of its own, loaded when it is first opened or in a quiet moment before. */
function screen<Screens extends object, Name extends keyof Screens>(load: () => Promise<Screens>, name: Name) {
  return lazyRouteComponent(async () => {
    try {
      return await load()
    } catch (error) {
      // Where the server answers, it has a newer studio, and the router loads the whole page again. Where it does not, that would
      // leave nothing at all.
      await request('api/status').catch(answer => {
        if (answer instanceof ApiError && answer.status === 0) throw answer
      })
      throw error
    }
  }, name)
}

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: BrokenPage })

const generate = createRoute({
  getParentRoute: () => root,
  path: '/',
  /** `from`: the generation whose settings are taken over; `reference`: a picture to work from; `seed`: `new` for another one. */
  validateSearch: search => texts(search, ['from', 'reference', 'seed']),
  component: screen(() => import('../generate/generate.tsx'), 'GenerateScreen'),
})

const gallery = createRoute({
  getParentRoute: () => root,
  path: 'gallery',
  validateSearch: search =>
    texts(search, ['q', 'provider', 'model', 'status', 'favorite', 'tag', 'from', 'to', 'view']),
  component: screen(() => import('../gallery/gallery.tsx'), 'GalleryScreen'),
})

const picture = createRoute({
  getParentRoute: () => root,
  path: 'picture/$generationId',
  /** `image`: which of its pictures, from 0. The others are the filter of the gallery that it was opened from. */
  validateSearch: search =>
    texts(search, ['image', 'q', 'provider', 'model', 'status', 'favorite', 'tag', 'from', 'to']),
  component: screen(() => import('../picture/picture.tsx'), 'PictureScreen'),
})

const usage = createRoute({
  getParentRoute: () => root,
  path: 'usage',
  /** `month`: such as 2026-11; `by`: what it is divided by. */
  validateSearch: search => texts(search, ['month', 'by']),
  component: screen(() => import('../usage/usage.tsx'), 'UsageScreen'),
})

const team = createRoute({
  getParentRoute: () => root,
  path: 'team',
  /** `add`: the form of a new token is open. */
  validateSearch: search => texts(search, ['add']),
  component: screen(() => import('../team/team.tsx'), 'TeamScreen'),
})

const configurations = createRoute({
  getParentRoute: () => root,
  path: 'configurations',
  /** `add`: the provider to begin with. */
  validateSearch: search => texts(search, ['add']),
  component: screen(() => import('../configurations/configurations.tsx'), 'ConfigurationsScreen'),
})

const status = createRoute({
  getParentRoute: () => root,
  path: 'status',
  component: screen(() => import('../status/status.tsx'), 'StatusScreen'),
})

const welcome = createRoute({
  getParentRoute: () => root,
  path: 'welcome',
  component: screen(() => import('../welcome/welcome.tsx'), 'WelcomeScreen'),
})

const index = createRoute({
  getParentRoute: () => root,
  path: 'index.html',
  beforeLoad: () => {
    throw redirect({ to: '/' })
  },
})

/** So that the way to another screen is short, and leads there also when the server cannot be reached by then. */
export async function preloadScreens() {
  for (const route of [generate, gallery, picture, usage, configurations, team, status, welcome]) {
    await route.options.component?.preload?.()
  }
}

export function createStudioRouter() {
  return createRouter({
    routeTree: root.addChildren([generate, gallery, picture, usage, configurations, team, status, welcome, index]),
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
