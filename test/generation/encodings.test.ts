/** Services and hosts that name another content encoding than the one that their bytes have. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { png } from '../support/pictures.ts'

type Lie = (response: ServerResponse, body: Buffer, type: string) => void

/** Sends these bytes under that name, with their length or without. */
const as =
  (encoding: string | undefined, change: (body: Buffer) => Buffer = body => body): Lie =>
  (response, body, type) => {
    response.writeHead(200, { 'content-type': type, ...(encoding && { 'content-encoding': encoding }) })
    response.end(change(body))
  }
const honest = as(undefined)
const withJunk = (body: Buffer) => Buffer.concat([body, Buffer.from('-- served by a cache --')])
const spoilt = (body: Buffer, fromEnd: number) => {
  const changed = Buffer.from(body)
  changed[body.length - fromEnd]! ^= 0xff
  return changed
}

const lies: [string, Lie][] = [
  ['plain bytes named gzip', as('gzip')],
  ['plain bytes named br', as('br')],
  ['plain bytes named deflate', as('deflate')],
  ['plain bytes under a name that nobody knows', as('binary')],
  ['gzip with bytes behind it', as('gzip', body => withJunk(gzipSync(body)))],
  ['gzip with a wrong check sum', as('gzip', body => spoilt(gzipSync(body), 8))],
  ['gzip without its check sum', as('gzip', body => gzipSync(body).subarray(0, -8))],
  [
    'gzip in two members',
    as('gzip', body => Buffer.concat([gzipSync(body.subarray(0, 9)), gzipSync(body.subarray(9))])),
  ],
  ['gzip under the name of br', as('br', gzipSync)],
  ['gzip that was named twice and made once', as('gzip, gzip', gzipSync)],
  ['br around gzip', as('gzip, br', body => brotliCompressSync(gzipSync(body)))],
  ['br with bytes behind it', as('br', body => withJunk(brotliCompressSync(body)))],
  ['deflate with bytes behind it', as('deflate', body => withJunk(deflateSync(body)))],
  ['deflate with a wrong check sum', as('deflate', body => spoilt(deflateSync(body), 1))],
  ['zstd', as('zstd', zstdCompressSync)],
  [
    'a head of 200 kB',
    (response, body, type) => {
      response.writeHead(200, { 'content-type': type, 'x-trace': 'a'.repeat(200_000) })
      response.end(body)
    },
  ],
]

/** An OpenAI-style service and a DashScope that lie in every answer about what is asked for here. */
async function startService(lie: Lie, about: RegExp = /./) {
  const image = await png(64, 64)
  const seen: string[] = []
  const server = createServer((request, response) => {
    request.resume()
    const url = request.url ?? ''
    seen.push(`${request.method} ${url}`)
    const answer = about.test(url) ? lie : honest
    const json = (value: unknown) => answer(response, Buffer.from(JSON.stringify(value)), 'application/json')
    const images = Array.from({ length: 7 }, (_, index) => ({ url: `${origin}/${index}.png` }))
    if (url.endsWith('.png')) answer(response, image, 'image/png')
    else if (url.startsWith('/v1/images')) json({ created: 1, data: images })
    else if (request.method === 'POST') json({ output: { task_id: 'task-1', task_status: 'PENDING' } })
    else {
      const choices = [{ message: { content: [{ type: 'image', image: `${origin}/0.png` }] } }]
      json({ output: { task_id: 'task-1', task_status: 'SUCCEEDED', finished: true, choices } })
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const app = await startApp({
    environment: { ALLOWED_HOSTS: new URL(origin).host, QWEN_API_URL: `${origin}/api/v1` },
  })
  const configuration = { provider: 'openai', base_url: `${origin}/v1`, api_key: 'sk-liar', model: 'gpt-image-2' }
  const { body } = await app.call('POST', '/api/config', configuration)
  return { app, seen, request: { prompt: 'a boat', config_id: body.id, parameters: { n: 7 } } }
}

test.each(lies)('%s: an answer, its pictures and a task are read', async (_name, lie) => {
  const { app, seen, request } = await startService(lie)

  const answered = await app.generate(request)
  const followed = await app.generate({ prompt: 'a boat', model: 'wan2.7-image', parameters: { size: '768x768' } })

  expect(answered).toMatchObject({ status: 'succeeded', charge: 'charged', failures: [] })
  expect(answered.images).toHaveLength(7)
  expect(followed).toMatchObject({ status: 'succeeded', charge: 'charged', images: [{}] })
  expect(seen.filter(line => line.startsWith('POST'))).toHaveLength(2)
})

test('a compressed answer that is damaged behind its pictures ends, and keeps what came', async () => {
  const { app, request } = await startService(
    as('gzip', body => Buffer.concat([gzipSync(body).subarray(0, -8 - 1), Buffer.alloc(50, 0xff)])),
    /^\/v1/,
  )

  const { body } = await app.call('POST', '/api/generate', request)

  expect(body).toMatchObject({ charge: 'unknown' })
})
