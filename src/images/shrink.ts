/** Makes small pictures of a large one: the work of a process of its own, whose memory the system has back when it ends. */
import type { Sharp } from 'sharp'
import { createDecoder, maxPixels } from './facts.ts'
import { loadSharp } from './sharp.ts'

/** One WebP for each of `sides`, their longest sides in pixels, at most. @throws NotAnImage, and what the decoder says */
export async function shrink(path: string, sides: readonly number[]): Promise<Buffer[]> {
  const sharp = await loadSharp()
  const decoder = await createDecoder(path, { limitInputPixels: maxPixels, failOn: 'none' })
  // Decoded once for all sizes; only the pixels of the largest are in memory.
  const { data, info } = await resizeWithin(decoder.autoOrient(), Math.max(...sides))
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  const made: Buffer[] = []
  for (const side of sides) {
    const shrunk = resizeWithin(sharp(data, { raw: { width, height, channels } }), side)
    made.push(await shrunk.webp({ quality: 80, effort: 2 }).toBuffer())
  }
  return made
}

function resizeWithin(image: Sharp, side: number): Sharp {
  return image.resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
}
