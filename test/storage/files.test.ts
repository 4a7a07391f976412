import { chmod, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createFolderFiles, type Files, StorageError, storageError } from '../../src/storage/files/folder.ts'
import { createRemovals } from '../../src/storage/files/removals.ts'

let root: string
let files: Files
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'webimgui-files-'))
  files = createFolderFiles(join(root, 'images'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

async function put(key: string, content: string) {
  const temporary = await files.temporary()
  await writeFile(temporary, content)
  await files.put(key, temporary)
}

async function textOf(stream: Readable) {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString()
}

async function keys() {
  const found: string[] = []
  for await (const key of files.list()) found.push(key)
  return found.sort()
}

test('a file is found under its key, whole and in part, and is gone after it was removed', async () => {
  await put('2026/11/a.png', '0123456789')

  expect(await textOf(await files.open('2026/11/a.png'))).toBe('0123456789')
  expect(await textOf(await files.open('2026/11/a.png', { start: 2, end: 4 }))).toBe('234')
  expect(await files.size('2026/11/a.png')).toBe(10)
  await files.remove('2026/11/a.png')
  await files.remove('2026/11/a.png')
  expect(await files.size('2026/11/a.png')).toBeUndefined()
  await expect(files.open('2026/11/a.png')).rejects.toMatchObject({ name: 'StorageError', code: 'missing' })
})

test('a temporary file is on the same file system and is moved, not copied', async () => {
  const temporary = await files.temporary()
  await writeFile(temporary, 'bytes')
  const before = await stat(temporary)

  await files.put('a/b/c/d.webp', temporary)

  expect((await stat(join(root, 'images/a/b/c/d.webp'))).ino).toBe(before.ino)
  expect(await readdir(dirname(temporary))).toEqual([])
})

test('putting again replaces', async () => {
  await put('a.png', 'old')
  await put('a.png', 'new')

  expect(await textOf(await files.open('a.png'))).toBe('new')
})

test('lists every key and no temporary file', async () => {
  expect(await keys()).toEqual([])
  await put('2026/11/a.png', 'a')
  await put('thumbnails/a.webp', 'a')
  await put('b.png', 'b')
  await writeFile(await files.temporary(), 'left over')

  expect(await keys()).toEqual(['2026/11/a.png', 'b.png', 'thumbnails/a.webp'])
})

test('sweeps what was left over, when it is old enough', async () => {
  expect(await files.sweep()).toBe(0)
  const young = await files.temporary()
  const [old, own] = [join(dirname(young), 'left by another process'), await files.temporary()]
  const longAgo = new Date(Date.now() - 7200_000)
  for (const file of [old, own]) {
    await writeFile(file, 'old')
    await utimes(file, longAgo, longAgo)
  }
  await writeFile(young, 'young')
  await put('a.png', 'kept')

  expect(await files.sweep(3600_000)).toBe(1)
  expect(await readFile(young, 'utf8')).toBe('young')
  expect(await readFile(own, 'utf8')).toBe('old')
  expect(await files.sweep()).toBe(2)
  await expect(stat(young)).rejects.toThrow()
  expect(await keys()).toEqual(['a.png'])
})

test.each([
  '../a.png',
  '/etc/passwd',
  'a/../../b',
  'a//b',
  '',
  '.temporary/x',
  'a/.hidden',
  'a\\b',
  'a\0b',
  'a/',
  '图.png',
])('the key %j is refused', async key => {
  const temporary = await files.temporary()
  await writeFile(temporary, 'x')

  await expect(files.put(key, temporary)).rejects.toBeInstanceOf(StorageError)
  await expect(files.open(key)).rejects.toBeInstanceOf(StorageError)
  await expect(files.size(key)).rejects.toBeInstanceOf(StorageError)
  await expect(files.remove(key)).rejects.toBeInstanceOf(StorageError)
  expect(await readFile(temporary, 'utf8')).toBe('x')
})

test('a folder is not a file', async () => {
  await put('2026/11/a.png', 'a')

  expect(await files.size('2026/11')).toBeUndefined()
  await expect(files.open('2026/11')).rejects.toMatchObject({ code: 'missing' })
})

test('proves that it can write, and leaves nothing behind', async () => {
  await files.check()

  expect(await files.freeBytes()).toBeGreaterThan(0)
  expect(await files.sweep()).toBe(0)
})

test('says in words why it cannot write', async () => {
  await writeFile(join(root, 'file'), '')
  const impossible = createFolderFiles(join(root, 'file', 'images'))

  await expect(impossible.check()).rejects.toBeInstanceOf(StorageError)
  await expect(impossible.temporary()).rejects.toBeInstanceOf(StorageError)
})

test.skipIf(process.getuid?.() === 0)('a folder without the right to write is denied', async () => {
  await files.check()
  await chmod(join(root, 'images', '.temporary'), 0o500)

  await expect(files.check()).rejects.toMatchObject({ code: 'denied' })
})

test.each([
  ['ENOSPC', 'full'],
  ['EDQUOT', 'full'],
  ['EACCES', 'denied'],
  ['EROFS', 'denied'],
  ['ENOENT', 'missing'],
  ['EIO', 'failed'],
  ['ESOMETHING', 'failed'],
])('%s means %s, in a sentence with the cause', (code, expected) => {
  const cause = Object.assign(new Error('raw'), { code })

  const error = storageError(cause)

  expect(error).toMatchObject({ code: expected, cause })
  expect(error.message).toMatch(new RegExp(`^The .+\\. \\(${code}\\)$`))
  expect(storageError(error)).toBe(error)
})

test('a file that could not be removed is removed later, and keeps nobody waiting', async () => {
  await put('2026/11/a.png', 'a')
  const failed: unknown[] = []
  const removals = createRemovals(error => failed.push(error))
  let isFaulty = true
  await removals.make(async () => {
    if (isFaulty) throw Object.assign(new Error('EIO: i/o error, unlink'), { code: 'EIO' })
    await files.remove('2026/11/a.png')
  })
  await removals.repeat()
  expect([failed.length, await keys()]).toEqual([2, ['2026/11/a.png']])

  isFaulty = false
  await removals.repeat()
  await removals.repeat()
  expect([failed.length, await keys()]).toEqual([2, []])
})
