/** Inspects image files: their type, whatever their name or sender says. */
import { open, readFile, stat } from 'node:fs/promises'
import PQueue from 'p-queue'
import type { Sharp, SharpOptions } from 'sharp'
import { bmpLength, bmpPixels, bmpSize, isBmp, isHeadCut } from './bmp.ts'
import { readPictureHead } from './heads.ts'
import { loadSharp } from './sharp.ts'

/** An image as a path or as bytes. */
export type ImageSource = string | Buffer

/** What is in memory of a file that was just written. */
export interface FileEnds {
  /** Of the whole. */
  bytes: number
  head: Buffer
  tail: Buffer
}

interface KnownFile extends FileEnds {
  path: string
}

type InspectedSource = ImageSource | KnownFile

export interface ImageFacts {
  mimeType: string
  /** Without a dot. */
  extension: string
  /** Pixels as shown by a viewer, with the EXIF orientation applied. 0 where unknown. */
  width: number
  height: number
}

/** Bytes that are not a readable image; the message says what they are and what would work. */
export class NotAnImage extends Error {
  override name = 'NotAnImage'
}

export function damagedImage(cause?: unknown): NotAnImage {
  return new NotAnImage('It is damaged or incomplete. Save it again, as JPEG or PNG for example.', { cause })
}

/** In them stands what a picture is and how large; room for the text that services put before that. */
export const headBytes = 8 * 1024

/** Upper bound against decompression bombs: 100 megapixels decode to 400 MB. */
export const maxPixels = 100_000_000

/** The types that are read, with the format that sharp must find in them. */
const formats: Record<string, { format: string; extension: string }> = {
  'image/jpeg': { format: 'jpeg', extension: 'jpg' },
  'image/png': { format: 'png', extension: 'png' },
  'image/apng': { format: 'png', extension: 'png' },
  'image/webp': { format: 'webp', extension: 'webp' },
  'image/gif': { format: 'gif', extension: 'gif' },
  'image/tiff': { format: 'tiff', extension: 'tif' },
  'image/avif': { format: 'heif', extension: 'avif' },
  // Only its size can be read: sharp has no decoder for HEVC, which is patented.
  'image/heic': { format: 'heif', extension: 'heic' },
}

const bmp = { mimeType: 'image/bmp', extension: 'bmp' }

const readable = 'JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF'

const turns = new PQueue({ concurrency: 2 })

/**
 * Runs work that decodes pictures, two at a time in the whole process, so that memory does not grow with the number
 * of clients.
 */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  return turns.add(work)
}

/** Can its pixels be decoded here? */
export function isDecodable(mimeType: string): boolean {
  return mimeType !== 'image/heic' && (mimeType === bmp.mimeType || Object.hasOwn(formats, mimeType))
}

/**
 * A decoder of any type that is read here.
 * @throws NotAnImage for a BMP that is damaged or of a rare kind
 */
export async function createDecoder(image: InspectedSource, options: SharpOptions): Promise<Sharp> {
  const sharp = await loadSharp()
  const whole = asWhole(image)
  if (!isBmp(await readHead(image, 26))) return sharp(whole, options)
  const bytes = typeof whole === 'string' ? await readFile(whole) : whole
  const size = bmpSize(bytes)
  if (size && size.width * size.height > maxPixels) throw tooManyPixels()
  const pixels = bmpPixels(bytes)
  if (!pixels) throw new NotAnImage(damaged(bmp.mimeType))
  const { data, width, height, channels } = pixels
  return sharp(data, { raw: { width, height, channels } })
}

/**
 * Reads the type from the first bytes and the size from the header; decodes nothing.
 * @param limit of pixels; none when absent
 * @throws NotAnImage; file system errors as they are
 */
export async function readImageFacts(image: InspectedSource, limit?: number): Promise<ImageFacts> {
  const head = await readHead(image, headBytes)
  if (isBmp(head)) return bmpFacts(head, limit)
  const known = readPictureHead(head)
  if (known) {
    if (limit !== undefined && known.width * known.height > limit) throw tooManyPixels()
    return { ...known, extension: formats[known.mimeType]!.extension }
  }
  const type = await detectType(image)
  if (!type) throw new NotAnImage(`It is not a picture of a known type. Give ${readable}.`)
  // Some AVIF and HEIC files name the general container as their first brand.
  const isContainer = type.mime === 'image/heif' || type.mime === 'image/heic'
  const expected = formats[isContainer ? 'image/heic' : type.mime]
  if (!expected) throw unreadable(type.mime)
  const sharp = await loadSharp()
  const metadata = await sharp(asWhole(image), { limitInputPixels: limit ?? false })
    .metadata()
    .catch((error: Error) => {
      if (isContainer) throw unreadable(type.mime)
      throw new NotAnImage(describeDamage(error, type.mime), { cause: error })
    })
  const inside = metadata.compression === 'av1' ? 'image/avif' : 'image/heic'
  if (isContainer && inside === 'image/heic' && metadata.compression !== 'hevc') throw unreadable(type.mime)
  if (metadata.format !== expected.format) throw new NotAnImage(`It says ${type.mime} but is none. Give ${readable}.`)
  const mimeType = isContainer ? inside : type.mime
  const { width, height } = metadata.autoOrient
  return { mimeType, extension: formats[mimeType]!.extension, width, height }
}

function bmpFacts(head: Buffer, limit = Number.POSITIVE_INFINITY): ImageFacts {
  const size = bmpSize(head)
  if (!size) throw new NotAnImage('This kind of BMP cannot be read here. Convert it to PNG.')
  if (size.width * size.height > limit) throw tooManyPixels()
  return { ...bmp, ...size }
}

/**
 * Decodes the picture once, so that a broken one is found here.
 * @throws NotAnImage
 */
export async function verifyImage(image: InspectedSource): Promise<void> {
  await inTurn(async () => {
    try {
      const decoder = await createDecoder(image, { limitInputPixels: maxPixels, failOn: 'error' })
      await decoder.resize(16, 16, { fit: 'fill' }).raw().toBuffer()
    } catch (error) {
      if (error instanceof NotAnImage) throw error
      throw new NotAnImage(describeDamage(error, 'picture'), { cause: error })
    }
  })
}

// ── Checking a paid image ───────────────────────────────────────────────────────────

/**
 * - `whole`: a picture that can be shown
 * - `not_shown`: an image of a type that cannot be shown here, complete as far as known
 * - `damaged`: an incomplete image
 * - `unknown`: bytes of an unknown type
 */
export type FileState = 'whole' | 'not_shown' | 'damaged' | 'unknown'

export interface InspectedFile {
  facts: ImageFacts
  state: FileState
}

/**
 * Says what a file is without refusing what only this program cannot read.
 * @throws NotAnImage for what is certainly not an image: pages, texts, programs
 */
export async function inspectFile(image: InspectedSource): Promise<InspectedFile> {
  try {
    const facts = await readImageFacts(image)
    if (!(await isWhole(image, facts))) return { facts, state: 'damaged' }
    return { facts, state: isDecodable(facts.mimeType) ? 'whole' : 'not_shown' }
  } catch (error) {
    if (!(error instanceof NotAnImage)) throw error
    return otherFile(image, error)
  }
}

async function otherFile(image: InspectedSource, refusal: NotAnImage): Promise<InspectedFile> {
  const head = await readHead(image, 4096)
  const unnamed = { mimeType: 'application/octet-stream', extension: 'bin', width: 0, height: 0 }
  if (isText(head)) {
    if (!isSvg(head.toString('utf8'))) throw refusal
    const facts = { ...unnamed, mimeType: 'image/svg+xml', extension: 'svg' }
    const tail = (await readTail(image, 64)).toString('utf8')
    return { facts, state: /<\/(?:\w+:)?svg\s*>\s*$|\/>\s*$/.test(tail) ? 'not_shown' : 'damaged' }
  }
  const type = await detectType(image)
  if (type && /msdownload|x-elf|x-mach-binary|wasm|java/.test(type.mime)) throw refusal
  if (!type?.mime.startsWith('image/')) return { facts: unnamed, state: 'unknown' }
  const facts = { ...unnamed, mimeType: type.mime, extension: type.ext }
  // The header of a readable type cannot be read: the file is damaged, or only a header. Some kinds of BMP cannot be read as a whole.
  const isDamaged = isBmp(head) ? isHeadCut(head) : Object.hasOwn(formats, type.mime)
  return isDamaged ? { facts: unnamed, state: 'damaged' } : { facts, state: 'not_shown' }
}

/** Does the file end where its format says? Formats without an end marker are decoded. */
export async function isWhole(image: InspectedSource, { mimeType }: ImageFacts): Promise<boolean> {
  const size = await readSize(image)
  const head = await readHead(image, 256)
  // Some senders pad the last block.
  const tail = withoutFilling(await readTail(image, 4096))
  const hasEnd =
    (mimeType === 'image/jpeg' && tail.subarray(-2).equals(Buffer.from([0xff, 0xd9]))) ||
    ((mimeType === 'image/png' || mimeType === 'image/apng') && tail.subarray(-8, -4).toString('latin1') === 'IEND') ||
    (mimeType === 'image/webp' && head.readUInt32LE(4) + 8 <= size) ||
    (mimeType === bmp.mimeType && (bmpLength(head) ?? size) <= size) ||
    (head.toString('latin1', 4, 8) === 'ftyp' && (await haveBoxesEnd(image, size)))
  if (hasEnd) return true
  if (!isDecodable(mimeType)) return false
  return verifyImage(image).then(
    () => true,
    error => {
      if (error instanceof NotAnImage) return false
      throw error
    },
  )
}

/** The boxes of AVIF and HEIC stand one behind the other, each with its length (ISO/IEC 14496-12, §4.2). */
async function haveBoxesEnd(image: InspectedSource, size: number): Promise<boolean> {
  let at = 0
  for (let boxes = 0; at < size && boxes < 1000; boxes++) {
    const head = await readSlice(image, at, 16)
    if (head.length < 8) return false
    const short = head.readUInt32BE(0)
    // 0: up to the end of the file, so nothing to check.
    const length = short === 1 && head.length === 16 ? Number(head.readBigUInt64BE(8)) : short
    if (length < 8) return false
    at += length
  }
  return at === size
}

function withoutFilling(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end > 0 && (bytes[end - 1] === 0 || bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end--
  return bytes.subarray(0, end)
}

/** No byte that cannot occur in text. */
function isText(head: Buffer): boolean {
  return !head.some(byte => byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) || head.length === 0
}

/** A root element of that name, after an optional prologue. */
function isSvg(text: string): boolean {
  return /^\uFEFF?\s*(?:<\?[^>]*>\s*|<!--[\s\S]*?-->\s*|<!DOCTYPE\s+svg[^>[]*(?:\[[^\]]*\])?[^>]*>\s*)*<(?:\w+:)?svg[\s>]/i.test(
    text,
  )
}

async function detectType(image: InspectedSource) {
  const { fileTypeFromBuffer, fileTypeFromFile } = await import('file-type')
  if (typeof image === 'string') return fileTypeFromFile(image)
  if (Buffer.isBuffer(image)) return fileTypeFromBuffer(image)
  // What tells some types apart may stand behind the head.
  return (await fileTypeFromBuffer(image.head)) ?? fileTypeFromFile(image.path)
}

function asWhole(image: InspectedSource): string | Buffer {
  return typeof image === 'string' || Buffer.isBuffer(image) ? image : image.path
}

function readHead(image: InspectedSource, length: number): Promise<Buffer> {
  return readSlice(image, 0, length)
}

async function readTail(image: InspectedSource, length: number): Promise<Buffer> {
  return readSlice(image, Math.max(0, (await readSize(image)) - length), length)
}

async function readSize(image: InspectedSource): Promise<number> {
  if (typeof image === 'string') return (await stat(image)).size
  return Buffer.isBuffer(image) ? image.length : image.bytes
}

async function readSlice(image: InspectedSource, from: number, length: number): Promise<Buffer> {
  if (Buffer.isBuffer(image)) return image.subarray(from, from + length)
  if (typeof image === 'string') return readSliceOfFile(image, from, length)
  const { path, bytes, head, tail } = image
  const to = Math.min(bytes, from + length)
  const before = bytes - tail.length
  if (to <= head.length) return head.subarray(from, to)
  return from >= before ? tail.subarray(from - before, to - before) : readSliceOfFile(path, from, length)
}

async function readSliceOfFile(path: string, from: number, length: number): Promise<Buffer> {
  await using file = await open(path, 'r')
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(length), position: from })
  return buffer.subarray(0, bytesRead)
}

// ── Sentences ───────────────────────────────────────────────────────────────────────────────────────────────────────

function unreadable(mimeType: string): NotAnImage {
  if (!mimeType.startsWith('image/')) return new NotAnImage(`It is ${mimeType}, not a picture. Give ${readable}.`)
  return new NotAnImage(`Pictures of the type ${mimeType} cannot be read here. Convert it to JPEG or PNG.`)
}

function tooManyPixels(): NotAnImage {
  return new NotAnImage(`It has more than ${maxPixels / 1_000_000} million pixels. Make it smaller.`)
}

function describeDamage(error: unknown, mimeType: string): string {
  const message = error instanceof Error ? error.message : ''
  return /pixel limit/i.test(message) ? tooManyPixels().message : damaged(mimeType)
}

function damaged(mimeType: string): string {
  return `The ${mimeType} is damaged or incomplete. Save it again, as JPEG or PNG for example.`
}
