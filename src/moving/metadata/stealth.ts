/**
 * Texts in the lowest bit of the alpha channel, column by column: a signature of 15 letters, the number of bits (32 bits, high first), the
 * text, gzipped where the signature ends in `comp`. NovelAI writes so, and the extension "stealth pnginfo" of other programs. Source:
 * NovelAI/novelai-image-metadata, `nai_meta.py`, and ashen-sensored/sd_webui_stealth_pnginfo; read 2026-11.
 */
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { maxPixels } from '../../images/facts.ts'
import { loadSharp } from '../../images/sharp.ts'

const signatures = { stealth_pngcomp: true, stealth_pnginfo: false } as const
const signatureBytes = 15
const headBits = (signatureBytes + 4) * 8
const maxTextBytes = 4 * 1024 * 1024

/** Undefined where there is none; a picture that cannot be decoded has none either. */
export async function readStealth(
  path: string,
  { width, height }: { width: number; height: number },
): Promise<string | undefined> {
  if (width * height > maxPixels || height < 2) return undefined
  try {
    const head = await readBits(path, { width, height }, headBits)
    const name = head?.toString('latin1', 0, signatureBytes) as keyof typeof signatures | undefined
    if (!head || name === undefined || !Object.hasOwn(signatures, name)) return undefined
    const bits = head.readUInt32BE(signatureBytes)
    if (bits % 8 !== 0 || bits / 8 > maxTextBytes || headBits + bits > width * height) return undefined
    const whole = await readBits(path, { width, height }, headBits + bits)
    const data = whole?.subarray(headBits / 8)
    if (!data) return undefined
    const text = signatures[name] ? await promisify(gunzip)(data, { maxOutputLength: maxTextBytes }) : data
    return text.toString('utf8')
  } catch {
    return undefined
  }
}

/** Decodes no more columns than hold so many bits. */
async function readBits(path: string, { width, height }: { width: number; height: number }, bits: number) {
  const columns = Math.min(width, Math.ceil(bits / height))
  if (columns * height < bits) return undefined
  const sharp = await loadSharp()
  const { data, info } = await sharp(path, { limitInputPixels: maxPixels })
    .extract({ left: 0, top: 0, width: columns, height })
    .raw()
    .toBuffer({ resolveWithObject: true })
  if (info.channels !== 4) return undefined
  const bytes = Buffer.alloc(Math.ceil(bits / 8))
  for (let bit = 0; bit < bits; bit++) {
    const pixel = (bit % height) * columns + Math.floor(bit / height)
    if (data[pixel * 4 + 3]! & 1) bytes[bit >> 3]! |= 0x80 >> (bit & 7)
  }
  return bytes
}
