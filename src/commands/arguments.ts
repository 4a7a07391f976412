/**
 * Arguments of a word. Unknown ones are refused before anything is done: a misspelt `--dry-run` must not cost money. Node's own parser is strict
 * and takes an option several times; the libraries on top of it, such as citty, let unknown options pass and keep the last one.
 */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { describeUsage, remindOfUsage, suggestOption } from './help.ts'
import type { Word } from './word.ts'
import { describeWord, type WordName, type words } from './words.ts'

type OptionsOf<Name extends WordName> = (typeof words)[Name] extends {
  options: infer Options extends ParseArgsOptionsConfig
}
  ? Options
  : Record<never, never>

/**
 * What stands behind the name of a word, as `words.ts` describes it.
 * Ends the process: with 0 and the usage when that is asked for, with 1 when something is not known or missing.
 */
export function commandLine<const Name extends WordName>(name: Name) {
  const word = describeWord(name)
  try {
    const { values, positionals } = parseArgs({
      options: { ...((word.options ?? {}) as OptionsOf<Name>), help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    })
    if ((values as { help?: boolean }).help) {
      console.log(describeUsage(name))
      process.exit(0)
    }
    checkOperands(positionals, word)
    for (const [option, { choices }] of Object.entries(word.options ?? {})) {
      const value = (values as Record<string, unknown>)[option]
      if (choices && typeof value === 'string' && !choices.includes(value)) {
        throw new Error(`--${option} is one of ${choices.join(', ')}. --${option} 只能是 ${choices.join('、')}。`)
      }
    }
    return { values, positionals }
  } catch (error) {
    return refuseArguments(name, describeFault(error, name))
  }
}

/** Ends the process with 1. */
export function refuseArguments(name: WordName, sentence: string): never {
  console.error(`${sentence}\nNothing was done. 未执行任何操作。\n\n${remindOfUsage(name)}`)
  process.exit(1)
}

function checkOperands(given: readonly string[], { operands = [], surplus: hint }: Word) {
  const missing = operands[given.length]
  if (missing !== undefined && !missing.startsWith('[')) {
    throw new Error(`${missing.replace('…', '')} is missing. 缺少 ${missing.replace('…', '')}。`)
  }
  const surplus = given[operands.length]
  if (surplus !== undefined && !operands.at(-1)?.includes('…')) {
    throw new Error(
      `"${surplus}" is not known here.${hint ? ` ${hint.en}` : ''} 无法识别“${surplus}”。${hint?.zh ?? ''}`,
    )
  }
}

function describeFault(error: unknown, name: WordName) {
  const message = error instanceof Error ? error.message : String(error)
  const isUnknown = error instanceof Error && 'code' in error && error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
  const option = isUnknown ? /'(-[^']*)'/.exec(message)?.[1] : undefined
  if (option !== undefined) return suggestOption(option, describeWord(name))
  // Node appends a hint for programmers.
  return message.split('. To ')[0] ?? message
}
