/** Takes over one picture: its bytes unchanged into the store, and a row of the history that says where it comes from. */
import { createHash } from 'node:crypto'
import { rm, unlink } from 'node:fs/promises'
import type { Reached } from '../coordination/failpoints.ts'
import { deriveImageId } from '../images/collect.ts'
import { FetchError, keepBytes } from '../images/download.ts'
import { type ImageFacts, inspectFile, NotAnImage } from '../images/facts.ts'
import { keepReference } from '../images/images.ts'
import { type Files, StorageError } from '../storage/files/folder.ts'
import type { KnownImport } from '../storage/imports.ts'
import type { ImageRecord } from '../storage/records.ts'
import type { Store } from '../storage/store.ts'
import type { FoundPicture } from './formats/format.ts'
import { readPictureRecipe } from './metadata/read-recipe.ts'
import { type FoundRecipe, hashRecipe } from './recipe.ts'
import { EntryError, type LeftOutReason, type Tree, type TreeFile } from './trees/tree.ts'

export type Outcome =
  | { status: 'imported'; generationId: string; source: string }
  /** Nothing was added. */
  | { status: 'already'; generationId: string }
  /** Nothing was added: the same picture is here with another prompt, model or parameters. */
  | { status: 'differs'; generationId: string }
  | { status: 'left_out'; reason: LeftOutReason; detail?: string }

export interface ImportOptions {
  /** Added to everything that is imported. */
  tags: readonly string[]
  /** One after the other: the same reference is stored once, however many pictures were made from it. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result>
  /** One after the other of the same bytes: the second finds the first, whatever its recipe says. */
  inTurnOf<Result>(sha256: string, work: () => Promise<Result>): Promise<Result>
  changed(generationId: string): void
}

/** The largest pictures that image programs write have a tenth of it. */
const maxPictureBytes = 512 * 1024 * 1024
/** What is held between the first look at a file and its copy. */
const maxHeldBytes = 4 * 1024 * 1024

export interface ImportParts {
  store: Store
  files: Files
  reached?: Reached
}

/** @throws StorageError, DatabaseError: then the next would fail as well. The same picture can be imported again at any time. */
export async function importPicture(
  found: FoundPicture,
  tree: Tree,
  parts: ImportParts,
  options: ImportOptions,
): Promise<Outcome> {
  try {
    return await take(found, tree, parts, options)
  } catch (error) {
    if (error instanceof EntryError) return { status: 'left_out', reason: error.reason, detail: error.message }
    if (error instanceof NotAnImage) return { status: 'left_out', reason: 'not_a_picture', detail: error.message }
    if (error instanceof FetchError) {
      if (error.kind === 'too_large') return { status: 'left_out', reason: 'too_large' }
      if (error.cause instanceof StorageError) throw error.cause
    }
    throw error
  }
}

async function take(found: FoundPicture, tree: Tree, parts: ImportParts, options: ImportOptions): Promise<Outcome> {
  const known = await findKnown(found, parts.store)
  if (known) return compare(found, found.recipe, known, parts.store)
  const { sha256, pieces } = await look(found, tree)
  return options.inTurnOf(sha256, () => takeBytes(found, { sha256, pieces }, tree, parts, options))
}

async function takeBytes(
  found: FoundPicture,
  { sha256, pieces }: Awaited<ReturnType<typeof look>>,
  tree: Tree,
  parts: ImportParts,
  options: ImportOptions,
): Promise<Outcome> {
  // Two of our own pictures may be the same, and were both paid for.
  const isOwn = found.recipe !== undefined && importedFrom(found.recipe) === 'webimgui'
  const same = isOwn ? undefined : await parts.store.imports.findByBytes(sha256)
  if (same && (found.recipe || same.recipeHash === '')) return compare(found, found.recipe, same, parts.store)
  const kept = await keepBytes(parts.files, pieces(), maxPictureBytes, { syncs: true })
  try {
    const { facts, state } = await inspectFile({ ...kept, path: kept.temporaryPath })
    if (state === 'damaged') throw new EntryError('damaged', 'It is damaged or incomplete.')
    if (state === 'unknown') throw new EntryError('not_a_picture', 'It is not a picture of a known type.')
    if (state === 'not_shown' && facts.mimeType !== 'image/heic')
      throw new EntryError('not_shown', `${facts.mimeType} cannot be shown here.`)
    const recipe = found.recipe ?? (await readPictureRecipe(kept.temporaryPath, facts)) ?? nameOnly(found)
    const other = same ?? (await findOriginal(recipe, parts.store))
    if (other) return await compare(found, recipe, other, parts.store)
    return await store({ found, recipe, facts, kept }, tree, parts, options)
  } finally {
    // In its place by then, unless something went wrong; `rm` looks twice at what is gone.
    await unlink(kept.temporaryPath).catch(() => {})
  }
}

function nameOnly({ source = 'files' }: FoundPicture): FoundRecipe {
  return { source, prompt: '', model: null, parameters: {} }
}

/** Before its file is read. */
async function findKnown(found: FoundPicture, store: Store): Promise<KnownImport | undefined> {
  const { identity, recipe, index, generationId } = found
  if (identity === undefined || !recipe) return undefined
  const known = await store.imports.find(importedFrom(recipe), identity)
  if (known) return (await store.imports.hasPicture(known.generationId, index)) ? known : undefined
  // Made here, and never deleted.
  const image = generationId === undefined ? undefined : await store.images.find(deriveImageId(generationId, index))
  const isSame = image !== undefined && image.sha256 === recipe.originalSha256
  return isSame && image.generationId ? { generationId: image.generationId, recipeHash: '', favorite: true } : undefined
}

/** A download with its recipe inside has other bytes than the picture that was made. */
async function findOriginal({ originalSha256 }: FoundRecipe, store: Store) {
  return originalSha256 === undefined ? undefined : store.imports.findByBytes(originalSha256)
}

async function compare(
  found: FoundPicture,
  recipe: FoundRecipe | undefined,
  known: KnownImport,
  store: Store,
): Promise<Outcome> {
  const { generationId } = known
  // SwarmUI has a second copy of what was marked, and whoever exports twice has marked something since.
  if (found.marks?.favorite && !known.favorite) await store.ledger.mark({ id: generationId, favorite: true })
  const isSame = !recipe || known.recipeHash === '' || known.recipeHash === hashRecipe(recipe)
  return { status: isSame ? 'already' : 'differs', generationId }
}

/** Reads it once to know it; what is small is not read again. */
async function look({ content }: FoundPicture, tree: Tree) {
  const hash = createHash('sha256')
  const open = () => (Buffer.isBuffer(content) ? [content] : tree.open(content, maxPictureBytes))
  let held: Uint8Array[] | undefined = []
  let bytes = 0
  for await (const piece of open()) {
    hash.update(piece)
    bytes += piece.length
    held = held && bytes <= maxHeldBytes ? [...held, piece] : undefined
  }
  if (bytes === 0) throw new EntryError('damaged', 'It is empty.')
  const whole = held
  return { sha256: hash.digest('hex'), pieces: () => whole ?? open() }
}

interface Taken {
  found: FoundPicture
  recipe: FoundRecipe
  facts: ImageFacts
  kept: Awaited<ReturnType<typeof keepBytes>>
}

async function store(
  { found, recipe, facts, kept }: Taken,
  tree: Tree,
  { store, files, reached }: ImportParts,
  { tags, changed, inTurn }: ImportOptions,
): Promise<Outcome> {
  const { marks = {}, index } = found
  const source = importedFrom(recipe)
  const identity = found.identity ?? `sha256:${kept.sha256}`
  const id = await chooseId(found, source, identity, store)
  const importedAt = new Date().toISOString()
  const timestamp = recipe.timestamp ?? found.createdAt ?? importedAt
  const imageId = deriveImageId(id, index)
  const image: ImageRecord = {
    id: imageId,
    role: 'result',
    generationId: id,
    callId: null,
    index,
    // The same at every try: what an import that broke off has left is replaced by the next.
    file: `${timestamp.slice(0, 4)}/${timestamp.slice(5, 7)}/${imageId}.${facts.extension}`,
    width: facts.width,
    height: facts.height,
    bytes: kept.bytes,
    mimeType: facts.mimeType,
    sha256: kept.sha256,
    createdAt: found.createdAt ?? timestamp,
    details: marks.details ?? null,
  }
  const given = found.references ?? []
  const references =
    given.length === 0
      ? []
      : await inTurn(async () => {
          const isThere = await store.imports.isTaken(id)
          return isThere ? [] : keepReferences(given, tree, { store, files })
        })
  await files.put(image.file, kept.temporaryPath, { isSynced: await kept.synced })
  await reached?.('import-picture-put', id)
  const isNew = await store.ledger.importPicture({
    generation: {
      id,
      importedFrom: source,
      prompt: recipe.prompt,
      revisedPrompt: recipe.revisedPrompt ?? null,
      provider: recipe.provider ?? source,
      model: recipe.model,
      parameters: recipe.parameters,
      resolved: marks.resolved ?? recipe.parameters,
      timestamp,
      startedAt: marks.startedAt ?? null,
      finishedAt: marks.finishedAt ?? timestamp,
      favorite: marks.favorite ?? false,
      tags: [...new Set([...(marks.tags ?? []), ...tags])].slice(0, maxTags),
      warnings: marks.warnings ?? [],
      failures: marks.failures ?? [],
    },
    identity,
    recipeHash: hashRecipe(recipe),
    image,
    references,
    importedAt,
  })
  await reached?.('import-picture-written', id)
  if (isNew) await rate(found, id, store)
  changed(id)
  return isNew ? { status: 'imported', generationId: id, source } : { status: 'already', generationId: id }
}

/** A step of its own: what a person marks is no part of what was made. */
async function rate({ index, marks = {} }: FoundPicture, id: string, store: Store) {
  const { stars = 0, isRejected = false, isCover = false } = marks
  if (stars > 0 || isRejected) await store.ledger.mark({ id, ratings: [{ index, stars, isRejected }] })
  if (isCover) await store.ledger.mark({ id, cover: index })
}

const maxTags = 50

function importedFrom(recipe: FoundRecipe) {
  return recipe.importedFrom ?? recipe.source
}

const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/

/**
 * The same at every try, so that what an import that broke off has left is found again. A deleted one leaves its id for a while to whoever
 * sweeps its files, so it gets another when it comes back.
 */
async function chooseId({ generationId }: FoundPicture, source: string, identity: string, store: Store) {
  for (let tries = 0; ; tries++) {
    // Looked up each time: another picture of the same generation may be taken over at this moment.
    const known = await store.imports.find(source, identity)
    if (known) return known.generationId
    const isOwn = tries === 0 && generationId !== undefined && uuid.test(generationId)
    const id = isOwn ? generationId : deriveImageId(`${source} ${identity}`, tries)
    if (!(await store.imports.isTaken(id))) return id
  }
}

async function keepReferences(given: readonly TreeFile[], tree: Tree, parts: ImportParts) {
  const kept = []
  for (const file of given.slice(0, maxReferences)) {
    const copy = await keepBytes(parts.files, tree.open(file, maxPictureBytes), maxPictureBytes).catch(skipBroken)
    if (!copy) continue
    try {
      const { facts, state } = await inspectFile({ ...copy, path: copy.temporaryPath })
      if (state !== 'whole') continue
      kept.push({ image: await keepReference(parts, { ...copy, ...facts }), preparedFile: '', preparedType: '' })
    } catch (error) {
      if (!(error instanceof NotAnImage)) throw error
    } finally {
      await rm(copy.temporaryPath, { force: true }).catch(() => {})
    }
  }
  return kept
}

const maxReferences = 16

/** The picture is of use without it. */
function skipBroken(error: unknown) {
  if (error instanceof EntryError || (error instanceof FetchError && error.kind === 'too_large')) return undefined
  throw error
}
