/** Bodies on their way in: they come at a pace or are ended, and what nobody reads is let go once the answer was given. */
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { HttpRefusal } from '../errors/refusals.ts'

/** A body that brings fewer bytes than this in each time of `slowBodyAfterMs` only holds room that others need: 8 KiB a second. */
const leastBytesPerMs = 8.192
export const slowBodyAfterMs = 30_000
/** What is left of so small a body costs less than a new connection. */
const smallBodyBytes = 64 * 1024
/** Of a body that nobody reads, so much is taken and forgotten, because a client that is still sending may not look at the answer. */
const maxForgottenBytes = 8 * 1024 * 1024
export const maxForgettingMs = 2_000
const lookEveryMs = 50

/** Ends the reading of a body that drips, with a problem. */
export function watchBody(request: FastifyRequest, reply: FastifyReply, windowMs: number) {
  const { raw } = request
  if (!isComing(raw)) return
  let before = raw.socket.bytesRead
  const timer = setInterval(() => {
    const came = raw.socket.bytesRead - before
    before = raw.socket.bytesRead
    if (raw.complete) clearInterval(timer)
    // One that waits for our own disk is not at fault.
    else if (came < leastBytesPerMs * windowMs && !raw.isPaused()) {
      clearInterval(timer)
      refuseBody(raw, tooSlow())
    }
  }, windowMs).unref()
  reply.raw.once('close', () => clearInterval(timer))
}

/** Whoever reads the body gets this for an error, and answers with it. */
export function refuseBody(message: IncomingMessage, refusal: HttpRefusal) {
  if (message.listenerCount('error') > 0) message.emit('error', refusal)
}

export function tooSlow() {
  return new HttpRefusal('request_timeout', 'The request came too slowly and was ended; send it again.')
}

/**
 * To be called before the answer begins. When the body is still on its way, the connection ends with the answer, but not at once: what
 * comes is read and forgotten for a moment, so that a client which is sending gets to read it.
 */
export function letGoOfBody({ raw: message }: FastifyRequest, reply: FastifyReply) {
  const isSmall = message.headers['transfer-encoding'] === undefined && lengthOf(message) <= smallBodyBytes
  const { socket } = message
  if (!isComing(message) || isSmall || socket.destroyed) return
  reply.header('connection', 'close')
  // Called by Node when the answer was written; it would cut the connection while the client still sends.
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
  const hasBody = message.headers['transfer-encoding'] !== undefined || lengthOf(message) > 0
  return hasBody && !message.complete && !message.destroyed
}

function lengthOf({ headers }: IncomingMessage) {
  return Number(headers['content-length'] ?? 0)
}
