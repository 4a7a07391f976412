/** Who a call of a tool comes from. */
import type { ServerContext } from '@modelcontextprotocol/server'
import type { Operations } from './operations.ts'

export interface Connection {
  operations: Operations
  /** Whose sessions these are. */
  owner: string
  /** Undefined where the protocol has no sessions, so that the ids of requests say nothing. */
  sessionId: string | undefined
  /** Revision 2026-07-28 over HTTP: to close the stream is to cancel. Elsewhere a client that goes away cancels nothing. */
  isCancelledByLeaving: boolean
  /** The client is gone, or the server stops: nobody waits for the answer any more. */
  gone: AbortSignal
  /** Of a server that stops: what runs goes on after its next start. */
  closing: AbortSignal
}

export type FindConnection = (context: ServerContext) => Connection
