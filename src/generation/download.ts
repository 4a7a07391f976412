/** Brings a picture that was made, and paid for, from its answer into a temporary file, byte for byte. */
import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { ExchangeError } from '../providers/errors.ts'
import { BodyTooLarge, type HttpResponse, type OutgoingHttp } from '../providers/http.ts'
import { type Files, StorageError, storageError } from '../storage/files.ts'
import { NotAPicture, type PictureFacts, pictureFacts, provePicture } from './pictures.ts'

export interface StoredBytes extends PictureFacts {
  /** From `files.temporary()`; belongs to whoever receives it. */
  temporaryPath: string
  bytes: number
  /** Hexadecimal. */
  sha256: string
}

/**
 * - `again`: nothing says that the picture is lost; fetching is free, so fetch again later
 * - `expired`: the address is dead and stays so
 * - `not_a_picture`, `too_large`: what came is not what we store
 * - `storage`: our own disk; the cause is a StorageError
 */
type FetchErrorKind = 'again' | 'expired' | 'not_a_picture' | 'too_large' | 'storage'

export class FetchError extends Error {
  override name = 'FetchError'
  readonly kind: FetchErrorKind
  /** Of the answer, where there was one. */
  readonly status: number | undefined

  constructor(kind: FetchErrorKind, message: string, options: { status?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.kind = kind
    this.status = options.status
  }
}

export interface FetchOptions {
  http: OutgoingHttp
  files: Files
  /** The URL is used letter for letter. It is a key to the picture, so no message holds its query. */
  source: { url: string } | { base64: string }
  signal?: AbortSignal
  /** When the URL dies, ms since 1970, if it is known. */
  expiresAt?: number
  /** 64 MiB when absent. */
  maxBytes?: number
  /** 60 s when absent. */
  headersTimeoutMs?: number
  /** 60 s when absent. */
  idleTimeoutMs?: number
  /** From beginning to end, an hour when absent: what comes slowly comes too, and begins anew when it is ended. */
  timeoutMs?: number
  /** Called with the number of bytes of each piece that came. */
  onBytes?(count: number): void
}

const mebibyte = 1024 * 1024

/** @throws FetchError; the reason of `signal` as it is. Nothing is left on the disk then. */
export async function fetchPicture(options: FetchOptions): Promise<StoredBytes> {
  const { files, source } = options
  const maxBytes = options.maxBytes ?? 64 * mebibyte
  options.signal?.throwIfAborted()
  if ('base64' in source) {
    const kept = await keepBytes(files, decodedBase64(source.base64), maxBytes)
    return looked(kept)
  }
  const deadline = AbortSignal.timeout(options.timeoutMs ?? 3_600_000)
  const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline
  try {
    const response = await options.http.download(source.url, {
      signal,
      maxBytes,
      headersTimeoutMs: options.headersTimeoutMs ?? 60_000,
      idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
    })
    if (response.status !== 200) throw await refusedFetch(response, options.expiresAt)
    const kept = await keepBytes(files, counted(response.body, options.onBytes), maxBytes)
    return await checked(response, kept)
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason
    throw fetchError(error)
  }
}

async function* counted(pieces: AsyncIterable<Uint8Array>, onBytes: FetchOptions['onBytes']) {
  for await (const piece of pieces) {
    onBytes?.(piece.length)
    yield piece
  }
}

/**
 * Writes what comes to a temporary file.
 * @throws FetchError `too_large`, `storage`; errors of `pieces` as they are. The file is gone then.
 */
export async function keepBytes(
  files: Files,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
): Promise<{ temporaryPath: string; bytes: number; sha256: string }> {
  const temporaryPath = await onDisk(files.temporary())
  const hash = createHash('sha256')
  let bytes = 0
  try {
    const file = await onDisk(open(temporaryPath, 'wx'))
    try {
      for await (const piece of pieces) {
        bytes += piece.length
        if (bytes > maxBytes) throw tooLarge(maxBytes)
        hash.update(piece)
        for (let written = 0; written < piece.length; ) {
          written += (await onDisk(file.write(piece, written))).bytesWritten
        }
      }
    } finally {
      await onDisk(file.close())
    }
    return { temporaryPath, bytes, sha256: hash.digest('hex') }
  } catch (error) {
    await rm(temporaryPath, { force: true }).catch(() => {})
    throw error
  }
}

/**
 * Pieces of about 768 KiB, so that a picture is never in memory twice. A `data:` prefix and line breaks are passed
 * over.
 * @throws FetchError `not_a_picture` for anything that is not base64
 */
export function* decodedBase64(text: string): Generator<Buffer> {
  let start = 0
  if (/^data:/i.test(text.slice(0, 5))) {
    const comma = text.indexOf(',')
    if (comma < 0 || !/;base64$/i.test(text.slice(0, comma))) throw notBase64()
    start = comma + 1
  }
  let carried = ''
  let hasEnded = false
  for (let position = start; position < text.length; position += mebibyte) {
    const piece = carried + text.slice(position, position + mebibyte).replace(/[\r\n\t ]+/g, '')
    const whole = piece.slice(0, piece.length - (piece.length % 4))
    carried = piece.slice(whole.length)
    if (whole === '') continue
    if (hasEnded || !/^[A-Za-z0-9+/]+={0,2}$/.test(whole)) throw notBase64()
    hasEnded = whole.endsWith('=')
    yield Buffer.from(whole, 'base64')
  }
  if (carried !== '') throw notBase64()
}

async function checked(
  response: HttpResponse,
  kept: { temporaryPath: string; bytes: number; sha256: string },
): Promise<StoredBytes> {
  const { headers } = response
  const announced = headers['content-encoding'] === undefined ? headers['content-length'] : undefined
  if (kept.bytes === 0 || (announced !== undefined && Number(announced) !== kept.bytes)) {
    await rm(kept.temporaryPath, { force: true })
    throw new FetchError('again', `Only ${kept.bytes} bytes of the picture came.`, { status: response.status })
  }
  const hasNoEnd = headers['content-length'] === undefined && headers['transfer-encoding'] === undefined
  if (hasNoEnd) {
    // Only the end of the connection ended it, and a cut looks the same: the picture itself has to tell.
    await provePicture(kept.temporaryPath).catch(async error => {
      await rm(kept.temporaryPath, { force: true })
      throw new FetchError('again', 'The picture came without its end.', { status: response.status, cause: error })
    })
  }
  return looked(kept)
}

/** What kind of picture it is; removes what is none. */
async function looked(kept: { temporaryPath: string; bytes: number; sha256: string }): Promise<StoredBytes> {
  try {
    if (kept.bytes === 0) throw new FetchError('not_a_picture', 'The picture has no bytes.')
    return { ...kept, ...(await pictureFacts(kept.temporaryPath)) }
  } catch (error) {
    await rm(kept.temporaryPath, { force: true }).catch(() => {})
    throw fetchError(error)
  }
}

/** Signed addresses die with 403 (both services, 2026-11); only words or the clock tell that from a passing refusal. */
async function refusedFetch(response: HttpResponse, expiresAt: number | undefined): Promise<FetchError> {
  const { status } = response
  const isFinal = status === 410
  const mayBeDead = status === 400 || status === 401 || status === 403 || status === 404
  const text = mayBeDead ? await response.text(64 * 1024).catch(() => '') : ''
  response.discard()
  const isExpired =
    isFinal || (mayBeDead && (/expired/i.test(text) || (expiresAt !== undefined && Date.now() >= expiresAt)))
  return isExpired
    ? new FetchError('expired', `The address of the picture has expired (${status}).`, { status })
    : new FetchError('again', `The picture could not be fetched: the service answered ${status}.`, { status })
}

function fetchError(error: unknown): FetchError {
  if (error instanceof FetchError) return error
  if (error instanceof BodyTooLarge) return new FetchError('too_large', error.message, { cause: error })
  if (error instanceof NotAPicture) return new FetchError('not_a_picture', error.message, { cause: error })
  if (error instanceof ExchangeError) return new FetchError('again', error.message, { cause: error })
  if (error instanceof StorageError) return new FetchError('storage', error.message, { cause: error })
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new FetchError('again', 'The picture took too long to come.', { cause: error })
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
    `The picture is larger than ${Math.round(maxBytes / mebibyte)} MiB, which is more than is taken.`,
  )
}

function notBase64(): FetchError {
  return new FetchError('not_a_picture', 'The picture is not written in base64.')
}
