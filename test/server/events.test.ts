import { once } from 'node:events'
import net from 'node:net'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { expect, test } from 'vitest'
import { Generation } from '../../src/api/generations.ts'
import type { Events, GenerationEvent } from '../../src/coordination/events.ts'
import { generation, startServer } from './harness.ts'

type FollowOptions = Parameters<Events['follow']>[0]

const ending = async function* (): AsyncIterable<GenerationEvent> {
  yield { type: 'generation', revision: 41, generation: generation({ status: 'running', prompt: '两行\n文字' }) }
  yield { type: 'removed', revision: 42, id: 'g0' }
}

function started(follow: (options: FollowOptions) => AsyncIterable<GenerationEvent>) {
  const asked: FollowOptions[] = []
  const events: Events = {
    follow(options) {
      asked.push(options)
      return follow(options)
    },
  }
  return startServer({ services: { generations: { events } } }).then(server => ({ ...server, asked }))
}

async function read(response: Response) {
  const events = []
  for await (const event of response
    .body!.pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())) {
    events.push(event)
  }
  return events
}

test('carry the whole state under a growing revision, and end when there is no more', async () => {
  const { call, asked } = await started(ending)

  const response = await call('GET', '/api/history/g1/events', undefined, {
    'last-event-id': '40',
    origin: 'http://localhost:5173',
  })
  const events = await read(response)

  expect(response.status).toBe(200)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'access-control-allow-origin': 'http://localhost:5173',
    'access-control-allow-credentials': 'true',
    'x-accel-buffering': 'no',
    'x-request-id': expect.any(String),
  })
  expect(asked).toMatchObject([{ generationId: 'g1', after: 40 }])
  expect(events.map(({ event, id }) => [event, id])).toEqual([
    ['generation', '41'],
    ['removed', '42'],
  ])
  expect(Generation.parse(JSON.parse(events[0]!.data)).prompt).toBe('两行\n文字')
  expect(JSON.parse(events[1]!.data)).toEqual({ id: 'g0' })
})

test('of all generations, and a Last-Event-ID that is none counts as none', async () => {
  const { call, asked } = await started(ending)

  await read(await call('GET', '/api/events', undefined, { 'last-event-id': 'x' }))

  expect(asked).toMatchObject([{ generationId: undefined, after: undefined }])
})

test('of a generation that is not there are a plain 404', async () => {
  const { call, asked } = await started(ending)

  const response = await call('GET', '/api/history/nope/events')

  expect(response.status).toBe(404)
  expect(response.headers.get('content-type')).toContain('application/problem+json')
  expect(asked).toEqual([])
})

test('stop being followed when the client goes', async () => {
  const { call, asked } = await started(async function* ({ signal }) {
    yield { type: 'removed', revision: 1, id: 'a' }
    await new Promise(resolve => signal.addEventListener('abort', resolve))
  })
  const response = await call('GET', '/api/events')
  await response.body!.cancel()

  await expect.poll(() => asked[0]?.signal.aborted).toBe(true)
})

test('end in order when the server stops', async () => {
  const { call, app } = await started(async function* ({ signal }) {
    yield { type: 'removed', revision: 1, id: 'a' }
    await new Promise(resolve => signal.addEventListener('abort', resolve))
  })
  const response = await call('GET', '/api/events')

  const closed = app.close()
  const events = await read(response)
  await closed

  expect(events).toHaveLength(1)
})

test('break the connection when they cannot go on, so that the client comes back', async () => {
  const { call, lines } = await started(async function* () {
    yield { type: 'removed', revision: 1, id: 'a' }
    throw new Error('the database is gone')
  })

  await expect(call('GET', '/api/events').then(read)).rejects.toThrow()

  expect(lines.some(line => line.includes('the database is gone'))).toBe(true)
})

test('wait for a client that reads slowly instead of filling the memory', async () => {
  let sent = 0
  const prompt = 'x'.repeat(100_000)
  const { port, app } = await started(async function* ({ signal }) {
    while (sent < 1000 && !signal.aborted) {
      sent++
      yield { type: 'generation', revision: sent, generation: generation({ prompt }) }
    }
  })
  const reached = once(app.server, 'connection')
  const socket = net.connect(port, '127.0.0.1')
  const [answering] = (await reached) as [net.Socket]
  socket.write('GET /api/events HTTP/1.1\r\nhost: localhost\r\n\r\n')
  socket.pause()
  await expect.poll(() => answering.writableNeedDrain).toBe(true)

  expect(sent).toBeGreaterThan(0)
  expect(sent).toBeLessThan(500)
  socket.destroy()
})
