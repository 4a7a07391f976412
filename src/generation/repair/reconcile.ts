/** Compares the files of the image store with the rows of the database, at every start and for `npm run doctor`. */

import { deriveImageId } from '../../images/collect.ts'
import { parseThumbnailName } from '../../images/thumbnails.ts'
import type { Answers } from '../../storage/answers.ts'
import type { Files } from '../../storage/files/folder.ts'
import type { ImageRecord } from '../../storage/records.ts'
import type { Store } from '../../storage/store.ts'

export interface Comparison {
  /** Stored images and references whose file is missing. */
  missing: ImageRecord[]
  /** Orphaned image files, by the id of their image. They may be the only copy of a paid image. */
  orphanedFiles: Map<string, string>
  /** Keys of stale files, to be removed: they can be regenerated, or a crash interrupted their deletion. */
  stale: string[]
  /** Names of stale raw answers: unfinished, or without a call for longer than their images stay available. */
  staleAnswers: string[]
  /** Names of younger ones: with a wrong DATABASE_URL another database may be waiting for them. */
  orphanedAnswers: string[]
  rows: { images: number; references: number }
  /** Numbers of files by kind. */
  files: { images: number; references: number; thumbnails: number; prepared: number; orphanedFiles: number }
}

/** Images of a deleted generation are searched for at this many positions. */
const maxPositions = 256

/** By then a wrong database has been noticed, and the addresses in an answer have expired long before. */
const maxStrangeDays = 7

/** Valid only while nothing writes: before the server answers, or while it is stopped; otherwise use `lookAgain`. */
export async function compare(parts: { store: Store; files: Files; answers: Answers }): Promise<Comparison> {
  const { store, files, answers } = parts
  const rows = new Map((await store.images.all()).map(image => [image.id, image]))
  const unfinished = new Set(await store.generations.unfinishedIds())
  const missing = new Map([...rows.values()].map(image => [image.file, image]))
  const orphanedFiles = new Map<string, string>()
  const stale: string[] = []
  const found = { images: 0, references: 0, thumbnails: 0, prepared: 0 }
  for await (const key of files.list()) {
    const stored = missing.get(key)
    if (stored) {
      missing.delete(key)
      found[stored.role === 'reference' ? 'references' : 'images']++
      continue
    }
    const [, folder, name = ''] = /^(?:(.*)\/)?([^/]+)$/.exec(key) ?? []
    const id = name.replace(/\.\w+$/, '')
    if (folder === 'thumbnails') {
      found.thumbnails++
      if (!rows.has(parseThumbnailName(name))) stale.push(key)
    } else if (folder === 'prepared') {
      found.prepared++
      if (!unfinished.has(id.replace(/-\d+$/, ''))) stale.push(key)
    } else {
      orphanedFiles.set(id, key)
    }
  }
  if (orphanedFiles.size > 0) {
    for (const id of await deletedImages(store)) {
      const key = orphanedFiles.get(id)
      if (key !== undefined) stale.push(key)
      orphanedFiles.delete(id)
    }
  }
  const staleAnswers: string[] = []
  const orphanedAnswers: string[] = []
  const [day, since] = [await store.days.present(), await store.days.orphanedSince()]
  for (const { name, callId } of await answers.list()) {
    if (callId === undefined) staleAnswers.push(name)
    else if (!(await store.calls.find(callId))) {
      if ((since.get(name) ?? day) < day - maxStrangeDays) staleAnswers.push(name)
      else orphanedAnswers.push(name)
    }
  }
  return {
    missing: [...missing.values()],
    orphanedFiles,
    stale,
    staleAnswers,
    orphanedAnswers,
    rows: countRoles([...rows.values()]),
    files: { ...found, orphanedFiles: orphanedFiles.size },
  }
}

function countRoles(images: ImageRecord[]) {
  const references = images.filter(({ role }) => role === 'reference').length
  return { images: images.length - references, references }
}

/** Beside a running server: drops differences that came from something being stored or deleted meanwhile. */
export async function lookAgain(
  comparison: Comparison,
  { store, files }: { store: Store; files: Files },
): Promise<Comparison> {
  const missing: ImageRecord[] = []
  for (const image of comparison.missing) {
    const isGone = (await files.size(image.file)) === undefined && (await store.images.find(image.id)) !== undefined
    if (isGone) missing.push(image)
  }
  // While an image is being stored, its file exists before its row.
  const expected = new Set((await store.generations.unfinishedIds()).flatMap(deriveImageIds))
  const orphanedFiles = new Map<string, string>()
  for (const [id, key] of comparison.orphanedFiles) {
    if (expected.has(id)) continue
    const isAlone = (await files.size(key)) !== undefined && (await store.images.find(id)) === undefined
    if (isAlone) orphanedFiles.set(id, key)
  }
  return { ...comparison, missing, orphanedFiles }
}

/** Ids that pictures of deleted generations had: rows are deleted first, so a crash leaves their files. */
async function deletedImages(store: Store): Promise<string[]> {
  const ids: string[] = []
  let revision = 0
  for (;;) {
    const removals = await store.generations.removedSince(revision, 500)
    for (const { id } of removals) ids.push(...deriveImageIds(id))
    const last = removals.at(-1)
    if (!last) return ids
    revision = last.revision
  }
}

/**
 * Answers that reached the disk of a server which had lost the database, to calls that whoever took it over had given up: they go on from
 * there. How many.
 */
export async function recoverLateAnswers({ store, answers }: { store: Store; answers: Answers }): Promise<number> {
  let count = 0
  for (const { callId } of await answers.list()) {
    const call = callId === undefined ? undefined : await store.calls.find(callId)
    if (call?.outcome !== 'unknown' || call.answeredAt !== null) continue
    const found = await answers.find(call.id)
    if (!found) continue
    const { name, body: _, ...head } = found
    const at = new Date().toISOString()
    await store.ledger.revive({ callId: call.id, generationId: call.generationId, answer: { ...head, file: name }, at })
    count++
  }
  return count
}

export async function clearAway({ stale, staleAnswers }: Comparison, parts: { files: Files; answers: Answers }) {
  for (const key of stale) await parts.files.remove(key)
  for (const name of staleAnswers) await parts.answers.remove(name)
}

/** Of every picture that a generation may have. */
function deriveImageIds(generationId: string): string[] {
  return Array.from({ length: maxPositions }, (_, position) => deriveImageId(generationId, position))
}
