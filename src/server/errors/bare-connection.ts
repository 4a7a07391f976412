/** Answers to input that is not HTTP. */
import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { maxForgettingMs, tooSlow } from '../bodies/bodies.ts'
import { type Face, securityHeaders, statusAt } from '../face.ts'
import type { ErrorAnswer } from './answer.ts'

/** Longer than the prefixes of a face and of PUBLIC_URL. */
const maxAddressBytes = 1024

const brokenAdvice: Record<string, string> = {
  HPE_INVALID_URL:
    'The address holds a character that has to be percent-encoded, such as a blank or Chinese: curl -G URL --data-urlencode "q=…".',
  HPE_INVALID_METHOD: 'There is no such HTTP method.',
}

/**
 * Input that is not HTTP never becomes a request, so it is answered on the bare connection: in the shape of the face that its address has,
 * as far as the address has arrived. `faceAt` takes an address as it was sent.
 */
export function answerBrokenRequest(
  error: NodeJS.ErrnoException & { rawPacket?: unknown },
  socket: Socket,
  faceAt: (url: string) => Face,
) {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return
  const id = randomUUID()
  const answer = describeBroken(error.code ?? '')
  const face = faceAt(findAddress(error.rawPacket))
  const status = statusAt(face, answer.code)
  const body = JSON.stringify(face.presentError(answer, id))
  const headers = Object.entries(securityHeaders).map(header => `${header.join(': ')}\r\n`)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${face.errorType}\r\n` +
      `${headers.join('')}Content-Length: ${Buffer.byteLength(body)}\r\nX-Request-Id: ${id}\r\nConnection: close\r\n\r\n${body}`,
  )
  // Further input is ignored.
  setTimeout(() => socket.destroy(), maxForgettingMs).unref()
}

/** Empty where the packet that cannot be read does not begin with a request. */
function findAddress(packet: unknown) {
  const beginning = Buffer.isBuffer(packet) ? packet.toString('latin1', 0, maxAddressBytes) : ''
  const [, address = ''] = /^[A-Z]+ ([^ \r\n]+)/.exec(beginning) ?? []
  return address
}

function describeBroken(code: string): ErrorAnswer {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { code: 'headers_too_large', detail: 'The headers of the request are larger than 16 kB.' }
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { code: 'request_timeout', detail: tooSlow().message }
  return { code: 'bad_request', detail: brokenAdvice[code] ?? 'This is not a well-formed HTTP request.' }
}
