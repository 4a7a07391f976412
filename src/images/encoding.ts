/** Pixels of a picture, and the smallest loss with which they fit into a number of bytes. */
import type { ReferenceLimits } from '../catalogue/model.ts'
import { createDecoder, damagedImage, type ImageSource, maxPixels, NotAnImage } from './facts.ts'
import { loadSharp } from './sharp.ts'

export interface Dimensions {
  width: number
  height: number
}

interface Pixels {
  data: Buffer
  width: number
  height: number
  channels: 1 | 2 | 3 | 4
  transparent: boolean
}

/** Upright, first frame, sRGB, 8 bits, of that size; with a channel for transparency only when some pixel needs it. */
export async function decodedPixels(picture: ImageSource, size: Dimensions, alpha: boolean): Promise<Pixels> {
  try {
    const sharp = await loadSharp()
    const decoder = await createDecoder(picture, { limitInputPixels: maxPixels, failOn: 'error' })
    const image = decoder.autoOrient().resize(size.width, size.height, { fit: 'fill' }).toColourspace('srgb')
    const { data, info } = await (alpha ? image : image.flatten({ background: '#ffffff' }))
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    const channels = info.channels as 1 | 2 | 3 | 4
    const decoded = { data, width: info.width, height: info.height, channels, transparent: false }
    if (channels === 1 || channels === 3) return decoded
    if (isTransparent(data, channels)) return { ...decoded, transparent: true }
    const opaque = await sharp(data, { raw: { width: info.width, height: info.height, channels } })
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true })
    return { ...decoded, data: opaque.data, channels: opaque.info.channels as 1 | 3 }
  } catch (error) {
    throw damagedImage(error)
  }
}

function isTransparent(data: Buffer, channels: number): boolean {
  for (let place = channels - 1; place < data.length; place += channels) {
    if (data[place] !== 255) return true
  }
  return false
}

export async function hasTransparentPixel(picture: ImageSource): Promise<boolean> {
  try {
    const sharp = await loadSharp()
    const alpha = await sharp(picture, { limitInputPixels: maxPixels }).extractChannel('alpha').raw().toBuffer()
    return isTransparent(alpha, 1)
  } catch (error) {
    throw damagedImage(error)
  }
}

/** The first form that fits: lossless where the original was, then lower quality, then smaller. */
export async function encodedWithin(pixels: Pixels, originalType: string, limits: ReferenceLimits, maxBytes: number) {
  const { types, minSide } = limits
  const wasLossless = ['image/png', 'image/apng', 'image/gif', 'image/tiff', 'image/bmp'].includes(originalType)
  const lossy = pixels.transparent || !types.includes('image/jpeg') ? ['image/webp'] : ['image/jpeg']
  const forms: { mimeType: string; quality: number }[] = []
  if (types.includes('image/png') && (wasLossless || pixels.transparent || !lossy.some(type => types.includes(type)))) {
    forms.push({ mimeType: 'image/png', quality: 100 })
  }
  for (const mimeType of lossy) {
    if (types.includes(mimeType)) forms.push(...[92, 82, 70].map(quality => ({ mimeType, quality })))
  }
  const fallback = forms.at(-1)
  if (!fallback) {
    throw new NotAnImage(
      `The model takes ${types.join(', ')}only, and this picture cannot be converted to that here. Convert it first.`,
    )
  }
  for (let scale = 1; ; scale *= 0.8) {
    const { width, height } = shrunk(pixels, scale, limits.maxRatio)
    if (scale < 1 && Math.min(width, height) < minSide) break
    // Once it has to shrink, only the smallest encodings are worth the time.
    for (const form of scale === 1 ? forms : [fallback]) {
      const bytes = await encode(pixels, { width, height }, form)
      if (bytes.length <= maxBytes) return { bytes, mimeType: form.mimeType, width, height }
    }
    if (Math.max(width, height) <= 16) break
  }
  throw new NotAnImage(
    `It cannot be made small enough: at most ${Math.max(0, maxBytes)} bytes are left for it. Give fewer or simpler pictures.`,
  )
}

async function encode(pixels: Pixels, size: Dimensions, form: { mimeType: string; quality: number }) {
  const sharp = await loadSharp()
  const { width, height, channels } = pixels
  const image = sharp(pixels.data, { raw: { width, height, channels } }).resize(size.width, size.height, {
    fit: 'fill',
  })
  if (form.mimeType === 'image/jpeg')
    return image.jpeg({ quality: form.quality, chromaSubsampling: '4:4:4' }).toBuffer()
  if (form.mimeType === 'image/webp') return image.webp({ quality: form.quality, effort: 2 }).toBuffer()
  return image.png({ compressionLevel: 6 }).toBuffer()
}

/** Rounded down, so that no limit is exceeded. */
export function shrunk(size: Dimensions, scale: number, maxRatio = Number.POSITIVE_INFINITY) {
  if (scale === 1) return { width: size.width, height: size.height }
  const floor = (side: number) => Math.max(1, Math.floor(side * scale + 1e-6))
  const width = floor(size.width)
  const height = floor(size.height)
  return {
    width: Math.min(width, Math.floor(height * maxRatio)),
    height: Math.min(height, Math.floor(width * maxRatio)),
  }
}
