/** Archives in the plain ustar format that every tool opens. Whole files in, whole files out, one after the other. */
import { type FileHandle, open } from 'node:fs/promises'
import { SentenceError } from '../../operator/sentence-error.ts'

const block = 512
/** ustar size limit (8 GiB − 1). */
const largestFile = 8 ** 11 - 1

export class TarError extends SentenceError {
  override name = 'TarError'
}

/** @param name of plain letters, at most 100. */
export async function writeEntry(
  archive: FileHandle,
  name: string,
  size: number,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
) {
  if (size > largestFile)
    throw new TarError(
      `${name} is larger than 8 GiB, which this archive cannot hold.`,
      `${name} 大于 8 GiB，归档无法容纳。`,
    )
  await writeAll(archive, writeHeader(name, size))
  let written = 0
  for await (const piece of pieces) {
    written += piece.length
    await writeAll(archive, piece)
  }
  if (written !== size) throw new TarError(`${name} changed while it was copied.`, `${name} 在复制时发生了变化。`)
  await writeAll(archive, Buffer.alloc((block - (size % block)) % block))
}

export async function writeEnd(archive: FileHandle) {
  await writeAll(archive, Buffer.alloc(2 * block))
}

export interface Entry {
  name: string
  size: number
  /** Has to be read before the next entry is requested; the unread rest is skipped. */
  pieces: AsyncGenerator<Buffer>
}

/** @throws TarError when it is not an archive, or is incomplete */
export async function* readEntries(path: string): AsyncGenerator<Entry> {
  await using archive = await open(path, 'r')
  for (let position = 0; ; ) {
    const header = await readExactly(archive, position, block)
    position += block
    if (header.every(byte => byte === 0)) return
    const { name, size } = readHeader(header)
    const start = position
    yield { name, size, pieces: piecesOf(archive, start, size) }
    position = start + Math.ceil(size / block) * block
  }
}

async function* piecesOf(archive: FileHandle, start: number, size: number): AsyncGenerator<Buffer> {
  for (let done = 0; done < size; ) {
    const piece = await readExactly(archive, start + done, Math.min(1024 * 1024, size - done))
    done += piece.length
    yield piece
  }
}

function writeHeader(name: string, size: number): Buffer {
  if (!/^[\x21-\x7e]{1,100}$/.test(name))
    throw new TarError(`${name} is not a valid name in a backup.`, `归档中不能使用文件名 ${name}。`)
  const header = Buffer.alloc(block)
  header.write(name, 0, 'latin1')
  header.write('0000600\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  header.write(`${Math.floor(Date.now() / 1000).toString(8)}\0`, 136)
  // An ordinary file; then, behind an empty link name, the name of this form.
  header.write('0', 156)
  header.write('ustar\x0000', 257, 'latin1')
  header.write(`${sumHeader(header).toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

function readHeader(header: Buffer) {
  const told = Number.parseInt(header.toString('latin1', 148, 154), 8)
  if (told !== sumHeader(header))
    throw new TarError('This is not a backup, or it is damaged.', '这不是备份归档，或已损坏。')
  const name = header.toString('latin1', 0, 100).replace(/\0.*$/s, '')
  const size = Number.parseInt(header.toString('latin1', 124, 135), 8)
  if (!Number.isSafeInteger(size))
    throw new TarError(`The archive does not give the size of ${name}.`, `归档中没有 ${name} 的大小。`)
  return { name, size }
}

/** The sum of all header bytes, with spaces in place of the checksum. */
function sumHeader(header: Buffer): number {
  return header.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 32 : byte), 0)
}

async function readExactly(archive: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  for (let read = 0; read < length; ) {
    const { bytesRead } = await archive.read(bytes, read, length - read, position + read)
    if (bytesRead === 0)
      throw new TarError('The archive ends too early: the copy is incomplete.', '归档不完整：可能没有复制完。')
    read += bytesRead
  }
  return bytes
}

async function writeAll(archive: FileHandle, bytes: Uint8Array) {
  for (let written = 0; written < bytes.length; ) written += (await archive.write(bytes, written)).bytesWritten
}
