/** Connections, each checked for its target address. */

/// <reference path="./undici-connect.d.ts" />
import { isIP, type LookupFunction, type Socket } from 'node:net'
import type { buildConnector } from 'undici'
import buildUndiciConnector from 'undici/lib/core/connect.js'
import { blockedAt, describeBlocked, isPublic } from './addresses.ts'
import { refused } from './broken-exchange.ts'

/** A lookup that fails if any of the addresses is not public: a name must not mix both. */
export function publicOnly(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, [])
      const answers = Array.isArray(found) ? found : [{ address: found, family: isIP(found) }]
      const blocked = answers.find(answer => !isPublic(answer.address))
      if (blocked) return callback(blockedAt(hostname, blocked.address), [])
      const first = answers[0]
      if (options.all || !first) return callback(null, answers)
      callback(null, first.address, first.family)
    })
  }
}

/** Literal addresses never reach a lookup, so the remote address is checked again after connecting. */
export function checkPeer(connect: buildConnector.connector): buildConnector.connector {
  return (wanted, callback) => {
    const host = wanted.hostname.replace(/^\[(.*)\]$/, '$1')
    if (isIP(host) && !isPublic(host)) return callback(refused(describeBlocked(host)), null)
    connect(wanted, (...result) => {
      const [error, socket] = result
      if (error !== null) return callback(error, null)
      const peer = socket.remoteAddress
      if (peer !== undefined && isPublic(peer)) return callback(null, socket)
      socket.destroy()
      callback(blockedAt(host, peer ?? 'an unknown address'), null)
    })
  }
}

export function createConnector(lookup: LookupFunction, timeout: number): buildConnector.connector {
  // 250 ms, the default for each address of a name, is too short for a service on the other side of the earth.
  return buildUndiciConnector({
    lookup,
    timeout,
    allowH2: false,
    autoSelectFamilyAttemptTimeout: Math.ceil(timeout / 3),
  })
}

/** @throws errors of the connector, and the reason of `signal`, as they are. */
export function openConnection(
  connector: buildConnector.connector,
  { protocol, hostname, host, port }: URL,
  signal: AbortSignal,
  httpSocket?: Socket,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort)
    const wanted = { protocol, hostname: hostname.replace(/^\[(.*)\]$/, '$1'), host, port, httpSocket }
    connector(wanted, (error, socket) => {
      signal.removeEventListener('abort', abort)
      if (error) return reject(error)
      if (signal.aborted) return void socket.destroy()
      resolve(socket as Socket)
    })
  })
}
