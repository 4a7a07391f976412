/** The program as people start it: what it says, and how it ends. */
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { type ProgramOptions, startProgram } from './support/program.ts'

const root = path.join(import.meta.dirname, '..')
let dataDir: string

beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'webimgui-program-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
})

test('starts without any key and says how to add one; SIGTERM ends it with 0', async () => {
  const program = await start('start', { PORT: '0' }, { isFromTree: true })

  const said = await program.says(/curl (http:\/\/127\.0\.0\.1:\d+)\/api\/config/)
  const address = said[1] ?? ''

  expect((await fetch(`${address}/health`)).status).toBe(200)
  const refused = await fetch(`${address}/api/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'a boat' }),
  })
  expect(refused.status).toBe(409)
  expect(await refused.json()).toMatchObject({
    code: 'configuration_missing',
    detail: expect.stringContaining('POST /api/config'),
  })
  expect(await program.ended('SIGTERM')).toBe(0)
})

test('says which caps hold for the month', async () => {
  const environment = {
    PORT: '0',
    MONTHLY_CAP: '200',
    MONTHLY_CAP_IMAGES: '300',
    DOUBAO_API_KEY: 'ark-1',
    QWEN_API_KEY: 'sk-1',
  }
  const program = await start('start', { ...environment, QWEN_MONTHLY_CAP: '7.5 USD' })

  const [, caps] = await program.says(/Monthly cap 每月上限: (.*)/)

  expect(caps).toBe('all 合计 200 CNY, 300 pictures 张; Qwen (DashScope) (QWEN_API_KEY) 7.5 USD')
})

test('the demo prints a request that makes a picture', async () => {
  const program = await start('demo', { PORT: '0', DATA_DIR: dataDir }, { isFromTree: true })
  const [, address, json] = await program.says(/curl (http\S+)\/api\/generate.*\s+-d '(.*)'/)

  const answer = await fetch(`${address}/api/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: json,
  })

  expect(await answer.json()).toMatchObject({ status: 'succeeded', images: [{ mime_type: 'image/jpeg' }] })
  expect(await program.ended('SIGTERM')).toBe(0)
})

test('the log can be followed and searched, and tells no secret', async () => {
  const program = await start('demo', { PORT: '0', DATA_DIR: dataDir })
  const [, address] = await program.says(/curl (http\S+)\/api\/generate/)
  const generate = async (prompt: string) => {
    const answer = await fetch(`${address}/api/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': `my-${prompt.length}` },
      body: JSON.stringify({ prompt, model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }),
    })
    return (await answer.json()) as { id?: string; generation_id?: string }
  }
  const made = await generate('a very private prompt')
  const failed = await generate('another private prompt [[input-blocked]]')
  await program.ended('SIGTERM')

  const lines = readFileSync(path.join(dataDir, 'backend.log'), 'utf8').split('\n')
  const about = (id: string | undefined) => lines.filter(line => line.includes(String(id)))

  expect(about(made.id).length).toBeGreaterThan(2)
  expect(about(made.id).every(line => line.includes('request_id=my-21'))).toBe(true)
  expect(about(made.id).some(line => /provider_request_id=02\d+/.test(line))).toBe(true)
  expect(about(failed.generation_id).filter(line => line.includes('ERROR'))).toHaveLength(1)
  const everything = lines.join('\n') + program.output()
  for (const secret of [
    'private prompt',
    'ark-demo-0000-good',
    'sk-simulator-demo',
    'X-Tos-Signature',
    'Authorization',
  ]) {
    expect(everything.includes(secret), secret).toBe(false)
  }
})

test('bad settings stop the start with one message that names all of them', async () => {
  const program = await start('start', {
    PORT: 'eighty',
    SECRET_KEY: 'your-secret-key-here',
    DATABASE_URL: 'mysql://x',
    HOST: '',
  })

  expect(await program.ended()).toBe(1)
  for (const name of ['PORT', 'SECRET_KEY', 'DATABASE_URL']) expect(program.output()).toContain(name)
  expect(program.output()).not.toMatch(/\n\s+at /)
})

const utf16 = (text: string) => Buffer.from(text, 'utf16le')

test.each([
  ['UTF-8 with a mark and Windows line ends', (text: string) => Buffer.from(`\ufeff${text.replaceAll('\n', '\r\n')}`)],
  ['UTF-16, as PowerShell redirects', (text: string) => utf16(`\ufeff${text.replaceAll('\n', '\r\n')}`)],
  ['UTF-16 without a mark', utf16],
  ['UTF-16 of the other byte order', (text: string) => utf16(`\ufeff${text}`).swap16()],
])('a .env in %s counts from its first line to its last', async (_encoding, encode) => {
  const token = 'a-long-secret-of-my-own-123456'
  await writeFile(path.join(dataDir, '.env'), encode(`ACCESS_TOKEN=${token}\n# 备注\nMONTHLY_CAP = "7 CNY"  # 上限`))
  const program = await start('start', { PORT: '0' })
  const [, address] = await program.says(/webimgui is at (http\S+)/)
  await program.says(/Monthly cap 每月上限: all 合计 7 CNY/)
  const ask = async (headers: Record<string, string>) => (await fetch(`${address}/api/history`, { headers })).status

  expect([await ask({}), await ask({ authorization: `Bearer ${token}` })]).toEqual([401, 200])
})

test('lines of .env that cannot be read stop the start, each with its place, in both languages, and none of their values', async () => {
  const lines = [
    'PORT=0',
    'ACCESS_TOKEN＝planted',
    'planted-key',
    'SECRET_KEY="planted-planted-planted',
    'DOUBAO_API_KEY=“planted”',
    'QWEN_API_KEY=planted#planted',
    'PUBLIC_URL=https://planted.example"',
    "LOG_LEVEL='info' planted",
    'DATA_DIR=$(planted)',
    'HOST=127.0.0.1\u200b',
    'MONTHLY_CAP=5',
    'MONTHLY_CAP=',
  ]
  await writeFile(path.join(dataDir, '.env'), lines.join('\n'))

  const program = await start('start', {})

  expect(await program.ended()).toBe(1)
  const output = program.output()
  for (const line of [2, 3, 4, 5, 6, 7, 8, 9, 10]) {
    expect(output).toMatch(new RegExp(`^ {2}- \\.env, line ${line}: .+\\.$`, 'm'))
    expect(output).toMatch(new RegExp(`^ {2}- \\.env 第 ${line} 行：.+。$`, 'm'))
  }
  expect(output).toContain('.env, lines 11 and 12 give MONTHLY_CAP different values.')
  expect(output).not.toMatch(/planted|line 1:|\n\s+at /)
})

test('a .env in an encoding of another system stops the start and says how to save it', async () => {
  // "备注" in GBK.
  await writeFile(path.join(dataDir, '.env'), Buffer.from([0x41, 0x3d, 0x31, 0x0a, 0x23, 0xb1, 0xb8, 0xd7, 0xa2, 0x0a]))

  const program = await start('start', { PORT: '0' })

  expect(await program.ended()).toBe(1)
  expect(program.output()).toMatch(/\.env, line 2: this is not UTF-8.*Save it as UTF-8/)
})

test('names that nobody reads are told at the start, with the one that was meant', async () => {
  const lines = [
    'ACESS_TOKEN=planted',
    'ARK_API_KEY=planted',
    'COMPOSE_PROJECT_NAME=x',
    'cGxhbnRlZA==',
    'TZ=Asia/Shanghai',
  ]
  await writeFile(path.join(dataDir, '.env'), lines.join('\n'))

  const program = await start('start', { PORT: '0', MONTLY_CAP: '5', SOME_OTHER_VARIABLE: 'x' })
  await program.says(/webimgui is at/)

  const output = program.output()
  expect(output).toMatch(/\.env, line 1: nobody reads ACESS_TOKEN\. Did you mean ACCESS_TOKEN\?.*是否应为 ACCESS_TOKEN/)
  expect(output).toContain('.env, line 2: nobody reads ARK_API_KEY. Did you mean DOUBAO_API_KEY?')
  expect(output).toContain('.env, line 4: nobody reads ….')
  expect(output).toContain('The environment sets MONTLY_CAP, which nobody reads. Did you mean MONTHLY_CAP?')
  expect(output).not.toMatch(/planted|cGxh|COMPOSE|TZ|OTHER_VARIABLE/)
})

test('a .env that an editor named .env.txt is told of', async () => {
  await writeFile(path.join(dataDir, '.env.txt'), 'ACCESS_TOKEN=a-long-secret-of-my-own-123456')

  const program = await start('start', { PORT: '0' })

  await program.says(/\.env\.txt, so it is not read\. Rename it to \.env\./)
})

test('the other files that people write are read the same way, and those that cannot be are named', async () => {
  const token = 'a-token-of-my-own-1234567890'
  const prices = { 'my-model': { currency: 'CNY', image: 0.5 } }
  await writeFile(path.join(dataDir, 'access.token'), utf16(`\ufeffBearer ${token}\r\n`))
  await writeFile(path.join(dataDir, 'prices.json'), `\ufeff${JSON.stringify(prices)}\r\n`)
  await writeFile(path.join(dataDir, 'secret.key'), utf16('\ufeffa-secret-of-my-own-1234567890\r\n'))
  const environment = { PORT: '0', HOST: '0.0.0.0', PRICES_FILE: 'prices.json' }
  const first = await start('start', environment)
  const [, port] = await first.says(/webimgui is at http:\S+:(\d+)/)
  const headers = { authorization: `Bearer ${token}` }
  expect((await fetch(`http://127.0.0.1:${port}/api/history`, { headers })).status).toBe(200)
  await first.ended('SIGTERM')

  // What was sealed with the one opens with the other.
  await writeFile(path.join(dataDir, 'secret.key'), 'a-secret-of-my-own-1234567890')
  const second = await start('start', environment)
  await second.says(/webimgui is at/)
  await second.ended('SIGTERM')

  for (const [name, content, sentence] of [
    ['access.token', 'two words', /access\.token holds a space or a character/],
    ['access.token', ' \n', /access\.token is empty/],
    ['secret.key', '\ufeff', /secret\.key is empty/],
    ['prices.json', Buffer.from([0xb1, 0xb8]), /PRICES_FILE: \S*prices\.json, line 1: this is not UTF-8/],
  ] as const) {
    const file = path.join(dataDir, name)
    const before = readFileSync(file)
    await writeFile(file, content)
    const program = await start('start', environment)
    expect([name, await program.ended()]).toEqual([name, 1])
    expect(program.output()).toMatch(sentence)
    expect(program.output()).not.toMatch(/\n\s+at /)
    await writeFile(file, before)
  }
})

test('a port in use is one sentence', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => other.once('listening', resolve))
  const { port } = other.address() as { port: number }

  const program = await start('start', { PORT: String(port) })

  expect(await program.ended()).toBe(1)
  expect(program.output()).toContain(`Port ${port} is in use`)
  expect(program.output()).not.toMatch(/\n\s+at /)
  other.close()
})

test('a second server on the same database is one sentence', async () => {
  const first = await start('start', { PORT: '0' })
  await first.says(/webimgui is at/)

  const second = await start('start', { PORT: '0' })

  expect(await second.ended()).toBe(1)
  expect(second.output()).toContain('in use by another running server')
})

test('a database that is none is one sentence, and stays as it is', async () => {
  await writeFile(
    path.join(dataDir, 'chat_history.db'),
    'no database at all, but a text that is long enough to be looked at',
  )

  const program = await start('start', { PORT: '0' })

  expect(await program.ended()).toBe(1)
  expect(program.output()).toMatch(/damaged or not an SQLite file/)
})

test('a database of a newer version is one sentence, and stays as it is', async () => {
  const file = path.join(dataDir, 'chat_history.db')
  const first = await start('start', { PORT: '0' })
  await first.says(/webimgui is at/)
  await first.ended('SIGTERM')
  const database = new DatabaseSync(file)
  database.exec("insert into kysely_migration (name, timestamp) values ('9999-of-tomorrow', '2099-01-01')")
  database.close()
  const before = readFileSync(file)

  const program = await start('start', { PORT: '0' })

  expect(await program.ended()).toBe(1)
  expect(program.output()).toMatch(/newer version[\s\S]*较新版本/)
  expect(readFileSync(file).equals(before)).toBe(true)
})

test('a picture folder that cannot be made is one sentence that names it', async () => {
  await writeFile(path.join(dataDir, 'images'), 'a file where the folder should be')

  const program = await start('start', { PORT: '0' })

  expect(await program.ended()).toBe(1)
  expect(program.output()).toMatch(/STORAGE_URL.*images.*picture store/i)
  expect(program.output()).not.toMatch(/\n\s+at /)
})

test('a data folder that cannot be made is one sentence about DATA_DIR', async () => {
  const blocker = path.join(dataDir, 'blocker')
  await writeFile(blocker, 'a file where the folder should be')

  const program = await start('start', { PORT: '0', DATA_DIR: blocker })

  expect(await program.ended()).toBe(1)
  expect(program.output()).toContain(`DATA_DIR ${blocker} cannot be used (EEXIST)`)
  expect(program.output()).not.toMatch(/LOG_FILE|\n\s+at /)
})

test('a secret that cannot be read is one sentence that names its file', async () => {
  await mkdir(path.join(dataDir, 'secret.key'))

  const program = await start('start', { PORT: '0' })

  expect(await program.ended()).toBe(1)
  expect(program.output()).toMatch(/secret\.key cannot be read \(EISDIR\)/)
  expect(program.output()).not.toMatch(/\n\s+at /)
})

test('a HOST that nobody knows is one sentence', async () => {
  const program = await start('start', { PORT: '0', HOST: 'no-such-host.invalid' })

  expect(await program.ended()).toBe(1)
  expect(program.output()).toMatch(/^HOST is a name .*127\.0\.0\.1/m)
  expect(program.output()).not.toMatch(/\n\s+at /)
})

test('standard output holds JSON lines and nothing else; what is said to people stands beside it', async () => {
  const program = await start('start', { PORT: '0' })
  await program.says(/DOUBAO_API_KEY or QWEN_API_KEY/)
  await program.ended('SIGTERM')

  const lines = program.standardOutput().trim().split('\n')
  expect(lines.length).toBeGreaterThan(1)
  for (const line of lines)
    expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), msg: expect.any(String) })
})

test('a Node that is too old is one sentence', async () => {
  const packageFile = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    scripts: { start: string }
  }
  const [, ...words] = packageFile.scripts.start.split(' ')
  const olden = 'data:text/javascript,Object.defineProperty(process.versions, "node", { value: "20.9.0" })'

  const program = await start(
    'start',
    { PORT: '0' },
    {
      nodeOptions: ['--import', olden, ...words.slice(0, -1)],
      cwd: root,
      isFromTree: true,
    },
  )

  expect(await program.ended()).toBe(1)
  expect(program.output()).toMatch(/needs Node\.js 24 or newer; here it is 20\.9\.0.*npm ci/)
  expect(program.output()).not.toMatch(/\n\s+at /)
})

function start(word: string, environment: Record<string, string>, options: Partial<ProgramOptions> = {}) {
  return startProgram(word, { dataDir, environment, ...options })
}
