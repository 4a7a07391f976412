/** The reference pictures of the simulated Ark: how they come in, and which it does not take. */
import sharp from 'sharp'
import { thumbnailOf } from '../drawing/picture.ts'
import { Refusal } from '../refusal.ts'
import { invalid, type Order } from './requests.ts'

export interface Reference {
  width: number
  height: number
  format: string
  transparent: boolean
  thumbnail: Buffer | undefined
}

interface Fetching {
  /** Which addresses the service reaches. */
  reachable: (url: URL) => boolean
  timeoutMs: number
}

const formats = ['jpeg', 'png', 'webp', 'bmp', 'tiff', 'gif', 'heic', 'heif']

/** Fetches and opens the references. @throws Refusal for the first that the service would not take. */
export async function openReferences(order: Order, fetching: Fetching): Promise<Reference[]> {
  const opened: Reference[] = []
  for (const text of order.references) opened.push(await openReference(text, order, fetching))
  const [only] = opened
  const { family } = order.model
  if (
    order.background === 'transparent' &&
    family.backgroundNeedsReference &&
    !(only?.format === 'png' && only.transparent)
  ) {
    throw invalid('image', 'transparent background requires a PNG input with at least one transparent pixel')
  }
  if (order.layers && only && only.width * only.height < 262_144) {
    throw invalid(
      'image',
      `expected the area to be at least 262144px, but received a ${only.width}x${only.height}px image instead`,
    )
  }
  return opened
}

async function openReference(text: string, order: Order, fetching: Fetching): Promise<Reference> {
  const { family } = order.model
  const bytes = text.startsWith('data:') ? decodeDataUri(text, order) : await download(text, fetching)
  if (bytes.length > family.maxReferenceBytes) {
    throw invalid(
      'image',
      `the image is larger than ${family.maxReferenceBytes / 2 ** 20} MB`,
      'InvalidParameter.OversizedImage',
    )
  }
  const facts = await inspect(bytes)
  if (!facts || !takes(order, facts.format))
    throw invalid('image', 'the image format is not supported', 'InvalidParameter.UnsupportedImageFormat')
  const { width, height } = facts
  const received = `but received a ${width}x${height}px image instead`
  // The message says "at least 14px" where the documents say "more than 14": the stricter of both.
  if (width <= 14) throw invalid('image', `expected the width to be at least 14px, ${received}`)
  if (height <= 14) throw invalid('image', `expected the height to be at least 14px, ${received}`)
  if (width > height * 16 || height > width * 16)
    throw invalid('image', `expected the aspect ratio to be between 1/16 and 16, ${received}`)
  if (width * height > 36_000_000) throw invalid('image', `expected the area to be at most 36000000px, ${received}`)
  return { ...facts, thumbnail: await thumbnailOf(bytes) }
}

function takes(order: Order, format: string): boolean {
  const isHeic = format === 'heic' || format === 'heif'
  if (isHeic && (!order.model.family.heic || order.layers)) return false
  return formats.includes(format)
}

function decodeDataUri(text: string, order: Order): Buffer {
  const comma = text.indexOf(',')
  const head = /^data:image\/([^;]*);base64$/.exec(text.slice(0, Math.max(0, comma)))
  const encoded = text.slice(comma + 1)
  // Only lower case is taken as a format, and `jpg` is none.
  if (!head || /[A-Z]/.test(head[1]!)) throw invalid('image', 'Invalid base64 image_url')
  if (!takes(order, head[1]!))
    throw invalid('image', 'the image format is not supported', 'InvalidParameter.UnsupportedImageFormat')
  if (encoded === '' || encoded.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded))
    throw invalid('image', 'Invalid base64 image_url')
  return Buffer.from(encoded, 'base64')
}

async function download(text: string, { reachable, timeoutMs }: Fetching): Promise<Buffer> {
  const failed = (reason: string, seconds = 1) =>
    new Refusal(400, 'InvalidParameter', `The parameter \`image\` specified in the request is not valid: ${reason}.`, {
      param: 'image',
      seconds,
    })
  const url = new URL(text)
  // The service stands in the internet: the networks of its users are as unreachable as a host that drops packets.
  if (!reachable(url)) throw failed(`Timeout while downloading url=${text}`, 10)
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
    if (!answer.ok) throw failed(`Error while downloading: ${text}, status code: ${answer.status}`)
    return Buffer.from(await answer.arrayBuffer())
  } catch (error) {
    if (error instanceof Refusal) throw error
    const timedOut = error instanceof Error && error.name === 'TimeoutError'
    // The wait has passed already when it timed out.
    throw timedOut ? failed(`Timeout while downloading url=${text}`, 0) : failed(`Error while downloading: ${text}`)
  }
}

async function inspect(bytes: Buffer): Promise<Omit<Reference, 'thumbnail'> | undefined> {
  // Two formats that the service reads and sharp as it is built for npm does not: their headers are enough here.
  if (bytes.length >= 26 && bytes.toString('latin1', 0, 2) === 'BM') {
    return {
      format: 'bmp',
      width: Math.abs(bytes.readInt32LE(18)),
      height: Math.abs(bytes.readInt32LE(22)),
      transparent: false,
    }
  }
  const brand = bytes.toString('latin1', 4, 12)
  if (/^ftyp(?:hei[cxms]|hev[cx]|mif1)$/.test(brand)) {
    const extents = bytes.indexOf('ispe', 0, 'latin1')
    if (extents < 0 || bytes.length < extents + 16) return undefined
    return {
      format: 'heic',
      width: bytes.readUInt32BE(extents + 8),
      height: bytes.readUInt32BE(extents + 12),
      transparent: false,
    }
  }
  try {
    const { format, width, height, hasAlpha } = await sharp(bytes, { limitInputPixels: 400_000_000 }).metadata()
    const transparent = hasAlpha && format === 'png' ? !(await sharp(bytes).stats()).isOpaque : false
    return { format, width, height, transparent }
  } catch {
    return undefined
  }
}
