/** Stored images: how they are served, and the references that people upload. */
import { createHash, randomUUID } from 'node:crypto'
import { copyFile, rename, rm, writeFile } from 'node:fs/promises'
import type { MaskForm, ReferenceFacts, ReferenceLimits } from '../catalogue/model.ts'
import { describeViolation, InvalidRequest, type Violation } from '../catalogue/violation.ts'
import { createPlaces } from '../coordination/turns.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../members/caller.ts'
import { restrictTo } from '../members/tokens.ts'
import type { OutgoingHttp } from '../outgoing/http.ts'
import { type Files, StorageError } from '../storage/files/folder.ts'
import type { Removals } from '../storage/files/removals.ts'
import type { UsedReference } from '../storage/images.ts'
import type { ImageRecord } from '../storage/records.ts'
import type { Store } from '../storage/store.ts'
import { type Conversion, convertPicture } from './conversion.ts'
import { FetchError } from './download.ts'
import { type PreparedReference, prepareReferences } from './fitting.ts'
import { convertMask } from './masks.ts'
import {
  type Original,
  type ReferenceInput,
  readReference,
  storedBytes,
  toViolation,
  type UploadedFile,
} from './references.ts'
import { deriveThumbnailKeys, ThumbnailError, type ThumbnailSize, type Thumbnails } from './thumbnails.ts'

/** What the faces may ask of stored images. */
export interface Images {
  /** @throws Refusal `invalid_request` when it is no picture of a known type, `too_large` */
  storeReference(upload: UploadedFile, caller: Caller): Promise<ImageRecord>
  /** With `owner`, the id of a token, only what it uploaded, and what its generations made or used. */
  find(id: string, owner?: string): Promise<ImageRecord | undefined>
  /** The stored bytes; `range` inclusive. @throws Refusal `not_found` when the file is missing. */
  read(image: ImageRecord, range?: { start: number; end: number }): Promise<NodeJS.ReadableStream>
  /** The picture in another form; undefined where its pixels cannot be read. @throws Refusal `not_found` when the file is missing. */
  convert(image: ImageRecord, conversion: Conversion): Promise<Buffer | undefined>
  /** A WebP of at most `size` pixels a side, made ahead, or at the first request for it. @throws Refusal `not_found` when there can be none */
  thumbnail(image: ImageRecord, size: ThumbnailSize): Promise<Buffer>
  /**
   * Only references that no generation uses. With `owner`: it gives up its share, and the image stays while others own it.
   * @throws Refusal `not_found`, `conflict`
   */
  remove(id: string, owner?: string): Promise<void>
}

/** A prepared reference for a generation. */
export interface TakenReference {
  original: Original
  prepared: PreparedReference
  facts: ReferenceFacts
}

export interface References {
  /**
   * Reads all references and prepares them for the model. Nothing is kept when one is refused.
   * @throws Refusal `invalid_request` with the violations of all of them
   */
  prepare(
    inputs: ReferenceInput[],
    limits: ReferenceLimits,
    options: { caller: Caller; signal?: AbortSignal },
  ): Promise<TakenReference[]>
  /**
   * A mask in the form that a model takes, as a file of the caller's.
   * @throws Refusal `invalid_request`, also where nothing of it is transparent
   */
  convertMask(
    input: ReferenceInput,
    marks: MaskForm['marks'],
    options: { caller: Caller; signal?: AbortSignal },
  ): Promise<{ upload: UploadedFile }>
  /** Stores originals and prepared forms; what the rows of the generation need. */
  keep(generationId: string, taken: TakenReference[]): Promise<UsedReference[]>
  /** Cleans up after a generation that was not written. */
  discard(generationId: string, taken: TakenReference[]): Promise<void>
}

/** A small request can name fourteen stored images of 30 MB, which are all in memory while they are prepared. */
const maxPreparing = 2

export function createReferences(parts: { store: Store; files: Files; http: OutgoingHttp }): References {
  const { store, files } = parts
  const places = createPlaces({ max: maxPreparing, maxPerLine: maxPreparing, maxAsidePerLine: 0 })

  return {
    async prepare(inputs, limits, { caller, signal }) {
      const owner = restrictTo(caller)
      const readParts = { http: parts.http, files, findImage: (id: string) => findImage(store, id, owner) }
      const reads = await Promise.allSettled(
        inputs.map((input, position) => readReference(input, position, readParts, signal)),
      )
      const originals = reads.flatMap(read => (read.status === 'fulfilled' ? [read.value] : []))
      try {
        const failed = reads.flatMap(read => (read.status === 'rejected' ? [read.reason as unknown] : []))
        if (failed.length > 0) throw joined(failed)
        const prepared = await prepareInTurn(originals, limits, caller, signal)
        return prepared.map((reference, index) => {
          const { mimeType, width, height, transparent } = reference
          return { original: originals[index]!, prepared: reference, facts: { mimeType, width, height, transparent } }
        })
      } catch (error) {
        await removeTemporary(originals)
        throw toInvalidRequest(error)
      }
    },

    async convertMask(input, marks, { caller, signal }) {
      const owner = restrictTo(caller)
      const readParts = { http: parts.http, files, findImage: (id: string) => findImage(store, id, owner) }
      const read: Original[] = []
      try {
        const original = await readReference(input, 0, readParts, signal)
        read.push(original)
        const bytes = await withPlace(caller, signal, async () =>
          convertMask(original.temporaryPath ?? (await storedBytes(original.stored!, files)), marks),
        )
        const path = await files.temporary()
        await writeFile(path, bytes)
        return { upload: { path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') } }
      } catch (error) {
        throw toInvalidRequest(ofMask(toViolation(error, 0)))
      } finally {
        await removeTemporary(read)
      }
    },

    async keep(generationId, taken) {
      const kept = []
      for (const [position, { original, prepared }] of taken.entries()) {
        const image = original.stored ?? (await keepOriginal(original))
        const preparedFile = preparedName(generationId, position)
        const temporary = await files.temporary()
        await writeFile(temporary, prepared.bytes)
        await files.put(preparedFile, temporary)
        kept.push({ image, preparedFile, preparedType: prepared.mimeType })
      }
      return kept
    },

    async discard(generationId, taken) {
      await removeTemporary(taken.map(({ original }) => original))
      for (const position of taken.keys()) await files.remove(preparedName(generationId, position)).catch(() => {})
    },
  }

  async function prepareInTurn(originals: Original[], limits: ReferenceLimits, caller: Caller, signal?: AbortSignal) {
    return withPlace(caller, signal, async () => {
      const sources = await Promise.all(
        originals.map(original => original.temporaryPath ?? storedBytes(original.stored!, files)),
      )
      return prepareReferences(sources, limits)
    })
  }

  async function withPlace<Result>(caller: Caller, signal: AbortSignal | undefined, work: () => Promise<Result>) {
    const place = await places.enter('', caller.ownerId, signal)
    try {
      return await work()
    } finally {
      place.leave()
    }
  }

  function keepOriginal(original: Original) {
    return keepReference(parts, { ...original, temporaryPath: original.temporaryPath! })
  }
}

function preparedName(generationId: string, position: number) {
  return `prepared/${generationId}-${position}`
}

async function removeTemporary(originals: Original[]) {
  for (const { temporaryPath } of originals) if (temporaryPath) await rm(temporaryPath, { force: true }).catch(() => {})
}

/** The same image uploaded again is stored once, unless it is deleted concurrently. */
export async function keepReference(
  { store, files }: { store: Store; files: Files },
  original: Original & { temporaryPath: string },
  owner?: string,
): Promise<ImageRecord> {
  const own = async (id: string) => owner === undefined || (await store.images.addOwner(id, owner))
  const known = await store.images.findReference(original.sha256)
  if (known && (await files.size(known.file)) !== undefined && (await own(known.id))) {
    await rm(original.temporaryPath, { force: true })
    return known
  }
  const id = randomUUID()
  const createdAt = new Date().toISOString()
  const { width, height, bytes, mimeType, sha256 } = original
  const file = `${createdAt.slice(0, 4)}/${createdAt.slice(5, 7)}/${id}.${original.extension}`
  const image: ImageRecord = {
    id,
    role: 'reference',
    generationId: null,
    callId: null,
    index: 0,
    file,
    width,
    height,
    bytes,
    mimeType,
    sha256,
    createdAt,
    details: null,
  }
  await files.put(file, await onSameFileSystem(files, original.temporaryPath))
  await store.images.insert(image)
  await own(id)
  return image
}

/** Uploads arrive in the data folder, which need not be on the disk of the pictures. */
async function onSameFileSystem(files: Files, path: string): Promise<string> {
  const temporary = await files.temporary()
  try {
    await rename(path, temporary)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error
    await copyFile(path, temporary)
    await rm(path, { force: true })
  }
  return temporary
}

/** What is wrong with the first reference, as what is wrong with the mask. */
function ofMask(error: unknown): unknown {
  if (!(error instanceof InvalidRequest)) return error
  const toMask = (violation: Violation) => ({
    path: 'mask',
    message: describeViolation(violation).replace(/^Reference 1: /, 'The mask: '),
  })
  return new InvalidRequest(error.violations.map(toMask))
}

function joined(reasons: unknown[]): unknown {
  const other = reasons.find(reason => !(reason instanceof InvalidRequest))
  return other ?? new InvalidRequest(reasons.flatMap(reason => (reason as InvalidRequest).violations))
}

function toInvalidRequest(error: unknown): unknown {
  if (error instanceof InvalidRequest) {
    return new Refusal('invalid_request', error.message, { violations: error.violations, cause: error })
  }
  if (error instanceof StorageError || (error instanceof FetchError && error.kind === 'storage')) {
    return new Refusal('storage_failed', `The references cannot be stored. ${error.message}`, { cause: error })
  }
  return error
}

export function createImages(parts: {
  store: Store
  files: Files
  removals: Removals
  http: OutgoingHttp
  thumbnails: Thumbnails
}): Images {
  const { store, files, thumbnails } = parts
  const readParts = { http: parts.http, files, findImage: (id: string) => store.images.find(id) }

  return {
    async storeReference(upload, caller) {
      try {
        const original = await readReference({ upload }, 0, readParts)
        return await keepReference(parts, { ...original, temporaryPath: upload.path }, caller.ownerId ?? '')
      } catch (error) {
        await rm(upload.path, { force: true }).catch(() => {})
        if (error instanceof InvalidRequest) {
          const violations = error.violations.map(violation => ({
            path: 'file',
            message: describeViolation(violation).replace(/^Reference 1: /, ''),
          }))
          throw new Refusal('invalid_request', violations.map(violation => violation.message).join(' '), {
            violations,
            cause: error,
          })
        }
        throw toInvalidRequest(error)
      }
    },

    find: (id, owner) => findImage(store, id, owner),

    read: (image, range) => files.open(image.file, range).catch(refuseMissing),

    async convert(image, conversion) {
      const bytes = await storedBytes(image, files).catch(refuseMissing)
      return convertPicture(bytes, conversion).catch(() => undefined)
    },

    async thumbnail(image, size) {
      try {
        return await thumbnails.get(image, size)
      } catch (error) {
        if (error instanceof ThumbnailError || (error instanceof StorageError && error.code === 'missing')) {
          throw new Refusal('not_found', `There is no thumbnail of this image. ${error.message}`, { cause: error })
        }
        throw error
      }
    },

    async remove(id, owner) {
      const image = await findImage(store, id, owner)
      if (!image) throw new Refusal('not_found', 'There is no image with this id.')
      if (image.role !== 'reference') {
        throw new Refusal(
          'conflict',
          'This image belongs to a generation; delete the generation in the history instead.',
        )
      }
      const isUsed = await (owner === undefined ? store.images.isUsed(id) : store.images.isUsedBy(id, owner))
      if (isUsed) throw new Refusal('conflict', 'A generation of the history uses this reference; delete that first.')
      const isShared =
        owner !== undefined && ((await store.images.removeOwner(id, owner)) || (await store.images.isUsed(id)))
      if (!isShared) await removeReference(parts, image)
    },
  }
}

function refuseMissing(error: unknown): never {
  if (error instanceof StorageError && error.code === 'missing') {
    throw new Refusal('not_found', 'The file of this image is missing from the picture store.', { cause: error })
  }
  throw error
}

function findImage(store: Store, id: string, owner: string | undefined) {
  return owner === undefined ? store.images.find(id) : store.images.findOf(id, owner)
}

interface RemovalParts {
  store: Store
  files: Files
  removals: Removals
}

async function removeReference({ store, files, removals }: RemovalParts, image: ImageRecord) {
  await store.images.remove(image.id)
  for (const key of [image.file, ...deriveThumbnailKeys(image.id)]) await removals.make(() => files.remove(key))
}

/** Uploaded references that nothing has used for a whole day before this one. */
export async function sweepReferences(parts: RemovalParts, day: number): Promise<number> {
  const unused = await parts.store.images.unusedReferences(day - 1)
  for (const image of unused) await removeReference(parts, image)
  return unused.length
}
