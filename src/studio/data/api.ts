/** The server as the studio sees it: typed requests, the keys of the query cache, and the hooks of every resource. */
import {
  infiniteQueryOptions,
  QueryClient,
  queryOptions,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import type { z } from 'zod'
import type {
  Configuration,
  ConfigurationChange,
  ConfigurationList,
  ConfigurationTest,
  ConfigurationTestResult,
  NewConfiguration,
} from '../../api/configurations.ts'
import type { Estimate } from '../../api/estimate.ts'
import type { Generation } from '../../api/generations.ts'
import type { HistoryChange, HistoryPage } from '../../api/history.ts'
import type { StoredReference } from '../../api/images.ts'
import type { Model } from '../../api/models.ts'
import type { Problem } from '../../api/problems.ts'
import type { RecentErrorList, Status } from '../../api/system.ts'
import type { MadeToken, Me, NewToken, Token, TokenChange, TokenList } from '../../api/tokens.ts'
import type { UsageList } from '../../api/usage.ts'
import { day, money } from '../text/format.ts'
import { findText, t } from '../text/text.ts'
import { refusalText } from '../text/violations.ts'

export type { Configuration, ConfigurationTestResult } from '../../api/configurations.ts'
export type { Generation } from '../../api/generations.ts'
export type { Image } from '../../api/images.ts'
export type { Status } from '../../api/system.ts'
export type { MadeToken, Me, Token } from '../../api/tokens.ts'

// ── Requests ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** `code` is one of the contract, or `offline` when there was no answer at all. `message` is for people. */
export class ApiError extends Error {
  override name = 'ApiError'
  code: string
  status: number
  problem: Problem | undefined
  constructor(code: string, message: string, status = 0, problem?: Problem) {
    super(message)
    this.code = code
    this.status = status
    this.problem = problem
  }
}

/** In words that say what to do. Faults of the input are worth more than the general sentence for their code. */
export function explain(error: unknown, model?: string): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error)
  if (error.problem?.budget) return shortageText(error.problem.budget)
  if (error.problem?.errors?.length)
    return error.problem.errors.map(refusal => refusalText(t, refusal, model)).join(' ')
  return findText('problems', error.code) ?? error.message
}

/** A request would go over a cap, so nothing was sent. */
function shortageText(budget: NonNullable<Problem['budget']>) {
  const { scope, left, left_images: images = 0, variable = '', renews_at: renewsAt } = budget
  const whose = scope === 'configuration' && variable !== '' ? 'environment' : scope
  const rest = left ? money(left.amount, left.currency) : t('usage.capPictures', { count: images })
  return t(`usage.refused_${whose}`, { left: rest, day: day(renewsAt), variable })
}

/** An address of the server, wherever it is mounted: relative to the `<base>` that it wrote into the page. */
export function address(path: string) {
  return new URL(path.replace(/^\//, ''), document.baseURI).href
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Sent as JSON, or as it is when it is a form. */
  body?: unknown
  headers?: Record<string, string>
  query?: Record<string, string | number | boolean | null | undefined>
  signal?: AbortSignal
}

/** One exchange in JSON. @throws ApiError */
export async function request<Answer>(path: string, options: RequestOptions = {}): Promise<Answer> {
  const url = new URL(address(path))
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== undefined && value !== null && value !== '') url.searchParams.set(name, String(value))
  }
  const { body } = options
  const isForm = body instanceof FormData
  let response: Response
  try {
    response = await fetch(url, {
      method: options.method ?? 'GET',
      headers: {
        accept: 'application/json',
        ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      body: body === undefined ? undefined : isForm ? body : JSON.stringify(body),
      signal: options.signal,
    })
  } catch (error) {
    if (options.signal?.aborted) throw error
    throw new ApiError('offline', 'The server cannot be reached.')
  }
  if (response.status === 401) {
    location.assign(address('login?ended'))
    throw new ApiError('unauthorized', 'Sign in again.', 401)
  }
  if (response.status === 204) return undefined as Answer
  const answer: unknown = await response.json().catch(() => undefined)
  if (response.ok && answer !== undefined) return answer as Answer
  const problem = isProblem(answer) ? answer : undefined
  throw new ApiError(
    problem?.code ?? 'internal_error',
    problem?.detail ?? `The server answered ${response.status}.`,
    response.status,
    problem,
  )
}

function isProblem(answer: unknown): answer is Problem {
  return typeof answer === 'object' && answer !== null && 'code' in answer && 'detail' in answer
}

// ── Pictures ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Of our own origin always, whatever PUBLIC_URL says, because the page may only show those. */
export function imageUrl(id: string) {
  return address(`images/${encodeURIComponent(id)}`)
}

export function thumbnailUrl(id: string) {
  return address(`images/${encodeURIComponent(id)}/thumbnail`)
}

/** Did the server say that it is not there? Anything else, such as a lost network, is no answer to that. */
export async function isImageGone(id: string) {
  const answer = await fetch(imageUrl(id), { method: 'HEAD' }).catch(() => undefined)
  return answer?.status === 404
}

/** What our own pictures carry while they are dragged: their id. */
export const imageDragType = 'application/x-webimgui-image'

export function downloadUrl(id: string) {
  return `${imageUrl(id)}?download`
}

// ── The cache ───────────────────────────────────────────────────────────────────────────────────────────────────────

export interface HistoryFilter {
  q?: string
  provider?: string
  model?: string
  status?: Generation['status']
  favorite?: boolean
  tag?: string
  from?: string
  to?: string
}

/** Every key of the cache. What stands under `history` is kept up to date by `events.ts`. */
const keys = {
  models: ['models'] as const,
  configurations: ['configurations'] as const,
  status: ['status'] as const,
  errors: ['status', 'errors'] as const,
  me: ['me'] as const,
  tokens: ['tokens'] as const,
  usages: ['usage'] as const,
  usage: (query: UsageQuery) => ['usage', query] as const,
  generation: (id: string) => ['generation', id] as const,
  histories: ['history'] as const,
  /** The newest few, as the page of creating shows them. */
  recent: ['history', 'recent'] as const,
  history: (filter: object) => ['history', 'list', filter] as const,
}

const recentLimit = 24

/** For the page; another is only made in tests. */
export function createQueryClient() {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 500),
        retryDelay: count => 500 * 2 ** count,
        // Whether the server is there says more than what the browser thinks of the network: it may be on this machine.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  })
}

// ── Models and configurations ───────────────────────────────────────────────────────────────────────────────────────

export const modelsQuery = queryOptions({
  queryKey: keys.models,
  queryFn: async ({ signal }) => (await request<{ items: Model[] }>('api/models', { signal })).items,
  staleTime: 5 * 60_000,
})

export const configurationsQuery = queryOptions({
  queryKey: keys.configurations,
  queryFn: async ({ signal }) => (await request<z.infer<typeof ConfigurationList>>('api/config', { signal })).items,
})

export const statusQuery = queryOptions({
  queryKey: keys.status,
  queryFn: ({ signal }) => request<Status>('api/status', { signal }),
  staleTime: 0,
})

export const errorsQuery = queryOptions({
  queryKey: keys.errors,
  queryFn: async ({ signal }) =>
    (await request<z.infer<typeof RecentErrorList>>('api/status/errors', { signal })).items,
  staleTime: 0,
})

export const useModels = () => useQuery(modelsQuery)
export const useConfigurations = () => useQuery(configurationsQuery)

type NewConfigurationInput = z.input<typeof NewConfiguration>
type ConfigurationChangeInput = z.input<typeof ConfigurationChange>
export type ConfigurationTestInput = z.input<typeof ConfigurationTest>

/** Stores a new one, or changes the one with `id`. */
export function useSaveConfiguration() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({
      id,
      ...body
    }: (NewConfigurationInput & { id?: undefined }) | (ConfigurationChangeInput & { id: string })) =>
      id === undefined
        ? request<Configuration>('api/config', { method: 'POST', body })
        : request<Configuration>(`api/config/${encodeURIComponent(id)}`, { method: 'PUT', body }),
    onSuccess: () => configurationsChanged(client),
  })
}

export function useRemoveConfiguration() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => request<void>(`api/config/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    onSuccess: () => configurationsChanged(client),
  })
}

/** Some were changed, or brought back by a test. */
export function configurationsChanged(client: QueryClient) {
  return Promise.all([
    client.invalidateQueries({ queryKey: keys.configurations }),
    client.invalidateQueries({ queryKey: keys.models }),
    client.invalidateQueries({ queryKey: keys.status }),
  ])
}

/** Never makes a picture and never costs. */
export function testConfiguration(body: ConfigurationTestInput) {
  return request<ConfigurationTestResult>('api/config/test', { method: 'POST', body })
}

// ── Who may do what, and what was spent ─────────────────────────────────────────────────────────────────────────────

export const meQuery = queryOptions({
  queryKey: keys.me,
  queryFn: ({ signal }) => request<Me>('api/me', { signal }),
})

/** Who looks at the page; undefined until that is known. */
export const useMe = () => useQuery(meQuery).data

export async function signOut() {
  await request<void>('api/logout', { method: 'POST' })
  location.assign(address('login'))
}

export const tokensQuery = queryOptions({
  queryKey: keys.tokens,
  queryFn: async ({ signal }) => (await request<z.infer<typeof TokenList>>('api/tokens', { signal })).items,
})

export type NewTokenInput = z.input<typeof NewToken>

/** The answer holds its text, which must not stay in any cache. */
export function useMakeToken() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: NewTokenInput) => request<MadeToken>('api/tokens', { method: 'POST', body }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.tokens }),
    gcTime: 0,
  })
}

type TokenChangeInput = z.input<typeof TokenChange>

export function useChangeToken() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ id, ...body }: TokenChangeInput & { id: string }) =>
      request<Token>(`api/tokens/${encodeURIComponent(id)}`, { method: 'PATCH', body }),
    // Its name stands in the usage as well, and it may be the own one.
    onSettled: () =>
      Promise.all([keys.tokens, keys.usages, keys.me].map(queryKey => client.invalidateQueries({ queryKey }))),
  })
}

export function useRevokeToken() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => request<void>(`api/tokens/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.tokens }),
  })
}

export type UsageItem = UsageList['items'][number]
export type UsageGroup = 'day' | 'model' | 'configuration' | 'token'

/** Days, both inclusive; without them this month. */
export interface UsageQuery {
  group: UsageGroup
  from?: string
  to?: string
}

export function usageQuery(query: UsageQuery) {
  return queryOptions({
    queryKey: keys.usage(query),
    queryFn: ({ signal }) => request<UsageList>('api/usage', { query: { ...query, format: 'json' }, signal }),
    select: ({ items }) => items,
  })
}

export function usageCsvUrl(query: UsageQuery) {
  return address(`api/usage?${new URLSearchParams({ ...query, format: 'csv' })}`)
}

/** A refusal told more of a model than was known: where it stands is another now. */
export function modelsChanged(client: QueryClient) {
  void client.invalidateQueries({ queryKey: keys.models })
}

/** A generation began or ended: what is left of a cap is another now. */
export function spendingChanged(client: QueryClient) {
  const me = client.getQueryData<Me>(keys.me)
  if (me && (me.monthly_cap ?? me.monthly_images) !== null) void client.invalidateQueries({ queryKey: keys.me })
  void client.invalidateQueries({ queryKey: keys.usages })
}

// ── Generations ─────────────────────────────────────────────────────────────────────────────────────────────────────

export function generationQuery(id: string) {
  return queryOptions({
    queryKey: keys.generation(id),
    queryFn: ({ signal }) => request<Generation>(`api/history/${encodeURIComponent(id)}`, { signal }),
  })
}

export const useGeneration = (id: string) => useQuery(generationQuery(id))

export const recentQuery = queryOptions({
  queryKey: keys.recent,
  queryFn: ({ signal }) =>
    request<z.infer<typeof HistoryPage>>('api/history', { query: { limit: recentLimit }, signal }),
})

/** The history page by page, newest first. */
export function historyQuery(filter: HistoryFilter, limit = 60) {
  return infiniteQueryOptions({
    queryKey: keys.history({ ...filter, limit }),
    queryFn: ({ pageParam, signal }) =>
      request<z.infer<typeof HistoryPage>>('api/history', { query: { ...filter, limit, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.next_cursor ?? undefined,
  })
}

/** Names one wish. `crypto.randomUUID` is there only on https and localhost; people use this on their own network as well. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('')
}

export function cancelGeneration(id: string) {
  return request<Generation>(`api/history/${encodeURIComponent(id)}/cancel`, { method: 'POST', body: {} })
}

/** For `press`: makes it again, which costs again. 404 or 405 where the server cannot. */
export function retryPath(id: string) {
  return `api/history/${encodeURIComponent(id)}/retry`
}

/** What a retry would make and cost; makes nothing. */
export function estimateRetry(id: string, only: 'all' | 'missing') {
  return request<z.infer<typeof Estimate>>(retryPath(id), {
    method: 'POST',
    body: { only, dry_run: true },
  })
}

export type GenerationChange = z.input<typeof HistoryChange>

export function removeGeneration(id: string) {
  return request<void>(`api/history/${encodeURIComponent(id)}`, { method: 'DELETE' })
}

export function uploadReference(file: Blob, name = 'reference') {
  const form = new FormData()
  form.append('file', file, file instanceof File ? file.name : name)
  return request<StoredReference>('api/images', { method: 'POST', body: form })
}

// ── Keeping the cache in step ───────────────────────────────────────────────────────────────────────────────────────

type Page = z.infer<typeof HistoryPage>
type Pages = { pages: Page[]; pageParams: unknown[] }

function isPages(data: Page | Pages): data is Pages {
  return 'pages' in data
}

/** Wherever in the cache it stands. */
export function findGeneration(client: QueryClient, id: string): Generation | undefined {
  const own = client.getQueryData<Generation>(keys.generation(id))
  if (own) return own
  for (const [, data] of client.getQueriesData<Page | Pages>({ queryKey: keys.histories })) {
    const pages = data === undefined ? [] : isPages(data) ? data.pages : [data]
    const found = pages.flatMap(page => page.items).find(item => item.id === id)
    if (found) return found
  }
  return undefined
}

/** The tags of everything that was loaded so far. */
export function knownTags(client: QueryClient): string[] {
  const lists = client.getQueriesData<Page | Pages>({ queryKey: keys.histories }).map(([, data]) => data)
  const pages = lists.flatMap(data => (data === undefined ? [] : isPages(data) ? data.pages : [data]))
  const tags = new Set(pages.flatMap(page => page.items).flatMap(item => item.tags))
  return [...tags].toSorted((a, b) => a.localeCompare(b, document.documentElement.lang))
}

/** Puts its new state wherever it stands; the newest list also takes one that it does not hold yet. */
export function putGeneration(client: QueryClient, generation: Generation) {
  client.setQueryData(keys.generation(generation.id), generation)
  changeHistories(client, page => {
    if (!page.items.some(item => item.id === generation.id)) return page
    return { ...page, items: page.items.map(item => (item.id === generation.id ? generation : item)) }
  })
  client.setQueryData<Page>(keys.recent, page => {
    if (!page || page.items.some(item => item.id === generation.id)) return page
    const items = [...page.items, generation].sort((a, b) => b.timestamp.localeCompare(a.timestamp))
    return { ...page, items: items.slice(0, recentLimit) }
  })
}

const ranks: Record<Generation['status'], number> = { queued: 0, running: 1, succeeded: 2, failed: 2, cancelled: 2 }

/** From the answer to a request, which an event about the same generation may have overtaken. */
export function putAnswer(client: QueryClient, generation: Generation) {
  const known = findGeneration(client, generation.id)
  if (known) {
    const rank = ranks[generation.status] - ranks[known.status]
    if (rank < 0 || (rank === 0 && generation.images.length < known.images.length)) return
  }
  putGeneration(client, generation)
}

export function dropGeneration(client: QueryClient, id: string) {
  client.removeQueries({ queryKey: keys.generation(id) })
  changeHistories(client, page =>
    page.items.some(item => item.id === id) ? { ...page, items: page.items.filter(item => item.id !== id) } : page,
  )
}

function changeHistories(client: QueryClient, change: (page: Page) => Page) {
  client.setQueriesData<Page | Pages>({ queryKey: keys.histories }, data => {
    if (data === undefined) return data
    if (!isPages(data)) return change(data)
    const pages = data.pages.map(change)
    return pages.every((page, index) => page === data.pages[index]) ? data : { ...data, pages }
  })
}
