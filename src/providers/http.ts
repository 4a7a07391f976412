/** Outgoing HTTP, to public addresses only. TODO filled in below. */
export interface Http {
  /**
   * One exchange; redirects are not followed. Every POST uses a connection of its own, because a request on a kept
   * connection that the other side just closed could not be told from one that arrived.
   * @throws ExchangeError `retry_safe` when the request cannot have arrived (name, connect, TLS, refused address),
   * `maybe_billed` for anything later. Abort errors of `signal` pass as they are.
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
}

export interface HttpResponse {
  status: number
  /** Names in lower case; of repeated ones the first. */
  headers: Record<string, string>
  /** Decoded (gzip). @throws ExchangeError `maybe_billed` with what came when it is cut or larger than `maxBytes`. */
  text(maxBytes?: number): Promise<string>
  /** Pieces of the decoded body; throws like `text`. */
  body: AsyncIterable<Uint8Array>
  /** Reads nothing more and lets the connection go. */
  discard(): void
}
