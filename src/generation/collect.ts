/** Brings the pictures that an answer names into the store: fetch, check, keep the file, then write the row. */
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import PQueue from 'p-queue'
import type { OutgoingHttp } from '../providers/http.ts'
import type { Picture } from '../providers/provider.ts'
import type { Files } from '../storage/files.ts'
import type { FailureRecord, ImageRecord } from '../storage/records.ts'
import type { Store } from '../storage/store.ts'
import { FetchError, fetchPicture, type StoredBytes } from './download.ts'
import type { Doorbell } from './events.ts'
import type { Pauses } from './pauses.ts'

export interface Collector {
  /**
   * Repeats, with growing pauses, until the picture is stored or can no longer be had: fetching is free, the picture was not.
   * @throws the reason of `signal` when that ends it; the next start fetches again.
   */
  collect(picture: Picture, place: Place, signal: AbortSignal): Promise<FailureRecord | undefined>
}

export interface Place {
  generationId: string
  callId: string
  /** In the generation. */
  position: number
  /** ms since 1970: when the picture is given up if the URL does not tell. */
  lostAfter: number
  /** Tells people why the generation does not go on, or that it does again. */
  note(reason: string | null): Promise<void>
}

/** A file that is no picture may be a passing fault of a gateway; more tries than this would change nothing. */
const mostBrokenTries = 3

export function createCollector(parts: {
  store: Store
  files: Files
  http: OutgoingHttp
  doorbell: Doorbell
  pauses: Pauses
  onStored(image: ImageRecord): void
}): Collector {
  const { store, files, http, doorbell, pauses } = parts
  const fetches = new PQueue({ concurrency: 6 })

  return {
    async collect(picture, place, signal) {
      let broken = 0
      for (let tries = 1; ; tries++) {
        try {
          const image = await fetches.add(async () => keep(await fetched(picture, signal), picture, place), { signal })
          await place.note(null)
          parts.onStored(image)
          return undefined
        } catch (error) {
          signal.throwIfAborted()
          const trouble = troubleOf(error)
          if (trouble.broken && ++broken >= mostBrokenTries)
            return failure(place, 'provider_rejected', trouble.sentence)
          if (trouble.expired || (trouble.gone && Date.now() > (picture.expiresAt ?? place.lostAfter))) {
            const message = `The picture was made, but its address has expired before it could be stored (${trouble.sentence}).`
            return failure(place, 'storage_failed', message)
          }
          await place.note(`A picture was made but is not stored yet: ${trouble.sentence} Trying again.`)
          await pauses.wait(pauses.storing(tries), signal)
        }
      }
    },
  }

  function fetched(picture: Picture, signal: AbortSignal) {
    const source = picture.base64 === undefined ? { url: picture.url ?? '' } : { base64: picture.base64 }
    return fetchPicture({ http, files, source, signal, expiresAt: picture.expiresAt })
  }

  async function keep(bytes: StoredBytes, picture: Picture, place: Place): Promise<ImageRecord> {
    const id = randomUUID()
    const createdAt = new Date().toISOString()
    const image: ImageRecord = {
      id,
      role: 'result',
      generationId: place.generationId,
      callId: place.callId,
      index: place.position,
      file: `${createdAt.slice(0, 4)}/${createdAt.slice(5, 7)}/${id}.${bytes.extension}`,
      width: bytes.width,
      height: bytes.height,
      bytes: bytes.bytes,
      mimeType: bytes.mimeType,
      sha256: bytes.sha256,
      createdAt,
      details: picture.details ?? null,
    }
    try {
      await files.put(image.file, bytes.temporaryPath)
    } catch (error) {
      await rm(bytes.temporaryPath, { force: true }).catch(() => {})
      throw error
    }
    const isNew = await store.transaction(async repositories => {
      if (!(await repositories.images.insert(image))) return false
      const stored = await repositories.images.ofGenerations([place.generationId])
      const imageUrls = stored.toSorted((a, b) => a.index - b.index).map(image => `/images/${image.id}`)
      await repositories.generations.change(place.generationId, { imageUrls, charge: 'charged' })
      return true
    })
    if (!isNew) await files.remove(image.file)
    doorbell.ring(place.generationId)
    return image
  }
}

function troubleOf(error: unknown) {
  if (error instanceof FetchError) {
    return {
      sentence: error.message,
      broken: error.kind === 'not_a_picture' || error.kind === 'too_large',
      gone: error.kind !== 'storage',
      expired: error.kind === 'expired',
    }
  }
  return {
    sentence: error instanceof Error ? error.message : String(error),
    broken: false,
    gone: false,
    expired: false,
  }
}

function failure(place: Place, code: string, message: string): FailureRecord {
  return { index: place.position, code, message, providerCode: null }
}
