/** Stored pictures in another file format, for an answer alone: what is stored stays as it came. */
import type { ImageRecord } from '../storage/records.ts'
import { createDecoder, type ImageSource, inTurn, isDecodable, maxPixels } from './facts.ts'

export const conversionFormats = ['png', 'jpeg', 'webp'] as const

export interface Conversion {
  format: (typeof conversionFormats)[number]
  /** Percent, for JPEG and WebP: the lower, the smaller. */
  quality?: number
}

const usualQuality = 90

/** False where the picture is of that form already, or its pixels cannot be read here. */
export function needsConversion({ mimeType }: Pick<ImageRecord, 'mimeType'>, { format, quality }: Conversion): boolean {
  return isDecodable(mimeType) && (mimeType !== `image/${format}` || quality !== undefined)
}

/** What the service wrote beside the pixels, such as that a program made them, is kept. */
export function convertPicture(picture: ImageSource, { format, quality = usualQuality }: Conversion): Promise<Buffer> {
  return inTurn(async () => {
    const decoder = await createDecoder(picture, { limitInputPixels: maxPixels })
    const upright = decoder.autoOrient().keepMetadata()
    if (format === 'png') return upright.png().toBuffer()
    // JPEG has no transparency.
    if (format === 'jpeg')
      return upright
        .flatten({ background: '#ffffff' })
        .jpeg({ quality: Math.max(quality, 1) })
        .toBuffer()
    return upright.webp({ quality: Math.max(quality, 1) }).toBuffer()
  })
}
