/**
 * Content encodings, recognised by the bytes and not only by their name: a paid answer is not lost
 * because of a wrong header. No wait here outlives its decoder.
 */
import {
  type BrotliDecompress,
  createBrotliDecompress,
  createInflateRaw,
  createZstdDecompress,
  type InflateRaw,
  type ZstdDecompress,
  constants as zlib,
} from 'node:zlib'

type Decoder = BrotliDecompress | InflateRaw | ZstdDecompress

/**
 * Everything that a piece holds is given out before the next is read, and before an error is thrown. What stands behind the end
 * of a compressed body is passed over; what is not compressed at all, or in a way that nobody knows, is given out as it came.
 * @throws errors of `body` as they are; Error when a compressed body was cut or is damaged
 */
export function decodeBody(body: AsyncIterable<Uint8Array>, encoding: string | undefined): AsyncIterable<Uint8Array> {
  // Listed in the order in which they were applied.
  const names = (encoding ?? '').split(',').map(name => name.trim().toLowerCase())
  return names.reduceRight<AsyncIterable<Uint8Array>>(layer, body)
}

async function* layer(body: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const source = new Source(body)
  try {
    const beginning = await source.ahead(name === '' ? longestMagic : longestSignature)
    if (startsWith(beginning, gzipMagic)) return yield* ungzipped(source)
    if (startsWith(beginning, zstdMagic)) return yield* unzstded(source)
    if (isPlain(beginning) || (name !== 'br' && name !== 'deflate')) return yield* source.rest()
    // Some servers omit the zlib wrapper of `deflate`.
    if (name === 'deflate' && hasZlibHeader(beginning)) await source.skip(2)
    const decoder = name === 'br' ? createBrotliDecompress({ flush: zlib.BROTLI_OPERATION_FLUSH }) : inflater()
    yield* through(decoder, source, { mayBePlain: true })
  } finally {
    await source.close()
  }
}

/** Without its wrapper, and so without its checksum: the received bytes matter more than their proof. */
const inflater = () => createInflateRaw({ flush: zlib.Z_SYNC_FLUSH })

/** The members of a gzip file. */
async function* ungzipped(source: Source): AsyncGenerator<Uint8Array> {
  do {
    await source.skip(await gzipHeaderLength(source))
    yield* through(inflater(), source)
    await source.skip(8)
  } while (startsWith(await source.ahead(2), gzipMagic))
}

async function* unzstded(source: Source): AsyncGenerator<Uint8Array> {
  do yield* through(createZstdDecompress(), source)
  while (startsWith(await source.ahead(4), zstdMagic))
}

/**
 * Small, because what a decoder has made of a bite is lost when the bite holds a fault. With 1 KiB a compressed body takes about
 * as long as with whole pieces.
 */
const biteBytes = 1024
/** A decoder without output after this much input was given something else. */
const maxHeldBytes = 64 * 1024

/** Up to the end of what the decoder understands; the source goes on behind it. `mayBePlain`: a fault before any output gives out the input. */
async function* through(
  decoder: Decoder,
  source: Source,
  { mayBePlain = false } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  let failure: unknown
  let hasClosed = false
  let wake = () => {}
  decoder.on('readable', () => wake())
  decoder.on('error', error => {
    failure ??= error
    wake()
  })
  decoder.on('close', () => {
    hasClosed = true
    wake()
  })
  let held: Uint8Array[] | undefined = mayBePlain ? [] : undefined
  let heldBytes = 0
  let given = 0

  async function* outputOf(begin: (done: () => void) => void): AsyncGenerator<Uint8Array, void, undefined> {
    let isDone = false
    begin(() => {
      isDone = true
      wake()
    })
    for (;;) {
      const output: Buffer | null = hasClosed ? null : decoder.read()
      if (output !== null) {
        held = undefined
        yield output
      } else if (isDone || failure !== undefined || hasClosed) {
        return
      } else {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    }
  }

  try {
    for (;;) {
      const bite = await source.next(biteBytes)
      if (bite === undefined) break
      held?.push(bite)
      heldBytes += bite.length
      if (heldBytes > maxHeldBytes) held = undefined
      given += bite.length
      yield* outputOf(done => decoder.write(bite, () => done()))
      if (failure !== undefined) break
      const unread = given - decoder.bytesWritten
      if (unread > 0) return source.giveBack(bite.subarray(bite.length - unread))
    }
    // True if the end of the compressed body arrived.
    if (failure === undefined) yield* outputOf(done => decoder.once('close', done).end())
    if (failure === undefined) return
    if (held === undefined) throw failure
    yield* held
    yield* source.rest()
  } finally {
    decoder.destroy()
  }
}

/** Chunks with lookahead. An error of the body is delivered after the chunks before it. */
class Source {
  private readonly pieces: AsyncIterator<Uint8Array>
  private kept: Buffer = Buffer.alloc(0)
  private end: { failure?: unknown } | undefined

  constructor(body: AsyncIterable<Uint8Array>) {
    this.pieces = body[Symbol.asyncIterator]()
  }

  /** Returns so many bytes, or all that remain, without consuming them. */
  async ahead(count: number): Promise<Buffer> {
    while (this.kept.length < count && (await this.read()));
    return this.kept
  }

  /** Returns at most so many bytes, as soon as there are any; undefined at the end. */
  async next(count: number): Promise<Buffer | undefined> {
    while (this.kept.length === 0 && (await this.read()));
    if (this.kept.length === 0) return this.ended()
    const bytes = this.kept.subarray(0, count)
    this.kept = this.kept.subarray(bytes.length)
    return bytes
  }

  async skip(count: number) {
    await this.ahead(count)
    this.kept = this.kept.subarray(count)
  }

  giveBack(bytes: Uint8Array) {
    this.kept = Buffer.concat([bytes, this.kept])
  }

  async *rest(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = await this.next(Number.POSITIVE_INFINITY)
      if (piece === undefined) return
      yield piece
    }
  }

  async close() {
    await this.pieces.return?.()
  }

  private async read(): Promise<boolean> {
    if (this.end) return false
    try {
      const { done, value } = await this.pieces.next()
      if (done) this.end = {}
      else this.kept = this.kept.length === 0 ? asBuffer(value) : Buffer.concat([this.kept, value])
    } catch (failure) {
      this.end = { failure }
    }
    return this.end === undefined
  }

  private ended(): undefined {
    if (this.end && 'failure' in this.end) throw this.end.failure
  }
}

// ── Beginnings ──────────────────────────────────────────────────────────────────────────────────────────────────────

const gzipMagic = [0x1f, 0x8b]
const zstdMagic = [0x28, 0xb5, 0x2f, 0xfd]
const longestMagic = 4
const longestSignature = 16

/** Beginnings of uncompressed answers: JSON, a page, an event stream, an image. Brotli or deflate never begin like these. */
const plainBeginnings = [
  /^\s*[{[]\s*["{[\]}\d]/,
  /^\s*<[!?a-z]/i,
  /^\s*(?:event|data|id|retry)?:/,
  /^\x89PNG\r\n/,
  /^\xff\xd8\xff/,
  /^GIF8/,
  /^RIFF.{4}WEBP/s,
  /^.{4}ftyp/s,
]

function isPlain(beginning: Buffer): boolean {
  const text = beginning.toString('latin1', 0, longestSignature)
  return plainBeginnings.some(pattern => pattern.test(text))
}

function hasZlibHeader(beginning: Buffer): boolean {
  const [method = 0, flags = 0] = beginning
  return (method & 0x0f) === 8 && (method * 256 + flags) % 31 === 0
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function startsWith(bytes: Buffer, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte)
}

/** RFC 1952 §2.3: ten bytes, and four parts that may follow. */
async function gzipHeaderLength(source: Source): Promise<number> {
  const flags = (await source.ahead(10))[3] ?? 0
  let length = 10
  if (flags & 4) {
    const bytes = await source.ahead(length + 2)
    length += 2 + (bytes[length] ?? 0) + 256 * (bytes[length + 1] ?? 0)
  }
  // The original name and a comment, each up to a zero.
  for (const flag of [8, 16]) {
    if (!(flags & flag)) continue
    for (let wanted = length + 64; ; wanted += 64) {
      const bytes = await source.ahead(wanted)
      const end = bytes.indexOf(0, length)
      if (end >= 0) length = end + 1
      if (end >= 0 || bytes.length < wanted) break
    }
  }
  return flags & 2 ? length + 2 : length
}
