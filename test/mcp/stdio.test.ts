/** MCP over standard input and output: the real program, started by the official clients. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OlderTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { expect, onTestFinished, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { png } from '../support/pictures.ts'
import { programFile, runProgram } from '../support/program.ts'
import { generationOf, textOf } from './clients.ts'

const about = { name: 'test', version: '1.0.0' }
const secret = 'correct-horse-battery-staple'

async function makeFolder() {
  const folder = await mkdtemp(path.join(tmpdir(), 'webimgui-mcp-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function describeProgram(url: string, words: string[] = []) {
  const { file, environment } = await programFile('main')
  const env = { ...environment, PATH: environment.PATH ?? '', WEBIMGUI_URL: url, WEBIMGUI_TOKEN: secret }
  return { command: process.execPath, args: [file, 'mcp', ...words], env, stderr: 'pipe' as const }
}

test('the present client makes a picture from a file, with progress, and finds the original saved', async () => {
  const app = await startApp({ environment: { ACCESS_TOKEN: secret } })
  const folder = await makeFolder()
  const source = path.join(folder, 'source.png')
  await writeFile(source, await png(800, 600))
  const client = new Client(about, { versionNegotiation: { mode: 'auto' } })
  const words = ['--cap', '1 CNY', '--out', path.join(folder, 'out')]
  await client.connect(new StdioClientTransport(await describeProgram(app.url, words)))
  onTestFinished(() => client.close())

  const told: number[] = []
  const onprogress = ({ progress }: { progress: number }) => void told.push(progress)
  const order = { name: 'edit_image', arguments: { prompt: 'make it night', image: source } }
  const made = generationOf(await client.callTool(order, { onprogress }))
  const missing = await client.callTool({ ...order, arguments: { prompt: 'x', image: path.join(folder, 'none.png') } })
  const secretFile = await client.callTool({ ...order, arguments: { prompt: 'x', image: '/etc/passwd' } })

  expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
  expect(made).toMatchObject({ status: 'succeeded', images: [{ path: expect.stringContaining('out') }] })
  expect(made.session_left?.amount).toBeLessThan(1)
  expect((await readFile(made.images[0]!.path!)).length).toBe(made.images[0]!.bytes)
  expect(told.at(-1)).toBe(1)
  expect(textOf(missing)).toMatch(/There is no file/)
  expect(textOf(secretFile)).toMatch(/does not have the name of a picture/)
})

test('the older client cancels what it asked for, and one that leaves cancels nothing', async () => {
  const app = await startApp({ environment: { ACCESS_TOKEN: secret } })
  const admin = { authorization: `Bearer ${secret}` }
  const task = { prompt: 'a boat', model: 'wan2.7-image', size: '768x768' }
  const statusOf = async (index: number) =>
    (await app.call('GET', '/api/history', undefined, admin)).body.items[index]?.status as string
  app.qwen.holdTasks('PENDING')
  const client = new OlderClient(about)
  await client.connect(new OlderTransport(await describeProgram(app.url)) as never)
  const cancelling = new AbortController()

  const asked = client.callTool({ name: 'generate_image', arguments: task }, undefined, { signal: cancelling.signal })
  await expect.poll(() => app.qwen.tasks().length).toBe(1)
  cancelling.abort('stop')
  await expect(asked).rejects.toThrow()
  await expect.poll(() => statusOf(0)).toBe('cancelled')

  const left = client.callTool({ name: 'generate_image', arguments: { ...task, prompt: 'a ship' } }).catch(() => {})
  await expect.poll(() => app.qwen.tasks().length).toBe(2)
  await client.close()
  await left
  app.qwen.releaseTasks()

  await expect.poll(() => statusOf(0)).toBe('succeeded')
  expect(app.qwen.billed).toHaveLength(1)
})

test('a server that is away, and a token that is wrong, are told as what to do', async () => {
  const app = await startApp({ environment: { ACCESS_TOKEN: 'another-long-access-token' } })
  const texts = []
  for (const url of [app.url, 'http://127.0.0.1:9']) {
    const client = new Client(about, { versionNegotiation: { mode: 'auto' } })
    await client.connect(new StdioClientTransport(await describeProgram(url)))
    texts.push(textOf(await client.callTool({ name: 'list_models', arguments: {} })))
    await client.close()
  }

  expect(texts[0]).toMatch(/^\[unauthorized\][\s\S]*WEBIMGUI_TOKEN/)
  expect(texts[1]).toMatch(/^\[offline\][\s\S]*cannot be reached/)
})

test('arguments that cannot be used end it with a sentence', async () => {
  const dataDir = await makeFolder()
  const { code, output } = await runProgram('mcp', { dataDir, words: ['--cap', 'much'] })

  expect(code).toBe(1)
  expect(output).toMatch(/--cap must be an amount with its currency[\s\S]*Nothing was done/)
})
