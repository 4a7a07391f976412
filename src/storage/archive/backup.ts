/** One archive with everything that cannot be regenerated: a consistent copy of the database, every image, every kept answer. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite'
import { endName } from '../ownership.ts'
import { noDatabaseAt } from '../trouble.ts'
import { type Entry, readEntries, TarError, writeEnd, writeEntry } from './tar.ts'

export interface Places {
  /** The SQLite file. */
  database: string
  /** The folder of pictures. */
  images: string
  /** The folder of raw answers. */
  answers: string
}

export interface BackupReport {
  pictures: number
  answers: number
  bytes: number
  /** Files that rows name and that are missing. */
  missing: string[]
}

interface Manifest {
  form: 'webimgui-backup-1'
  createdAt: string
  /** Hexadecimal SHA-256 by name of each entry. */
  sha256: Record<string, string>
  missing: string[]
}

const databaseName = 'database.sqlite'
const manifestName = 'manifest.json'

/** Also while a server works on the database. `target` must not exist. @param progress receives the number of files done and the total. */
export async function writeBackup(
  places: Places,
  target: string,
  progress: (done: number, all: number) => void,
): Promise<BackupReport> {
  if (existsSync(target))
    throw new TarError(`${target} already exists. Choose another file name.`, `${target} 已存在。请换一个文件名。`)
  if (!existsSync(places.database)) throw noDatabaseAt(places.database)
  const temporary = `${target}.part`
  const copy = `${target}.database`
  const archive = await open(temporary, 'w', 0o600)
  const held = new Map<string, FileHandle>()
  try {
    const { images, prepared, answers, awaited } = await copyOf(places, copy, held)
    const manifest: Manifest = {
      form: 'webimgui-backup-1',
      createdAt: new Date().toISOString(),
      sha256: {},
      missing: [],
    }
    const wanted = [
      { name: databaseName, file: copy },
      ...[...images, ...prepared].map(key => ({ name: `images/${key}`, file: path.join(places.images, key) })),
      ...answers.map(name => ({ name: `answers/${name}`, file: path.join(places.answers, name) })),
    ]
    // Other answers are removed once their images are files, and prepared references once they were sent.
    const mustBeThere = new Set([...images.map(key => `images/${key}`), ...awaited.map(name => `answers/${name}`)])
    let bytes = 0
    let copiedAnswers = 0
    for (const [index, { name, file }] of wanted.entries()) {
      const handle = held.get(file) ?? (await openIfThere(file))
      held.delete(file)
      if (handle === undefined) {
        if (mustBeThere.has(name)) manifest.missing.push(name)
      } else {
        try {
          const { size } = await handle.stat()
          const hash = createHash('sha256')
          await writeEntry(archive, name, size, hashed(piecesOf(handle, size), hash))
          manifest.sha256[name] = hash.digest('hex')
          bytes += size
          if (name.startsWith('answers/')) copiedAnswers++
        } finally {
          await handle.close()
        }
      }
      progress(index + 1, wanted.length)
    }
    const text = Buffer.from(JSON.stringify(manifest, null, 1))
    await writeEntry(archive, manifestName, text.length, [text])
    await writeEnd(archive)
    await archive.sync()
    await rename(temporary, target)
    return { pictures: images.length, answers: copiedAnswers, bytes, missing: manifest.missing }
  } finally {
    for (const handle of held.values()) await handle.close()
    await archive.close()
    await rm(temporary, { force: true })
    for (const ending of ['', '-wal', '-shm']) await rm(`${copy}${ending}`, { force: true })
  }
}

/**
 * Puts everything where it belongs, checks every hash, and drops what was waiting to be sent: the server that the backup was made of may
 * have sent it since, and nobody pays for it a second time without asking.
 * @throws TarError when the place is not empty, or when anything differs; nothing is left there then.
 */
export async function restoreBackup(
  source: string,
  places: Places,
  progress: (done: number) => void,
): Promise<{ files: number; dropped: number; missing: string[] }> {
  for (const place of [places.database, places.images, places.answers]) await mustBeEmpty(place)
  // SQLite would apply that WAL to the restored database.
  for (const ending of ['-wal', '-journal']) await mustBeEmpty(`${places.database}${ending}`)
  const sha256: Record<string, string> = {}
  let manifest: Manifest | undefined
  try {
    for await (const entry of readEntries(source)) {
      if (entry.name === manifestName) {
        manifest = manifestIn(await readText(entry))
      } else {
        sha256[entry.name] = await put(entry, resolveEntry(entry.name, places))
        progress(Object.keys(sha256).length)
      }
    }
    if (manifest?.form !== 'webimgui-backup-1')
      throw new TarError(`${source} is not a complete backup of webimgui.`, `${source} 不是完整的 webimgui 备份。`)
    const names = new Set([...Object.keys(manifest.sha256), ...Object.keys(sha256)])
    const different = [...names].filter(name => manifest?.sha256[name] !== sha256[name])
    if (different.length > 0)
      throw new TarError(
        `The backup is damaged: ${different.slice(0, 5).join(', ')}.`,
        `备份已损坏：${different.slice(0, 5).join(', ')}。`,
      )
    return { files: names.size, dropped: dropWaiting(places.database), missing: manifest.missing }
  } catch (error) {
    await rm(places.database, { force: true })
    for (const folder of [places.images, places.answers]) await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/**
 * A consistent copy of the database, and the answers that are not parsed yet, held open: the server may come to their end, and remove
 * them, before their turn comes.
 */
async function copyOf(places: Places, copy: string, held: Map<string, FileHandle>) {
  for (let tries = 1; ; tries++) {
    // Rows first: every file that they name is there already, because files are written before their rows.
    const source = new DatabaseSync(places.database, { readOnly: true })
    try {
      await copyDatabase(source, copy, { rate: 1_000_000 })
    } finally {
      source.close()
    }
    const named = filesNamedBy(copy)
    let isWhole = true
    for (const name of named.awaited) {
      const file = path.join(places.answers, name)
      const handle = held.get(file) ?? (await openIfThere(file))
      if (handle) held.set(file, handle)
      else isWhole = false
    }
    // An answer that was lost earlier is not waited for.
    if (isWhole || tries === maxCopies) return named
    await rm(copy)
  }
}

const maxCopies = 3

/** Every file that the rows name, references that wait to be sent too. Thumbnails are made again. */
function filesNamedBy(database: string) {
  using handle = new DatabaseSync(database, { readOnly: true })
  const column = (text: string) =>
    handle
      .prepare(text)
      .all()
      .map(row => String(row.name))
  return {
    images: column('select file as name from images'),
    prepared: column('select prepared_file as name from generation_references where prepared_file is not null'),
    answers: column('select answer_file as name from provider_calls where answer_file is not null'),
    // Not parsed to the end yet.
    awaited: column(
      "select answer_file as name from provider_calls where answer_file is not null and state <> 'settled'",
    ),
  }
}

function dropWaiting(database: string): number {
  using handle = new DatabaseSync(database)
  const message =
    'It was waiting to be sent when the backup was made. The original server may have sent it since, so it is not sent from here. Ask again if you want it.'
  const error = JSON.stringify({
    code: 'cancelled',
    message,
    providerCode: null,
    providerMessage: null,
    providerRequestId: null,
    retryAfterMs: null,
  })
  const dropped = handle
    .prepare(
      "update provider_calls set state = 'settled', outcome = 'dropped', charge = 'none', error = ?, settled_at = ? where state = 'planned'",
    )
    .run(error, new Date().toISOString())
  // The same for what webhooks were to be told, which a backup of an earlier version does not have.
  const hasWebhooks = handle.prepare("select 1 from sqlite_master where name = 'webhook_deliveries'").get()
  if (hasWebhooks)
    handle.exec("update webhook_deliveries set state = 'dropped', due_at = null, lease = null where due_at is not null")
  // Whether the copy is whole is looked at before the first answer.
  handle.prepare('delete from meta where name = ?').run(endName)
  return Number(dropped.changes)
}

async function mustBeEmpty(place: string) {
  const found = await stat(place).catch(() => undefined)
  if (!found) return
  const isEmpty = found.isDirectory() ? (await readdir(place)).length === 0 : found.size === 0
  if (!isEmpty)
    throw new TarError(
      `${place} already exists. A backup can only be restored into an empty place.`,
      `${place} 已存在。备份只能恢复到空的位置。`,
    )
}

function resolveEntry(name: string, places: Places): string {
  const isPlain = name.split('/').every(part => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(part))
  if (isPlain && name === databaseName) return places.database
  const [, folder, rest] = /^(images|answers)\/(.+)$/.exec(name) ?? []
  if (!isPlain || !folder || !rest)
    throw new TarError(
      `The archive holds ${JSON.stringify(name)}, which does not belong in a backup.`,
      `归档中含有 ${JSON.stringify(name)}，备份不会包含它。`,
    )
  return path.join(folder === 'images' ? places.images : places.answers, rest)
}

async function put(entry: Entry, file: string): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true })
  const handle = await open(file, 'wx', 0o600)
  const hash = createHash('sha256')
  try {
    for await (const piece of hashed(entry.pieces, hash)) await handle.writeFile(piece)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return hash.digest('hex')
}

async function* hashed(pieces: AsyncIterable<Buffer>, hash: ReturnType<typeof createHash>) {
  for await (const piece of pieces) {
    hash.update(piece)
    yield piece
  }
}

function manifestIn(text: string) {
  try {
    return JSON.parse(text) as Manifest
  } catch (error) {
    throw new TarError(`The backup is damaged: ${manifestName}.`, `备份已损坏：${manifestName}。`, { cause: error })
  }
}

async function readText({ pieces }: Entry) {
  const all: Buffer[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all).toString('utf8')
}

/** A stream that is being written grows; only what was there at first is taken. */
async function* piecesOf(handle: FileHandle, size: number): AsyncGenerator<Buffer> {
  for (let done = 0; done < size; ) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(2 ** 20, size - done)), 0, undefined, done)
    if (bytesRead === 0) return
    done += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
