/** Where a stored picture is, and what is known of it before it is shown, also of one that cannot be. */
import type { Generation } from '../../api/generations.ts'
import { api } from './client.ts'

/** Always of the page's own origin, whatever PUBLIC_URL says, because its policy allows no other. */
export const { url: imageUrl, thumbnailUrl } = api.images

/** What an `<img>` of the whole picture shows. Only Safari draws TIFF. */
export function shownUrl({ id, mime_type }: Pick<Facts, 'mime_type'> & { id: string }) {
  return mime_type === 'image/tiff' ? thumbnailUrl(id) : imageUrl(id)
}

export function downloadUrl(id: string) {
  return `${imageUrl(id)}?download`
}

/** Data type of a dragged picture of ours: its id. */
export const imageDragType = 'application/x-webimgui-image'

interface Facts {
  width: number
  height: number
  mime_type: string
}

/** A `srcset` of both thumbnails, for dense screens; undefined where they would be the same. */
export function thumbnailSet({ id, width, height }: Pick<Facts, 'width' | 'height'> & { id: string }) {
  const longest = Math.max(width, height)
  if (longest <= 512) return undefined
  const widthAt = (size: number) => Math.round((width * Math.min(size, longest)) / longest)
  return [512, 1024].map(size => `${thumbnailUrl(id, size as 512 | 1024)} ${widthAt(size)}w`).join(', ')
}

/** The server makes no thumbnail of other files: of those without a size, and of HEIC, which it cannot decode. */
export function canBeShown({ width, mime_type }: Omit<Facts, 'height'>) {
  return width > 0 && mime_type !== 'image/heic'
}

/** Width over height; 1 where the file does not tell. */
export function imageRatio({ width, height }: Pick<Facts, 'width' | 'height'>) {
  return width > 0 && height > 0 ? width / height : 1
}

/** Width over height of the pictures of a generation, as asked while there is none; 1 where nothing was said. */
export function generationRatio({ images: [image], parameters, resolved }: Generation) {
  if (image) return imageRatio(image)
  const sizes = [resolved?.size, parameters.size].map(size => /^([\d.]+)\s*[x:*×]\s*([\d.]+)$/.exec(String(size)))
  const ratios = sizes.map(size => Number(size?.[1]) / Number(size?.[2]))
  return ratios.find(ratio => Number.isFinite(ratio) && ratio > 0) ?? 1
}

/** Such as `2048 × 1024`, or the type of a file that does not tell its size. */
export function formatImageSize({ width, height, mime_type }: Facts) {
  return width > 0 ? `${width} × ${height}` : formatImageType(mime_type)
}

/** Such as `PNG` or `SVG`. */
export function formatImageType(mimeType: string) {
  return mimeType
    .replace(/^(?:image|application)\/(?:vnd\.|x-)?/, '')
    .replace(/\+xml$/, '')
    .toUpperCase()
}

/** The `accept` of a file chooser for references: what the server reads, and HEIC for a model that takes it as it is. */
export function referenceTypes(takesHeic: boolean) {
  const types = ['png', 'jpeg', 'webp', 'gif', 'bmp', 'tiff', 'avif', ...(takesHeic ? ['heic'] : [])]
  // Some systems know HEIC by its name only.
  return [...types.map(type => `image/${type}`), ...(takesHeic ? ['.heic'] : [])].join(',')
}
