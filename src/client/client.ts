/** The API as functions, one for each operation. Each throws an `ApiError` when the server refuses or is away. */
import type { z } from 'zod'
import type {
  Configuration,
  ConfigurationChange,
  ConfigurationList,
  ConfigurationTest,
  ConfigurationTestResult,
  NewConfiguration,
} from '../api/configurations.ts'
import type { Estimate } from '../api/estimate.ts'
import type { GenerateRequest, Generation } from '../api/generations.ts'
import type { HistoryChange, HistoryCounts, HistoryPage, HistoryQuery } from '../api/history.ts'
import type { ExportQuery, Import, ImportChange, ImportFolder, ImportList, ImportRequest } from '../api/imports.ts'
import type { ModelList } from '../api/models.ts'
import type { ProviderList } from '../api/providers.ts'
import type { RecentErrorList, Status } from '../api/system.ts'
import type { MadeToken, Me, NewToken, Token, TokenChange, TokenList } from '../api/tokens.ts'
import type { UsageQuery as UsageInput, UsageList } from '../api/usage.ts'
import type { User, UserChange, UserList } from '../api/users.ts'
import type {
  Delivery,
  DeliveryPage,
  MadeWebhook,
  NewWebhook,
  Webhook,
  WebhookChange,
  WebhookList,
} from '../api/webhooks.ts'
import { ApiError } from './errors.ts'
import { followEvents, type StreamMessage } from './events.ts'
import { type ClientOptions, createConnection } from './request.ts'
import { type UploadOptions, uploadArchive, uploadImage } from './upload.ts'

export type NewConfigurationInput = z.input<typeof NewConfiguration>
export type ConfigurationChangeInput = z.input<typeof ConfigurationChange>
export type ConfigurationTestInput = z.input<typeof ConfigurationTest>
export type NewTokenInput = z.input<typeof NewToken>
export type TokenChangeInput = z.input<typeof TokenChange>
export type UserChangeInput = z.input<typeof UserChange>
export type NewWebhookInput = z.input<typeof NewWebhook>
export type WebhookChangeInput = z.input<typeof WebhookChange>
export type GenerationChange = z.input<typeof HistoryChange>

type HistoryInput = z.input<typeof HistoryQuery>
/** `from` and `to` are times, inclusive. */
export type HistoryFilter = Pick<HistoryInput, 'q' | 'provider' | 'model' | 'status' | 'tag' | 'from' | 'to'> & {
  favorite?: boolean
  /** At least one picture has at least so many. */
  stars?: number
  rejected?: boolean
}
export type HistorySort = NonNullable<HistoryInput['sort']>
/** Days, both inclusive; without them this month. */
export type UsageQuery = Omit<z.input<typeof UsageInput>, 'format'>

interface Signal {
  signal?: AbortSignal
}

export interface GenerateOptions extends Signal {
  /** Names one order: the same key never makes a second generation. */
  key: string
  /** Wait for the end instead of for the record alone. */
  isAwaited?: boolean
}

export interface BeginOptions extends Signal {
  key: string
  /** Also joins what an equal request began whose end was not told (`answered` in a change). */
  joins: boolean
}

export function createClient(options: ClientOptions) {
  const connection = createConnection(options)
  const { request, url } = connection

  function pathOf(id: string, rest = '') {
    return `api/history/${encodeURIComponent(id)}${rest}`
  }

  function webhookPath(id: string, rest = '') {
    return `api/webhooks/${encodeURIComponent(id)}${rest}`
  }

  function generateAt(path: string, body: object, { key, isAwaited, signal }: GenerateOptions) {
    const headers = { 'idempotency-key': key, ...(isAwaited ? {} : { prefer: 'respond-async' }) }
    return request<Generation>(path, { method: 'POST', body, headers, signal })
  }

  async function beginAt(path: string, body: object, { key, joins, signal }: BeginOptions) {
    const headers: Record<string, string> = { 'idempotency-key': key, prefer: 'respond-async' }
    if (joins) headers['x-webimgui-join'] = 'unanswered'
    const response = await connection.exchange(path, { method: 'POST', body, headers, signal })
    return { generation: (await response.json()) as Generation, isJoined: response.headers.has('x-webimgui-joined') }
  }

  return {
    url,
    models: async (given?: Signal) => (await request<z.infer<typeof ModelList>>('api/models', given)).items,
    providers: async (given?: Signal) => (await request<z.infer<typeof ProviderList>>('api/providers', given)).items,
    status: (given?: Signal) => request<Status>('api/status', given),
    recentErrors: async (given?: Signal) => (await request<RecentErrorList>('api/status/errors', given)).items,
    me: (given?: Signal) => request<Me>('api/me', given),
    signOut: () => request<void>('api/logout', { method: 'POST' }),
    usage: (query: UsageQuery, given?: Signal) =>
      request<UsageList>('api/usage', { query: { ...query, format: 'json' }, ...given }),
    usageCsvUrl: (query: UsageQuery) => url(`api/usage?${new URLSearchParams({ ...query, format: 'csv' })}`),

    configurations: {
      list: async (given?: Signal) => (await request<z.infer<typeof ConfigurationList>>('api/config', given)).items,
      create: (body: NewConfigurationInput) => request<Configuration>('api/config', { method: 'POST', body }),
      change: (id: string, body: ConfigurationChangeInput) =>
        request<Configuration>(`api/config/${encodeURIComponent(id)}`, { method: 'PUT', body }),
      remove: (id: string) => request<void>(`api/config/${encodeURIComponent(id)}`, { method: 'DELETE' }),
      /** Never makes a picture and never costs. */
      test: (body: ConfigurationTestInput) =>
        request<ConfigurationTestResult>('api/config/test', { method: 'POST', body }),
    },

    tokens: {
      list: async (given?: Signal) => (await request<z.infer<typeof TokenList>>('api/tokens', given)).items,
      make: (body: NewTokenInput) => request<MadeToken>('api/tokens', { method: 'POST', body }),
      change: (id: string, body: TokenChangeInput) =>
        request<Token>(`api/tokens/${encodeURIComponent(id)}`, { method: 'PATCH', body }),
      revoke: (id: string) => request<void>(`api/tokens/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    },

    webhooks: {
      list: async (given?: Signal) => (await request<z.infer<typeof WebhookList>>('api/webhooks', given)).items,
      make: (body: NewWebhookInput) => request<MadeWebhook>('api/webhooks', { method: 'POST', body }),
      change: (id: string, body: WebhookChangeInput) => request<Webhook>(webhookPath(id), { method: 'PATCH', body }),
      remove: (id: string) => request<void>(webhookPath(id), { method: 'DELETE' }),
      renewSecret: (id: string) => request<MadeWebhook>(webhookPath(id, '/secret'), { method: 'POST' }),
      test: (id: string) => request<Delivery>(webhookPath(id, '/test'), { method: 'POST' }),
      deliveries: (id: string, query: { limit?: number; cursor?: string } = {}, given?: Signal) =>
        request<z.infer<typeof DeliveryPage>>(webhookPath(id, '/deliveries'), { query: { ...query }, ...given }),
      resend: (id: string, deliveryId: string) =>
        request<Delivery>(webhookPath(id, `/deliveries/${encodeURIComponent(deliveryId)}/resend`), { method: 'POST' }),
    },

    users: {
      list: async (given?: Signal) => (await request<z.infer<typeof UserList>>('api/users', given)).items,
      change: (id: string, body: UserChangeInput) =>
        request<User>(`api/users/${encodeURIComponent(id)}`, { method: 'PATCH', body }),
      endSessions: (id: string) => request<void>(`api/users/${encodeURIComponent(id)}/sessions`, { method: 'DELETE' }),
    },

    generate: (body: z.input<typeof GenerateRequest>, given: GenerateOptions) =>
      generateAt('api/generate', body, given),
    /** What a request would make and cost; makes nothing. */
    estimate: (body: z.input<typeof GenerateRequest>, given?: Signal) =>
      request<Estimate>('api/estimate', { method: 'POST', body, ...given }),
    /** For a request that was kept, to be sent later: `path` is `api/generate` or a `retryPath`. */
    generateAt,
    /** The record at once, and whether another request began it. */
    beginAt,
    history: {
      page: (query: HistoryFilter & { sort?: HistorySort; limit?: number; cursor?: string }, given?: Signal) =>
        request<z.infer<typeof HistoryPage>>('api/history', { query: { ...query }, ...given }),
      count: (query: HistoryFilter, given?: Signal) =>
        request<z.infer<typeof HistoryCounts>>('api/history/count', { query: { ...query }, ...given }),
      get: (id: string, given?: Signal) => request<Generation>(pathOf(id), given),
      change: (id: string, body: GenerationChange) => request<Generation>(pathOf(id), { method: 'PATCH', body }),
      /** `keepalive`: also when the page goes away. */
      remove: (id: string, given?: { keepalive?: boolean }) =>
        request<void>(pathOf(id), { method: 'DELETE', ...given }),
      cancel: (id: string) => request<Generation>(pathOf(id, '/cancel'), { method: 'POST', body: {} }),
      /** Where `{ only: 'all' | 'missing' }` makes it again, which costs again. */
      retryPath: (id: string) => pathOf(id, '/retry'),
      /** What a retry would make and cost; makes nothing. */
      estimateRetry: (id: string, only: 'all' | 'missing') =>
        request<Estimate>(pathOf(id, '/retry'), { method: 'POST', body: { only, dry_run: true } }),
    },

    images: {
      url: (id: string) => url(`images/${encodeURIComponent(id)}`),
      thumbnailUrl: (id: string, size: 512 | 1024 = 512) =>
        url(`images/${encodeURIComponent(id)}/thumbnail${size === 512 ? '' : `?size=${size}`}`),
      /** The picture byte for byte, or with `size` a WebP of at most so many pixels a side. */
      async read(id: string, size?: 512 | 1024) {
        const rest = size === undefined ? '' : `/thumbnail?size=${size}`
        const response = await connection.exchange(`images/${encodeURIComponent(id)}${rest}`)
        const mimeType = response.headers.get('content-type') ?? 'application/octet-stream'
        return { bytes: new Uint8Array(await response.arrayBuffer()), mimeType }
      },
      upload: (file: Blob, given?: UploadOptions) => uploadImage(connection, file, given),
      /** Did the server say that it is not there? Anything else, such as a lost network, is no answer to that. */
      async isGone(id: string) {
        try {
          await connection.exchange(`images/${encodeURIComponent(id)}`, { method: 'HEAD' })
        } catch (error) {
          return error instanceof ApiError && error.status === 404
        }
        return false
      },
      archiveUrl: url('api/images/archive'),
      /** Many pictures with their recipes in one ZIP. */
      archive: (ids: readonly string[]) => connection.exchange('api/images/archive', { method: 'POST', body: { ids } }),
    },

    imports: {
      list: (given?: Signal) => request<z.infer<typeof ImportList>>('api/imports', given),
      get: (id: string, given?: Signal) => request<Import>(`api/imports/${encodeURIComponent(id)}`, given),
      /** What lies in the folder that the operator allowed. */
      folder: async (path: string, given?: Signal) =>
        (await request<z.infer<typeof ImportFolder>>('api/imports/folder', { query: { path }, ...given })).items,
      /** The id of an upload, for `start`. */
      upload: (file: Blob, given?: UploadOptions) => uploadArchive(connection, file, given),
      start: (body: z.input<typeof ImportRequest>) => request<Import>('api/imports', { method: 'POST', body }),
      change: (id: string, body: z.input<typeof ImportChange>) =>
        request<Import>(`api/imports/${encodeURIComponent(id)}`, { method: 'PATCH', body }),
      report: async (id: string, format: 'json' | 'text') =>
        (await connection.exchange(`api/imports/${encodeURIComponent(id)}/report`, { query: { format } })).text(),
      reportUrl: (id: string, format: 'json' | 'text') =>
        url(`api/imports/${encodeURIComponent(id)}/report?format=${format}`),
    },
    /** A ZIP of all that a filter chooses. */
    exportUrl: (query: z.input<typeof ExportQuery>) =>
      url(`api/export?${new URLSearchParams(query as Record<string, string>)}`),
    /** Where a form with `ids` gets a ZIP of those pictures. */
    exportFormUrl: url('api/export'),

    /** Tells every change until the signal aborts. */
    follow: (given: { signal: AbortSignal; id?: string }, tell: (message: StreamMessage) => void) =>
      followEvents(connection, given, tell),
  }
}

/** Nothing more will become of it. */
export function hasEnded({ status }: Pick<Generation, 'status'>) {
  return status !== 'queued' && status !== 'running'
}

/** For `GenerateOptions`. `crypto.randomUUID` is there only on https and localhost; people use this on their own network as well. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('')
}
