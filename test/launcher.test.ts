/** What `npm start` runs: the built server, or the sources where something in them is younger. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'

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

function run() {
  return execFileSync(process.execPath, [path.join(folder, 'tools/webimgui.mjs'), 'start'], { encoding: 'utf8' })
}

function write(name: string, text: string) {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
  writeFileSync(path.join(folder, name), text)
  for (let place = name; place !== '.'; place = path.dirname(place)) touch(place, old)
}

function touch(name: string, at: Date) {
  utimesSync(path.join(folder, name), at, at)
}
