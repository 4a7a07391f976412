/** Result files behind signed URLs: drawn when they are fetched, refused as an object store refuses, lost on demand. */
import { type Hmac, randomBytes } from 'node:crypto'
import sharp from 'sharp'
import type { ImageOptions } from './drawing/picture.ts'
import { type Exchange, firstHalf } from './exchange.ts'
import { type DownloadFault, type Fault, meetFault } from './faults.ts'

export type FileRefusal = 'missing' | 'method' | 'authorization' | 'altered' | 'expired'

export interface ResultFile {
  /** Encoded, below the path of the service's files. */
  path: string
  /** The signed query, letter for letter as a client must send it, without `?`. */
  query: string
  image: ImageOptions
}

const maxFiles = 5000
const hugeBytes = 2 ** 31

export function createFiles(parts: {
  lifetimeSeconds: number
  draw: (image: ImageOptions) => Promise<Buffer>
  refuse: (exchange: Exchange, reason: FileRefusal) => Promise<void>
}) {
  const files = new Map<string, ResultFile & { expiresAt: number }>()

  function findRefusal(exchange: Exchange): FileRefusal | undefined {
    const file = files.get(exchange.path)
    if (!file) return 'missing'
    // The signature covers the method, the path and every byte of the query.
    if (exchange.method !== 'GET') return 'method'
    if (exchange.headers.authorization !== undefined) return 'authorization'
    if (exchange.query !== file.query) return 'altered'
    return Date.now() >= file.expiresAt ? 'expired' : undefined
  }

  return {
    add(file: ResultFile): void {
      const [oldest] = files.keys()
      if (oldest !== undefined && files.size >= maxFiles) files.delete(oldest)
      files.set(file.path, { ...file, expiresAt: Date.now() + parts.lifetimeSeconds * 1000 })
    },

    expireAll(): void {
      for (const file of files.values()) file.expiresAt = 0
    },

    async serve(exchange: Exchange, fault: Fault | undefined): Promise<void> {
      if (await meetFault(exchange, fault)) return
      const how = fault?.kind === 'download' ? fault.how : undefined
      const refusal = how === '404' ? 'missing' : how === '403' ? 'expired' : undefined
      if (how === '500') {
        return exchange.send(500, '<Error><Code>InternalError</Code></Error>', { 'content-type': 'application/xml' })
      }
      const reason = refusal ?? findRefusal(exchange)
      if (reason) return parts.refuse(exchange, reason)

      const { image } = files.get(exchange.path)!
      const type = { 'content-type': `image/${image.type}` }
      if (how === 'not-a-picture')
        return exchange.send(200, Buffer.from('<html><body>Please sign in.</body></html>'), type)
      const drawn = await parts.draw(image)
      if (how === undefined) return sendRange(exchange, drawn, type)
      if (how === 'other-type') return exchange.send(200, await asOtherType(drawn, image.type), type)
      return sendBadly(exchange, drawn, type, { how, ms: (fault?.kind === 'download' && fault.ms) || 1000 })
    },
  }
}

/** A signature that always holds characters which only survive when nobody rebuilds the query. */
export function awkwardSignature(sign: () => Hmac, text: string): string {
  let signature: string
  do
    signature = sign()
      .update(`${text}\n${randomBytes(8).toString('hex')}`)
      .digest('base64')
  while (!signature.includes('+') || !signature.includes('/'))
  return encodeURIComponent(signature)
}

/** Object stores serve single ranges, so a client may go on with a broken download. */
async function sendRange(exchange: Exchange, bytes: Buffer, headers: Record<string, string>): Promise<void> {
  const range = /^bytes=(\d+)-(\d*)$/.exec(exchange.headers.range ?? '')
  const all = { ...headers, 'accept-ranges': 'bytes' }
  if (!range) return exchange.send(200, bytes, all)
  const from = Number(range[1])
  const to = Math.min(range[2] ? Number(range[2]) : bytes.length - 1, bytes.length - 1)
  if (from > to) return exchange.send(416, Buffer.alloc(0), { 'content-range': `bytes */${bytes.length}` })
  const part = bytes.subarray(from, to + 1)
  return exchange.send(206, part, { ...all, 'content-range': `bytes ${from}-${to}/${bytes.length}` })
}

async function sendBadly(
  exchange: Exchange,
  bytes: Buffer,
  headers: Record<string, string>,
  { how, ms }: { how: DownloadFault; ms: number },
): Promise<void> {
  const length: Record<string, string> = how === 'huge' ? {} : { 'content-length': String(bytes.length) }
  if (!exchange.begin(200, { ...headers, ...length })) return
  if (how === 'cut') {
    await exchange.write(firstHalf(bytes))
    return exchange.cutLater()
  }
  if (how === 'huge') {
    await exchange.write(bytes)
    const piece = Buffer.alloc(2 ** 20)
    for (let sent = 0; sent < hugeBytes && !exchange.response.destroyed; sent += piece.length)
      await exchange.write(piece)
  } else {
    const step = Math.ceil(bytes.length / 10)
    for (let offset = 0; offset < bytes.length; offset += step) {
      await exchange.write(bytes.subarray(offset, offset + step))
      await exchange.wait(ms / 10)
    }
  }
  exchange.response.end()
}

async function asOtherType(bytes: Buffer, type: ImageOptions['type']): Promise<Buffer> {
  const image = sharp(bytes)
  return type === 'png'
    ? image.flatten({ background: '#fff' }).jpeg().toBuffer()
    : image.png({ compressionLevel: 1 }).toBuffer()
}
