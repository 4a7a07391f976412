/** The pictures that the simulators make: small landscapes, drawn as SVG and enlarged, which suits washes of ink and keeps 4096² cheap. */
import sharp, { type Sharp } from 'sharp'
import { type Chance, createChance } from './chance.ts'
import { paintScene } from './scenes.ts'

export interface ImageOptions {
  /** Exact, in pixels. */
  width: number
  height: number
  type: 'png' | 'jpeg' | 'webp'
  /** For JPEG and WebP, 1 … 100. */
  quality?: number
  prompt: string
  seed?: number
  /** Position in its group; another index is another picture. */
  index: number
  /** A visible mark at the bottom right. */
  watermark?: boolean
  /** Not for JPEG: the scene in a round window, nothing around it. */
  transparent?: boolean
  /** PNG files that show up in the result: as photographs lying on it, at most four. */
  references?: Buffer[]
  /** One colour in place of the landscape, for whoever needs many pictures and looks at none; `grain`: many, so that its file is large. */
  plain?: boolean | 'grain'
}

/** The surroundings of a picture are processes that wait; two threads draw fast enough without taking the machine. */
sharp.concurrency(2)
sharp.cache({ files: 0, items: 50, memory: 32 })

/** The same options give the same bytes. */
export async function drawImage(options: ImageOptions): Promise<Buffer> {
  const { width, height, prompt, seed = -1, index, plain, watermark, references = [] } = options
  const chance = createChance(JSON.stringify([prompt, seed, index]))
  const colour = () => chance.next().toString(16).slice(2, 8).padEnd(6, '0')
  const isTransparent = options.transparent === true && options.type !== 'jpeg'
  // Nothing is to be seen on it.
  const isBare = plain && !watermark && !isTransparent && references.length === 0
  if (isBare || plain === 'grain') {
    const cells = plain === 'grain' ? 128 : 1
    const colours = Buffer.from(Array.from({ length: cells ** 2 }, colour).join(''), 'hex')
    return encode(sharp(colours, { raw: { width: cells, height: cells, channels: 3 } }), options)
  }
  const shrink = Math.min(1, (plain ? 96 : 640) / Math.max(width, height))
  const canvas = { width: Math.max(1, Math.round(width * shrink)), height: Math.max(1, Math.round(height * shrink)) }
  const scene = plain ? `<rect width="100%" height="100%" fill="#${colour()}"/>` : paintScene(canvas, prompt, chance)
  const photographs = references.slice(0, 4).map((reference, index) => photograph(reference, index, chance))
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${canvas.width}" height="${canvas.height}">
    <clipPath id="window"><ellipse cx="50%" cy="50%" rx="46%" ry="46%"/></clipPath>
    <g${isTransparent ? ' clip-path="url(#window)"' : ''}>${scene}
      <svg viewBox="0 0 100 100" preserveAspectRatio="xMinYMax">${photographs.join('')}</svg>
    </g>${watermark ? mark : ''}</svg>`
  const drawn = sharp(Buffer.from(svg))
  if (!isTransparent) drawn.removeAlpha()
  const { data, info } = await drawn.raw().toBuffer({ resolveWithObject: true })
  return encode(sharp(data, { raw: info }), options)
}

function encode(drawn: Sharp, { width, height, type, plain, quality }: ImageOptions): Promise<Buffer> {
  const image = drawn.resize(width, height, { fit: 'fill', kernel: plain ? 'nearest' : 'linear' })
  if (type === 'jpeg') return image.jpeg({ quality: quality ?? 88 }).toBuffer()
  if (type === 'webp') return image.webp({ quality: quality ?? 90, effort: 1 }).toBuffer()
  return image.png({ compressionLevel: 2, adaptiveFiltering: false }).toBuffer()
}

/** A copy small enough to be kept beside a picture that is drawn later; undefined when it cannot be decoded. */
export async function thumbnailOf(reference: Buffer): Promise<Buffer | undefined> {
  const small = sharp(reference).rotate().resize(480, 480, { fit: 'inside', withoutEnlargement: true })
  return await small
    .png({ compressionLevel: 3 })
    .toBuffer()
    .catch(() => undefined)
}

/** A print with a white edge, one beside the other. */
function photograph(reference: Buffer, index: number, chance: Chance): string {
  const href = `data:image/png;base64,${reference.toString('base64')}`
  const image = `<image x="-12" y="-12" width="24" height="24" preserveAspectRatio="xMidYMid slice" href="${href}"/>`
  const at = `translate(${18 + index * 21} 77) rotate(${chance.between(-9, 9)})`
  return `<g transform="${at}"><path fill="#fdfaf2" d="M-13-13h26v30h-26z"/>${image}</g>`
}

/** Stands for the label that the services print: a pale plate with a spark and three strokes. */
const mark = `<svg viewBox="-680 -744 800 800" preserveAspectRatio="xMaxYMax">
  <rect width="104" height="40" rx="10" fill="#fff" fill-opacity=".82"/>
  <path fill="#c3412b" d="M22 7l3 10 10 3-10 3-3 10-3-10-10-3 10-3z"/>
  <path fill="#1b2530" d="M42 11h12v18H42zM61 11h12v18H61zM80 11h12v18H80z"/></svg>`
