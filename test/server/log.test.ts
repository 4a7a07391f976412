import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { RecentErrorList } from '../../src/api/system.ts'
import { loadSettings, SettingsError } from '../../src/settings.ts'
import { createLog, createRecentErrors } from '../../src/telemetry/log.ts'
import { startServer } from './harness.ts'

function startLog(environment: Record<string, string> = {}) {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'webimgui-log-'))
  const settings = loadSettings({ DATA_DIR: dataDir, ...environment })
  const lines: string[] = []
  const log = createLog(settings, { write: line => void lines.push(line) })
  return { log, lines, file: () => readFileSync(path.join(dataDir, 'backend.log'), 'utf8') }
}

test('JSON lines go out, readable lines into the file, at the end of the turn', async () => {
  const { log, lines, file } = startLog()

  log.info({ id: 'g1', status: 200, note: 'two words' }, 'a picture came')
  log.error(new Error('it broke'), 'while storing')

  expect(JSON.parse(lines[0]!)).toEqual({
    time: expect.stringMatching(/^20.*Z$/),
    level: 'info',
    id: 'g1',
    status: 200,
    note: 'two words',
    msg: 'a picture came',
  })
  expect(JSON.parse(lines[1]!)).toMatchObject({
    level: 'error',
    msg: 'while storing',
    err: { name: 'Error', message: 'it broke' },
  })
  await nextTurn()
  const [first, second, end] = file().split('\n')
  expect(first).toMatch(/^20\S+Z INFO\s+a picture came id=g1 status=200 note="two words"$/)
  expect(second).toMatch(/^20\S+Z ERROR while storing err=\{.*it broke/)
  expect(end).toBe('')
})

test('what was logged just before the process ends by an error is in both', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'webimgui-log-'))
  const source = (name: string) => JSON.stringify(path.resolve('src', name))
  const program = `
    const { loadSettings } = await import(${source('settings.ts')})
    const { createLog } = await import(${source('telemetry/log.ts')})
    createLog(loadSettings({ DATA_DIR: '.' })).info('last words')
    throw new Error('it ends')`

  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { cwd: folder })

  expect([String(stdout), String(stderr)]).toEqual([
    expect.stringContaining('last words'),
    expect.stringContaining('it ends'),
  ])
  expect(readFileSync(path.join(folder, 'backend.log'), 'utf8')).toContain('last words')
})

test('no secret gets in, wherever it stands', async () => {
  const { log, lines, file } = startLog({
    ACCESS_TOKEN: 'the-access-token',
    DOUBAO_API_KEY: 'the-doubao-key',
    SECRET_KEY: 'the-long-secret-key',
    DATABASE_URL: 'postgresql://u:the-database%40word%zz@db/x',
  })
  const link = 'https://bucket.example/a.png?X-Tos-Signature=abcdef&Expires=1'

  log.info(
    { headers: { authorization: 'Bearer abcdefgh', Cookie: 'webimgui_session=abc' }, api_key: 'sk-1', apiKey: 'sk-2' },
    'x',
  )
  log.warn({ url: link, list: [{ deep: `see ${link} now` }] }, `cannot fetch ${link}`)
  log.error({
    err: new Error(`401 for the-doubao-key at ${link}`, {
      cause: new Error('Bearer the-access-token, the-long-secret-key, the-database@word%zz'),
    }),
  })
  log.error(new Error(`refused ${link}`))
  log.info({ image: `data:image/png;base64,${'A'.repeat(500)}` }, 'a reference')

  await nextTurn()
  const all = lines.join('') + file()
  for (const secret of [
    'abcdefgh',
    'session=abc',
    'sk-1',
    'sk-2',
    'abcdef&',
    'Expires',
    'the-doubao-key',
    'the-access-token',
    'the-database',
    'the-long-secret-key',
    'AAAAAAAA',
  ]) {
    expect(all).not.toContain(secret)
  }
  expect(all).toContain('https://bucket.example/a.png?…')
  for (const line of lines) JSON.parse(line)
})

test('a prompt is written at debug only, and one event is one line', async () => {
  const { log, lines, file } = startLog({ LOG_LEVEL: 'debug' })

  log.info({ prompt: '秘密的画', body: { prompt: '秘密的画', parameters: { negative_prompt: '秘密的画' } } }, 'made')
  log.debug({ prompt: '可以看' }, 'sent')
  log.info({ name: 'a\nERROR forged' }, 'x\ny')

  await nextTurn()
  expect(lines.join('') + file()).not.toContain('秘密')
  expect(lines[1]).toContain('可以看')
  expect(file().trim().split('\n')).toHaveLength(3)
})

test('LOG_FORMAT=text and LOG_LEVEL are obeyed', () => {
  const { log, lines } = startLog({ LOG_FORMAT: 'text', LOG_LEVEL: 'error' })

  log.info('not this')
  log.child({ request_id: 'r1' }).error('this')

  expect(lines.join('')).toMatch(/^20\S+Z ERROR this request_id=r1\n$/)
})

test('a file that cannot be written is one sentence at the start', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'webimgui-log-'))
  writeFileSync(path.join(folder, 'file'), '')
  const settings = loadSettings({ DATA_DIR: folder, LOG_FILE: 'file/backend.log' })

  expect(() => createLog(settings)).toThrow(SettingsError)
  expect(() => createLog(settings)).toThrow(/LOG_FILE .*file\/backend\.log cannot be written \(\w+\)/)
})

test('a request is one line, without the values of its query', async () => {
  const { call, lines } = await startServer()

  await call('GET', '/api/history?q=%E7%A7%98%E5%AF%86secret', undefined, {
    'x-request-id': 'trace-7',
    authorization: 'Bearer something',
  })

  await expect.poll(() => lines.some(line => line.includes('trace-7'))).toBe(true)
  const line = JSON.parse(lines.find(line => line.includes('trace-7'))!)
  expect(line).toMatchObject({
    request_id: 'trace-7',
    method: 'GET',
    path: '/api/history',
    status: 200,
    ms: expect.any(Number),
  })
  expect(lines.join('')).not.toMatch(/secret|%E7|something/)
})

test('the last errors are kept for the status page, newest first, without secrets', async () => {
  const { call, log } = await startServer({ environment: { ACCESS_TOKEN: 'the-access-token' } })
  const headers = { authorization: 'Bearer the-access-token' }

  log.warn('not an error')
  log.error({ err: new Error('refused the-access-token at https://bucket.example/a.png?sig=1') }, 'storing failed')
  log.child({ generation: 'g1', request_id: 'r1' }).error({ reason: 'the disk is full', prompt: '山水' }, 'waits')
  const answer = await call('GET', '/api/status/errors', undefined, headers)

  expect((await call('GET', '/api/status/errors')).status).toBe(401)
  const { items } = RecentErrorList.parse(await answer.json())
  const time = expect.stringMatching(/^20.*Z$/)
  expect(items).toEqual([
    { time, message: 'waits', detail: 'the disk is full', request_id: 'r1', generation_id: 'g1' },
    {
      time,
      message: 'storing failed',
      detail: 'refused [redacted] at https://bucket.example/a.png?…',
      request_id: null,
      generation_id: null,
    },
  ])
})

test('of many errors only the last are kept', () => {
  const recentErrors = createRecentErrors(2)
  const settings = loadSettings({ DATA_DIR: os.tmpdir(), LOG_FILE: 'off' })
  const log = createLog(settings, { write: () => {} }, recentErrors)

  for (const name of ['one', 'two', 'three']) log.error(name)

  expect(recentErrors.list().map(error => error.message)).toEqual(['three', 'two'])
})

test('the prompt of a request stands in the log at debug, and at no level above', async () => {
  for (const [level, isThere] of [
    ['debug', true],
    ['info', false],
  ] as const) {
    const { call, lines } = await startServer({ environment: { LOG_LEVEL: level } })

    await call('POST', '/api/generate', { prompt: 'a boat' })

    expect(lines.some(line => line.includes('水墨山水'))).toBe(isThere)
  }
})
