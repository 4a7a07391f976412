/**
 * Connections that wait for another request to the same origin. Only for what is free and may be asked again: a request that fails on
 * one that has waited may have arrived, or not. Node's agent closes one on which something comes that nobody asked for.
 */
import { Agent, type AgentOptions, type ClientRequest } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Servers usually wait longer: 5 s and more. */
const maxIdleMs = 4_000
const maxIdlePerOrigin = 6

export interface KeptRequest extends AgentOptions {
  origin: string
  /** Opens another connection, when none waits. */
  open(): Promise<Duplex>
}

export class KeptConnections extends Agent {
  constructor() {
    super({ keepAlive: true, maxFreeSockets: maxIdlePerOrigin })
  }

  override getName(options: unknown) {
    return (options as KeptRequest).origin
  }

  override createConnection(options: unknown, done: (error: Error | null, connection: Duplex) => void) {
    ;(options as KeptRequest).open().then(
      connection => done(null, connection),
      error => done(error, undefined as never),
    )
    return undefined
  }

  /** What goes through something else, such as a proxy, ends with its answer. */
  override keepSocketAlive(connection: Duplex) {
    if (!(connection instanceof Socket)) return false
    // Its declaration lacks what it says: false where the server is about to close it.
    const mayWait = super.keepSocketAlive(connection) as unknown as boolean
    connection.setTimeout(maxIdleMs)
    return mayWait
  }

  override reuseSocket(connection: Duplex, request: ClientRequest) {
    super.reuseSocket(connection, request)
    if (connection instanceof Socket) connection.setTimeout(0)
  }
}
