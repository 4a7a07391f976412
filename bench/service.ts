/**
 * Ark as far as a measurement needs it, as a process of its own. The prompt says what comes: `sim(bytes=65536,ms=0)`. Every image has
 * bytes of its own, so that whoever keeps equal files once saves nothing.
 */
import { randomBytes } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import sharp from 'sharp'

const bodies = new Map<number, Promise<{ start: Buffer; side: number }>>()
const endOfPng = 12
let count = 0

const server = createServer(async (request, response) => {
  const [, bytes] = /^\/image\/(\d+)\//.exec(request.url ?? '') ?? []
  if (request.method === 'GET') return sendImage(response, Number(bytes ?? 0))
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const [, wanted, ms] = /sim\(bytes=(\d+),ms=(\d+)\)/.exec(Buffer.concat(chunks).toString()) ?? []
  if (Number(ms) > 0) await sleep(Number(ms))
  const { side } = await drawNoise(Number(wanted))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/image/${wanted}/${++count}`
  const answer = {
    model: 'doubao-seedream-4-0-20260415',
    created: 1_795_000_000,
    data: [{ url, size: `${side}x${side}` }],
    usage: { generated_images: 1, output_tokens: 4096, total_tokens: 4096 },
  }
  send(response, 'application/json', Buffer.from(JSON.stringify(answer)))
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit(0))

async function sendImage(response: ServerResponse, bytes: number) {
  const { start } = await drawNoise(bytes)
  const text = Buffer.from(`tEXtid\0${String(++count).padStart(12, '0')}`)
  const end = Buffer.alloc(4 + text.length + 4)
  end.writeUInt32BE(text.length - 4)
  text.copy(end, 4)
  end.writeUInt32BE(crc32(text), 4 + text.length)
  send(response, 'image/png', start, end, Buffer.from('0000000049454e44ae426082', 'hex'))
}

function send(response: ServerResponse, type: string, ...parts: Buffer[]) {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  response.writeHead(200, { 'content-type': type, 'content-length': length })
  for (const part of parts) response.write(part)
  response.end()
}

/** A PNG of about this size, without its end. */
function drawNoise(bytes: number) {
  const known = bodies.get(bytes)
  if (known) return known
  const side = Math.max(16, Math.floor(Math.sqrt(bytes / 3)))
  const raw = { width: side, height: side, channels: 3 } as const
  const png = sharp(randomBytes(side * side * 3), { raw })
    .png({ compressionLevel: 0 })
    .toBuffer()
  const drawn = png.then(whole => ({ start: whole.subarray(0, -endOfPng), side }))
  bodies.set(bytes, drawn)
  return drawn
}
