/**
 * Texts inside of a picture, wherever image programs put them: text chunks of PNG, EXIF and XMP of all. Only they are read, never the
 * pixels, and no more of them than fits.
 *
 * PNG: W3C PNG 3rd edition §11.3.3. JPEG: EXIF 2.32 §4.7.2, XMP part 3 (2020) §1.1.3. WebP: RFC 9649 §2.7. Read 2026-11.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { inflate } from 'node:zlib'

/** By keyword. EXIF and XMP stand under `exif:UserComment`, `exif:ImageDescription`, `exif:Software`, `exif:Make`, `exif:Model` and `xmp`. */
export type Texts = Map<string, string>

/** Workflows of ComfyUI with embedded pictures are the longest that occur. */
const maxTextBytes = 16 * 1024 * 1024
/** Before the pixels of a JPEG. */
const maxHeadBytes = 4 * 1024 * 1024
/** A picture of 100 megapixels in the smallest pieces that occur has fewer. */
const maxChunks = 200_000

export async function readTexts(path: string, mimeType: string): Promise<Texts> {
  await using file = await open(path, 'r')
  if (mimeType === 'image/png' || mimeType === 'image/apng') return await readPng(createWindow(file))
  if (mimeType === 'image/jpeg') return await readJpeg(await createWindow(file).read(0, maxHeadBytes))
  if (mimeType === 'image/webp') return await readWebp(createWindow(file))
  return new Map()
}

// ── Reading in windows ──────────────────────────────────────────────────────────────────────────────────────────────

interface Window {
  /** What is there of these bytes. */
  read(at: number, length: number): Promise<Buffer>
}

/** Small reads that lie beside each other are one of the file. */
function createWindow(file: FileHandle): Window {
  const windowBytes = 64 * 1024
  let start = 0
  let held = Buffer.alloc(0)
  return {
    async read(at, length) {
      const isHeld = at >= start && at + length <= start + held.length
      if (!isHeld) {
        const wanted = Math.max(length, windowBytes)
        const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, at)
        start = at
        held = buffer.subarray(0, bytesRead)
      }
      return held.subarray(at - start, at - start + length)
    },
  }
}

// ── PNG ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

async function readPng(file: Window): Promise<Texts> {
  const texts: Texts = new Map()
  let left = maxTextBytes
  for (let at = 8, count = 0; count < maxChunks; count++) {
    const head = await file.read(at, 8)
    if (head.length < 8) break
    const length = head.readUInt32BE(0)
    const type = head.toString('latin1', 4, 8)
    if (type === 'IEND') break
    if (/^(?:tEXt|iTXt|zTXt|eXIf)$/.test(type) && length <= left) {
      left -= length
      const data = Buffer.from(await file.read(at + 8, length))
      if (data.length < length) break
      if (type === 'eXIf') await addExif(texts, data)
      else await addText(texts, type, data)
    }
    at += 12 + length
  }
  const xmp = texts.get('XML:com.adobe.xmp')
  if (xmp !== undefined) texts.set('xmp', xmp)
  return texts
}

async function addText(texts: Texts, type: string, data: Buffer) {
  const keywordEnd = data.indexOf(0)
  if (keywordEnd < 1) return
  const keyword = data.toString('latin1', 0, keywordEnd)
  const text = await textOf(type, data.subarray(keywordEnd + 1))
  // The first one counts: programs that add theirs put it behind.
  if (text !== undefined && !texts.has(keyword)) texts.set(keyword, text)
}

/** `data`: what follows the keyword. */
async function textOf(type: string, data: Buffer): Promise<string | undefined> {
  // Latin-1 by the specification; many programs write UTF-8 all the same.
  if (type === 'tEXt') return decodeEither(data)
  if (type === 'zTXt') {
    const text = await inflated(data.subarray(1))
    return text && decodeEither(text)
  }
  const isCompressed = data[0] === 1
  const languageEnd = data.indexOf(0, 2)
  const translatedEnd = languageEnd < 0 ? -1 : data.indexOf(0, languageEnd + 1)
  if (translatedEnd < 0) return undefined
  const rest = data.subarray(translatedEnd + 1)
  return (isCompressed ? await inflated(rest) : rest)?.toString('utf8')
}

async function inflated(data: Buffer): Promise<Buffer | undefined> {
  return promisify(inflate)(data, { maxOutputLength: maxTextBytes }).catch(() => undefined) as Promise<
    Buffer | undefined
  >
}

function decodeEither(data: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(data)
  } catch {
    return data.toString('latin1')
  }
}

// ── JPEG ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const exifSignature = Buffer.from('Exif\0\0', 'latin1')
const xmpSignature = Buffer.from('http://ns.adobe.com/xap/1.0/\0', 'latin1')
const extensionSignature = Buffer.from('http://ns.adobe.com/xmp/extension/\0', 'latin1')

async function readJpeg(bytes: Buffer): Promise<Texts> {
  const texts: Texts = new Map()
  const parts: { offset: number; data: Buffer }[] = []
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1]!
    if (marker === 0xff) {
      at++
      continue
    }
    if (marker === 0xda || marker === 0xd9) break
    const end = at + 2 + bytes.readUInt16BE(at + 2)
    const data = bytes.subarray(at + 4, end)
    if (marker === 0xfe && !texts.has('comment')) texts.set('comment', decodeEither(data))
    if (marker === 0xe1 && begins(data, exifSignature)) await addExif(texts, data.subarray(exifSignature.length))
    if (marker === 0xe1 && begins(data, xmpSignature) && !texts.has('xmp'))
      texts.set('xmp', data.toString('utf8', xmpSignature.length))
    if (marker === 0xe1 && begins(data, extensionSignature) && data.length > extensionSignature.length + 40) {
      const offset = data.readUInt32BE(extensionSignature.length + 36)
      parts.push({ offset, data: data.subarray(extensionSignature.length + 40) })
    }
    at = end
  }
  if (parts.length > 0) {
    const extension = parts.sort((a, b) => a.offset - b.offset).map(({ data }) => data)
    texts.set('xmp', `${texts.get('xmp') ?? ''}${Buffer.concat(extension).toString('utf8')}`)
  }
  return texts
}

function begins(data: Buffer, signature: Buffer) {
  return data.subarray(0, signature.length).equals(signature)
}

// ── WebP ────────────────────────────────────────────────────────────────────────────────────────────────────────────

async function readWebp(file: Window): Promise<Texts> {
  const texts: Texts = new Map()
  for (let at = 12, count = 0; count < maxChunks; count++) {
    const head = await file.read(at, 8)
    if (head.length < 8) break
    const length = head.readUInt32LE(4)
    const name = head.toString('latin1', 0, 4)
    if ((name === 'EXIF' || name === 'XMP ') && length <= maxTextBytes) {
      const data = Buffer.from(await file.read(at + 8, length))
      if (name === 'XMP ') texts.set('xmp', data.toString('utf8'))
      else await addExif(texts, begins(data, exifSignature) ? data.subarray(exifSignature.length) : data)
    }
    at += 8 + length + (length % 2)
  }
  return texts
}

// ── EXIF ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param tiff without the signature that stands before it in a JPEG */
async function addExif(texts: Texts, tiff: Buffer) {
  // A CommonJS module: its functions are members of the default export.
  const { default: reader } = await import('exifreader')
  let tags: Record<string, { value?: unknown; description?: unknown } | undefined>
  try {
    tags = (reader.load(copyBytes(tiff), { expanded: true }).exif ?? {}) as unknown as typeof tags
  } catch {
    return
  }
  const comment = tags.UserComment?.value
  if (Array.isArray(comment)) texts.set('exif:UserComment', decodeComment(Buffer.from(comment as number[])))
  for (const name of ['ImageDescription', 'Software', 'Make', 'Model']) {
    const value = tags[name]?.value
    const text = Array.isArray(value) ? value.join('') : value
    if (typeof text === 'string' && text !== '') texts.set(`exif:${name}`, decodeAscii(text))
  }
}

/** EXIF has the form of a TIFF, which the reader takes as a file. */
function copyBytes(tiff: Buffer): ArrayBuffer {
  const bytes = new Uint8Array(tiff.length)
  bytes.set(tiff)
  return bytes.buffer
}

/**
 * Eight bytes name the encoding (EXIF 2.32 §4.6.5). Programs disagree about the order of bytes in UTF-16, and some write UTF-8 under any
 * name: what most letters say decides.
 */
function decodeComment(bytes: Buffer): string {
  const name = bytes.toString('latin1', 0, 8)
  const text = bytes.subarray(8)
  if (name !== 'UNICODE\0') return withoutEnd(decodeEither(/^(?:ASCII|JIS|\0)/.test(name) ? text : bytes))
  const isEven = text.length >= 2 && text.length % 2 === 0
  const highFirst = countZeros(text, 0)
  const lowFirst = countZeros(text, 1)
  if (!isEven) return withoutEnd(decodeEither(text))
  if (highFirst === 0 && lowFirst === 0) return withoutEnd(likelier(text))
  return withoutEnd(new TextDecoder(highFirst >= lowFirst ? 'utf-16be' : 'utf-16le').decode(text))
}

/** Without a Latin letter there is no zero byte: valid UTF-8 is that, and else the big-endian form, which the specification's examples have. */
function likelier(text: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(text)
  } catch {
    return new TextDecoder('utf-16be').decode(text)
  }
}

function countZeros(bytes: Buffer, from: number): number {
  let count = 0
  for (let at = from; at < bytes.length; at += 2) if (bytes[at] === 0) count++
  return count
}

function withoutEnd(text: string) {
  return text.replace(/\0+$/, '')
}

/** The reader gives each byte as a letter. */
function decodeAscii(text: string) {
  return /[\x80-\xff]/.test(text) && !/[^\x00-\xff]/.test(text) ? decodeEither(Buffer.from(text, 'latin1')) : text
}
