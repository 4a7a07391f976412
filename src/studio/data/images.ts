/** What is known of a stored picture before it is shown, also of one that cannot be. */

interface Facts {
  width: number
  height: number
  mime_type: string
}

/** The server makes no thumbnail of other files: of those without a size, and of HEIC, which it cannot decode. */
export function canBeShown({ width, mime_type }: Omit<Facts, 'height'>) {
  return width > 0 && mime_type !== 'image/heic'
}

/** Width over height; 1 where the file does not tell. */
export function ratioOfImage({ width, height }: Pick<Facts, 'width' | 'height'>) {
  return width > 0 && height > 0 ? width / height : 1
}

/** Such as `2048 × 1024`, or the type of a file that does not tell its size. */
export function sizeOfImage({ width, height, mime_type }: Facts) {
  return width > 0 ? `${width} × ${height}` : nameOfType(mime_type)
}

/** Such as `PNG` or `SVG`. */
export function nameOfType(mimeType: string) {
  return mimeType
    .replace(/^(?:image|application)\/(?:vnd\.|x-)?/, '')
    .replace(/\+xml$/, '')
    .toUpperCase()
}

/** What a chooser of files offers as a reference: what the server reads, and HEIC for a model that takes it as it is. */
export function referenceTypes(takesHeic: boolean) {
  const types = ['png', 'jpeg', 'webp', 'gif', 'bmp', 'tiff', 'avif', ...(takesHeic ? ['heic'] : [])]
  // Some systems know HEIC by its name only.
  return [...types.map(type => `image/${type}`), ...(takesHeic ? ['.heic'] : [])].join(',')
}
