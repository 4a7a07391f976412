/** Answers that never end by themselves. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startApp } from '../support/app.ts'

/** Answers every POST with this head, and then with a piece again and again until nobody listens any more. */
async function startService(options: { headers: Record<string, string>; first?: string; piece: string }) {
  let requests = 0
  const server = createServer((request, response) => {
    requests++
    request.resume()
    response.writeHead(200, options.headers)
    if (options.first) response.write(options.first)
    const timer = setInterval(() => response.write(options.piece), 20)
    response.on('close', () => clearInterval(timer))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: () => requests }
}

const group = {
  prompt: 'a boat',
  model: 'doubao-seedream-4-5-251128',
  parameters: { n: 3 },
}

test.each([
  ['an answer that drips', { headers: { 'content-type': 'application/json' }, piece: ' ' }],
  ['an answer of a declared length that drips', { headers: { 'content-length': '999999' }, piece: ' ' }],
  ['a stream that only says that it lives', { headers: { 'content-type': 'text/event-stream' }, piece: ': ping\n\n' }],
])('%s ends as one that was cut, and can be deleted then', async (_what, answer) => {
  const service = await startService(answer)
  const app = await startApp({ timeScale: 0.0005, environment: { DOUBAO_API_URL: `${service.origin}/api/v3` } })
  const started = await app.generate(group, { prefer: 'respond-async' })
  await expect.poll(service.requests).toBe(1)
  // The picture that is on its way may still come, so this alone changes nothing.
  await app.call('POST', `/api/history/${started.id}/cancel`)

  const ended = await expect
    .poll(async () => (await app.call('GET', `/api/history/${started.id}`)).body)
    .toMatchObject({ status: 'failed', charge: 'unknown', error: { code: expect.stringMatching(/timeout|unknown/) } })
    .then(() => app.call('DELETE', `/api/history/${started.id}`))

  expect(ended.status).toBe(204)
})
