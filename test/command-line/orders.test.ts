/** `webimgui generate` and what belongs to it: the real program against a real server. What was billed stands in the ledger of the simulator. */
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { openApp, type TestApp } from '../support/app.ts'
import { png } from '../support/pictures.ts'
import { type ProgramOptions, runProgram, startProgram } from '../support/program.ts'

const secret = 'correct-horse-battery-staple'
const model = 'doubao-seedream-4-0-20260415'
let app: TestApp
let folder: string

beforeAll(async () => {
  app = await openApp({ environment: { ACCESS_TOKEN: secret } })
})

afterAll(() => app.close())

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'webimgui-line-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  app.doubao.reset()
})

function options(words: string[], more: Partial<ProgramOptions> = {}): ProgramOptions {
  const { environment, ...rest } = more
  return {
    dataDir: folder,
    words,
    ...rest,
    environment: { XDG_CONFIG_HOME: folder, WEBIMGUI_URL: app.url, WEBIMGUI_TOKEN: secret, ...environment },
  }
}

const run = (word: string, words: string[], more?: Partial<ProgramOptions>) => runProgram(word, options(words, more))

const waitingOrders = () => {
  const orders = path.join(folder, 'webimgui/orders')
  // A process that is killed while it writes leaves another name, which is swept later.
  return existsSync(orders) ? readdirSync(orders).filter(name => name.endsWith('.json')) : []
}

const readOrder = (name: string) => JSON.parse(readFileSync(path.join(folder, 'webimgui/orders', name), 'utf8'))

const readLines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))

/** Holds back the pictures of these prompts until it is called. */
function hold(part: string) {
  let release = () => {}
  const until = new Promise<void>(resolve => {
    release = resolve
  })
  app.doubao.misbehave({ kind: 'held', until }, { match: request => JSON.stringify(request.body).includes(part) })
  onTestFinished(() => release())
  return () => release()
}

test('prompts of standard input become files, byte for byte, with the price before and a line for a program', async () => {
  writeFileSync(path.join(folder, 'source.png'), await png(400, 300))
  const words = ['-f', '-', '-m', model, '-i', 'source.png', '-s', '960x960', '-o', 'out', '--json', '--max-cost', '1']

  const { code, standardOutput } = await run('generate', words, { input: 'a red boat\n\r\n一叶小舟\n' })

  const events = readLines(standardOutput)
  const saved = events.filter(({ event }) => event === 'saved')
  expect([code, events[0]]).toEqual([0, expect.objectContaining({ event: 'estimate', images: 2 })])
  expect(saved).toHaveLength(2)
  for (const { file, sha256 } of saved) {
    expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(sha256)
  }
  expect(readdirSync(path.join(folder, 'out')).sort()).toEqual([
    expect.stringMatching(/^a-red-boat-\w{8}-1\.\w+$/),
    expect.stringMatching(/^一叶小舟-\w{8}-1\.\w+$/),
  ])
  expect(events.at(-1)).toMatchObject({ event: 'summary', files: [{}, {}], exit_code: 0 })
  expect(app.doubao.billed).toHaveLength(2)
  expect(waitingOrders()).toEqual([])
})

test('one that is killed in the middle and started again pays for nothing twice', async () => {
  writeFileSync(path.join(folder, 'prompts.txt'), 'a quick boat\na patient boat\n')
  const words = ['-f', 'prompts.txt', '-m', model, '-s', '960x960', '-o', 'out']
  const release = hold('patient')
  const first = await startProgram('generate', options(words))
  await expect.poll(() => waitingOrders().map(name => readOrder(name).items[0].state)).toEqual(['collected'])
  await expect
    .poll(() => app.doubao.requests.filter(({ body }) => JSON.stringify(body).includes('patient')))
    .toHaveLength(1)
  await first.ended('SIGKILL')

  const listed = await run('resume', ['--list'])
  release()
  const second = await run('generate', [...words.slice(0, -1), 'elsewhere'])

  expect(listed.standardOutput).toMatch(/a patient boat\n$/)
  expect([second.code, second.output]).toEqual([
    0,
    expect.stringMatching(/The same was asked for at .*1 of 2 are here/),
  ])
  // What was saved in another folder is fetched again, which is free.
  expect(readdirSync(path.join(folder, 'elsewhere'))).toHaveLength(2)
  expect(app.doubao.billed).toHaveLength(2)
  expect(waitingOrders()).toEqual([])
})

test('Ctrl-C says what goes on and how to get it, and `resume` collects it', async () => {
  const release = hold('kettle')
  const first = await startProgram('generate', options(['a kettle', '-m', model, '-s', '960x960', '-o', 'kettle.png']))
  await expect
    .poll(
      () =>
        waitingOrders().length > 0 && app.doubao.requests.some(({ body }) => JSON.stringify(body).includes('kettle')),
    )
    .toBe(true)

  const code = await first.ended('SIGINT')
  release()
  const resumed = await run('resume', ['--json'])

  expect([code, first.output()]).toEqual([
    130,
    expect.stringMatching(/goes on at the server.*webimgui resume[\s\S]*继续/),
  ])
  expect(resumed.code).toBe(0)
  expect(readLines(resumed.standardOutput).at(-1)).toMatchObject({
    files: [expect.stringMatching(/\.\w+$/)],
    unfinished: false,
  })
  expect(app.doubao.billed).toHaveLength(1)
  expect(waitingOrders()).toEqual([])
})

test('two commands at a time that ask for the same are one order', async () => {
  writeFileSync(path.join(folder, 'source.png'), await png(400, 300))
  const words = ['a shared boat', '-m', model, '-i', 'source.png', '-s', '960x960', '-o', 'out']
  const release = hold('shared')
  const first = await startProgram('generate', options(words))
  await expect
    .poll(() => app.doubao.requests.filter(({ body }) => JSON.stringify(body).includes('shared')))
    .toHaveLength(1)
  const second = await startProgram('generate', options(words))
  await second.says(/The same was asked for/)
  release()

  expect([await first.ended(), await second.ended()]).toEqual([0, 0])
  expect(first.standardOutput()).toBe(second.standardOutput())
  expect(readdirSync(path.join(folder, 'out'))).toHaveLength(1)
  expect(app.doubao.billed).toHaveLength(1)
  // Where no terminal is, nothing is drawn.
  expect(first.output()).not.toContain('\x1b')
})

test('an answer that is lost on its way is asked for again with its key, which is one order', async () => {
  let isFirst = true
  const front = createServer((incoming, outgoing) => {
    const forwarded = request(
      `${app.url}${incoming.url}`,
      { method: incoming.method, headers: incoming.headers },
      answer => {
        if (incoming.url === '/api/generate' && isFirst) {
          isFirst = false
          answer.resume().on('end', () => incoming.socket.destroy())
        } else {
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
          answer.pipe(outgoing)
        }
      },
    )
    incoming.pipe(forwarded)
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void front.close())
  await new Promise(resolve => front.once('listening', resolve))
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`

  const { code } = await run('generate', ['a lost boat', '-m', model, '-s', '960x960', '--url', url])

  expect([code, isFirst]).toEqual([0, false])
  expect(app.doubao.billed).toHaveLength(1)
})

test('each end has its exit code, and what is refused costs nothing', async () => {
  const make = (words: string[], more?: Partial<ProgramOptions>) => run('generate', ['-m', model, ...words], more)
  writeFileSync(path.join(folder, 'a-file'), '')
  const [size, cap, gone, partly, misspelt, noFolder, elsewhere] = await Promise.all([
    make(['x', '-s', '10x10']),
    make(['x', '--max-cost', '0.01 CNY']),
    make(['x', '--url', 'http://127.0.0.1:9']),
    make(['-f', '-', '-s', '960x960', '-o', 'out'], { input: 'a good boat\na bad boat [[input-blocked]]\n' }),
    make(['x', '--dryrun']),
    make(['a homeless boat', '-o', 'a-file/below']),
    make(['x', '--url', `${app.url}/v1`]),
  ])

  expect([size.code, size.output]).toEqual([2, expect.stringContaining('would work')])
  expect([cap.code, cap.output]).toEqual([2, expect.stringMatching(/more than --max-cost.*Nothing was sent/)])
  expect([gone.code, gone.output]).toEqual([5, expect.stringContaining('cannot be reached')])
  expect([misspelt.code, misspelt.output]).toEqual([1, expect.stringContaining('Did you mean --dry-run?')])
  expect([elsewhere.code, elsewhere.output]).toEqual([2, expect.stringContaining('without /v1')])
  expect([noFolder.code, noFolder.output]).toEqual([1, expect.stringContaining('cannot be a folder')])
  expect([partly.code, partly.output]).toEqual([3, expect.stringMatching(/a bad boat.*content_rejected/)])
  expect(app.doubao.billed).toHaveLength(1)

  // Again: only what was not made is asked for.
  const again = await make(['-f', '-', '-s', '960x960', '-o', 'out'], {
    input: 'a good boat\na bad boat [[input-blocked]]\n',
  })
  expect([again.code, again.output]).toEqual([3, expect.stringMatching(/1 of 2 are here[\s\S]*1 picture 张/)])
  expect(app.doubao.billed).toHaveLength(1)
})

test('a file is never replaced unless that is asked for, and what a picture is worth is looked at first', async () => {
  const file = path.join(folder, 'boat.jpg')
  writeFileSync(file, 'mine')
  const words = ['a boat', '-m', model, '-s', '960x960', '-o', 'boat.jpg']

  const refused = await run('generate', words)
  const before = readFileSync(file, 'utf8')
  const replaced = await run('generate', [...words, '--overwrite'])
  const { items } = (await app.call('GET', '/api/history?limit=1', undefined, { authorization: `Bearer ${secret}` }))
    .body
  writeFileSync(file, 'mine again')
  const got = await run('get', [items[0].id, '-o', 'boat.jpg'])

  expect([refused.code, before]).toEqual([2, 'mine'])
  expect([replaced.code, replaced.standardOutput]).toEqual([0, `${file}\n`])
  expect([got.code, got.standardOutput]).toEqual([0, `${path.join(folder, 'boat-2.jpg')}\n`])
  expect(readFileSync(file, 'utf8')).toBe('mine again')
  expect(readFileSync(path.join(folder, 'boat-2.jpg'))).toHaveLength(items[0].images[0].bytes)
  expect(app.doubao.billed).toHaveLength(1)
})

test('a login is kept for its server alone, and a redirect is not followed', async () => {
  const seen: (string | undefined)[] = []
  const stranger = createServer((incoming, outgoing) => {
    seen.push(incoming.headers.authorization)
    outgoing.writeHead(307, { location: `${app.url}${incoming.url}` }).end()
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void stranger.close())
  await new Promise(resolve => stranger.once('listening', resolve))
  const strangerUrl = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`
  const alone = { environment: { XDG_CONFIG_HOME: folder } }
  const free = (word: string, words: string[], input?: string) =>
    runProgram(word, { dataDir: folder, words, input, ...alone })

  const wrong = await free('login', ['--url', app.url, '--token', '-'], 'not-the-token')
  const shown = await free('login', ['--url', app.url, '--token', secret])
  const right = await free('login', ['--url', `${app.url}/`, '--token', '-'], `Bearer ${secret}\n`)
  const file = path.join(folder, 'webimgui/logins.json')
  const mode = statSync(file).mode & 0o777
  const [known, strange] = await Promise.all([free('history', []), free('history', ['--url', strangerUrl])])
  const out = await free('logout', [])

  expect([wrong.code, wrong.output]).toEqual([2, expect.not.stringContaining('not-the-token')])
  expect([shown.code, shown.output]).toEqual([1, expect.stringMatching(/others can see arguments/)])
  expect(shown.output).not.toContain(secret)
  expect([right.code, right.output]).toEqual([0, expect.stringContaining('admin')])
  expect([mode, known.code]).toEqual([0o600, 0])
  expect([strange.code, strange.output]).toEqual([5, expect.stringMatching(/sends elsewhere.*not followed/)])
  expect(seen).toEqual([undefined])
  expect(out.code).toBe(0)
  expect(readFileSync(file, 'utf8')).not.toContain(secret)
})
