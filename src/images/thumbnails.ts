/** Thumbnails, made at the first request and kept beside the originals. */
import { rm, writeFile } from 'node:fs/promises'
import { type Files, StorageError } from '../storage/files/folder.ts'
import type { ImageRecord } from '../storage/records.ts'
import { createDecoder, inTurn, isDecodable, maxPixels, NotAnImage } from './facts.ts'
import { storedBytes } from './references.ts'

export interface Thumbnails {
  /**
   * A WebP of at most 512 px, made if there is none yet. Concurrent requests share one run.
   * @throws ThumbnailError, StorageError (`missing` when the original is gone)
   */
  get(image: ImageRecord): Promise<Buffer>
  /** Does nothing when there is none. @throws StorageError */
  remove(imageId: string): Promise<void>
}

/** An image that cannot be shrunk; the original is still available. */
export class ThumbnailError extends Error {
  override name = 'ThumbnailError'
}

const longestSide = 512

export function createThumbnails(files: Files): Thumbnails {
  const underWay = new Map<string, Promise<Buffer>>()

  async function kept(image: ImageRecord): Promise<Buffer> {
    try {
      const bytes = await storedBytes({ file: thumbnailKey(image.id) }, files)
      if (bytes.length > 0) return bytes
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
    }
    const made = await shrunk(image, files)
    await keep(thumbnailKey(image.id), made)
    // Deleting removes the original first, so a concurrent deletion must not leave a thumbnail behind.
    if ((await files.size(image.file)) === undefined) await files.remove(thumbnailKey(image.id))
    return made
  }

  /** On a full disk the thumbnail is made again next time, nothing else. */
  async function keep(key: string, bytes: Buffer): Promise<void> {
    let temporaryPath: string | undefined
    try {
      temporaryPath = await files.temporary()
      await writeFile(temporaryPath, bytes)
      await files.put(key, temporaryPath)
    } catch {
      if (temporaryPath !== undefined) await rm(temporaryPath, { force: true }).catch(() => {})
    }
  }

  return {
    get(image) {
      const known = underWay.get(image.id)
      if (known) return known
      const making = kept(image).finally(() => underWay.delete(image.id))
      underWay.set(image.id, making)
      return making
    },

    remove: imageId => files.remove(thumbnailKey(imageId)),
  }
}

/** Keys under `thumbnails/` belong to this file. */
function thumbnailKey(imageId: string): string {
  return `thumbnails/${imageId}.webp`
}

async function shrunk(image: ImageRecord, files: Files): Promise<Buffer> {
  try {
    // SVG is not rendered, because it could load whatever it names.
    if (!isDecodable(image.mimeType)) throw new NotAnImage('It cannot be shown here.')
    return await inTurn(async () => {
      const bytes = await storedBytes(image, files)
      const decoder = await createDecoder(bytes, { limitInputPixels: maxPixels, failOn: 'none' })
      return decoder
        .autoOrient()
        .resize({ width: longestSide, height: longestSide, fit: 'inside', withoutEnlargement: true })
        .webp({ quality: 80, effort: 2 })
        .toBuffer()
    })
  } catch (error) {
    if (error instanceof StorageError) throw error
    throw new ThumbnailError(`No thumbnail can be made of this ${image.mimeType}. Use the picture itself.`, {
      cause: error,
    })
  }
}
