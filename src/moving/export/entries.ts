/** What an export is made of, file by file: each picture as it is stored, its sidecar, the references, and a list of what is missing. */
import { type Files, StorageError } from '../../storage/files/folder.ts'
import type { HistoryFilter } from '../../storage/history-filter.ts'
import type { GenerationRecord, ImageRecord } from '../../storage/records.ts'
import type { Store } from '../../storage/store.ts'
import { shortenForName } from '../names.ts'
import { writeSidecar } from '../sidecar.ts'

export interface ExportFile {
  /** With `/`. */
  name: string
  bytes: number
  /** ISO 8601. */
  modifiedAt: string
  /** May be called more than once. @throws StorageError `missing` */
  open(): Promise<AsyncIterable<Uint8Array>>
}

/** A filter of the history, or pictures by their ids; `owner`: only what this token may see. */
export type ExportSelection =
  | { filter: Omit<HistoryFilter, 'limit' | 'before'> }
  | { ids: readonly string[]; owner?: string }

export interface ExportCounts {
  pictures: number
  generations: number
  bytes: number
  /** Pictures whose file is not in the store. */
  missing: { image_id: string; generation_id: string }[]
}

export interface ExportParts {
  store: Pick<Store, 'generations' | 'images'>
  files: Files
}

const pageSize = 100

/** Counts into `counts` while it goes on. */
export async function* listExport(
  selection: ExportSelection,
  { store, files }: ExportParts,
  counts: ExportCounts,
): AsyncGenerator<ExportFile> {
  const names = new Set<string>()
  for await (const { generation, images } of selectGenerations(selection, store)) {
    let isCounted = false
    const references = new Map(generation.references.map(one => [one.id, nameReference(one)]))
    for (const image of images) {
      if ((await files.size(image.file)) === undefined) {
        counts.missing.push({ image_id: image.id, generation_id: generation.id })
        continue
      }
      const name = nameFile(generation, image, names)
      const ending = image.file.split('.').at(-1) ?? 'bin'
      yield stored(`${name}.${ending}`, image, files)
      yield written(
        `${name}.json`,
        writeSidecar(generation, image, { picture: `${name}.${ending}`, references }),
        generation.timestamp,
      )
      counts.pictures++
      counts.bytes += image.bytes
      if (!isCounted) counts.generations++
      isCounted = true
    }
    if (!isCounted) continue
    for (const reference of generation.references) {
      const name = references.get(reference.id)!
      if (names.has(name) || (await files.size(reference.file)) === undefined) continue
      names.add(name)
      yield stored(name, reference, files)
    }
  }
  const summary = {
    webimgui_export: 1,
    exported_at: new Date().toISOString(),
    pictures: counts.pictures,
    generations: counts.generations,
    missing: counts.missing,
  }
  yield written('export.json', `${JSON.stringify(summary, null, 2)}\n`, summary.exported_at)
}

/** A page at a time is in memory; what has no picture is left out. */
async function* selectGenerations(selection: ExportSelection, store: ExportParts['store']) {
  if ('ids' in selection) {
    yield* selectImages(selection, store)
    return
  }
  for (let before: HistoryFilter['before']; ; ) {
    const page = await store.generations.list({ ...selection.filter, before, limit: pageSize })
    for (const generation of page) {
      if (generation.images.length > 0) yield { generation, images: generation.images }
    }
    const last = page.at(-1)
    if (!last || page.length < pageSize) return
    before = { timestamp: last.timestamp, id: last.id }
  }
}

async function* selectImages({ ids, owner }: { ids: readonly string[]; owner?: string }, store: ExportParts['store']) {
  const byGeneration = new Map<string, Set<string>>()
  for (const id of new Set(ids)) {
    const image = await (owner === undefined ? store.images.find(id) : store.images.findOf(id, owner))
    if (!image?.generationId) continue
    byGeneration.set(image.generationId, (byGeneration.get(image.generationId) ?? new Set()).add(id))
  }
  for (const [generationId, chosen] of byGeneration) {
    const generation = await store.generations.find(generationId)
    if (generation) yield { generation, images: generation.images.filter(({ id }) => chosen.has(id)) }
  }
}

/** Such as `2026/11/2026-11-23 水墨山水 1a2b3c4d-1`, so that the pictures of one generation stand together. */
function nameFile(generation: GenerationRecord, image: ImageRecord, names: Set<string>) {
  const day = /^\d{4}-\d\d-\d\d/.exec(generation.timestamp)?.[0] ?? '1970-01-01'
  const id = generation.id.replace(/[^\w-]/g, '')
  const name = (part: string) =>
    `${day.slice(0, 4)}/${day.slice(5, 7)}/${[day, shortenForName(generation.prompt), `${part}-${image.index + 1}`].filter(Boolean).join(' ')}`
  const free = names.has(name(id.slice(0, 8))) ? name(id) : name(id.slice(0, 8))
  names.add(free)
  return free
}

function nameReference({ sha256, file }: ImageRecord) {
  return `references/${sha256}.${file.split('.').at(-1) ?? 'bin'}`
}

function stored(name: string, image: ImageRecord, files: Files): ExportFile {
  return { name, bytes: image.bytes, modifiedAt: image.createdAt, open: () => files.open(image.file) }
}

function written(name: string, text: string, modifiedAt: string): ExportFile {
  const bytes = Buffer.from(text)
  return { name, bytes: bytes.length, modifiedAt, open: async () => toPieces(bytes) }
}

async function* toPieces(bytes: Uint8Array) {
  yield bytes
}

export function emptyCounts(): ExportCounts {
  return { pictures: 0, generations: 0, bytes: 0, missing: [] }
}

/** A file that was removed after its size was looked at. */
export function isGone(error: unknown) {
  return error instanceof StorageError && error.code === 'missing'
}
