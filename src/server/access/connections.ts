/** Connections are shared: when the limit is reached, the address with the most of them loses one that is not in use. */
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { clientNetwork } from './throttle.ts'

interface Connection {
  socket: Socket
  peer: string
  /** The latest unanswered request. */
  message?: IncomingMessage
}

/** A few more are accepted for the moment in which another is closed. */
const spare = 256

/**
 * Connections not in use are idle or still sending, the oldest first. There is no limit per address:
 * behind a proxy all clients share one address, and a limit matters only when there is no room.
 */
export function shareConnections(server: Server, maxConnections: number) {
  server.maxConnections = maxConnections + spare
  const bySocket = new WeakMap<Socket, Connection>()
  const byPeer = new Map<string, Set<Connection>>()
  let count = 0

  server.on('connection', socket => {
    const connection: Connection = { socket, peer: clientNetwork(socket.remoteAddress ?? '') }
    const ofPeer = byPeer.get(connection.peer) ?? new Set()
    byPeer.set(connection.peer, ofPeer.add(connection))
    bySocket.set(socket, connection)
    count++
    socket.once('close', () => {
      count--
      ofPeer.delete(connection)
      if (ofPeer.size === 0) byPeer.delete(connection.peer)
    })
    if (count > maxConnections) (unusedBeside(connection) ?? connection).socket.destroy()
  })
  // Registered before everything else that handles requests.
  server.prependListener('request', (message, response) => {
    const connection = bySocket.get(message.socket)
    if (!connection) return
    connection.message = message
    response.once('close', () => {
      if (connection.message === message) connection.message = undefined
    })
  })

  function unusedBeside(newcomer: Connection): Connection | undefined {
    for (const ofPeer of [...byPeer.values()].sort((a, b) => b.size - a.size)) {
      for (const connection of ofPeer) if (connection !== newcomer && !isInUse(connection)) return connection
    }
    return undefined
  }
}

/** The request is complete, and its answer is being sent. */
function isInUse({ message, socket }: Connection) {
  return socket.destroyed || message?.complete === true
}
