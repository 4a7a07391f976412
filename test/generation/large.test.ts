/** Answers that are far larger than a small machine has memory. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { expect, onTestFinished, test } from 'vitest'
import { call } from '../support/app.ts'
import { png } from '../support/pictures.ts'
import { startProgram } from '../support/program.ts'

const mebibyte = 1024 * 1024

/** The real program, and a service that writes its answers in pieces, as fast as they are read. */
async function begin(
  answer: (write: (text: string) => Promise<void>, method: string | undefined) => Promise<void>,
  type: string,
) {
  let requests = 0
  const server = createServer((request, response: ServerResponse) => {
    if (request.method === 'POST') requests++
    request.resume()
    response.writeHead(200, { 'content-type': type })
    const write = async (text: string) => {
      if (response.destroyed || response.write(text)) return
      await new Promise<void>(resolve => {
        const goOn = () => {
          response.off('drain', goOn).off('close', goOn)
          resolve()
        }
        response.on('drain', goOn).on('close', goOn)
      })
    }
    answer(write, request.method).then(
      () => response.end(),
      () => response.destroy(),
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const dataDir = await mkdtemp(path.join(tmpdir(), 'webimgui-large-'))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const program = await startProgram('start', {
    dataDir,
    environment: {
      DOUBAO_API_URL: `${origin}/api/v3`,
      DOUBAO_API_KEY: 'ark-key-of-a-test',
      ALLOWED_HOSTS: new URL(origin).host,
      LOG_LEVEL: 'warn',
      // Nothing large may be a string, and none of several pictures may wait in memory.
      NODE_OPTIONS: '--max-old-space-size=128',
    },
    keep: true,
  })
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await program.ended('SIGKILL')
    await rm(dataDir, { recursive: true, force: true })
  })
  const url = (await program.says(/webimgui is at (\S+)/))[1] ?? ''
  const generate = (parameters = {}) =>
    call(`${url}/api/generate`, 'POST', { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters })
  return { url, origin, generate, program, dataDir, requests: () => requests }
}

/** The most that a process ever held, in MiB; where the system tells. */
function peakOf(pid: number | undefined): number {
  const file = `/proc/${pid}/status`
  const peak = existsSync(file) ? /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined
  return Number(peak ?? 0) / 1024
}

test('an answer of 300 MiB gives its picture, and is never in memory whole', async () => {
  const image = (await png(64, 64)).toString('base64')
  const { generate, program, dataDir, requests } = await begin(async write => {
    await write('{"model":"m","trace":"')
    for (let count = 0; count < 300; count++) await write('A'.repeat(mebibyte))
    await write(`","data":[{"b64_json":"${image}","size":"64x64"}],"usage":{"generated_images":1}}`)
  }, 'application/json')

  const generated = await generate()

  expect(generated).toMatchObject({
    status: 200,
    body: { status: 'succeeded', charge: 'charged', images: [{ width: 64 }] },
  })
  expect(requests()).toBe(1)
  expect(peakOf(program.child.pid)).toBeLessThan(500)
  // Its picture is a file of its own now.
  expect(readdirSync(path.join(dataDir, 'answers'))).toEqual([])
})

test('eight pictures of 24 MiB in one answer become files, however the text of them is escaped', async () => {
  const bytes = await sharp({
    create: {
      width: 2900,
      height: 2900,
      channels: 3,
      background: '#336699',
      noise: { type: 'gaussian', mean: 128, sigma: 40 },
    },
  })
    .png({ compressionLevel: 0 })
    .toBuffer()
  const text = bytes.toString('base64').replaceAll('/', '\\/').replaceAll('+', '\\u002b')
  const { generate, program } = await begin(async write => {
    await write('{"model":"m","data":[')
    for (let index = 0; index < 8; index++) {
      await write(`${index === 0 ? '' : ','}{"b64_json":"`)
      for (let start = 0; start < text.length; start += 99_991) await write(text.slice(start, start + 99_991))
      await write('"}')
    }
    await write('],"usage":{"generated_images":8}}')
  }, 'application/json')

  const generated = await generate()

  expect(generated.body).toMatchObject({ status: 'succeeded', charge: 'charged' })
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  expect(generated.body.images.map((image: { sha256: string }) => image.sha256)).toEqual(Array(8).fill(sha256))
  expect(peakOf(program.child.pid)).toBeLessThan(500)
})

test('the answer of a task may be as large', async () => {
  const picture = (await png(64, 64)).toString('base64')
  const { url, origin, program, dataDir, requests } = await begin(async (write, method) => {
    if (method === 'POST') return write('{"id":"t1","status":"processing"}')
    await write('{"id":"t1","status":"completed","trace":"')
    for (let count = 0; count < 200; count++) await write('A'.repeat(mebibyte))
    await write(`","data":[{"b64_json":"${picture}"},{"b64_json":"${'iVBORw0KGgo'.padEnd(100_000, 'A')}"}]}`)
  }, 'application/json')
  const configuration = {
    name: 'a gateway',
    provider: 'openai',
    api_key: 'sk-of-a-test',
    base_url: `${origin}/v1`,
    model: 'm-1',
  }
  expect(await call(`${url}/api/config`, 'POST', configuration)).toMatchObject({ status: 201 })

  const generated = await call(`${url}/api/generate`, 'POST', { prompt: 'a boat', model: 'm-1' })

  expect(generated).toMatchObject({ status: 200, body: { images: [{ width: 64 }, { width: 0 }] } })
  expect(requests()).toBe(1)
  expect(peakOf(program.child.pid)).toBeLessThan(500)
  expect(readdirSync(path.join(dataDir, 'answers'))).toEqual([])
})

test('a stream of junk ends at a limit, keeps what came, and is not read again with every piece', async () => {
  const image = (await png(64, 64)).toString('base64')
  const junk = 'event: progress\ndata: {"type":"progress","at":1}\n\n'.repeat(20_000)
  const { generate, program, requests } = await begin(async write => {
    await write(
      `event: image_generation.partial_succeeded\ndata: {"type":"image_generation.partial_succeeded","image_index":0,"b64_json":"${image}"}\n\n`,
    )
    for (let count = 0; count < 40; count++) await write(junk)
  }, 'text/event-stream')

  const generated = await generate({ n: 3 })

  expect(generated).toMatchObject({
    status: 200,
    body: { status: 'succeeded', charge: 'unknown', images: [{ width: 64 }] },
  })
  expect(generated.body.failures).toHaveLength(2)
  expect(requests()).toBe(1)
  expect(peakOf(program.child.pid)).toBeLessThan(500)
})
