/** The decoder and encoder of pictures, loaded with the first picture. */
let loading: Promise<typeof import('sharp').default> | undefined

export function loadSharp() {
  loading ??= import('sharp').then(({ default: sharp }) => {
    // sharp has a global cache and thread pool; a server that never reads an image twice needs no cache.
    sharp.cache(false)
    sharp.concurrency(1)
    return sharp
  })
  return loading
}
