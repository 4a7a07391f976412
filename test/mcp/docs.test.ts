/** The pages for people say what works: each file that they show is used as it stands, with the address and token of a server. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { programFile } from '../support/program.ts'
import { connect } from './clients.ts'

const secret = 'correct-horse-battery-staple'

interface Entry {
  url?: string
  baseUrl?: string
  headers?: Record<string, string>
  command?: string
  args?: string[]
  env?: Record<string, string>
}

test.each(['mcp.md', 'mcp.zh-CN.md'])('%s', async name => {
  const app = await startApp({ environment: { ACCESS_TOKEN: secret } })
  const page = readFileSync(path.join(import.meta.dirname, '../../docs', name), 'utf8')
    .replaceAll('http://127.0.0.1:8000', app.url)
    .replaceAll('YOUR_TOKEN', secret)
  const entries = [...page.matchAll(/```json\n([\s\S]*?)```/g)].flatMap(([, text = '']) => {
    const file = JSON.parse(text) as { mcpServers?: Record<string, Entry>; servers?: Record<string, Entry> }
    return Object.values(file.mcpServers ?? file.servers ?? {})
  })

  expect(entries).toHaveLength(4)
  for (const { url, baseUrl, headers, args = [], env } of entries) {
    const address = url ?? baseUrl
    if (address !== undefined) {
      expect(address).toBe(`${app.url}/mcp`)
      expect((await (await connect(app.url, { headers })).listTools()).tools).toHaveLength(8)
      continue
    }
    expect(args[0]).toMatch(/tools\/webimgui\.mjs$/)
    const { file, environment } = await programFile('main')
    const client = new Client({ name: 'test', version: '1' })
    const started = {
      command: process.execPath,
      args: [file, ...args.slice(1)],
      env: { ...environment, ...env } as never,
    }
    await client.connect(new StdioClientTransport(started))
    expect((await client.callTool({ name: 'list_models', arguments: {} })).isError).toBeFalsy()
    await client.close()
  }
  // The tools of the table are those that there are.
  const listed = (await (await connect(app.url, { token: secret })).listTools()).tools.map(({ name }) => name)
  expect([...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, tool]) => tool)).toEqual(listed.toSorted(byPage(page)))
})

function byPage(page: string) {
  return (one: string, other: string) => page.indexOf(`| \`${one}\` |`) - page.indexOf(`| \`${other}\` |`)
}
