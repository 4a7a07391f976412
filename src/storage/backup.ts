/** One archive with everything that cannot be made again: a consistent copy of the database, every picture, every kept answer. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite'
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
  /** Files that rows name and that are not there. */
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

/** Also while a server works on the database. `target` must not exist. @param progress is told how many files of how many are done. */
export async function writeBackup(
  places: Places,
  target: string,
  progress: (done: number, all: number) => void,
): Promise<BackupReport> {
  if (existsSync(target)) throw new TarError(`${target} is there already. Name a new file.`)
  const temporary = `${target}.part`
  const copy = `${target}.database`
  const archive = await open(temporary, 'w', 0o600)
  try {
    // Rows first: every file that they name is there already, because files are written before their rows.
    const source = new DatabaseSync(places.database, { readOnly: true })
    try {
      await copyDatabase(source, copy, { rate: 1_000_000 })
    } finally {
      source.close()
    }
    const { images, answers } = filesNamedBy(copy)
    const manifest: Manifest = {
      form: 'webimgui-backup-1',
      createdAt: new Date().toISOString(),
      sha256: {},
      missing: [],
    }
    const wanted = [
      { name: databaseName, file: copy },
      ...images.map(key => ({ name: `images/${key}`, file: path.join(places.images, key) })),
      ...answers.map(name => ({ name: `answers/${name}`, file: path.join(places.answers, name) })),
    ]
    let bytes = 0
    for (const [index, { name, file }] of wanted.entries()) {
      const size = await sizeOf(file)
      if (size === undefined) manifest.missing.push(name)
      else {
        const hash = createHash('sha256')
        await writeEntry(archive, name, size, hashed(createReadStream(file), hash))
        manifest.sha256[name] = hash.digest('hex')
        bytes += size
      }
      progress(index + 1, wanted.length)
    }
    const text = Buffer.from(JSON.stringify(manifest, null, 1))
    await writeEntry(archive, manifestName, text.length, [text])
    await writeEnd(archive)
    await archive.sync()
    await rename(temporary, target)
    return { pictures: images.length, answers: answers.length, bytes, missing: manifest.missing }
  } finally {
    await archive.close()
    await rm(temporary, { force: true })
    await rm(copy, { force: true })
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
  const sha256: Record<string, string> = {}
  let manifest: Manifest | undefined
  try {
    for await (const entry of readEntries(source)) {
      if (entry.name === manifestName) {
        manifest = JSON.parse(await textOf(entry)) as Manifest
      } else {
        sha256[entry.name] = await put(entry, placeOf(entry.name, places))
        progress(Object.keys(sha256).length)
      }
    }
    if (manifest?.form !== 'webimgui-backup-1') throw new TarError(`${source} is not a whole backup of webimgui.`)
    const names = new Set([...Object.keys(manifest.sha256), ...Object.keys(sha256)])
    const different = [...names].filter(name => manifest?.sha256[name] !== sha256[name])
    if (different.length > 0) throw new TarError(`The backup is damaged: ${different.slice(0, 5).join(', ')}.`)
    return { files: names.size, dropped: dropWaiting(places.database), missing: manifest.missing }
  } catch (error) {
    await rm(places.database, { force: true })
    for (const folder of [places.images, places.answers]) await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** Every file that the rows name, references that wait to be sent too. Thumbnails are made again. */
function filesNamedBy(database: string) {
  const handle = new DatabaseSync(database, { readOnly: true })
  try {
    const column = (text: string) =>
      handle
        .prepare(text)
        .all()
        .map(row => String(row.name))
    return {
      images: [
        ...column('select file as name from images'),
        ...column('select prepared_file as name from generation_references where prepared_file is not null'),
      ],
      answers: column('select answer_file as name from provider_calls where answer_file is not null'),
    }
  } finally {
    handle.close()
  }
}

function dropWaiting(database: string): number {
  const handle = new DatabaseSync(database)
  try {
    const message =
      'It was waiting to be sent when the backup was made, and may have been sent since by the server of then, so it is not sent from here. Ask again if you want it.'
    const error = JSON.stringify({
      ...{ code: 'cancelled', message, providerCode: null, providerMessage: null, providerRequestId: null },
      retryAfterMs: null,
    })
    const dropped = handle
      .prepare(
        "update provider_calls set state = 'settled', outcome = 'dropped', charge = 'none', error = ?, settled_at = ? where state = 'planned'",
      )
      .run(error, new Date().toISOString())
    return Number(dropped.changes)
  } finally {
    handle.close()
  }
}

async function mustBeEmpty(place: string) {
  const found = await stat(place).catch(() => undefined)
  if (!found) return
  const isEmpty = found.isDirectory() ? (await readdir(place)).length === 0 : found.size === 0
  if (!isEmpty) throw new TarError(`${place} is there already. A backup is restored into an empty place only.`)
}

function placeOf(name: string, places: Places): string {
  const isPlain = name.split('/').every(part => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(part))
  if (isPlain && name === databaseName) return places.database
  const [, folder, rest] = /^(images|answers)\/(.+)$/.exec(name) ?? []
  if (!isPlain || !folder || !rest)
    throw new TarError(`The archive holds ${JSON.stringify(name)}, which no backup has.`)
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

async function textOf({ pieces }: Entry) {
  const all: Buffer[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all).toString('utf8')
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
