/** Answers that are far larger than a small machine has memory. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { call } from '../support/app.ts'
import { png } from '../support/pictures.ts'
import { startProgram } from '../support/program.ts'

const mebibyte = 1024 * 1024

/** The real program, and a service that writes its answers in pieces, as fast as they are read. */
async function begin(answer: (write: (text: string) => Promise<void>) => Promise<void>, type: string) {
  let requests = 0
  const server = createServer((request, response: ServerResponse) => {
    requests++
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
    answer(write).then(
      () => response.end(),
      () => response.destroy(),
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const dataDir = await mkdtemp(path.join(tmpdir(), 'webimgui-large-'))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const program = await startProgram('start', {
    dataDir,
    environment: { DOUBAO_API_URL: `${origin}/api/v3`, DOUBAO_API_KEY: 'ark-key-of-a-test', LOG_LEVEL: 'warn' },
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
  return { generate, program, dataDir, requests: () => requests }
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
