/**
 * Finds the recipe that this program wrote into a picture: in a text chunk of a PNG, in the XMP of a JPEG or a WebP. Written apart
 * from the server's writer, after the same specifications, so that each proves the other.
 */
import { Recipe } from '../../api/recipes.ts'

const maxBytes = 100_000_000

/** Undefined when the file has none: another picture, or one whose metadata was taken out on its way. */
export async function readRecipe(file: Blob): Promise<Recipe | undefined> {
  if (file.size > maxBytes) return undefined
  const bytes = new Uint8Array(await file.arrayBuffer())
  let json: string | undefined
  try {
    json = fromPng(bytes) ?? fromXmp(jpegXmp(bytes)) ?? fromXmp(webpXmp(bytes))
  } catch (error) {
    // The file ends in the middle of a chunk.
    if (error instanceof RangeError) return undefined
    throw error
  }
  return json === undefined ? undefined : parseRecipe(json)
}

function parseRecipe(json: string): Recipe | undefined {
  try {
    return Recipe.safeParse(JSON.parse(json)).data
  } catch {
    return undefined
  }
}

// ── PNG ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

function fromPng(bytes: Uint8Array): string | undefined {
  if (latin(bytes, 0, 8) !== '\x89PNG\r\n\x1a\n') return undefined
  const view = viewOf(bytes)
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at)
    const data = bytes.subarray(at + 8, at + 8 + length)
    if (latin(bytes, at + 4, at + 8) === 'iTXt') {
      const text = textOf(data)
      if (text !== undefined) return text
    }
    at += 12 + length
  }
  return undefined
}

/** Keyword, two bytes about compression, language, translated keyword, text; each name ends with a zero. */
function textOf(data: Uint8Array): string | undefined {
  const keywordEnd = data.indexOf(0)
  if (latin(data, 0, keywordEnd) !== 'webimgui' || data[keywordEnd + 1] !== 0) return undefined
  const languageEnd = data.indexOf(0, keywordEnd + 3)
  const translatedEnd = data.indexOf(0, languageEnd + 1)
  return languageEnd < 0 || translatedEnd < 0 ? undefined : utf8(data.subarray(translatedEnd + 1))
}

// ── JPEG ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const xmpSignature = 'http://ns.adobe.com/xap/1.0/\0'
const extensionSignature = 'http://ns.adobe.com/xmp/extension/\0'

function jpegXmp(bytes: Uint8Array): string | undefined {
  const view = viewOf(bytes)
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return undefined
  let main: string | undefined
  const parts: { hash: string; offset: number; data: Uint8Array }[] = []
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) break
    const marker = bytes[at + 1]!
    if (marker === 0xff) {
      at++
      continue
    }
    if (marker === 0xda || marker === 0xd9) break
    const end = at + 2 + view.getUint16(at + 2)
    const data = bytes.subarray(at + 4, end)
    if (marker === 0xe1 && latin(data, 0, xmpSignature.length) === xmpSignature) {
      main ??= utf8(data.subarray(xmpSignature.length))
    }
    if (marker === 0xe1 && latin(data, 0, extensionSignature.length) === extensionSignature) {
      const hashEnd = extensionSignature.length + 32
      const offset = viewOf(data).getUint32(hashEnd + 4)
      parts.push({ hash: latin(data, extensionSignature.length, hashEnd), offset, data: data.subarray(hashEnd + 8) })
    }
    at = end
  }
  const hash = /HasExtendedXMP(?:\s*=\s*["']|>)([\dA-F]{32})/i.exec(main ?? '')?.[1]
  const extension = parts.filter(part => part.hash === hash).sort((one, other) => one.offset - other.offset)
  return extension.length > 0 ? utf8(joined(extension.map(part => part.data))) : main
}

function joined(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

// ── WebP ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function webpXmp(bytes: Uint8Array): string | undefined {
  if (latin(bytes, 0, 4) !== 'RIFF' || latin(bytes, 8, 12) !== 'WEBP') return undefined
  const view = viewOf(bytes)
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true)
    if (latin(bytes, at, at + 4) === 'XMP ') return utf8(bytes.subarray(at + 8, at + 8 + length))
    at += 8 + length + (length % 2)
  }
  return undefined
}

// ── XMP ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** As an element, which is how we write it, or as an attribute, which is how some programs write it again. */
function fromXmp(xmp: string | undefined): string | undefined {
  if (xmp === undefined) return undefined
  const found =
    /<webimgui:recipe>([^<]*)<\/webimgui:recipe>/.exec(xmp) ??
    /\swebimgui:recipe\s*=\s*"([^"]*)"/.exec(xmp) ??
    /\swebimgui:recipe\s*=\s*'([^']*)'/.exec(xmp)
  return found?.[1] === undefined ? undefined : unescaped(found[1])
}

const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return named[String(name).toLowerCase()] ?? whole
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}

// ── Bytes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function latin(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end))
}

function utf8(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
