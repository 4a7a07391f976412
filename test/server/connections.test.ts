/** Connections that nobody uses keep nobody out. */
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

/** As many as the server takes. */
const most = 4_000

/** Opened from another address of this machine than the tests use otherwise. */
async function open(app: TestApp, count: number, beginning = '', localAddress = '127.0.0.2') {
  const { hostname, port } = new URL(app.url)
  const sockets: Socket[] = []
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  for (let opened = 0; opened < count; opened += 200) {
    const batch = Array.from({ length: Math.min(200, count - opened) }, () =>
      connect({ host: hostname, port: Number(port), localAddress }).on('error', () => {}),
    )
    sockets.push(...batch)
    await Promise.all(batch.map(socket => once(socket, 'connect')))
    if (beginning !== '') for (const socket of batch) socket.write(beginning)
  }
  return sockets
}

async function get(app: TestApp, agent?: Agent) {
  const asked = request(`${app.url}/health`, { agent: agent ?? new Agent() })
  asked.end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  answer.resume()
  await once(answer, 'end')
  return answer.statusCode
}

const unused = [
  '',
  'GET / HTTP/1.1\r\nhost: ',
  'POST /api/login HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{',
]

test('as many connections as there may be, idle and in the middle of requests, let others in', async () => {
  const app = await startApp()
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  expect(await get(app, agent)).toBe(200)
  const idle = (await Promise.all(unused.map(beginning => open(app, most / 3 + 20, beginning)))).flat()

  for (let count = 0; count < 20; count++) expect(await get(app)).toBe(200)

  // Who had a connection before has it still.
  expect(await get(app, agent)).toBe(200)
  await expect.poll(() => idle.filter(socket => socket.destroyed).length).toBeGreaterThan(0)
  expect(idle.filter(socket => socket.destroyed).length).toBeLessThan(300)
})

test('an answer that is on its way is not cut for them', async () => {
  const app = await startApp()
  const stream = request(`${app.url}/api/events`, { agent: new Agent() })
  stream.end()
  const [answer] = (await once(stream, 'response')) as [IncomingMessage]
  onTestFinished(() => void answer.destroy())
  answer.resume()
  let isCut = false
  answer.on('close', () => {
    isCut = true
  })
  await open(app, most + 50, '', '127.0.0.1')

  expect(await get(app)).toBe(200)
  expect(isCut).toBe(false)
})
