/** What people type behind a command, and where: refused before anything is done, or told. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startApp } from './support/app.ts'
import { startProgram } from './support/program.ts'

// Whole programs are started here, one after the other.
vi.setConfig({ testTimeout: 60_000 })

function emptyFolder() {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'webimgui-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
  return dataDir
}

async function run(dataDir: string, file: string, words: string[], environment: Record<string, string> = {}) {
  const program = startProgram(file, { dataDir, words, environment })
  return { code: await program.ended(), output: program.output() }
}

const commands = ['src/main.ts', 'src/demo.ts', 'src/doctor.ts', 'src/rotate-secret.ts', 'src/backup.ts']

test.each(commands)(
  '%s tells its usage when asked, and refuses what it does not know, before anything is done',
  async file => {
    const dataDir = emptyFolder()

    const help = await run(dataDir, file, ['--help'])
    const unknown = await run(dataDir, file, ['--bogus'])
    const surplus = await run(dataDir, file, ['write', 'x.tar', 'y.tar'])

    expect([help.code, help.output]).toEqual([0, expect.stringMatching(/^Usage 用法: npm/)])
    for (const refused of [unknown, surplus]) {
      expect([refused.code, refused.output]).toEqual([1, expect.stringMatching(/Nothing was done.*Usage 用法/s)])
    }
    expect(readdirSync(dataDir)).toEqual([])
  },
)

test.each([
  ['src/doctor.ts', []],
  ['src/rotate-secret.ts', []],
  ['src/backup.ts', ['write', 'x.tar']],
])('%s makes no database where there is none', async (file, words) => {
  const dataDir = emptyFolder()

  const { code, output } = await run(dataDir, file, words)

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

  const { code, output } = await run(app.dataDir, 'src/doctor.ts', [])

  expect([code, output]).toEqual([1, expect.stringMatching(/knows none of the 1 pictures.*nothing was changed/)])
  expect(readdirSync(path.join(app.dataDir, 'images/thumbnails'))).toEqual(['one.webp'])
})

test('a backup leaves nothing but its archive', async () => {
  const app = await startApp()
  const elsewhere = emptyFolder()
  const environment = { DATA_DIR: app.dataDir }

  const { code } = await run(elsewhere, 'src/backup.ts', ['write', path.join(elsewhere, 'x.tar')], environment)

  expect(code).toBe(0)
  expect(readdirSync(elsewhere)).toEqual(['x.tar'])
})
