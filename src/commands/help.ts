/** What the program tells about its words, in both languages. */
import { findNearest } from '../operator/nearest.ts'
import type { Option, Word } from './word.ts'
import { describeWord, type WordName, wordNames, wordsOfGroup } from './words.ts'

const usage = 'Usage 用法: webimgui'

export function describeProgram(): string {
  const ofServer = wordNames.filter(name => !describeWord(name).isRemote)
  const remote = wordNames.filter(name => describeWord(name).isRemote)
  return `${usage} <word>; in a checkout 在源码目录中: npx webimgui <word>, npm start

${listOf(ofServer)}

With a server, by its address and token 通过地址和令牌使用服务:
${listOf(remote)}

Each tells more with --help, such as: webimgui doctor --help
每个命令加 --help 可查看说明，例如 webimgui doctor --help`
}

export function describeGroup(group: string): string {
  const names = wordsOfGroup(group)
  return `${usage} <word>

${listOf(names)}

Each tells more with --help, such as: webimgui ${names[0]} --help
每个命令加 --help 可查看说明，例如 webimgui ${names[0]} --help`
}

export function describeUsage(name: WordName): string {
  const word = describeWord(name)
  const options = Object.entries(word.options ?? {})
  const line = [name, ...(word.operands ?? []), ...(options.length > 0 ? ['[OPTION…]'] : [])].join(' ')
  const { en, zh } = word.about
  const paragraphs = (word.more ?? [{ en, zh }]).map(({ en, zh }) => `${en}\n${zh}`)
  const rows = options.map(
    ([option, about]) => [spellOption(option, about), `${about.about.en} ${about.about.zh}`] as const,
  )
  return [`${usage} ${line}`, ...paragraphs, ...(rows.length > 0 ? [align(rows)] : [])].join('\n\n')
}

/** Short where the whole would push the mistake off the screen. */
export function remindOfUsage(name: WordName): string {
  const text = describeUsage(name)
  const [line] = text.split('\n')
  return text.length < 1500 ? text : `${line}\n\nwebimgui ${name} --help tells all of it. 详见 webimgui ${name} --help`
}

/** What to say of a word that is not known. */
export function suggestWord(given: string): string {
  const names = wordNames.flatMap(name => [name, describeWord(name).alias ?? name])
  return suggest(given, names, given)
}

/** What to say of an option that the word does not have. */
export function suggestOption(given: string, { options = {} }: Word): string {
  const known = ['--help', ...Object.keys(options).map(name => `--${name}`)]
  return suggest(given, known, given)
}

function suggest(given: string, known: readonly string[], shown: string) {
  const near = findNearest(given, known, Math.max(1, Math.floor(given.length / 3)))
  const en = `"${shown}" is not known here.${near ? ` Did you mean ${near}?` : ''}`
  return `${en} 无法识别“${shown}”。${near ? `是否应为 ${near}？` : ''}`
}

function spellOption(name: string, { short, value, choices }: Option) {
  const long = `--${name}${value || choices ? ` ${value ?? choices?.join('|')}` : ''}`
  return short ? `-${short}, ${long}` : long
}

function listOf(names: readonly WordName[]) {
  const rows = names.map(name => {
    const { alias, operands = [], about } = describeWord(name)
    return [[alias ? `${name}, ${alias}` : name, ...operands].join(' '), `${about.en} ${about.zh}`] as const
  })
  return align(rows)
}

function align(rows: readonly (readonly [string, string])[]) {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`).join('\n')
}
