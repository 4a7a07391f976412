/** The official clients, of both lines, at a server of the test. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OlderTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { onTestFinished } from 'vitest'

const about = { name: 'test', version: '1.0.0' }

export interface Given {
  token?: string
  headers?: Record<string, string>
}

function headersOf({ token, headers }: Given) {
  return { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers }
}

/** Negotiates by itself, as clients of the present line do. */
export async function connect(url: string, given: Given = {}) {
  const client = new Client(about, { versionNegotiation: { mode: 'auto' } })
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', url), {
    requestInit: { headers: headersOf(given) },
  })
  await client.connect(transport)
  onTestFinished(() => client.close())
  return client
}

/** Of the line before, which knows revisions up to 2025-11-25. */
export async function connectOlder(url: string, given: Given = {}) {
  const client = new OlderClient(about)
  const transport = new OlderTransport(new URL('/mcp', url), { requestInit: { headers: headersOf(given) } })
  await client.connect(transport as never)
  onTestFinished(() => client.close())
  return { client, transport }
}

export interface ToolAnswer {
  isError?: boolean
  // biome-ignore lint/suspicious/noExplicitAny: answers of every tool pass here, and tests look at what they expect
  structuredContent?: any
  content: { type: string; text?: string; data?: string; mimeType?: string; uri?: string }[]
}

interface Answered {
  generation_id: string
  images: { id: string; url: string; resource: string; path?: string; bytes: number }[]
  session_left: { amount: number } | null
}

/** The same as data. @throws with the text of a refusal */
export function generationOf(answer: unknown) {
  const { isError, structuredContent } = answer as ToolAnswer
  if (isError) throw new Error(textOf(answer))
  return structuredContent as Answered
}

/** A call of revision 2026-07-28 as it goes over the wire, for what no client would send, and for answers that none would show. */
export function rawCall(method: string, params: Record<string, unknown>) {
  const revision = '2026-07-28'
  const prefix = 'io.modelcontextprotocol'
  const _meta = {
    [`${prefix}/protocolVersion`]: revision,
    [`${prefix}/clientInfo`]: about,
    [`${prefix}/clientCapabilities`]: {},
  }
  const name = params.name ?? params.uri
  return {
    body: { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } },
    headers: {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': revision,
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    },
  }
}

/** Every tool and resource, with arguments that reach one generation and its pictures. */
export function callsAbout(generation_id: string) {
  const tools: [name: string, given: object][] = [
    ['list_models', {}],
    ['list_models', { all: true }],
    ['estimate', { prompt: 'a boat' }],
    ['search_history', {}],
    ['get_generation', { generation_id }],
    ['cancel_generation', { generation_id }],
    ['retry_missing', { generation_id }],
    ['edit_image', { prompt: 'a boat', image: generation_id }],
    ['generate_image', { prompt: 'a boat', wait_seconds: 0, n: 1000 }],
  ]
  return [
    ...tools.map(([name, given]) => rawCall('tools/call', { name, arguments: given })),
    rawCall('server/discover', {}),
    rawCall('tools/list', {}),
    rawCall('resources/list', {}),
    rawCall('resources/read', { uri: `webimgui://generations/${generation_id}` }),
  ]
}

/** What the model reads. */
export function textOf(answer: unknown) {
  return (answer as ToolAnswer).content.flatMap(({ type, text = '' }) => (type === 'text' ? [text] : [])).join('\n')
}
