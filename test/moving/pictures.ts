/** Pictures as other programs write them, made here by the formats that they publish. */
import { crc32, deflateSync, gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { png } from '../support/pictures.ts'

/** A PNG that differs from every other by `number`, with text chunks before its pixels. */
export async function pngWith(number: number, chunks: readonly Buffer[], given?: Buffer): Promise<Buffer> {
  const plain = given ?? (await png(16 + (number % 50), 16 + Math.floor(number / 50)))
  const afterHeader = 8 + 25
  return Buffer.concat([plain.subarray(0, afterHeader), ...chunks, plain.subarray(afterHeader)])
}

export function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const whole = Buffer.alloc(body.length + 8)
  whole.writeUInt32BE(data.length, 0)
  body.copy(whole, 4)
  whole.writeUInt32BE(crc32(body), body.length + 4)
  return whole
}

export function tEXt(keyword: string, text: string, encoding: BufferEncoding = 'latin1') {
  return chunk('tEXt', Buffer.concat([Buffer.from(`${keyword}\0`, 'latin1'), Buffer.from(text, encoding)]))
}

export function iTXt(keyword: string, text: string, isCompressed = false) {
  const bytes = Buffer.from(text, 'utf8')
  const head = Buffer.from(`${keyword}\0${isCompressed ? '\x01' : '\0'}\0\0\0`, 'latin1')
  return chunk('iTXt', Buffer.concat([head, isCompressed ? deflateSync(bytes) : bytes]))
}

export function zTXt(keyword: string, text: string) {
  return chunk(
    'zTXt',
    Buffer.concat([Buffer.from(`${keyword}\0\0`, 'latin1'), deflateSync(Buffer.from(text, 'latin1'))]),
  )
}

/** With the lowest bits of its alpha channel, column by column, as NovelAI writes them. */
export async function stealthPng(text: string, { width = 64, height = 200 } = {}): Promise<Buffer> {
  const payload = gzipSync(Buffer.from(text, 'utf8'))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(payload.length * 8)
  const bytes = Buffer.concat([Buffer.from('stealth_pngcomp', 'latin1'), length, payload])
  const pixels = Buffer.alloc(width * height * 4, 0xfe)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const value = (bytes[bit >> 3]! >> (7 - (bit & 7))) & 1
    const [x, y] = [Math.floor(bit / height), bit % height]
    pixels[(y * width + x) * 4 + 3] = 0xfe | value
  }
  return sharp(pixels, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer()
}

/** EXIF with one UserComment, as `piexif.helper.UserComment.dump` writes it: UTF-16, high bytes first. */
export function exifComment(text: string): Buffer {
  const utf16 = Buffer.from(text, 'utf16le').swap16()
  const comment = Buffer.concat([Buffer.from('UNICODE\0', 'latin1'), utf16])
  const tiff = Buffer.alloc(44)
  tiff.write('MM\0*', 0, 'latin1')
  tiff.writeUInt32BE(8, 4)
  // The first directory holds only where that of EXIF is.
  tiff.writeUInt16BE(1, 8)
  tiff.writeUInt16BE(0x8769, 10)
  tiff.writeUInt16BE(4, 12)
  tiff.writeUInt32BE(1, 14)
  tiff.writeUInt32BE(26, 18)
  tiff.writeUInt16BE(1, 26)
  tiff.writeUInt16BE(0x9286, 28)
  tiff.writeUInt16BE(7, 30)
  tiff.writeUInt32BE(comment.length, 32)
  tiff.writeUInt32BE(44, 36)
  return Buffer.concat([tiff, comment])
}

export async function jpegWith(text: string, width = 40): Promise<Buffer> {
  const plain = await sharp({ create: { width, height: 24, channels: 3, background: 'teal' } })
    .jpeg()
    .toBuffer()
  const data = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exifComment(text)])
  const head = Buffer.from([0xff, 0xe1, 0, 0])
  head.writeUInt16BE(data.length + 2, 2)
  return Buffer.concat([plain.subarray(0, 2), head, data, plain.subarray(2)])
}

/** `tiff` in a chunk of its own, at the end, where encoders put it. */
export async function webpWith(tiff: Buffer, width = 40): Promise<Buffer> {
  const plain = await sharp({ create: { width, height: 24, channels: 3, background: 'navy' } })
    .webp()
    .toBuffer()
  const extended = Buffer.alloc(18)
  extended.write('VP8X', 0, 'latin1')
  extended.writeUInt32LE(10, 4)
  extended[8] = 0x08
  extended.writeUIntLE(width - 1, 12, 3)
  extended.writeUIntLE(23, 15, 3)
  const exif = Buffer.concat([Buffer.from('EXIF....', 'latin1'), tiff, Buffer.alloc(tiff.length % 2)])
  exif.writeUInt32LE(tiff.length, 4)
  const body = Buffer.concat([Buffer.from('WEBP', 'latin1'), extended, plain.subarray(12), exif])
  const head = Buffer.from('RIFF....', 'latin1')
  head.writeUInt32LE(body.length, 4)
  return Buffer.concat([head, body])
}
