/** What the faces may ask of stored images. */
import type { Caller } from '../accounts/accounts.ts'
import type { ImageRecord } from '../storage/records.ts'

/** A reference as the client gave it: the text of an `images` member (data URI, URL or image id), or an uploaded file. */
export type ReferenceInput = { text: string } | { upload: UploadedFile }

/** A file that was streamed to disk and belongs to whoever receives it. */
export interface UploadedFile {
  path: string
  bytes: number
  sha256: string
}

/** The longest side in pixels, at most. */
export type ThumbnailSize = 512 | 1024

export interface Images {
  /** @throws Refusal `invalid_request` when it is no picture of a known type, `too_large` */
  storeReference(upload: UploadedFile, caller: Caller): Promise<ImageRecord>
  /** With `owner`, the id of a token, only what it uploaded, and what its generations made or used. */
  find(id: string, owner?: string): Promise<ImageRecord | undefined>
  /** The stored bytes; `range` inclusive. @throws Refusal `not_found` when the file is missing. */
  read(image: ImageRecord, range?: { start: number; end: number }): Promise<NodeJS.ReadableStream>
  /** A WebP of at most `size` pixels a side, made ahead, or at the first request for it. @throws Refusal `not_found` when there can be none */
  thumbnail(image: ImageRecord, size: ThumbnailSize): Promise<Buffer>
  /**
   * Only references that no generation uses. With `owner`: it gives up its share, and the image stays while others own it.
   * @throws Refusal `not_found`, `conflict`
   */
  remove(id: string, owner?: string): Promise<void>
}
