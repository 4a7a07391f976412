/** Arguments of a command. Unknown ones are refused before anything is done. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

/**
 * Ends the process: with 0 and `usage` when that is asked for, with 1 when a word or option is not known or a word is missing.
 * `words` names the ones that must be there.
 */
export function commandLine<const Options extends ParseArgsOptionsConfig>(
  usage: string,
  { words = [], options }: { words?: readonly string[]; options?: Options } = {},
) {
  try {
    const { values, positionals } = parseArgs({
      options: { ...(options ?? ({} as Options)), help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    })
    if ((values as { help?: boolean }).help) {
      console.log(usage)
      process.exit(0)
    }
    const missing = words[positionals.length]
    if (missing !== undefined) throw new Error(`${missing} is missing. 缺少 ${missing}。`)
    if (positionals.length > words.length)
      throw new Error(`"${positionals[words.length]}" is not known here. 无法识别“${positionals[words.length]}”。`)
    return { values, positionals }
  } catch (error) {
    // Node appends a hint for programmers.
    const [reason] = String(error instanceof Error ? error.message : error).split('. To ')
    console.error(`${reason}\nNothing was done. 未执行任何操作。\n\n${usage}`)
    process.exit(1)
  }
}
