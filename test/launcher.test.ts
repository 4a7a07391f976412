/** What `npm start` runs: the built server, or the sources where something in them is younger. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'

const root = path.join(import.meta.dirname, '..')
const [old, young] = [new Date('2026-01-01'), new Date('2026-01-02')]
let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'webimgui-launcher-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(path.join(root, 'tools'), path.join(folder, 'tools'), { recursive: true })
  for (const name of [
    'src/main.ts',
    'src/storage/store.ts',
    'src/studio/main.tsx',
    'dist/server/main.mjs',
    'package.json',
  ])
    write(name, name.endsWith('.json') ? '{"type":"module"}' : `console.log('this is ${name}', process.argv[2])`)
})

test('the built server, while nothing is younger', () => {
  touch('src/storage/store.ts', old)

  expect(run()).toContain('this is dist/server/main.mjs start')
})

test('the sources, when one of them was changed', () => {
  touch('src/storage/store.ts', young)

  expect(run()).toContain('this is src/main.ts start')
})

test('the sources, when one of them was removed', () => {
  rmSync(path.join(folder, 'src/storage/store.ts'))
  touch('src/storage', young)

  expect(run()).toContain('this is src/main.ts start')
})

test('the built server, when only the studio was changed', () => {
  touch('src/studio/main.tsx', young)

  expect(run()).toContain('this is dist/server/main.mjs start')
})

test('the built server, where it was installed without sources, whatever dates the files were given', () => {
  rmSync(path.join(folder, 'src'), { recursive: true })
  touch('package.json', young)

  expect(run()).toContain('this is dist/server/main.mjs start')
})

test('the sources, when nothing was built', () => {
  rmSync(path.join(folder, 'dist'), { recursive: true })

  expect(run()).toContain('this is src/main.ts start')
})

describe.runIf(process.platform === 'linux')('the allocator', () => {
  const source = `process.on('SIGTERM', () => process.exit(7))
console.log(process.env.MALLOC_MMAP_THRESHOLD_, process.pid, process.execArgv, process.argv.slice(2))
if (process.argv[3] === 'wait') setInterval(() => {}, 1000)`

  beforeEach(() => {
    rmSync(path.join(folder, 'src'), { recursive: true })
    writeFileSync(path.join(folder, 'dist/server/main.mjs'), source)
  })

  test('is set in the process that was started, which ends as it likes', async () => {
    const words = ['--no-warnings', path.join(folder, 'tools/webimgui.mjs'), 'start', 'wait', '']
    const child = spawn(process.execPath, words, { env: {}, stdio: ['ignore', 'pipe', 'inherit'] })
    const [said] = await once(child.stdout.setEncoding('utf8'), 'data')
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')

    expect(said).toBe(`65536 ${child.pid} [ '--no-warnings' ] [ 'start', 'wait', '' ]\n`)
    expect(code).toBe(7)
  })

  test('is left as somebody chose it, and for words that end soon', () => {
    expect(run('start', { MALLOC_ARENA_MAX: '9' })).toMatch(/^undefined /)
    expect(run('doctor', {})).toMatch(/^undefined /)
  })
})

function run(word = 'start', environment: NodeJS.ProcessEnv = process.env) {
  const words = [path.join(folder, 'tools/webimgui.mjs'), word]
  return execFileSync(process.execPath, words, { encoding: 'utf8', env: environment })
}

function write(name: string, text: string) {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
  writeFileSync(path.join(folder, name), text)
  for (let place = name; place !== '.'; place = path.dirname(place)) touch(place, old)
}

function touch(name: string, at: Date) {
  utimesSync(path.join(folder, name), at, at)
}
