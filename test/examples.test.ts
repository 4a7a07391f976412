/**
 * Every example of the pages: run here, run by the test of its page, or of a kind that cannot be run by a test, with the reason. A block
 * that is neither fails, so whoever writes a new one decides.
 */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { DOUBAO_DEMO_KEY } from '../src/simulators/doubao/keys.ts'
import { startApp } from './support/app.ts'
import { jpeg } from './support/pictures.ts'

const run = promisify(execFile)
const root = path.join(import.meta.dirname, '..')

interface Example {
  language: string
  code: string
}

function examplesOf(page: string): Example[] {
  const text = readFileSync(path.join(root, page), 'utf8')
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({ language, code }))
}

/** Pages whose examples in these languages are run by a test of their own. */
const ownTests: Record<string, { file: string; languages: string[] }> = {
  'docs/command-line': { file: 'test/command-line/docs.test.ts', languages: ['sh'] },
  'docs/mcp': { file: 'test/mcp/docs.test.ts', languages: ['json'] },
  'docs/openai': { file: 'test/openai/docs.test.ts', languages: ['sh', 'js', 'python', 'json'] },
  'docs/models-file': { file: 'test/generation/models-file.test.ts', languages: ['json'] },
  'docs/webhooks': { file: 'test/server/webhook-examples.test.ts', languages: ['sh', 'js', 'python', 'json'] },
}

/** Pages whose examples are run below. */
const runHere: readonly string[] = ['docs/programs', 'docs/team', 'docs/recovery']

/** What an example does that a test cannot: by a word in it. */
const cannot: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^docker |docker compose/m, 'needs a Docker engine; packages/docker/try.sh builds and runs the image without one'],
  [/^claude mcp add/, 'a program of others'],
  [/webimgui\.mjs mcp --cap/, 'speaks a protocol; test/mcp/stdio.test.ts starts it with these words'],
  [/systemctl/, 'changes the services of the machine'],
  [/^webimgui (import|export) /m, 'folders of your own; test/moving/round-trip.test.ts runs both words'],
  [/^npm install \.\/webimgui/m, 'installs a package; test/packages/npm.test.ts does it'],
  [/^npm (test|ci)\b/m, 'runs or installs this project'],
  [/git (clone|pull)/, 'fetches this project'],
  [/npm start/, 'starts the server for good; test/program.test.ts starts it'],
  [/backend\.log/, 'reads the log of a server of your own'],
  [/^server \{/m, 'a file of nginx'],
  [/^scrape_configs:/m, 'a file of Prometheus; test/server/metrics.test.ts checks what it reads'],
  [/"type": "urn:webimgui:problem/, 'an answer; test/security and test/server check the shape of problems'],
]

const pages = [
  ...readdirSync(path.join(root, 'docs')).flatMap(name => (name.endsWith('.md') ? [`docs/${name}`] : [])),
  ...['README.md', 'README.zh-CN.md', 'CONTRIBUTING.md', 'SECURITY.md'],
]

const nameOf = (page: string) => page.replace(/(\.zh-CN)?\.md$/, '')

test('every example is run by a test, or is of a kind that cannot be', () => {
  const homeless = pages.flatMap(page => {
    const own = ownTests[nameOf(page)]
    return examplesOf(page).flatMap(({ language, code }) => {
      const isRun = own?.languages.includes(language) || runHere.includes(nameOf(page)) || /^curl /.test(code)
      return isRun || cannot.some(([pattern]) => pattern.test(code)) ? [] : [`${page}: ${code}`]
    })
  })
  const unused = cannot.filter(
    ([pattern]) => !pages.some(page => examplesOf(page).some(({ code }) => pattern.test(code))),
  )

  expect(homeless).toEqual([])
  expect(unused).toEqual([])
  for (const [page, { file }] of Object.entries(ownTests)) {
    expect(readFileSync(path.join(root, file), 'utf8'), file).toContain(`${path.basename(page)}.md`)
  }
})

test('both languages have the same examples', () => {
  const translated = pages.filter(page => page.endsWith('.zh-CN.md'))
  const shapeOf = (page: string) =>
    examplesOf(page).map(({ language, code }) => [language, code.trim().split('\n').length])

  expect(translated.length).toBeGreaterThan(8)
  for (const page of translated) {
    // One that shows none sends to the other page for them.
    if (examplesOf(page).length > 0) expect(shapeOf(page), page).toEqual(shapeOf(page.replace('.zh-CN', '')))
  }
})

async function makeFolder() {
  const folder = await mkdtemp(path.join(tmpdir(), 'webimgui-pages-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** What curl answered, as JSON, one a call. */
async function runScript(script: string, folder: string, env: Record<string, string> = {}) {
  const options = { cwd: folder, env: { PATH: process.env.PATH ?? '', ...env } }
  const { stdout } = await run('sh', ['-e', '-c', script.replace(/^( *)curl /gm, '$1echo; curl -sS ')], options)
  return stdout
    .split(/\n(?=\{)/)
    .flatMap(text => (text.trim() === '' ? [] : [JSON.parse(text) as Record<string, unknown>]))
}

test('what the first page and that for programs show works, and is answered as they say', async () => {
  const app = await startApp({ environment: { DOUBAO_API_KEY: undefined } })
  await app.call('POST', '/api/config', {
    name: 'first',
    provider: 'doubao',
    api_key: DOUBAO_DEMO_KEY,
    is_active: true,
  })
  const folder = await makeFolder()
  await writeFile(path.join(folder, 'photo.jpg'), await jpeg(600, 400))
  const members = new Set<string>()

  for (const page of ['README.md', 'README.zh-CN.md', 'docs/programs.md', 'docs/programs.zh-CN.md']) {
    const scripts = examplesOf(page).filter(({ language, code }) => language === 'sh' && code.startsWith('curl '))
    expect(scripts.length, page).toBeGreaterThan(0)
    for (const { code } of scripts) {
      const script = code.replaceAll('http://127.0.0.1:8000', app.url).replaceAll('YOUR_KEY', DOUBAO_DEMO_KEY)
      const answers = await runScript(script.replaceAll('你的密钥', DOUBAO_DEMO_KEY), folder)
      expect(answers, code).toHaveLength(1)
      expect(answers[0], code).not.toHaveProperty('title')
      for (const name of Object.keys(answers[0]!)) members.add(name)
    }
  }
  const estimate = await app.call('POST', '/api/estimate', { prompt: 'a boat' })
  const refused = await app.call('POST', '/api/generate', { prompt: 'a boat', parameters: { size: '640x640' } })
  for (const name of Object.keys({ ...estimate.body, ...refused.body })) members.add(name)

  for (const page of ['docs/programs.md', 'docs/programs.zh-CN.md']) {
    for (const { language, code } of examplesOf(page)) {
      if (language !== 'json') continue
      const strangers = Object.keys(JSON.parse(code)).filter(name => !members.has(name))
      expect(strangers, code).toEqual([])
    }
  }
  expect(refused.body.errors[0].message).toBe(
    JSON.parse(examplesOf('docs/programs.md').find(({ code }) => code.includes('640x640'))!.code).errors[0].message,
  )
})

test.each(['docs/team.md', 'docs/team.zh-CN.md'])('a team is set up as %s says', async page => {
  const ADMIN = 'a-long-secret-of-your-own'
  const app = await startApp({ environment: { ACCESS_TOKEN: ADMIN } })
  const folder = await makeFolder()
  const [start, create, use] = examplesOf(page).map(({ code }) => code.replaceAll('http://127.0.0.1:8000', app.url))

  const [made] = await runScript(create!, folder, { ADMIN })
  const token = { ADMIN, TOKEN: String(made!.token), ID: String(made!.id) }
  const answers = await runScript(use!.replace(/^export TOKEN=.*\n/m, ''), folder, token)

  expect(start).toContain('npm start')
  expect(answers).toMatchObject([{ status: 'succeeded' }, { role: 'member' }, { monthly_cap: { amount: 80 } }])
  const gone = await app.call('GET', '/api/me', undefined, { authorization: `Bearer ${token.TOKEN}` })
  expect(gone.status).toBe(401)
})

test('the query of the page on recovery fits the tables', async () => {
  const app = await startApp()
  app.doubao.misbehave({ kind: 'cut', after: 'headers', billed: true })
  const { body } = await app.call('POST', '/api/generate', { prompt: 'a boat' })
  await app.stop()

  const [example] = examplesOf('docs/recovery.md')
  const database = new DatabaseSync(path.join(app.dataDir, 'chat_history.db'), { readOnly: true })
  const rows = database.prepare(example!.code.replace(/;\s*$/, '')).all()
  database.close()

  expect(rows).toMatchObject([{ generation_id: body.generation_id, charge: 'unknown' }])
})
