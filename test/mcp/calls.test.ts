/** What an agent does with pictures, and that none of it is paid twice. */
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { dataUri, png } from '../support/pictures.ts'
import { connect, connectOlder, generationOf, textOf } from './clients.ts'

const group = { prompt: '4 pictures of a boat', model: 'doubao-seedream-4-0-20260415', size: '960x960', n: 4 }
const task = { prompt: 'a boat', model: 'wan2.7-image', size: '768x768' }

/** The record of the only generation that there is. */
async function onlyRecord(app: TestApp) {
  const { body } = await app.call('GET', '/api/history')
  expect(body.items).toHaveLength(1)
  return body.items[0]
}

test('an agent prices, makes, finds and edits a picture', async () => {
  const app = await startApp()
  const client = await connect(app.url)
  const call = (name: string, given: object = {}) => client.callTool({ name, arguments: { ...given } })

  const models = await call('list_models')
  const [usual] = (models.structuredContent as { models: object[] }).models
  expect(usual).toMatchObject({ is_default: true, usable: true, max_references: 10, price: '0.12 CNY a picture' })
  const priced = await call('estimate', group)
  expect(priced.structuredContent).toMatchObject({ images: 4, cost: { max: 0.8, currency: 'CNY' } })
  expect(app.doubao.requests).toHaveLength(0)

  const made = generationOf(await call('generate_image', { ...group, n: 1, prompt: '水墨山水' }))
  expect(made).toMatchObject({ status: 'succeeded', cost: { amount: 0.2, currency: 'CNY' } })
  const found = await call('search_history', { query: '山水' })
  expect(found.structuredContent).toMatchObject({ generations: [{ generation_id: made.generation_id }] })
  const same = generationOf(await call('get_generation', { generation_id: made.generation_id }))
  expect(same.images).toEqual(made.images)

  const forms = [made.images[0]!.id, made.images[0]!.resource, made.images[0]!.url, dataUri(await png(800, 600))]
  for (const [index, image] of forms.entries()) {
    const edited = generationOf(await call('edit_image', { prompt: `make it night ${index}`, image }))
    expect(edited, image.slice(0, 40)).toMatchObject({ status: 'succeeded', images: [{}] })
    const { body } = await app.call('GET', `/api/history/${edited.generation_id}`)
    expect(body.references).toHaveLength(1)
  }

  const [image, mask] = [dataUri(await png(800, 600)), dataUri(await png(800, 600, { transparent: true }))]
  const masked = generationOf(await call('edit_image', { prompt: 'a hat', image, mask }))
  expect(masked).toMatchObject({ status: 'succeeded', model: 'wanx2.1-imageedit' })
  expect(textOf(await call('edit_image', { prompt: 'a hat', image, mask, model: group.model }))).toMatch(
    /takes no mask/,
  )
})

test('missing pictures are made by retry_missing alone, and paid once', async () => {
  const app = await startApp()
  const client = await connect(app.url)
  app.doubao.misbehave({ kind: 'partial', failIndexes: [1, 2] })

  const first = await client.callTool({ name: 'generate_image', arguments: group })
  const { generation_id } = generationOf(first)
  const again = await client.callTool({ name: 'retry_missing', arguments: { generation_id } })

  expect(textOf(first)).toMatch(/2 of 4 pictures .*[\s\S]*retry_missing/)
  expect(generationOf(again)).toMatchObject({ wanted: 2, images: [{}, {}] })
  expect(app.doubao.billed).toHaveLength(4)
})

test('a client that gives up and asks again four times pays once, whatever revision it speaks', async () => {
  for (const isOlder of [false, true]) {
    const app = await startApp()
    app.doubao.misbehave({ kind: 'slow', ms: 1500 })
    const order = { name: 'generate_image', arguments: { prompt: 'a boat' } }
    const client = isOlder ? undefined : await connect(app.url)
    const older = isOlder ? (await connectOlder(app.url)).client : undefined
    const ask = (timeout?: number) =>
      client ? client.callTool(order, { timeout }) : older!.callTool(order, undefined, { timeout })

    for (let tries = 1; tries <= 3; tries++) await expect(ask(200)).rejects.toThrow(/timed out/i)
    const answer = generationOf(await ask())

    expect(answer).toMatchObject({ status: 'succeeded', joined: true, images: [{}] })
    expect(app.doubao.billed).toHaveLength(1)
    // What was told is over: the same words now mean another picture.
    expect(generationOf(await ask())).toMatchObject({ joined: false })
    expect(app.doubao.billed).toHaveLength(2)
  }
})

test('a call whose answer was lost joins after a restart, and is over once its end was told', async () => {
  const app = await startApp()
  app.qwen.holdTasks('PENDING')
  const order = { name: 'generate_image', arguments: task }
  const first = (await connect(app.url)).callTool(order, { timeout: 200 })
  await expect(first).rejects.toThrow(/timed out/i)

  await app.restart()
  const again = (await connect(app.url)).callTool(order)
  await expect.poll(() => app.qwen.tasks().length).toBe(1)
  app.qwen.releaseTasks()

  expect(generationOf(await again)).toMatchObject({ status: 'succeeded', joined: true, images: [{}] })
  expect(app.qwen.billed).toHaveLength(1)
  // It was told now: the same words mean another picture, also where get_generation told it.
  const begun = generationOf(
    await (await connect(app.url)).callTool({ ...order, arguments: { ...task, wait_seconds: 0 } }),
  )
  expect(begun).toMatchObject({ joined: false })
  const { generation_id } = begun
  const found = { name: 'get_generation', arguments: { generation_id, wait_seconds: 30 } }
  expect(generationOf(await (await connect(app.url)).callTool(found))).toMatchObject({ images: [{}] })
  expect(generationOf(await (await connect(app.url)).callTool(order))).toMatchObject({ joined: false })
  expect(app.qwen.billed).toHaveLength(3)
})

test('a key of the caller joins across connections and a restart, and refuses other arguments', async () => {
  const app = await startApp()
  const order = { prompt: 'a boat', idempotency_key: 'order-1' }
  const ask = async (given: object) =>
    (await connect(app.url)).callTool({ name: 'generate_image', arguments: { ...given } })

  const first = generationOf(await ask(order))
  await app.restart()
  const second = generationOf(await ask(order))
  const other = await ask({ ...order, prompt: 'a ship' })

  expect(second.generation_id).toBe(first.generation_id)
  expect(other.isError).toBe(true)
  expect(textOf(other)).toMatch(/^\[idempotency_mismatch\].*\n?.*new key/s)
  expect(app.doubao.billed).toHaveLength(1)
})

test('the wait is bounded; what goes on is found, and its end is waited for', async () => {
  const app = await startApp()
  const client = await connect(app.url)
  app.qwen.holdTasks('PENDING')

  const begun = await client.callTool({ name: 'generate_image', arguments: { ...task, wait_seconds: 0 } })
  const { generation_id } = generationOf(begun)
  const waiting = client.callTool({ name: 'get_generation', arguments: { generation_id, wait_seconds: 30 } })
  await expect.poll(() => app.qwen.tasks().length).toBe(1)
  app.qwen.releaseTasks()

  expect(textOf(begun)).toMatch(/Still running\. Call get_generation/)
  expect(generationOf(await waiting)).toMatchObject({ status: 'succeeded', images: [{}] })
})

test('a cancel reaches a task that is still pending, and nothing is charged', async () => {
  for (const isOlder of [false, true]) {
    const app = await startApp()
    app.qwen.holdTasks('PENDING')
    const order = { name: 'generate_image', arguments: task }
    const cancelling = new AbortController()
    const asked = isOlder
      ? (await connectOlder(app.url)).client.callTool(order, undefined, { signal: cancelling.signal })
      : (await connect(app.url)).callTool(order, { signal: cancelling.signal })
    await expect.poll(() => app.qwen.tasks().length).toBe(1)

    cancelling.abort('the person pressed stop')

    await expect(asked).rejects.toThrow()
    await expect.poll(async () => (await onlyRecord(app)).status).toBe('cancelled')
    expect(app.qwen.billed).toEqual([])
  }
})

test('cancel_generation says what may still be charged', async () => {
  const app = await startApp()
  const client = await connect(app.url)
  app.qwen.holdTasks('RUNNING')
  const begun = await client.callTool({ name: 'generate_image', arguments: { ...task, wait_seconds: 0 } })
  const { generation_id } = generationOf(begun)
  await expect.poll(() => app.qwen.tasks().some(({ status }) => status === 'RUNNING')).toBe(true)

  const cancelled = await client.callTool({ name: 'cancel_generation', arguments: { generation_id } })
  app.qwen.releaseTasks()
  const end = await client.callTool({ name: 'get_generation', arguments: { generation_id, wait_seconds: 30 } })
  const late = await client.callTool({ name: 'cancel_generation', arguments: { generation_id } })

  expect(textOf(cancelled)).toMatch(/if it had begun already, it is charged and will be kept/)
  expect(generationOf(end)).toMatchObject({ status: 'succeeded', charge: 'charged', images: [{}] })
  expect(textOf(late)).toMatch(/ended already/)
})

test('nobody cancels what another session asked for with the same id', async () => {
  const app = await startApp()
  app.qwen.holdTasks('PENDING')
  const begin = async () => {
    const answer = await app.call('POST', '/mcp', initialize, accepting)
    return { ...accepting, 'mcp-session-id': answer.headers.get('mcp-session-id') ?? '' }
  }
  const [mine, other] = [await begin(), await begin()]
  const asked = app.call('POST', '/mcp', toolCall(7, 'generate_image', task), mine)
  await expect.poll(() => app.qwen.tasks().length).toBe(1)

  const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7, reason: 'stop' } }
  expect((await app.call('POST', '/mcp', cancel, other)).status).toBe(202)
  await pause(0)
  expect(await onlyRecord(app)).toMatchObject({ status: 'running', cancel_requested: false })
  app.qwen.releaseTasks()

  expect((await asked).body).toContain('"status":"succeeded"')
})

const accepting = { accept: 'application/json, text/event-stream' }
const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
}

function toolCall(id: number, name: string, given: object) {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: given } }
}
