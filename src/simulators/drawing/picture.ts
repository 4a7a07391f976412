/**
 * The pictures that the simulators make: small landscapes, drawn as SVG with a long side of `canvasSide` and enlarged, which suits
 * washes of ink and keeps a 4096² picture cheap.
 */
import sharp, { type OverlayOptions } from 'sharp'
import { type Chance, createChance } from './chance.ts'
import { paintScene } from './scenes.ts'

export interface PictureOptions {
  /** Exact, in pixels. */
  width: number
  height: number
  type: 'png' | 'jpeg' | 'webp'
  /** Of JPEG and WebP, 1 … 100. */
  quality?: number
  prompt: string
  seed?: number
  /** Position in its group; another index is another picture. */
  index: number
  /** A visible mark at the bottom right. */
  watermark?: boolean
  /** Not for JPEG: the scene in a round window, nothing around it. */
  transparent?: boolean
  /** Encoded pictures that show up in the result: as photographs lying on it, at most four. */
  references?: Buffer[]
  /** One colour in place of the landscape, for whoever needs many pictures and looks at none. */
  plain?: boolean
}

const canvasSide = 512
/** The surroundings of a picture are processes that wait; two threads draw fast enough without taking the machine. */
sharp.concurrency(2)
sharp.cache({ files: 0, items: 50, memory: 32 })

/** The same options give the same bytes. Undecodable references are left out. */
export async function drawPicture(options: PictureOptions): Promise<Buffer> {
  const { width, height, type, index, prompt } = options
  const chance = createChance(JSON.stringify([prompt, options.seed ?? -1, index]))
  let picture = options.plain ? oneColour(width, height, chance) : await landscape(width, height, prompt, chance)

  const layers: OverlayOptions[] = await photographs(options.references ?? [], width, height, chance)
  const transparent = options.transparent === true && type !== 'jpeg'
  if (transparent) {
    picture = picture.ensureAlpha()
    layers.push({ input: Buffer.from(roundWindow(width, height)), blend: 'dest-in' })
  }
  if (options.watermark) layers.push(mark(width, height))
  if (layers.length > 0) picture = picture.composite(layers)
  if (type === 'jpeg') return picture.jpeg({ quality: options.quality ?? 88 }).toBuffer()
  if (type === 'webp') return picture.webp({ quality: options.quality ?? 90, effort: 1 }).toBuffer()
  if (!transparent) picture = picture.removeAlpha()
  return picture.png({ compressionLevel: 2, adaptiveFiltering: false }).toBuffer()
}

/** A copy small enough to be kept beside a picture that is drawn later; undefined when it cannot be decoded. */
export async function thumbnailOf(reference: Buffer): Promise<Buffer | undefined> {
  try {
    return await sharp(reference)
      .rotate()
      .resize(480, 480, { fit: 'inside', withoutEnlargement: true })
      .png({ compressionLevel: 3 })
      .toBuffer()
  } catch {
    return undefined
  }
}

function oneColour(width: number, height: number, chance: Chance) {
  const background = { r: chance.whole(0, 255), g: chance.whole(0, 255), b: chance.whole(0, 255) }
  return sharp({ create: { width, height, channels: 3, background } })
}

async function landscape(width: number, height: number, prompt: string, chance: Chance) {
  const shrink = Math.min(1, canvasSide / Math.max(width, height))
  const canvas = { width: Math.max(1, Math.round(width * shrink)), height: Math.max(1, Math.round(height * shrink)) }
  const scene = paintScene(canvas.width, canvas.height, prompt, chance)
  const { data, info } = await sharp(Buffer.from(scene)).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  grain(data, info.width, info.height, info.channels, chance)
  const raw = { width: info.width, height: info.height, channels: info.channels }
  return sharp(data, { raw }).resize(width, height, { fit: 'fill', kernel: 'linear' })
}

/** Paper: a little unevenness in every dot and in the fibres, which enlarging turns into mottling. */
function grain(data: Buffer, width: number, height: number, channels: number, chance: Chance): void {
  let state = Math.floor(chance.next() * 2 ** 32) | 1
  const fibres = Float32Array.from({ length: height }, () => chance.between(-1.6, 1.6))
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // xorshift32; one step serves the dot's three channels.
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      const shift = ((state & 255) / 255 - 0.5) * 9 + fibres[y]!
      for (let channel = 0; channel < 3; channel++)
        data[at + channel] = Math.max(0, Math.min(255, data[at + channel]! + shift))
      at += channels
    }
  }
}

async function photographs(
  references: readonly Buffer[],
  width: number,
  height: number,
  chance: Chance,
): Promise<OverlayOptions[]> {
  const unit = Math.min(width, height)
  const side = Math.max(4, Math.round(unit * 0.24))
  const layers: OverlayOptions[] = []
  for (const reference of references.slice(0, 4)) {
    const angle = chance.between(-9, 9)
    try {
      const border = Math.max(1, Math.round(side * 0.05))
      const photograph = await sharp(reference)
        .rotate()
        .resize(side, side, { fit: 'cover' })
        .flatten({ background: '#fdfaf2' })
        .extend({ top: border, left: border, right: border, bottom: border * 3, background: '#fdfaf2' })
        .png({ compressionLevel: 0 })
        .toBuffer()
      const turned = await sharp(photograph)
        .rotate(angle, { background: '#00000000' })
        .resize({ width, height, fit: 'inside', withoutEnlargement: true })
        .png({ compressionLevel: 0 })
        .toBuffer({ resolveWithObject: true })
      const step = (width - unit * 0.12 - turned.info.width) / 3
      const left = Math.round(unit * 0.05 + layers.length * Math.min(step, turned.info.width * 1.02))
      const top = Math.round(height - turned.info.height - unit * 0.06)
      layers.push({
        input: turned.data,
        left: Math.max(0, Math.min(left, width - turned.info.width)),
        top: Math.max(0, top),
      })
    } catch {
      // A reference that sharp cannot read was accepted by the service all the same; its picture goes without it.
    }
  }
  return layers
}

/** Stands for the label that the services print: a pale plate with a spark and three strokes. */
function mark(width: number, height: number): OverlayOptions {
  const tall = Math.min(height, Math.max(6, Math.round(Math.min(width, height) * 0.05)))
  const wide = Math.min(width, Math.round(tall * 2.6))
  const strokes = [42, 61, 80].map(x => `<rect x="${x}" y="11" width="12" height="18" rx="2" fill="#1b2530"/>`).join('')
  const spark = '<path d="M22 7l3 10 10 3-10 3-3 10-3-10-10-3 10-3z" fill="#c3412b"/>'
  const plate = '<rect width="104" height="40" rx="10" fill="#fff" fill-opacity=".82"/>'
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 104 40" width="${wide}" height="${tall}">${plate}${spark}${strokes}</svg>`
  const margin = Math.round(tall * 0.4)
  return { input: Buffer.from(svg), left: Math.max(0, width - wide - margin), top: Math.max(0, height - tall - margin) }
}

function roundWindow(width: number, height: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><ellipse cx="${width / 2}" cy="${height / 2}" rx="${width * 0.46}" ry="${height * 0.46}" fill="#fff"/></svg>`
}
