/**
 * The tools for agents over standard input and output, for clients that start a program. It speaks to a server by its address and token,
 * and holds nothing itself.
 */
import path from 'node:path'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import packageFile from '../../package.json' with { type: 'json' }
import { createClient } from '../client/client.ts'
import type { Connection } from '../mcp/connection.ts'
import { createJoins } from '../mcp/joins.ts'
import { operateOverHttp } from '../mcp/over-http.ts'
import { createMcpServer } from '../mcp/server.ts'
import { createSpending } from '../mcp/spending.ts'
import { parseMoney, ValueError } from '../operator/setting-values.ts'
import { readClientEnvironment } from '../settings.ts'
import { commandLine } from './arguments.ts'

const usage = `Usage 用法: webimgui mcp [--url http://127.0.0.1:8000] [--cap "5 CNY"] [--out FOLDER]

Tools for agents (MCP) over standard input and output; a client such as Claude Desktop starts it. The server has to run already.
面向智能体的 MCP 工具（标准输入输出），由 Claude Desktop 等客户端启动；服务需已在运行。

WEBIMGUI_URL     where the server is; --url takes precedence 服务地址，--url 优先
WEBIMGUI_TOKEN   a token of it, where it needs one 访问令牌（服务需要时填写）
--cap            the most that this session may spend 本次会话的费用上限
--out            a folder that the originals are saved to as well 把原图另存到此文件夹`

const { values } = commandLine(usage, {
  options: { url: { type: 'string' }, cap: { type: 'string' }, out: { type: 'string' } },
})

const environment = readClientEnvironment()
const baseUrl = readAddress(values.url ?? environment.url)
const cap = values.cap === undefined ? undefined : readCap(values.cap)

const never = new AbortController().signal
const connection: Connection = {
  operations: operateOverHttp(createClient({ baseUrl, token: environment.token }), {
    saveTo: values.out === undefined ? undefined : path.resolve(values.out),
  }),
  spending: createSpending(cap),
  joins: createJoins(),
  owner: '',
  // One process is one session.
  sessionId: crypto.randomUUID(),
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
