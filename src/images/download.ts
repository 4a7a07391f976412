/** Fetches a paid image into a temporary file, byte for byte. */
import { createHash } from 'node:crypto'
import { type FileHandle, rm } from 'node:fs/promises'
import { BodyTooLarge } from '../outgoing/broken-exchange.ts'
import { ExchangeError } from '../outgoing/failure.ts'
import type { HttpResponse, OutgoingHttp } from '../outgoing/http.ts'
import { type Files, StorageError, storageError } from '../storage/files/folder.ts'
import { type FileEnds, type FileState, headBytes, type ImageFacts, inspectFile, NotAnImage } from './facts.ts'
import { cutText, decodeInline, NotInline } from './inline.ts'

export interface StoredBytes extends ImageFacts {
  state: FileState
  /** A path of `files.create()`; the file belongs to whoever receives it. */
  temporaryPath: string
  /** Its bytes survive a power cut. */
  isSynced: boolean
  bytes: number
  /** Hexadecimal. */
  sha256: string
}

/**
 * - `again`: the image may still be there; fetching is free, so fetch again later
 * - `expired`: the address has expired for good
 * - `not_a_picture`, `too_large`: the bytes are not the image, or not all of it
 * - `unusable`: what the answer says of the picture cannot be used, however often it is tried
 * - `storage`: our own disk; the cause is a StorageError
 */
type FetchErrorKind = 'again' | 'expired' | 'not_a_picture' | 'too_large' | 'unusable' | 'storage'

export class FetchError extends Error {
  override name = 'FetchError'
  readonly kind: FetchErrorKind
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined
  /** The bytes received so far, for `keepUnfinished`: better than nothing if no better copy arrives. */
  readonly kept: StoredBytes | undefined

  constructor(
    kind: FetchErrorKind,
    message: string,
    options: { status?: number; cause?: unknown; kept?: StoredBytes } = {},
  ) {
    super(message, { cause: options.cause })
    this.kind = kind
    this.status = options.status
    this.kept = options.kept
  }
}

/** Base64 or a data URI: in memory, or read in pieces, anew with each call. */
export type InlineText = string | (() => AsyncIterable<string>)

export interface FetchOptions {
  http: OutgoingHttp
  files: Files
  /** The URL is used unchanged. It is a key to the image, so no message contains its query. */
  source: { url: string } | { base64: InlineText }
  /** Errors carry the received bytes as `kept` if they may be the image or a part of it; the catcher owns that file. */
  keepUnfinished?: boolean
  signal?: AbortSignal
  /** Expiry of the URL, ms since 1970, if known. */
  expiresAt?: number
  /** 64 MiB when absent. */
  maxBytes?: number
  /** 60 s when absent. */
  headersTimeoutMs?: number
  /** 60 s when absent. */
  idleTimeoutMs?: number
  /** Total time, an hour when absent: a slow fetch may succeed too, and starts over when it is ended. */
  timeoutMs?: number
  /** Called with the number of bytes of each chunk. */
  onBytes?(count: number): void
}

const mebibyte = 1024 * 1024

/** @throws FetchError; the reason of `signal` as it is. Nothing but `kept` is left on the disk then. */
export async function fetchImage(options: FetchOptions): Promise<StoredBytes> {
  const { files, source } = options
  const maxBytes = options.maxBytes ?? 64 * mebibyte
  options.signal?.throwIfAborted()
  if ('url' in source && !isAddress(source.url)) {
    throw new FetchError('unusable', 'The answer gives no http:// or https:// address for the picture.')
  }
  const deadline = AbortSignal.timeout(options.timeoutMs ?? 3_600_000)
  const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline
  try {
    if ('base64' in source) return await fromText(source.base64, maxBytes, options)
    const response = await options.http.download(source.url, {
      signal,
      maxBytes,
      headersTimeoutMs: options.headersTimeoutMs ?? 60_000,
      idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
    })
    if (response.status !== 200) throw await refusedFetch(response, options.expiresAt)
    const pieces = counted(response.body, options)
    const kept = await keepBytes(files, pieces, maxBytes, { keepsBeginning: options.keepUnfinished, syncs: true })
    return await checked(response, kept, options)
  } catch (error) {
    if (options.signal?.aborted) {
      if (error instanceof FetchError && error.kept) await remove(error.kept)
      throw options.signal.reason
    }
    throw fetchError(error)
  }
}

async function* counted(pieces: AsyncIterable<Uint8Array>, { onBytes, signal }: FetchOptions) {
  for await (const piece of pieces) {
    signal?.throwIfAborted()
    onBytes?.(piece.length)
    yield piece
  }
}

/** Retrying does not change inline data: damage is reported by `state`, and what is not an image is `unusable`. */
async function fromText(text: InlineText, maxBytes: number, options: FetchOptions): Promise<StoredBytes> {
  const pieces = decodeInline(typeof text === 'string' ? cutText(text) : text())
  const kept = await keepBytes(options.files, counted(pieces, options), maxBytes, { syncs: true }).catch(error => {
    throw lasting(error)
  })
  try {
    if (kept.bytes === 0) throw new FetchError('unusable', 'The file of the picture is empty.')
    return await inspected(kept)
  } catch (error) {
    await remove(kept)
    throw lasting(error)
  }
}

/** An answer is the same however often it is read. */
function lasting(error: unknown): FetchError {
  const failed = fetchError(error)
  if (failed.kind !== 'not_a_picture' && failed.kind !== 'too_large') return failed
  return new FetchError('unusable', failed.message, { cause: error })
}

function isAddress(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return (url?.protocol === 'http:' || url?.protocol === 'https:') && url.username === '' && url.password === ''
}

interface KeptBytes extends FileEnds {
  temporaryPath: string
  bytes: number
  sha256: string
  /** Resolves when the file is closed: are its bytes on disk? A sync that failed is made again when the file is put in its place. */
  synced: Promise<boolean>
  /** The error that ended it early. */
  cut?: unknown
}

/** Some senders pad the last block. */
const tailBytes = 4 * 1024

/**
 * Writes the chunks to a temporary file.
 * @param options.keepsBeginning an error of `pieces` is returned as `cut` with the bytes before it
 * @param options.syncs what is done with the file meanwhile need not wait for the sync
 * @throws FetchError `too_large`, `storage`; errors of `pieces` as they are. The file is gone then.
 */
export async function keepBytes(
  files: Files,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
  { keepsBeginning = false, syncs = false }: { keepsBeginning?: boolean; syncs?: boolean } = {},
): Promise<KeptBytes> {
  const { path: temporaryPath, handle } = await onDisk(files.create())
  const hash = createHash('sha256')
  let bytes = 0
  let head: Buffer = Buffer.alloc(0)
  let tail: Buffer = Buffer.alloc(0)
  let cut: unknown
  try {
    try {
      for await (const piece of pieces) {
        bytes += piece.length
        if (bytes > maxBytes) throw tooLarge(maxBytes)
        hash.update(piece)
        if (head.length < headBytes) head = Buffer.concat([head, piece.subarray(0, headBytes - head.length)])
        tail = Buffer.concat([tail, piece.subarray(-tailBytes)]).subarray(-tailBytes)
        for (let written = 0; written < piece.length; ) {
          written += (await onDisk(handle.write(piece, written))).bytesWritten
        }
      }
    } catch (error) {
      const isOurs = error instanceof FetchError || error instanceof BodyTooLarge
      if (!keepsBeginning || isOurs || bytes === 0) throw error
      cut = error
    }
    const synced = close(handle, syncs)
    if (!syncs) await synced
    // Whoever needs it awaits it.
    synced.catch(() => {})
    const known = { temporaryPath, bytes, sha256: hash.digest('hex'), head, tail, synced }
    return cut === undefined ? known : { ...known, cut }
  } catch (error) {
    await handle.close().catch(() => {})
    await rm(temporaryPath, { force: true }).catch(() => {})
    throw error
  }
}

async function close(handle: FileHandle, syncs: boolean): Promise<boolean> {
  try {
    if (syncs) await handle.sync()
    return syncs
  } catch {
    return false
  } finally {
    await onDisk(handle.close())
  }
}

async function checked(response: HttpResponse, kept: KeptBytes, options: FetchOptions): Promise<StoredBytes> {
  const { headers, status } = response
  const announced = headers['content-encoding'] === undefined ? headers['content-length'] : undefined
  if (kept.cut !== undefined) {
    const failed = fetchError(kept.cut)
    throw await withKept(new FetchError(failed.kind, failed.message, { status, cause: kept.cut }), kept, options)
  }
  if (kept.bytes === 0 || (announced !== undefined && Number(announced) !== kept.bytes)) {
    const failed = new FetchError('again', `Only ${kept.bytes} bytes of the picture arrived.`, { status })
    throw await withKept(failed, kept, options)
  }
  try {
    const file = await inspected(kept)
    if (file.state === 'whole' || file.state === 'not_shown') return file
    const message =
      file.state === 'damaged'
        ? 'The picture arrived incomplete or damaged.'
        : 'What arrived is not a picture of a known type.'
    throw new FetchError('not_a_picture', message, { status, kept: file })
  } catch (error) {
    const failed = fetchError(error)
    if (failed.kept && options.keepUnfinished) throw failed
    await remove(kept)
    throw failed.kept ? new FetchError(failed.kind, failed.message, { status }) : failed
  }
}

/** The error with the received bytes, if they are the beginning of an image. */
async function withKept(error: FetchError, kept: KeptBytes, options: FetchOptions): Promise<FetchError> {
  const file = options.keepUnfinished ? await inspected(kept).catch(() => undefined) : undefined
  if (!file || file.state === 'unknown') {
    await remove(kept)
    return error
  }
  const { kind, message, status, cause } = error
  return new FetchError(kind, message, { status, cause, kept: { ...file, state: 'damaged' } })
}

/** Detects the kind of a file. */
async function inspected({ temporaryPath, bytes, sha256, head, tail, synced }: KeptBytes): Promise<StoredBytes> {
  const inspecting = inspectFile({ path: temporaryPath, bytes, head, tail })
  const [{ facts, state }, isSynced] = await Promise.all([inspecting, synced])
  return { temporaryPath, isSynced, bytes, sha256, ...facts, state }
}

function remove({ temporaryPath }: Pick<KeptBytes, 'temporaryPath'>): Promise<void> {
  return rm(temporaryPath, { force: true }).catch(() => {})
}

/** Signed addresses expire with 403 (both services, 2026-11); only the message or the clock of the host distinguish that from a temporary refusal. */
async function refusedFetch(response: HttpResponse, expiresAt: number | undefined): Promise<FetchError> {
  const { status } = response
  const isFinal = status === 410
  const mayBeDead = status === 400 || status === 401 || status === 403 || status === 404
  const text = mayBeDead ? await response.text(64 * 1024).catch(() => '') : ''
  response.discard()
  // The local clock may be wrong, or have just been corrected.
  const now = Date.parse(response.headers.date ?? '')
  const isExpired = isFinal || (mayBeDead && (/expired/i.test(text) || (expiresAt !== undefined && now >= expiresAt)))
  return isExpired
    ? new FetchError('expired', `The address of the picture has expired (${status}).`, { status })
    : new FetchError('again', `The picture could not be fetched: the service answered ${status}.`, { status })
}

function fetchError(error: unknown): FetchError {
  if (error instanceof FetchError) return error
  if (error instanceof NotInline) return new FetchError('unusable', error.message, { cause: error })
  if (error instanceof BodyTooLarge) return new FetchError('too_large', error.message, { cause: error })
  if (error instanceof NotAnImage) return new FetchError('not_a_picture', error.message, { cause: error })
  if (error instanceof ExchangeError) return new FetchError('again', error.message, { cause: error })
  if (error instanceof StorageError) return new FetchError('storage', error.message, { cause: error })
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new FetchError('again', 'The picture took too long to arrive.', { cause: error })
  }
  const failed = storageError(error)
  return new FetchError('storage', failed.message, { cause: failed })
}

async function onDisk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const failed = storageError(error)
    throw new FetchError('storage', failed.message, { cause: failed })
  }
}

function tooLarge(maxBytes: number): FetchError {
  return new FetchError(
    'too_large',
    `The picture is larger than ${Math.round(maxBytes / mebibyte)} MiB, the most that this server accepts.`,
  )
}
