/** Storage for the bytes of images: a small interface, and its implementation for a folder. */
import { randomUUID } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { SentenceError } from '../../operator/sentence-error.ts'
import { createFolderSync } from './sync-folder.ts'

/** Every method may throw StorageError. Keys look like `2026/11/<id>.png`. */
export interface Files {
  /**
   * Moves a file from `temporary()` or `create()` to its place. When it returns, the bytes and the name survive a power cut. What
   * stood under the key before is replaced. `isSynced`: the bytes are on disk already.
   */
  put(key: string, temporaryPath: string, options?: { isSynced?: boolean }): Promise<void>
  /** Makes the name of a file survive a power cut, where the process that put it may have died before that. @throws StorageError `missing` */
  keep(key: string): Promise<void>
  /** The path of a new file that does not exist yet; `put` it, or remove it, or leave it to `sweep`. */
  temporary(): Promise<string>
  /** The same, open for writing. */
  create(): Promise<NewFile>
  /** `range` in bytes, both ends included. @throws StorageError `missing` before any byte was read. */
  open(key: string, range?: { start: number; end: number }): Promise<Readable>
  /** Runs `work` with a path where the file can be read; its errors pass unchanged. @throws StorageError `missing` */
  withPath<T>(key: string, work: (path: string) => Promise<T>): Promise<T>
  /** Size in bytes; undefined when there is no such file. */
  size(key: string): Promise<number | undefined>
  /** Does nothing when there is no such file. */
  remove(key: string): Promise<void>
  /**
   * Removes temporary files that another process left more than `olderThanMs` ago (0 when absent: all, also those of this one). Returns
   * how many.
   */
  sweep(olderThanMs?: number): Promise<number>
  /** Every key, or every key of that folder, in no order that matters. */
  list(folder?: string): AsyncIterable<string>
  /** Bytes that can still be written; undefined when the file system cannot tell. */
  freeBytes(): Promise<number | undefined>
  /** Proves that it can write. */
  check(): Promise<void>
}

export interface NewFile {
  path: string
  handle: FileHandle
}

/** `full`: no space; `denied`: no permission; `missing`: no such file; `failed`: anything else. */
type StorageErrorCode = 'full' | 'denied' | 'missing' | 'failed'

export class StorageError extends SentenceError {
  override name = 'StorageError'
  readonly code: StorageErrorCode

  constructor(code: StorageErrorCode, en: string, zh: string, options: { cause?: unknown } = {}) {
    super(en, zh, options)
    this.code = code
  }
}

/** What an error of the file system means, in a sentence that says what to do. */
export function storageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error
  const systemCode = error instanceof Error && 'code' in error ? String(error.code) : ''
  const [code, en, zh] = sentences[systemCode] ?? failed
  const suffix = systemCode ? ` (${systemCode})` : ''
  return new StorageError(code, en + suffix, zh + suffix, { cause: error })
}

type Sentence = [code: StorageErrorCode, en: string, zh: string]

const denied: Sentence = [
  'denied',
  'The picture store is not writable. Give this program write access to its folder.',
  '图片文件夹不可写。请让本程序可以写入它。',
]
const missing: Sentence = ['missing', 'The file is not in the picture store.', '图片文件夹中没有这个文件。']
const tooManyOpen: Sentence = [
  'failed',
  'Too many files are open. Raise the limit of open files.',
  '打开的文件过多。请提高系统的文件数上限。',
]
const failed: Sentence = ['failed', 'The picture store failed. Check its disk.', '图片存储出错。请检查磁盘。']
const sentences: Record<string, Sentence> = {
  ENOSPC: ['full', 'The picture store is full. Make room on its disk.', '图片存储已满。请在磁盘上腾出空间。'],
  EDQUOT: [
    'full',
    'The quota of the picture store is used up. Make room or raise it.',
    '图片存储的配额已用完。请腾出空间或提高配额。',
  ],
  EFBIG: ['full', 'The picture store does not take a file of this size.', '图片存储不支持这么大的文件。'],
  EACCES: denied,
  EPERM: denied,
  EROFS: ['denied', 'The picture store is read-only. Mount it writable.', '图片存储是只读的。请以可写方式挂载。'],
  ENOENT: missing,
  EISDIR: missing,
  EIO: [
    'failed',
    'The disk of the picture store cannot be read or written. Check its health.',
    '图片存储所在磁盘无法读写。请检查磁盘状况。',
  ],
  EMFILE: tooManyOpen,
  ENFILE: tooManyOpen,
}

/** Begins with a dot, so that no key can name it. */
const temporaryFolder = '.temporary'

/** @param path is made when it is missing, with the first file. */
export function createFolderFiles(path: string): Files {
  const folder = join(path, temporaryFolder)
  const syncFolders = createFolderSync(path)
  /** Names that this process has given out, and when, as `performance.now()` has it. Whoever has one removes its file. */
  const given = new Map<string, number>()

  function giveName() {
    const name = randomUUID()
    given.set(name, performance.now())
    return join(folder, name)
  }

  async function temporary() {
    await mkdir(folder, { recursive: true })
    return giveName()
  }

  return {
    put: (key, temporaryPath, { isSynced = false } = {}) =>
      explained(async () => {
        const place = resolveKey(path, key)
        if (!isSynced) await synchronise(temporaryPath)
        const { firstMade } = await inFolder(dirname(place), () => rename(temporaryPath, place))
        await syncFolders(dirname(place), firstMade)
      }),

    keep: key =>
      explained(async () => {
        const place = resolveKey(path, key)
        await stat(place)
        await syncFolders(dirname(place))
      }),

    temporary: () => explained(temporary),

    create: () =>
      explained(async () => {
        const place = giveName()
        const { result: handle } = await inFolder(folder, () => open(place, 'wx'))
        return { path: place, handle }
      }),

    open: (key, range) =>
      explained(async () => {
        const file = await open(resolveKey(path, key), 'r')
        try {
          if (!(await file.stat()).isFile()) throw storageError(Object.assign(new Error(key), { code: 'EISDIR' }))
        } catch (error) {
          await file.close()
          throw error
        }
        return file.createReadStream({ ...range })
      }),

    async withPath(key, work) {
      const place = resolveKey(path, key)
      const isFile = await explained(async () => (await stat(place)).isFile())
      if (!isFile) throw storageError(Object.assign(new Error(key), { code: 'EISDIR' }))
      return work(place)
    },

    size: key =>
      explained(async () => {
        try {
          const found = await stat(resolveKey(path, key))
          return found.isFile() ? found.size : undefined
        } catch (error) {
          if (isMissing(error)) return undefined
          throw error
        }
      }),

    remove: key => explained(() => rm(resolveKey(path, key), { force: true })),

    sweep: (olderThanMs = 0) =>
      explained(async () => {
        let removed = 0
        for (const entry of await listEntries(folder)) {
          const left = join(folder, entry.name)
          try {
            const isKept = given.has(entry.name) || Date.now() - (await stat(left)).mtimeMs < olderThanMs
            if (olderThanMs > 0 && isKept) continue
            await rm(left, { recursive: true, force: true })
            removed++
          } catch (error) {
            // The writer has just moved the file to its final place.
            if (!isMissing(error)) throw error
          }
        }
        const names = new Set((await listEntries(folder)).map(entry => entry.name))
        for (const [name, at] of given) {
          if (!names.has(name) && performance.now() - at >= olderThanMs) given.delete(name)
        }
        return removed
      }),

    async *list(folder) {
      yield* folder === undefined ? keysUnder(path, '') : keysUnder(resolveKey(path, folder), `${folder}/`)
    },

    freeBytes: () =>
      explained(async () => {
        await mkdir(path, { recursive: true })
        const system = await statfs(path)
        return system.bavail * system.bsize
      }),

    check: () =>
      explained(async () => {
        const proof = await temporary()
        try {
          await using file = await open(proof, 'wx')
          await file.writeFile('webimgui')
          await file.sync()
        } finally {
          await rm(proof, { force: true })
        }
      }),
  }
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw storageError(error)
  }
}

/** A key is made of plain names, none of which begins with a dot, so it cannot lead out of the folder. */
function resolveKey(path: string, key: string): string {
  const isPlain = key.length <= 500 && key.split('/').every(name => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name))
  if (!isPlain) throw badKey(key)
  return join(path, ...key.split('/'))
}

function badKey(key: string) {
  const shown = JSON.stringify(key.slice(0, 100))
  return new StorageError('failed', `${shown} is not the key of a stored file.`, `${shown} 不是图片文件的名称。`)
}

/** The folder is only made when it is missing. `firstMade`: what `mkdir` gave back. */
async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<{ result: T; firstMade?: string }> {
  try {
    return { result: await work() }
  } catch (error) {
    if (!isMissing(error)) throw error
    const firstMade = await mkdir(folder, { recursive: true })
    return { result: await work(), firstMade }
  }
}

async function synchronise(file: string) {
  const handle = await open(file, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function* keysUnder(folder: string, prefix: string): AsyncGenerator<string> {
  for (const entry of await explained(() => listEntries(folder))) {
    if (entry.name.startsWith('.')) continue
    if (entry.isDirectory()) yield* keysUnder(join(folder, entry.name), `${prefix}${entry.name}/`)
    else if (entry.isFile()) yield `${prefix}${entry.name}`
  }
}

async function listEntries(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
