/** Stores the images that an answer names: fetch, check, keep the file, then write the row. */
import { createHash, hash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { Reached } from '../coordination/failpoints.ts'
import type { Pauses } from '../coordination/pauses.ts'
import { createPlaces } from '../coordination/turns.ts'
import type { Reason } from '../coordination/waiting.ts'
import type { OutgoingHttp } from '../outgoing/http.ts'
import type { ProviderImage } from '../providers/provider.ts'
import type { CallRecord } from '../storage/calls.ts'
import { type Files, StorageError } from '../storage/files/folder.ts'
import type { BareGeneration } from '../storage/generations.ts'
import type { FailureRecord, GenerationRecord, ImageRecord } from '../storage/records.ts'
import type { Store } from '../storage/store.ts'
import type { Observer } from '../telemetry/observer.ts'
import { FetchError, fetchImage, type InlineText, type StoredBytes } from './download.ts'
import { inspectFile, NotAnImage } from './facts.ts'
import { storedBytes } from './references.ts'
import type { Thumbnails } from './thumbnails.ts'

/** Pictures that an answer names, wherever the text of a picture itself lies. */
export interface FoundImage extends Omit<ProviderImage, 'base64'> {
  base64?: InlineText
}

export interface Destination {
  generationId: string
  callId: string
  /** Owner of the generation; null where there are no tokens. */
  ownerId: string | null
  /** Position in the generation. */
  position: number
  /** Reports why the generation is not progressing, or that it is again. */
  note(reason: Reason | null): Promise<void>
  /** True when the caller writes the row of an image together with the end of its generation, and then calls `forget`. */
  keepForEnd(image: ImageRecord): boolean
  /** Called when the row of an image is written; `changed`: its generation after that, unless the row was there already. */
  stored(image: ImageRecord, changed: BareGeneration | undefined): void
}

export interface Signals {
  /** Ends a fetch that is under way. */
  fetching: AbortSignal
  /** Ends the wait before another try. */
  waiting: AbortSignal
}

/**
 * Services keep results for 24 hours, 2026-11. An address that its host does not declare expired is tried for that long by the monotonic
 * clock of this process, which cannot be set.
 */
export const resultLifeMs = 24 * 3600 * 1000

/** A file that is not an image may be a temporary fault of a gateway or a proxy: it is given up after being the same for this long. */
const brokenForMs = 5 * 60_000

/** Concurrent fetches: in all, and from one host. */
const maxFetches = 24
const maxFetchesPerHost = 6
/** Slow fetches beside them: each costs a connection and a file, and blocks nobody. */
const maxSlowFetchesPerHost = 32
/** A fetch with fewer bytes in this time is slow: 8 KiB a second. */
const slowAfterMs = 5_000
const slowBytes = 40 * 1024

/**
 * The deterministic id of the image at a position: a file whose row was never written can be recognised by its name
 * alone, and a second try replaces the first.
 */
export function deriveImageId(generationId: string, position: number): string {
  const hex = hash('sha256', `${generationId} ${position}`)
  // UUIDv8 (custom), so the id is deterministic.
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}

/**
 * Position of a call's image in its generation; surplus images come after all others. `planned`: images that all
 * calls of the generation ask for together.
 */
export function placeImage(
  { firstIndex, images, slot }: Pick<CallRecord, 'firstIndex' | 'images' | 'slot'>,
  planned: number,
  index: number,
): number {
  return index < images ? firstIndex + index : planned + slot * 100 + (index - images)
}

export type Collector = ReturnType<typeof createCollector>

export function createCollector(parts: {
  store: Store
  files: Files
  http: OutgoingHttp
  pauses: Pauses
  reached: Reached
  thumbnails: Pick<Thumbnails, 'during' | 'makeLater'>
  observer: Observer
}) {
  const { store, files, http, pauses, reached, thumbnails, observer } = parts
  const fetches = createPlaces({
    max: maxFetches,
    maxPerLine: maxFetchesPerHost,
    maxAsidePerLine: maxSlowFetchesPerHost,
  })
  const offered = new Map<string, string>()
  /** The store works again once an image was stored. */
  let isStoreSound = false

  return {
    /**
     * Retries, with growing pauses, until the image is stored or can no longer be fetched: fetching is free, the image was not.
     * @throws the reason of a signal when that ends it; the next start fetches again.
     */
    async collect(picture: FoundImage, place: Destination, signals: Signals): Promise<FailureRecord | undefined> {
      let file: StoredFile | undefined
      const beganAt = performance.now()
      let brokenSince: number | undefined
      /** The most complete copy so far. */
      let best: StoredBytes | undefined
      let isGivenUp = false
      try {
        for (let tries = 1; ; tries++) {
          try {
            file ??= await findOffered(picture, place)
            const { image } = await thumbnails.during(async () => {
              file ??= await fetchAndPut(isGivenUp ? best : undefined)
              if (file.warning || !place.keepForEnd(file.image)) await writeRow(file, place)
              return file
            })
            isStoreSound = true
            await place.note(null)
            thumbnails.makeLater(image)
            return undefined
          } catch (error) {
            if (error instanceof FetchError && error.kept) best = await longest(best, error.kept)
            signals.fetching.throwIfAborted()
            const trouble = describeTrouble(error)
            if (trouble.isStore) isStoreSound = false
            brokenSince = trouble.broken ? (brokenSince ?? performance.now()) : undefined
            const isBroken = brokenSince !== undefined && performance.now() - brokenSince > pauses.scaled(brokenForMs)
            const isGone =
              trouble.expired || (trouble.gone && performance.now() - beganAt > pauses.scaled(resultLifeMs))
            if ((isBroken || isGone) && best && !isGivenUp) {
              isGivenUp = true
              continue
            }
            if (isBroken || trouble.unusable) return failure(place, 'provider_rejected', trouble.sentence)
            if (isGone) {
              const message = `The picture was made, but its address has expired before it could be stored (${trouble.sentence}).`
              return failure(place, 'storage_failed', message)
            }
            const message = `A picture was made but is not stored yet: ${trouble.sentence} Trying again.`
            await place.note({ code: 'picture_not_stored', message, values: { detail: trouble.sentence } })
            await pauses.wait(pauses.storing(tries), signals.waiting)
          }
        }
      } finally {
        if (best) await rm(best.temporaryPath, { force: true }).catch(() => {})
      }

      async function fetchAndPut(kept: StoredBytes | undefined) {
        const bytes = kept ?? (await fetchInTurn(picture, place, signals.fetching))
        try {
          return await put(picture, place, bytes)
        } catch (error) {
          // Its address may expire before the disk is well again.
          if (bytes !== kept) best = await longest(best, bytes)
          throw error
        }
      }
    },

    /** The rows of these images are written, so their files need not be looked for any more. */
    forget(images: readonly ImageRecord[]) {
      for (const { id } of images) offered.delete(id)
    },

    /** Orphaned files of an earlier process, by the id of their image: they are adopted instead of being fetched again. */
    offer(orphanedFiles: ReadonlyMap<string, string>) {
      for (const [id, file] of orphanedFiles) offered.set(id, file)
    },

    /** Why the store is failing, after an image could not be stored; undefined when it works. */
    async storeTrouble() {
      if (isStoreSound) return undefined
      return files.check().then(
        () => undefined,
        error => describeTrouble(error).sentence,
      )
    },
  }

  /** Files are moved into place atomically, so an existing file is the image, whether its address is still valid or not. */
  async function findOffered(picture: FoundImage, place: Destination): Promise<StoredFile | undefined> {
    const id = deriveImageId(place.generationId, place.position)
    const file = offered.get(id)
    if (file === undefined) return undefined
    try {
      await files.keep(file)
      const bytes = await storedBytes({ file }, files)
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const { facts, state } = await inspectFile(bytes)
      return storedFile(picture, place, { ...facts, state, bytes: bytes.length, sha256 }, file)
    } catch (error) {
      if (!(error instanceof StorageError || error instanceof NotAnImage)) throw error
      // A file that cannot be read now may be readable at the next try, when its address may have expired.
      if (error instanceof NotAnImage || error.code === 'missing') offered.delete(id)
      return undefined
    }
  }

  async function put(picture: FoundImage, place: Destination, bytes: StoredBytes): Promise<StoredFile> {
    await reached('picture-fetched', place.generationId)
    const id = deriveImageId(place.generationId, place.position)
    const month = new Date().toISOString().slice(0, 7).replace('-', '/')
    // An earlier try may have left a file that could not be looked at: it is replaced, also in another month.
    const former = offered.get(id)
    const file = former?.endsWith(`/${id}.${bytes.extension}`) ? former : `${month}/${id}.${bytes.extension}`
    // Where this fails it may be in its place already, and only the sync of its name have failed.
    offered.set(id, file)
    await files.put(file, bytes.temporaryPath, bytes)
    await reached('picture-put', place.generationId)
    return storedFile(picture, place, bytes, file)
  }

  /** A slow fetch continues beside the others, and its place is free for the next. */
  async function fetchInTurn(
    { base64, url = '', expiresAt }: FoundImage,
    { generationId, ownerId }: Destination,
    signal: AbortSignal,
  ) {
    const held = await fetches.enter(base64 === undefined ? parseHost(url) : '', ownerId, signal)
    const began = performance.now()
    let code = 'ok'
    let bytes = 0
    let seen = 0
    const watch = setInterval(() => {
      if (bytes - seen < slowBytes) held.stepAside()
      seen = bytes
    }, pauses.scaled(slowAfterMs)).unref()
    try {
      const source = base64 === undefined ? { url } : { base64 }
      const onBytes = (count: number) => {
        bytes += count
      }
      return await fetchImage({ http, files, source, signal, expiresAt, onBytes, keepUnfinished: true })
    } catch (error) {
      code = error instanceof FetchError ? error.kind : 'broken_off'
      throw error
    } finally {
      const seconds = (performance.now() - began) / 1000
      if (base64 === undefined) observer.fetched({ generationId, seconds, bytes, code })
      clearInterval(watch)
      held.leave()
    }
  }

  async function writeRow({ image, warning }: StoredFile, { generationId, stored }: Destination) {
    stored(image, await store.ledger.storeImage({ generationId, image, warning }))
    offered.delete(image.id)
    await reached('picture-written', generationId)
  }
}

function parseHost(url: string) {
  return URL.canParse(url) ? new URL(url).host : ''
}

/** A stored file, with the facts for its row and its generation. */
interface StoredFile {
  image: ImageRecord
  warning: GenerationRecord['warnings'][number] | undefined
}

type StoredFacts = Omit<StoredBytes, 'temporaryPath' | 'extension' | 'isSynced'>

function storedFile(picture: FoundImage, place: Destination, facts: StoredFacts, file: string): StoredFile {
  const { width, height, bytes, mimeType, sha256 } = facts
  const image: ImageRecord = {
    id: deriveImageId(place.generationId, place.position),
    role: 'result',
    generationId: place.generationId,
    callId: place.callId,
    index: place.position,
    file,
    width,
    height,
    bytes,
    mimeType,
    sha256,
    createdAt: new Date().toISOString(),
    details: picture.details ?? null,
  }
  return { image, warning: describeDamage(facts, place.position + 1) }
}

function describeDamage({ state, mimeType }: StoredFacts, number: number): StoredFile['warning'] {
  if (state === 'whole') return undefined
  const parameter = 'images'
  if (state === 'damaged') {
    const message = `Picture ${number} arrived damaged or incomplete every time; the most complete copy is kept.`
    return { code: 'picture_damaged', parameter, message, values: { number } }
  }
  const message = `Picture ${number} came as ${mimeType}, which cannot be shown here. It is kept unchanged; download it.`
  return { code: 'picture_not_shown', parameter, message, values: { number, type: mimeType } }
}

async function longest(best: StoredBytes | undefined, next: StoredBytes): Promise<StoredBytes> {
  if (!best) return next
  const [kept, other] = next.bytes >= best.bytes ? [next, best] : [best, next]
  if (other.temporaryPath !== kept.temporaryPath) await rm(other.temporaryPath, { force: true }).catch(() => {})
  return kept
}

function describeTrouble(error: unknown) {
  if (error instanceof FetchError) {
    return {
      sentence: error.message,
      broken: error.kind === 'not_a_picture' || error.kind === 'too_large',
      gone: error.kind !== 'storage',
      expired: error.kind === 'expired',
      unusable: error.kind === 'unusable',
      isStore: error.kind === 'storage',
    }
  }
  return {
    sentence: error instanceof Error ? error.message : String(error),
    broken: false,
    gone: false,
    expired: false,
    unusable: false,
    isStore: error instanceof StorageError,
  }
}

function failure(place: Destination, code: string, message: string): FailureRecord {
  return { index: place.position, code, message, providerCode: null }
}
