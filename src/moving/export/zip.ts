/**
 * A ZIP that is written while it is sent: stored, because pictures are compressed already; 64-bit where it has to be, so that its size has
 * no limit. Each file is read twice, so that its sum stands before it, as every program expects it. PKWARE APPNOTE 6.3.10, §4.3 and §4.5.3.
 */
import { crc32 } from 'node:zlib'
import { type ExportFile, isGone } from './entries.ts'

const max32 = 0xffffffff
const max16 = 0xffff
const utf8Flag = 0x0800

interface Entry {
  name: Buffer
  bytes: number
  sum: number
  time: number
  date: number
  offset: number
}

export async function* writeZip(files: AsyncIterable<ExportFile>): AsyncGenerator<Uint8Array> {
  const directory: Buffer[] = []
  let offset = 0
  let count = 0
  for await (const file of files) {
    const sum = await sumOf(file).catch(error => {
      if (isGone(error)) return undefined
      throw error
    })
    if (!sum) continue
    const entry: Entry = { name: Buffer.from(file.name, 'utf8'), ...sum, ...dosTime(file.modifiedAt), offset }
    const head = localHead(entry)
    yield head
    let written = 0
    for await (const piece of await file.open()) {
      written += piece.length
      yield piece
    }
    if (written !== entry.bytes) throw new Error(`${file.name} changed while it was exported`)
    directory.push(directoryHead(entry))
    offset += head.length + entry.bytes
    count++
  }
  yield* directory
  yield directoryEnd(
    count,
    directory.reduce((sum, one) => sum + one.length, 0),
    offset,
  )
}

async function sumOf(file: ExportFile) {
  let sum = 0
  let bytes = 0
  for await (const piece of await file.open()) {
    sum = crc32(piece, sum)
    bytes += piece.length
  }
  return { sum, bytes }
}

function localHead({ name, bytes, sum, time, date }: Entry) {
  const isLarge = bytes >= max32
  const head = Buffer.alloc(30)
  head.writeUInt32LE(0x04034b50, 0)
  head.writeUInt16LE(isLarge ? 45 : 20, 4)
  head.writeUInt16LE(utf8Flag, 6)
  head.writeUInt16LE(time, 10)
  head.writeUInt16LE(date, 12)
  head.writeUInt32LE(sum, 14)
  head.writeUInt32LE(isLarge ? max32 : bytes, 18)
  head.writeUInt32LE(isLarge ? max32 : bytes, 22)
  head.writeUInt16LE(name.length, 26)
  const extra = isLarge ? largeField([bytes, bytes]) : Buffer.alloc(0)
  head.writeUInt16LE(extra.length, 28)
  return Buffer.concat([head, name, extra])
}

function directoryHead({ name, bytes, sum, time, date, offset }: Entry) {
  const isLarge = bytes >= max32
  const isFar = offset >= max32
  const head = Buffer.alloc(46)
  head.writeUInt32LE(0x02014b50, 0)
  // Made on Unix, so that permissions mean something: an ordinary file, 0644.
  head.writeUInt16LE((3 << 8) | 45, 4)
  head.writeUInt16LE(isLarge || isFar ? 45 : 20, 6)
  head.writeUInt16LE(utf8Flag, 8)
  head.writeUInt16LE(time, 12)
  head.writeUInt16LE(date, 14)
  head.writeUInt32LE(sum, 16)
  head.writeUInt32LE(isLarge ? max32 : bytes, 20)
  head.writeUInt32LE(isLarge ? max32 : bytes, 24)
  head.writeUInt16LE(name.length, 28)
  const extra = largeField([...(isLarge ? [bytes, bytes] : []), ...(isFar ? [offset] : [])])
  head.writeUInt16LE(extra.length, 30)
  head.writeUInt32LE((0o100644 << 16) >>> 0, 38)
  head.writeUInt32LE(isFar ? max32 : offset, 42)
  return Buffer.concat([head, name, extra])
}

/** The 64-bit values of an entry, in the order of the fields that have no room for them. */
function largeField(values: readonly number[]) {
  if (values.length === 0) return Buffer.alloc(0)
  const field = Buffer.alloc(4 + values.length * 8)
  field.writeUInt16LE(0x0001, 0)
  field.writeUInt16LE(values.length * 8, 2)
  for (const [index, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + index * 8)
  return field
}

function directoryEnd(count: number, size: number, offset: number) {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Math.min(count, max16), 8)
  end.writeUInt16LE(Math.min(count, max16), 10)
  end.writeUInt32LE(Math.min(size, max32), 12)
  end.writeUInt32LE(Math.min(offset, max32), 16)
  if (count < max16 && size < max32 && offset < max32) return end
  const large = Buffer.alloc(56)
  large.writeUInt32LE(0x06064b50, 0)
  large.writeBigUInt64LE(44n, 4)
  large.writeUInt16LE((3 << 8) | 45, 12)
  large.writeUInt16LE(45, 14)
  large.writeBigUInt64LE(BigInt(count), 24)
  large.writeBigUInt64LE(BigInt(count), 32)
  large.writeBigUInt64LE(BigInt(size), 40)
  large.writeBigUInt64LE(BigInt(offset), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(offset + size), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([large, locator, end])
}

/** To two seconds, from 1980. */
function dosTime(text: string) {
  const given = new Date(text)
  const at = Number.isNaN(given.getTime()) || given.getUTCFullYear() < 1980 ? new Date(Date.UTC(1980, 0, 1)) : given
  return {
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
    date: ((Math.min(at.getUTCFullYear(), 2107) - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
  }
}
