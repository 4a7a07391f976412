/** The receivers in docs/webhooks.md, run as they stand there on another port: they take what is genuine, and nothing else. */
import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { LookupFunction } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startApp } from '../support/app.ts'
import { maxWaitMs } from '../support/patience.ts'
import { freePort } from '../support/ports.ts'
import { openReceiver } from '../support/receiver.ts'

const root = path.join(import.meta.dirname, '../..')
const picture = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }

function readExamples(page: string) {
  const text = readFileSync(path.join(root, 'docs', page), 'utf8')
  const blocks = [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language = '', code = '']) => ({
    language,
    code,
  }))
  return {
    blocks,
    of: (language: string, word: string) =>
      blocks.find(one => one.language === language && one.code.includes(word))!.code,
  }
}

test('every receiver in the pages takes what this server sends, and refuses what it did not', async () => {
  const [js, python] = [await freePort(), await freePort()]
  const direct = await openReceiver()
  onTestFinished(() => direct.close())
  const app = await startApp({
    environment: {
      ALLOWED_HOSTS: `127.0.0.1:${js},127.0.0.1:${python},${direct.host}`,
      ACCESS_TOKEN: 'the-token-of-the-server',
    },
  })
  const admin = { authorization: 'Bearer the-token-of-the-server' }
  const make = async (url: string) =>
    (await app.call('POST', '/api/webhooks', { url }, admin)).body as { secret: string }
  // Inside the project, where the packages are.
  const folder = await mkdtemp(path.join(root, 'node_modules/.examples-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const { of } = readExamples('webhooks.md')

  async function start(port: number, program: string, file: string, code: string) {
    const { secret } = await make(`http://127.0.0.1:${port}/hook`)
    await writeFile(path.join(folder, file), code.replace('9000', String(port)))
    const child = spawn(program, [file], { cwd: folder, env: { ...process.env, WEBHOOK_SECRET: secret } })
    onTestFinished(() => void child.kill())
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (text += chunk))
    const headers = {
      'webhook-id': 'msg_forged',
      'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
      'webhook-signature': `v1,${'A'.repeat(43)}=`,
    }
    const forge = () =>
      fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body: '{"type":"webhook.test","data":{}}' })
    const forged = await vi.waitUntil(() => forge().catch(() => undefined), maxWaitMs)
    return { said: () => text, forged: forged.status }
  }

  const receivers = await Promise.all([
    start(js, process.execPath, 'receiver.mjs', of('js', 'createServer')),
    start(python, 'python3', 'receiver.py', of('python', 'HTTPServer')),
  ])
  const { secret } = await make(direct.url('/kept'))
  const made = await app.generate(picture, admin)
  const [kept] = await direct.got('/kept')
  await vi.waitUntil(() => receivers.every(({ said }) => said().includes(made.images[0]!.id)), maxWaitMs)
  await writeFile(path.join(folder, 'body.json'), kept!.text)
  const { 'webhook-id': ID, 'webhook-timestamp': SENT_AT, 'webhook-signature': signature } = kept!.headers
  const env = { ...process.env, WEBHOOK_SECRET: secret, ID, SENT_AT }
  const byHand = await promisify(execFile)('sh', ['-c', of('sh', 'openssl')], { cwd: folder, env })

  expect(receivers.map(({ forged }) => forged)).toEqual([401, 401])
  for (const { said } of receivers) expect(said()).toContain(`generation.succeeded ${made.id}`)
  expect(`v1,${byHand.stdout.trim()}`).toBe(signature)
})

test('the requests in the pages are taken as they stand there, and both pages have the same', async () => {
  const lookup: LookupFunction = (_host, options, callback) => {
    if (options.all) callback(null, [{ address: '93.184.215.14', family: 4 }])
    else callback(null, '93.184.215.14', 4)
  }
  const app = await startApp({ lookup, environment: { ACCESS_TOKEN: 'the-token-of-the-server' } })
  const { blocks } = readExamples('webhooks.md')
  const requests = blocks.filter(({ language, code }) => language === 'sh' && code.startsWith('curl'))
  const answers: string[] = []
  for (const { code } of requests) {
    const own = code.replaceAll('http://127.0.0.1:8000', app.url).replaceAll('YOUR_TOKEN', 'the-token-of-the-server')
    answers.push((await promisify(execFile)('sh', ['-c', own])).stdout)
  }

  expect(answers[0]).toMatch(/"secret":"whsec_/)
  expect(answers[1]).toMatch(/"url":null.*"secret":"whsec_.*"status":"(queued|running)"/s)
  const withoutNotes = (page: string) => readExamples(page).blocks.map(({ code }) => code.replace(/ {2,}#.*/g, ''))
  expect(withoutNotes('webhooks.zh-CN.md')).toEqual(withoutNotes('webhooks.md'))
})
