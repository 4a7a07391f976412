/** A folder as it lies on the disk. Links are not followed: they may lead anywhere. */
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises'
import path from 'node:path'
import { EntryError, isHidden, isSafePath, type Refuse, type Tree, type TreeFile } from './tree.ts'

const pieceBytes = 256 * 1024
/** A tree that leads deeper was made to be endless. */
const maxDepth = 64

export function openFolder(root: string): Tree {
  /** Of folders that are walked at the moment: most files that are looked for beside a picture are not there. */
  const present = new Map<string, ReadonlySet<string>>()
  return {
    name: root,
    paths: () => walk(root, '', () => {}),

    async *list(refuse) {
      for await (const relative of walk(root, '', refuse, present)) {
        const found = await lstat(path.join(root, relative)).catch(() => undefined)
        if (found?.isFile()) yield describe(relative, found)
        else refuse(relative, 'missing')
      }
    },

    async find(relative) {
      if (!isSafePath(relative)) return undefined
      const slash = relative.lastIndexOf('/')
      if (present.get(relative.slice(0, Math.max(0, slash)))?.has(relative.slice(slash + 1)) === false) return undefined
      // Every part is looked at: a link in the middle leads out as well.
      const parts = relative.split('/')
      for (let length = 1; length < parts.length; length++) {
        const found = await lstat(path.join(root, ...parts.slice(0, length))).catch(() => undefined)
        if (!found?.isDirectory()) return undefined
      }
      const found = await lstat(path.join(root, ...parts)).catch(() => undefined)
      return found?.isFile() ? describe(relative, found) : undefined
    },

    async *open(file, maxBytes) {
      const handle = await openFile(path.join(root, ...file.path.split('/')))
      try {
        yield* readPieces(handle, file.bytes, maxBytes)
      } catch (error) {
        throw error instanceof EntryError ? error : unreadable(error)
      } finally {
        await handle.close()
      }
    },

    placeOf: file => path.join(root, ...file.path.split('/')),

    async close() {},
  }
}

/** One file, as a folder that holds nothing else. */
export function openSingleFile(file: string): Tree {
  const folder = openFolder(path.dirname(file))
  const name = path.basename(file)
  return {
    ...folder,
    name: file,
    async *list() {
      const found = await folder.find(name)
      if (found) yield found
    },
    async *paths() {
      yield name
    },
  }
}

/** Paths of plain files. A folder at a time is in memory; its names are in `present` meanwhile. */
async function* walk(
  root: string,
  folder: string,
  refuse: Refuse,
  present?: Map<string, ReadonlySet<string>>,
  depth = 0,
): AsyncGenerator<string> {
  const entries = await readdir(path.join(root, folder), { withFileTypes: true }).catch(error => {
    refuse(folder || '.', 'unreadable', codeOf(error))
    return []
  })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  present?.set(folder, new Set(entries.map(({ name }) => name)))
  for (const entry of entries) {
    const relative = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (isHidden(entry.name)) continue
    if (!isSafePath(relative)) refuse(relative, 'unsafe_name')
    else if (entry.isSymbolicLink()) refuse(relative, 'symbolic_link')
    else if (entry.isDirectory()) {
      if (depth >= maxDepth) refuse(relative, 'unreadable', 'too many folders inside one another')
      else yield* walk(root, relative, refuse, present, depth + 1)
    } else if (entry.isFile()) yield relative
    else refuse(relative, 'unreadable', 'not an ordinary file')
  }
  present?.delete(folder)
}

function describe(relative: string, { size, mtimeMs }: { size: number; mtimeMs: number }): TreeFile {
  return { path: relative, bytes: size, modifiedAt: new Date(mtimeMs).toISOString() }
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    // It may have become a link, or a pipe that never ends, since it was listed.
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    if ((await handle.stat()).isFile()) return handle
    await handle.close()
    throw new EntryError('unreadable', 'It is not an ordinary file.')
  } catch (error) {
    throw error instanceof EntryError ? error : unreadable(error)
  }
}

/** @param expected what the file had when it was found; it may have grown since */
async function* readPieces(handle: FileHandle, expected: number, maxBytes: number): AsyncGenerator<Uint8Array> {
  for (let done = 0; ; ) {
    // No larger than needed: many large buffers for small files keep the garbage collector busy.
    const length = Math.min(pieceBytes, Math.max(expected - done, 0) + 1024)
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, done)
    if (bytesRead === 0) return
    done += bytesRead
    if (done > maxBytes) throw new EntryError('too_large', 'It is too large.')
    yield buffer.subarray(0, bytesRead)
  }
}

function unreadable(error: unknown) {
  const code = codeOf(error)
  return new EntryError(code === 'ENOENT' ? 'missing' : 'unreadable', `It cannot be read (${code}).`, { cause: error })
}

function codeOf(error: unknown) {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
