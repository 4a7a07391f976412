/**
 * The tools for agents over standard input and output, for clients that start a program. It speaks to a server by its address and token,
 * and holds nothing itself.
 */
import path from 'node:path'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import packageFile from '../../package.json' with { type: 'json' }
import type { Connection } from '../mcp/connection.ts'
import { operateOverHttp } from '../mcp/over-http.ts'
import { createMcpServer } from '../mcp/server.ts'
import { parseMoney, ValueError } from '../operator/setting-values.ts'
import { commandLine } from './arguments.ts'
import { explain } from './explain.ts'
import { openServer } from './remote/server.ts'

const { values } = commandLine('mcp')

const cap = values.cap === undefined ? undefined : readCap(values.cap)

// One process is one session.
const sessionId = crypto.randomUUID()
// The server keeps the cap.
const session = cap && { 'x-session': sessionId, 'x-spending-cap': `${cap.amount} ${cap.currency}` }
const { client } = open(session)
const never = new AbortController().signal
const connection: Connection = {
  operations: operateOverHttp(client, {
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

function open(headers: Record<string, string> | undefined) {
  try {
    return openServer(values, headers)
  } catch (error) {
    return refuse(...(explain(error).split('\n') as [string]))
  }
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
function refuse(en: string, zh = ''): never {
  console.error(`${en} ${zh}\nNothing was done. 未执行任何操作。`)
  process.exit(1)
}
