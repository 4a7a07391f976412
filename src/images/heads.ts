/**
 * Type and size of the pictures that services make, from their first bytes. Everything else, also what is turned, animated or looks
 * damaged, is left to the picture library, which costs a thread and much more time.
 */
import { crc32 } from 'node:zlib'

export interface PictureHead {
  mimeType: 'image/png' | 'image/jpeg'
  /** In pixels. */
  width: number
  height: number
}

/** Undefined where these bytes do not tell all. */
export function readPictureHead(bytes: Buffer): PictureHead | undefined {
  return readPng(bytes) ?? readJpeg(bytes)
}

const pngSignature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')

/** PNG, third edition, §5: a signature, then chunks of length, type, data and checksum; IHDR is the first of them. */
function readPng(bytes: Buffer): PictureHead | undefined {
  if (bytes.length < 33 || !bytes.subarray(0, 8).equals(pngSignature)) return undefined
  const header = bytes.subarray(12, 29)
  if (bytes.readUInt32BE(8) !== 13 || header.toString('latin1', 0, 4) !== 'IHDR') return undefined
  if (crc32(header) !== bytes.readUInt32BE(29)) return undefined
  for (let at = 33; at + 8 <= bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const type = bytes.toString('latin1', at + 4, at + 8)
    // Turned or animated.
    if (type === 'eXIf' || type === 'acTL') return undefined
    if (type === 'IDAT') return sized('image/png', header.readUInt32BE(4), header.readUInt32BE(8))
  }
  return undefined
}

/** ITU-T T.81, §B.1: markers, most with a length behind them. SOF0 to SOF2 hold the size. */
function readJpeg(bytes: Buffer): PictureHead | undefined {
  if (bytes.length < 4 || bytes.readUIntBE(0, 3) !== 0xffd8ff) return undefined
  for (let at = 2; at + 10 <= bytes.length && bytes[at] === 0xff; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1]!
    const data = at + 4
    if (marker >= 0xc0 && marker <= 0xc2) {
      const isCommon = bytes[data] === 8
      return isCommon ? sized('image/jpeg', bytes.readUInt16BE(data + 3), bytes.readUInt16BE(data + 1)) : undefined
    }
    const isExif = marker === 0xe1 && bytes.toString('latin1', data, data + 4) === 'Exif'
    const mayStandBefore = (marker >= 0xe0 && marker <= 0xef) || [0xdb, 0xc4, 0xdd, 0xfe].includes(marker)
    if (isExif || !mayStandBefore) return undefined
  }
  return undefined
}

function sized(mimeType: PictureHead['mimeType'], width: number, height: number): PictureHead | undefined {
  return width > 0 && height > 0 ? { mimeType, width, height } : undefined
}
