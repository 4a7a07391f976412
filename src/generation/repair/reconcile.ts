/**
 * Compares the files of the image store with the rows of the database: for `webimgui doctor`, and after every start. Before the first answer
 * a start looks only at what would be lost or mistaken later, the rest is done in the background (`look-over.ts`).
 */
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

/** Rows or files that are looked at together. */
const pageSize = 100

/** Deletions that are looked at together: the ids of their images are computed on the event loop. */
const maxRemovals = 50

const preparedFolder = 'prepared'

/** By then a wrong database has been noticed, and the addresses in an answer have expired long before. */
const maxStrangeDays = 7

/** Of all images and references, a page at a time. Also beside a running server. */
export async function compareRows(
  { store, files }: { store: Store; files: Files },
  onImage: (image: ImageRecord, isMissing: boolean) => void,
  signal?: AbortSignal,
): Promise<void> {
  for (let last = ''; !signal?.aborted; ) {
    const page = await store.images.behind(last, pageSize)
    const sizes = await Promise.all(page.map(({ file }) => files.size(file)))
    for (const [index, image] of page.entries()) {
      // It may have been deleted meanwhile.
      const isMissing = sizes[index] === undefined && (await store.images.find(image.id)) !== undefined
      onImage(image, isMissing)
    }
    const next = page.at(-1)?.id
    if (next === undefined) return
    last = next
  }
}

/** Of images and thumbnails, a page at a time. Also beside a running server, which writes a file before its row. */
export async function compareFiles(
  { store, files }: { store: Store; files: Files },
  signal?: AbortSignal,
): Promise<Pick<Comparison, 'orphanedFiles' | 'stale'> & { images: number; references: number; thumbnails: number }> {
  const found = { images: 0, references: 0, thumbnails: 0 }
  const unknown = new Map<string, string>()
  const stale: string[] = []
  for await (const keys of inPages(files.list())) {
    if (signal?.aborted) break
    const names = keys.map(parseKey).filter(({ folder }) => folder !== preparedFolder)
    const rows = await store.images.places(names.map(({ id }) => id))
    for (const { key, folder, id } of names) {
      const row = rows.get(id)
      if (folder === 'thumbnails') {
        found.thumbnails++
        if (!row) stale.push(key)
      } else if (row?.file === key) found[row.role === 'reference' ? 'references' : 'images']++
      else unknown.set(id, key)
    }
  }
  const orphanedFiles = await withoutExpected(unknown, { store, files })
  for (const id of await findDeleted(orphanedFiles, store)) {
    stale.push(orphanedFiles.get(id)!)
    orphanedFiles.delete(id)
  }
  return { ...found, orphanedFiles, stale }
}

/** References that wait to be sent. Valid only while nothing writes, because their generation is written after them. */
export async function comparePrepared({ store, files }: { store: Store; files: Files }) {
  const unfinished = new Set(await store.generations.unfinishedIds())
  const stale: string[] = []
  let prepared = 0
  for await (const key of files.list(preparedFolder)) {
    prepared++
    if (!unfinished.has(parseKey(key).id.replace(/-\d+$/, ''))) stale.push(key)
  }
  return { prepared, stale }
}

/** The raw answers alone, of which there are few. */
export async function compareAnswers(parts: {
  store: Store
  answers: Answers
}): Promise<Pick<Comparison, 'staleAnswers' | 'orphanedAnswers'>> {
  const { store, answers } = parts
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
  return { staleAnswers, orphanedAnswers }
}

/** Everything, for whoever wants to see it at once. */
export async function compare(parts: { store: Store; files: Files; answers: Answers }): Promise<Comparison> {
  const missing: ImageRecord[] = []
  const rows = { images: 0, references: 0 }
  await compareRows(parts, (image, isMissing) => {
    rows[image.role === 'reference' ? 'references' : 'images']++
    if (isMissing) missing.push(image)
  })
  const { orphanedFiles, stale, ...found } = await compareFiles(parts)
  const { prepared, stale: stalePrepared } = await comparePrepared(parts)
  const { staleAnswers, orphanedAnswers } = await compareAnswers(parts)
  return {
    missing,
    orphanedFiles,
    stale: [...stale, ...stalePrepared],
    staleAnswers,
    orphanedAnswers,
    rows,
    files: { ...found, prepared, orphanedFiles: orphanedFiles.size },
  }
}

/** Files of unfinished generations that have no row, by the id of their image: the process died between the two. */
export async function findUnrecorded({ store, files }: { store: Store; files: Files }): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const expected = new Set((await store.generations.collectingIds()).flatMap(deriveImageIds))
  if (expected.size === 0) return found
  for await (const key of files.list()) {
    const { id, folder } = parseKey(key)
    if (folder !== 'thumbnails' && expected.has(id) && !(await store.images.find(id))) found.set(id, key)
  }
  return found
}

function parseKey(key: string) {
  const [, folder = '', name = ''] = /^(?:(.*)\/)?([^/]+)$/.exec(key) ?? []
  const id = folder === 'thumbnails' ? parseThumbnailName(name) : name.replace(/\.\w+$/, '')
  return { key, folder, id }
}

async function* inPages(keys: AsyncIterable<string>): AsyncGenerator<string[]> {
  let page: string[] = []
  for await (const key of keys) {
    page.push(key)
    if (page.length < pageSize) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}

/** Those that nobody is storing or deleting at this moment. */
async function withoutExpected(unknown: ReadonlyMap<string, string>, { store, files }: { store: Store; files: Files }) {
  const orphanedFiles = new Map<string, string>()
  if (unknown.size === 0) return orphanedFiles
  const expected = new Set((await store.generations.collectingIds()).flatMap(deriveImageIds))
  for (const [id, key] of unknown) {
    if (expected.has(id)) continue
    const isAlone = (await files.size(key)) !== undefined && (await store.images.find(id))?.file !== key
    if (isAlone) orphanedFiles.set(id, key)
  }
  return orphanedFiles
}

/** Those whose generation was deleted: rows are deleted first, so a crash leaves their files. */
async function findDeleted(orphanedFiles: ReadonlyMap<string, string>, store: Store): Promise<string[]> {
  const deleted: string[] = []
  for (let revision = 0; deleted.length < orphanedFiles.size; ) {
    const removals = await store.generations.removedSince(revision, maxRemovals)
    for (const { id } of removals) deleted.push(...deriveImageIds(id).filter(image => orphanedFiles.has(image)))
    const last = removals.at(-1)
    if (!last) break
    revision = last.revision
  }
  return deleted
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

export async function clearAway(
  { stale, staleAnswers }: Pick<Comparison, 'stale' | 'staleAnswers'>,
  parts: { files: Files; answers: Answers },
) {
  for (const key of stale) await parts.files.remove(key)
  for (const name of staleAnswers) await parts.answers.remove(name)
}

/** The id of every picture that a generation may have. */
function deriveImageIds(generationId: string): string[] {
  return Array.from({ length: maxPositions }, (_, position) => deriveImageId(generationId, position))
}
