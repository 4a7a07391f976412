/** Sessions of the revisions before 2026-07-28: each belongs to one token, and ids of requests belong to one session. */
import { randomUUID } from 'node:crypto'
import {
  type AuthInfo,
  isInitializeRequest,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'

interface Session {
  owner: string
  transport: WebStandardStreamableHTTPServerTransport
  usedAt: number
}

interface Given {
  authInfo: AuthInfo
  parsedBody?: unknown
}

/** A client that was away longer begins anew. */
const idleMs = 3600_000
const maxOfOne = 100
const maxOfAll = 2_000

export function createSessions(createServer: () => McpServer) {
  /** The least recently used first. */
  const sessions = new Map<string, Session>()

  async function begin(exchange: Request, given: Given) {
    const owner = given.authInfo.clientId
    makeRoom(owner)
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: id => void sessions.set(id, { owner, transport, usedAt: performance.now() }),
      onsessionclosed: id => void sessions.delete(id),
    })
    await createServer().connect(transport)
    return transport.handleRequest(exchange, given)
  }

  /** Ends what nobody used for long, and the oldest where there are too many. */
  function makeRoom(owner: string) {
    const now = performance.now()
    let ofOne = [...sessions.values()].filter(session => session.owner === owner).length
    for (const [id, session] of sessions) {
      const isOwn = session.owner === owner
      const isTooMany = sessions.size >= maxOfAll || (isOwn && ofOne >= maxOfOne)
      if (now - session.usedAt < idleMs && !isTooMany) continue
      if (isOwn) ofOne--
      end(id, session)
    }
  }

  function end(id: string, { transport }: Session) {
    sessions.delete(id)
    // What a call began goes on; nobody waits for it any more.
    return transport.close().catch(() => {})
  }

  return {
    async serve(exchange: Request, given: Given): Promise<Response> {
      const id = exchange.headers.get('mcp-session-id')
      if (id === null) {
        if (isInitializeRequest(given.parsedBody)) return begin(exchange, given)
        return refuse(400, 'Begin with initialize, or send requests as revision 2026-07-28 has them.')
      }
      const session = sessions.get(id)
      // That of another token is as if there were none.
      if (session?.owner !== given.authInfo.clientId) {
        return refuse(404, 'There is no such session, or it has ended; begin with initialize.')
      }
      sessions.delete(id)
      session.usedAt = performance.now()
      sessions.set(id, session)
      return session.transport.handleRequest(exchange, given)
    },
    async close() {
      await Promise.all([...sessions].map(([id, session]) => end(id, session)))
    },
  }
}

function refuse(status: number, message: string) {
  return Response.json({ jsonrpc: '2.0', id: null, error: { code: -32_001, message } }, { status })
}
