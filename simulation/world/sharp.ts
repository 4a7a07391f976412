/**
 * In place of the picture library, whose threads belong to no seed. The pictures of a world are bitmaps, whose size and end are read from
 * their bytes, so nothing but thumbnails asks for it.
 */
const chain: unknown = new Proxy(() => {}, {
  get(_target, name) {
    if (name === 'then') return undefined
    if (name === 'toBuffer') return async () => Buffer.from('a thumbnail')
    if (name === 'metadata')
      return async () => Promise.reject(new Error('Input file contains unsupported image format'))
    return () => chain
  },
  apply: () => chain,
})

export default Object.assign(() => chain, { cache() {}, concurrency() {} })
