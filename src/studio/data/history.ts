/** The history as the gallery shows it and as one walks through it from a picture: the same filter, the same order, the same pages. */
import { type InfiniteData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo } from 'react'
import { type Generation, type HistoryFilter, historyQuery } from './api.ts'

const pageLimit = 100
const states = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const

/** As it stands in the address of the page: days where the person is. */
export type FilterTexts = {
  q?: string
  provider?: string
  model?: string
  status?: string
  favorite?: string
  tag?: string
  from?: string
  to?: string
}

declare module '@tanstack/history' {
  interface HistoryState {
    /** The gallery is one step back, as it was left. */
    isFromGallery?: boolean
  }
}

/** Only the members that filter, without what else stands in an address. */
export function filterTexts(texts: FilterTexts): FilterTexts {
  const { q, provider, model, status, favorite, tag, from, to } = texts
  const entries = Object.entries({ q, provider, model, status, favorite, tag, from, to })
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/** As the server takes it. What somebody misspelt in the address filters nothing. */
export function filterOf(texts: FilterTexts): HistoryFilter {
  const filter: HistoryFilter = {}
  const status = states.find(state => state === texts.status)
  if (texts.q?.trim()) filter.q = texts.q.trim()
  if (texts.provider) filter.provider = texts.provider
  if (texts.model) filter.model = texts.model
  if (status) filter.status = status
  if (texts.favorite === 'true') filter.favorite = true
  if (texts.tag) filter.tag = texts.tag
  const from = moment(texts.from, '00:00:00.000')
  const to = moment(texts.to, '23:59:59.999')
  if (from) filter.from = from
  if (to) filter.to = to
  return filter
}

/** The server counts days in UTC; a person means those of the own clock. */
function moment(day: string | undefined, time: string) {
  if (!day || !/^\d{4}-\d\d-\d\d$/.test(day)) return undefined
  const date = new Date(`${day}T${time}`)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

/** Pages of the history, newest first. What was shown stays until the answer to another filter is there. */
export function useHistory(filter: HistoryFilter) {
  const client = useQueryClient()
  const query = useInfiniteQuery({
    ...historyQuery(filter, pageLimit),
    // Lists that nobody looks at are not told of what is new.
    staleTime: 0,
    placeholderData: previous => previous,
  })
  const generations = useMemo(() => query.data?.pages.flatMap(page => page.items) ?? [], [query.data])

  /** Puts one that has just begun at its place. */
  function add(generation: Generation) {
    const { queryKey } = historyQuery(filter, pageLimit)
    client.setQueryData(
      queryKey,
      (data: InfiniteData<{ items: Generation[]; next_cursor: string | null }, unknown> | undefined) => {
        const [first, ...others] = data?.pages ?? []
        if (!data || !first || data.pages.some(page => page.items.some(item => item.id === generation.id))) return data
        const items = [...first.items, generation].sort((one, other) => other.timestamp.localeCompare(one.timestamp))
        // Older than all of the page: it stands on a later one.
        if (items.at(-1) === generation && first.next_cursor !== null) return data
        return { ...data, pages: [{ ...first, items }, ...others] }
      },
    )
  }

  return { ...query, generations, add }
}
