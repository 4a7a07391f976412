/** What people type behind a command, and where: refused before anything is done, or told. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startApp } from './support/app.ts'
import { dataUri, png } from './support/pictures.ts'
import { runProgram } from './support/program.ts'

function emptyFolder() {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'webimgui-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
  return dataDir
}

function run(dataDir: string, command: string, words: string[], environment: Record<string, string> = {}) {
  return runProgram(command, { dataDir, words, environment })
}

const commands = ['start', 'demo', 'doctor', 'rotate-secret', 'backup', 'restore']

test.each(commands)(
  '%s tells its usage when asked, and refuses what it does not know, before anything is done',
  async command => {
    const dataDir = emptyFolder()

    const help = await runProgram(command, { dataDir, words: ['--help'], isFromTree: true })
    const unknown = await run(dataDir, command, ['--bogus'])
    const surplus = await run(dataDir, command, ['x.tar', 'y.tar'])

    expect([help.code, help.output]).toEqual([0, expect.stringMatching(/^Usage 用法: webimgui/)])
    for (const refused of [unknown, surplus]) {
      expect([refused.code, refused.output]).toEqual([1, expect.stringMatching(/Nothing was done.*Usage 用法/s)])
    }
    expect(readdirSync(dataDir)).toEqual([])
  },
)

test.each([
  ['doctor', []],
  ['rotate-secret', []],
  ['backup', ['x.tar']],
])('%s makes no database where there is none', async (command, words) => {
  const dataDir = emptyFolder()

  const { code, output } = await run(dataDir, command, words)

  expect([code, output]).toEqual([1, expect.stringContaining(`There is no database at ${dataDir}`)])
  expect(readdirSync(dataDir)).toEqual([])
})

test('the doctor touches nothing when the database knows none of the pictures', async () => {
  const app = await startApp()
  await app.stop()
  const folder = path.join(app.dataDir, 'images/2026/11')
  mkdirSync(folder, { recursive: true })
  mkdirSync(path.join(app.dataDir, 'images/thumbnails'), { recursive: true })
  for (const name of ['images/2026/11/one.png', 'images/thumbnails/one.webp'])
    writeFileSync(path.join(app.dataDir, name), 'of another database')

  const { code, output } = await run(app.dataDir, 'doctor', [])

  expect([code, output]).toEqual([1, expect.stringMatching(/knows none of the 1 pictures.*nothing was changed/)])
  expect(readdirSync(path.join(app.dataDir, 'images/thumbnails'))).toEqual(['one.webp'])
})

const image = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }

test('the doctor looks beside a running server, changes nothing, and says what it counted', async () => {
  const app = await startApp()
  const reference = dataUri(await png(64, 64))
  await app.generate(image)
  const { images } = await app.generate({ ...image, images: [reference] })
  const folder = path.join(app.dataDir, 'images')
  const waste = path.join(folder, 'thumbnails/nobody.webp')
  // Thumbnails are made off the way.
  await app.call('GET', images[0]?.thumbnail_url ?? '')
  writeFileSync(waste, 'small')
  const environment = { DATA_DIR: app.dataDir }

  const well = await run(app.dataDir, 'doctor', [], environment)
  const [stored = ''] = readdirSync(folder, { recursive: true })
    .map(String)
    .filter(name => name.includes(images[0]?.id ?? '?') && !/thumbnails/.test(name))
  rmSync(path.join(folder, stored))
  const broken = await run(app.dataDir, 'doctor', [], environment)

  expect([well.code, well.output]).toEqual([
    0,
    expect.stringContaining('The server is running, so nothing was changed'),
  ])
  expect(well.output).toContain('In the database 数据库: 2 pictures 图片, 1 reference 参考图')
  expect(well.output).toMatch(/On the disk 磁盘: 2 pictures 图片, 1 reference 参考图, \d thumbnails 缩略图/)
  expect([broken.code, broken.output]).toEqual([1, expect.stringContaining(`missing 缺失: ${stored}`)])
  expect(existsSync(waste)).toBe(true)
  // It was not in the way.
  expect((await app.generate(image)).status).toBe('succeeded')
})

test('the doctor beside a server that makes pictures calls none of them missing or strange', async () => {
  const app = await startApp()
  const generating = Promise.all(Array.from({ length: 12 }, () => app.generate(image)))

  const { code, output } = await run(app.dataDir, 'doctor', [], { DATA_DIR: app.dataDir })
  await generating

  expect([code, output]).toEqual([0, expect.not.stringMatching(/missing|no row|no call/)])
})

test('without the secret of the database the doctor looks at the files, warns of the keys and makes no secret', async () => {
  const app = await startApp()
  await app.call('POST', '/api/config', { provider: 'doubao', api_key: 'sk-1234567' })
  await app.generate(image)
  await app.stop()
  rmSync(path.join(app.dataDir, 'secret.key'))

  const { code, output } = await run(app.dataDir, 'doctor', [])

  expect([code, output]).toEqual([
    0,
    expect.stringMatching(/SECRET_KEY is not the one[\s\S]*SECRET_KEY 不是[\s\S]*The files are looked at all the same/),
  ])
  expect(output).toContain('Every picture has its file.')
  expect(output).not.toContain('so the server does not start')
  expect(existsSync(path.join(app.dataDir, 'secret.key'))).toBe(false)
})

test.each([
  ['doctor', []],
  ['rotate-secret', []],
  ['backup', ['x.tar']],
])('%s says in both languages what is in its way, and where the data of the demo are', async (command, words) => {
  const dataDir = emptyFolder()

  const { output } = await run(dataDir, command, words)
  const settings = await run(dataDir, command, words, { DATABASE_URL: 'mysql://x' })

  expect(output).toMatch(/There is no database at .*DATA_DIR=demo-data\.\n.*没有数据库.*DATA_DIR=demo-data/)
  expect(settings.output).toMatch(/DATABASE_URL must begin with[\s\S]*DATABASE_URL 必须以/)
  expect(settings.output).not.toMatch(/\n\s+at |server/i)
})

test('a backup leaves nothing but its archive', async () => {
  const app = await startApp()
  const elsewhere = emptyFolder()
  const environment = { DATA_DIR: app.dataDir }

  const { code } = await run(elsewhere, 'backup', [path.join(elsewhere, 'x.tar')], environment)

  expect(code).toBe(0)
  expect(readdirSync(elsewhere)).toEqual(['x.tar'])
})
