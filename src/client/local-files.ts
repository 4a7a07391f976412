/** Pictures between a server and the files of this machine. For programs; a page has neither. */
import { createHash, randomBytes } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Image } from '../api/images.ts'
import type { createClient } from './client.ts'
import { ApiError } from './errors.ts'

type Client = ReturnType<typeof createClient>
/** `sha256` is absent where only the id is known. */
export type Original = Pick<Image, 'id' | 'mime_type'> & { sha256?: string }

/** What the server takes as a reference. */
const maxFileBytes = 20 * 1024 * 1024
const pictureNames = /\.(png|jpe?g|webp|gif|bmp|tiff?|avif|heic|heif)$/i

/** A file that cannot be used; nothing was sent. */
export class LocalFileError extends Error {
  override name = 'LocalFileError'
}

/** Has this the name of a picture file? */
export function isPictureName(file: string) {
  return pictureNames.test(file)
}

/**
 * A file that may be sent as a reference: its absolute path and the hash of its bytes.
 * @param text a path, `~/…`, or a `file:` URL
 * @throws LocalFileError
 */
export async function checkPictureFile(text: string): Promise<{ file: string; sha256: string }> {
  const file = toPath(text)
  const facts = await stat(file).catch(() => undefined)
  if (!facts?.isFile()) throw new LocalFileError(`There is no file "${file}".`)
  if (!isPictureName(file)) {
    throw new LocalFileError(`"${file}" does not have the name of a picture, such as .png or .jpg.`)
  }
  if (facts.size > maxFileBytes) throw new LocalFileError(`"${file}" is larger than 20 MB.`)
  return { file, sha256: hashBytes(await readFile(file)) }
}

/** Stores the picture at the server as a reference. @returns its id @throws LocalFileError, ApiError */
export async function uploadPictureFile(client: Client, text: string): Promise<string> {
  const { file } = await checkPictureFile(text)
  return (await client.images.upload(await openAsBlob(file), { name: path.basename(file) })).id
}

/**
 * Saves a picture byte for byte, whole or not at all. A file that holds it already is left as it is; one that holds anything else is
 * kept, and the picture gets a name with a number, unless `isReplaced`.
 * @param place `name` has no ending
 */
export async function saveOriginal(
  client: Client,
  image: Original,
  { folder, name, ending = endingOf(image), isReplaced = false }: SavePlace,
): Promise<{ file: string; isNew: boolean }> {
  let bytes = image.sha256 === undefined ? await readOriginal(client, image) : undefined
  const sha256 = image.sha256 ?? hashBytes(bytes ?? new Uint8Array())
  await mkdir(folder, { recursive: true })
  for (let number = 1; ; number++) {
    const file = path.join(folder, `${name}${number === 1 ? '' : `-${number}`}.${ending}`)
    const present = await hashFile(file)
    if (present === sha256) return { file, isNew: false }
    if (present !== undefined && !isReplaced) continue
    bytes ??= await readOriginal(client, image)
    if (await writeWhole(file, bytes, isReplaced)) return { file, isNew: true }
    // Somebody else has taken the name meanwhile, perhaps for the same picture.
    if ((await hashFile(file)) === sha256) return { file, isNew: false }
  }
}

/** Removes what a killed program left half written there, more than an hour ago. */
export async function sweepUnfinished(folder: string) {
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter(name => /^\.webimgui-[0-9a-f]{12}\.part$/.test(name))) {
    const file = path.join(folder, name)
    const facts = await stat(file).catch(() => undefined)
    if (facts && Date.now() - facts.mtimeMs > 3600 * 1000) await rm(file, { force: true })
  }
}

export interface SavePlace {
  folder: string
  name: string
  ending?: string
  isReplaced?: boolean
}

/** `png`, as the name of a file of that type ends. */
export function endingOf({ mime_type: type }: Pick<Image, 'mime_type'>) {
  return type
    .replace(/^image\/(x-)?/, '')
    .replace(/^jpeg$/, 'jpg')
    .replace(/\W.*$/, '')
}

/** A connection that breaks off is tried again: reading is free. */
async function readOriginal(client: Client, { id, sha256 }: Original) {
  for (let left = 2; ; left--) {
    try {
      const { bytes } = await client.images.read(id)
      if (sha256 === undefined || hashBytes(bytes) === sha256) return bytes
      throw new LocalFileError(`The picture ${id} arrived damaged.`)
    } catch (error) {
      const isRefused = error instanceof ApiError && error.status !== 0
      if (left === 0 || isRefused) throw error
      await new Promise(resolve => setTimeout(resolve, 500))
    }
  }
}

/** False: there is such a file now, and it was left. */
async function writeWhole(file: string, bytes: Uint8Array, isReplaced: boolean) {
  const temporary = path.join(path.dirname(file), `.webimgui-${randomBytes(6).toString('hex')}.part`)
  try {
    const handle = await open(temporary, 'wx')
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    if (isReplaced) await rename(temporary, file)
    else await moveToNewName(temporary, file)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Unlike a rename it never replaces a file. */
async function moveToNewName(temporary: string, file: string) {
  try {
    await link(temporary, file)
  } catch (error) {
    if (!isCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK')) throw error
    // A file system without hard links, such as that of a memory card: the name is taken first.
    await (await open(file, 'wx')).close()
    await rename(temporary, file)
  }
}

async function hashFile(file: string) {
  try {
    return hashBytes(await readFile(file))
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    // A folder of that name, or one that may not be read: it is not ours.
    if (isCode(error, 'EISDIR', 'EACCES')) return ''
    throw error
  }
}

function hashBytes(bytes: Uint8Array) {
  return createHash('sha256').update(bytes).digest('hex')
}

function isCode(error: unknown, ...codes: string[]) {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

function toPath(text: string) {
  if (text.startsWith('file:')) return fileURLToPath(text)
  return path.resolve(text.replace(/^~(?=\/)/, os.homedir()))
}
