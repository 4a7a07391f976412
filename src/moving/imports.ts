/** Imports of a server: one at a time, beside the generations, each with a record and a report that outlive the process. */
import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Refusal } from '../errors.ts'
import type { ImportParts } from './import-picture.ts'
import { type ImportProgress, type ImportRun, startImport } from './import-run.ts'
import { type Source, sourceNames } from './sources.ts'
import { isHidden, isSafePath } from './trees/tree.ts'

export interface ImportRecord extends Omit<ImportProgress, 'place'> {
  id: string
  /** Relative to the folder of imports, or the name of the uploaded file. */
  name: string
  isUpload: boolean
  tags: string[]
}

export interface ImportSource {
  /** Below the folder that the operator allowed; empty for all of it. */
  path?: string
  /** An upload that is complete. */
  upload?: string
  tags: string[]
}

export interface FolderEntry {
  name: string
  kind: 'folder' | 'archive'
  /** Of an archive. */
  bytes: number
}

export interface Imports {
  /** Does the operator allow a folder? */
  hasFolder: boolean
  /** Newest first. */
  list(): ImportRecord[]
  /** @throws Refusal `not_found` */
  get(id: string): ImportRecord
  /** The programs whose pictures are in the history. Those of this program name the service that made them. */
  listSources(): Promise<{ id: string; name: string }[]>
  /** @throws Refusal `conflict` while another one goes on, `not_found` */
  start(source: ImportSource): Promise<ImportRecord>
  /** An ended one begins anew with `continue`, and skips what is here already. @throws Refusal `not_found`, `conflict` */
  change(id: string, to: 'pause' | 'continue' | 'stop'): Promise<ImportRecord>
  /** The file with a line for each picture. @throws Refusal `not_found` */
  reportFile(id: string): string
  /** @throws Refusal `not_found` */
  browse(folder: string): Promise<FolderEntry[]>
  /**
   * Adds a part to an upload, or begins one. A part that was sent before is ignored.
   * @throws Refusal `conflict` where bytes before it are missing
   */
  receive(part: {
    upload?: string
    name: string
    offset: number
    bytes: Buffer
  }): Promise<{ upload: string; bytes: number }>
  /** Ends the present one; it can be continued after a start. */
  close(): Promise<void>
}

const id = /^[\da-f-]{36}$/
/** Uploads that nobody imported, and the records of imports, are removed after this. */
const uploadLifeMs = 24 * 3600_000
const recordLifeMs = 90 * 24 * 3600_000
const maxRecords = 100

export async function createImports(
  parts: ImportParts & {
    folder: string | undefined
    dataDir: string
    changed(generationId: string): void
    failed(error: unknown): void
  },
): Promise<Imports> {
  const own = path.join(parts.dataDir, 'imports')
  const records = new Map<string, ImportRecord>()
  let present: { id: string; run: ImportRun } | undefined
  let keeping = Promise.resolve()
  for (const record of await readRecords(own)) records.set(record.id, record)

  function get(wanted: string): ImportRecord {
    const record = records.get(wanted)
    if (!record) throw new Refusal('not_found', 'There is no import with this id; it may be too old.')
    if (present?.id === wanted) Object.assign(record, toRecord(present.run.progress()))
    return record
  }

  async function run(record: ImportRecord): Promise<ImportRecord> {
    if (present)
      throw new Refusal(
        'conflict',
        'Another import goes on; wait for its end, or stop it with PATCH /api/imports/{id}.',
      )
    const place = record.isUpload ? uploadPath(record.id) : await resolveAllowed(record.name)
    if (record.isUpload && !(await isThere(place)))
      throw new Refusal('not_found', 'The uploaded file was removed; upload it again.')
    // Looked at once more: another one may have begun meanwhile.
    if (present) throw new Refusal('conflict', 'Another import goes on.')
    const started = startImport({ places: [place], tags: record.tags, reportFile: reportPath(record.id) }, parts)
    present = { id: record.id, run: started }
    await keep(get(record.id))
    void started.ended.then(async progress => {
      Object.assign(record, toRecord(progress))
      present = undefined
      // What broke off can be continued.
      if (record.isUpload && progress.state === 'done') await rm(place, { force: true }).catch(parts.failed)
      await keep(record)
    })
    return record
  }

  /** One after the other. Without its record an import is forgotten by the next start, and nothing else is lost. */
  function keep(record: ImportRecord): Promise<void> {
    keeping = keeping.then(() => write(record)).catch(error => parts.failed(error))
    return keeping
  }

  async function write(record: ImportRecord) {
    const file = path.join(own, `${record.id}.json`)
    await mkdir(own, { recursive: true })
    await writeFile(`${file}.part`, JSON.stringify(record), { mode: 0o600 })
    await rename(`${file}.part`, file)
  }

  function uploadPath(upload: string) {
    return path.join(own, `${upload}.upload`)
  }

  function reportPath(wanted: string) {
    return path.join(own, `${wanted}.jsonl`)
  }

  /** Through every link: nothing outside of the folder is read. */
  async function resolveAllowed(relative: string): Promise<string> {
    const missing = new Refusal('not_found', 'There is no such file or folder among those that may be imported.')
    if (parts.folder === undefined || (relative !== '' && !isSafePath(relative))) throw missing
    const root = await realpath(parts.folder).catch(() => undefined)
    const place = root && (await realpath(path.join(root, ...relative.split('/'))).catch(() => undefined))
    if (!root || !place || (place !== root && !place.startsWith(root + path.sep))) throw missing
    return place
  }

  return {
    hasFolder: parts.folder !== undefined,
    list: () => [...records.keys()].map(get).sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1)),
    get,

    async listSources() {
      const others = Object.keys(sourceNames).filter(source => source !== 'webimgui') as Source[]
      const found = await parts.store.imports.findSources(others)
      return others.filter(source => found.includes(source)).map(id => ({ id, name: sourceNames[id] }))
    },

    async start({ path: relative, upload, tags }) {
      if ((relative === undefined) === (upload === undefined))
        throw new Refusal('invalid_request', 'Give either "path" or "upload".')
      if (upload !== undefined && (!id.test(upload) || !(await isThere(uploadPath(upload)))))
        throw new Refusal('not_found', 'There is no upload with this id; it may be too old.')
      const name = upload === undefined ? (relative ?? '') : await readFile(`${uploadPath(upload)}.name`, 'utf8')
      const known = upload === undefined ? undefined : records.get(upload)
      const record: ImportRecord = known ?? {
        ...{ id: upload ?? randomUUID(), name, isUpload: upload !== undefined, tags },
        ...toRecord(emptyProgress()),
      }
      records.set(record.id, record)
      try {
        return await run(record)
      } catch (error) {
        if (!known) records.delete(record.id)
        throw error
      }
    },

    async change(wanted, to) {
      const record = get(wanted)
      if (present?.id !== wanted) {
        if (to === 'continue' && record.state !== 'done') return run(record)
        throw new Refusal('conflict', `This import has ended (${record.state}).`)
      }
      if (to === 'pause') present.run.pause()
      if (to === 'continue') present.run.continue()
      if (to === 'stop') {
        present.run.stop()
        await present.run.ended
      }
      await keep(get(wanted))
      return get(wanted)
    },

    reportFile(wanted) {
      get(wanted)
      return reportPath(wanted)
    },

    async browse(relative) {
      const place = await resolveAllowed(relative)
      const entries = await readdir(place, { withFileTypes: true }).catch(() => {
        throw new Refusal('not_found', 'This folder cannot be read.')
      })
      const found: FolderEntry[] = []
      for (const entry of entries) {
        if (isHidden(entry.name) || !isSafePath(entry.name)) continue
        if (entry.isDirectory()) found.push({ name: entry.name, kind: 'folder', bytes: 0 })
        else if (entry.isFile() && /\.zip$/i.test(entry.name)) {
          const { size } = await stat(path.join(place, entry.name))
          found.push({ name: entry.name, kind: 'archive', bytes: size })
        }
        if (found.length >= maxEntries) break
      }
      return found.sort((a, b) => (a.kind === b.kind ? (a.name < b.name ? -1 : 1) : a.kind === 'folder' ? -1 : 1))
    },

    async receive({ upload: given, name, offset, bytes }) {
      if (given !== undefined && !id.test(given)) throw new Refusal('not_found', 'There is no upload with this id.')
      const upload = given ?? randomUUID()
      const place = uploadPath(upload)
      await mkdir(own, { recursive: true })
      if (given === undefined) await writeFile(`${place}.name`, name, { mode: 0o600 })
      else if (!(await isThere(place)))
        throw new Refusal('not_found', 'There is no upload with this id; it may be too old.')
      await using file = await open(place, given === undefined ? 'wx' : 'r+', 0o600)
      const { size } = await file.stat()
      if (offset > size) throw new Refusal('conflict', `The upload has ${size} bytes; go on from there.`)
      if (offset + bytes.length > size) await file.write(bytes, 0, bytes.length, offset)
      return { upload, bytes: Math.max(size, offset + bytes.length) }
    },

    async close() {
      present?.run.stop()
      await present?.run.ended
      await keeping
    },
  }
}

const maxEntries = 2000

function emptyProgress(): ImportProgress {
  return {
    ...{ state: 'running', place: '', format: '', total: null, done: 0 },
    counts: { imported: 0, already: 0, differs: 0, left_out: 0, by_source: {}, by_reason: {} },
    ...{ startedAt: new Date().toISOString(), finishedAt: null, error: null },
  }
}

function toRecord({ place: _, ...progress }: ImportProgress) {
  return progress
}

async function isThere(file: string) {
  return (await stat(file).catch(() => undefined))?.isFile() ?? false
}

/** Of earlier processes; one that was running then has been stopped. Removes what is too old. */
async function readRecords(folder: string): Promise<ImportRecord[]> {
  const records: ImportRecord[] = []
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const file = path.join(folder, name)
    const age = Date.now() - ((await stat(file).catch(() => undefined))?.mtimeMs ?? 0)
    if (age > (name.includes('.upload') ? uploadLifeMs : recordLifeMs)) await rm(file, { force: true })
    else if (name.endsWith('.json')) {
      const text = await readFile(file, 'utf8').catch(() => '')
      try {
        const record = JSON.parse(text) as ImportRecord
        if (record.finishedAt === null) record.state = 'stopped'
        records.push(record)
      } catch {
        await rm(file, { force: true })
      }
    }
  }
  return records.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1)).slice(0, maxRecords)
}
