/** Looking into picture files: what they are, whatever their name or sender says. */
import { fileTypeFromBuffer, fileTypeFromFile } from 'file-type'
import PQueue from 'p-queue'
import sharp from 'sharp'

/** A picture as a path or as its bytes. */
export type PictureSource = string | Buffer

export interface PictureFacts {
  mimeType: string
  /** Without a dot. */
  extension: string
  /** In pixels, as a viewer shows it: turned by its EXIF orientation. */
  width: number
  height: number
}

/** Bytes that are no picture which can be read here; the message says what they are and what would work. */
export class NotAPicture extends Error {
  override name = 'NotAPicture'
}

/** More pixels than anyone sends in good faith: 100 megapixels decode to 400 MB. */
export const mostPixels = 100_000_000

/** The types that are read, with the format that sharp must find in them. */
const formats: Record<string, { format: string; extension: string }> = {
  'image/jpeg': { format: 'jpeg', extension: 'jpg' },
  'image/png': { format: 'png', extension: 'png' },
  'image/apng': { format: 'png', extension: 'png' },
  'image/webp': { format: 'webp', extension: 'webp' },
  'image/gif': { format: 'gif', extension: 'gif' },
  'image/tiff': { format: 'tiff', extension: 'tif' },
  'image/avif': { format: 'heif', extension: 'avif' },
}

const readable = 'JPEG, PNG, WebP, GIF, TIFF or AVIF'

const turns = new PQueue({ concurrency: 2 })

/**
 * Runs work that decodes pictures, two at a time in the whole process, so that memory does not grow with the number
 * of clients.
 */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  // sharp has one cache and one thread pool for everybody; a server that never sees a picture twice needs neither.
  sharp.cache(false)
  sharp.concurrency(1)
  return turns.add(work)
}

/**
 * Reads the type from the first bytes and the size from the header; decodes nothing.
 * @param limit of pixels; none when absent
 * @throws NotAPicture; file system errors as they are
 */
export async function pictureFacts(picture: PictureSource, limit?: number): Promise<PictureFacts> {
  const type = await (typeof picture === 'string' ? fileTypeFromFile(picture) : fileTypeFromBuffer(picture))
  if (!type) throw new NotAPicture(`It is not a picture of a known type. Give ${readable}.`)
  // Some AVIF files name the general container as their first brand.
  const isContainer = type.mime === 'image/heif' || type.mime === 'image/heic'
  const mimeType = isContainer ? 'image/avif' : type.mime
  const known = formats[mimeType]
  if (!known) throw unreadable(type.mime)
  const metadata = await sharp(picture, { limitInputPixels: limit ?? false })
    .metadata()
    .catch((error: Error) => {
      if (isContainer) throw unreadable(type.mime)
      throw new NotAPicture(sentenceOf(error, type.mime), { cause: error })
    })
  if (isContainer && metadata.compression !== 'av1') throw unreadable(type.mime)
  if (metadata.format !== known.format) throw new NotAPicture(`It says ${type.mime} but is none. Give ${readable}.`)
  const { width, height } = metadata.autoOrient
  return { mimeType, extension: known.extension, width, height }
}

/**
 * Decodes the picture once, so that a broken one is found here.
 * @throws NotAPicture
 */
export async function provePicture(picture: PictureSource): Promise<void> {
  await inTurn(async () => {
    try {
      await sharp(picture, { limitInputPixels: mostPixels, failOn: 'error' })
        .resize(16, 16, { fit: 'fill' })
        .raw()
        .toBuffer()
    } catch (error) {
      throw new NotAPicture(sentenceOf(error, 'picture'), { cause: error })
    }
  })
}

function unreadable(mimeType: string): NotAPicture {
  if (!mimeType.startsWith('image/')) return new NotAPicture(`It is ${mimeType}, not a picture. Give ${readable}.`)
  return new NotAPicture(`Pictures of the type ${mimeType} cannot be read here. Convert it to JPEG or PNG.`)
}

function sentenceOf(error: unknown, mimeType: string): string {
  const message = error instanceof Error ? error.message : ''
  if (/pixel limit/i.test(message)) {
    return `It has more than ${mostPixels / 1_000_000} million pixels. Make it smaller.`
  }
  return `The ${mimeType} is damaged or not complete. Save it again, as JPEG or PNG for example.`
}
