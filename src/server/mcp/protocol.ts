/** The protocol itself, in both of its forms. Loaded with the first request: a server without agents starts without it. */
import { createMcpHandler, isLegacyRequest } from '@modelcontextprotocol/server'
import type { Connection, FindConnection } from '../../mcp/connection.ts'
import { createMcpServer } from '../../mcp/server.ts'
import { createSessions } from './sessions.ts'

export interface Exchange {
  request: Request
  /** The JSON that was read from it. */
  body: unknown
  /** A revision before 2026-07-28. */
  isLegacy: boolean
}

export function createProtocol(version: string) {
  const createServer = () => createMcpServer(findConnection, { version })
  const modern = createMcpHandler(createServer, { legacy: 'reject' })
  const sessions = createSessions(createServer)

  return {
    isLegacy: (request: Request, body: unknown) => isLegacyRequest(request, body),

    serve({ request, body, isLegacy }: Exchange, connection: Connection): Promise<Response> {
      const given = {
        authInfo: { token: '', clientId: connection.owner, scopes: [], extra: { connection } },
        ...(body === undefined ? {} : { parsedBody: body }),
      }
      return isLegacy ? sessions.serve(request, given) : modern.fetch(request, given)
    },

    async close() {
      await modern.close()
      await sessions.close()
    },
  }
}

const findConnection: FindConnection = ({ http }) => http?.authInfo?.extra?.connection as Connection
