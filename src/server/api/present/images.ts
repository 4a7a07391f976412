/** Stored images, and how their files are named and shown. */

import type { Image, StoredReference } from '../../../api/images.ts'
import type { ImageRecord, Rating } from '../../../storage/records.ts'

/** What a browser may draw in place, with the ending of its files; anything else is only ever downloaded. */
const drawn: Record<string, string> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/avif': 'avif',
  'image/bmp': 'bmp',
  'image/tiff': 'tiff',
}

const downloaded: Record<string, string> = {
  'image/heic': 'heic',
  'image/svg+xml': 'svg',
  'image/jxl': 'jxl',
  'image/vnd.adobe.photoshop': 'psd',
}

export function isDrawn(mimeType: string): boolean {
  return Object.hasOwn(drawn, mimeType)
}

/** The ending of a file for people, without its dot. */
export function fileEnding(mimeType: string): string {
  const endings = { ...drawn, ...downloaded }
  return Object.hasOwn(endings, mimeType) ? endings[mimeType]! : 'bin'
}

export function presentImage(image: ImageRecord, base: string, rating?: Rating): Image {
  const { stars = 0, isRejected = false } = rating ?? {}
  return {
    ...presentFile(image, base),
    index: image.index,
    stars,
    rejected: isRejected,
    details: image.details ?? undefined,
  }
}

export function presentReference(image: ImageRecord, base: string): StoredReference {
  return { ...presentFile(image, base), created_at: image.createdAt }
}

function presentFile(image: ImageRecord, base: string) {
  const url = `${base}/images/${encodeURIComponent(image.id)}`
  return {
    id: image.id,
    url,
    thumbnail_url: `${url}/thumbnail`,
    width: image.width,
    height: image.height,
    bytes: image.bytes,
    mime_type: image.mimeType,
    sha256: image.sha256,
  }
}
