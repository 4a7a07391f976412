/**
 * The tools for agents over standard input and output, for clients that start a program. It speaks to a server by its address and token,
 * and holds nothing itself.
 */
import path from 'node:path'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import packageFile from '../../package.json' with { type: 'json' }
import { createClient } from '../client/client.ts'
import type { Connection } from '../mcp/connection.ts'
import { operateOverHttp } from '../mcp/over-http.ts'
import { createMcpServer } from '../mcp/server.ts'
import { parseMoney, ValueError } from '../operator/setting-values.ts'
import { readClientEnvironment } from '../settings.ts'
import { commandLine } from './arguments.ts'

const { values } = commandLine('mcp')

const environment = readClientEnvironment()
const baseUrl = readAddress(values.url ?? environment.url)
const cap = values.cap === undefined ? undefined : readCap(values.cap)

// One process is one session.
const sessionId = crypto.randomUUID()
// The server keeps the cap.
const session = cap && { 'x-session': sessionId, 'x-spending-cap': `${cap.amount} ${cap.currency}` }
const never = new AbortController().signal
const connection: Connection = {
  operations: operateOverHttp(createClient({ baseUrl, token: environment.token, headers: session }), {
    saveTo: values.out === undefined ? undefined : path.resolve(values.out),
    hasCap: cap !== undefined,
  }),
  owner: '',
  sessionId,
  isCancelledByLeaving: false,
  gone: never,
  closing: never,
}
serveStdio(() => createMcpServer(() => connection, { version: packageFile.version }))

function readAddress(text: string) {
  if (URL.canParse(text) && /^https?:/i.test(text)) return text.endsWith('/') ? text : `${text}/`
  return refuse(
    `"${text}" is not an address such as http://127.0.0.1:8000.`,
    `“${text}”不是 http://127.0.0.1:8000 这样的地址。`,
  )
}

function readCap(text: string) {
  try {
    return parseMoney(text)
  } catch (error) {
    return refuse(
      `--cap ${error instanceof Error ? error.message : ''}`,
      `--cap ${error instanceof ValueError ? error.zh : ''}`,
    )
  }
}

/** Standard output belongs to the protocol. */
function refuse(en: string, zh: string): never {
  console.error(`${en} ${zh}\nNothing was done. 未执行任何操作。`)
  process.exit(1)
}
