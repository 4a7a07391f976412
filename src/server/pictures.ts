/** What a browser may draw in place, with the ending of its files; anything else is only ever downloaded. */
const endings: Record<string, string> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/avif': 'avif',
  'image/bmp': 'bmp',
  'image/tiff': 'tiff',
  'image/heic': 'heic',
}

export function endingOf(mimeType: string): string | undefined {
  return Object.hasOwn(endings, mimeType) ? endings[mimeType] : undefined
}
