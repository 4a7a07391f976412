/** What `npm pack` makes: a package that holds what an installation needs and nothing else, and starts from it. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askOnce } from '../support/ask-once.ts'
import { runProgram, startProgram } from '../support/program.ts'

const root = path.join(import.meta.dirname, '../..')
const packageFile = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  bin: { webimgui: string }
  dependencies: Record<string, string>
}
const folder = mkdtempSync(path.join(tmpdir(), 'webimgui-package-'))
const installed = path.join(folder, 'node_modules/webimgui')
const file = path.join(installed, packageFile.bin.webimgui)
let names: string[]

beforeAll(async () => {
  // The studio is the one that was built last; the server is replaced by that of the present sources.
  const tarball = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
  })
  const [packed = ''] = tarball.trim().split('\n').slice(-1)
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', path.join(folder, packed), '-C', installed, '--strip-components=1'])
  names = readdirSync(installed, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => path.relative(installed, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
  rmSync(path.join(installed, 'dist/server'), { recursive: true })
  cpSync((await askOnce('programs')) ?? '', path.join(installed, 'dist/server'), { recursive: true })
  // Packages that are needed for development only are out of reach here.
  for (const name of Object.keys(packageFile.dependencies)) {
    const place = path.join(folder, 'node_modules', name)
    mkdirSync(path.dirname(place), { recursive: true })
    symlinkSync(path.join(root, 'node_modules', name), place)
  }
})

afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))

test('holds what was built, what starts it, and what npm wants', () => {
  const isBuilt = (name: string) => name.startsWith('dist/')

  expect(names.filter(name => !isBuilt(name)).sort()).toEqual([
    '.env.example',
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'README.zh-CN.md',
    'package.json',
    'packages/systemd/webimgui.service',
    'tools/allocator.mjs',
    'tools/built.mjs',
    'tools/node-runtime/check.mjs',
    'tools/webimgui.mjs',
  ])
  const forms = [
    /^dist\/server\/[\w-]+\.mjs$/,
    /^dist\/studio\/assets\/[\w-]+\.(js|css|svg)(\.(br|gz))?$/,
    /^dist\/studio\/(index\.html|manifest\.webmanifest|service-worker\.js(\.(br|gz))?)$/,
    /^dist\/studio\/icons\/[\w-]+\.png$/,
    /^dist\/(server|studio)\/licenses\.md$/,
  ]
  expect(names.filter(isBuilt).filter(name => !forms.some(form => form.test(name)))).toEqual([])
  expect(names).toEqual(expect.arrayContaining(['dist/server/main.mjs', 'dist/studio/index.html']))
})

test('makes a picture, shows the studio and describes its API with nothing but its own dependencies', async () => {
  const program = await start()
  const [, address] = await program.says(/curl (http\S+)\/api\/generate/)

  const words = ['a boat', '-s', '1K', '-o', 'out', '--json', '--url', address ?? '']
  const made = await runProgram('generate', { dataDir: folder, words, file, environment: { XDG_CONFIG_HOME: folder } })
  const events = made.standardOutput
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  const thumbnail = events.find(({ event }) => event === 'ended').generation.images[0]?.thumbnail_url

  expect([made.code, readdirSync(path.join(folder, 'out'))]).toEqual([0, [expect.stringMatching(/^a-boat-/)]])
  for (const place of [thumbnail, '/', '/docs/js/scalar.js', '/openapi.json'])
    expect([place, (await fetch(`${address}${place}`)).status]).toEqual([place, 200])
  expect(await program.ended('SIGTERM')).toBe(0)
})

test('says in one sentence that Node is too old, and not how a checkout gets another', async () => {
  const old = 'data:text/javascript,Object.defineProperty(process.versions, "node", { value: "20.9.0" })'
  const program = await start(['--import', old])

  expect(await program.ended()).toBe(1)
  expect(program.output()).toMatch(
    /^This needs Node\.js 24 or newer; here it is 20\.9\.0\. Install it from .*\n需要 .*\n$/,
  )
})

function start(nodeOptions: string[] = []) {
  const dataDir = path.join(folder, 'demo-data')
  mkdirSync(dataDir, { recursive: true })
  return startProgram('demo', { dataDir, file, nodeOptions })
}
