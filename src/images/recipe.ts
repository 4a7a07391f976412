/**
 * Writes the recipe of an image into its file: PNG in text chunks, JPEG and WebP in XMP. Image data is not touched, so the
 * pixels stay as received, and so does all other metadata (a service may be obliged by law to mark its images).
 *
 * PNG: W3C PNG 3rd edition §11.3.3. JPEG: XMP part 3 (2020) §1.1.3. WebP: RFC 9649 §2.7. Read 2026-11.
 */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

export interface RecipeTexts {
  /** The whole recipe, for programs. */
  json: string
  /** The prompt, in the field that viewers show as description. */
  description: string
  /** Prompt and settings in words, as other image programs write them. */
  parameters: string
}

/** Names what is ours inside the XMP; an identifier, not an address. */
const namespace = 'urn:webimgui:recipe/1/'

/** A new file, or undefined if it cannot hold a recipe: other types, and malformed files. */
export function withRecipe(bytes: Buffer, mimeType: string, texts: RecipeTexts): Buffer | undefined {
  if (mimeType === 'image/png') return pngWith(bytes, texts)
  if (mimeType === 'image/jpeg') return jpegWith(bytes, texts)
  if (mimeType === 'image/webp') return webpWith(bytes, texts)
  return undefined
}

// ── PNG ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const pngSignature = Buffer.from('89504e470d0a1a0a', 'hex')

function pngWith(bytes: Buffer, texts: RecipeTexts): Buffer | undefined {
  if (!bytes.subarray(0, 8).equals(pngSignature)) return undefined
  const pixels = pngPixels(bytes)
  if (pixels === undefined) return undefined
  const chunks = [
    pngText('Description', texts.description),
    pngText('Software', 'webimgui'),
    pngText('parameters', texts.parameters),
    pngText('webimgui', texts.json),
  ]
  return Buffer.concat([bytes.subarray(0, pixels), ...chunks, bytes.subarray(pixels)])
}

/** The text stands before the first IDAT, so that readers that stop at the pixels have seen it. */
function pngPixels(bytes: Buffer): number | undefined {
  for (let at = 8; at + 12 <= bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT') return at
  }
  return undefined
}

/** iTXt, not compressed, in UTF-8, without a language. */
function pngText(keyword: string, text: string): Buffer {
  const body = Buffer.concat([
    Buffer.from(`iTXt${keyword}`, 'latin1'),
    Buffer.from([0, 0, 0, 0, 0]),
    Buffer.from(text.replaceAll('\0', ''), 'utf8'),
  ])
  const chunk = Buffer.alloc(body.length + 8)
  chunk.writeUInt32BE(body.length - 4, 0)
  body.copy(chunk, 4)
  chunk.writeUInt32BE(crc32(body), body.length + 4)
  return chunk
}

// ── JPEG ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const xmpSignature = 'http://ns.adobe.com/xap/1.0/\0'
const extensionSignature = 'http://ns.adobe.com/xmp/extension/\0'
/** The two bytes of its length count as well. */
const largestSegment = 0xffff - 2
/** Hash, whole length and offset stand before each part of an extension. */
const largestPart = largestSegment - extensionSignature.length - 40

interface Segment {
  marker: number
  start: number
  end: number
  data: Buffer
}

function jpegWith(bytes: Buffer, texts: RecipeTexts): Buffer | undefined {
  const segments = jpegSegments(bytes)
  if (!segments) return undefined
  const old = segments.find(segment => segment.marker === 0xe1 && startsWith(segment.data, xmpSignature))
  const whole = packetWith(old?.data.toString('utf8', xmpSignature.length), texts)
  if (Buffer.byteLength(whole) + xmpSignature.length <= largestSegment) return placed([xmpSegment(whole)])
  // Too long for one segment: long values go into an extension. A file that has one already cannot take a second.
  if (segments.some(segment => segment.marker === 0xe1 && startsWith(segment.data, extensionSignature)))
    return undefined
  const extension = Buffer.from(metadata(ourDescription(texts)), 'utf8')
  const hash = createHash('md5').update(extension).digest('hex').toUpperCase()
  const pointer = `<rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="${hash}"/>`
  const main = joined(old?.data.toString('utf8', xmpSignature.length), pointer)
  if (Buffer.byteLength(main) + xmpSignature.length > largestSegment) return undefined
  return placed([xmpSegment(main), ...extensionSegments(extension, hash)])

  function placed(added: Buffer[]): Buffer {
    // The text follows JFIF and Exif, which have to be first.
    const isFirst = ({ marker, data }: Segment) => marker === 0xe0 || (marker === 0xe1 && startsWith(data, 'Exif\0'))
    const place = segments!.findLast(isFirst)?.end ?? 2
    if (!old) return Buffer.concat([bytes.subarray(0, place), ...added, bytes.subarray(place)])
    return Buffer.concat([bytes.subarray(0, old.start), ...added, bytes.subarray(old.end)])
  }
}

/** The segments before the pixels; undefined if it is not a JPEG. */
function jpegSegments(bytes: Buffer): Segment[] | undefined {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return undefined
  const segments: Segment[] = []
  let at = 2
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return undefined
    const start = at
    // Any number of fill bytes may precede a marker.
    while (bytes[at + 1] === 0xff) at++
    const marker = bytes[at + 1]!
    if (marker === 0xda || marker === 0xd9) return segments
    if (at + 4 > bytes.length) return undefined
    const end = at + 2 + bytes.readUInt16BE(at + 2)
    if (end > bytes.length || end < at + 4) return undefined
    segments.push({ marker, start, end, data: bytes.subarray(at + 4, end) })
    at = end
  }
  return undefined
}

function xmpSegment(packet: string) {
  return appSegment(Buffer.from(xmpSignature + packet, 'utf8'))
}

function extensionSegments(extension: Buffer, hash: string): Buffer[] {
  const segments: Buffer[] = []
  for (let offset = 0; offset < extension.length; offset += largestPart) {
    const numbers = Buffer.alloc(8)
    numbers.writeUInt32BE(extension.length, 0)
    numbers.writeUInt32BE(offset, 4)
    const part = extension.subarray(offset, offset + largestPart)
    segments.push(appSegment(Buffer.concat([Buffer.from(extensionSignature + hash, 'latin1'), numbers, part])))
  }
  return segments
}

/** APP1. */
function appSegment(data: Buffer): Buffer {
  const head = Buffer.from([0xff, 0xe1, 0, 0])
  head.writeUInt16BE(data.length + 2, 2)
  return Buffer.concat([head, data])
}

function startsWith(data: Buffer, signature: string) {
  return data.subarray(0, signature.length).equals(Buffer.from(signature, 'latin1'))
}

// ── WebP ────────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Chunk {
  name: string
  data: Buffer
}

const xmpFlag = 0x04
const alphaFlag = 0x10

function webpWith(bytes: Buffer, texts: RecipeTexts): Buffer | undefined {
  const chunks = webpChunks(bytes)
  const first = chunks?.[0]
  if (!chunks || !first) return undefined
  const header = first.name === 'VP8X' ? Buffer.from(first.data) : extendedHeader(first)
  if (!header || header.length < 10) return undefined
  header[0]! |= xmpFlag
  const old = chunks.find(chunk => chunk.name === 'XMP ')
  const xmp = Buffer.from(packetWith(old?.data.toString('utf8'), texts), 'utf8')
  const others = chunks.filter(chunk => chunk.name !== 'VP8X' && chunk !== old)
  const body = Buffer.concat(
    [{ name: 'VP8X', data: header }, ...others, { name: 'XMP ', data: xmp }].map(chunk => webpChunk(chunk)),
  )
  const head = Buffer.from('RIFF....WEBP', 'latin1')
  head.writeUInt32LE(body.length + 4, 4)
  return Buffer.concat([head, body])
}

function webpChunks(bytes: Buffer): Chunk[] | undefined {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WEBP') return undefined
  const chunks: Chunk[] = []
  const end = Math.min(bytes.length, bytes.readUInt32LE(4) + 8)
  let at = 12
  while (at + 8 <= end) {
    const length = bytes.readUInt32LE(at + 4)
    if (at + 8 + length > end) return undefined
    chunks.push({ name: bytes.toString('latin1', at, at + 4), data: bytes.subarray(at + 8, at + 8 + length) })
    // Chunks start at even offsets.
    at += 8 + length + (length % 2)
  }
  return chunks
}

function webpChunk({ name, data }: Chunk): Buffer {
  const head = Buffer.from(`${name}....`, 'latin1')
  head.writeUInt32LE(data.length, 4)
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)])
}

/** A simple file says its size only inside its pixels: RFC 6386 §9.1 and RFC 9649 §3.4. */
function extendedHeader({ name, data }: Chunk): Buffer | undefined {
  if (data.length < 10) return undefined
  const header = Buffer.alloc(10)
  if (name === 'VP8 ' && data.readUIntBE(3, 3) === 0x9d012a) {
    header.writeUIntLE((data.readUInt16LE(6) & 0x3fff) - 1, 4, 3)
    header.writeUIntLE((data.readUInt16LE(8) & 0x3fff) - 1, 7, 3)
    return header
  }
  if (name === 'VP8L' && data[0] === 0x2f) {
    const bits = data.readUInt32LE(1)
    header.writeUIntLE(bits & 0x3fff, 4, 3)
    header.writeUIntLE((bits >>> 14) & 0x3fff, 7, 3)
    if ((bits >>> 28) & 1) header[0] = alphaFlag
    return header
  }
  return undefined
}

// ── XMP ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

function packetWith(old: string | undefined, texts: RecipeTexts) {
  // Existing XMP stays unchanged; a property may occur only once, so the existing one wins.
  return joined(
    old,
    ourDescription(texts, !/[<\s]dc:description\b/.test(old ?? ''), !/xmp:CreatorTool\b/.test(old ?? '')),
  )
}

function joined(old: string | undefined, description: string) {
  const place = old === undefined ? -1 : old.search(/<\/[\w.-]*:?RDF\s*>/)
  if (old !== undefined && place >= 0) return old.slice(0, place) + rdfBound(description) + old.slice(place)
  return `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>${metadata(description)}<?xpacket end="w"?>`
}

/** Inside foreign XML, where the prefix may have any meaning. */
function rdfBound(description: string) {
  return description.replace('<rdf:Description ', `<rdf:Description xmlns:rdf="${rdf}" `)
}

const rdf = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'

function metadata(description: string) {
  return `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="${rdf}">${description}</rdf:RDF></x:xmpmeta>`
}

function ourDescription(texts: RecipeTexts, hasDescription = true, hasTool = true) {
  const description = `<dc:description><rdf:Alt><rdf:li xml:lang="x-default">${xmlText(texts.description)}</rdf:li></rdf:Alt></dc:description>`
  const tool = '<xmp:CreatorTool>webimgui</xmp:CreatorTool>'
  return (
    `<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:webimgui="${namespace}">` +
    (hasDescription ? description : '') +
    (hasTool ? tool : '') +
    `<webimgui:parameters>${xmlText(texts.parameters)}</webimgui:parameters>` +
    `<webimgui:recipe>${xmlText(texts.json)}</webimgui:recipe></rdf:Description>`
  )
}

/** XML has no way to write control characters, and reads a carriage return as a line feed. JSON has escaped all of them before. */
function xmlText(text: string) {
  return text
    .toWellFormed()
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '')
    .replace(/[&<>\r]/g, character => `&#${character.charCodeAt(0)};`)
}
