/** Reads BMP, which the picture library does not: what Windows programs and old scanners write (Microsoft, "Bitmap storage", 2021-01). */

export interface BmpPixels {
  width: number
  height: number
  channels: 3 | 4
  /** Top to bottom, 8 bits a channel. */
  data: Buffer
}

interface BmpHead {
  width: number
  height: number
  isTopDown: boolean
  bits: number
  masks: { red: number; green: number; blue: number; alpha: number }
  palette: Buffer
  paletteStep: 3 | 4
  /** Offset of the pixels, and bytes of a row with its padding. */
  start: number
  rowBytes: number
}

export function isBmp(bytes: Buffer): boolean {
  return bytes.length >= 26 && bytes.toString('latin1', 0, 2) === 'BM' && bytes.readUInt32LE(6) === 0
}

/** Does a BMP end within its own head? Then it is no kind of picture but the beginning of one. */
export function isHeadCut(bytes: Buffer): boolean {
  return bytes.length < 14 + bytes.readUInt32LE(14)
}

/** Width and height in pixels; undefined for a kind of BMP that is not read here (run-length encoded, JPEG or PNG inside). */
export function bmpSize(bytes: Buffer): { width: number; height: number } | undefined {
  const head = readHead(bytes)
  return head && { width: head.width, height: head.height }
}

/** How long the file has to be; undefined as for `bmpSize`. */
export function bmpLength(bytes: Buffer): number | undefined {
  const head = readHead(bytes)
  return head && head.start + head.rowBytes * head.height
}

/** Undefined as for `bmpSize`, and when pixels are missing. */
export function bmpPixels(bytes: Buffer): BmpPixels | undefined {
  const head = readHead(bytes)
  if (!head || bytes.length < head.start + head.rowBytes * head.height) return undefined
  const { width, height, masks } = head
  const channels = masks.alpha === 0 ? 3 : 4
  const data = Buffer.alloc(width * height * channels)
  const pixelAt = createReader(bytes, head)
  let at = 0
  for (let y = 0; y < height; y++) {
    const row = head.start + head.rowBytes * (head.isTopDown ? y : height - 1 - y)
    for (let x = 0; x < width; x++) {
      pixelAt(row, x, data, at)
      at += channels
    }
  }
  return { width, height, channels, data: opaqueWhereEmpty(data, channels) }
}

function readHead(bytes: Buffer): BmpHead | undefined {
  if (!isBmp(bytes)) return undefined
  const start = bytes.readUInt32LE(10)
  const size = bytes.readUInt32LE(14)
  const isOld = size === 12
  if (!isOld && (size < 40 || bytes.length < 14 + size)) return undefined
  const width = isOld ? bytes.readUInt16LE(18) : bytes.readInt32LE(18)
  const signedHeight = isOld ? bytes.readInt16LE(20) : bytes.readInt32LE(22)
  const height = Math.abs(signedHeight)
  const bits = bytes.readUInt16LE(isOld ? 24 : 28)
  const compression = isOld ? 0 : bytes.readUInt32LE(30)
  const hasMasks = compression === 3 || compression === 6
  if ((compression !== 0 && !hasMasks) || ![1, 4, 8, 16, 24, 32].includes(bits)) return undefined
  if (width <= 0 || height <= 0 || width > 65_535 || height > 65_535) return undefined
  const afterHead = 14 + size + (hasMasks && size === 40 ? (compression === 6 ? 16 : 12) : 0)
  return {
    width,
    height,
    isTopDown: signedHeight < 0,
    bits,
    masks: hasMasks ? masksIn(bytes, size, compression) : usualMasks(bits),
    palette: bytes.subarray(afterHead, start),
    paletteStep: isOld ? 3 : 4,
    start,
    rowBytes: Math.ceil((width * bits) / 32) * 4,
  }
}

function masksIn(bytes: Buffer, size: number, compression: number): BmpHead['masks'] {
  const at = (index: number) => (bytes.length >= 58 + 4 * index ? bytes.readUInt32LE(54 + 4 * index) : 0)
  return { red: at(0), green: at(1), blue: at(2), alpha: size >= 56 || compression === 6 ? at(3) : 0 }
}

function usualMasks(bits: number): BmpHead['masks'] {
  if (bits === 16) return { red: 0x7c00, green: 0x03e0, blue: 0x001f, alpha: 0 }
  // The fourth byte is padding by the standard; many programs store transparency there.
  return { red: 0xff0000, green: 0xff00, blue: 0xff, alpha: bits === 32 ? 0xff000000 : 0 }
}

type PixelReader = (row: number, x: number, to: Buffer, at: number) => void

function createReader(bytes: Buffer, { bits, masks, palette, paletteStep }: BmpHead): PixelReader {
  if (bits === 24) {
    return (row, x, to, at) => {
      to[at] = bytes[row + 3 * x + 2]!
      to[at + 1] = bytes[row + 3 * x + 1]!
      to[at + 2] = bytes[row + 3 * x]!
    }
  }
  if (bits <= 8) {
    const perByte = 8 / bits
    return (row, x, to, at) => {
      const byte = bytes[row + Math.floor(x / perByte)]!
      const color = ((byte >> (8 - bits * ((x % perByte) + 1))) & ((1 << bits) - 1)) * paletteStep
      to[at] = palette[color + 2] ?? 0
      to[at + 1] = palette[color + 1] ?? 0
      to[at + 2] = palette[color] ?? 0
    }
  }
  const channels = [masks.red, masks.green, masks.blue, masks.alpha].filter((mask, index) => index < 3 || mask !== 0)
  const parts = channels.map(mask => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask)
    return { shift, most: mask >>> shift }
  })
  return (row, x, to, at) => {
    const value = bits === 16 ? bytes.readUInt16LE(row + 2 * x) : bytes.readUInt32LE(row + 4 * x)
    parts.forEach(({ shift, most }, index) => {
      to[at + index] = most === 0 ? 0 : Math.round((((value >>> shift) & most) / most) * 255)
    })
  }
}

/** An image that is transparent everywhere comes from a program that left the fourth byte at zero. */
function opaqueWhereEmpty(data: Buffer, channels: 3 | 4): Buffer {
  if (channels === 3) return data
  for (let at = 3; at < data.length; at += 4) if (data[at] !== 0) return data
  for (let at = 3; at < data.length; at += 4) data[at] = 255
  return data
}
