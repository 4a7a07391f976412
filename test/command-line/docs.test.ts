/** The pages for people say what works: their examples are run as they stand, in their order, by a shell. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { DOUBAO_DEMO_KEY } from '../../src/simulators/doubao/keys.ts'
import { startApp } from '../support/app.ts'
import { jpeg, png } from '../support/pictures.ts'
import { programFile } from '../support/program.ts'

const secret = 'correct-horse-battery-staple'
const docs = path.join(import.meta.dirname, '../../docs')

function examplesOf(page: string) {
  return [...readFileSync(path.join(docs, page), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = '']) => text)
}

test('every example works, and both languages have the same ones', async () => {
  const app = await startApp({ environment: { ACCESS_TOKEN: secret, ALLOWED_HOSTS: '127.0.0.1' } })
  const folder = mkdtempSync(path.join(tmpdir(), 'webimgui-line-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  const { file, environment } = await programFile('main')
  const start = path.join(folder, 'bin/webimgui')
  mkdirSync(path.dirname(start))
  writeFileSync(start, `#!/bin/sh\nexec '${process.execPath}' '${file}' "$@"\n`, { mode: 0o700 })
  writeFileSync(path.join(folder, 'photo.jpg'), await jpeg(600, 600))
  writeFileSync(path.join(folder, 'mask.png'), await png(600, 600, { transparent: true }))
  const admin = { authorization: `Bearer ${secret}` }
  const { id } = await app.generate({ prompt: 'an old boat' }, admin)
  const examples = examplesOf('command-line.md')
  // A terminal is needed for the one that asks.
  const script = examples
    .filter(text => text !== 'webimgui login\n')
    .join('')
    .concat('COMP_WORDS=(webimgui config te); COMP_CWORD=2; _webimgui; echo completed: $COMPREPLY')
    .replaceAll('http://127.0.0.1:8000', app.url)

  const { stdout } = await promisify(execFile)('bash', ['--norc', '-e', '-c', script], {
    cwd: folder,
    env: {
      ...environment,
      PATH: `${path.dirname(start)}:${environment.PATH}`,
      XDG_CONFIG_HOME: folder,
      TOKEN: secret,
      KEY: DOUBAO_DEMO_KEY,
      BASE_URL: app.doubao.baseUrl,
      ID: id,
    },
  })

  expect(examplesOf('command-line.zh-CN.md')).toEqual(examples)
  expect(readdirSync(path.join(folder, 'pictures'))).toHaveLength(3)
  expect(readdirSync(path.join(folder, 'boats'))).toHaveLength(2)
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(['night.png', 'door.png']))
  expect(readFileSync(path.join(folder, 'team.token'), 'utf8')).toMatch(/^wig_\S+\n$/)
  expect(stdout).toMatch(/an old boat[\s\S]*\ncompleted: test\n$/)
  expect([app.doubao.billed.length, app.qwen.billed.length]).toEqual([5, 2])
})
