/** Imports flow one way, types included: whoever opens one room can read it without the rooms above it. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { providers } from '../src/providers/index.ts'

const root = path.join(import.meta.dirname, '../src')

/** Each room may import what stands before it in one of these rows. A file at the top of `src` is a room of its own. */
const floors = [
  ['operator'],
  ['api', 'storage', 'simulators'],
  ['catalogue', 'client'],
  ['errors.ts', 'outgoing', 'mcp'],
  ['providers'],
  ['settings.ts', 'coordination'],
  ['telemetry', 'configurations'],
  ['members', 'offers'],
  ['images', 'webhooks'],
  ['moving'],
  ['generation'],
  ['server', 'core.ts'],
  ['app.ts'],
  ['commands'],
  ['main.ts'],
]

/** Rooms that stand apart from the rows: the program does not import them, or they do not import the program. */
const apart: Record<string, string[]> = {
  simulators: [],
  client: ['api'],
  mcp: ['api', 'catalogue', 'client'],
  studio: ['api', 'catalogue', 'client'],
}

/** What a lower row has and a room must not import all the same. */
const forbidden: Record<string, string[]> = {
  api: ['operator'],
  server: ['simulators'],
  generation: ['simulators', 'api'],
  'app.ts': ['simulators'],
  'core.ts': ['simulators', 'api'],
}

const files = globSync('**/*.{ts,tsx}', { cwd: root })
const imports = new Map(files.map(file => [file, readImports(file)]))

describe('imports', () => {
  test('flow from upper rooms to lower ones', () => {
    const strangers = files.flatMap(file =>
      importsOf(file)
        .filter(target => roomOf(target) !== roomOf(file) && !mayImport(roomOf(file), roomOf(target)))
        .map(target => `${file} imports ${target}`),
    )

    expect(strangers).toEqual([])
  })

  test('make no circle, also not of types', () => {
    expect(findCircles(imports)).toEqual([])
  })

  test('make no circle where days are simulated and tests are supported either', () => {
    const above = path.join(root, '..')
    const beside = globSync(['simulation/**/*.ts', 'test/support/**/*.ts'], { cwd: above })

    expect(findCircles(new Map(beside.map(file => [file, readImports(file, above)])))).toEqual([])
  })

  test('know no other adapter, and only what adapters share', () => {
    const isShared = (file: string) => path.dirname(file) === 'providers' && file !== 'providers/index.ts'
    const strangers = files
      .filter(file => /^providers\/\w+\//.test(file))
      .flatMap(file =>
        importsOf(file)
          .filter(target => roomOf(target) === 'providers')
          .filter(target => path.dirname(target) !== path.dirname(file) && !isShared(target))
          .map(target => `${file} imports ${target}`),
      )

    expect(strangers).toEqual([])
  })

  test('open the folder of an adapter only in the registry', () => {
    const openers = files.filter(file =>
      importsOf(file).some(target => /^providers\/\w+\//.test(target) && path.dirname(target) !== path.dirname(file)),
    )

    expect(openers).toEqual(['providers/index.ts'])
  })
})

/** Folders of the studio, from bottom to top; the screens stand between the forms and the shell. */
const studioFloors = ['data', 'text', 'ui', 'actions', 'forms', 'a screen', 'shell']

test('the studio has floors as well, and its screens do not know one another', () => {
  const floorOf = (file: string) => {
    const folder = file.split('/')[1] ?? ''
    return studioFloors.indexOf(studioFloors.includes(folder) ? folder : 'a screen')
  }
  const isInside = (file: string) => /^studio\/\w+\//.test(file)
  const strangers = files.filter(isInside).flatMap(file =>
    importsOf(file)
      .filter(target => isInside(target) && target.split('/')[1] !== file.split('/')[1])
      .filter(target => floorOf(file) !== studioFloors.indexOf('shell') && floorOf(target) >= floorOf(file))
      .map(target => `${file} imports ${target}`),
  )

  expect(strangers).toEqual([])
})

test('only settings.ts reads the environment, and what the words need that speak to a server', () => {
  const readers = files.filter(file => /process\.env\b/.test(readFileSync(path.join(root, file), 'utf8')))

  expect(readers.toSorted()).toEqual(['operator/client-environment.ts', 'settings.ts'])
})

test('only the folder of a provider, the registry and the simulators spell its id', () => {
  const ids = Object.keys(providers)
  // Ids of models and names of products begin with the same words; a whole id is what code would decide by.
  const spelled = new RegExp(`\\b(?:${ids.join('|')})\\b(?!-)|\\b(?:${ids.join('|').toUpperCase()})_`)
  const own = [/^providers\/\w+\//, /^providers\/index\.ts$/, /^simulators\//]
  // An old database is read by the words of its time, which never change.
  const frozen = /^storage\/migrations\//

  const spellers = files
    .filter(file => ![...own, frozen].some(place => place.test(file)))
    .filter(file => spelled.test(withoutComments(readFileSync(path.join(root, file), 'utf8'))))

  expect(spellers).toEqual([])
})

function withoutComments(text: string) {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}

test('every room has its floor', () => {
  const known = new Set([...floors.flat(), ...Object.keys(apart)])

  expect([...new Set(files.map(roomOf))].filter(room => !known.has(room))).toEqual([])
})

test('the pages for whoever changes the program name every room, and only paths that exist', () => {
  const pages = ['CONTRIBUTING.md', 'docs/architecture.md', 'docs/add-a-provider.md']
  const above = path.join(root, '..')
  const missing = pages.flatMap(page =>
    [...readFileSync(path.join(above, page), 'utf8').matchAll(/`((?:src|test|docs|simulation)\/[\w./-]+)`/g)]
      .map(([, named = '']) => named)
      .filter(named => !existsSync(path.join(above, named)))
      .map(named => `${page} names ${named}`),
  )
  const [contributing = '', architecture = ''] = pages.map(page => readFileSync(path.join(above, page), 'utf8'))
  const rooms = [...new Set(files.filter(file => file.includes('/')).map(roomOf))]

  expect(missing).toEqual([])
  expect(rooms.filter(room => !contributing.includes(`\`src/${room}\``))).toEqual([])
  expect(rooms.filter(room => !architecture.includes(`\`${room}\``))).toEqual([])
})

function importsOf(file: string) {
  return imports.get(file) ?? []
}

function readImports(file: string, folder = root) {
  const text = readFileSync(path.join(folder, file), 'utf8')
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(match => match[1] ?? '')
  return specifiers
    .map(specifier => path.join(path.dirname(file), specifier))
    .filter(target => !target.startsWith('..'))
}

function roomOf(file: string) {
  return file.split('/')[0] ?? file
}

function mayImport(room: string, other: string) {
  if (apart[room]) return apart[room].includes(other)
  const floorOf = (name: string) => floors.findIndex(row => row.includes(name))
  return floorOf(other) !== -1 && floorOf(other) < floorOf(room) && !(forbidden[room] ?? []).includes(other)
}

/** Files that import one another, however long the way around is: the shortest way of each file back to itself. */
function findCircles(imports: ReadonlyMap<string, string[]>): string[] {
  const circles = new Map<string, string>()
  for (const start of imports.keys()) {
    const from = new Map<string, string>()
    const queue = [start]
    for (let file = queue.shift(); file !== undefined && !from.has(start); file = queue.shift()) {
      for (const target of imports.get(file) ?? []) {
        if (from.has(target)) continue
        from.set(target, file)
        queue.push(target)
      }
    }
    if (!from.has(start)) continue
    const way = [start]
    for (let file = from.get(start); file !== undefined && file !== start; file = from.get(file)) way.unshift(file)
    circles.set(way.toSorted().join(), [start, ...way].join(' → '))
  }
  return [...circles.values()]
}
