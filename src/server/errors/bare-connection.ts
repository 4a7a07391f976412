/** Answers to input that is not HTTP. */
import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { presentProblem, problemType } from '../api/problems.ts'
import { maxForgettingMs, tooSlow } from '../bodies/bodies.ts'
import { securityHeaders } from '../face.ts'
import type { ErrorAnswer } from './answer.ts'

const brokenAdvice: Record<string, string> = {
  HPE_INVALID_URL:
    'The address holds a character that has to be percent-encoded, such as a blank or Chinese: curl -G URL --data-urlencode "q=…".',
  HPE_INVALID_METHOD: 'There is no such HTTP method.',
}

/** Input that is not HTTP never becomes a request and reaches no face, so it is answered on the bare connection. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket) {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return
  const id = randomUUID()
  const problem = presentProblem(describeBroken(error.code ?? ''), id)
  const body = JSON.stringify(problem)
  const headers = Object.entries(securityHeaders).map(header => `${header.join(': ')}\r\n`)
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\nContent-Type: ${problemType}\r\n` +
      `${headers.join('')}Content-Length: ${Buffer.byteLength(body)}\r\nX-Request-Id: ${id}\r\nConnection: close\r\n\r\n${body}`,
  )
  // Further input is ignored.
  setTimeout(() => socket.destroy(), maxForgettingMs).unref()
}

function describeBroken(code: string): ErrorAnswer {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { code: 'headers_too_large', detail: 'The headers of the request are larger than 16 kB.' }
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { code: 'request_timeout', detail: tooSlow().message }
  return { code: 'bad_request', detail: brokenAdvice[code] ?? 'This is not a well-formed HTTP request.' }
}
