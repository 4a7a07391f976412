/** One word for one thing: `docs/glossary.md` has the words, and no identifier uses one that it replaces. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const root = path.join(import.meta.dirname, '..')
const page = readFileSync(path.join(root, 'docs/glossary.md'), 'utf8')
const identifiers = collectIdentifiers()

test('every name in the glossary is in the code', () => {
  const names = rowsOf('term').flatMap(row => quoted(row.at(-1) ?? ''))
  const missing = names.filter(name =>
    name.includes('/') ? !existsSync(path.join(root, name)) : !identifiers.has(name),
  )

  expect(names.length).toBeGreaterThan(20)
  expect(missing).toEqual([])
})

test('no identifier uses a word that has a better one', () => {
  const words = rowsOf('not').flatMap(row => quoted(row[0] ?? ''))
  const uses = words.flatMap(word => {
    const pattern = patternFor(word)
    return [...identifiers]
      .filter(([identifier]) => pattern.test(identifier))
      .map(([identifier, file]) => `${identifier} in ${file}: see ${word} in docs/glossary.md`)
  })

  expect(words.length).toBeGreaterThan(5)
  expect(uses).toEqual([])
})

/** Cells of the table whose first heading is `heading`. */
function rowsOf(heading: string) {
  const [, table = ''] = page.split(`| ${heading} |`)
  const [, ...rows] = table.split('\n\n', 1)[0]?.split('\n|').slice(1) ?? []
  return rows.map(row => row.split('|').slice(0, -1))
}

function quoted(cell: string) {
  return [...cell.matchAll(/`([^`]+)`/g)].map(match => match[1] ?? '')
}

function patternFor(word: string) {
  if (word.endsWith('…')) return new RegExp(`^${word.slice(0, -1)}[A-Z]`)
  if (/^[A-Z]/.test(word)) return new RegExp(`^${word}$`)
  const inside = `${word.charAt(0).toUpperCase()}${word.slice(1)}`
  return new RegExp(`^${word}(?![a-z])|${inside}(?![a-z])`)
}

/** Every identifier under `src` with the first file that has it. */
function collectIdentifiers() {
  const found = new Map<string, string>()
  for (const file of globSync('src/**/*.{ts,tsx}', { cwd: root })) {
    for (const [name] of withoutTexts(readFileSync(path.join(root, file), 'utf8')).matchAll(/[A-Za-z_$][\w$]*/g)) {
      if (!found.has(name)) found.set(name, file)
    }
  }
  return found
}

/** Takes out comments, strings and the words of templates; what stands inside `${}` stays. */
function withoutTexts(source: string) {
  const token = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`|\{|\}/g
  const depths: number[] = []
  let code = ''
  let depth = 0
  let from = 0
  for (let match = token.exec(source); match; match = token.exec(source)) {
    code += `${source.slice(from, match.index)} `
    from = token.lastIndex
    if (match[0] === '{') depth += 1
    if (match[0] === '`' || (match[0] === '}' && depth === depths.at(-1))) {
      if (match[0] === '}') depths.pop()
      const end = endOfWords(source, from)
      if (source[end] === '$') depths.push(depth)
      from = token.lastIndex = end + (source[end] === '$' ? 2 : 1)
    } else if (match[0] === '}') depth -= 1
  }
  return code + source.slice(from)
}

/** Where the words of a template that begin at `from` end: at its closing mark or at `${`. */
function endOfWords(source: string, from: number) {
  for (let at = from; at < source.length; at += 1) {
    if (source[at] === '\\') at += 1
    else if (source[at] === '`' || source.startsWith('${', at)) return at
  }
  return source.length
}
