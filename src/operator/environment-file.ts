/**
 * `.env`, line by line. A line that other readers of such files interpret differently, or skip silently, stops the start: a lost line
 * may be the one that protects the server. Messages name lines and never values, which may be secret.
 */
import { findNearest } from './nearest.ts'
import { readTextFile } from './text-file.ts'

export interface Assignment {
  name: string
  value: string
  /** Line number, from 1. */
  line: number
}

/** A sentence for people in both languages. */
export interface Words {
  en: string
  zh: string
}

/** @throws TextFileError when it is no text; errors of the file system as they come. */
export function readEnvironmentFile(file: string): { assignments: Assignment[]; faults: Words[] } {
  const assignments: Assignment[] = []
  const faults: Words[] = []
  for (const [index, text] of readTextFile(file).split('\n').entries()) {
    const line = index + 1
    const read = readLine(text.trim())
    if (read === undefined) continue
    if ('en' in read) faults.push(at(file, line, read))
    else assignments.push({ ...read, line })
  }
  for (const { name, value, line } of assignments) {
    const other = assignments.find(other => other.name === name && other.value !== value)
    if (other && other.line < line) {
      faults.push({
        en: `${file}, lines ${other.line} and ${line} give ${shown(name)} different values. Keep one of them.`,
        zh: `${file} 第 ${other.line} 行和第 ${line} 行为 ${shown(name)} 设置了不同的值。请只保留一行。`,
      })
    }
  }
  return { assignments, faults }
}

/** A name that is safe to show: what does not look like a variable name may be a pasted key. */
function shown(name: string) {
  return /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(name) && name.length <= 40 ? name : '…'
}

/** Variables of Node, libraries and programs that share the file. */
const foreignName = /^(NODE_|PG[A-Z]+$|SSL_CERT_|TZ$|LANG$|LC_|COMPOSE_|DOCKER_|POSTGRES_|(https?|all|no)_proxy$)/i

/** A warning for each name in the file that is not among `known`. `otherNames`: what people call a variable of ours, and its name. */
export function unreadNames(
  file: string,
  assignments: Assignment[],
  known: readonly string[],
  otherNames: Readonly<Record<string, string>>,
): Words[] {
  const unread = assignments.filter(({ name }) => !known.includes(name) && !foreignName.test(name))
  return unread.map(({ name, line }) => {
    const near = otherNames[name] ?? findNearest(name.toUpperCase(), known, Math.floor(name.length / 3))
    return at(file, line, {
      en: `nobody reads ${shown(name)}.${near ? ` Did you mean ${near}?` : ''}`,
      zh: `${shown(name)} 不会被读取。${near ? `是否应为 ${near}？` : ''}`,
    })
  })
}

/** A warning for each name of the environment that is probably a misspelt one of `known`: most others are not meant for us. */
export function misspeltNames(names: readonly string[], known: readonly string[]): Words[] {
  return names.flatMap(name => {
    const isOther = known.includes(name) || foreignName.test(name) || name.length < 7
    const near = isOther ? undefined : findNearest(name.toUpperCase(), known, 2)
    if (near === undefined) return []
    return {
      en: `The environment sets ${shown(name)}, which nobody reads. Did you mean ${near}?`,
      zh: `环境变量 ${shown(name)} 不会被读取。是否应为 ${near}？`,
    }
  })
}

function at(file: string, line: number, { en, zh }: Words): Words {
  return { en: `${file}, line ${line}: ${en}`, zh: `${file} 第 ${line} 行：${zh}` }
}

/** Undefined where nothing is set. */
function readLine(line: string): Omit<Assignment, 'line'> | Words | undefined {
  if (line === '' || line.startsWith('#')) return undefined
  const [, name, rest] = /^(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(.*)$/.exec(line) ?? []
  if (name === undefined || rest === undefined) return noAssignment
  if (invisible.test(rest)) return hiddenCharacter
  const value = readValue(rest, /\s$/.test(line.slice(0, line.length - rest.length)))
  return typeof value === 'string' ? { name, value } : value
}

/** `hasBlank`: there is a space before it. */
function readValue(text: string, hasBlank: boolean): string | Words {
  if (/^[“”‘’„«＂＇`]/.test(text)) return strangeQuote
  const quote = /^["']/.exec(text)?.[0]
  if (quote !== undefined) {
    const end = text.indexOf(quote, 1)
    if (end < 0) return openQuote
    if (!/^\s*(#.*)?$/.test(text.slice(end + 1))) return afterQuote
    const value = text.slice(1, end)
    return quote === '"' && substitution.test(value) ? noSubstitution : value
  }
  const comment = text.search(/(^|\s)#/)
  const value = (comment < 0 ? text : text.slice(0, comment)).trim()
  if (value.includes('#') || (comment === 0 && !hasBlank)) return unclearComment
  if (/["'”’]$/.test(value)) return openQuote
  return substitution.test(value) ? noSubstitution : value
}

/** Shells and Compose would expand these. */
const substitution = /\$[({]|^\$[A-Za-z_]\w*$/
const invisible = /[\x00-\x08\x0b-\x1f\x7f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]/

const noAssignment = {
  en: 'this is not an assignment. Write NAME=value, with a plain "=", and # before a comment.',
  zh: '这不是赋值。请写成 NAME=value（使用半角等号），备注以 # 开头。',
}
const hiddenCharacter = {
  en: 'the value holds an invisible character. Type the line again instead of pasting it.',
  zh: '值中含有不可见字符。请手动输入这一行，不要粘贴。',
}
const strangeQuote = {
  en: 'the value begins with a quote of another kind. Use plain quotes (" or \') or none.',
  zh: '值以其他形式的引号开头。请使用半角引号（" 或 \'），或不加引号。',
}
const openQuote = {
  en: 'a quote has no counterpart. Put one at both ends of the value, on the same line, or none.',
  zh: '引号不成对。请在同一行的值两端都加引号，或都不加。',
}
const afterQuote = {
  en: 'something follows the closing quote. Put the whole value between one pair of quotes; if it holds that quote, use the other kind.',
  zh: '引号之后还有内容。请用一对引号括住整个值；值中含有该引号时，请换用另一种引号。',
}
const unclearComment = {
  en: 'it is not clear whether "#" begins a comment. Put the value between quotes if # belongs to it, or a space before the # of a comment.',
  zh: '无法判断 # 是否为备注。# 属于值时请给值加引号；是备注时请在 # 前加空格。',
}
const noSubstitution = {
  en: '$… is not expanded here. Write the value itself, or put it between single quotes if it is meant literally.',
  zh: '这里不会替换 $… 变量。请直接写出值；如果就是字面内容，请用单引号括住。',
}
