/** Incoming bodies: slow ones are ended, and unread ones are discarded once the answer was sent. */
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { HttpRefusal } from '../errors/refusals.ts'

/** A body with fewer bytes than this per `slowBodyAfterMs` only blocks memory that others need: 8 KiB a second. */
const leastBytesPerMs = 8.192
export const slowBodyAfterMs = 30_000
/** Reading the rest of a body this small costs less than a new connection. */
const smallBodyBytes = 64 * 1024
/** Bytes of an unread body that are read and discarded, because a client that is still sending may not read the answer. */
const maxForgottenBytes = 8 * 1024 * 1024
export const maxForgettingMs = 2_000
const lookEveryMs = 50

/** Ends a body that arrives too slowly, with a problem. */
export function watchBody(request: FastifyRequest, reply: FastifyReply, windowMs: number) {
  const { raw } = request
  if (!isComing(raw)) return
  let before = raw.socket.bytesRead
  const timer = setInterval(() => {
    const came = raw.socket.bytesRead - before
    before = raw.socket.bytesRead
    if (raw.complete) clearInterval(timer)
    // A client that waits for our own disk is not at fault.
    else if (came < leastBytesPerMs * windowMs && !raw.isPaused()) {
      clearInterval(timer)
      refuseBody(raw, tooSlow())
    }
  }, windowMs).unref()
  reply.raw.once('close', () => clearInterval(timer))
}

/** The reader of the body gets this error and answers with it. */
export function refuseBody(message: IncomingMessage, refusal: HttpRefusal) {
  if (message.listenerCount('error') > 0) message.emit('error', refusal)
}

export function tooSlow() {
  return new HttpRefusal('request_timeout', 'The request arrived too slowly and was ended; send it again.')
}

/**
 * To be called before the answer begins. If the body is still arriving, the connection ends with the answer, but not at once: input
 * is discarded for a moment, so that a client which is still sending can read the answer.
 */
export function letGoOfBody({ raw: message }: FastifyRequest, reply: FastifyReply) {
  const isSmall = message.headers['transfer-encoding'] === undefined && declaredLength(message) <= smallBodyBytes
  const { socket } = message
  if (!isComing(message) || isSmall || socket.destroyed) return
  reply.header('connection', 'close')
  // Called by Node when the answer was written; the original would cut the connection while the client still sends.
  socket.destroySoon = () => {
    socket.end()
    message.resume()
    const end = Date.now() + maxForgettingMs
    const before = socket.bytesRead
    const timer = setInterval(() => {
      if (!message.complete && Date.now() < end && socket.bytesRead - before <= maxForgottenBytes) return
      socket.destroy()
    }, lookEveryMs)
    socket.once('close', () => clearInterval(timer))
  }
}

function isComing(message: IncomingMessage) {
  const hasBody = message.headers['transfer-encoding'] !== undefined || declaredLength(message) > 0
  return hasBody && !message.complete && !message.destroyed
}

function declaredLength({ headers }: IncomingMessage) {
  return Number(headers['content-length'] ?? 0)
}
