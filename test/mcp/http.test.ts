/** MCP over HTTP, as the official clients of both lines use it. */
import { expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { connect, connectOlder, textOf } from './clients.ts'

const tools = [
  'list_models',
  'estimate',
  'search_history',
  'get_generation',
  'cancel_generation',
  'generate_image',
  'edit_image',
  'retry_missing',
]

test('both lines of clients find the same tools, the present one in revision 2026-07-28 with a time to keep them', async () => {
  const { url } = await startApp()
  const client = await connect(url)
  const { client: older, transport } = await connectOlder(url)

  const lists = [await client.listTools(), await older.listTools()]

  expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
  expect(transport.protocolVersion).toBe('2025-11-25')
  expect(transport.sessionId).toBeTruthy()
  for (const list of lists) expect(list.tools.map(({ name }) => name)).toEqual(tools)
  expect(lists[0]).toMatchObject({ ttlMs: 300_000, cacheScope: 'public' })
  for (const { annotations, outputSchema, description = '' } of lists[0]!.tools) {
    expect(annotations).toMatchObject({ readOnlyHint: expect.any(Boolean), openWorldHint: expect.any(Boolean) })
    expect(outputSchema).toMatchObject({ type: 'object' })
    // Long enough to be understood, short enough to be read.
    expect(description.length).toBeGreaterThan(80)
    expect(description.length).toBeLessThan(500)
  }
})

test('a picture comes with its progress, a preview, a link, its price and its address as a resource', async () => {
  const { url, doubao } = await startApp()
  const client = await connect(url)
  const { client: older } = await connectOlder(url)

  for (const [index, ask] of [client, older].entries()) {
    const told: { progress: number; total?: number }[] = []
    const order = { name: 'generate_image', arguments: { prompt: `a boat ${index}`, n: 2 } }
    const onprogress = (progress: { progress: number; total?: number }) => void told.push(progress)
    const made =
      ask === client
        ? await client.callTool(order, { onprogress })
        : await older.callTool(order, undefined, { onprogress })

    const { structuredContent: answer, content } = made as never as {
      structuredContent: { images: { id: string; url: string; resource: string }[] }
      content: { type: string; data?: string; mimeType?: string; uri?: string }[]
    }
    expect(answer).toMatchObject({ status: 'succeeded', wanted: 2, charge: 'charged', missing: [], joined: false })
    expect(answer).toMatchObject({ cost: { amount: expect.any(Number), currency: 'CNY' } })
    expect(content.map(({ type }) => type)).toEqual(['text', 'image', 'image', 'resource_link', 'resource_link'])
    for (const { data = '' } of content.slice(1, 3)) expect(Buffer.from(data, 'base64').length).toBeLessThan(200_000)
    expect(textOf(made)).toContain(answer.images[0]?.url)
    expect((await fetch(answer.images[0]!.url)).headers.get('content-type')).toMatch(/^image\//)
    expect(told.at(-1)).toMatchObject({ progress: 2, total: 2 })
    expect(told.map(({ progress }) => progress)).toEqual(told.map(({ progress }) => progress).toSorted((a, b) => a - b))

    const resource = await ask.readResource({ uri: answer.images[0]!.resource })
    expect(resource.contents[0]).toMatchObject({
      mimeType: expect.stringMatching(/^image\//),
      blob: expect.any(String),
    })
  }
  expect(doubao.billed).toHaveLength(4)
})
