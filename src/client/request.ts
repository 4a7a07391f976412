/** One exchange with the server. Runs in pages, workers and Node. */
import type { Problem } from '../api/problems.ts'
import { ApiError } from './errors.ts'

export interface ClientOptions {
  /** Where the server is mounted, such as `http://127.0.0.1:8000/`; everything is relative to it. */
  baseUrl: string
  /** A named token or that of the server; a page has its session instead. */
  token?: string
  /** Sent with every request. */
  headers?: Record<string, string>
  /** An answer that names another address is refused: what holds a token speaks to the server that it was given for, and to no other. */
  refusesRedirects?: boolean
  /** Called for every 401 before it is thrown. */
  onUnauthorized?(): void
}

export interface RequestOptions {
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Sent as JSON, or as it is when it is a form, a stream or a file. */
  body?: unknown
  headers?: Record<string, string>
  query?: Record<string, string | number | boolean | null | undefined>
  signal?: AbortSignal
  /** The request outlives the page that sends it. */
  keepalive?: boolean
}

/** The connection that every operation goes through. */
export type Connection = ReturnType<typeof createConnection>

export function createConnection({ baseUrl, token, headers: always, refusesRedirects, onUnauthorized }: ClientOptions) {
  /** Absolute; `path` is relative to the server. */
  function url(path: string) {
    return new URL(path.replace(/^\//, ''), baseUrl).href
  }

  /** An answer of 2xx. @throws ApiError */
  async function exchange(path: string, options: RequestOptions = {}): Promise<Response> {
    const { method = 'GET', body, headers, query = {}, signal, keepalive } = options
    const address = new URL(url(path))
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== null && value !== '') address.searchParams.set(name, String(value))
    }
    const isBytes = body instanceof FormData || body instanceof ReadableStream || body instanceof Blob
    const isJson = body !== undefined && !isBytes
    let response: Response
    try {
      response = await fetch(address, {
        method,
        headers: {
          accept: 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(isJson ? { 'content-type': 'application/json' } : {}),
          ...always,
          ...headers,
        },
        body: isJson ? JSON.stringify(body) : (body as FormData | ReadableStream | Blob | undefined),
        signal,
        keepalive,
        ...(refusesRedirects ? { redirect: 'manual' } : {}),
        ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
      })
    } catch (error) {
      if (signal?.aborted) throw error
      throw new ApiError('offline', 'The server cannot be reached.', 0, undefined, { cause: error })
    }
    if (response.ok) return response
    if (refusesRedirects && response.status >= 300 && response.status < 400) throw redirected(response, address)
    if (response.status === 401) onUnauthorized?.()
    throw await toError(response)
  }

  /** One exchange in JSON; undefined for an answer without a body. @throws ApiError */
  async function request<Answer>(path: string, options?: RequestOptions): Promise<Answer> {
    const response = await exchange(path, options)
    if (response.status === 204) return undefined as Answer
    const answer = await response.json().catch(() => undefined)
    if (answer === undefined) throw unexpected(response)
    return answer as Answer
  }

  return { url, exchange, request }
}

async function toError(response: Response) {
  const answer: unknown = await response.json().catch(() => undefined)
  if (!isProblem(answer)) return unexpected(response)
  const error = new ApiError(answer.code, answer.detail, response.status, answer)
  const seconds = Number(response.headers.get('retry-after'))
  if (seconds > 0) error.retryAfterMs = seconds * 1000
  return error
}

function redirected({ status, headers }: Response, address: URL) {
  const target = URL.parse(headers.get('location') ?? '', address.href)
  const where = target ? target.origin : 'another address'
  return new ApiError(
    'redirected',
    `The server at ${address.origin} sends elsewhere, to ${where}, which is not followed. If it is there now, give that address.`,
    status,
  )
}

function unexpected({ status }: Response) {
  const code = status === 401 ? 'unauthorized' : 'internal_error'
  return new ApiError(code, `The server answered ${status}.`, status)
}

function isProblem(answer: unknown): answer is Problem {
  return typeof answer === 'object' && answer !== null && 'code' in answer && 'detail' in answer
}
