/** The history as the gallery shows it and as one walks through it from a picture: the same filter, the same order, the same pages. */
import {
  infiniteQueryOptions,
  type QueryClient,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import { useMemo } from 'react'
import type { HistorySort, HistoryFilter as ServerFilter } from '../../client/client.ts'
import { api } from './client.ts'
import { type Generation, historyKey, type Image, insertByTime, readPage } from './generations.ts'
import { createStore } from './store.ts'

/** A filter, and the order of what it lets through; without one the newest come first. */
export type HistoryFilter = ServerFilter & { sort?: HistorySort }

const pageLimit = 100
const states = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const
/** What filters in the address of the gallery, and in that of a picture that was opened from there. */
export const filterNames = [
  'q',
  'provider',
  'model',
  'status',
  'favorite',
  'tag',
  'stars',
  'rejected',
  'from',
  'to',
  'sort',
] as const
export const sorts = ['newest', 'oldest', 'stars', 'cost'] as const

/** As it stands in the address of the page: days where the person is. */
export type FilterTexts = { [Name in (typeof filterNames)[number]]?: string }

/** The id of the picture that somebody looked at last: where the gallery goes on from. */
export const lastSeen = createStore<string | undefined>(undefined)

declare module '@tanstack/history' {
  interface HistoryState {
    /** The gallery is one step back, as it was left. */
    isFromGallery?: boolean
  }
}

/** Only the members that filter, without what else stands in an address. */
export function filterTexts(texts: FilterTexts): FilterTexts {
  const given = filterNames.filter(name => texts[name] !== undefined)
  return Object.fromEntries(given.map(name => [name, texts[name]]))
}

/** As the server takes it. What somebody misspelt in the address filters nothing. */
export function parseFilter(texts: FilterTexts): HistoryFilter {
  const { q, provider, model, tag } = texts
  const filter: HistoryFilter = {
    q: q?.trim() || undefined,
    provider: provider || undefined,
    model: model || undefined,
    status: states.find(state => state === texts.status),
    favorite: texts.favorite === 'true' || undefined,
    tag: tag || undefined,
    stars: /^[1-5]$/.test(texts.stars ?? '') ? Number(texts.stars) : undefined,
    rejected: texts.rejected === undefined ? undefined : texts.rejected === 'true',
    sort: sorts.find(sort => sort !== 'newest' && sort === texts.sort),
    from: parseDay(texts.from, '00:00:00.000'),
    to: parseDay(texts.to, '23:59:59.999'),
  }
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))
}

/** Does the filter mean this picture of a generation that it lets through? */
export function isMeant({ stars, rejected }: Pick<Image, 'stars' | 'rejected'>, filter: HistoryFilter) {
  return (
    (filter.stars === undefined || stars >= filter.stars) &&
    (filter.rejected === undefined || rejected === filter.rejected)
  )
}

const countKey = ['history count']

/** Of everything that the filter lets through, loaded or not; undefined before it is known. */
export function useHistoryCount({ sort: _, ...filter }: HistoryFilter) {
  const query = useQuery({
    queryKey: [...countKey, filter],
    queryFn: given => api.history.count(filter, given),
    placeholderData: previous => previous,
  })
  return query.data
}

export function countsChanged(client: QueryClient) {
  void client.invalidateQueries({ queryKey: countKey })
}

/** The server counts days in UTC; a person means those of the own clock. */
function parseDay(day: string | undefined, time: string) {
  if (!day || !/^\d{4}-\d\d-\d\d$/.test(day)) return undefined
  const date = new Date(`${day}T${time}`)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

function historyQuery(filter: HistoryFilter) {
  return infiniteQueryOptions({
    queryKey: [...historyKey, 'list', filter],
    queryFn: ({ pageParam, signal }) =>
      readPage(() => api.history.page({ ...filter, limit: pageLimit, cursor: pageParam }, { signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.next_cursor ?? undefined,
    // Lists that nobody looks at are not told of what is new.
    staleTime: 0,
  })
}

/** Pages of the history, newest first. What was shown stays until the answer to another filter is there. */
export function useHistory(filter: HistoryFilter) {
  const client = useQueryClient()
  const query = useInfiniteQuery({ ...historyQuery(filter), placeholderData: previous => previous })
  const generations = useMemo(() => query.data?.pages.flatMap(page => page.items) ?? [], [query.data])

  /** Puts one that has just begun at its place. */
  function add(generation: Generation) {
    client.setQueryData(historyQuery(filter).queryKey, data => {
      const [first, ...others] = data?.pages ?? []
      // Where it stands in another order is for the server to say.
      if (filter.sort !== undefined) return data
      if (!data || !first || data.pages.some(page => page.items.some(item => item.id === generation.id))) return data
      const items = insertByTime(first.items, generation)
      // Older than all of the page: it stands on a later one.
      if (items.at(-1) === generation && first.next_cursor !== null) return data
      return { ...data, pages: [{ ...first, items }, ...others] }
    })
  }

  return { ...query, generations, add }
}
