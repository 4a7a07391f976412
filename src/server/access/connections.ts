/** Connections are shared: when there are as many as the server takes, whoever has the most of them gives one up that is not in use. */
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import ipaddr from 'ipaddr.js'

interface Connection {
  socket: Socket
  peer: string
  /** Of the request that came last, while it is not answered. */
  message?: IncomingMessage
}

/** A few more are taken for the moment in which one of the others is closed. */
const spare = 256

/**
 * Those that are not in use are the idle ones and those that are still sending, the oldest first. No address is held to a number of its
 * own: behind a proxy all clients have one address, and as long as there is room nobody is in the way.
 */
export function shareConnections(server: Server, maxConnections: number) {
  server.maxConnections = maxConnections + spare
  const bySocket = new WeakMap<Socket, Connection>()
  const byPeer = new Map<string, Set<Connection>>()
  let count = 0

  server.on('connection', socket => {
    const connection: Connection = { socket, peer: peerOf(socket.remoteAddress ?? '') }
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
  // Before anything else that a request begins.
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

/** A request came whole, and its answer is on its way. */
function isInUse({ message, socket }: Connection) {
  return socket.destroyed || message?.complete === true
}

/** An IPv6 address stands for its /64, which one machine has to itself. */
function peerOf(address: string) {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  return parsed.kind() === 'ipv6' ? parsed.toByteArray().slice(0, 8).join('.') : parsed.toString()
}
