/** References: read and checked. `fitting.ts` prepares them for the model that gets them. */

import { rm } from 'node:fs/promises'
import { InvalidRequest } from '../catalogue/violation.ts'
import { BodyTooLarge } from '../outgoing/broken-exchange.ts'
import { ExchangeError } from '../outgoing/failure.ts'
import type { OutgoingHttp } from '../outgoing/http.ts'
import { type Files, StorageError } from '../storage/files/folder.ts'
import type { ImageRecord } from '../storage/records.ts'
import { FetchError, keepBytes } from './download.ts'
import {
  damagedImage,
  type ImageFacts,
  isDecodable,
  isWhole,
  maxPixels,
  NotAnImage,
  readImageFacts,
  verifyImage,
} from './facts.ts'
import { cutText, decodeInline, NotInline } from './inline.ts'

/** A reference as the client gave it: the text of an `images` member (data URI, URL or image id), or an uploaded file. */
export type ReferenceInput = { text: string } | { upload: UploadedFile }

/** A file that was streamed to disk and belongs to whoever receives it. */
export interface UploadedFile {
  path: string
  bytes: number
  sha256: string
}

/** A reference as it was read: an image that can be decoded (or HEIC, which cannot), byte for byte as received. */
export interface Original extends ImageFacts {
  bytes: number
  sha256: string
  /** Set when the picture is stored already. */
  stored?: ImageRecord
  /** A temporary file that the receiver stores or removes; set when `stored` is not. */
  temporaryPath?: string
}

export interface ReferenceParts {
  http: OutgoingHttp
  files: Files
  findImage(id: string): Promise<ImageRecord | undefined>
}

/** Limit of one reference that comes from outside. */
const maxReferenceBytes = 30_000_000
const fetchTimeoutMs = 20_000

/**
 * Reads one reference from any source. An upload belongs to this function until it returns, and is removed when
 * it is refused.
 * @param position among the references, for the path of a violation
 * @throws InvalidRequest, StorageError; the reason of `signal` as it is
 */
export async function readReference(
  input: ReferenceInput,
  position: number,
  parts: ReferenceParts,
  signal?: AbortSignal,
): Promise<Original> {
  try {
    if ('upload' in input) return await inspected({ ...input.upload, temporaryPath: input.upload.path })
    const text = input.text.trim()
    if (/^data:/i.test(text)) {
      return await inspected(await keepBytes(parts.files, decodeInline(cutText(text)), maxReferenceBytes))
    }
    if (/^https?:\/\//i.test(text)) return await inspected(await fetched(text, parts, signal))
    return await storedImage(text, parts)
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw toViolation(error, position)
  }
}

async function inspected(kept: { temporaryPath: string; bytes: number; sha256: string }): Promise<Original> {
  const { temporaryPath, bytes, sha256 } = kept
  try {
    if (bytes > maxReferenceBytes) throw new FetchError('too_large', '')
    const facts = await readImageFacts(temporaryPath, maxPixels)
    if (isDecodable(facts.mimeType)) await verifyImage(temporaryPath)
    else if (!(await isWhole(temporaryPath, facts))) throw damagedImage()
    return { ...facts, bytes, sha256, temporaryPath }
  } catch (error) {
    await rm(temporaryPath, { force: true }).catch(() => {})
    throw error
  }
}

async function fetched(url: string, { http, files }: ReferenceParts, signal?: AbortSignal) {
  const deadline = AbortSignal.timeout(fetchTimeoutMs)
  const response = await http.download(url, {
    signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    maxBytes: maxReferenceBytes,
    headersTimeoutMs: fetchTimeoutMs,
    idleTimeoutMs: fetchTimeoutMs,
  })
  if (response.status !== 200) {
    response.discard()
    throw new NotAnImage(
      `Its address answered ${response.status} instead of a picture. Check the address, or upload the file.`,
    )
  }
  return keepBytes(files, response.body, maxReferenceBytes)
}

async function storedImage(id: string, { files, findImage }: ReferenceParts): Promise<Original> {
  const shown = JSON.stringify(id.length > 60 ? `${id.slice(0, 60)}…` : id)
  const stored = await findImage(id)
  if (!stored)
    throw new NotAnImage(`${shown} is neither the id of a stored image nor a data URI nor an http(s) address.`)
  if ((await files.size(stored.file)) === undefined) {
    throw new NotAnImage(`The file of the stored image ${shown} is missing. Give the picture itself.`)
  }
  const { mimeType, width, height, bytes, sha256 } = stored
  return { mimeType, extension: stored.file.split('.').at(-1) ?? '', width, height, bytes, sha256, stored }
}

/** The bytes of a stored image. @throws StorageError */
export async function storedBytes(image: Pick<ImageRecord, 'file'>, files: Files): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of await files.open(image.file)) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

export function toViolation(error: unknown, position: number): unknown {
  const say = (message: string) =>
    new InvalidRequest([{ path: `images.${position}`, message: `Reference ${position + 1}: ${message}` }])
  if (error instanceof NotAnImage) return say(error.message)
  if (error instanceof NotInline) {
    return say('It is not a readable data URI. Write data:image/png;base64,… in full.')
  }
  if (error instanceof BodyTooLarge || (error instanceof FetchError && error.kind === 'too_large')) {
    return say(`It is larger than ${maxReferenceBytes / 1_000_000} MB. Make it smaller.`)
  }
  if (error instanceof FetchError && error.cause instanceof StorageError) return error.cause
  if (error instanceof ExchangeError) return say(`Its address could not be fetched. ${error.message}`)
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return say(`Its address took longer than ${fetchTimeoutMs / 1000} s. Upload the file instead.`)
  }
  return error
}
