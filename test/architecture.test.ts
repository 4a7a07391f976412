/** Imports flow one way: whoever opens one part can read it without the parts above it. */
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const root = path.join(import.meta.dirname, '../src')

/** Part → the parts it may import. A file at the top of `src` is a part of its own. */
const allowed: Record<string, string[]> = {
  api: [],
  providers: [],
  storage: [],
  simulators: [],
  generation: ['providers', 'storage'],
  server: ['api', 'generation', 'providers', 'storage', 'settings.ts', 'log.ts'],
  studio: ['api'],
  // Settings take the provider ids and addresses from the registry, and read what people write as the storage does.
  'settings.ts': ['environment-file.ts', 'providers', 'storage'],
  'environment-file.ts': ['storage'],
  'log.ts': ['settings.ts'],
  'app.ts': ['server', 'generation', 'providers', 'storage', 'settings.ts', 'log.ts'],
  'explain.ts': [],
  'start.ts': ['app.ts', 'explain.ts', 'settings.ts', 'log.ts'],
  'command-line.ts': [],
  'main.ts': ['command-line.ts', 'start.ts', 'settings.ts'],
  'demo.ts': ['command-line.ts', 'start.ts', 'simulators'],
  'backup.ts': ['command-line.ts', 'explain.ts', 'settings.ts', 'storage'],
  'doctor.ts': ['command-line.ts', 'explain.ts', 'generation', 'providers', 'settings.ts', 'storage'],
  'rotate-secret.ts': ['command-line.ts', 'explain.ts', 'settings.ts', 'storage'],
}

const files = globSync('**/*.{ts,tsx}', { cwd: root })

describe('imports', () => {
  test.each(files)('%s', file => {
    const own = partOf(file)
    const strangers = importsOf(file).filter(
      target => partOf(target) !== own && !(allowed[own] ?? []).includes(partOf(target)),
    )

    expect(strangers).toEqual([])
  })

  test.each(files.filter(file => /^providers\/\w+\//.test(file)))('%s knows no other adapter', file => {
    const folder = path.dirname(file)
    const shared = ['provider', 'answers', 'errors', 'http'].map(name => `providers/${name}.ts`)

    expect(importsOf(file).filter(target => !target.startsWith(`${folder}/`) && !shared.includes(target))).toEqual([])
  })

  test('only the registry opens the folders of the adapters', () => {
    const openers = files.filter(file =>
      importsOf(file).some(target => /^providers\/\w+\//.test(target) && path.dirname(target) !== path.dirname(file)),
    )

    expect(openers).toEqual(['providers/index.ts'])
  })

  test('only settings.ts reads the environment', () => {
    const readers = files.filter(file => /process\.env\b/.test(readFileSync(path.join(root, file), 'utf8')))

    expect(readers).toEqual(['settings.ts'])
  })
})

function importsOf(file: string) {
  const text = readFileSync(path.join(root, file), 'utf8')
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(match => match[1] ?? '')
  return specifiers
    .map(specifier => path.join(path.dirname(file), specifier))
    .filter(target => !target.startsWith('..'))
}

function partOf(file: string) {
  return file.split('/')[0] ?? file
}
