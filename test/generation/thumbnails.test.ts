import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { createShrinker } from '../../src/images/shrinker.ts'
import { createThumbnails, ThumbnailError, type Thumbnails } from '../../src/images/thumbnails.ts'
import { createFolderFiles, type Files, storageError } from '../../src/storage/files/folder.ts'
import type { ImageRecord } from '../../src/storage/records.ts'

let root: string
let files: Files
let reads: string[]
let thumbnails: Thumbnails
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'webimgui-thumbnails-'))
  const folder = createFolderFiles(root)
  reads = []
  files = {
    ...folder,
    withPath(key, work) {
      reads.push(key)
      return folder.withPath(key, work)
    },
  }
  thumbnails = create(files)
})
afterEach(() => rm(root, { recursive: true, force: true }))

const shrinker = createShrinker()
afterAll(() => shrinker.close())

const create = (files: Files, quietMs = 0) => createThumbnails({ files, shrinker, quietMs, failed() {} })

async function stored(bytes: Buffer): Promise<ImageRecord> {
  const temporary = await files.temporary()
  await writeFile(temporary, bytes)
  await files.put('2026/11/a.png', temporary)
  return image
}

const image: ImageRecord = {
  ...{ id: 'a', file: '2026/11/a.png', role: 'result', generationId: 'g', callId: 'c', index: 0 },
  ...{ width: 1, height: 1, bytes: 1, mimeType: 'image/png', sha256: '', createdAt: '', details: null },
}
const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#336699' } })

test('is a WebP of at most 512 px, upright, and kept beside the original', async () => {
  const record = await stored(await picture(1024, 600).withMetadata({ orientation: 6 }).jpeg().toBuffer())

  const made = await thumbnails.get(record, 512)
  const again = await thumbnails.get(record, 512)

  expect(await sharp(made).metadata()).toMatchObject({ format: 'webp', width: 300, height: 512 })
  expect(again).toEqual(made)
  expect(await files.size('thumbnails/a.webp')).toBe(made.length)
  expect(reads.filter(key => key === record.file)).toHaveLength(1)
})

test('a small picture stays as small as it is', async () => {
  const record = await stored(await picture(100, 50).png().toBuffer())

  expect(await sharp(await thumbnails.get(record, 512)).metadata()).toMatchObject({ width: 100, height: 50 })
})

test('those who ask at the same time share one making', async () => {
  const record = await stored(await picture(600, 600).png().toBuffer())

  const made = await Promise.all(Array.from({ length: 8 }, () => thumbnails.get(record, 512)))

  expect(new Set(made.map(bytes => bytes.toString('base64'))).size).toBe(1)
  expect(reads.filter(key => key === record.file)).toHaveLength(1)
})

test('nothing stays of a picture that was deleted while its thumbnail was made', async () => {
  const record = await stored(await picture(600, 600).png().toBuffer())
  const racing = create({
    ...files,
    async withPath(key, work) {
      const made = await files.withPath(key, work)
      await files.remove(record.file)
      await files.remove('thumbnails/a.webp')
      return made
    },
  })

  await racing.get(record, 512)

  expect(await files.size('thumbnails/a.webp')).toBeUndefined()
})

test('has a second size for dense screens, unless both would be the same', async () => {
  const record = { ...(await stored(await picture(3000, 2000).png().toBuffer())), width: 3000, height: 2000 }
  const small = { ...record, width: 500, height: 300 }

  const made = await thumbnails.get(record, 1024)

  expect(await sharp(made).metadata()).toMatchObject({ format: 'webp', width: 1024, height: 683 })
  expect(await files.size('thumbnails/a-1024.webp')).toBe(made.length)
  await thumbnails.remove('a')
  expect(await files.size('thumbnails/a-1024.webp')).toBeUndefined()
  await thumbnails.get(small, 1024)
  expect(await files.size('thumbnails/a-1024.webp')).toBeUndefined()
})

test('both are made from one reading once nothing is being stored, and at once for whoever asks', async () => {
  const record = { ...(await stored(await picture(1500, 1000).png().toBuffer())), width: 1500, height: 1000 }
  const other = { ...record, id: 'b' }
  const { promise: storing, resolve: stored1 } = Promise.withResolvers<void>()
  const during = thumbnails.during(() => storing)
  thumbnails.makeLater(record)
  thumbnails.makeLater(other)

  await thumbnails.get(other, 512)

  expect(await files.size('thumbnails/b.webp')).toBeGreaterThan(0)
  expect(await files.size('thumbnails/a.webp')).toBeUndefined()
  stored1()
  await during
  await expect.poll(() => files.size('thumbnails/b-1024.webp')).toBeGreaterThan(0)
  expect(await files.size('thumbnails/a.webp')).toBeGreaterThan(0)
  expect(await files.size('thumbnails/a-1024.webp')).toBeGreaterThan(0)
  expect(reads).toHaveLength(3)
  await thumbnails.close()
})

test('is made anew after it was removed', async () => {
  const record = await stored(await picture(600, 600).png().toBuffer())
  await thumbnails.get(record, 512)

  await thumbnails.remove('a')
  expect(await files.size('thumbnails/a.webp')).toBeUndefined()
  await thumbnails.get(record, 512)

  expect(await files.size('thumbnails/a.webp')).toBeGreaterThan(0)
})

test('what cannot be shrunk is a clear error, each time, and the next picture is fine', async () => {
  const broken = await stored(Buffer.from('this is no picture'))

  await expect(thumbnails.get(broken, 512)).rejects.toBeInstanceOf(ThumbnailError)
  await expect(thumbnails.get(broken, 512)).rejects.toThrow('Use the picture itself.')
  const record = await stored(await picture(600, 600).png().toBuffer())

  expect((await thumbnails.get(record, 512)).length).toBeGreaterThan(0)
})

test('an original that is gone is said to be missing', async () => {
  await expect(thumbnails.get(image, 512)).rejects.toMatchObject({ name: 'StorageError', code: 'missing' })
})

test('a disk that is full does not keep the thumbnail from being shown', async () => {
  const record = await stored(await picture(600, 600).png().toBuffer())
  const full = storageError(Object.assign(new Error('full'), { code: 'ENOSPC' }))
  const shown = await create({ ...files, put: () => Promise.reject(full) }).get(record, 512)

  expect(await sharp(shown).metadata()).toMatchObject({ format: 'webp', width: 512 })
  expect(await files.size('thumbnails/a.webp')).toBeUndefined()
  expect(await files.sweep()).toBe(0)
})
