/** Pictures that stand as text in an answer or a request: base64 in every spelling, and data URIs. Decoded piece by piece. */

/** A text that holds no picture: what is wrong with it stands in the message. */
export class NotInline extends Error {
  override name = 'NotInline'
}

/** A data URI names its type within so many characters. */
const longestPrefix = 1200
/** Characters that are decoded at once. Small enough that V8 frees them with the young objects. */
const pieceLength = 64 * 1024

/** A text in memory, in the pieces that `decodeInline` takes. */
export function* cutText(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    let end = Math.min(text.length, start + pieceLength)
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end--
    yield text.slice(start, end)
    start = end
  }
}

/**
 * Decodes what a text holds, so that no picture is in memory whole: base64 of either alphabet, with or without its padding and broken
 * into lines or not, or a data URI in any spelling (RFC 2397), also one that is not base64.
 * @throws NotInline for anything else; errors of `pieces` as they are
 */
export async function* decodeInline(pieces: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Buffer> {
  let beginning = ''
  let decode: ((text: string, isLast: boolean) => Buffer) | undefined
  for await (const piece of pieces) {
    if (decode) {
      yield decode(piece, false)
      continue
    }
    beginning += piece
    if (beginning.length < longestPrefix) continue
    const begun = chooseDecoder(beginning)
    decode = begun.decode
    yield decode(begun.rest, false)
  }
  if (decode) yield decode('', true)
  else {
    const begun = chooseDecoder(beginning)
    yield begun.decode(begun.rest, true)
  }
}

function chooseDecoder(beginning: string) {
  const prefix = /^\s*data:([^,]{0,1000}),/i.exec(beginning)
  if (!prefix) {
    if (/^\s*data:/i.test(beginning)) throw notBase64()
    return { decode: base64Decoder(), rest: beginning }
  }
  const rest = beginning.slice(prefix[0].length)
  const readUri = uriDecoder()
  if (!/;\s*base64\s*$/i.test(prefix[1] ?? ''))
    return { decode: (text: string, isLast: boolean) => Buffer.from(readUri(text, isLast), 'latin1'), rest }
  const decode = base64Decoder()
  return { decode: (text: string, isLast: boolean) => decode(readUri(text, isLast), isLast), rest }
}

function base64Decoder() {
  /** Letters of a group of four that is not whole yet. */
  let carried = ''
  let hasEnded = false
  return (text: string, isLast: boolean): Buffer => {
    const piece = carried + text
    const letters = isBase64(piece) ? piece : piece.replace(/\s+/g, '').replace(/=+$/, '')
    if (letters !== '' && (hasEnded || !isBase64(letters))) throw notBase64()
    hasEnded ||= piece.includes('=')
    const whole = hasEnded || isLast ? letters : letters.slice(0, letters.length - (letters.length % 4))
    carried = letters.slice(whole.length)
    return Buffer.from(whole, 'base64')
  }
}

function isBase64(text: string): boolean {
  return /^[\w+/-]*$/.test(text)
}

/** Gives bytes as Latin-1 characters. */
function uriDecoder() {
  /** An escape that is not whole yet. */
  let carried = ''
  return (text: string, isLast: boolean): string => {
    const all = carried + text
    const cut = isLast ? -1 : all.indexOf('%', all.length - 2)
    const piece = cut < 0 ? all : all.slice(0, cut)
    carried = all.slice(piece.length)
    const ascii = piece.replace(/[\u0080-\uffff]+/g, letters => encodeURIComponent(letters.toWellFormed()))
    return ascii.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  }
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00
}

function notBase64(): NotInline {
  return new NotInline('The picture is not valid base64.')
}
