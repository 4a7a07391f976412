/** The tools and resources of this program as an MCP server: the same over HTTP and over standard input and output. */
import { McpServer } from '@modelcontextprotocol/server'
import type { FindConnection } from './connection.ts'
import { addResources } from './resources.ts'
import { addMakingTools } from './tools/making-tools.ts'
import { addReadingTools } from './tools/reading-tools.ts'

/** How long clients may keep the lists, which change with the version of the program alone. */
const listsMs = 5 * 60_000

const instructions = `Makes, edits, prices and finds pictures with image services that cost money.
1. list_models once, to see models, sizes and prices. 2. estimate before anything expensive. 3. generate_image or edit_image.
If an answer says "running", call get_generation with wait_seconds instead of generating again. If the answer of a call was lost, repeat the call with the same arguments: it joins the first one and does not pay again.
Ask the user before making more than they asked for, and before retry_missing or a repeat after "charge unknown": both may cost again.`

export function createMcpServer(findConnection: FindConnection, { version }: { version: string }): McpServer {
  const lists = { ttlMs: listsMs, cacheScope: 'public' } as const
  const own = { ttlMs: 0, cacheScope: 'private' } as const
  const server = new McpServer(
    { name: 'webimgui', title: 'webimgui', version },
    {
      instructions,
      // The lists never change while a client is connected.
      capabilities: { tools: { listChanged: false }, resources: { listChanged: false } },
      maxToolInputElements: 5_000,
      cacheHints: {
        'server/discover': lists,
        'tools/list': lists,
        'resources/templates/list': lists,
        'resources/list': own,
        'resources/read': own,
      },
    },
  )
  addReadingTools(server, findConnection)
  addMakingTools(server, findConnection)
  addResources(server, findConnection)
  return server
}
