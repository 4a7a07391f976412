/** What the program can do over HTTP: an exchange with a service, and fetching what a URL names. */

export interface Http {
  /**
   * One exchange; redirects are not followed. Every POST uses a connection of its own, because a request on a kept
   * connection that the other side just closed could not be told from one that arrived.
   * @throws ExchangeError `retry_safe` when the request cannot have arrived (name, connect, TLS), `refused` when trying
   * again would not help either (refused address, unknown name, certificate), `maybe_billed` for anything later. Abort
   * errors of `signal` pass as they are.
   */
  request(request: HttpRequest): Promise<HttpResponse>
}

export interface HttpRequest {
  method: 'GET' | 'POST'
  url: string
  headers?: Record<string, string>
  body?: string | Uint8Array | FormData
  signal?: AbortSignal
  /** Until the headers of the answer. */
  headersTimeoutMs: number
  /** Between two pieces of the body. */
  idleTimeoutMs: number
  /** Until the end of the body, however slowly it comes; then it counts as cut. When absent `headersTimeoutMs` and ten minutes. */
  timeoutMs?: number
  /** Transforms the decoded body before it is read. */
  through?(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
}

export interface HttpResponse {
  status: number
  /** Names in lower case; of repeated ones the first. */
  headers: Record<string, string>
  /** Decoded. @throws ExchangeError `maybe_billed` with what came when it is cut or larger than `maxBytes`. */
  text(maxBytes?: number): Promise<string>
  /** Pieces of the decoded body; throws like `text`. */
  body: AsyncIterable<Uint8Array>
  /** Reads nothing more and closes the connection. */
  discard(): void
}

/** What the program uses; adapters get only `Http`. */
export interface OutgoingHttp extends Http {
  /**
   * Fetches a URL unchanged, without any key, following redirects; each hop is checked like a first
   * request. Timers are coarse, about a second.
   * @throws ExchangeError like `request` (of a GET, so it may always be repeated), BodyTooLarge
   */
  download(url: string, options: DownloadOptions): Promise<HttpResponse>
  /**
   * Why requests to this address would be refused, as a sentence; undefined when they would not. A name that cannot be
   * looked up now is not refused. For checking input: the check that counts is made when connecting.
   */
  refusal(url: string): Promise<string | undefined>
  /** Ends all exchanges. */
  close(): Promise<void>
}

export interface DownloadOptions {
  signal?: AbortSignal
  /** Limit of the decoded body. */
  maxBytes: number
  headersTimeoutMs: number
  idleTimeoutMs: number
  /** 3 when absent. */
  maxRedirects?: number
}
