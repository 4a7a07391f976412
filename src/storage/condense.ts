/**
 * Answers as small texts: where a long string stands, such as a picture in base64, only its beginning is left and a note of where it
 * lies in the file of the answer. Whatever understands answers works on these, so that none of them is ever in memory whole.
 */

/** Strings of JSON up to so many bytes are left as they are. */
const longestString = 64 * 1024
/** Bytes kept of longer ones: enough to recognise their type. */
const shownBytes = 2048

/** Where a string lies in its file, in bytes, without its quotes. */
export interface ByteRange {
  start: number
  end: number
}

/** A character that does not occur in real text. */
const mark = '\uE4A7'
const note = new RegExp(`${mark}(\\d{1,15})-(\\d{1,15})${mark}$`)

/** Where the whole of a text lies that was taken out of a condensed answer; undefined when it is whole already. */
export function findCutText(text: string): ByteRange | undefined {
  const [, start, end] = note.exec(text.slice(-64)) ?? []
  return start === undefined ? undefined : { start: Number(start), end: Number(end) }
}

const quote = 0x22
const backslash = 0x5c
const lineFeed = 0x0a

function openAfter(open: number, byte: number): number {
  if (open === 5) return byte === 0x75 ? 4 : 0
  return open > 0 ? open - 1 : byte === backslash ? 5 : 0
}
/** Ends an escape that was cut, so that JSON stays JSON. */
const closing = ['', '0', '00', '000', '0000', '\\']

/** Takes the bytes of an answer in order. `position`: where the first of them lies in its file. */
export class Condenser {
  private position: number
  private isInString = false
  private start = 0
  /** True when the input so far ends with an odd number of backslashes. */
  private isEscaped = false
  /** How much of an escape is missing where the shown beginning ends: up to 4 digits, or 5 for what follows a backslash. */
  private open = 0
  /** Bytes of a string that may yet turn out to be long; undefined when it has. */
  private held: Uint8Array[] | undefined = []

  constructor(position = 0) {
    this.position = position
  }

  /** Returns what these bytes add to the condensed answer. */
  push(bytes: Buffer): Buffer {
    const output: Uint8Array[] = []
    let index = 0
    while (index < bytes.length) {
      if (!this.isInString) {
        const found = bytes.indexOf(quote, index)
        const end = found < 0 ? bytes.length : found + 1
        output.push(bytes.subarray(index, end))
        index = end
        if (found >= 0) this.beginString(index)
      } else {
        const found = this.endOfString(bytes, index)
        const end = found < 0 ? bytes.length : found
        this.take(bytes.subarray(index, end), this.position + index - this.start, output)
        index = end
        if (found >= 0) this.endString(index, output)
      }
    }
    this.position += bytes.length
    return Buffer.concat(output)
  }

  /** The rest of a string that was not terminated. */
  end(): Buffer {
    return Buffer.concat(this.held ?? [])
  }

  private beginString(index: number) {
    this.isInString = true
    this.isEscaped = false
    this.open = 0
    this.start = this.position + index
    this.held = []
  }

  /** The beginning is passed on at once, so that a stream is not delayed; the rest once the string is known to be short. */
  private take(bytes: Buffer, offset: number, output: Uint8Array[]) {
    const shown = Math.max(0, Math.min(bytes.length, shownBytes - offset))
    if (shown > 0) output.push(bytes.subarray(0, shown))
    for (const byte of bytes.subarray(0, shown)) this.open = openAfter(this.open, byte)
    if (offset + bytes.length > longestString) this.held = undefined
    else if (shown < bytes.length) this.held?.push(bytes.subarray(shown))
  }

  private endString(index: number, output: Uint8Array[]) {
    const end = this.position + index
    if (this.held) output.push(...this.held)
    else output.push(Buffer.from(`${closing[this.open]}${mark}${this.start}-${end}${mark}`))
    this.isInString = false
    this.held = []
  }

  /** The quote that ends the string. JSON strings do not span lines, so a line feed ends an unterminated one. */
  private endOfString(bytes: Buffer, from: number): number {
    const feed = bytes.indexOf(lineFeed, from)
    const limit = feed < 0 ? bytes.length : feed
    let isEscaped = this.isEscaped
    for (let index = from; ; index++) {
      const found = bytes.indexOf(quote, index)
      const end = found < 0 || found > limit ? limit : found
      let slashes = 0
      while (end - slashes > index && bytes[end - slashes - 1] === backslash) slashes++
      // Backslashes at the very beginning continue those of the previous chunk.
      const isOdd = (slashes % 2 === 1) !== (isEscaped && end - slashes === index)
      if (end === limit) {
        this.isEscaped = isOdd
        return feed
      }
      if (!isOdd) return end
      isEscaped = false
      index = end
    }
  }
}
