/** Thumbnails of two sizes, one made at a time: at once for whoever asks, otherwise while nothing is being stored. Kept beside the originals. */
import { rm, writeFile } from 'node:fs/promises'
import PQueue from 'p-queue'
import { type Files, StorageError } from '../storage/files/folder.ts'
import type { ImageRecord } from '../storage/records.ts'
import type { Observer } from '../telemetry/observer.ts'
import { isDecodable, NotAnImage } from './facts.ts'
import { storedBytes } from './references.ts'
import type { Shrinker } from './shrinker.ts'

/** The longest side in pixels, at most. */
export type ThumbnailSize = 512 | 1024

const thumbnailSizes: readonly ThumbnailSize[] = [512, 1024]

/** An image that cannot be shrunk; the original is still available. */
export class ThumbnailError extends Error {
  override name = 'ThumbnailError'
}

/** Limit of the thumbnails that wait to be made ahead; what is dropped is made when somebody asks for it. */
const maxWaiting = 10_000

/** Keys under `thumbnails/` belong to this file. */
function deriveKey(imageId: string, size: ThumbnailSize): string {
  return `thumbnails/${imageId}${size === 512 ? '' : `-${size}`}.webp`
}

export function deriveThumbnailKeys(imageId: string): string[] {
  return thumbnailSizes.map(size => deriveKey(imageId, size))
}

/** The image that a thumbnail belongs to, by the name of its file. */
export function parseThumbnailName(name: string): string {
  return name.replace(/\.\w+$/, '').replace(/-1024$/, '')
}

export type Thumbnails = ReturnType<typeof createThumbnails>

/** @param parts.quietMs without storing, until the first is made */
export function createThumbnails(parts: {
  files: Files
  shrinker: Shrinker
  quietMs: number
  failed(image: ImageRecord, error: unknown): void
  observer?: Pick<Observer, 'thumbnailsMade'>
}) {
  const { files, quietMs, failed, observer } = parts
  const turns = new PQueue({ concurrency: 1 })
  const underWay = new Map<string, Promise<Buffer>>()
  const waiting = new Map<string, ImageRecord>()
  let storing = 0
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  /** Thumbnails that are made ahead. */
  let making: Promise<void> | undefined

  return {
    /**
     * A WebP whose longest side has at most `size` pixels, made if there is none yet. Concurrent requests share one run.
     * @throws ThumbnailError, StorageError (`missing` when the original is gone)
     */
    get(image: ImageRecord, wanted: ThumbnailSize) {
      const size = chooseSize(image, wanted)
      return share(
        deriveKey(image.id, size),
        async () => (await readKept(image.id, size)) ?? (await make(image, [size]))[0]!,
      )
    },

    /** Makes all sizes once nothing has been stored for a moment. Forgotten at a stop. */
    makeLater(image: ImageRecord) {
      waiting.set(image.id, image)
      const [oldest] = waiting.keys()
      if (waiting.size > maxWaiting && oldest !== undefined) waiting.delete(oldest)
      startWhenQuiet()
    },

    /** During this work nothing is made but what somebody asks for. */
    async during<T>(work: () => Promise<T>): Promise<T> {
      storing++
      try {
        return await work()
      } finally {
        storing--
        startWhenQuiet()
      }
    },

    /** Does nothing when there is none. @throws StorageError */
    async remove(imageId: string) {
      for (const key of deriveThumbnailKeys(imageId)) await files.remove(key)
    },

    /** Waits for what is being made; nothing more is begun. */
    async close() {
      isClosed = true
      clearTimeout(timer)
      await making
      await turns.onIdle()
      await Promise.allSettled(underWay.values())
      await parts.shrinker.close()
    },
  }

  function startWhenQuiet() {
    clearTimeout(timer)
    if (storing === 0 && waiting.size > 0 && !isClosed) timer = setTimeout(() => void makeNext(), quietMs).unref()
  }

  async function makeNext() {
    const [image] = waiting.values()
    if (storing > 0 || isClosed || !image) return
    waiting.delete(image.id)
    making = makeMissing(image).catch(error => failed(image, error))
    await making
    setImmediate(() => void makeNext())
  }

  async function makeMissing(image: ImageRecord) {
    const sizes: ThumbnailSize[] = []
    for (const size of new Set(thumbnailSizes.map(size => chooseSize(image, size)))) {
      if (!(await files.size(deriveKey(image.id, size)))) sizes.push(size)
    }
    if (sizes.length === 0) return
    const made = make(image, sizes)
    await Promise.all(sizes.map((size, index) => share(deriveKey(image.id, size), async () => (await made)[index]!)))
  }

  function share(key: string, work: () => Promise<Buffer>): Promise<Buffer> {
    const known = underWay.get(key)
    if (known) return known
    const making = work().finally(() => underWay.delete(key))
    underWay.set(key, making)
    return making
  }

  async function readKept(imageId: string, size: ThumbnailSize): Promise<Buffer | undefined> {
    try {
      const bytes = await storedBytes({ file: deriveKey(imageId, size) }, files)
      return bytes.length > 0 ? bytes : undefined
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      return undefined
    }
  }

  function make(image: ImageRecord, sizes: readonly ThumbnailSize[]): Promise<Buffer[]> {
    return turns.add(async () => {
      const began = performance.now()
      const tell = (isMade: boolean) =>
        observer?.thumbnailsMade?.({ seconds: (performance.now() - began) / 1000, count: sizes.length, isMade })
      const made = await shrinkStored(image, sizes, parts).catch(error => {
        tell(false)
        throw error
      })
      tell(true)
      for (const [index, size] of sizes.entries()) await keep(deriveKey(image.id, size), made[index]!)
      // Deleting removes the original first, so a concurrent deletion must not leave a thumbnail behind.
      if ((await files.size(image.file)) === undefined) {
        for (const size of sizes) await files.remove(deriveKey(image.id, size))
      }
      return made
    })
  }

  /** When the disk is full, the thumbnail is only made again next time. */
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
}

/** A small image has only one thumbnail: both would be the same. */
function chooseSize({ width, height }: ImageRecord, wanted: ThumbnailSize): ThumbnailSize {
  const longest = Math.max(width, height)
  return longest > 0 && longest <= 512 ? 512 : wanted
}

async function shrinkStored(
  image: ImageRecord,
  sizes: readonly ThumbnailSize[],
  { files, shrinker }: { files: Files; shrinker: Shrinker },
): Promise<Buffer[]> {
  try {
    // SVG is not rendered, because it could load whatever it names.
    if (!isDecodable(image.mimeType)) throw new NotAnImage('It cannot be shown here.')
    return await files.withPath(image.file, path => shrinker.shrink(path, sizes))
  } catch (error) {
    if (error instanceof StorageError) throw error
    throw new ThumbnailError(`No thumbnail can be made of this ${image.mimeType}. Use the picture itself.`, {
      cause: error,
    })
  }
}
