/** Generations, wherever in the cache they stand, and keeping all of it in step. */
import { type QueryClient, queryOptions } from '@tanstack/react-query'
import type { Generation } from '../../api/generations.ts'
import type { Recipe } from '../../api/recipes.ts'
import type { GenerationChange } from '../../client/client.ts'
import { api } from './client.ts'

export type { Generation } from '../../api/generations.ts'
export type { Image } from '../../api/images.ts'
export { hasEnded } from '../../client/client.ts'

/** Query key of every list of generations. */
export const historyKey = ['history']
const maxRecent = 24

export function generationQuery(id: string) {
  return queryOptions({
    queryKey: ['generation', id],
    queryFn: given =>
      readBeside(
        () => api.history.get(id, given),
        (read, told) => newer(read, told.get(id)),
      ),
  })
}

/** The newest few, as the page of creating shows them. */
export const recentQuery = queryOptions({
  queryKey: [...historyKey, 'recent'],
  queryFn: given =>
    readBeside(
      () => api.history.page({ limit: maxRecent }, given),
      (page, told) => {
        const { items } = bringUpToDate(page, told)
        const missing = [...told.values()].filter(one => one && !items.some(({ id }) => id === one.id))
        return {
          ...page,
          items: missing.reduce<Generation[]>((all, one) => insertByTime(all, one!), items).slice(0, maxRecent),
        }
      },
    ),
})

// ── What is told while something is read ────────────────────────────────────────────────────────────────────────────

/** By id; undefined when it was removed. */
type Told = ReadonlyMap<string, Generation | undefined>

const readings = new Set<Map<string, Generation | undefined>>()

/** An answer may be older than what was told while it was on its way: `merge` puts that into it. */
async function readBeside<Answer>(read: () => Promise<Answer>, merge: (answer: Answer, told: Told) => Answer) {
  const told = new Map<string, Generation | undefined>()
  readings.add(told)
  try {
    return merge(await read(), told)
  } finally {
    readings.delete(told)
  }
}

/** A page of any list: what it holds is as it was told, and what was removed is not there. */
export function readPage(read: () => Promise<Page>) {
  return readBeside(read, bringUpToDate)
}

function bringUpToDate(page: Page, told: Told): Page {
  if (told.size === 0) return page
  const kept = page.items.filter(({ id }) => !told.has(id) || told.get(id))
  return { ...page, items: kept.map(item => newer(item, told.get(item.id))) }
}

/** An answer may be older than what was told, and the other way round. */
function newer(read: Generation, told: Generation | undefined) {
  return told && !isBehind(told, read) ? told : read
}

function isBehind(one: Generation, other: Generation) {
  const rank = ranks[one.status] - ranks[other.status]
  return rank < 0 || (rank === 0 && one.images.length < other.images.length)
}

// ── Lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────

type Page = Awaited<ReturnType<typeof api.history.page>>
type Pages = { pages: Page[]; pageParams: unknown[] }

function isPages(data: Page | Pages): data is Pages {
  return 'pages' in data
}

function listed(client: QueryClient): Generation[] {
  return client
    .getQueriesData<Page | Pages>({ queryKey: historyKey })
    .flatMap(([, data]) => (data === undefined ? [] : isPages(data) ? data.pages : [data]))
    .flatMap(({ items }) => items)
}

export function findGeneration(client: QueryClient, id: string): Generation | undefined {
  return client.getQueryData(generationQuery(id).queryKey) ?? listed(client).find(item => item.id === id)
}

/** The tags of everything that was loaded so far. */
export function knownTags(client: QueryClient): string[] {
  const tags = new Set(listed(client).flatMap(item => item.tags))
  return [...tags].toSorted((a, b) => a.localeCompare(b, document.documentElement.lang))
}

/** What somebody changed and the server has not confirmed yet, by generation, the oldest first. */
const unconfirmed = new Map<string, GenerationChange[]>()

/** Shows a change before the server has it, and on top of whatever is told meanwhile. Returns what ends that. */
export function showChange(client: QueryClient, generation: Generation, change: GenerationChange) {
  const { id } = generation
  unconfirmed.set(id, [...(unconfirmed.get(id) ?? []), change])
  putGeneration(client, generation)
  return () => {
    const others = (unconfirmed.get(id) ?? []).filter(other => other !== change)
    if (others.length > 0) unconfirmed.set(id, others)
    else unconfirmed.delete(id)
  }
}

function withChange(generation: Generation, { answered: _, images, ...marks }: GenerationChange): Generation {
  const changed = { ...generation, ...marks }
  if (!images) return changed
  return {
    ...changed,
    images: generation.images.map(image => ({ ...image, ...images.find(({ index }) => index === image.index) })),
  }
}

/** Puts its new state wherever it stands; the newest list also takes one that it does not hold yet. */
export function putGeneration(client: QueryClient, told: Generation) {
  const generation = (unconfirmed.get(told.id) ?? []).reduce(withChange, told)
  for (const told of readings) told.set(generation.id, generation)
  client.setQueryData(generationQuery(generation.id).queryKey, generation)
  changeLists(client, generation.id, items => items.map(item => (item.id === generation.id ? generation : item)))
  client.setQueryData(recentQuery.queryKey, page => {
    if (!page || page.items.some(item => item.id === generation.id)) return page
    return { ...page, items: insertByTime(page.items, generation).slice(0, maxRecent) }
  })
}

/** The newest first. */
export function insertByTime(items: readonly Generation[], generation: Generation): Generation[] {
  return [...items, generation].sort((a, b) => b.timestamp.localeCompare(a.timestamp))
}

const ranks: Record<Generation['status'], number> = { queued: 0, running: 1, succeeded: 2, failed: 2, cancelled: 2 }

/** From the answer to a request, which an event about the same generation may have overtaken. */
export function putAnswer(client: QueryClient, generation: Generation) {
  const known = findGeneration(client, generation.id)
  if (known && isBehind(generation, known)) return
  putGeneration(client, generation)
}

export function dropGeneration(client: QueryClient, id: string) {
  for (const told of readings) told.set(id, undefined)
  client.removeQueries({ queryKey: generationQuery(id).queryKey })
  changeLists(client, id, items => items.filter(item => item.id !== id))
}

/** Changes every cached page that holds the generation; the others stay the same objects. */
function changeLists(client: QueryClient, id: string, change: (items: Generation[]) => Generation[]) {
  const changed = (page: Page) =>
    page.items.some(item => item.id === id) ? { ...page, items: change(page.items) } : page
  client.setQueriesData<Page | Pages>({ queryKey: historyKey }, data => {
    if (data === undefined) return data
    if (!isPages(data)) return changed(data)
    const pages = data.pages.map(changed)
    return pages.every((page, index) => page === data.pages[index]) ? data : { ...data, pages }
  })
}

/** A recipe that the form takes over: `navigate({ to: '/', state: { recipe } })`. */
export type TakenRecipe = Pick<Recipe, 'prompt' | 'model' | 'parameters'> & { references: { id: string }[] }

export function toRecipe({ prompt, model, parameters, references }: Generation): TakenRecipe {
  return { prompt, model, parameters, references: references.map(({ id }) => ({ id })) }
}
