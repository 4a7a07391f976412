/** A ZIP, also one of the 64-bit form. Its directory is read first; bytes are unpacked as they are read, and no further than allowed. */
import { setImmediate } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import type { Entry, ZipFile } from 'yauzl'
import { EntryError, isHidden, isSafePath, type Refuse, type Tree, TreeError, type TreeFile } from './tree.ts'

/** Each takes some hundred bytes while the archive is open. */
const maxEntries = 2_000_000

interface Refused {
  path: string
  reason: Parameters<Refuse>[1]
  detail?: string
}

/** @throws TreeError when it is no ZIP */
export async function openZip(file: string): Promise<Tree> {
  const zip = await openArchive(file)
  const { entries, refused } = await readDirectory(zip).catch(error => {
    zip.close()
    throw notAnArchive(file, error)
  })
  return {
    name: file,

    async *list(refuse) {
      for (const { path, reason, detail } of refused) refuse(path, reason, detail)
      for (const path of [...entries.keys()].sort()) yield describe(path, entries.get(path)!)
    },

    async *paths() {
      yield* entries.keys()
    },

    async find(path) {
      const entry = entries.get(path)
      return entry && describe(path, entry)
    },

    async *open({ path }, maxBytes) {
      const entry = entries.get(path)
      if (!entry) throw new EntryError('missing', 'It is not in the archive.')
      try {
        yield* unpack(zip, entry, maxBytes)
      } catch (error) {
        if (error instanceof EntryError) throw error
        throw new EntryError('damaged', `The archive is damaged here (${describeError(error)}).`, { cause: error })
      }
    },

    async close() {
      zip.close()
    },
  }
}

async function openArchive(file: string): Promise<ZipFile> {
  const { openPromise } = await import('yauzl')
  try {
    // Names and sizes are looked at here: a bad one is a line of the report, and not the end of the archive.
    return await openPromise(file, { autoClose: false, decodeStrings: false, validateEntrySizes: false })
  } catch (error) {
    throw notAnArchive(file, error)
  }
}

async function readDirectory(zip: ZipFile) {
  const { getFileNameLowLevel } = await import('yauzl')
  const entries = new Map<string, Entry>()
  const refused: Refused[] = []
  let count = 0
  for await (const entry of zip.eachEntry()) {
    if (++count > maxEntries) throw new Error('it has too many entries')
    // Others have their turn meanwhile: the directory of a large archive is long.
    if (count % 500 === 0) await setImmediate()
    const { generalPurposeBitFlag, fileName, extraFields } = entry
    const path = getFileNameLowLevel(generalPurposeBitFlag, fileName as unknown as Buffer, extraFields, true)
    const problem = refuseEntry(path, entry)
    if (problem === undefined) entries.set(path, entry)
    else if (problem !== 'hidden') refused.push({ path, ...problem })
  }
  return { entries, refused }
}

const unixType = 0o170000
const unixLink = 0o120000

function refuseEntry(path: string, entry: Entry): 'hidden' | Omit<Refused, 'path'> | undefined {
  if (path.endsWith('/')) return 'hidden'
  if (!isSafePath(path)) return { reason: 'unsafe_name' }
  if (isHidden(path)) return 'hidden'
  if (((entry.externalFileAttributes >>> 16) & unixType) === unixLink) return { reason: 'symbolic_link' }
  if (entry.isEncrypted()) return { reason: 'encrypted' }
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8)
    return { reason: 'unsupported', detail: `compression method ${entry.compressionMethod}` }
  return undefined
}

async function* unpack(zip: ZipFile, entry: Entry, maxBytes: number): AsyncGenerator<Uint8Array> {
  if (entry.uncompressedSize > maxBytes) throw tooLarge()
  let bytes = 0
  let sum = 0
  for await (const piece of await zip.openReadStreamPromise(entry)) {
    bytes += (piece as Buffer).length
    // The directory may say less than there is.
    if (bytes > maxBytes || bytes > entry.uncompressedSize) throw tooLarge()
    sum = crc32(piece as Buffer, sum)
    yield piece as Buffer
  }
  if (bytes !== entry.uncompressedSize || sum !== entry.crc32) throw new Error('its checksum differs')
}

function tooLarge() {
  return new EntryError('too_large', 'It is too large.')
}

function describe(path: string, entry: Entry): TreeFile {
  return { path, bytes: entry.uncompressedSize, modifiedAt: timeOf(entry) }
}

function timeOf(entry: Entry) {
  const time = entry.getLastModDate({ timezone: 'UTC' })
  return Number.isNaN(time.getTime()) || time.getUTCFullYear() <= 1980 ? undefined : time.toISOString()
}

function notAnArchive(file: string, error: unknown) {
  if (error instanceof TreeError) return error
  const reason = describeError(error)
  return new TreeError(
    `${file} is not a ZIP that can be read (${reason}). Choose the exported file itself, or its unpacked folder.`,
    `${file} 不是可以读取的 ZIP（${reason}）。请选择导出的原始文件，或解压后的文件夹。`,
    { cause: error },
  )
}

function describeError(error: unknown) {
  return error instanceof Error ? error.message : String(error)
}
