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
export function endingOf(mimeType: string): string {
  const endings = { ...drawn, ...downloaded }
  return Object.hasOwn(endings, mimeType) ? endings[mimeType]! : 'bin'
}
