/** The examples of docs/openai.md, run as they stand there, with another address and token. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { png } from '../support/pictures.ts'
import { generationsOf, makeToken, serverToken } from './client.ts'

const run = promisify(execFile)
const root = path.join(import.meta.dirname, '../..')

function examplesOf(page: string) {
  const text = readFileSync(path.join(root, 'docs', page), 'utf8')
  return [...text.matchAll(/```(sh|js|python)\n([\s\S]*?)```/g)].map(([, language = '', code = '']) => ({
    language,
    code,
  }))
}

test.each(['openai.md', 'openai.zh-CN.md'])('every example of %s makes a picture', async page => {
  const app = await startApp({ environment: { ACCESS_TOKEN: serverToken } })
  const { token } = await makeToken(app)
  // Inside the project, where the packages are.
  const folder = await mkdtemp(path.join(root, 'node_modules/.examples-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await writeFile(path.join(folder, 'boat.png'), await png(300, 300))
  const programs: Record<string, [program: string, file: string]> = {
    ...{ sh: ['sh', 'example.sh'], js: [process.execPath, 'example.mjs'], python: ['python3', 'example.py'] },
  }
  const examples = examplesOf(page)
  // The library of OpenAI for Python comes from no registry of ours: where it is installed, its example is run as well.
  const hasLibrary = await run('python3', ['-c', 'import openai']).then(
    () => true,
    () => false,
  )
  const runnable = examples.filter(({ code }) => hasLibrary || !code.includes('from openai import'))

  for (const { language, code } of runnable) {
    const [program, file] = programs[language]!
    const own = code.replaceAll('http://127.0.0.1:8000', app.url).replaceAll('YOUR_TOKEN', token)
    await writeFile(path.join(folder, file), own)
    const { stdout } = await run(program, [file], { cwd: folder })
    const [address = ''] = /http:\/\/127\.0\.0\.1:\d+\/images\/[\w-]+\?expires=\d+&signature=[\w-]+/.exec(stdout) ?? []
    expect((await fetch(address)).status, own).toBe(200)
  }
  expect(examples).toHaveLength(5)
  expect(await generationsOf(app, { authorization: `Bearer ${token}` })).toHaveLength(hasLibrary ? 5 : 4)
  // The task has the members that the page shows.
  const shown = [...readFileSync(path.join(root, 'docs', page), 'utf8').matchAll(/```json\n([\s\S]*?)```/g)]
  const body = { prompt: 'a boat', async: true }
  const task = await app.call('POST', '/v1/images/generations', body, { authorization: `Bearer ${token}` })
  expect(shown.map(([, json = '']) => Object.keys(JSON.parse(json)).sort())).toEqual([Object.keys(task.body).sort()])
})
