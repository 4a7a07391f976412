import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { readEnvironmentFile } from '../../src/operator/environment-file.ts'
import { loadSettings, readEnvironment, SettingsError, variableNames } from '../../src/settings.ts'

function faultsOf(environment: Record<string, string>) {
  try {
    loadSettings(environment)
  } catch (error) {
    if (error instanceof SettingsError) return error.faults
    throw error
  }
  return []
}

test('nothing needs to be set', () => {
  const settings = loadSettings({})

  expect(settings).toMatchObject({
    dataDir: path.resolve('data'),
    database: { kind: 'sqlite', path: path.resolve('data/chat_history.db') },
    storage: { kind: 'folder', path: path.resolve('data/images') },
    host: '127.0.0.1',
    port: 8000,
    publicUrl: undefined,
    logLevel: 'info',
    logFile: path.resolve('data/backend.log'),
    accessToken: undefined,
    allowedHosts: [],
    secretKey: undefined,
    providerUrls: { doubao: 'https://ark.cn-beijing.volces.com/api/v3', qwen: 'https://dashscope.aliyuncs.com/api/v1' },
    environmentKeys: { doubao: undefined, qwen: undefined },
    caps: { monthlyCap: null, monthlyImages: null },
    environmentCaps: {
      doubao: { monthlyCap: null, monthlyImages: null },
      qwen: { monthlyCap: null, monthlyImages: null },
    },
    drainSeconds: 60,
  })
  expect(settings.corsOrigins).toContain('http://localhost:5173')
  expect(loadSettings({ PORT: '', SECRET_KEY: ' ', ACCESS_TOKEN: '' })).toEqual(settings)
})

test.each([
  ['sqlite:///chat_history.db', { kind: 'sqlite', path: '/data/chat_history.db' }],
  ['sqlite:///./sub/x.db', { kind: 'sqlite', path: '/data/sub/x.db' }],
  ['sqlite:////var/lib/x.db', { kind: 'sqlite', path: '/var/lib/x.db' }],
  ['sqlite+aiosqlite:///x.db', { kind: 'sqlite', path: '/data/x.db' }],
  ['postgresql://u:p%40ss@db:5433/images', { kind: 'postgresql', url: 'postgresql://u:p%40ss@db:5433/images' }],
  ['postgres://db/images', { kind: 'postgresql', url: 'postgresql://db/images' }],
  [
    'postgresql+psycopg2://u@db/images?sslmode=require',
    { kind: 'postgresql', url: 'postgresql://u@db/images?sslmode=require' },
  ],
])('DATABASE_URL %s', (url, database) => {
  expect(loadSettings({ DATA_DIR: '/data', DATABASE_URL: url }).database).toEqual(database)
})

test.each([
  ['file:./images', { kind: 'folder', path: '/data/images' }],
  ['file:pictures', { kind: 'folder', path: '/data/pictures' }],
  ['file:/srv/images', { kind: 'folder', path: '/srv/images' }],
  ['file:///srv/my%20images', { kind: 'folder', path: '/srv/my images' }],
  ['s3://bucket', { kind: 's3', bucket: 'bucket', prefix: '' }],
  ['s3://my-bucket/a/b/', { kind: 's3', bucket: 'my-bucket', prefix: 'a/b' }],
])('STORAGE_URL %s', (url, storage) => {
  expect(loadSettings({ DATA_DIR: '/data', STORAGE_URL: url }).storage).toEqual(storage)
})

test('takes values as people write them', () => {
  const settings = loadSettings({
    HOST: '[::]',
    PORT: ' 9000 ',
    PUBLIC_URL: 'https://Example.org/images-app/',
    CORS_ORIGINS: 'https://a.example, http://b.example:8080/ https://a.example',
    ALLOWED_HOSTS: 'GPU.lan,192.168.1.20:8080 [fd00::1]:80',
    LOG_LEVEL: 'WARNING',
    LOG_FILE: 'off',
    DOUBAO_API_URL: 'http://127.0.0.1:9101/api/v3/',
    DOUBAO_API_KEY: 'key-1',
    DRAIN_SECONDS: '0',
    MONTHLY_CAP: '200',
    DOUBAO_MONTHLY_CAP: ' 12.50 usd',
    DOUBAO_MONTHLY_CAP_IMAGES: '0',
  })

  expect(settings).toMatchObject({
    host: '::',
    port: 9000,
    publicUrl: 'https://example.org/images-app',
    corsOrigins: ['https://a.example', 'http://b.example:8080'],
    allowedHosts: ['gpu.lan', '192.168.1.20:8080', '[fd00::1]:80'],
    logLevel: 'warn',
    logFile: undefined,
    providerUrls: { doubao: 'http://127.0.0.1:9101/api/v3' },
    environmentKeys: { doubao: 'key-1', qwen: undefined },
    drainSeconds: 0,
    caps: { monthlyCap: { amount: 200, currency: 'CNY' }, monthlyImages: null },
    environmentCaps: {
      doubao: { monthlyCap: { amount: 12.5, currency: 'USD' }, monthlyImages: 0 },
      qwen: { monthlyCap: null, monthlyImages: null },
    },
  })
})

describe('bad values', () => {
  test.each([
    ['SECRET_KEY', 'your-secret-key-here'],
    ['SECRET_KEY', 'fifteen-letters'],
    ['PORT', '80000'],
    ['PORT', '80a'],
    ['PORT', '-1'],
    ['HOST', 'http://x'],
    ['HOST', '127.0.0.1:8000'],
    ['PUBLIC_URL', 'example.org'],
    ['PUBLIC_URL', 'https://u:p@example.org'],
    ['PUBLIC_URL', 'https://example.org/?a=b'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'https://a.example/path'],
    ['CORS_ORIGINS', 'localhost:3000'],
    ['DATABASE_URL', 'sqlite://'],
    ['DATABASE_URL', 'sqlite:///:memory:'],
    ['DATABASE_URL', 'sqlite://x.db'],
    ['DATABASE_URL', 'sqlite:///x.db?mode=ro'],
    ['DATABASE_URL', 'mysql://x/y'],
    ['DATABASE_URL', 'postgresql://db'],
    ['STORAGE_URL', './images'],
    ['STORAGE_URL', 'file:'],
    ['STORAGE_URL', 'file://server/share'],
    ['STORAGE_URL', 's3://'],
    ['STORAGE_URL', 's3://UPPER/x'],
    ['LOG_LEVEL', 'loud'],
    ['LOG_FORMAT', 'xml'],
    ['ALLOWED_HOSTS', 'http://gpu.lan'],
    ['ALLOWED_HOSTS', 'gpu.lan/path'],
    ['HTTPS_PROXY', 'socks5://127.0.0.1:7890'],
    ['HTTP_PROXY', 'http://'],
    ['HTTP_PROXY', 'http://name:50%@proxy.example:3128'],
    ['ACCESS_TOKEN', 'two words'],
    ['QWEN_API_KEY', 'sk-钥匙'],
    ['QWEN_API_URL', 'ftp://x'],
    ['DRAIN_SECONDS', '1.5'],
    ['MONTHLY_CAP', 'much'],
    ['MONTHLY_CAP', '5 RMB'],
    ['MONTHLY_CAP_IMAGES', '-1'],
    ['DOUBAO_MONTHLY_CAP', '-5 CNY'],
    ['QWEN_MONTHLY_CAP', '5 YUAN'],
    ['DOUBAO_MONTHLY_CAP_IMAGES', '1.5'],
    ['QWEN_MONTHLY_CAP_IMAGES', '100000001'],
  ])('%s=%s is refused without repeating it', (name, value) => {
    const faults = faultsOf({ [name]: value })

    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(new RegExp(`^${name} .+\\.$`))
    if (/KEY|TOKEN/.test(name)) expect(faults[0]).not.toContain(value)
  })

  test('of a cap are told in the same words, whosever cap it is', () => {
    const keys = { DOUBAO_API_KEY: 'key-1', QWEN_API_KEY: 'key-2' }
    for (const [name, value] of [
      ['MONTHLY_CAP', 'much'],
      ['MONTHLY_CAP', '5 XYZ'],
      ['MONTHLY_CAP_IMAGES', '1.5'],
    ] as const) {
      const [fault = ''] = faultsOf({ [name]: value })
      for (const prefix of ['DOUBAO_', 'QWEN_']) {
        expect(faultsOf({ ...keys, [`${prefix}${name}`]: value })).toEqual([`${prefix}${fault}`])
      }
    }
  })

  test.each([
    ['DOUBAO_MONTHLY_CAP', '50 CNY', 'DOUBAO_API_KEY'],
    ['DOUBAO_MONTHLY_CAP_IMAGES', '50', 'DOUBAO_API_KEY'],
    ['QWEN_MONTHLY_CAP', '50 CNY', 'QWEN_API_KEY'],
    ['QWEN_MONTHLY_CAP_IMAGES', '50', 'QWEN_API_KEY'],
  ])('%s without its key is refused, because it would cap nothing', (name, value, key) => {
    const others = { DOUBAO_API_KEY: 'key-1', QWEN_API_KEY: 'key-2', [key]: ' ' }

    expect(faultsOf({ ...others, [name]: value })).toEqual([
      expect.stringMatching(new RegExp(`^${name} is for ${key}, which is not set\\. .+\\.$`)),
    ])
    expect(faultsOf({ ...others, [name]: '' })).toEqual([])
    expect(faultsOf({ ...others, [key]: 'key-3', [name]: value })).toEqual([])
    // One that cannot be read is set, and needs one fault.
    expect(faultsOf({ ...others, [key]: 'two words', [name]: value })).toEqual([expect.stringMatching(`^${key} `)])
  })

  test('are all named in one message', () => {
    const environment = { PORT: 'x', LOG_LEVEL: 'y', SECRET_KEY: 'short', DATABASE_URL: 'postgresql://u:hunter2@' }

    const faults = faultsOf(environment)

    expect(faults.map(fault => fault.split(' ')[0]).sort()).toEqual(['DATABASE_URL', 'LOG_LEVEL', 'PORT', 'SECRET_KEY'])
    expect(() => loadSettings(environment)).toThrow(/SECRET_KEY[\s\S]*DATABASE_URL|DATABASE_URL[\s\S]*SECRET_KEY/)
    expect(faults.join()).not.toContain('hunter2')
  })
})

describe('.env', () => {
  test('.env.example lists every variable, is valid, and says what the defaults are', () => {
    const lines = readFileSync(path.join(import.meta.dirname, '../../.env.example'), 'utf8').split('\n')
    const given = lines
      .filter(line => /^[A-Z_]+=/.test(line))
      .map(line => line.split(/=(.*)/s).slice(0, 2) as [string, string])

    expect(given.map(([name]) => name).sort()).toEqual([...variableNames].sort())
    expect(loadSettings(Object.fromEntries(given))).toEqual(loadSettings({}))
    // Every variable stands under a comment in both languages.
    const comments = lines.filter(line => line.startsWith('#')).join('\n')
    expect(comments.match(/[\u4e00-\u9fff]{4,}/g)?.length).toBeGreaterThan(variableNames.length)
  })

  test.each(['docs/configuration.md', 'docs/configuration.zh-CN.md'])(
    'the table of %s has every variable, with its default',
    name => {
      const text = readFileSync(path.join(import.meta.dirname, '../..', name), 'utf8')
      const rows = text.split('\n').filter(line => /^\| `[A-Z_]+`/.test(line))
      const table = rows.map(row => row.split('|').map(cell => cell.trim()))
      const names = table.flatMap(([, cell = '']) => cell.match(/[A-Z_]+/g) ?? [])
      const defaults = Object.fromEntries(
        table.flatMap(([, variables = '', values = '']) => {
          const found = values.match(/`[^`]+`/g)?.map(value => value.slice(1, -1)) ?? []
          return (variables.match(/[A-Z_]+/g) ?? []).map((variable, index) => [variable, found[index] ?? ''])
        }),
      )

      expect(names.sort()).toEqual([...variableNames].sort())
      const { SECRET_KEY, ACCESS_TOKEN, ...checked } = defaults
      expect([SECRET_KEY, ACCESS_TOKEN]).toEqual(['DATA_DIR/secret.key', 'DATA_DIR/access.token'])
      expect(loadSettings(checked)).toEqual(loadSettings({}))
    },
  )

  test.each([
    ['A=b', 'b'],
    ['A = b c ', 'b c'],
    ['export A=b', 'b'],
    ['A=', ''],
    ['A= # a remark', ''],
    ['A=b # a remark', 'b'],
    ['A="b # c" # a remark', 'b # c'],
    ["A='$b'", '$b'],
    ['A="C:\\new\\data"', 'C:\\new\\data'],
    ["A=it's", "it's"],
    ['A=postgresql://u:p=w@db/x?sslmode=require', 'postgresql://u:p=w@db/x?sslmode=require'],
    ['\ufeffA=b', 'b'],
    ['\u3000A=b', 'b'],
  ])('the line %j sets %j', (line, value) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'webimgui-env-'))
    writeFileSync(path.join(folder, '.env'), `# a remark\n\n${line}\n`)

    expect(readEnvironmentFile(path.join(folder, '.env'))).toEqual({
      assignments: [{ name: 'A', value, line: 3 }],
      faults: [],
    })
  })

  test('the real environment wins', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'webimgui-env-'))
    writeFileSync(path.join(folder, '.env'), 'PORT=9001\nDRAIN_SECONDS="7" # seconds\n')
    const before = process.cwd()
    const environment = { ...process.env }
    process.env.PORT = '9002'
    delete process.env.DRAIN_SECONDS
    try {
      process.chdir(folder)
      const read = readEnvironment()
      expect([read.PORT, read.DRAIN_SECONDS]).toEqual(['9002', '7'])
      process.chdir(os.tmpdir())
      expect(readEnvironment().PORT).toBe('9002')
    } finally {
      process.chdir(before)
      process.env = environment
    }
  })
})
