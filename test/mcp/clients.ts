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

/** What the model reads. */
export function textOf(answer: unknown) {
  return (answer as ToolAnswer).content.flatMap(({ type, text = '' }) => (type === 'text' ? [text] : [])).join('\n')
}
